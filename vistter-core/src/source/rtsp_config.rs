//! How to reach an RTSP camera.

use std::time::Duration;

use crate::config::{Address, Credentials, Transport};
use crate::tls::TlsPolicy;

/// How long to wait for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtspTimeouts {
    /// For each step of connecting: TCP (and TLS) with DESCRIBE, each SETUP, PLAY.
    pub connect: Duration,
    /// From PLAY to the first picture.
    pub first_frame: Duration,
    /// From one picture to the next. Cameras that send fewer pictures in the dark need more than a second.
    pub silence: Duration,
}

impl Default for RtspTimeouts {
    /// 10 s to connect, 10 s to the first picture, 5 s of silence.
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), first_frame: Duration::from_secs(10), silence: Duration::from_secs(5) }
    }
}

/// One camera stream.
#[derive(Clone, Debug)]
pub struct RtspConfig {
    /// `rtsp://` or `rtsps://`; user and password are taken from it.
    pub address: Address,
    /// How RTP comes. Behind `rtsps://` always inside the connection.
    pub transport: Transport,
    /// Time-outs.
    pub timeouts: RtspTimeouts,
    /// Sent with each request.
    pub user_agent: String,
    /// Whom to trust behind `rtsps://`.
    pub tls: TlsPolicy,
    /// Ask for the sound too, where there is any.
    pub audio: bool,
}

impl RtspConfig {
    /// TCP, default time-outs, with sound.
    pub fn new(address: Address) -> Self {
        Self {
            address,
            transport: Transport::Tcp,
            timeouts: RtspTimeouts::default(),
            user_agent: concat!("VistterStream/", env!("CARGO_PKG_VERSION")).to_owned(),
            tls: TlsPolicy::default(),
            audio: true,
        }
    }
    /// With another transport.
    #[must_use]
    pub fn transport(mut self, transport: Transport) -> Self {
        self.transport = transport;
        self
    }
    /// With user and password that are not in the URL.
    #[must_use]
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.address = self.address.with_credentials(credentials);
        self
    }
    /// With other time-outs.
    #[must_use]
    pub fn timeouts(mut self, timeouts: RtspTimeouts) -> Self {
        self.timeouts = timeouts;
        self
    }
    /// With another trust in certificates.
    #[must_use]
    pub fn tls(mut self, tls: TlsPolicy) -> Self {
        self.tls = tls;
        self
    }
}
