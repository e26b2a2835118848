//! The handle of a test camera.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::TestCameraConfig;
use super::clip::Clip;
use super::server::{self, Counters, Orders, Program};
use super::sound::Sound;
use crate::clock::SystemClock;
use crate::codec::{AacEncoder, Openh264Backend};
use crate::config::Address;
use crate::error::{Error, ErrorKind, Result};
use crate::ports::{AudioEncoder, Clock, EncoderBackend};
use crate::time::{FrameRate, MediaTime};

/// How often a restart tries to get its port back.
const REBIND: u32 = 50;

/// A running test camera. Dropping it switches it off.
pub struct TestCamera {
    config: TestCameraConfig,
    maker: Maker,
    addr: SocketAddr,
    url: Address,
    orders: watch::Sender<Orders>,
    counters: Arc<Counters>,
    clock: Arc<dyn Clock>,
    task: Option<AbortHandle>,
}

/// Where pictures and sound come from.
enum Maker {
    Encode { video: Arc<dyn EncoderBackend>, audio: AudioMaker },
    AnnexB { data: Vec<u8>, fps: FrameRate },
}

type AudioMaker = Arc<dyn Fn() -> Result<Box<dyn AudioEncoder>> + Send + Sync>;

impl Maker {
    fn program(&self, config: &TestCameraConfig, clock: &Arc<dyn Clock>) -> Result<Program> {
        let (start, wall) = (clock.now(), clock.wall());
        let (clip, aac) = match self {
            Self::Encode { video, audio } => {
                let aac = (config.sound == super::CameraSound::Aac).then(|| audio()).transpose()?;
                (Clip::generate(config, &**video, clock.clone(), start)?, aac)
            }
            Self::AnnexB { data, fps } => (Clip::from_annex_b(data, *fps)?, None),
        };
        let sound = Sound::new(config.sound, aac, clip.fps.time_of(clip.frames()))?;
        Ok(Program { config: config.clone(), clip, sound, start, wall })
    }
}

impl TestCamera {
    /// Switches a camera on, with the software codecs of this crate.
    ///
    /// # Errors
    /// As [`TestCamera::with_codecs`].
    pub async fn start(config: TestCameraConfig) -> Result<Self> {
        let aac = || AacEncoder::new(48_000, 2, 128_000).map(|e| Box::new(e) as Box<dyn AudioEncoder>);
        Self::with_codecs(config, Arc::new(Openh264Backend), aac).await
    }

    /// Switches a camera on whose pictures and sound are encoded by the given codecs.
    ///
    /// # Errors
    /// `Config` for impossible settings, `Io` or `Refused` when the address cannot be had, and what the codecs say.
    pub async fn with_codecs(
        config: TestCameraConfig,
        video: Arc<dyn EncoderBackend>,
        audio: impl Fn() -> Result<Box<dyn AudioEncoder>> + Send + Sync + 'static,
    ) -> Result<Self> {
        Self::on(config, Maker::Encode { video, audio: Arc::new(audio) }).await
    }

    /// Switches a camera on that plays an H.264 byte stream (Annex B, no B-frames) in a loop. Size, rate of bits and
    /// GOP are the stream's.
    ///
    /// # Errors
    /// As [`TestCamera::with_codecs`]; `Media` when the stream does not start with parameter sets and a keyframe.
    pub async fn from_annex_b(config: TestCameraConfig, data: Vec<u8>) -> Result<Self> {
        let fps = config.fps;
        Self::on(config, Maker::AnnexB { data, fps }).await
    }

    async fn on(mut config: TestCameraConfig, maker: Maker) -> Result<Self> {
        check(&config)?;
        let listener = listen(config.bind).await?;
        let addr = listener.local_addr().map_err(|e| Error::io("start the test camera", &e))?;
        config.bind = addr;
        let mut camera = Self {
            url: url(&config)?,
            config,
            maker,
            addr,
            orders: watch::Sender::new(Orders::default()),
            counters: Arc::default(),
            clock: SystemClock::shared(),
            task: None,
        };
        camera.run(listener)?;
        Ok(camera)
    }

    fn run(&mut self, listener: TcpListener) -> Result<()> {
        let program = Arc::new(self.maker.program(&self.config, &self.clock)?);
        let (orders, counters, clock) = (self.orders.subscribe(), self.counters.clone(), self.clock.clone());
        let task = tokio::spawn(server::serve(listener, program, orders, counters, clock));
        self.task = Some(task.abort_handle());
        Ok(())
    }

