//! The tokio driver: sockets under [`Connection`], and its requests under [`PtzDriver`].

use std::io;

use async_trait::async_trait;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UdpSocket, lookup_host};
use tokio::time::timeout;
use vistter_core::ports::{Preset, PtzCaps, PtzDriver, PtzPosition, PtzVelocity};
use vistter_core::time::MediaTime;
use vistter_core::{Error, ErrorKind, Result};

use super::connection::{Connection, Event, Failure, Framing, Output, Policy, Ticket};
use super::message::{Refusal, Reply, Request};
use super::units::Units;
use crate::timer::Timer;

/// How the camera is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// VISCA over IP: UDP with sequence numbers. Some cameras answer only to a fixed port of ours.
    Udp {
        /// Our own port; `None` for any.
        local_port: Option<u16>,
    },
    /// Raw messages over TCP.
    Tcp,
}

/// Which camera, and what it needs.
#[derive(Clone, Debug)]
pub struct ViscaOptions {
    /// Host name or address with port, such as `192.168.1.20:52381`.
    pub address: String,
    /// How it is reached.
    pub transport: Transport,
    /// Its ranges and speeds.
    pub units: Units,
    /// Retries, time-outs, quirks.
    pub policy: Policy,
    /// Longest wait for a name to resolve or a TCP connection to open.
    pub connect_within: MediaTime,
    /// The stored views that people know: VISCA has numbers and no way to list them. The token is the number, 0…254.
    pub presets: Vec<Preset>,
}

impl ViscaOptions {
    /// A camera at an address, with the common ranges.
    pub fn new(address: impl Into<String>, transport: Transport) -> Self {
        Self {
            address: address.into(),
            transport,
            units: Units::COMMON,
            policy: Policy::default(),
            connect_within: MediaTime::from_secs(2),
            presets: Vec::new(),
        }
    }
}

/// Highest preset number of the protocol.
const LAST_PRESET: u8 = 254;
/// Datagrams or pieces taken in one go before going on.
const MOST_AT_ONCE: usize = 64;

#[derive(Debug)]
enum Io {
    Udp(UdpSocket),
    Tcp(TcpStream),
}

/// A camera that speaks VISCA over IP. Connects at the first call, and again after a failure.
#[derive(Debug)]
pub struct ViscaDriver {
    options: ViscaOptions,
    timer: Timer,
    connection: Connection,
    io: Option<Io>,
    /// An exchange was dropped half-way.
    dirty: bool,
    /// It was told to drive and not to stop.
    driving: bool,
}

impl ViscaDriver {
    /// A driver that has not connected.
    pub fn new(options: ViscaOptions) -> Self {
        let connection = Connection::new(framing(&options), options.policy);
        Self { options, timer: Timer::new(), connection, io: None, dirty: false, driving: false }
    }

