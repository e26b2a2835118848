//! `vistter probe`: what a camera sends.

use vistter_core::clock::SystemClock;
use vistter_core::config::Address;
use vistter_core::source::{self, ProbeReport, RtspConfig, RtspSource};
use vistter_core::tls::TlsPolicy;
use vistter_core::{Error, ErrorKind, Result};

use crate::cli::ProbeArgs;
use crate::exit::Exit;
use crate::ui::{fail, json};

pub(crate) async fn probe(args: ProbeArgs) -> Exit {
    let pin = args.pin.as_deref().map(TlsPolicy::pin).transpose();
    let (address, pin) = match address(args.url.expose()).and_then(|a| Ok((a, pin?))) {
        Ok(a) => a,
        Err(e) => {
            fail(&e.to_string());
            return Exit::Usage;
        }
    };
    if !args.json {
        eprintln!("{address}: watching for {:.1} s …", args.length.as_secs_f64());
    }
    let config = RtspConfig::new(address).transport(args.transport.into()).tls(pin.unwrap_or_default());
    let mut source = RtspSource::new(config);
    match Box::pin(source::probe(&mut source, args.length.into(), &SystemClock::new())).await {
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

fn print(r: &ProbeReport) {
    println!("{}: first picture after {:.2} s, watched for {:.1} s", r.source, r.first_picture_secs, r.watched_secs);
    match &r.video {
        Some(v) => {
            let range = if v.full_range { "full" } else { "limited" };
            println!(
                "  video  {} {} level {} ({}), {}x{}, {range} range",
                v.codec, v.profile, v.level, v.rfc6381, v.width, v.height
            );
            let fps = |f: Option<f64>| f.map_or("unknown".to_owned(), |f| format!("{f:.2}"));
            println!(
                "         {} frames per second ({} declared), {} kbit/s{}{}",
                fps(v.measured_fps),
                fps(v.declared_fps),
                v.bitrate_kbps,
                if v.b_frames { ", B-frames" } else { "" },
                if v.interlaced { ", interlaced" } else { "" },
            );
            match (v.gop_frames, v.gop_secs) {
                (Some(n), Some(s)) => println!("         a keyframe at least every {n} frames ({s:.2} s)"),
                _ => println!("         fewer than two keyframes seen"),
            }
        }
        None => println!("  video  none"),
    }
    match &r.audio {
        Some(a) => {
            println!("  audio  {} {} Hz, {} channels, {} kbit/s", a.codec, a.sample_rate, a.channels, a.bitrate_kbps);
        }
        None => println!("  audio  none"),
    }
    let c = &r.clock;
    println!("  clock  {} jumps, {} losses, longest gap {:.2} s", c.jumps, c.losses, c.longest_gap_secs);
    for a in &r.advice {
        println!("  advice: {a}");
    }
}
