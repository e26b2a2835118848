//! An RTSP camera. The only file that knows retina.
//!
//! retina forgives most of what cameras get wrong: SDP without an origin line, empty `fmtp`, trailing spaces and
//! semicolons, a missing Content-Base, `rtptime` that is absent or wrong, data before the PLAY reply and on channels
//! nobody asked for, CRLF before data, RTCP of an unknown SSRC, the marker bit on SEI, Annex B inside RTP, keep-alive
//! by OPTIONS, GET_PARAMETER or SET_PARAMETER. Here come in addition: session ids that change between SETUPs, single
//! damaged RTP packets, bounded time for everything, decode times, sound on the pictures' time line, and `rtsps://`.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use retina::client::{
    Credentials, Demuxed, Described, InitialTimestampPolicy, PlayOptions, Session, SessionGroup, SessionIdPolicy,
    SessionOptions, SetupOptions, Stream, TcpTransportOptions, TeardownPolicy, UdpTransportOptions,
    UnknownRtcpSsrcPolicy,
};
use retina::codec::{AudioFrame, CodecItem, FrameFormat, ParametersRef, VideoFrame, VideoParametersCodec};
use retina::rtcp::ReceivedCompoundPacket;
use retina::{NtpTimestamp, Timestamp};
use tokio::time::{Instant, Sleep, timeout};

use super::rtsp_config::RtspConfig;
use super::rtsp_error;
use super::rtsps_relay::Relay;
use super::timing::{Alignment, DecodeClock};
use crate::config::Transport;
use crate::error::{Error, ErrorKind, Result};
use crate::media::{AudioParams, Codec, ColorRange, Packet, StreamParams, Track, VideoParams, h264};
use crate::ports::{Source, SourceEvent};
use crate::time::{FrameRate, MediaTime};

/// Damaged RTP packets in a row, without a picture between them, after which the connection is given up.
const MAX_DAMAGE: u32 = 100;
/// How long a TEARDOWN may take.
const GOODBYE: Duration = Duration::from_secs(2);
/// Registered for RTSP over TLS (RFC 7826 §4.2).
const RTSPS_PORT: u16 = 322;

/// A camera over RTSP.
///
/// Packet times are the camera's RTP time line as nanoseconds from its start; a jump of the camera's clock is passed
/// on. Sound is moved onto the pictures' time line.
#[derive(Debug)]
pub struct RtspSource {
    config: RtspConfig,
    live: Option<Live>,
}

impl RtspSource {
    /// A camera that is not connected yet.
    pub fn new(config: RtspConfig) -> Self {
        Self { config, live: None }
    }
}

#[async_trait]
impl Source for RtspSource {
    fn describe(&self) -> String {
        self.config.address.shown().to_owned()
    }

    async fn open(&mut self) -> Result<()> {
        self.close().await;
        // Boxed: retina's connect futures are large.
        let live = Box::pin(connect(&self.config)).await.map_err(|e| e.at(self.config.address.shown()))?;
        self.live = Some(live);
        Ok(())
    }

    async fn next(&mut self) -> Result<SourceEvent> {
        let Some(live) = &mut self.live else {
            return Err(Error::new(ErrorKind::Closed, "the camera is not connected").at(self.config.address.shown()));
        };
        live.next(&self.config).await.map_err(|e| e.at(self.config.address.shown()))
    }

    async fn close(&mut self) {
        if let Some(live) = self.live.take() {
            // The relay, if any, carries the goodbye and goes last.
            let Live { demuxed, group, _relay, .. } = live;
            // Dropping the session sends TEARDOWN from a task of retina's; some cameras have few session slots.
            drop(demuxed);
            match timeout(GOODBYE, group.await_teardown()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => tracing::debug!(camera = %self.config.address, "no answer to TEARDOWN"),
            }
        }
    }
}

/// A playing session.
struct Live {
    demuxed: Pin<Box<Demuxed>>,
    group: Arc<SessionGroup>,
    _relay: Option<Relay>,
    video: usize,
    params: StreamParams,
    audio: Option<AudioParams>,
    queue: VecDeque<SourceEvent>,
    watchdog: Pin<Box<Sleep>>,
    pictures: u64,
    damage: u32,
    epoch: Option<std::time::Instant>,
    decode: DecodeClock,
    align: Alignment,
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").field("params", &self.params).field("pictures", &self.pictures).finish_non_exhaustive()
    }
}

/// The tracks chosen from what the camera offers.
struct Choice {
    video: usize,
    audio: Option<(usize, AudioParams)>,
}

