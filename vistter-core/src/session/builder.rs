//! Puts a session together.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use tokio::sync::{broadcast, mpsc, watch};

use super::event::{SessionEvent, ViewName};
use super::handle::{Names, Session};
use super::parts::audio_decoder;
use crate::NullOverlay;
use crate::clock::SystemClock;
use crate::config::{AudioConfig, EffortConfig, Fit, ProgramConfig, TimelineConfig};
use crate::error::{Error, ErrorKind, Result};
use crate::feed::{DecoderFactory, Feed, FeedEvent, FeedPolicy, FeedSink, Head, HeadParts, HeadSink};
use crate::health::{HealthEvent, HealthSink, HealthState};
use crate::inset::LiveCameras;
use crate::media::{Bitrate, Frame, FramePool, StreamParams};
use crate::output::{OutputEvent, OutputHandle, OutputPolicy, supervise};
use crate::ports::{
    AudioEncoder, Canvas, Clock, Effort, EncoderBackend, EncoderConfig, Output, Overlay, OverlayAction, PtzControl,
    PtzView, Source, Tick, VideoEncoder,
};
use crate::program::{AudioFrom, OverlaySlot, Report, Shared, Sink, Worker, WorkerParts, slate_picture};
use crate::time::MediaTime;
use crate::timeline::{Director, Rules, Schedule};

/// Controls that may wait for the worker's next frame.
const CONTROLS: usize = 64;
/// Events kept for a subscriber that is behind; older ones are lost to it (and it is told so).
const EVENTS: usize = 256;

/// Everything a session is made of. Defaults: 1080p30 at 4.5 Mbit/s, silence, the first camera on for ever, system clock,
/// software codecs (with the feature `codecs`).
pub struct SessionBuilder {
    program: ProgramConfig,
    audio: AudioConfig,
    timeline: TimelineConfig,
    cameras: Vec<Camera>,
    live: LiveCameras,
    overlays: Vec<OverlaySlot>,
    slate: Option<Box<dyn Overlay>>,
    outputs: Vec<(String, Box<dyn Output>, OutputPolicy)>,
    troubles: Vec<(String, String)>,
    encoders: Vec<Arc<dyn EncoderBackend>>,
    decoders: Option<DecoderFactory>,
    audio_encoder: Option<Box<dyn AudioEncoder>>,
    clock: Arc<dyn Clock>,
    feed_policy: FeedPolicy,
    start_grace: MediaTime,
}

struct Camera {
    id: String,
    source: Box<dyn Source>,
    fit: Fit,
    ptz: Option<Moved>,
}

/// How a camera is moved.
struct Moved {
    control: Arc<dyn PtzControl>,
    presets: Vec<PtzView>,
    lag: MediaTime,
}

impl std::fmt::Debug for SessionBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SessionBuilder({} cameras, {} outputs)", self.cameras.len(), self.outputs.len())
    }
}

impl Default for SessionBuilder {
    fn default() -> Self {
        Self {
            program: ProgramConfig::default(),
            audio: AudioConfig::default(),
            timeline: TimelineConfig::default(),
            cameras: Vec::new(),
            live: LiveCameras::default(),
            overlays: Vec::new(),
            slate: None,
            outputs: Vec::new(),
            troubles: Vec::new(),
            encoders: Vec::new(),
            decoders: None,
            audio_encoder: None,
            clock: SystemClock::shared(),
            feed_policy: FeedPolicy::default(),
            start_grace: MediaTime::from_secs(5),
        }
    }
}

