//! A video's sound decoded ahead of time, on a thread of its own.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::SoundFeed;
use super::tape::Tape;
use crate::error::{Error, ErrorKind, Result};
use crate::lock::lock;
use crate::media::mp4::{Playback, VideoFile};

/// Samples that are made at once.
const BLOCK: usize = 1024;
/// Blocks that are ready before they are needed: half a second.
const AHEAD: usize = 24;
/// Blocks from the beginning that are kept, so that a video that comes on again is heard at once.
const HEAD: usize = 6;
/// So many questions in a row without an answer are reported: about a second.
const REPORT_LATE: u32 = 50;

/// The feed of one layer.
pub(super) struct Listener {
    shared: Arc<Shared>,
    ends: Option<i64>,
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
    /// What is missing, or will be asked for next.
    goal: i64,
    /// One behind the other, each with its first position.
    ready: VecDeque<(i64, Vec<f32>)>,
    /// Used ones, for their memory.
    spare: Vec<Vec<f32>>,
    /// From position 0 on.
    head: Vec<f32>,
    trouble: Option<Error>,
    stopped: bool,
}

impl State {
    /// Copies what there is from a position on; gives how many samples that is.
    fn copy(&self, position: i64, out: &mut [f32]) -> usize {
        let mut done = 0;
        while done < out.len() / 2 {
            let at = position.saturating_add(done as i64);
            let block = self.ready.iter().find(|(b, s)| *b <= at && at < b + (s.len() / 2) as i64);
            let from = match block {
                Some((begin, samples)) => samples.get(2 * (at - begin) as usize..),
                None => usize::try_from(at).ok().and_then(|at| self.head.get(at.checked_mul(2)?..)),
            };
            let Some(from) = from.filter(|f| !f.is_empty()) else { break };
            let to = out.get_mut(2 * done..).unwrap_or_default();
            let n = from.len().min(to.len());
            to.iter_mut().zip(from).for_each(|(t, f)| *t = *f);
            done += n / 2;
        }
        done
    }
}

impl Listener {
    /// Starts the thread.
    ///
    /// # Errors
    /// No sound, no decoder, or no thread.
    pub(super) fn start(file: Arc<VideoFile>, how: Playback) -> Result<Self> {
        let tape = Tape::new(file, how)?;
        let ends = tape.ends();
        let shared = Arc::new(Shared::default());
        let worker = shared.clone();
        std::thread::Builder::new()
            .name("sound".into())
            .spawn(move || run(tape, &worker))
            .map_err(|e| Error::io("start the sound of a video", &e))?;
        Ok(Self { shared, ends, late: 0, trouble: None })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        lock(&self.shared.state).stopped = true;
        self.shared.changed.notify_all();
    }
}

impl SoundFeed for Listener {
    fn sound_at(&mut self, position: i64, out: &mut [f32]) -> usize {
        let count = out.len() / 2;
        let mut s = lock(&self.shared.state);
        while s.ready.front().is_some_and(|(b, block)| b + (block.len() / 2) as i64 <= position)
            && let Some((_, used)) = s.ready.pop_front()
        {
            s.spare.push(used);
        }
        let done = s.copy(position, out);
        s.goal = position.saturating_add(done as i64);
        self.trouble = s.trouble.take().or_else(|| self.trouble.take());
        drop(s);
        self.shared.changed.notify_all();
        self.late = if done < count { self.late.saturating_add(1) } else { 0 };
        if self.late == REPORT_LATE {
            let what = "the sound of a video is not decoded in time: it is silent";
            self.trouble = Some(Error::new(ErrorKind::Codec, what).next("use a faster machine").transient(true));
        }
        done
    }
    fn ends(&self) -> Option<i64> {
        self.ends
    }
    fn trouble(&mut self) -> Option<Error> {
        self.trouble.take()
    }
}

fn run(mut tape: Tape, shared: &Shared) {
    // where the next block begins
    let mut made = 0i64;
    let mut kept = 0usize;
    loop {
        let mut block = {
            let mut s = lock(&shared.state);
            loop {
                if s.stopped {
                    return;
                }
                let first = s.ready.front().map_or(made, |(b, _)| *b);
                if s.goal < first || s.goal > made {
                    while let Some((_, used)) = s.ready.pop_front() {
                        s.spare.push(used);
                    }
                    made = s.goal;
                }
                if s.ready.len() < AHEAD {
                    break s.spare.pop().unwrap_or_default();
                }
                s = shared.changed.wait(s).unwrap_or_else(PoisonError::into_inner);
            }
        };
        block.resize(2 * BLOCK, 0.0);
        tape.read(made, &mut block);
        let mut s = lock(&shared.state);
        s.trouble = s.trouble.take().or_else(|| tape.take_trouble());
        if kept < HEAD && made == (kept * BLOCK) as i64 {
            s.head.extend_from_slice(&block);
            kept += 1;
        }
        s.ready.push_back((made, block));
        made = made.saturating_add(BLOCK as i64);
    }
}
