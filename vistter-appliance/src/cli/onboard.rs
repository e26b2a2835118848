//! What can be typed after `vistter onboard`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use vistter_core::Secret;

use super::{TransportArg, seconds, secret};

#[derive(Debug, Args)]
pub(crate) struct OnboardArgs {
    /// HOST, HOST:PORT or onvif://USER:PASSWORD@HOST for an ONVIF camera, rtsp://USER:PASSWORD@HOST/PATH for a stream, or
    /// rtmp://OWN-ADDRESS:1935/APP/KEY to wait for an encoder that pushes
    // Read by the command, not by clap: clap would quote a wrong one, password and all.
    #[arg(value_parser = secret)]
    pub(crate) address: Secret<String>,
    /// User, instead of inside the address
    #[arg(long, value_name = "USER")]
    pub(crate) user: Option<String>,
    /// File with the password, instead of inside the address; - reads stdin. The environment variable
    /// VISTTER_CAMERA_PASSWORD serves, too
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// ONVIF port, asked before the usual ones
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: Option<u16>,
    /// Write the first picture there: JPEG, if the name ends in .jpg, else PNG
    #[arg(long, value_name = "FILE")]
    pub(crate) picture: Option<PathBuf>,
    /// Put the camera into this show file, which stays as it is otherwise
    #[arg(long, value_name = "SHOW")]
    pub(crate) add: Option<PathBuf>,
    /// SHA-256 of the certificate of a camera's rtsps:// stream, where nobody vouches for it
    #[arg(long, value_name = "SHA256")]
    pub(crate) pin: Option<String>,
    /// File that keeps the certificate each https:// camera showed first; without it: in the user's state folder
    #[arg(long, value_name = "FILE", env = "VISTTER_PINS")]
    pub(crate) pins: Option<PathBuf>,
    /// Take the certificate that an https:// camera shows now, in place of the one it showed before
    #[arg(long)]
    pub(crate) new_certificate: bool,
    /// How long to watch the stream at most; two keyframes end it
    #[arg(long = "for", value_name = "LENGTH", value_parser = seconds, default_value = "3s")]
    pub(crate) length: Duration,
    /// How long to wait for an encoder (rtmp://)
    #[arg(long, value_name = "LENGTH", value_parser = seconds, default_value = "60s")]
    pub(crate) wait: Duration,
    /// Size of the program that the camera is for
    #[arg(long, value_name = "WxH", value_parser = size, default_value = "1920x1080")]
    pub(crate) size: (u32, u32),
    /// Take the sub stream instead of the main one
    #[arg(long)]
    pub(crate) sub: bool,
    /// How RTP comes
    #[arg(long, value_enum, default_value = "tcp")]
    pub(crate) transport: TransportArg,
    /// The camera's id in the show file
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
    /// Ports to ask for ONVIF, for tests
    #[arg(long, value_delimiter = ',', hide = true)]
    pub(crate) onvif_ports: Option<Vec<u16>>,
    /// Ports to ask for RTSP, for tests
    #[arg(long, value_delimiter = ',', hide = true)]
    pub(crate) rtsp_ports: Option<Vec<u16>>,
    /// One JSON object a line on stdout: a step each as it ends, the report at the end
    #[arg(long)]
    pub(crate) json: bool,
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let parsed = text.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    parsed
        .filter(|(w, h)| (16..=8192).contains(w) && (16..=8192).contains(h))
        .ok_or("give 1280x720, or the like".into())
}
