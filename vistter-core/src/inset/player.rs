//! A video whose pictures are decoded and fitted ahead of time, on a thread of its own.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::deck::{Deck, nothing};
use super::fit::Fitter;
use super::{Fed, InsetPicture, InsetSpec, PictureFeed};
use crate::error::{Error, ErrorKind, Result};
use crate::lock::lock;
use crate::media::Frame;
use crate::media::mp4::{Playback, Played, VideoFile};
use crate::time::MediaTime;

/// Pictures that are ready before they are needed.
const AHEAD: usize = 6;
/// The first pictures of each play are kept, so that a video that comes on again is there at once.
const HEAD: usize = AHEAD;
/// So many frames in a row without the right picture are reported.
const REPORT_LATE: u32 = 30;

/// The feed of one layer.
pub(super) struct Player {
    file: Arc<VideoFile>,
    how: Playback,
    shared: Arc<Shared>,
    /// What is shown; it stays while the next one is late.
    shown: Option<InsetPicture>,
    late: u32,
    trouble: Option<Error>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The picture that was asked for last.
    goal: Played,
    /// In order. The first one is shown now or soon.
    ready: VecDeque<(Played, InsetPicture)>,
    /// The first pictures.
    head: Vec<(usize, InsetPicture)>,
    /// The last one that ever comes.
    last: Option<Played>,
    trouble: Option<Error>,
    /// Nothing comes any more.
    failed: bool,
    stopped: bool,
}

impl Player {
    /// Starts the thread.
    ///
    /// # Errors
    /// No decoder, or no thread.
    pub(super) fn start(file: Arc<VideoFile>, how: Playback, spec: InsetSpec) -> Result<Self> {
        let deck = Deck::new(file.clone())?;
        let shared = Arc::new(Shared::default());
        let worker = Worker {
            first: file.first_picture(how),
            how,
            deck,
            fitter: Fitter::new(spec),
            shared: shared.clone(),
            round: 0,
            made: None,
            begun: false,
            before: None,
        };
        std::thread::Builder::new()
            .name("video".into())
            .spawn(move || worker.run())
            .map_err(|e| Error::io("start a video", &e))?;
        Ok(Self { file, how, shared, shown: None, late: 0, trouble: None })
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        lock(&self.shared.state).stopped = true;
        self.shared.changed.notify_all();
    }
}

impl PictureFeed for Player {
    fn expect(&mut self) {}

    fn picture_at(&mut self, elapsed: MediaTime) -> Fed {
        let goal = self.file.played(elapsed, self.how);
        let mut s = lock(&self.shared.state);
        if s.goal != goal {
            s.goal = goal;
            self.shared.changed.notify_all();
        }
        while s.ready.get(1).is_some_and(|(p, _)| *p <= goal) {
            s.ready.pop_front();
        }
        let front = s.ready.front().filter(|(p, _)| *p <= goal);
        let head = s.head.iter().find(|(n, _)| *n == goal.picture);
        // One that is missing in the file is not late: a later one is there, or none will come.
        let passed = s.ready.get(1).is_some() || s.last.is_some_and(|l| front.is_some_and(|(p, _)| *p == l));
        let (new, late) = match (front, head) {
            (Some((p, picture)), _) if *p == goal || passed => (Some(picture), false),
            (_, Some((_, picture))) => (Some(picture), false),
            (front, None) => (front.map(|(_, picture)| picture), !s.failed),
        };
        if let Some(new) = new {
            self.shown = Some(new.clone());
        }
        self.trouble = s.trouble.take().or_else(|| self.trouble.take());
        drop(s);
        self.late = if late { self.late.saturating_add(1) } else { 0 };
        if self.late == REPORT_LATE {
            let what = "a video is not decoded in time: its last picture stays";
            let next = "give a clip with fewer pixels or pictures a second, or a faster machine";
            self.trouble = Some(Error::new(ErrorKind::Codec, what).next(next).transient(true));
        }
        Fed { picture: self.shown.clone(), late }
    }

    fn trouble(&mut self) -> Option<Error> {
        self.trouble.take()
    }
}

