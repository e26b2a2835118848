//! Plays a session to its end: state once a second, events, signals, the summary. Shared by `run` and `demo`.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;
use vistter::{Documents, Session};
use vistter_core::output::mp4::Recordings;
use vistter_core::output::{OutputState, OutputStatus};
use vistter_core::session::SessionStatus;
use vistter_core::{Error, ErrorKind};

use crate::exit::Exit;
use crate::ui::live::Live;
use crate::ui::{fail, human, json};

/// How to play.
pub(super) struct Play {
    pub(super) json: bool,
    pub(super) fps: f64,
    /// Documents that are kept as their files are.
    pub(super) documents: Option<Documents>,
}

/// What was played.
#[derive(Debug)]
pub(super) struct Played {
    pub(super) status: SessionStatus,
    pub(super) fps: f64,
    /// Parts that never worked, or were down at the end.
    pub(super) trouble: Vec<String>,
}

impl Played {
    pub(super) fn exit(&self) -> Exit {
        if self.trouble.is_empty() { Exit::Ok } else { Exit::Incomplete }
    }
}

/// The exit code for a show that did not start.
pub(super) fn exit_of(e: &Error) -> Exit {
    if e.kind() == ErrorKind::Config { Exit::Invalid } else { Exit::Failed }
}

/// Plays until the show ends or a signal comes; `each_second` sees the session.
pub(super) async fn until_the_end(session: Session, how: Play, mut each_second: impl FnMut(&Session)) -> Played {
    let mut live = Live::new(how.json);
    let mut events = session.events();
    let mut signals = Signals::new();
    let mut second = tokio::time::interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let mut reading = true;
    let mut keep_up = Box::pin(keep_up(how.documents, &session));
    loop {
        tokio::select! {
            _ = second.tick() => {
                let status = session.status();
                live.show(&status, how.fps);
                if how.json {
                    json::line("status", &status);
                }
                each_second(&session);
            }
            event = events.recv(), if reading => match event {
                Ok(e) => { if how.json { json::line("event", &e); } }
                Err(RecvError::Lagged(n)) => tracing::warn!("{n} events were too fast to be shown"),
                Err(RecvError::Closed) => reading = false,
            },
            () = &mut keep_up => {}
            () = session.finished() => break,
            () = signals.next() => {
                tracing::info!("stopping on request");
                break;
            }
        }
    }
    drop(keep_up);
    live.end();
    let before = session.status();
    let mut trouble: Vec<String> = session.troubles().iter().map(|(part, e)| format!("{part}: {e}")).collect();
    let stopping = session.stop();
    tokio::pin!(stopping);
    let summary = tokio::select! {
        s = &mut stopping => s,
        () = signals.next() => {
            fail("stopped at once on a second request: files and destinations may not be closed");
            // The first request was to stop cleanly; a second one means now.
            std::process::exit(130);
        }
    };
    trouble.extend(cameras_in_trouble(&before));
    trouble.extend(before.heads.iter().filter_map(|h| Some(format!("head {}: {}", h.camera, h.error.as_ref()?))));
    trouble.extend(outputs_in_trouble(&before.outputs, &summary.status.outputs));
    Played { status: summary.status, fps: how.fps, trouble }
}

/// Never comes to an end.
async fn keep_up(documents: Option<Documents>, session: &Session) {
    match documents {
        Some(d) => d.keep_up(session).await,
        None => std::future::pending().await,
    }
}

fn cameras_in_trouble(s: &SessionStatus) -> impl Iterator<Item = String> + '_ {
    s.cameras
        .iter()
        .filter(|c| c.codec.is_none())
        .filter_map(|c| Some(format!("camera {}: {}", c.id, c.error.as_ref()?)))
}

/// Outputs that were down when the show ended, that gave nothing away, or that could not be closed.
fn outputs_in_trouble(before: &[OutputStatus], after: &[OutputStatus]) -> Vec<String> {
    after
        .iter()
        .filter_map(|a| {
            let was = before.iter().find(|b| b.id == a.id);
            let down = was.is_some_and(|b| matches!(b.state, OutputState::Waiting { .. } | OutputState::Failed { .. }));
            let never = a.packets == 0;
            let closed_badly = was.is_some_and(|b| b.last_error != a.last_error);
            let error = a.last_error.as_ref()?;
            (down || never || closed_badly).then(|| format!("{}: {error}", a.id))
        })
        .collect()
}

#[derive(Debug, Serialize)]
struct JsonSummary<'a> {
    exit: u8,
    frames: u64,
    seconds: f64,
    trouble: &'a [String],
    recordings: &'a [PathBuf],
    #[serde(flatten)]
    status: &'a SessionStatus,
}

/// Prints the summary.
pub(super) fn report(played: &Played, recordings: Option<&Recordings>, as_json: bool) {
    let s = &played.status;
    let files = recordings.map(Recordings::paths).unwrap_or_default();
    let counters = s.program.as_ref().map(|p| p.counters).unwrap_or_default();
    let seconds = counters.frames as f64 / played.fps.max(1.0);
    if as_json {
        let exit = played.exit().code();
        let trouble = &played.trouble;
        let recordings = &files;
        json::line("summary", &JsonSummary { exit, frames: counters.frames, seconds, trouble, recordings, status: s });
        return;
    }
    println!(
        "{} on air: {} frames at {:.2} fps by {}, {} left out, {} repeated, {} late; {} cuts, {} of video",
        human::clock(seconds.round() as u64),
        counters.frames,
        played.fps,
        s.encoder,
        counters.skipped,
        counters.repeated,
        counters.late,
        counters.cuts,
        human::bytes(counters.video_bytes),
    );
    for c in &s.cameras {
        let codec = c.codec.map_or_else(|| "never online".to_owned(), |k| format!("{k} {}x{}", c.width, c.height));
        println!(
            "  camera {}: {codec}, {} reconnects, {} decode errors, {} losses",
            c.id, c.reconnects, c.decode_errors, c.losses
        );
    }
    for h in &s.heads {
        println!(
            "  head {}: {} moves, {} failed; {} shots went on air while a camera was moved",
            h.camera, h.orders, h.failures, counters.moving_shots
        );
    }
    for o in &s.outputs {
        println!(
            "  {}: {} in {} packets, {} frames dropped, {} missed, {} reconnects ({})",
            o.id,
            human::bytes(o.bytes),
            o.packets,
            o.dropped_frames,
            o.missed_frames,
            o.reconnects,
            o.target
        );
    }
    for f in &files {
        println!("  recorded: {}", f.display());
    }
    for t in &played.trouble {
        println!("  did not work: {t}");
    }
}

/// Ctrl-C and SIGTERM.
struct Signals {
    #[cfg(unix)]
    terminate: Option<tokio::signal::unix::Signal>,
}

impl Signals {
    fn new() -> Self {
        Self {
            #[cfg(unix)]
            terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok(),
        }
    }
    async fn next(&mut self) {
        #[cfg(unix)]
        let terminate = async {
            match &mut self.terminate {
                Some(t) => {
                    t.recv().await;
                }
                None => std::future::pending().await,
            }
        };
        #[cfg(not(unix))]
        let terminate = std::future::pending::<()>();
        tokio::select! {
            r = tokio::signal::ctrl_c() => if r.is_err() { std::future::pending().await },
            () = terminate => {}
        }
    }
}
