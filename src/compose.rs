//! Builds a session from a show: the one place that knows every crate.

use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use vistter_core::clock::{Clock as _, SystemClock};
use vistter_core::config::{
    Address, CameraConfig, Credentials, DestinationConfig, OverlayConfig, PtzConfig, Push, ShowConfig, Span,
};
use vistter_core::diagnose::{Diagnostic, Severity};
use vistter_core::inset::{Insets, PictureSources};
use vistter_core::media::Bitrate;
use vistter_core::output::mp4::{Mp4Recorder, Recordings};
use vistter_core::ports::{PtzArrival, PtzControl, PtzView, Source};
use vistter_core::session::{Session, SessionBuilder};
use vistter_core::source::{RtspConfig, RtspSource};
use vistter_core::time::FrameRate;
use vistter_core::tls::TlsPolicy;
use vistter_core::{Error, ErrorKind, Result, Secret};
use vistter_ocl::{AssetCache, OclOverlay, Opening};
use vistter_ptz::health::HealthPolicy;
use vistter_ptz::mover::{LearnedStore, LearnedTimes, MoverPolicy};
use vistter_ptz::onvif::tls::TlsOptions;
use vistter_ptz::{DriverOptions, MoverControl, driver_with};
use vistter_rtmp::{RtmpOptions, RtmpOutput, RtmpTarget};

use crate::documents::Documents;
use crate::push::Doors;

/// The id of the recording among the outputs.
pub const RECORDING: &str = vistter_core::config::RECORDING_ID;
/// The decoded files of the overlays of all shows of this process.
static ASSETS: LazyLock<AssetCache> = LazyLock::new(AssetCache::default);
/// The largest file of certificate authorities that is read, in bytes.
const MAX_CA_BYTES: u64 = 4 << 20;

/// What belongs to a machine, and not to a show.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// Keeps what cameras that move teach (how long they take), from one show to the next. Without it, each show begins anew.
    pub learned: Option<Arc<LearnedStore>>,
}

/// A show with all its parts, ready to start or to be given more of them.
#[derive(Debug)]
pub struct Prepared {
    /// To start, or to add to.
    pub builder: SessionBuilder,
    /// The files that the recording really writes.
    pub recordings: Option<Recordings>,
    /// The overlays' documents, to keep up with their files.
    pub documents: Documents,
}

/// A show that runs.
#[derive(Debug)]
#[non_exhaustive]
pub struct Started {
    /// Its handle.
    pub session: Session,
    /// The files that the recording really writes.
    pub recordings: Option<Recordings>,
    /// The overlays' documents, to keep up with their files ([`Documents::keep_up`]).
    pub documents: Documents,
}

/// Starts a show. Files in it are relative to `base_dir`.
///
/// A part that does not work does not keep the rest off the air: an overlay that cannot be read, a destination with an
/// impossible address. They are in [`Session::troubles`], and in the log. Cameras and destinations connect in the
/// background.
///
/// # Errors
/// `Config` when the show itself is wrong ([`ShowConfig::check`]); what [`SessionBuilder::start`] says.
pub async fn start(show: ShowConfig, base_dir: &Path) -> Result<Session> {
    Ok(Box::pin(start_with(show, base_dir, Options::default())).await?.session)
}

/// The same with more to say, and with more that it gives.
///
/// # Errors
/// As [`start`].
pub async fn start_with(show: ShowConfig, base_dir: &Path, options: Options) -> Result<Started> {
    let base = base_dir.to_owned();
    // Overlay documents, pictures and fonts are read and drawn here.
    let prepared = tokio::task::spawn_blocking(move || prepare_with(&show, &base, &options))
        .await
        .map_err(|e| Error::new(ErrorKind::Internal, format!("the show could not be built: {e}")))??;
    let Prepared { builder, recordings, documents } = prepared;
    Ok(Started { session: Box::pin(builder.start()).await?, recordings, documents })
}

/// Builds the parts of a show without starting anything. Reads files; does not touch the network.
///
/// # Errors
/// `Config` when the show itself is wrong ([`ShowConfig::check`]).
pub fn prepare(show: &ShowConfig, base_dir: &Path) -> Result<Prepared> {
    prepare_with(show, base_dir, &Options::default())
}

