//! The network side of a test camera: accepts viewers, feeds their requests to a [`Conversation`] and sends what their
//! [`Player`] says is due.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use rtsp_types::{Message, ParseError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::clip::{Clip, Unit};
use super::conversation::{Conversation, Stage, Step, Way};
use super::player::{Damage, Due, Player, Send, stamp};
use super::rtp::RtpStream;
use super::sound::Sound;
use super::{TestCameraConfig, sdp};
use crate::error::{Error, Result};
use crate::media::Track;
use crate::ports::{Clock, WallTime};
use crate::time::MediaTime;

/// More than this before a request ends is no RTSP.
const MAX_REQUEST: usize = 64 * 1024;
/// A viewer that takes no data for this long is gone.
const WRITE_LIMIT: Duration = Duration::from_secs(10);
/// Serving later than this skips to now.
const LATE: MediaTime = MediaTime::SECOND;

/// What is on show; a restart makes a new one.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) config: TestCameraConfig,
    pub(super) clip: Clip,
    pub(super) sound: Option<Sound>,
    /// Clock time and wall-clock of stream time zero.
    pub(super) start: MediaTime,
    pub(super) wall: WallTime,
}

/// What the handle tells all viewers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Orders {
    /// Connections of another generation end.
    pub(super) generation: u64,
    pub(super) damage: Damage,
    /// Sockets stay open, nothing is read or sent.
    pub(super) frozen: bool,
}

/// Shared by the handle and the viewers.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) viewers: AtomicUsize,
    pub(super) teardowns: AtomicU64,
    pub(super) connections: AtomicU64,
    /// Access units still to be corrupted.
    pub(super) corrupt: AtomicU32,
}

/// Serves until its task is aborted.
pub(super) async fn serve(
    listener: TcpListener,
    program: Arc<Program>,
    orders: watch::Receiver<Orders>,
    counters: Arc<Counters>,
    clock: Arc<dyn Clock>,
) {
    // Viewers end with the server, since they live in its set.
    let mut viewers = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, peer)) = accepted else {
                    // Out of file descriptors: wait for some to come back.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                };
                let id = counters.connections.fetch_add(1, Ordering::Relaxed);
                let viewer = Viewer {
                    program: program.clone(), orders: orders.clone(), counters: counters.clone(), clock: clock.clone(), id,
                };
                viewers.spawn(async move {
                    if let Err(e) = viewer.run(stream, peer).await {
                        tracing::debug!(viewer = id, error = %e, "a viewer of the test camera is gone");
                    }
                });
            }
            Some(_) = viewers.join_next() => {}
        }
    }
}

struct Viewer {
    program: Arc<Program>,
    orders: watch::Receiver<Orders>,
    counters: Arc<Counters>,
    clock: Arc<dyn Clock>,
    id: u64,
}

/// What a viewer has set up.
struct Setup<'a> {
    program: &'a Program,
    local: IpAddr,
    now: MediaTime,
    id: u64,
    sockets: [Option<(UdpSocket, UdpSocket)>; 2],
    first: Option<u64>,
}

impl Setup<'_> {
    fn stream(&self, track: usize) -> RtpStream {
        let ssrc = (self.id as u32).wrapping_mul(2_654_435_761) ^ (track as u32 + 1);
        let (pt, rate) = match (&self.program.sound, track) {
            (Some(s), 1) => (sdp::sound_type(s), s.rate()),
            _ => (sdp::VIDEO_TYPE, 90_000),
        };
        RtpStream::new(ssrc, pt, rate, self.program.config.mtu)
    }
    /// The first frame this viewer gets: the next keyframe, as cameras that cannot make one on request do.
    fn first(&mut self) -> u64 {
        let p = self.program;
        *self.first.get_or_insert_with(|| p.clip.keyframe_at_or_after(p.clip.fps.frame_at(self.now), gop(p)))
    }
    fn player(&mut self, ways: &[Option<Way>]) -> Player {
        let first = self.first();
        let set = |i: usize| ways.get(i).is_some_and(Option::is_some);
        let video = set(0).then(|| self.stream(0));
        let audio = self.program.sound.as_ref().filter(|_| set(1)).map(|s| (self.stream(1), s));
        Player::new(self.program.clip.fps, &self.program.clip.params.config, video, audio, first)
    }
}

fn gop(p: &Program) -> u64 {
    u64::from(p.config.gop.max(1))
}