async fn connect(config: &RtspConfig) -> Result<Live> {
    let limit = config.timeouts.connect;
    let mut url = url::Url::parse(config.address.url())
        .map_err(|e| Error::new(ErrorKind::Config, format!("not a URL: {e}")).next("check the camera's address"))?;
    let scheme = config.address.scheme();
    let relay = match (scheme, url.host_str()) {
        ("rtsp", Some(_)) => None,
        ("rtsps", Some(host)) => Some(Relay::open(host, url.port().unwrap_or(RTSPS_PORT), &config.tls, limit).await?),
        _ => {
            return Err(Error::new(ErrorKind::Config, format!("\"{scheme}\" is not a camera's scheme"))
                .next("give an rtsp:// or rtsps:// address"));
        }
    };
    if let Some(relay) = &relay {
        let plain = format!("rtsp://127.0.0.1:{}{}", relay.port(), &url[url::Position::BeforePath..]);
        url = url::Url::parse(&plain)
            .map_err(|e| Error::new(ErrorKind::Config, format!("not a URL: {e}")).next("check the camera's address"))?;
    }
    if config.address.credentials().is_some_and(|c| c.user.chars().any(char::is_control)) {
        return Err(
            Error::new(ErrorKind::Config, "the user name holds a control character").next("check the user name")
        );
    }
    let group = Arc::new(SessionGroup::default());
    let options = SessionOptions::default()
        .creds(
            config
                .address
                .credentials()
                .map(|c| Credentials { username: c.user.clone(), password: c.password.expose().clone() }),
        )
        // retina panics on what HTTP cannot carry.
        .user_agent(config.user_agent.chars().filter(|c| matches!(c, ' '..='~')).collect())
        .session_group(group.clone())
        .session_id(SessionIdPolicy::UseFirst)
        .teardown(TeardownPolicy::Auto);

    let mut session = step(config, "connect and DESCRIBE", limit, Session::describe(url, options)).await?;
    let choice = choose(&session, config)?;
    let transport = || match config.transport {
        Transport::Udp if relay.is_none() => retina::client::Transport::Udp(UdpTransportOptions::default()),
        _ => retina::client::Transport::Tcp(TcpTransportOptions::default()),
    };
    let audio = choice.audio.as_ref().map(|(i, _)| *i);
    for i in [Some(choice.video), audio].into_iter().flatten() {
        let setup = SetupOptions::default().transport(transport()).frame_format(FrameFormat::MP4);
        step(config, "SETUP", limit, session.setup(i, setup)).await?;
    }
    // Permissive: RTP-Info is applied when it is there for both tracks, else each starts at zero.
    let play = PlayOptions::default()
        .initial_timestamp(InitialTimestampPolicy::Permissive)
        .unknown_rtcp_ssrc(UnknownRtcpSsrcPolicy::DropPackets);
    let session = step(config, "PLAY", limit, session.play(play)).await?;
    let demuxed = session.demuxed().map_err(|e| explain(config, "PLAY", &e))?;
    Ok(Live {
        demuxed: Box::pin(demuxed),
        group,
        _relay: relay,
        video: choice.video,
        params: StreamParams::default(),
        audio: choice.audio.map(|(_, p)| p),
        queue: VecDeque::with_capacity(4),
        watchdog: Box::pin(tokio::time::sleep(config.timeouts.first_frame)),
        pictures: 0,
        damage: 0,
        epoch: None,
        decode: DecodeClock::new(0, MediaTime::ZERO),
        align: Alignment::default(),
    })
}

async fn step<T>(
    config: &RtspConfig,
    name: &str,
    limit: Duration,
    work: impl Future<Output = Result<T, retina::Error>>,
) -> Result<T> {
    match timeout(limit, work).await {
        Ok(Ok(t)) => Ok(t),
        Ok(Err(e)) => Err(explain(config, name, &e)),
        Err(_) => Err(Error::new(ErrorKind::Timeout, format!("no answer within {limit:?} ({name})"))
            .next("check that the camera is on, and that this port is its RTSP port")),
    }
}

/// Picks the first video track that can be decoded, and the first usable audio track.
fn choose(session: &Session<Described>, config: &RtspConfig) -> Result<Choice> {
    let streams = session.streams();
    let of = |media: &str| streams.iter().filter(|s| s.media() == media).map(encoding).collect::<Vec<_>>().join(", ");
    let usable = |s: &&Stream| s.media() == "video" && matches!(s.encoding_name(), "h264" | "h265");
    let Some(video) = streams.iter().position(|s| usable(&s)) else {
        let offered = of("video");
        let offered = if offered.is_empty() { "no video".into() } else { offered };
        return Err(Error::new(ErrorKind::Unsupported, format!("the camera offers {offered}"))
            .next("choose an H.264 stream in the camera's settings, or another path of it"));
    };
    let mut audio = None;
    if config.audio {
        audio = streams.iter().enumerate().find_map(|(i, s)| Some((i, audio_params(s)?)));
        if audio.is_none() && streams.iter().any(|s| s.media() == "audio") {
            tracing::info!(camera = %config.address, codecs = of("audio"), "this sound is not understood and left out");
        }
    }
    Ok(Choice { video, audio })
}