/// The same with more to say.
///
/// # Errors
/// As [`prepare`].
pub fn prepare_with(show: &ShowConfig, base_dir: &Path, options: &Options) -> Result<Prepared> {
    if let Some(d) = show.check().into_iter().find(|d| d.severity == Severity::Error) {
        let e = Error::new(ErrorKind::Config, format!("{} [{}]", d.message, d.code)).at(d.pointer);
        return Err(match d.help {
            Some(h) => e.next(h),
            None => e,
        });
    }
    let mut b =
        Session::builder().program(show.program.clone()).audio(show.audio.clone()).timeline(show.timeline.clone());
    let mut doors = Doors::default();
    for c in &show.cameras {
        let source: Box<dyn Source> = match c.url.scheme() {
            "rtmp" => Box::new(doors.camera(Push::new(&c.url, c.key.as_ref())?)),
            _ => Box::new(camera(c)),
        };
        b = b.camera_fit(&c.id, source, c.fit);
        if let Some(p) = &c.ptz {
            let control = match control(c, p, show.program.fps, options) {
                Ok(c) => c,
                Err(e) => {
                    b = b.trouble(format!("control of camera {}", c.id), &e);
                    Arc::new(NoControl(e))
                }
            };
            b = b.ptz(control, c.presets.clone(), Duration::from_millis(u64::from(p.picture_lag_ms)));
        }
    }
    let pictures: Arc<dyn PictureSources> = Arc::new(Insets::live(b.live_cameras()));
    let mut documents = Documents::new(base_dir, pictures, show.cameras.iter().map(|c| c.id.clone()).collect());
    for o in &show.overlays {
        b = match documents.open(o) {
            Ok(overlay) => {
                for d in documents.unknown_cameras(&overlay) {
                    let e = Error::new(ErrorKind::Config, d.message).at(d.pointer);
                    b = b.trouble(format!("overlay {}", o.id), &d.help.into_iter().fold(e, Error::next));
                }
                b.overlay(o.layer, Box::new(overlay))
            }
            Err(e) => b.missing_overlay(&o.id, o.layer, &e),
        };
    }
    if !show.slate.message.is_empty() {
        b = b.slate(Box::new(OclOverlay::message(&show.slate.message)));
    }
    for d in &show.destinations {
        b = match destination(d, show, base_dir) {
            Ok(output) => b.output(&d.id, Box::new(output)),
            Err(e) => b.trouble(format!("destination {}", d.id), &e),
        };
    }
    let mut recordings = None;
    if let Some(r) = &show.recording {
        let recorder = Mp4Recorder::new(base_dir.join(&r.file));
        recordings = Some(recorder.files());
        b = b.recording(RECORDING, Box::new(recorder));
    }
    Ok(Prepared { builder: b, recordings, documents })
}

/// The source of an RTSP camera.
pub fn camera(c: &CameraConfig) -> RtspSource {
    let mut config = RtspConfig::new(c.url.clone()).transport(c.transport);
    // The fields win over the URL; a lone password belongs to the URL's user.
    let in_url = c.url.credentials();
    let user = c.user.clone().or_else(|| in_url.map(|i| i.user.clone()));
    if let Some(user) = user {
        let password = c.password.clone().or_else(|| in_url.map(|i| i.password.clone()));
        config = config.credentials(Credentials { user, password: password.unwrap_or(Secret::new(String::new())) });
    }
    // `check` has refused a pin that is none; without one the certificate is verified.
    if let Some(Ok(policy)) = c.tls_pin.as_deref().map(TlsPolicy::pin) {
        config = config.tls(policy);
    }
    RtspSource::new(config)
}

