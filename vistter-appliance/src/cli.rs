//! What can be typed.

pub(crate) mod ocl;
pub(crate) mod onboard;
pub(crate) mod told;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use vistter_core::Secret;
use vistter_core::config::{Span, Transport};
use vistter_core::diagnose::nearest;

const AFTER: &str = "\
Exit codes: 0 done · 1 failed · 2 wrong usage · 3 the show file is wrong · 4 the show ran, a part of it never worked

First steps:
  vistter demo                            a whole show on this machine, nothing needed
  vistter discover                        cameras on the network
  vistter onboard onvif://USER:PASSWORD@CAMERA   is it fit for a show, and which stream of it
  vistter check show.json                 what is wrong with a show file
  vistter run show.json                   on air";

/// Live production on a small box: cameras in, one program out, many destinations.
#[derive(Debug, Parser)]
#[command(name = "vistter", version, after_help = AFTER, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// What is logged to stderr: off, error, warn, info, debug, trace, or a filter such as info,vistter_rtmp=debug
    #[arg(long, global = true, value_name = "LEVEL", env = "VISTTER_LOG")]
    pub(crate) log: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Play a show file until it ends or Ctrl-C
    Run(RunArgs),
    /// Play a whole show with simulated cameras and receivers, all inside this process
    Demo(DemoArgs),
    /// Say what a camera sends
    Probe(ProbeArgs),
    /// Find ONVIF cameras on the network
    Discover(DiscoverArgs),
    /// Try a camera before it is put into a show: its password, its best stream, the first picture, its presets
    Onboard(onboard::OnboardArgs),
    /// Move a camera, list and store its presets
    Ptz(PtzArgs),
    /// Say what this machine can do
    Doctor(DoctorArgs),
    /// Find everything that is wrong with a show file and its overlays
    Check(CheckArgs),
    /// Print a JSON Schema
    Schema(SchemaArgs),
    /// Check, draw and explain overlay documents
    Ocl(ocl::OclArgs),
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The show file (docs/show.md)
    pub(crate) show: PathBuf,
    /// File that keeps how long cameras take from preset to preset; without it: in the user's state folder
    #[arg(long, value_name = "FILE", env = "VISTTER_LEARNED")]
    pub(crate) learned: Option<PathBuf>,
    /// End the show after this long, such as 20s or 600f
    #[arg(long = "for", value_name = "LENGTH", value_parser = span)]
    pub(crate) length: Option<Span>,
    /// Leave overlay documents as they were when the show began, whatever becomes of their files
    #[arg(long)]
    pub(crate) no_reload: bool,
    /// One JSON object a line on stdout: a status each second, events as they happen, a summary at the end
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// End the show after this long, such as 20s; otherwise Ctrl-C ends it
    #[arg(long = "for", value_name = "LENGTH", value_parser = span)]
    pub(crate) length: Option<Span>,
    /// Where the recording, the picture and the received streams go
    #[arg(long, value_name = "DIR", default_value = "vistter-demo")]
    pub(crate) out: PathBuf,
    /// One JSON object a line on stdout, as for run
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ProbeArgs {
    /// rtsp:// or rtsps:// address; user and password may stand in it
    // Read by the command, not by clap: clap would quote a wrong one, password and all.
    #[arg(value_parser = secret)]
    pub(crate) url: Secret<String>,
    /// SHA-256 of the certificate of an rtsps:// camera, where nobody vouches for it
    #[arg(long, value_name = "SHA256")]
    pub(crate) pin: Option<String>,
    /// How long to watch, in seconds
    #[arg(long = "for", value_name = "LENGTH", value_parser = seconds, default_value = "5s")]
    pub(crate) length: Duration,
    /// How RTP comes
    #[arg(long, value_enum, default_value = "tcp")]
    pub(crate) transport: TransportArg,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DiscoverArgs {
    /// Addresses to ask one by one, where the network carries no multicast: 10.0.0.7, 10.0.0.5-20, 10.0.0.0/24, fd00::7
    pub(crate) addresses: Vec<String>,
    /// How long to search, in seconds
    #[arg(long = "for", value_name = "LENGTH", value_parser = seconds, default_value = "4s")]
    pub(crate) length: Duration,
    /// Own address of an interface to search; every one, unless addresses are given
    #[arg(long, value_name = "IP")]
    pub(crate) interface: Vec<std::net::Ipv4Addr>,
    /// The cameras' mDNS port, for tests
    #[arg(long, default_value_t = 5353, hide = true)]
    pub(crate) mdns_port: u16,
    /// The cameras' discovery port, for tests
    #[arg(long, default_value_t = 3702, hide = true)]
    pub(crate) port: u16,
    /// One JSON object a line on stdout: a camera each, a summary at the end
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PtzArgs {
    /// onvif://USER:PASSWORD@CAMERA:PORT, https://CAMERA, visca://CAMERA:PORT (UDP) or visca-tcp://CAMERA:PORT; the port may be left out
    // Read by the command, not by clap: clap would quote a wrong one, password and all.
    #[arg(value_parser = secret)]
    pub(crate) camera: Secret<String>,
    #[command(subcommand)]
    pub(crate) action: PtzAction,
    /// What this ONVIF camera needs, such as stop=zero or auth=ws-text (docs/quirks.md); may be given again
    #[arg(long = "quirk", value_name = "NAME=VALUE", global = true)]
    pub(crate) quirks: Vec<String>,
    /// File that keeps the certificate each https:// camera showed first; without it: in the user's state folder
    #[arg(long, value_name = "FILE", env = "VISTTER_PINS", global = true)]
    pub(crate) pins: Option<PathBuf>,
    /// Take the certificate that the camera shows now, in place of the one it showed before
    #[arg(long, global = true)]
    pub(crate) new_certificate: bool,
    /// One JSON object on stdout
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PtzAction {
    /// List the presets
    List {
        /// Also the slots that nobody has named, under the names that the camera gives them
        #[arg(long)]
        all: bool,
    },
    /// Give a preset another name: the camera goes there and stores it anew
    Rename {
        /// Its name or its token
        preset: String,
        /// The new name
        name: String,
    },
    /// Remove a preset
    Remove {
        /// Its name or its token
        preset: String,
    },
    /// Write the presets to a file
    Export {
        /// The file; stdout without one
        file: Option<PathBuf>,
        /// Go to each preset whose position the camera does not tell
        #[arg(long)]
        visit: bool,
    },
    /// Store the presets of a file in the camera: it goes to each
    Import {
        /// The file
        file: PathBuf,
        /// Also those that the camera has under the same name
        #[arg(long)]
        replace: bool,
    },
    /// Move to a preset and wait until the camera stands
    Goto {
        /// Its name or its token
        preset: String,
    },
    /// Store the present view as a preset
    Capture {
        /// Its name
        name: String,
    },
    /// Move to a position and wait until the camera stands
    Move {
        /// -1 (left) to 1 (right)
        #[arg(allow_negative_numbers = true)]
        pan: f32,
        /// -1 (down) to 1 (up)
        #[arg(allow_negative_numbers = true)]
        tilt: f32,
        /// 0 (wide) to 1 (tele)
        zoom: f32,
    },
    /// Stop all motion
    Stop,
    /// Say where the camera looks and whether it moves
    Status,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The show file (docs/show.md)
    pub(crate) show: PathBuf,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// Of what
    #[arg(value_enum)]
    pub(crate) of: SchemaOf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SchemaOf {
    /// The show file
    Show,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum TransportArg {
    /// Inside the RTSP connection
    Tcp,
    /// As datagrams
    Udp,
}

impl From<TransportArg> for Transport {
    fn from(t: TransportArg) -> Self {
        match t {
            TransportArg::Tcp => Self::Tcp,
            TransportArg::Udp => Self::Udp,
        }
    }
}

/// Names the command that was probably meant, or all of them.
pub(crate) fn suggest(typed: &str) {
    let all = Cli::command();
    let names: Vec<&str> = all.get_subcommands().map(clap::Command::get_name).collect();
    match nearest(typed, names.iter().copied()) {
        Some(name) => eprintln!("Did you mean: vistter {name}"),
        None => eprintln!("Commands: {}", names.join(", ")),
    }
}

fn span(text: &str) -> Result<Span, String> {
    match Span::parse(text) {
        Some(Span::Frames(0)) => Err("this is no time at all".into()),
        Some(Span::Time(t)) if t.nanos() <= 0 => Err("this is no time at all".into()),
        Some(s) => Ok(s),
        None => Err("give seconds or frames: 20s, 2.5, 600f".into()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    match span(text)? {
        Span::Time(t) if t.to_duration() <= Duration::from_secs(3600) => Ok(t.to_duration()),
        Span::Time(_) => Err("at most an hour".into()),
        Span::Frames(_) => Err("give seconds: 5s, 2.5".into()),
    }
}

fn secret(text: &str) -> Result<Secret<String>, std::convert::Infallible> {
    Ok(Secret::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
    #[test]
    fn lengths() {
        assert_eq!(span("20s"), Ok(Span::secs(20)));
        assert!(span("0").is_err() && span("0f").is_err() && span("x").is_err());
        assert!(seconds("10f").is_err() && seconds("99999").is_err());
    }
}