impl Stage for Setup<'_> {
    fn sdp(&mut self) -> Vec<u8> {
        let p = self.program;
        sdp::describe(self.local, &p.clip.params, p.clip.fps, p.config.parameters_in_sdp, p.sound.as_ref())
    }
    fn tracks(&self) -> usize {
        1 + usize::from(self.program.sound.is_some())
    }
    fn udp_port(&mut self, track: usize) -> Option<u16> {
        let pair = udp_pair(self.local)?;
        let port = pair.0.local_addr().ok()?.port();
        *self.sockets.get_mut(track)? = Some(pair);
        Some(port)
    }
    fn start(&mut self, track: usize) -> (u16, u32) {
        let t = self.program.clip.fps.time_of(self.first());
        let r = self.stream(track);
        (r.seq, stamp(&r, t))
    }
    fn ssrc(&self, track: usize) -> u32 {
        self.stream(track).ssrc
    }
}

/// An even port and the next one (RFC 3550 §11).
fn udp_pair(ip: IpAddr) -> Option<(UdpSocket, UdpSocket)> {
    let bind = |port| {
        let s = std::net::UdpSocket::bind(SocketAddr::new(ip, port)).ok()?;
        s.set_nonblocking(true).ok()?;
        UdpSocket::from_std(s).ok()
    };
    (0..50).find_map(|_| {
        let rtp = bind(0)?;
        let port = rtp.local_addr().ok()?.port();
        if port % 2 == 1 || port == u16::MAX {
            return None;
        }
        Some((rtp, bind(port + 1)?))
    })
}

impl Viewer {
    fn now(&self) -> MediaTime {
        self.clock.now() - self.program.start
    }

    async fn run(mut self, stream: TcpStream, peer: SocketAddr) -> Result<()> {
        let io = |e: std::io::Error| Error::io("serve a viewer", &e);
        stream.set_nodelay(true).map_err(io)?;
        let local = stream.local_addr().map_err(io)?.ip();
        let (mut reader, mut writer) = stream.into_split();
        let program = self.program.clone();
        let mut setup =
            Setup { program: &program, local, now: self.now(), id: self.id, sockets: [None, None], first: None };
        let timeout = program.config.session_timeout.into();
        let config = &program.config;
        let mut talk = Conversation::new(config.auth.clone(), &config.path, self.id, timeout, self.now());
        let mut player: Option<Playing> = None;
        let mut input = BytesMut::with_capacity(4096);
        let generation = self.orders.borrow().generation;
        loop {
            let orders = *self.orders.borrow_and_update();
            if orders.generation != generation {
                return Ok(());
            }
            if orders.frozen {
                if self.orders.changed().await.is_err() {
                    return Ok(());
                }
                continue;
            }
            let deadline =
                [player.as_ref().map(|p| p.player.next().0), talk.next_deadline()].into_iter().flatten().min();
            let wait = deadline.map(|d| (d - self.now()).to_duration());
            tokio::select! {
                n = reader.read_buf(&mut input) => {
                    if n.map_err(io)? == 0 {
                        return Ok(());
                    }
                    setup.now = self.now();
                    while let Some(request) = next_request(&mut input)? {
                        let Some(request) = request else { talk.touch(setup.now); continue };
                        let mut answer = Vec::new();
                        let step = talk.handle(setup.now, &request, &mut setup, &mut answer);
                        write(&mut writer, &answer).await?;
                        match step {
                            Step::Nothing => {}
                            Step::Play => {
                                player = Some(Playing::new(setup.player(talk.ways()), self.counters.clone()));
                            }
                            Step::Pause | Step::Teardown => {
                                self.counters.teardowns.fetch_add(u64::from(step == Step::Teardown), Ordering::Relaxed);
                                (player, setup.first) = (None, None);
                            }
                        }
                    }
                }
                () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => {
                    let now = self.now();
                    if talk.next_deadline().is_some_and(|d| d <= now) {
                        return Ok(());
                    }
                    if let Some(p) = &mut player {
                        let out = p.due(&program, &self.counters, now, orders.damage).await?;
                        deliver(&mut writer, &setup.sockets, peer.ip(), talk.ways(), &out).await?;
                    }
                }
                changed = self.orders.changed() => {
                    if changed.is_err() {
                        return Ok(());
                    }
                }
            }
        }
    }
}

/// A player that counts as a viewer while it lives.
struct Playing {
    player: Player,
    counters: Arc<Counters>,
}

