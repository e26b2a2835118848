//! `vistter probe`: what a camera sends.

mod measure;

use std::time::Duration;

use tokio::time::timeout;
use vistter_core::clock::SystemClock;
use vistter_core::config::Address;
use vistter_core::ports::{Clock, Source, SourceEvent};
use vistter_core::source::{RtspConfig, RtspSource};
use vistter_core::{Error, ErrorKind, Result};

use self::measure::{Measure, Report};
use crate::cli::ProbeArgs;
use crate::exit::Exit;
use crate::ui::{fail, json};

/// The first picture may take this long beyond the time to watch; the source's own time-outs are shorter.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) async fn probe(args: ProbeArgs) -> Exit {
    let address = match address(args.url.expose()) {
        Ok(a) => a,
        Err(e) => {
            fail(&e.to_string());
            return Exit::Usage;
        }
    };
    let shown = address.shown().to_owned();
    if !args.json {
        eprintln!("{shown}: watching for {:.1} s …", args.length.as_secs_f64());
    }
    let mut source = RtspSource::new(RtspConfig::new(address).transport(args.transport.into()));
    let watched = watch(&mut source, &shown, args.length).await;
    source.close().await;
    match watched {
        Ok(report) => {
            if args.json {
                json::document(&report);
            } else {
                print(&report);
            }
            if report.video.is_some() { Exit::Ok } else { Exit::Failed }
        }
        Err(e) => {
            if args.json {
                json::document(&serde_json::json!({
                    "error": { "kind": format!("{:?}", e.kind()), "what": e.what(), "at": e.place(), "next": e.next_step() }
                }));
            }
            fail(&e.to_string());
            Exit::Failed
        }
    }
}

/// The text is never quoted: it may hold a password.
fn address(text: &str) -> Result<Address> {
    let bad = |what: String| Error::new(ErrorKind::Config, what).next("give rtsp://[USER:PASSWORD@]CAMERA[:PORT]/PATH");
    let a = Address::parse(text).ok_or_else(|| bad("the camera's address is not a URL".into()))?;
    match a.scheme() {
        "rtsp" | "rtsps" => Ok(a),
        other => Err(bad(format!("{other}:// is not a camera's scheme"))),
    }
}

async fn watch(source: &mut dyn Source, shown: &str, length: Duration) -> Result<Report> {
    let clock = SystemClock::new();
    source.open().await?;
    let mut measure = Measure::default();
    let mut start = None;
    loop {
        let left = match start {
            Some(s) => length.saturating_sub((clock.now() - s).to_duration()),
            None => PATIENCE,
        };
        if left.is_zero() {
            break;
        }
        match timeout(left, source.next()).await {
            Ok(Ok(SourceEvent::End)) => break,
            Ok(Ok(event)) => {
                let now = clock.now();
                measure.handle(now, &event);
                if measure.pictures() > 0 {
                    start.get_or_insert(now);
                }
            }
            // It stopped in the middle: what was seen is still worth telling.
            Ok(Err(e)) if measure.pictures() > 1 => {
                fail(&e.to_string());
                break;
            }
            Ok(Err(e)) => return Err(e),
            Err(_) if start.is_none() => {
                return Err(Error::new(ErrorKind::Timeout, format!("no picture within {} s", PATIENCE.as_secs()))
                    .at(shown)
                    .next("look at the camera's stream settings"));
            }
            Err(_) => break,
        }
    }
    let watched = start.map_or(clock.now(), |s| clock.now() - s);
    Ok(measure.report(shown.to_owned(), watched))
}

fn print(r: &Report) {
    println!("{}, watched for {} s", r.url, r.watched_seconds);
    match &r.video {
        Some(v) => {
            let profile = v.profile.map_or_else(|| v.rfc6381.clone(), |p| format!("{p} ({})", v.rfc6381));
            println!("  video  {} {profile} {}x{}, {:?} range", v.codec, v.width, v.height, v.range);
            let fps = |f: Option<f64>| f.map_or("unknown".to_owned(), |f| f.to_string());
            println!(
                "         {} frames per second ({} declared), {} kbit/s, B-frame depth {}",
                fps(v.measured_fps),
                fps(v.declared_fps),
                v.kbps,
                v.reorder_depth
            );
            match (v.gop_frames, v.gop_seconds) {
                (Some(n), Some(s)) => println!("         a keyframe at least every {n} frames ({s} s)"),
                _ => println!("         fewer than two keyframes seen"),
            }
            println!("  clock  drift {} ms while watched, latest picture {} ms late", v.clock_drift_ms, v.jitter_ms);
        }
        None => println!("  video  none"),
    }
    match &r.audio {
        Some(a) => println!("  audio  {} {} Hz, {} channels, {} kbit/s", a.codec, a.sample_rate, a.channels, a.kbps),
        None => println!("  audio  none"),
    }
    if r.parameter_changes + r.losses > 0 {
        println!("  {} parameter changes, {} losses", r.parameter_changes, r.losses);
    }
    for a in &r.advice {
        println!("  advice: {a}");
    }
}
