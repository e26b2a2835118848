//! The worker thread: one tick per output frame. Beside it stands what it does with overlays (`overlays.rs`).

mod overlays;

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;

use super::audio::{AudioFrom, AudioTrack, fits};
use super::compose::Compositor;
pub(crate) use super::compose::OverlaySlot;
use super::status::{ProgramCounters, ProgramStatus};
use crate::config::Fit;
use crate::diagnose::Diagnostic;
use crate::error::{Error, Result};
use crate::feed::{Feed, Head};
use crate::lock::lock;
use crate::media::{Bitrate, Frame, Packet};
use crate::meter::Meter;
use crate::ports::{
    AudioDecoder, AudioEncoder, Canvas, Clock, Overlay, OverlayAction, OverlayEvent, Tick, VideoEncoder,
};
use crate::time::MediaTime;
use crate::timeline::{CameraState, Command, Decision, Director, Effect, JournalEntry, PlannedAct, View};

/// A tick that begins later than this is not made up for: the frames in between are left out.
const GIVE_UP: MediaTime = MediaTime::from_millis(500);
/// After a gap longer than this (a suspended machine) sound is not made up for either.
const LONG_GAP: MediaTime = MediaTime::from_secs(10);
/// So long before the plan shows an overlay, it is told.
const EXPECT: MediaTime = MediaTime::SECOND;
/// How often an overload is reported at most, in frames.
const REPORT_EVERY: u64 = 150;

/// Something for the worker to do between two frames.
pub(crate) enum Control {
    /// For the director.
    Director(Command),
    /// Changes of overlays, by index: all of them on the next frame, or none.
    Overlays(Vec<(usize, OverlayAction)>),
    /// Something that overlays may wait for.
    Event(OverlayEvent),
    /// Another overlay, prepared, for the one with this index; the old one is given back.
    Replace(usize, Box<dyn Overlay>, oneshot::Sender<Box<dyn Overlay>>),
    /// A new video bitrate.
    Bitrate(Bitrate),
    /// Packets go there too from the next keyframe on.
    AddSink(Sink),
    /// Packets do not go there any more.
    RemoveSink(String),
    /// The next frame is a keyframe.
    Keyframe,
    /// End after the frame that is being made.
    Stop,
}

/// One receiver of the program's packets. Its `push` must not block.
pub(crate) struct Sink {
    /// Id, for removal.
    pub(crate) id: String,
    /// Takes a packet; shares its bytes.
    pub(crate) push: Box<dyn Fn(&Packet) + Send>,
}

/// What the worker reports; called on the worker thread, so it must not block.
#[derive(Debug)]
pub(crate) enum Report {
    OnAir(JournalEntry),
    Overload {
        skipped: u64,
    },
    OverlayFailed {
        overlay: String,
        error: Error,
    },
    /// What overlays told, with their ids.
    OverlayNote {
        overlay: String,
        note: Diagnostic,
    },
    EncoderFailed(Error),
    Ended,
}

/// What a worker is made of.
pub(crate) struct WorkerParts {
    pub(crate) canvas: Canvas,
    pub(crate) delay: MediaTime,
    pub(crate) start_grace: MediaTime,
    pub(crate) feeds: Vec<(Arc<Feed>, Fit)>,
    /// By camera; `None` for one that is not moved.
    pub(crate) heads: Vec<Option<Arc<Head>>>,
    /// The cameras' ids.
    pub(crate) cameras: Vec<String>,
    /// The names of each camera's presets.
    pub(crate) presets: Vec<Vec<String>>,
    pub(crate) director: Director,
    pub(crate) overlays: Vec<OverlaySlot>,
    pub(crate) slate: Frame,
    pub(crate) audio_from: AudioFrom,
    pub(crate) gop_frames: u32,
    pub(crate) encoder: Box<dyn VideoEncoder>,
    pub(crate) remake_encoder: Box<dyn Fn() -> Result<Box<dyn VideoEncoder>> + Send>,
    pub(crate) sinks: Vec<Sink>,
    pub(crate) controls: Receiver<Control>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) report: Box<dyn Fn(Report) + Send>,
}

/// What others may read of the program at any time.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    status: Mutex<Option<ProgramStatus>>,
    picture: Mutex<Option<Frame>>,
    /// What overlays told, by their ids.
    notes: Mutex<BTreeMap<String, VecDeque<Diagnostic>>>,
}

/// Events that are kept for overlays that come later.
const MAX_STANDING: usize = 256;
/// Notes of one overlay that are kept.
const MAX_NOTES: usize = 16;