struct Worker {
    first: usize,
    how: Playback,
    deck: Deck,
    fitter: Fitter,
    shared: Arc<Shared>,
    /// The play that is being decoded.
    round: u64,
    /// The last picture that was decoded.
    made: Option<Played>,
    begun: bool,
    /// One that is too early, unless no other comes in time.
    before: Option<(Played, Frame)>,
}

enum Step {
    Stop,
    Seek(Played),
    Decode,
}

impl Worker {
    fn run(mut self) {
        loop {
            let done = match self.next_step() {
                Step::Stop => return,
                Step::Seek(to) => self.seek(to),
                Step::Decode => self.decode(),
            };
            if let Err(e) = done {
                let mut s = lock(&self.shared.state);
                s.trouble = Some(e);
                s.failed = true;
                return;
            }
        }
    }

    /// Waits until there is something to do.
    fn next_step(&mut self) -> Step {
        let mut s = lock(&self.shared.state);
        loop {
            if s.stopped {
                return Step::Stop;
            }
            let goal = s.goal;
            if !self.begun {
                return Step::Seek(goal);
            }
            let earliest = s.ready.front().map(|(p, _)| *p).or(self.made);
            // What is kept of the beginning need not be decoded again to be shown, but what follows it must be.
            let back = earliest.is_some_and(|e| goal < e);
            let on = self.made.is_none_or(|m| goal > m)
                && (goal.round > self.round.saturating_add(u64::from(self.deck.is_over()))
                    || (goal.round == self.round && self.deck.jumps(goal.picture)));
            // After the last one there is nothing to look for.
            let over = s.last.is_some_and(|l| goal >= l) && !s.ready.is_empty();
            if (back || on) && !over {
                s.ready.clear();
                s.last = None;
                return Step::Seek(goal);
            }
            if s.ready.len() <= AHEAD && s.last.is_none() {
                return Step::Decode;
            }
            s = self.shared.changed.wait(s).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn seek(&mut self, to: Played) -> Result<()> {
        self.begun = true;
        self.round = to.round;
        self.made = None;
        self.before = None;
        self.deck.seek(to.picture)
    }

    fn decode(&mut self) -> Result<()> {
        let Some((picture, frame)) = self.deck.next()? else { return self.over() };
        if let Some(e) = self.deck.damage() {
            lock(&self.shared.state).trouble = Some(e);
        }
        if picture < self.first {
            return Ok(());
        }
        let played = Played { round: self.round, picture };
        self.made = Some(played);
        let goal = lock(&self.shared.state).goal;
        if played < goal {
            // it is kept if the one that is asked for is missing in the file
            self.before = Some((played, frame));
            return Ok(());
        }
        if played > goal
            && let Some((p, frame)) = self.before.take()
            && lock(&self.shared.state).ready.is_empty()
        {
            let fitted = self.fitter.fit(&frame)?;
            self.give(p, fitted);
        }
        self.before = None;
        let fitted = self.fitter.fit(&frame)?;
        self.give(played, fitted);
        Ok(())
    }

    fn give(&self, played: Played, picture: InsetPicture) {
        let mut s = lock(&self.shared.state);
        let place = played.picture.saturating_sub(self.first);
        if place < HEAD && s.head.iter().all(|(n, _)| *n != played.picture) {
            s.head.push((played.picture, picture.clone()));
        }
        s.ready.push_back((played, picture));
    }

    /// The file is at its end: from the beginning, or all is done.
    fn over(&mut self) -> Result<()> {
        if let Some((p, frame)) = self.before.take()
            && lock(&self.shared.state).ready.is_empty()
        {
            let fitted = self.fitter.fit(&frame)?;
            self.give(p, fitted);
        }
        let Some(made) = self.made.filter(|m| m.round == self.round) else {
            // Started late in a damaged file: from the beginning there may be some.
            return if self.round == 0 { Err(self.deck.damage().unwrap_or_else(nothing)) } else { self.again() };
        };
        if self.how.plays > 0 && self.round + 1 >= u64::from(self.how.plays) {
            lock(&self.shared.state).last = Some(made);
            return Ok(());
        }
        self.again()
    }

    fn again(&mut self) -> Result<()> {
        if self.made.is_none() {
            return Err(self.deck.damage().unwrap_or_else(nothing));
        }
        self.round += 1;
        self.deck.seek(self.first)
    }
}