fn encoding(s: &Stream) -> String {
    s.encoding_name().chars().filter(char::is_ascii_graphic).take(32).collect::<String>().to_uppercase()
}

fn audio_params(s: &Stream) -> Option<AudioParams> {
    let codec = match s.encoding_name() {
        "mpeg4-generic" => Codec::Aac,
        "pcmu" => Codec::Pcmu,
        "pcma" => Codec::Pcma,
        _ => return None,
    };
    // No parameters: retina found no way to unpack this track.
    let Some(ParametersRef::Audio(p)) = s.parameters() else { return None };
    let config = if codec == Codec::Aac { Bytes::copy_from_slice(p.extra_data()) } else { Bytes::new() };
    Some(AudioParams { codec, sample_rate: p.clock_rate(), channels: p.channels().get(), config })
}

fn video_params(s: &Stream) -> Result<Option<VideoParams>> {
    let Some(ParametersRef::Video(p)) = s.parameters() else { return Ok(None) };
    Ok(match p.codec_params() {
        VideoParametersCodec::H264 { sps, pps } => Some(h264::video_params(sps, pps)?),
        VideoParametersCodec::H265 { .. } => {
            let (width, height) = p.pixel_dimensions();
            Some(VideoParams {
                codec: Codec::H265,
                width,
                height,
                config: Bytes::copy_from_slice(p.extra_data()),
                // retina gives time per frame as a fraction.
                declared_fps: p.frame_rate().and_then(|(num, den)| FrameRate::new(den, num)),
                // Not read from the SPS: the most that real cameras use, and measured from there.
                reorder_depth: 2,
                rfc6381: p.rfc6381_codec().to_owned(),
                range: ColorRange::Limited,
            })
        }
        _ => None,
    })
}