impl SessionBuilder {
    /// Size, rate and bitrate of the program.
    #[must_use]
    pub fn program(mut self, p: ProgramConfig) -> Self {
        self.program = p;
        self
    }
    /// Where the sound comes from.
    #[must_use]
    pub fn audio(mut self, a: AudioConfig) -> Self {
        self.audio = a;
        self
    }
    /// What is on air when.
    #[must_use]
    pub fn timeline(mut self, t: TimelineConfig) -> Self {
        self.timeline = t;
        self
    }
    /// Adds a camera, letterboxed.
    #[must_use]
    pub fn camera(self, id: impl Into<String>, source: Box<dyn Source>) -> Self {
        self.camera_fit(id, source, Fit::Letterbox)
    }
    /// Adds a camera.
    #[must_use]
    pub fn camera_fit(mut self, id: impl Into<String>, source: Box<dyn Source>, fit: Fit) -> Self {
        self.cameras.push(Camera { id: id.into(), source, fit, ptz: None });
        self
    }
    /// Has the camera that was added last moved by the show: what moves it, the views that shots name, and how much later
    /// than its motion its picture comes.
    #[must_use]
    pub fn ptz(mut self, control: Arc<dyn PtzControl>, presets: Vec<PtzView>, picture_lag: Duration) -> Self {
        if let Some(c) = self.cameras.last_mut() {
            c.ptz = Some(Moved { control, presets, lag: picture_lag.into() });
        }
        self
    }
    /// The cameras of the session that this becomes, for overlays that show them.
    pub fn live_cameras(&self) -> LiveCameras {
        self.live.clone()
    }
    /// Adds an overlay; a higher layer covers a lower one. Without a cue in the timeline it is hidden until commanded.
    #[must_use]
    pub fn overlay(mut self, layer: i32, overlay: Box<dyn Overlay>) -> Self {
        self.overlays.push(OverlaySlot::new(layer, overlay));
        self
    }
    /// Keeps the place of an overlay that could not be loaded, and reports why.
    #[must_use]
    pub fn missing_overlay(mut self, id: &str, layer: i32, error: &Error) -> Self {
        self.overlays.push(OverlaySlot::new(layer, Box::new(NullOverlay::named(id))));
        self.trouble(format!("overlay {id}"), error)
    }
    /// Notes a part that could not be set up; it is reported when the session starts, and the rest goes on.
    #[must_use]
    pub fn trouble(mut self, part: impl Into<String>, error: &Error) -> Self {
        self.troubles.push((part.into(), error.to_string()));
        self
    }
    /// Draws over the slate's test picture, once (a message).
    #[must_use]
    pub fn slate(mut self, overlay: Box<dyn Overlay>) -> Self {
        self.slate = Some(overlay);
        self
    }
    /// Adds a live destination.
    #[must_use]
    pub fn output(self, id: impl Into<String>, output: Box<dyn Output>) -> Self {
        self.output_with(id, output, OutputPolicy::live())
    }
    /// Adds a recording: an output that must not lose the beginning.
    #[must_use]
    pub fn recording(self, id: impl Into<String>, output: Box<dyn Output>) -> Self {
        self.output_with(id, output, OutputPolicy::recording())
    }
    /// Adds an output with a policy of its own.
    #[must_use]
    pub fn output_with(mut self, id: impl Into<String>, output: Box<dyn Output>, policy: OutputPolicy) -> Self {
        self.outputs.push((id.into(), output, policy));
        self
    }
    /// Adds an encoder backend, asked in the order added. Without any: the software encoder.
    #[must_use]
    pub fn encoder(mut self, backend: Arc<dyn EncoderBackend>) -> Self {
        self.encoders.push(backend);
        self
    }
    /// How to make decoders.
    #[must_use]
    pub fn decoders(mut self, make: DecoderFactory) -> Self {
        self.decoders = Some(make);
        self
    }
    /// What makes the sound: silence, and what overlays are mixed into. It gives one packet for each it takes, and a player
    /// hears one packet later what it was fed with, as with AAC-LC.
    #[must_use]
    pub fn audio_encoder(mut self, e: Box<dyn AudioEncoder>) -> Self {
        self.audio_encoder = Some(e);
        self
    }
    /// The clock.
    #[must_use]
    pub fn clock(mut self, c: Arc<dyn Clock>) -> Self {
        self.clock = c;
        self
    }
    /// How camera connections behave.
    #[must_use]
    pub fn feed_policy(mut self, p: FeedPolicy) -> Self {
        self.feed_policy = p;
        self
    }
    /// How long the start waits for the first camera before it opens with the slate. Five seconds by default.
    #[must_use]
    pub fn start_grace(mut self, t: Duration) -> Self {
        self.start_grace = t.into();
        self
    }