impl Shared {
    pub(crate) fn status(&self) -> Option<ProgramStatus> {
        lock(&self.status).clone()
    }
    /// What an overlay told lately, the oldest first.
    pub(crate) fn notes(&self, overlay: &str) -> Vec<Diagnostic> {
        lock(&self.notes).get(overlay).map(|list| list.iter().cloned().collect()).unwrap_or_default()
    }
    fn forget(&self, overlay: &str) {
        lock(&self.notes).remove(overlay);
    }
    fn note(&self, overlay: &str, note: &Diagnostic) {
        let mut notes = lock(&self.notes);
        let list = notes.entry(overlay.to_owned()).or_default();
        if list.len() >= MAX_NOTES {
            list.pop_front();
        }
        list.push_back(note.clone());
    }
    pub(crate) fn picture(&self) -> Option<Frame> {
        lock(&self.picture).clone()
    }
}

/// The program.
pub(crate) struct Worker {
    p: WorkerParts,
    compositor: Compositor,
    audio: AudioTrack,
    order: Vec<usize>,
    /// Cameras that stand at presets, and the presets' names.
    standing: Vec<(usize, String)>,
    states: Vec<CameraState>,
    leads: Vec<u32>,
    effects: Vec<Effect>,
    last_picture: Frame,
    last_number: Option<(usize, u64)>,
    counters: ProgramCounters,
    meter: Meter,
    tick_time: MediaTime,
    force_idr: bool,
    last_key: u64,
    bitrate: Option<Bitrate>,
    reported_encoder: Option<u64>,
    reported_overload: Option<u64>,
    ended: bool,
    /// What overlays were told and still holds.
    told: Vec<OverlayEvent>,
}

impl Worker {
    /// With a decoder for the program's sound, overlays are heard.
    pub(crate) fn new(
        p: WorkerParts,
        audio: Box<dyn AudioEncoder>,
        decoder: Option<Box<dyn AudioDecoder>>,
    ) -> Result<Self> {
        let mut order: Vec<usize> = (0..p.overlays.len()).collect();
        order.sort_by_key(|i| p.overlays[*i].layer);
        let cameras = p.feeds.len();
        Ok(Self {
            compositor: Compositor::new(p.canvas)?,
            audio: AudioTrack::new(audio, decoder)?,
            order,
            standing: Vec::new(),
            states: vec![CameraState::default(); cameras],
            leads: vec![0; cameras],
            effects: Vec::with_capacity(16),
            last_picture: p.slate.clone(),
            last_number: None,
            counters: ProgramCounters::default(),
            meter: Meter::default(),
            tick_time: MediaTime::ZERO,
            force_idr: false,
            last_key: 0,
            bitrate: None,
            reported_encoder: None,
            reported_overload: None,
            ended: false,
            told: Vec::new(),
            p,
        })
    }

    /// Runs until told to stop or until the show is over.
    pub(crate) fn run(mut self) {
        if !self.preroll() {
            return;
        }
        let fps = self.p.canvas.fps;
        let start = self.p.clock.now();
        let mut n = 0u64;
        loop {
            let mut due = start + fps.time_of(n);
            self.p.clock.sleep_until(due);
            if !self.take_controls(n) {
                break;
            }
            let late = self.p.clock.now() - due;
            if late > GIVE_UP {
                let now_at = fps.frame_at(self.p.clock.now() - start);
                // The show has its last frame, however late.
                let now_at = self.p.director.last_frame().map_or(now_at, |last| now_at.min(last.max(n)));
                self.overloaded(n, now_at - n);
                if late > LONG_GAP {
                    self.audio.skip_to(fps.time_of(now_at));
                }
                n = now_at;
                due = start + fps.time_of(n);
            } else if late.nanos() > fps.frame_duration().nanos() / 2 {
                self.counters.late += 1;
            }
            self.tick(n, start, due);
            if self.ended {
                break;
            }
            n += 1;
        }
        (self.p.report)(Report::Ended);
    }

    /// Waits a moment for the first camera, so that a show does not open with the slate. False = stopped meanwhile.
    fn preroll(&mut self) -> bool {
        let until = self.p.clock.now() + self.p.start_grace;
        loop {
            let now = self.p.clock.now();
            if !self.take_controls(0) {
                return false;
            }
            self.look(now - self.p.delay);
            let first = self.p.director.first_camera();
            self.expect(0);
            for (i, (feed, _)) in self.p.feeds.iter().enumerate() {
                feed.want(first == Some(i) || feed.is_expected());
            }
            self.effects.clear();
            let effects = &mut self.effects;
            let settled = self.p.director.prepare(&self.states, &mut |e| effects.push(e));
            self.take_effects(0);
            if now >= until || (settled && first.is_none_or(|i| self.states[i].ready)) {
                return true;
            }
            self.p.clock.sleep_until((now + MediaTime::from_millis(20)).min(until));
        }
    }