    /// Says something and waits for the answer; `None` when a command was accepted.
    async fn exchange(&mut self, request: Request) -> Result<Option<Reply>> {
        if self.dirty && matches!(self.options.transport, Transport::Tcp) {
            self.disconnect(); // a late answer could be taken for this one's
        }
        let result = self.try_exchange(request).await;
        match result {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(why)) => {
                if matches!(self.options.transport, Transport::Tcp) && matches!(why, Failure::NoAnswer) {
                    self.disconnect();
                }
                Err(self.explain(why))
            }
            Err(e) => {
                self.disconnect();
                Err(e.at(self.describe()))
            }
        }
    }

    async fn try_exchange(&mut self, request: Request) -> Result<Result<Option<Reply>, Failure>> {
        self.connect().await?;
        self.dirty = true;
        self.drain()?;
        if self.io.is_none() {
            self.connect().await?; // the camera had closed in the meantime
        }
        let (mut sends, mut verdict) = (Vec::new(), None);
        let now = self.timer.now();
        let ticket = self
            .connection
            .submit(now, request, &mut |o| sort(o, None, &mut sends, &mut verdict))
            .map_err(|_| Error::new(ErrorKind::Internal, "two VISCA messages at once"))?;
        loop {
            for bytes in std::mem::take(&mut sends) {
                self.send(&bytes).await?;
            }
            if let Some(v) = verdict.take() {
                self.dirty = false;
                return Ok(v);
            }
            let mut take = |o| sort(o, Some(ticket), &mut sends, &mut verdict);
            let mut buffer = [0u8; 256];
            let deadline = self.connection.next_deadline();
            let Some(io) = &mut self.io else { return Err(closed()) };
            tokio::select! {
                got = receive(io, &mut buffer) => {
                    let n = got?;
                    self.connection.receive(self.timer.now(), &buffer[..n], &mut take);
                }
                () = self.timer.until(deadline) => self.connection.poll(self.timer.now(), &mut take),
            }
        }
    }

    /// Takes what came between two exchanges: completions.
    fn drain(&mut self) -> Result<()> {
        let now = self.timer.now();
        let mut buffer = [0u8; 256];
        for _ in 0..MOST_AT_ONCE {
            let got = match &self.io {
                Some(Io::Udp(s)) => s.try_recv(&mut buffer),
                Some(Io::Tcp(s)) => s.try_read(&mut buffer),
                None => return Ok(()),
            };
            match got {
                Ok(0) if matches!(self.io, Some(Io::Tcp(_))) => self.disconnect(),
                Ok(n) => self.connection.receive(now, &buffer[..n], &mut |_| {}),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                // An old ICMP message or reset: the exchange that follows finds out how things are now.
                Err(_) => self.disconnect(),
            }
        }
        // Old moves run out. Nothing waits, so nothing is sent.
        if self.connection.next_deadline().is_some_and(|t| now >= t) && !self.dirty {
            self.connection.poll(now, &mut |_| {});
        }
        Ok(())
    }

    async fn connect(&mut self) -> Result<()> {
        if self.io.is_some() {
            return Ok(());
        }
        let within = self.options.connect_within.to_duration();
        let late = || Error::new(ErrorKind::Timeout, "the camera did not answer in time");
        let opened = timeout(within, open(&self.options)).await.map_err(|_| late())??;
        self.io = Some(opened);
        self.connection = Connection::new(framing(&self.options), self.options.policy);
        Ok(())
    }

    fn disconnect(&mut self) {
        self.io = None;
        self.dirty = false;
        self.connection = Connection::new(framing(&self.options), self.options.policy);
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let within = self.options.policy.stream_reply_within.to_duration();
        let sent = async {
            match &mut self.io {
                Some(Io::Udp(s)) => s.send(bytes).await.map(|_| ()),
                Some(Io::Tcp(s)) => s.write_all(bytes).await,
                None => Err(io::ErrorKind::NotConnected.into()),
            }
        };
        match timeout(within, sent).await {
            Ok(r) => r.map_err(|e| Error::io("send to the camera", &e)),
            Err(_) => Err(Error::new(ErrorKind::Timeout, "the camera takes no more data")),
        }
    }

    fn explain(&self, why: Failure) -> Error {
        let e = match why {
            Failure::NoAnswer => Error::new(ErrorKind::Timeout, "the camera does not answer VISCA")
                .next("check address and port, and that VISCA over IP is switched on in the camera"),
            Failure::OutOfStep => Error::new(ErrorKind::Protocol, "sequence numbers do not come into step")
                .next("another controller may be using this camera"),
            Failure::Refused(Refusal::Syntax) => {
                Error::new(ErrorKind::Unsupported, "the camera does not know this VISCA command")
            }
            Failure::Refused(Refusal::Full) => {
                Error::new(ErrorKind::Rejected, "the camera is busy with other commands").transient(true)
            }
            Failure::Refused(Refusal::NotNow) => Error::new(ErrorKind::Rejected, "the camera cannot do this now")
                .next("check that it is switched on, its menu is closed, and the preset is stored")
                .transient(true),
            Failure::Refused(r) => Error::new(ErrorKind::Rejected, format!("the camera refused the command: {r:?}")),
        };
        e.at(self.describe())
    }

    async fn ask_position(&mut self) -> Result<PtzPosition> {
        let odd = || Error::new(ErrorKind::Protocol, "the camera gave another answer than was asked for");
        let Some(Reply::PanTilt(at)) = self.exchange(Request::PanTilt).await? else { return Err(odd()) };
        let Some(Reply::Zoom(zoom)) = self.exchange(Request::Zoom).await? else { return Err(odd()) };
        let units = &self.options.units;
        if at.digits != units.digits {
            let fits: Vec<&str> =
                Units::TABLES.iter().filter(|(_, u)| u.digits == at.digits).map(|(name, _)| *name).collect();
            let e = Error::new(ErrorKind::Unsupported, "the camera tells its position with another number of digits");
            return Err(e.at(self.describe()).next(format!("add #units={} to its address", fits.join(" or #units="))));
        }
        Ok(units.position(at, zoom))
    }
}