    /// Starts everything. Needs a multi-thread tokio runtime. Cameras and outputs connect in the background: this
    /// fails only for what cannot work later either.
    ///
    /// # Errors
    /// `Config` for doubled ids, a timeline with unknown ids or an impossible program; `Codec` or `Unsupported` when no
    /// encoder works.
    pub async fn start(mut self) -> Result<Session> {
        self.check_ids()?;
        let canvas = self.canvas()?;
        let schedule = self.schedule(canvas)?;
        let (encoder, remake) = self.choose_encoder()?;
        let audio_encoder = self.take_audio_encoder()?;
        let audio_decoder = audio_decoder(audio_encoder.params())?;
        let decoders = self.take_decoders()?;
        let audio_from = self.audio_source()?;
        let slate = self.prepare_pictures(canvas).await?;

        let (events, _) = broadcast::channel(EVENTS);
        let (ended_tx, ended) = watch::channel(false);
        let names = Names {
            cameras: self.cameras.iter().map(|c| c.id.clone()).collect(),
            overlays: self.overlays.iter().map(|o| o.overlay.id().to_owned()).collect(),
            presets: self.presets().into_iter().map(|p| p.into_iter().map(str::to_owned).collect()).collect(),
        };

        let gop_frames = self.gop_frames();
        let feed_sink = feed_events(events.clone());
        let feed_policy =
            FeedPolicy { delay: MediaTime::from_millis(i64::from(self.program.delay_ms)), ..self.feed_policy };
        let operator_hold = canvas.fps.time_of(self.timeline.ptz.operator_hold.frames(canvas.fps));
        let head_sink = head_events(events.clone());
        let (mut feeds, mut heads) = (Vec::new(), Vec::new());
        for c in self.cameras {
            let id = c.id.clone();
            let feed =
                Feed::start(c.id, c.source, decoders.clone(), feed_policy, self.clock.clone(), feed_sink.clone())?;
            heads.push(c.ptz.map(|Moved { control, presets, lag }| {
                control.tell_health(health_events(id.clone(), events.clone()));
                control.look_through(feed.eye());
                let parts = HeadParts { control, presets, lag, operator_hold };
                Arc::new(Head::start(id, parts, self.clock.clone(), head_sink.clone()))
            }));
            feeds.push((Arc::new(feed), c.fit));
        }

        self.live.fill(names.cameras.iter().cloned().zip(feeds.iter().map(|(f, _)| f.clone())).collect());

        let params =
            StreamParams { video: Some(encoder.params().clone()), audio: Some(audio_encoder.params().clone()) };
        let (out_tx, out_rx) = mpsc::channel(EVENTS);
        tokio::spawn(forward_output_events(out_rx, events.clone()));
        let outputs: Vec<Arc<OutputHandle>> = self
            .outputs
            .into_iter()
            .map(|(id, o, policy)| {
                Arc::new(supervise(id, o, params.clone(), policy, self.clock.clone(), out_tx.clone()))
            })
            .collect();

        let (controls_tx, controls) = sync_channel(CONTROLS);
        let shared = Arc::new(Shared::default());
        let director = Director::new(schedule, feeds.len(), self.overlays.len(), Rules::at(canvas.fps));
        let encoder_name = encoder.name().to_owned();
        let worker = Worker::new(
            WorkerParts {
                canvas,
                delay: MediaTime::from_millis(i64::from(self.program.delay_ms)),
                start_grace: self.start_grace,
                feeds: feeds.clone(),
                heads: heads.clone(),
                cameras: names.cameras.clone(),
                presets: names.presets.clone(),
                director,
                overlays: self.overlays,
                slate,
                audio_from,
                gop_frames,
                encoder,
                remake_encoder: remake,
                sinks: outputs.iter().map(sink).collect(),
                controls,
                clock: self.clock.clone(),
                shared: shared.clone(),
                report: reports(events.clone(), names.clone(), ended_tx),
            },
            audio_encoder,
            audio_decoder,
        )?;
        let thread = std::thread::Builder::new()
            .name("program".into())
            .spawn(move || worker.run())
            .map_err(|e| Error::io("start the program worker", &e))?;

        for (part, error) in &self.troubles {
            tracing::warn!("{part}: {error}");
            let _ = events.send(SessionEvent::Trouble { part: part.clone(), error: error.clone() });
        }
        Ok(Session::new(
            names,
            feeds.into_iter().map(|(f, _)| f).collect(),
            heads,
            outputs,
            controls_tx,
            shared,
            events,
            ended,
            thread,
            params,
            out_tx,
            self.clock,
            encoder_name,
            self.troubles,
            canvas,
        ))
    }