    /// False when told to stop.
    fn take_controls(&mut self, frame: u64) -> bool {
        loop {
            match self.p.controls.try_recv() {
                Ok(Control::Director(c)) => self.p.director.command(c),
                Ok(Control::Overlays(list)) => self.commit(frame, list),
                Ok(Control::Event(event)) => self.tell(frame, &event),
                Ok(Control::Replace(i, overlay, old)) => self.replace(frame, i, overlay, old),
                Ok(Control::Bitrate(b)) => {
                    self.bitrate = Some(b);
                    if let Err(e) = self.p.encoder.set_bitrate(b) {
                        (self.p.report)(Report::EncoderFailed(e));
                    }
                }
                Ok(Control::AddSink(s)) => {
                    self.p.sinks.push(s);
                    // A new output should not wait for a whole GOP.
                    self.force_idr = true;
                }
                Ok(Control::RemoveSink(id)) => self.p.sinks.retain(|s| s.id != id),
                Ok(Control::Keyframe) => self.force_idr = true,
                Ok(Control::Stop) | Err(TryRecvError::Disconnected) => return false,
                Err(TryRecvError::Empty) => return true,
            }
        }
    }

    fn at(&self, frame: u64) -> Tick {
        Tick { frame, wall: self.p.clock.wall() }
    }

    /// A picture that is late or early by less than this is on time: just under half a frame, see `Slot::pick`.
    fn slack(&self) -> MediaTime {
        MediaTime::from_nanos(self.p.canvas.fps.frame_duration().nanos() * 45 / 100)
    }

    fn look(&mut self, target: MediaTime) {
        let slack = self.slack();
        for (i, (feed, _)) in self.p.feeds.iter().enumerate() {
            let head = self.p.heads.get(i).and_then(Option::as_ref).map(|h| h.state(target));
            self.states[i] = CameraState { lead: self.leads[i], head, ..feed.state(target) };
            feed.set_present(target, slack);
        }
    }

    fn tick(&mut self, n: u64, start: MediaTime, due: MediaTime) {
        let begun = self.p.clock.now();
        let fps = self.p.canvas.fps;
        if n.is_multiple_of(30) {
            for (i, (feed, _)) in self.p.feeds.iter().enumerate() {
                self.leads[i] = crate::ports::frames_in(feed.lead_time(), fps);
            }
        }
        let target = due - self.p.delay;
        self.look(target);
        self.effects.clear();
        let effects = &mut self.effects;
        let decision = self.p.director.tick(n, &self.states, &mut |e| effects.push(e));
        self.expect(n);
        for (i, (feed, _)) in self.p.feeds.iter().enumerate() {
            feed.want(self.p.director.wanted()[i] || feed.is_expected());
        }
        if n == 0 {
            self.tell(n, &OverlayEvent::milestone("start"));
        }
        self.take_effects(n);

        let (base, fit) = match decision {
            // Viewers are spared the motion.
            Decision { frozen: true, view: View::Camera(i), .. } => (self.held_base(), self.p.feeds[i].1),
            Decision { view, held, .. } => self.base(view, held, target),
        };
        let at = self.at(n);
        self.attend(at);
        let report = &self.p.report;
        let composed = self.compositor.compose(at, &base, fit, &mut self.p.overlays, &self.order, |overlay, error| {
            report(Report::OverlayFailed { overlay: overlay.to_owned(), error });
        });
        match composed {
            Ok(f) => self.last_picture = f,
            Err(e) => tracing::error!("compose: {e}"),
        }
        *lock(&self.p.shared.picture) = Some(self.last_picture.clone());
        self.encode(n);
        self.sound(n, start, decision.view);
        self.publish(n, begun);
    }

    fn take_effects(&mut self, n: u64) {
        for k in 0..self.effects.len() {
            match self.effects[k] {
                Effect::Move { camera, preset, order } => {
                    if let Some(head) = self.p.heads.get(camera).and_then(Option::as_ref) {
                        head.order(order, preset);
                    }
                }
                Effect::OnAir(j) => {
                    self.counters.cuts += u64::from(n > 0);
                    self.counters.moving_shots += u64::from(j.moving);
                    (self.p.report)(Report::OnAir(j));
                    if let View::Camera(i) = j.view
                        && let Some(camera) = self.p.cameras.get(i)
                    {
                        self.tell(n, &OverlayEvent::milestone(format!("on-air:{camera}")));
                    }
                }
                Effect::AtPreset { camera, preset, there } => self.tell_preset(n, camera, preset, there),
                Effect::Overlay { overlay, on } => {
                    self.apply(n, overlay, if on { &OverlayAction::Show } else { &OverlayAction::Hide });
                }
                Effect::Act(i) => match self.p.director.schedule().acts().get(i).cloned() {
                    Some(PlannedAct::Overlays(list)) => self.commit(n, list),
                    Some(PlannedAct::Event(event)) => self.tell(n, &event),
                    None => {}
                },
                Effect::End => self.ended = true,
            }
        }
    }

