//! `vistter onboard`: a camera tried, from the first connection to the picture.

use std::io::Read;
use std::path::Path;

use serde_json::{Value, json};
use vistter::onboard::{OnboardOptions, Progress, Report, Step, StepResult, Target};
use vistter::ptz::onvif::tls::TlsOptions;
use vistter_core::config::{Credentials, add_camera};
use vistter_core::files::{read_text, write_whole};
use vistter_core::picture;
use vistter_core::tls::TlsPolicy;
use vistter_core::{Error, ErrorKind, Result, Secret};

use super::load::MAX_BYTES;
use super::ptz::pins;
use crate::cli::onboard::OnboardArgs;
use crate::exit::Exit;
use crate::ui::{fail, json};

/// A password file is shorter.
const MOST_PASSWORD: u64 = 4096;
/// Not an option of the command line: there others could read it.
const PASSWORD: &str = "VISTTER_CAMERA_PASSWORD";

pub(crate) async fn onboard(args: OnboardArgs) -> Exit {
    let asked = asked(&args).and_then(|(t, c)| Ok((t, c, options(&args)?)));
    // Better before the camera is asked than after.
    let asked = asked.and_then(|a| args.add.as_deref().map_or(Ok(()), |show| read_show(show).map(drop)).map(|()| a));
    let (target, credentials, options) = match asked {
        Ok(a) => a,
        Err(e) => {
            fail(&e.to_string());
            return Exit::Usage;
        }
    };
    let to_json = args.json;
    if !to_json {
        eprintln!("{}: trying …", target.shown());
    }
    let mut tell = |p: Progress<'_>| {
        if let Progress::Done(step) = p {
            if to_json {
                json::line("step", step);
            } else {
                print(step);
            }
        }
    };
    let report = Box::pin(vistter::onboard(&target, credentials, &options, &mut tell)).await;
    if to_json {
        json::line("report", &report);
    } else {
        conclude(&report);
    }
    let written = match (&args.picture, &report.picture) {
        (Some(path), Some(frame)) => picture::write(frame, path)
            .map_err(|e| Error::io("write the picture", &e).at(path.display().to_string()).next("choose another file")),
        _ => Ok(()),
    };
    let added = match (&args.add, &report.camera) {
        (Some(show), Some(entry)) => add(show, entry, to_json),
        _ => Ok(()),
    };
    match written.and(added) {
        Ok(()) if report.ok => Exit::Ok,
        Ok(()) => {
            let why =
                report.failure().map_or("no picture came".to_owned(), |s| format!("{}: {}", s.step.title(), s.said));
            fail(&format!("{}: this camera is not ready for a show: {why}", report.address));
            Exit::Failed
        }
        Err(e) => {
            fail(&e.to_string());
            Exit::Failed
        }
    }
}

/// The target, and user and password: those of the options win over those in the address, and these over the environment.
fn asked(args: &OnboardArgs) -> Result<(Target, Option<Credentials>)> {
    let (mut target, inside) = Target::parse(args.address.expose())?;
    if let (Target::Onvif { port, .. }, Some(p)) = (&mut target, args.port) {
        *port = Some(p);
    }
    let file = args.password_file.as_deref().map(password).transpose()?;
    let Some(user) = args.user.clone().or_else(|| inside.as_ref().map(|c| c.user.clone())) else {
        return match file {
            Some(_) => Err(Error::new(ErrorKind::Config, "there is a password and no user").next("give --user, too")),
            None => Ok((target, None)),
        };
    };
    let inside = inside.map(|c| c.password).filter(|p| !p.expose().is_empty());
    let password = file.or(inside).or_else(|| std::env::var(PASSWORD).ok().map(Secret::from)).unwrap_or_default();
    Ok((target, Some(Credentials { user, password })))
}

fn password(path: &Path) -> Result<Secret<String>> {
    let fault = |e: std::io::Error| Error::io("read the password", &e).at(path.display().to_string());
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin().lock().take(MOST_PASSWORD).read_to_string(&mut text).map_err(fault)?;
    } else {
        std::fs::File::open(path).and_then(|f| f.take(MOST_PASSWORD).read_to_string(&mut text)).map_err(fault)?;
    }
    Ok(Secret::from(text.lines().next().unwrap_or_default()))
}

fn read_show(path: &Path) -> Result<String> {
    let at = || path.display().to_string();
    let text = read_text(path, MAX_BYTES).map_err(|e| Error::io("read the show file", &e).at(at()))?;
    let text = text.ok_or_else(|| {
        let e = Error::new(ErrorKind::NotFound, "there is no such show file").at(at());
        e.next("check its name; docs/show.md has a show to begin with")
    })?;
    Ok(text)
}

/// Puts the camera into a show file: whole, or not at all.
fn add(path: &Path, entry: &Value, to_json: bool) -> Result<()> {
    let new = add_camera(&read_show(path)?, entry).map_err(|e| {
        let place = e.place().filter(|p| !p.is_empty()).map(|p| format!("{}, {p}", path.display()));
        e.at(place.unwrap_or_else(|| path.display().to_string()))
    })?;
    write_whole(path, new.as_bytes())
        .map_err(|e| Error::io("write the show file", &e).at(path.display().to_string()))?;
    let unset: Vec<&str> = ["password", "url", "key"]
        .iter()
        .filter_map(|f| entry[*f]["env"].as_str())
        .filter(|n| std::env::var_os(n).is_none())
        .collect();
    if to_json {
        json::line("added", &json!({ "file": path, "camera": entry["id"], "environment": unset }));
        return Ok(());
    }
    println!("camera {} is in {}", entry["id"], path.display());
    if !unset.is_empty() {
        println!("set in the environment before the show starts: {}", unset.join(", "));
    }
    Ok(())
}

fn options(args: &OnboardArgs) -> Result<OnboardOptions> {
    let mut o = OnboardOptions::default();
    (o.wish.width, o.wish.height) = args.size;
    o.wish.sub = args.sub;
    o.watch = args.length.into();
    o.within = o.within + o.watch;
    o.publish_within = args.wait.into();
    o.transport = args.transport.into();
    o.id.clone_from(&args.id);
    o.onvif_tls = TlsOptions { pins: pins(args.pins.as_deref()), accept_new: args.new_certificate };
    if let Some(pin) = &args.pin {
        o.tls = TlsPolicy::pin(pin)?;
    }
    if let Some(p) = &args.onvif_ports {
        o.onvif_ports.clone_from(p);
    }
    if let Some(p) = &args.rtsp_ports {
        o.rtsp_ports.clone_from(p);
    }
    Ok(o)
}

fn print(s: &Step) {
    let mark = match s.result {
        StepResult::Passed => "ok",
        StepResult::Warned => "note",
        StepResult::Failed => "FAILED",
        StepResult::Skipped => "-",
    };
    println!("{mark:>6}  {:<15} {:>5.2} s  {}", s.step.title(), s.took_secs, s.said);
    if let Some(next) = &s.next {
        println!("{:34}next: {next}", "");
    }
}

fn conclude(r: &Report) {
    for a in &r.advice {
        println!("advice: {a}");
    }
    if r.ok {
        println!("ready for a show, after {:.2} s", r.took_secs);
    }
    if let Some(entry) = &r.camera {
        println!("for \"cameras\" in the show file:");
        json::document(entry);
    }
}