fn framing(options: &ViscaOptions) -> Framing {
    match options.transport {
        Transport::Udp { .. } => Framing::Udp,
        Transport::Tcp => Framing::Tcp,
    }
}

/// The verdict on `ticket` (the only one that can have one while it is `None`), and what is to be sent.
fn sort(
    o: Output,
    ticket: Option<Ticket>,
    sends: &mut Vec<Vec<u8>>,
    verdict: &mut Option<Result<Option<Reply>, Failure>>,
) {
    match o {
        Output::Send(bytes) => sends.push(bytes),
        Output::Event(t, event) if ticket.is_none_or(|w| w == t) => match event {
            Event::Accepted => *verdict = Some(Ok(None)),
            Event::Answer(reply) => *verdict = Some(Ok(Some(reply))),
            Event::Failed(why) => *verdict = Some(Err(why)),
            Event::Done => {}
        },
        Output::Event(..) => {}
    }
}

fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the camera closed the connection")
}

async fn open(options: &ViscaOptions) -> Result<Io> {
    let unknown = |e: &io::Error| {
        Error::new(ErrorKind::NameResolution, format!("the camera's address does not resolve: {e}"))
            .next("check the address; it needs a port")
    };
    let to = lookup_host(&options.address).await.map_err(|e| unknown(&e))?.next();
    let to = to.ok_or_else(|| unknown(&io::ErrorKind::NotFound.into()))?;
    let failed = |e: io::Error| Error::io("connect", &e);
    match options.transport {
        Transport::Tcp => {
            let stream = TcpStream::connect(to).await.map_err(failed)?;
            stream.set_nodelay(true).map_err(failed)?;
            Ok(Io::Tcp(stream))
        }
        Transport::Udp { local_port } => {
            let any = if to.is_ipv4() { "0.0.0.0" } else { "::" };
            let socket = UdpSocket::bind((any, local_port.unwrap_or(0))).await.map_err(failed)?;
            socket.connect(to).await.map_err(failed)?;
            Ok(Io::Udp(socket))
        }
    }
}

/// Cancel-safe.
async fn receive(io: &mut Io, buffer: &mut [u8]) -> Result<usize> {
    let failed = |e: io::Error| Error::io("receive from the camera", &e);
    match io {
        Io::Udp(s) => s.recv(buffer).await.map_err(failed),
        Io::Tcp(s) => loop {
            s.readable().await.map_err(failed)?;
            match s.try_read(buffer) {
                Ok(0) => return Err(closed()),
                Ok(n) => return Ok(n),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                Err(e) => return Err(failed(e)),
            }
        },
    }
}

/// A camera without zoom may refuse to do nothing with it.
fn without_zoom(nothing: bool, zoomed: Result<Option<Reply>>) -> Result<()> {
    match zoomed {
        Err(e) if !nothing || e.kind() != ErrorKind::Unsupported => Err(e),
        _ => Ok(()),
    }
}

fn number(preset: &Preset) -> Result<u8> {
    preset.token.parse().ok().filter(|n| *n <= LAST_PRESET).ok_or_else(|| {
        Error::new(ErrorKind::NotFound, format!("VISCA has no preset {:?}", preset.token))
            .next("presets are numbers from 0 to 254")
            .transient(false)
    })
}

