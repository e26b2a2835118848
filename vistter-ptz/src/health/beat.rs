//! The questions. Each is light: one exchange, no password, no stream.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::net::TcpStream;
use vistter_core::clock::Clock;
use vistter_core::config::Address;
use vistter_core::time::MediaTime;
use vistter_core::{Error, ErrorKind, Result};

use crate::mover::Mover;
use crate::onvif::{OnvifClient, OnvifOptions};
use crate::rtsp;

/// What an answer tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beat {
    /// The camera's clock minus ours, if it tells.
    pub skew: Option<MediaTime>,
}

/// A way to ask whether a camera is there.
#[async_trait]
pub trait Heartbeat: Send {
    /// For logs and errors, without secrets.
    fn describe(&self) -> String;
    /// Asks once. May be dropped half-way.
    async fn beat(&mut self) -> Result<Beat>;
}

/// The clock of an ONVIF device (GetSystemDateAndTime, which needs no password), on a connection of its own.
#[derive(Debug)]
pub struct OnvifBeat(OnvifClient);

impl OnvifBeat {
    /// For this device. Credentials are not used.
    pub fn new(options: OnvifOptions) -> Self {
        Self(OnvifClient::new(OnvifOptions { credentials: None, ..options }))
    }
}

#[async_trait]
impl Heartbeat for OnvifBeat {
    fn describe(&self) -> String {
        self.0.describe()
    }
    async fn beat(&mut self) -> Result<Beat> {
        Ok(Beat { skew: Some(self.0.read_clock().await?) })
    }
}

/// Position and motion, asked through the camera's mover: for protocols with one conversation (VISCA). It waits its turn
/// behind the mover's own commands. Holds a [`Mover`], so that its task lives as long as this.
#[derive(Debug)]
pub struct MoverBeat(pub Mover);

#[async_trait]
impl Heartbeat for MoverBeat {
    fn describe(&self) -> String {
        "camera control".into()
    }
    async fn beat(&mut self) -> Result<Beat> {
        match self.0.status().await {
            Ok(_) => Ok(Beat::default()),
            // It has answered.
            Err(e) if matches!(e.kind(), ErrorKind::Unsupported | ErrorKind::Rejected) => Ok(Beat::default()),
            Err(e) => Err(e),
        }
    }
}

/// An RTSP OPTIONS: for cameras that nothing else is known of. It opens no session.
#[derive(Clone, Debug)]
pub struct RtspBeat {
    /// Host and port.
    pub authority: String,
    /// Longest wait.
    pub within: MediaTime,
}

#[async_trait]
impl Heartbeat for RtspBeat {
    fn describe(&self) -> String {
        format!("RTSP at {}", self.authority)
    }
    async fn beat(&mut self) -> Result<Beat> {
        rtsp::options(&self.authority, self.within.to_duration()).await.map(|()| Beat::default())
    }
}

/// A TCP connection that is closed at once: for devices that log, or count, every request.
#[derive(Clone, Debug)]
pub struct TcpBeat {
    /// Host and port.
    pub authority: String,
}

#[async_trait]
impl Heartbeat for TcpBeat {
    fn describe(&self) -> String {
        self.authority.clone()
    }
    async fn beat(&mut self) -> Result<Beat> {
        let opened = TcpStream::connect(&self.authority).await;
        opened.map(|_| Beat::default()).map_err(|e| Error::io("connect", &e).at(self.authority.clone()))
    }
}

/// The lightest question for a camera's address: `onvif://`, `http://` and `https://` its clock, `visca://` and `visca-tcp://` an inquiry through its
/// mover (without one: the TCP connection), `rtsp://` an OPTIONS, `rtsps://` a connection.
///
/// # Errors
/// `Config`, when the address is none of these; `visca://` (UDP) without a mover.
pub fn heartbeat(address: &Address, mover: Option<&Mover>, clock: Arc<dyn Clock>) -> Result<Box<dyn Heartbeat>> {
    let bad = |what: &str| Error::new(ErrorKind::Config, what).at(address.shown().to_owned());
    // Behind the # stand quirks; none of them is about the clock's question.
    let at = address.parts().ok_or_else(|| bad("the port is no number from 1 to 65535"))?;
    Ok(match (address.scheme(), mover) {
        (scheme @ ("onvif" | "http" | "https"), _) => {
            let port = at.port.or((scheme == "http").then_some(80));
            let mut options = OnvifOptions::new(at.host, port, None, clock);
            // Nothing secret is said: whatever certificate it shows will do.
            options.secure = scheme == "https";
            if at.path.len() > 1 {
                options.path = at.path.to_owned();
            }
            Box::new(OnvifBeat::new(options))
        }
        ("visca" | "visca-tcp", Some(m)) => Box::new(MoverBeat(m.clone())),
        ("visca-tcp", None) => Box::new(TcpBeat { authority: at.authority(crate::visca::TCP_PORT) }),
        ("rtsp", _) => Box::new(RtspBeat { authority: at.authority(554), within: MediaTime::from_secs(5) }),
        ("rtsps", _) => Box::new(TcpBeat { authority: at.authority(322) }),
        ("visca", None) => return Err(bad("VISCA over UDP is asked through the camera's mover")),
        _ => return Err(bad("this is no address of a camera")),
    })
}
