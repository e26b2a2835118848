//! How to reach an RTSP camera.

use std::time::Duration;

use crate::config::{Address, Credentials, Transport};
use crate::error::{Error, ErrorKind, Result};

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

/// Whom to trust behind `rtsps://`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TlsPolicy {
    /// A certificate that chains to a public authority (Mozilla's list) and names the host.
    #[default]
    Verify,
    /// As [`TlsPolicy::Verify`], with these authorities (DER certificates) instead of the public ones.
    Authorities(Vec<Vec<u8>>),
    /// Exactly the certificate whose DER form has this SHA-256. For self-signed cameras; name and dates are not looked at.
    Pin([u8; 32]),
    /// Any certificate: whoever answers gets the password. For a first look on a network you trust.
    Insecure,
}

impl TlsPolicy {
    /// A pin from 64 hexadecimal digits; colons and white space between them are skipped.
    ///
    /// # Errors
    /// `Config` when the text is not a SHA-256.
    pub fn pin(text: &str) -> Result<Self> {
        let digits: Vec<u8> = text.chars().filter(|c| *c != ':' && !c.is_whitespace()).map_while(hex).collect();
        let wanted = text.chars().filter(|c| *c != ':' && !c.is_whitespace()).count();
        let mut pin = [0u8; 32];
        if digits.len() != 64 || wanted != 64 {
            return Err(Error::new(ErrorKind::Config, "a certificate pin is not a SHA-256")
                .next("give 64 hexadecimal digits, as the error of an unpinned connection prints them"));
        }
        for (byte, pair) in pin.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = pair[0] << 4 | pair[1];
        }
        Ok(Self::Pin(pin))
    }
}

fn hex(c: char) -> Option<u8> {
    c.to_digit(16).and_then(|d| u8::try_from(d).ok())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_read_strictly() {
        let text = "0a:".repeat(31) + "FF";
        let mut want = [0x0a; 32];
        want[31] = 0xff;
        assert_eq!(TlsPolicy::pin(&text).unwrap(), TlsPolicy::Pin(want));
        for bad in ["", "0a", &"zz".repeat(32), &("0a".repeat(32) + "0"), &("0a".repeat(31) + "0g")] {
            assert!(TlsPolicy::pin(bad).is_err(), "{bad}");
        }
    }
}