/// What moves a camera, watched while the show runs.
fn control(c: &CameraConfig, p: &PtzConfig, fps: FrameRate, options: &Options) -> Result<Arc<dyn PtzControl>> {
    let mut address = p.url.clone();
    // As for the stream: the fields win over the URL. A camera has mostly one account for both.
    let of = |user: &Option<String>, url: &Address| user.clone().or_else(|| Some(url.credentials()?.user.clone()));
    let own = (of(&p.user, &p.url), p.password.clone().or_else(|| Some(p.url.credentials()?.password.clone())));
    let cameras = || (of(&c.user, &c.url), c.password.clone().or_else(|| Some(c.url.credentials()?.password.clone())));
    let (user, password) = match own {
        (Some(user), password) => (Some(user), password),
        (None, password) => (cameras().0, password.or(cameras().1)),
    };
    if let Some(user) = user {
        let password = password.unwrap_or(Secret::new(String::new()));
        address = address.with_credentials(Credentials { user, password });
    }
    let tls = match &p.tls_pin {
        Some(pin) => TlsOptions::pinned(pin.parse()?),
        None => TlsOptions::default(),
    };
    let driver = driver_with(&address, DriverOptions { tls, ..DriverOptions::default() }, SystemClock::shared())?;
    let mut control = MoverControl::new(driver, MoverPolicy::default(), LearnedTimes::default());
    if let (Some(store), Some(at)) = (&options.learned, address.parts()) {
        let port = at.port.map(|p| format!(":{p}")).unwrap_or_default();
        control = control.kept_in(store.clone(), format!("{}://{}{port}", address.scheme(), at.host));
    }
    let every = match p.health.every {
        Span::Time(t) => t,
        Span::Frames(n) => fps.time_of(n),
    };
    let health = HealthPolicy { every, misses: p.health.misses, ..HealthPolicy::default() };
    Ok(Arc::new(control.watched(address, health, SystemClock::shared())))
}

/// The control of a camera whose address cannot be used: its shots play as it stands, and the status says why.
struct NoControl(Error);

#[async_trait]
impl PtzControl for NoControl {
    async fn go_to(&self, _: &PtzView) -> Result<Option<PtzArrival>> {
        Err(self.0.clone())
    }
    async fn stop(&self) -> Result<()> {
        Err(self.0.clone())
    }
}

pub(crate) fn overlay(o: &OverlayConfig, base_dir: &Path) -> Result<OclOverlay> {
    let opening = Opening {
        scene: o.scene.as_deref(),
        tokens: Some(&o.tokens),
        wall: Some(SystemClock::new().wall()),
        cache: Some(&ASSETS),
    };
    let overlay = OclOverlay::open_file(&o.id, &base_dir.join(&o.file), &opening)?;
    // what is shown in place of assets the running overlay tells itself
    for w in overlay.warnings().iter().filter(|w| !w.pointer.starts_with("/assets/")) {
        tracing::warn!("overlay {}: {w}", o.id);
    }
    Ok(overlay)
}

/// Cameras that an overlay shows and the show has not, each with its place in the overlay's document.
pub fn unknown_cameras(overlay: &OclOverlay, show: &ShowConfig) -> Vec<Diagnostic> {
    cameras_not_in(overlay, show.cameras.iter().map(|c| c.id.as_str()))
}

pub(crate) fn cameras_not_in<'a>(
    overlay: &OclOverlay,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Vec<Diagnostic> {
    let unknown = |(at, id): &(String, &str)| {
        let d = Diagnostic::warning("OCL-UNKNOWN-CAMERA", at, format!("the show has no camera \"{id}\""));
        known.clone().all(|k| k != *id).then(|| d.suggest(id, known.clone()))
    };
    overlay.cameras().iter().filter_map(unknown).collect()
}

fn destination(d: &DestinationConfig, show: &ShowConfig, base_dir: &Path) -> Result<RtmpOutput> {
    let target = RtmpTarget::new(&d.url, d.key.as_ref())?;
    let mut options = RtmpOptions::default();
    options.video_bitrate = Some(Bitrate::from_kbps(show.program.bitrate_kbps));
    if let Some(file) = &d.ca_file {
        options.extra_ca = Some(read_bounded(&base_dir.join(file))?);
    }
    RtmpOutput::new(target, options)
}

fn read_bounded(path: &Path) -> Result<Vec<u8>> {
    use std::io::Read as _;
    let place = || path.display().to_string();
    let fail = |e: std::io::Error| Error::io("read the certificate authorities", &e).at(place());
    let mut bytes = Vec::new();
    std::fs::File::open(path).map_err(fail)?.take(MAX_CA_BYTES + 1).read_to_end(&mut bytes).map_err(fail)?;
    if bytes.len() as u64 > MAX_CA_BYTES {
        return Err(Error::new(ErrorKind::Limit, "the file of certificate authorities is too large").at(place()));
    }
    Ok(bytes)
}
