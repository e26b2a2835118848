//! The live line: the state of the show, once a second, on one line of a terminal; a log line now and then elsewhere.

use std::io::{self, IsTerminal, Write};

use vistter_core::feed::{FeedState, HeadStatus};
use vistter_core::output::{OutputState, OutputStatus};
use vistter_core::session::SessionStatus;

use super::{human, log};

/// Seconds between two lines when stderr is no terminal.
const EVERY: u64 = 10;
const WIDTH: usize = 100;

/// Prints states.
#[derive(Debug)]
pub(crate) struct Live {
    terminal: bool,
    quiet: bool,
    seconds: u64,
}

impl Live {
    /// `quiet` prints nothing: JSON goes to stdout instead.
    pub(crate) fn new(quiet: bool) -> Self {
        Self { terminal: io::stderr().is_terminal(), quiet, seconds: 0 }
    }

    /// Shows the state; called once a second.
    pub(crate) fn show(&mut self, status: &SessionStatus, fps: f64) {
        if self.quiet {
            return;
        }
        let text = line(status, fps);
        if self.terminal {
            let width = terminal_size::terminal_size_of(io::stderr()).map_or(WIDTH, |(w, _)| usize::from(w.0));
            let mut err = io::stderr().lock();
            // One column stays free: a full line makes some terminals wrap.
            let _ = write!(err, "\r\x1b[K{}", human::cut(&text, width.saturating_sub(1)));
            let _ = err.flush();
            log::line_is_up(true);
        } else {
            if self.seconds.is_multiple_of(EVERY) {
                tracing::info!("{text}");
            }
            self.seconds += 1;
        }
    }

    /// Leaves the last state standing.
    pub(crate) fn end(&self) {
        if self.terminal && !self.quiet {
            eprintln!();
            log::line_is_up(false);
        }
    }
}

/// One line about everything.
pub(crate) fn line(s: &SessionStatus, fps: f64) -> String {
    let mut parts = Vec::new();
    match &s.program {
        Some(p) => {
            let seconds = (p.frame as f64 / fps.max(1.0)) as u64;
            parts.push(format!("{}  {:.1} fps  {}", human::clock(seconds), p.fps, human::bitrate(p.video_bps)));
            if p.counters.skipped > 0 {
                parts.push(format!("{} frames left out", p.counters.skipped));
            }
        }
        None => parts.push("waiting for the first picture".into()),
    }
    if let Some(v) = &s.on_air {
        parts.push(format!("on air: {v}"));
    }
    parts.extend(s.heads.iter().filter_map(head));
    let online = s.cameras.iter().filter(|c| c.state == FeedState::Online).count();
    parts.push(format!("cameras {online}/{}", s.cameras.len()));
    parts.extend(s.outputs.iter().map(output));
    parts.join(" | ")
}

/// Where a camera that moves stands, or goes; nothing before its first move.
fn head(h: &HeadStatus) -> Option<String> {
    let state = match (&h.error, &h.moving_to, &h.preset) {
        _ if h.operator => "by hand".to_owned(),
        (_, Some(to), _) => format!("-> {to}"),
        (Some(_), ..) => "does NOT MOVE".to_owned(),
        (None, None, Some(at)) => format!("at {at}"),
        (None, None, None) => return None,
    };
    Some(format!("{} {state}", h.camera))
}

fn output(o: &OutputStatus) -> String {
    let state = match o.state {
        OutputState::Connecting => "connecting".to_owned(),
        OutputState::Live if o.dropped_frames > 0 => {
            format!("live {} ({} dropped)", human::bitrate(o.bitrate_bps), o.dropped_frames)
        }
        OutputState::Live => format!("live {}", human::bitrate(o.bitrate_bps)),
        OutputState::Waiting { next_try_ms } => format!("again in {} s", next_try_ms.div_ceil(1000)),
        OutputState::Failed { .. } => "FAILED".to_owned(),
        OutputState::Stopped => "stopped".to_owned(),
    };
    format!("{} {state}", o.id)
}
