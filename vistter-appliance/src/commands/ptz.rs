//! `vistter ptz`: a camera moved by hand.

use serde_json::{Value, json};
use vistter::ptz::health::{HealthPolicy, check, heartbeat};
use vistter::ptz::mover::{Arrival, LearnedTimes, Mover, MoverPolicy, View};
use vistter_core::clock::SystemClock;
use vistter_core::config::Address;
use vistter_core::ports::{PtzPosition, PtzStatus};
use vistter_core::{Error, ErrorKind, Result};

use crate::cli::{PtzAction, PtzArgs};
use crate::exit::Exit;
use crate::ui::{fail, json};

pub(crate) async fn ptz(args: PtzArgs) -> Exit {
    let address = Address::parse(args.camera.expose()).ok_or_else(|| {
        Error::new(ErrorKind::Config, "the camera's address is not a URL").next("give onvif://HOST or visca://HOST")
    });
    let driver = address.and_then(|a| vistter::ptz::driver(&a, SystemClock::shared()).map(|d| (a, d)));
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

/// The result as JSON and as text.
async fn act(camera: &Mover, address: &Address, action: &PtzAction) -> Result<(Value, String)> {
    Ok(match action {
        PtzAction::List => {
            let presets = camera.presets().await?;
            // What a camera says may not steer a terminal.
            let clean = |text: &str| text.chars().filter(|c| !c.is_control()).collect::<String>();
            let lines: Vec<String> =
                presets.iter().map(|p| format!("{}\t{}", clean(&p.token), clean(&p.name))).collect();
            let text = if lines.is_empty() { "no presets".to_owned() } else { lines.join("\n") };
            (json!({ "presets": presets }), text)
        }
        PtzAction::Goto { preset } => {
            let view = View { token: Some(preset.clone()), name: Some(preset.clone()), position: None };
            arrival(camera.go_to(view).await?)?
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

fn position(p: PtzPosition) -> String {
    format!(", pan {:.3}, tilt {:.3}, zoom {:.3}", p.pan, p.tilt, p.zoom)
}

fn arrival(arrived: Option<Arrival>) -> Result<(Value, String)> {
    // Nobody else commands this mover.
    let a = arrived.ok_or_else(|| Error::new(ErrorKind::Internal, "the move was replaced by another"))?;
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
