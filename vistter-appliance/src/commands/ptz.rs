//! `vistter ptz`: a camera moved by hand.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use vistter::ptz::health::{HealthPolicy, check, heartbeat};
use vistter::ptz::mover::collection::{MOST_FILE, has_default_name};
use vistter::ptz::mover::{Arrival, Imported, LearnedTimes, Mover, MoverPolicy, PresetFile, View};
use vistter::ptz::onvif::tls::{FilePins, MemoryPins, PinStore, TlsOptions};
use vistter::ptz::{DriverOptions, driver_with};
use vistter_core::clock::SystemClock;
use vistter_core::config::Address;
use vistter_core::ports::{PtzPosition, PtzStatus};
use vistter_core::{Error, ErrorKind, Result};

use super::load::state_file;
use crate::cli::{PtzAction, PtzArgs};
use crate::exit::Exit;
use crate::ui::{fail, json};

pub(crate) async fn ptz(args: PtzArgs) -> Exit {
    let address = Address::parse(args.camera.expose()).ok_or_else(|| {
        Error::new(ErrorKind::Config, "the camera's address is not a URL").next("give onvif://HOST or visca://HOST")
    });
    let quirks: Result<Vec<_>> = args.quirks.iter().map(|q| q.parse()).collect();
    let tls = TlsOptions { pins: pins(args.pins.as_deref()), accept_new: args.new_certificate };
    let driver = address.and_then(|a| {
        let options = DriverOptions { quirks: quirks?, tls };
        driver_with(&a, options, SystemClock::shared()).map(|d| (a, d))
    });
    let (address, driver) = match driver {
        Ok(d) => d,
        Err(e) => {
            fail(&e.to_string());
            return Exit::Usage;
        }
    };
    let (camera, task) = Mover::start(driver, MoverPolicy::default(), LearnedTimes::default());
    let result = act(&camera, &address, &args.action).await;
    // The task closes the driver; it ends when nobody can command it any more.
    drop(camera);
    let _ = task.await;
    match result {
        Ok((document, text)) => {
            if args.json {
                json::document(&document);
            } else if !text.is_empty() {
                println!("{text}");
            }
            Exit::Ok
        }
        Err(e) => {
            if args.json {
                json::document(&json!({
                    "error": { "kind": format!("{:?}", e.kind()), "what": e.what(), "at": e.place(), "next": e.next_step() }
                }));
            }
            fail(&e.to_string());
            Exit::Failed
        }
    }
}

/// Where certificates are pinned; without a home, pins last as long as the program.
pub(super) fn pins(named: Option<&Path>) -> Arc<dyn PinStore> {
    match state_file(named, "camera-certificates") {
        Some(path) => Arc::new(FilePins::new(path)),
        None => Arc::new(MemoryPins::default()),
    }
}