impl Live {
    async fn next(&mut self, config: &RtspConfig) -> Result<SourceEvent> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return Ok(event);
            }
            // Both branches are cancel-safe: everything that is half done lives in `self`.
            let item = tokio::select! {
                biased;
                item = self.demuxed.next() => item,
                () = &mut self.watchdog => return Err(self.silent(config)),
            };
            match item {
                Some(Ok(CodecItem::VideoFrame(f))) => self.picture(f, config)?,
                Some(Ok(CodecItem::AudioFrame(f))) => self.sound(&f),
                Some(Ok(CodecItem::Rtcp(r))) => self.report(&r),
                Some(Ok(_)) => {}
                Some(Err(e)) => self.damaged(&e, config)?,
                None => return Err(Error::new(ErrorKind::Closed, "the camera ended the stream")),
            }
            // Sound that never pauses must not hide that the pictures stopped.
            if self.watchdog.deadline() <= Instant::now() && self.queue.is_empty() {
                return Err(self.silent(config));
            }
        }
    }

    fn silent(&self, config: &RtspConfig) -> Error {
        let (what, limit, next) = if self.pictures == 0 {
            let next = match config.transport {
                Transport::Tcp => "check that the camera's stream is enabled; its web page may show more",
                Transport::Udp => "if a firewall drops UDP, set the camera's transport to tcp",
            };
            ("no first picture", config.timeouts.first_frame, next)
        } else {
            ("no picture, though the connection is up,", config.timeouts.silence, "the camera is asked again")
        };
        Error::new(ErrorKind::Timeout, format!("{what} within {limit:?}")).next(next)
    }

    /// A packet that retina could not use. It resynchronises by itself, unless it ended the stream.
    fn damaged(&mut self, e: &retina::Error, config: &RtspConfig) -> Result<()> {
        self.damage = self.damage.saturating_add(1);
        let error = explain(config, "receive", e);
        if error.kind() != ErrorKind::Protocol
            || !rtsp_error::is_damaged_packet(&e.to_string())
            || self.damage > MAX_DAMAGE
        {
            return Err(error);
        }
        // Damaged sound costs sound: the pictures have lost nothing.
        if self.damage == 1 && !self.is_about_sound(e) {
            self.queue.push_back(SourceEvent::Lost(error.what().to_owned()));
        }
        Ok(())
    }

    /// retina names the RTP stream of a damaged packet only in the error's text.
    fn is_about_sound(&self, e: &retina::Error) -> bool {
        let Some(audio) =
            self.demuxed.streams().iter().enumerate().find_map(|(i, s)| s.ctx().filter(|_| i != self.video))
        else {
            return false;
        };
        e.to_string().contains(&audio.to_string())
    }

    fn picture(&mut self, f: VideoFrame, config: &RtspConfig) -> Result<()> {
        self.damage = 0;
        let arrival = self.arrival(f.start_ctx().received());
        if f.loss() > 0 && self.pictures > 0 {
            self.queue.push_back(SourceEvent::Lost(format!("{} RTP packets lost", f.loss())));
        }
        if f.has_new_parameters() || self.params.video.is_none() {
            let video = video_params(&self.demuxed.streams()[self.video])?;
            if video.is_some() && video != self.params.video {
                let params = StreamParams { video, audio: self.audio.clone() };
                if let Some(v) = &params.video {
                    let frame = v.declared_fps.map_or(MediaTime::from_millis(40), FrameRate::frame_duration);
                    self.decode = DecodeClock::new(v.reorder_depth, frame);
                }
                self.params = params.clone();
                self.queue.push_back(SourceEvent::Params(params));
            }
        }
        if self.params.video.is_none() {
            return Ok(()); // parameter sets come with the next keyframe
        }
        self.pictures += 1;
        self.watchdog.as_mut().reset(Instant::now() + config.timeouts.silence);
        let pts = media_time(f.timestamp());
        // retina starts out with "random access": an access unit without any slice would pass for a keyframe.
        let h264 = self.params.video.as_ref().is_some_and(|v| v.codec == Codec::H264);
        let keyframe = f.is_random_access_point() && (!h264 || crate::media::h264::has_idr(f.data()));
        let dts = self.decode.next(pts, keyframe);
        self.align.video(pts, dts, arrival);
        let data = Bytes::from(f.into_data());
        let duration = MediaTime::ZERO;
        self.queue.push_back(SourceEvent::Packet(Packet { track: Track::Video, data, pts, dts, duration, keyframe }));
        Ok(())
    }

    fn sound(&mut self, f: &AudioFrame) {
        let arrival = self.arrival(f.ctx().received());
        let Some(pts) = self.align.audio(media_time(f.timestamp()), arrival) else { return };
        let rate = self.audio.as_ref().map_or(f.timestamp().clock_rate().get(), |a| a.sample_rate);
        self.queue.push_back(SourceEvent::Packet(Packet {
            track: Track::Audio,
            data: Bytes::copy_from_slice(f.data()),
            pts,
            dts: pts,
            duration: MediaTime::from_ticks(i64::from(f.frame_length().get()), rate),
            keyframe: true,
        }));
    }

    fn report(&mut self, r: &ReceivedCompoundPacket) {
        let Some(at) = r.rtp_timestamp() else { return };
        let track = if r.stream_id() == self.video { Track::Video } else { Track::Audio };
        for p in r.pkts() {
            if let Ok(Some(sr)) = p.as_sender_report()
                && let Some(ntp) = ntp_time(sr.ntp_timestamp())
            {
                self.align.report(track, ntp, media_time(at));
            }
        }
    }

    /// Time since the first packet of this connection.
    fn arrival(&mut self, received: std::time::Instant) -> MediaTime {
        let epoch = *self.epoch.get_or_insert(received);
        received.saturating_duration_since(epoch).into()
    }
}

fn media_time(t: Timestamp) -> MediaTime {
    MediaTime::from_ticks(t.elapsed(), t.clock_rate().get())
}

/// NTP time (RFC 3550 §4) since its epoch; `None` for the zero that cameras without a clock send.
fn ntp_time(t: NtpTimestamp) -> Option<MediaTime> {
    (t.0 >> 32 != 0).then(|| {
        let (secs, frac) = (t.0 >> 32, t.0 & 0xffff_ffff);
        MediaTime::from_nanos((secs * 1_000_000_000 + ((frac * 1_000_000_000) >> 32)) as i64)
    })
}

/// Turns retina's error into ours.
fn explain(config: &RtspConfig, step: &str, e: &retina::Error) -> Error {
    rtsp_error::explain(&config.address, step, e.status_code(), &e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ntp_has_nanoseconds() {
        assert_eq!(ntp_time(NtpTimestamp(0)), None);
        assert_eq!(ntp_time(NtpTimestamp(5 << 32 | 1 << 31)), Some(MediaTime::from_millis(5500)));
    }
}