    fn check_ids(&self) -> Result<()> {
        let lists: [(&str, Vec<&str>); 3] = [
            ("camera", self.cameras.iter().map(|c| c.id.as_str()).collect()),
            ("overlay", self.overlays.iter().map(|o| o.overlay.id()).collect()),
            ("output", self.outputs.iter().map(|(id, ..)| id.as_str()).collect()),
        ];
        for (what, ids) in lists {
            for (i, id) in ids.iter().enumerate() {
                if ids[..i].contains(id) {
                    return Err(Error::new(ErrorKind::Config, format!("two {what}s have the id \"{id}\""))
                        .next("give each its own id"));
                }
            }
        }
        Ok(())
    }

    fn canvas(&self) -> Result<Canvas> {
        let p = &self.program;
        let side = 16..=4096u32;
        if !side.contains(&p.width)
            || !side.contains(&p.height)
            || !p.width.is_multiple_of(2)
            || !p.height.is_multiple_of(2)
        {
            return Err(Error::new(ErrorKind::Config, format!("a program of {}x{} pixels", p.width, p.height))
                .next("use even sides from 16 to 4096, such as 1920x1080"));
        }
        Ok(Canvas { width: p.width, height: p.height, fps: p.fps })
    }

    fn schedule(&self, canvas: Canvas) -> Result<Schedule> {
        let cameras: Vec<&str> = self.cameras.iter().map(|c| c.id.as_str()).collect();
        let overlays: Vec<&str> = self.overlays.iter().map(|o| o.overlay.id()).collect();
        Schedule::plan_with_presets(&self.timeline, &cameras, &self.presets(), &overlays, canvas.fps).map_err(
            |faults| {
                let all: Vec<String> = faults.iter().map(ToString::to_string).collect();
                Error::new(ErrorKind::Config, all.join("; ")).at("timeline")
            },
        )
    }

    /// Names of each camera's presets.
    fn presets(&self) -> Vec<Vec<&str>> {
        fn names(m: &Moved) -> Vec<&str> {
            m.presets.iter().map(|p| p.name.as_str()).collect()
        }
        self.cameras.iter().map(|c| c.ptz.as_ref().map(names).unwrap_or_default()).collect()
    }

    #[allow(clippy::type_complexity)]
    fn choose_encoder(
        &mut self,
    ) -> Result<(Box<dyn VideoEncoder>, Box<dyn Fn() -> Result<Box<dyn VideoEncoder>> + Send>)> {
        #[cfg(feature = "codecs")]
        if self.encoders.is_empty() {
            self.encoders = crate::codec::encoder_backends().into_iter().map(Arc::from).collect();
        }
        let p = &self.program;
        let config = EncoderConfig {
            width: p.width,
            height: p.height,
            fps: p.fps,
            bitrate: Bitrate::from_kbps(p.bitrate_kbps),
            gop_frames: self.gop_frames(),
            threads: 0,
            effort: match p.effort {
                EffortConfig::Low => Effort::Low,
                EffortConfig::High => Effort::High,
            },
        };
        if p.encoder != "auto" && !self.encoders.iter().any(|b| b.name() == p.encoder) {
            let known: Vec<&str> = self.encoders.iter().map(|b| b.name()).collect();
            return Err(Error::new(ErrorKind::Config, format!("there is no encoder \"{}\"", p.encoder))
                .next(format!("use \"auto\" or one of: {}", known.join(", "))));
        }
        let mut order = self.encoders.clone();
        order.sort_by_key(|b| b.name() != p.encoder);
        let mut why = Vec::new();
        for backend in order {
            match backend.probe().and_then(|_| backend.create(&config)) {
                Ok(e) => {
                    for w in &why {
                        tracing::warn!("{w}");
                    }
                    return Ok((e, Box::new(move || backend.create(&config))));
                }
                Err(e) => why.push(format!("encoder {} is not used: {e}", backend.name())),
            }
        }
        Err(Error::new(ErrorKind::Unsupported, format!("no encoder works here: {}", why.join("; ")))
            .next("run `vistter doctor`"))
    }