    /// The picture under the overlays.
    fn base(&mut self, view: View, held: bool, target: MediaTime) -> (Frame, Fit) {
        let View::Camera(i) = view else {
            self.counters.slate += 1;
            return (self.p.slate.clone(), Fit::Letterbox);
        };
        let slack = self.slack();
        let (feed, fit) = &self.p.feeds[i];
        match feed.pick(target, slack) {
            Some(p) => {
                if self.last_number == Some((i, p.number)) {
                    self.counters.repeated += 1;
                } else if self.last_number.is_some_and(|(c, _)| c == i) {
                    self.counters.passed_over += p.skipped;
                }
                self.counters.held += u64::from(held);
                self.last_number = Some((i, p.number));
                (p.frame, *fit)
            }
            // The decoder was restarted while its camera is on air.
            None => {
                self.counters.held += 1;
                (self.held_base(), *fit)
            }
        }
    }

    /// The last base picture, without overlays, or the slate when there was none.
    fn held_base(&self) -> Frame {
        self.compositor.last_base().unwrap_or_else(|| self.p.slate.clone())
    }

    fn encode(&mut self, n: u64) {
        // Frames that were left out count too: a GOP must not become longer in time.
        let due = n >= self.last_key.saturating_add(u64::from(self.p.gop_frames));
        let forced = std::mem::take(&mut self.force_idr) || due;
        let result = self.p.encoder.encode(&self.last_picture, forced).or_else(|e| {
            // Replaced on the spot; its first picture is an IDR, so no output has to end.
            if self.reported_encoder.is_none_or(|r| n >= r + REPORT_EVERY) {
                self.reported_encoder = Some(n);
                (self.p.report)(Report::EncoderFailed(e));
            }
            self.p.encoder = (self.p.remake_encoder)()?;
            if let Some(b) = self.bitrate {
                self.p.encoder.set_bitrate(b)?;
            }
            self.p.encoder.encode(&self.last_picture, true)
        });
        match result {
            Ok(mut packet) => {
                let fps = self.p.canvas.fps;
                packet.pts = fps.time_of(n);
                packet.dts = packet.pts;
                packet.duration = fps.time_of(n + 1) - packet.pts;
                self.counters.video_bytes += packet.data.len() as u64;
                if packet.keyframe {
                    self.counters.keyframes += 1;
                    self.last_key = n;
                }
                self.meter.add(packet.pts, packet.data.len());
                self.p.sinks.iter().for_each(|s| (s.push)(&packet));
            }
            Err(e) => tracing::error!("no encoder works: {e}"),
        }
        self.counters.frames += 1;
    }

    fn sound(&mut self, n: u64, start: MediaTime, view: View) {
        let wished = match self.p.audio_from {
            AudioFrom::Silence => None,
            AudioFrom::Camera(i) => Some(i),
            AudioFrom::Program => match view {
                View::Camera(i) => Some(i),
                View::Slate => None,
            },
        };
        let feeds = &self.p.feeds;
        let camera = wished.filter(|i| feeds.get(*i).and_then(|(f, _)| f.audio_params()).is_some_and(|a| fits(&a)));
        let (delay, slack) = (self.p.delay, self.audio.slack());
        let at = self.at(n);
        let (sinks, overlays) = (&self.p.sinks, &mut self.p.overlays);
        let mut sounding = |first: u64, mix: &mut [f32]| {
            overlays.iter_mut().fold(false, |any, o| o.guarded(|x| Ok(x.sound(at, first, mix))).unwrap_or(false) | any)
        };
        self.audio.until(
            self.p.canvas.fps.time_of(n + 1),
            camera,
            |c, last, t| feeds[c].0.pick_audio(last, start + t - delay, slack),
            &mut sounding,
            |p| sinks.iter().for_each(|s| (s.push)(&p)),
        );
    }

    fn publish(&mut self, n: u64, begun: MediaTime) {
        let took = (self.p.clock.now() - begun).nanos();
        let mean = self.tick_time.nanos();
        self.tick_time = MediaTime::from_nanos(mean + (took - mean) / 32);
        let now = self.p.canvas.fps.time_of(n);
        let (fps, video_bps) = (self.meter.per_second(now), self.meter.bps(now));
        *lock(&self.p.shared.status) = Some(ProgramStatus {
            frame: n,
            view: Some(self.p.director.view()),
            fps,
            video_bps,
            tick_ms: self.tick_time.as_secs_f64() * 1000.0,
            counters: self.counters,
        });
    }

    fn overloaded(&mut self, n: u64, skipped: u64) {
        self.counters.skipped += skipped;
        if self.reported_overload.is_none_or(|r| n >= r + REPORT_EVERY) {
            self.reported_overload = Some(n);
            (self.p.report)(Report::Overload { skipped });
        }
    }
}