    /// The address of its stream, with user and password if it wants them.
    pub fn url(&self) -> Address {
        self.url.clone()
    }
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
    /// What it shows.
    pub fn config(&self) -> &TestCameraConfig {
        &self.config
    }
    /// How many viewers are playing.
    pub fn viewers(&self) -> usize {
        self.counters.viewers.load(Ordering::Relaxed)
    }
    /// How many connections were accepted so far.
    pub fn connections(&self) -> u64 {
        self.counters.connections.load(Ordering::Relaxed)
    }
    /// How many viewers said goodbye with TEARDOWN so far.
    pub fn teardowns(&self) -> u64 {
        self.counters.teardowns.load(Ordering::Relaxed)
    }

    /// Stops the packets; RTSP still answers. After [`TestCamera::resume`] each viewer goes on at a keyframe.
    pub fn stall(&self) {
        self.orders.send_modify(|o| o.damage.stalled = true);
    }
    /// Ends [`TestCamera::stall`] and [`TestCamera::freeze`].
    pub fn resume(&self) {
        self.orders.send_modify(|o| (o.damage.stalled, o.frozen) = (false, false));
    }
    /// Hangs: sockets stay open and are accepted, but nothing is read, answered or sent.
    pub fn freeze(&self) {
        self.orders.send_modify(|o| o.frozen = true);
    }
    /// Moves the RTP time stamps by this much from now on; NTP times in sender reports stay.
    pub fn jump_clock(&self, by: MediaTime) {
        self.orders.send_modify(|o| o.damage.jump = o.damage.jump + by);
    }
    /// Loses this share of the RTP packets, in percent.
    pub fn set_loss(&self, percent: f32) {
        self.orders.send_modify(|o| o.damage.loss = (percent / 100.0).clamp(0.0, 1.0));
    }
    /// Damages the slice data of the next `units` access units.
    pub fn corrupt(&self, units: u32) {
        self.counters.corrupt.store(units, Ordering::Relaxed);
    }
    /// Cuts all connections; new ones are accepted.
    pub fn drop_connections(&self) {
        self.orders.send_modify(|o| o.generation += 1);
    }

    /// Switches off: connections are cut and new ones refused.
    pub fn switch_off(&mut self) {
        self.drop_connections();
        if let Some(t) = self.task.take() {
            t.abort();
        }
    }
    /// Switches on again at the same port, with changed settings, and all faults gone. RTP time starts anew.
    ///
    /// # Errors
    /// As [`TestCamera::with_codecs`].
    pub async fn switch_on(&mut self, change: impl FnOnce(&mut TestCameraConfig)) -> Result<()> {
        self.switch_off();
        change(&mut self.config);
        self.config.bind = self.addr;
        check(&self.config)?;
        self.url = url(&self.config)?;
        self.orders.send_modify(|o| (o.damage, o.frozen) = (Default::default(), false));
        // The old listener closes when its aborted task is dropped, which is soon but not now.
        let mut tries = 0;
        let listener = loop {
            match listen(self.addr).await {
                Err(_) if tries < REBIND => tries += 1,
                other => break other?,
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        self.run(listener)
    }
    /// Switches off, waits, and switches on again.
    ///
    /// # Errors
    /// As [`TestCamera::switch_on`].
    pub async fn restart(&mut self, after: Duration, change: impl FnOnce(&mut TestCameraConfig)) -> Result<()> {
        self.switch_off();
        tokio::time::sleep(after).await;
        self.switch_on(change).await
    }
}

impl Drop for TestCamera {
    fn drop(&mut self) {
        self.switch_off();
    }
}

impl std::fmt::Debug for TestCamera {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestCamera").field("url", &self.url).finish_non_exhaustive()
    }
}

/// The address of a camera that listens at `config.bind`.
fn url(config: &TestCameraConfig) -> Result<Address> {
    let plain = Address::parse(&format!("rtsp://{}{}", config.bind, config.path))
        .ok_or_else(|| Error::new(ErrorKind::Config, "test camera: the path makes no URL"))?;
    Ok(match config.auth.credentials() {
        Some(c) => plain.with_credentials(c.clone()),
        None => plain,
    })
}

fn check(config: &TestCameraConfig) -> Result<()> {
    let bad = |what: &str| Err(Error::new(ErrorKind::Config, format!("test camera: {what}")));
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '"' | ',' | '<' | '>');
    match config {
        c if !c.path.starts_with('/') || !c.path.chars().all(plain) => bad("the path must start with / and be plain"),
        c if c.width % 2 != 0 || c.height % 2 != 0 || c.width < 64 || c.height < 64 => {
            bad("width and height must be even and at least 64")
        }
        _ => Ok(()),
    }
}

async fn listen(at: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(at).await.map_err(|e| {
        Error::io("start the test camera", &e).at(at.to_string()).next("choose another port, or port 0 for a free one")
    })
}