    fn gop_frames(&self) -> u32 {
        u32::try_from(self.program.keyframe.frames(self.program.fps)).unwrap_or(u32::MAX).max(1)
    }

    fn take_audio_encoder(&mut self) -> Result<Box<dyn AudioEncoder>> {
        if let Some(e) = self.audio_encoder.take() {
            return Ok(e);
        }
        #[cfg(feature = "codecs")]
        return Ok(Box::new(crate::codec::AacEncoder::new(
            crate::media::PROGRAM_SAMPLE_RATE,
            crate::media::PROGRAM_CHANNELS,
            128_000,
        )?));
        #[cfg(not(feature = "codecs"))]
        Err(Error::new(ErrorKind::Unsupported, "no audio encoder was given and the feature `codecs` is off"))
    }

    fn take_decoders(&mut self) -> Result<DecoderFactory> {
        if let Some(d) = self.decoders.take() {
            return Ok(d);
        }
        #[cfg(feature = "codecs")]
        return Ok(Arc::new(crate::codec::decoder_for));
        #[cfg(not(feature = "codecs"))]
        Ok(Arc::new(|p| Err(Error::new(ErrorKind::Unsupported, format!("no decoder for {} in this build", p.codec)))))
    }

    fn audio_source(&self) -> Result<AudioFrom> {
        Ok(match &self.audio {
            AudioConfig::Silence => AudioFrom::Silence,
            AudioConfig::Program => AudioFrom::Program,
            AudioConfig::Camera { camera } => {
                AudioFrom::Camera(self.cameras.iter().position(|c| c.id == *camera).ok_or_else(|| {
                    Error::new(ErrorKind::Config, format!("audio: there is no camera \"{camera}\""))
                        .next("name one of the cameras")
                })?)
            }
        })
    }

    /// Renders the slate and prepares the overlays, off the async workers. An overlay that fails is left out.
    async fn prepare_pictures(&mut self, canvas: Canvas) -> Result<Frame> {
        let mut overlays = std::mem::take(&mut self.overlays);
        let mut message = self.slate.take();
        let wall = self.clock.wall();
        let work = tokio::task::spawn_blocking(move || {
            let mut troubles = Vec::new();
            for o in &mut overlays {
                if let Err(e) = o.overlay.prepare(canvas) {
                    let id = o.overlay.id().to_owned();
                    troubles.push((format!("overlay {id}"), e.to_string()));
                    o.overlay = Box::new(NullOverlay::named(&id));
                }
            }
            let mut buf = FramePool::new(canvas.width, canvas.height, 1)?.take();
            slate_picture(&mut buf);
            if let Some(m) = &mut message {
                let at = Tick { frame: 0, wall };
                let drawn = m
                    .prepare(canvas)
                    .and_then(|()| m.apply(at, &OverlayAction::Show))
                    .and_then(|()| m.compose(at, &mut buf));
                if let Err(e) = drawn {
                    troubles.push(("slate".into(), e.to_string()));
                }
            }
            Ok((overlays, buf.freeze(), troubles))
        });
        let (overlays, slate, troubles) =
            work.await.map_err(|_| Error::new(ErrorKind::Internal, "preparing the overlays panicked"))??;
        self.overlays = overlays;
        self.troubles.extend(troubles);
        Ok(slate)
    }
}

