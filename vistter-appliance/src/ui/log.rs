//! Logs on stderr. They never hold a secret: addresses print without one, and foreign crates are silent below `warn`
//! unless the filter names them.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::cli::{Cli, Command};

/// A live line stands on the terminal.
static LINE: AtomicBool = AtomicBool::new(false);

/// Starts logging.
pub(crate) fn init(cli: &Cli) {
    let terminal = io::stderr().is_terminal();
    let default = match &cli.command {
        Command::Run(a) if a.json || !terminal => "info",
        Command::Run(_) | Command::Demo(_) => "warn",
        _ => "error",
    };
    let wanted = cli.log.as_deref().unwrap_or(default);
    let filter = EnvFilter::try_new(filter_of(wanted)).unwrap_or_else(|e| {
        eprintln!("vistter: --log {wanted}: {e}; using {default}");
        EnvFilter::new(filter_of(default))
    });
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(terminal).with_target(false).with_writer(Lines).init();
}

/// A bare level is about our crates; others may print what they were given, passwords included.
fn filter_of(wanted: &str) -> String {
    let level = ["off", "error", "warn", "info", "debug", "trace"].contains(&wanted.to_ascii_lowercase().as_str());
    if !level {
        return wanted.to_owned();
    }
    let ours = ["vistter", "vistter_core", "vistter_ocl", "vistter_ptz", "vistter_rtmp"];
    let rest = if wanted.eq_ignore_ascii_case("off") { "off" } else { "error" };
    ours.iter().fold(rest.to_owned(), |all, c| format!("{all},{c}={wanted}"))
}

/// Says whether a live line stands on the terminal now.
pub(crate) fn line_is_up(up: bool) {
    LINE.store(up, Ordering::Relaxed);
}

/// Takes the live line away before something else is printed.
pub(crate) fn clear_line() {
    if LINE.swap(false, Ordering::Relaxed) {
        let _ = io::stderr().write_all(b"\r\x1b[K");
    }
}

struct Lines;

impl<'a> MakeWriter<'a> for Lines {
    type Writer = io::StderrLock<'a>;
    fn make_writer(&'a self) -> Self::Writer {
        clear_line();
        io::stderr().lock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_level_is_ours() {
        assert_eq!(filter_of("off").split(',').next(), Some("off"));
        assert!(filter_of("debug").starts_with("error,vistter=debug,"));
        assert_eq!(filter_of("info,retina=debug"), "info,retina=debug");
        assert!(EnvFilter::try_new(filter_of("TRACE")).is_ok());
    }
}