#[async_trait]
impl PtzDriver for ViscaDriver {
    fn describe(&self) -> String {
        format!("VISCA camera {}", self.options.address)
    }
    async fn capabilities(&mut self) -> Result<PtzCaps> {
        Ok(PtzCaps {
            absolute: true,
            relative: true,
            continuous: true,
            home: true,
            position: true,
            moving: true,
            list_presets: false,
            save_presets: true,
            max_presets: Some(u32::from(LAST_PRESET) + 1),
        })
    }
    async fn position(&mut self) -> Result<Option<PtzPosition>> {
        self.ask_position().await.map(Some)
    }
    async fn presets(&mut self) -> Result<Vec<Preset>> {
        Ok(self.options.presets.clone())
    }
    async fn go_to(&mut self, preset: &Preset) -> Result<()> {
        self.exchange(Request::RecallPreset(number(preset)?)).await?;
        self.driving = false;
        Ok(())
    }
    async fn stop(&mut self) -> Result<()> {
        // Both, whatever becomes of one: a camera without zoom refuses it and must stop all the same.
        let zoom = self.exchange(Request::ZoomDrive(0)).await;
        self.exchange(Request::STOP).await?;
        // A recalled preset or an absolute move may go on after that; a camera that has ended it refuses the Cancel.
        let sockets: Vec<u8> = self.connection.move_sockets().collect();
        for socket in sockets {
            match self.exchange(Request::Cancel(socket)).await {
                Err(e) if e.kind() == ErrorKind::Timeout => return Err(e),
                _ => {}
            }
        }
        self.connection.forget_moves();
        self.driving = false;
        without_zoom(true, zoom)
    }
    /// From the completions: a camera tells by itself when a move has ended. Costs no exchange.
    async fn moving(&mut self) -> Result<Option<bool>> {
        if self.io.is_none() {
            return Ok(None);
        }
        self.drain()?;
        Ok(Some(self.driving || self.connection.is_moving()))
    }
    async fn absolute(&mut self, to: PtzPosition, speed: Option<f32>) -> Result<()> {
        let (at, zoom) = (self.options.units.pan_tilt(to), self.options.units.zoom(to));
        let speed = self.options.units.speed(speed);
        self.exchange(Request::MoveTo { to: at, speed }).await?;
        let zoomed = self.exchange(Request::ZoomTo(zoom)).await;
        self.driving = false;
        without_zoom(zoom == 0, zoomed)
    }
    async fn relative(&mut self, by: PtzPosition, speed: Option<f32>) -> Result<()> {
        let distance = self.options.units.distance(by);
        let speed = self.options.units.speed(speed);
        if (distance.pan, distance.tilt) != (0, 0) {
            self.exchange(Request::MoveBy { by: distance, speed }).await?;
        }
        if by.zoom != 0.0 && by.zoom.is_finite() {
            // There is no relative zoom: from where it is.
            let from = self.ask_position().await?;
            let zoom = self.options.units.zoom(PtzPosition { zoom: from.zoom + by.zoom, ..from });
            self.exchange(Request::ZoomTo(zoom)).await?;
        }
        self.driving = false;
        Ok(())
    }
    async fn continuous(&mut self, velocity: PtzVelocity, _within: MediaTime) -> Result<()> {
        let (pan, tilt, zoom) = self.options.units.drive(velocity);
        self.driving = (pan, tilt, zoom) != (0, 0, 0);
        self.exchange(Request::Drive { pan, tilt }).await?;
        let zoomed = self.exchange(Request::ZoomDrive(zoom)).await;
        without_zoom(zoom == 0, zoomed)
    }
    async fn home(&mut self) -> Result<()> {
        self.exchange(Request::Home).await?;
        self.driving = false;
        Ok(())
    }
    async fn save_preset(&mut self, name: &str, replace: Option<&Preset>) -> Result<Preset> {
        let n = match replace {
            Some(p) => number(p)?,
            None => {
                let taken: Vec<u8> = self.options.presets.iter().filter_map(|p| number(p).ok()).collect();
                (0..=LAST_PRESET)
                    .find(|n| !taken.contains(n))
                    .ok_or_else(|| Error::new(ErrorKind::Limit, "all presets are taken").next("remove one"))?
            }
        };
        self.exchange(Request::SavePreset(n)).await?;
        let preset = Preset { token: n.to_string(), name: name.to_owned() };
        self.options.presets.retain(|p| p.token != preset.token);
        self.options.presets.push(preset.clone());
        Ok(preset)
    }
    async fn remove_preset(&mut self, preset: &Preset) -> Result<()> {
        self.exchange(Request::ClearPreset(number(preset)?)).await?;
        self.options.presets.retain(|p| p.token != preset.token);
        Ok(())
    }
}