pub(super) fn sink(o: &Arc<OutputHandle>) -> Sink {
    let handle = o.clone();
    Sink { id: o.id().to_owned(), push: Box::new(move |p| handle.push(p)) }
}

fn head_events(events: broadcast::Sender<SessionEvent>) -> HeadSink {
    Arc::new(move |camera: &str, head| {
        let _ = events.send(SessionEvent::Ptz { camera: camera.to_owned(), head });
    })
}

fn health_events(camera: String, events: broadcast::Sender<SessionEvent>) -> HealthSink {
    Arc::new(move |change| {
        match &change {
            // Its head says it, too.
            HealthEvent::Here { .. } => return,
            HealthEvent::State { to: HealthState::Online, .. } => tracing::info!(%camera, "its control answers"),
            HealthEvent::State { to, detail, .. } => {
                tracing::warn!(%camera, "its control is {to:?}: {}", detail.as_deref().unwrap_or_default());
            }
            HealthEvent::Clock { skew_secs } => tracing::info!(%camera, skew_secs, "its clock is off or was set"),
        }
        let _ = events.send(SessionEvent::Health { camera: camera.clone(), change });
    })
}

fn feed_events(events: broadcast::Sender<SessionEvent>) -> FeedSink {
    Arc::new(move |id: &str, e: FeedEvent| {
        let camera = id.to_owned();
        let note = |note: String| SessionEvent::CameraNote { camera: camera.clone(), note };
        // No subscriber is no fault.
        let _ = events.send(match e {
            FeedEvent::Online(camera) => SessionEvent::CameraOnline { camera },
            FeedEvent::Offline(error) => SessionEvent::CameraOffline { camera, error: error.to_string() },
            FeedEvent::Changed(s) => note(format!("the stream is now {}x{}", s.width, s.height)),
            FeedEvent::ClockJump(by) => note(format!("the camera's clock jumped by {by}")),
            FeedEvent::Lost(what) => note(format!("media was lost: {what}")),
            FeedEvent::Undecodable(error) => {
                SessionEvent::Trouble { part: format!("camera {camera}"), error: error.to_string() }
            }
            FeedEvent::Ended => note("the source is over".into()),
        });
    })
}

async fn forward_output_events(mut from: mpsc::Receiver<OutputEvent>, to: broadcast::Sender<SessionEvent>) {
    while let Some(e) = from.recv().await {
        let _ = to.send(SessionEvent::Output { output: e.id, state: e.state, error: e.error.map(|e| e.to_string()) });
    }
}

fn reports(
    events: broadcast::Sender<SessionEvent>,
    names: Names,
    ended: watch::Sender<bool>,
) -> Box<dyn Fn(Report) + Send> {
    Box::new(move |r| {
        let event = match r {
            Report::OnAir(j) => {
                let view: ViewName = names.view(j.view);
                let preset = names.preset(j.view, j.preset);
                match &preset {
                    Some(p) => {
                        tracing::info!(frame = j.frame, cause = ?j.cause, moving = j.moving, "on air: {view}, {p}")
                    }
                    None => tracing::info!(frame = j.frame, cause = ?j.cause, "on air: {view}"),
                }
                SessionEvent::OnAir { frame: j.frame, view, cause: j.cause, preset, moving: j.moving }
            }
            Report::Overload { skipped } => {
                tracing::warn!(skipped, "the machine is too slow: output frames are left out");
                SessionEvent::Overload { skipped }
            }
            Report::OverlayFailed { overlay, error } => {
                SessionEvent::Trouble { part: format!("overlay {overlay}"), error: error.to_string() }
            }
            Report::OverlayNote { overlay, note } => {
                tracing::warn!("overlay {overlay}: {note}");
                SessionEvent::OverlayNote { overlay, note }
            }
            Report::EncoderFailed(e) => SessionEvent::Trouble { part: "encoder".into(), error: e.to_string() },
            Report::Ended => {
                ended.send_replace(true);
                SessionEvent::Ended
            }
        };
        let _ = events.send(event);
    })
}