/// The result as JSON and as text.
async fn act(camera: &Mover, address: &Address, action: &PtzAction) -> Result<(Value, String)> {
    Ok(match action {
        PtzAction::List { all } => {
            let mut presets = camera.presets().await?;
            let listed = presets.len();
            presets.retain(|p| *all || !has_default_name(p));
            let mut lines: Vec<String> =
                presets.iter().map(|p| format!("{}\t{}", clean(&p.token), clean(&p.name))).collect();
            if lines.is_empty() {
                lines.push("no presets".to_owned());
            }
            if presets.len() < listed {
                lines.push(format!("({} slots without a name of their own: --all shows them)", listed - presets.len()));
            }
            (json!({ "presets": presets, "unnamed": listed - presets.len() }), lines.join("\n"))
        }
        PtzAction::Goto { preset } => arrival(camera.go_to(named(preset)).await?)?,
        PtzAction::Rename { preset, name } => {
            let view = camera.rename(&named(preset), name).await?.ok_or_else(replaced)?;
            (json!({ "renamed": view }), format!("{} is now called {}", clean(preset), clean(name)))
        }
        PtzAction::Remove { preset } => {
            let gone = camera.remove(&named(preset)).await?;
            (json!({ "removed": gone }), format!("removed {} ({})", clean(&gone.name), clean(&gone.token)))
        }
        PtzAction::Export { file, visit } => {
            let presets = camera.export(*visit).await?.ok_or_else(replaced)?;
            let text = presets.text()?;
            match file {
                Some(path) => {
                    let failed = |e| Error::io("write the presets", &e).at(path.display().to_string());
                    std::fs::write(path, text).map_err(failed)?;
                    let without = presets.presets.iter().filter(|v| v.position.is_none()).count();
                    let mut said = format!("{} presets in {}", presets.presets.len(), path.display());
                    if without > 0 {
                        said.push_str(&format!("; {without} without a position (--visit goes there to learn it)"));
                    }
                    (json!({ "file": path, "presets": presets.presets.len(), "without_position": without }), said)
                }
                None => (serde_json::to_value(&presets).unwrap_or_default(), text.trim_end().to_owned()),
            }
        }
        PtzAction::Import { file, replace } => {
            let place = file.display().to_string();
            let failed = |e| Error::io("read the presets", &e).at(place.clone());
            let mut text = String::new();
            let mut reader = std::fs::File::open(file).map_err(failed)?.take(MOST_FILE as u64 + 1);
            reader.read_to_string(&mut text).map_err(failed)?;
            let presets = PresetFile::parse(&text).map_err(|e| {
                let at = e.place().map_or_else(|| place.clone(), |p| format!("{place}, {p}"));
                e.at(at)
            })?;
            let done = camera.import(&presets, *replace).await?;
            let mut lines = Vec::new();
            let mut bad = 0;
            for one in &done {
                lines.push(match one {
                    Imported::Kept { name } => format!("kept\t{}", clean(name)),
                    Imported::Stored { view } => format!("stored\t{}", clean(&view.key())),
                    Imported::Failed { name, why } => {
                        bad += 1;
                        format!("failed\t{}: {}", clean(name), clean(why))
                    }
                });
            }
            if bad > 0 || done.len() < presets.presets.len() {
                let e = Error::new(
                    ErrorKind::Rejected,
                    format!(
                        "{} of {} presets were not stored",
                        bad + presets.presets.len() - done.len(),
                        presets.presets.len()
                    ),
                );
                return Err(e.at(place).next(lines.join("; ").replace('\t', " ")));
            }
            (json!({ "imported": done }), lines.join("\n"))
        }
        PtzAction::Move { pan, tilt, zoom } => {
            let to = PtzPosition { pan: *pan, tilt: *tilt, zoom: *zoom };
            let inside = (-1.0..=1.0).contains(pan) && (-1.0..=1.0).contains(tilt) && (0.0..=1.0).contains(zoom);
            if !inside {
                return Err(Error::new(ErrorKind::Config, "this position is outside the range")
                    .next("pan and tilt are from -1 to 1, zoom from 0 to 1"));
            }
            arrival(camera.absolute(to, None).await?)?
        }
        PtzAction::Capture { name } => {
            let view = camera.capture(name, None).await?;
            let token = view.token.clone().unwrap_or_default();
            (
                json!({ "captured": view }),
                format!("stored as {token}{}", view.position.map(position).unwrap_or_default()),
            )
        }
        PtzAction::Stop => {
            camera.stop().await?;
            (json!({ "stopped": true }), "stopped".into())
        }
        PtzAction::Status => {
            let PtzStatus { position: at, moving } = camera.status().await?;
            let mut beat = heartbeat(address, Some(camera), SystemClock::shared())?;
            let health = check(&mut *beat, HealthPolicy::default()).await;
            let word = match moving {
                Some(true) => "moving",
                Some(false) => "standing",
                None => "the camera does not tell whether it moves",
            };
            let place = at.map_or_else(|| "; it does not tell its position".to_owned(), position);
            let answer =
                health.answered_in_secs.map(|s| format!(", answers in {:.0} ms", s * 1000.0)).unwrap_or_default();
            let clock = health.clock_skew_secs.filter(|s| s.abs() > 1.0);
            let clock = clock.map(|s| format!(", its clock is off by {s:.0} s")).unwrap_or_default();
            (json!({ "position": at, "moving": moving, "health": health }), format!("{word}{place}{answer}{clock}"))
        }
    })
}

/// What a camera says may not steer a terminal.
fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// A view as a person names it.
fn named(preset: &str) -> View {
    View { token: Some(preset.to_owned()), name: Some(preset.to_owned()), position: None }
}

/// Nobody else commands this mover.
fn replaced() -> Error {
    Error::new(ErrorKind::Internal, "the move was replaced by another")
}

fn position(p: PtzPosition) -> String {
    format!(", pan {:.3}, tilt {:.3}, zoom {:.3}", p.pan, p.tilt, p.zoom)
}

fn arrival(arrived: Option<Arrival>) -> Result<(Value, String)> {
    let a = arrived.ok_or_else(replaced)?;
    let secs = a.took.as_secs_f64();
    let document = json!({ "arrived": {
        "evidence": a.evidence, "took_secs": secs, "position": a.position, "preset": a.preset, "found": a.found
    }});
    let evidence =
        serde_json::to_value(a.evidence).ok().and_then(|v| v.as_str().map(|s| s.replace('_', " "))).unwrap_or_default();
    Ok((
        document,
        format!("standing after {secs:.2} s, judged by {evidence}{}", a.position.map(position).unwrap_or_default()),
    ))
}