impl Playing {
    fn new(player: Player, counters: Arc<Counters>) -> Self {
        counters.viewers.fetch_add(1, Ordering::Relaxed);
        Self { player, counters }
    }

    /// Everything whose time has come.
    async fn due(&mut self, p: &Program, counters: &Counters, now: MediaTime, damage: Damage) -> Result<Vec<Send>> {
        let mut out = Vec::new();
        if now - self.player.next().0 > LATE {
            self.player.skip_to(now, |n| p.clip.keyframe_at_or_after(n, gop(p)));
        }
        loop {
            let (t, due) = self.player.next();
            if t > now {
                return Ok(out);
            }
            match due {
                Due::Video(n) => {
                    let Some(mut unit) = p.clip.unit(n).await? else {
                        self.player.left_out();
                        continue;
                    };
                    let left = |c: u32| c.checked_sub(1);
                    if counters.corrupt.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left).is_ok() {
                        unit = corrupt(&unit);
                    }
                    self.player.video(&unit, damage, &mut |s| out.push(s))?;
                }
                Due::Audio(_) => match &p.sound {
                    Some(s) => self.player.audio(s, damage, &mut |s| out.push(s)),
                    None => return Ok(out),
                },
                Due::Report => self.player.report(p.wall, damage, &mut |s| out.push(s)),
            }
        }
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        self.counters.viewers.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Damages the slice data but not the NAL headers and lengths, as a bad encoder or radio link does.
fn corrupt(unit: &Unit) -> Unit {
    let mut data = unit.data.to_vec();
    let from = (data.len() / 4).max(12).min(data.len());
    data[from..].iter_mut().step_by(7).for_each(|b| *b ^= 0x5a);
    Unit { data: data.into(), keyframe: unit.keyframe }
}

/// Takes one message off the front: `Some(None)` is one that needs no answer.
#[allow(clippy::type_complexity)]
pub(super) fn next_request(input: &mut BytesMut) -> Result<Option<Option<rtsp_types::Request<Vec<u8>>>>> {
    let bad = |what: &str| Error::new(crate::ErrorKind::Protocol, what.to_owned());
    if input.is_empty() {
        return Ok(None);
    }
    match Message::<Vec<u8>>::parse(&input[..]) {
        Ok((message, used)) => {
            input.advance(used);
            Ok(Some(match message {
                Message::Request(r) => Some(r),
                Message::Response(_) | Message::Data(_) => None,
            }))
        }
        Err(ParseError::Incomplete(_)) if input.len() < MAX_REQUEST => Ok(None),
        Err(ParseError::Incomplete(_)) => Err(bad("a request without an end")),
        Err(ParseError::Error) => Err(bad("not an RTSP request")),
    }
}

async fn write(writer: &mut OwnedWriteHalf, data: &[u8]) -> Result<()> {
    match tokio::time::timeout(WRITE_LIMIT, writer.write_all(data)).await {
        Ok(r) => r.map_err(|e| Error::io("send to a viewer", &e)),
        Err(_) => Err(Error::new(crate::ErrorKind::Timeout, "a viewer takes no data")),
    }
}

async fn deliver(
    writer: &mut OwnedWriteHalf,
    sockets: &[Option<(UdpSocket, UdpSocket)>; 2],
    peer: IpAddr,
    ways: &[Option<Way>],
    out: &[Send],
) -> Result<()> {
    let mut inside = Vec::new();
    for s in out {
        let (track, data, control) = match s {
            Send::Rtp(t, d) => (t, d, false),
            Send::Rtcp(t, d) => (t, d, true),
        };
        let i = usize::from(*track == Track::Audio);
        match ways.get(i).copied().flatten() {
            Some(Way::Interleaved(rtp, rtcp)) => {
                // RFC 2326 §10.12
                inside.extend_from_slice(&[b'$', if control { rtcp } else { rtp }]);
                inside.extend_from_slice(&(data.len() as u16).to_be_bytes());
                inside.extend_from_slice(data);
            }
            Some(Way::Udp(rtp, rtcp)) => {
                if let Some((a, b)) = &sockets[i] {
                    let (socket, port) = if control { (b, rtcp) } else { (a, rtp) };
                    // A closed port answers with ICMP, which shows as an error here; UDP may lose anything.
                    let _ = socket.send_to(data, SocketAddr::new(peer, port)).await;
                }
            }
            None => {}
        }
    }
    if inside.is_empty() { Ok(()) } else { write(writer, &inside).await }
}
