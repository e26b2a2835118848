//! `vistter check`: everything that is wrong with a show file and with the overlays it names.

use serde::Serialize;
use vistter::ocl::{OclOverlay, Opening};
use vistter::unknown_cameras;
use vistter_core::clock::{Clock as _, SystemClock};
use vistter_core::config::{CameraConfig, ShowConfig};
use vistter_core::diagnose::{Diagnostic, Severity};
use vistter_core::ports::{Canvas, Overlay};

use super::load::{base_dir, load};
use crate::cli::CheckArgs;
use crate::exit::Exit;
use crate::ui::{human, json};

#[derive(Debug, Serialize)]
struct Finding {
    file: String,
    #[serde(flatten)]
    diagnostic: Diagnostic,
}

#[derive(Debug, Serialize)]
struct Report {
    ok: bool,
    errors: usize,
    warnings: usize,
    findings: Vec<Finding>,
}

pub(crate) fn check(args: &CheckArgs) -> Exit {
    let file = args.show.display().to_string();
    let in_show = |d| Finding { file: file.clone(), diagnostic: d };
    let mut findings = Vec::new();
    match load(&args.show) {
        Ok((show, warnings)) => {
            findings.extend(warnings.into_iter().map(in_show));
            findings.extend(controls(&show).into_iter().map(in_show));
            findings.extend(overlays(&show, base_dir(&args.show)));
        }
        Err(found) => findings.extend(found.into_iter().map(in_show)),
    }
    let count = |s| findings.iter().filter(|f| f.diagnostic.severity == s).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let report = Report { ok: errors == 0, errors, warnings, findings };
    if args.json {
        json::document(&report);
    } else {
        print(&file, &report);
    }
    if report.ok { Exit::Ok } else { Exit::Invalid }
}

/// What only a driver knows of a control's address: quirks and units.
fn controls(show: &ShowConfig) -> Vec<Diagnostic> {
    let wrong = |(i, c): (usize, &CameraConfig)| {
        let e = vistter::ptz::driver(&c.ptz.as_ref()?.url, SystemClock::shared()).err()?;
        let d = Diagnostic::error("SHOW-PTZ", format!("/cameras/{i}/ptz/url"), e.what().to_owned());
        Some(d.help(e.next_step().unwrap_or("see docs/quirks.md").to_owned()))
    };
    show.cameras.iter().enumerate().filter_map(wrong).collect()
}

fn overlays(show: &ShowConfig, base: &std::path::Path) -> Vec<Finding> {
    let p = &show.program;
    let canvas = Canvas { width: p.width, height: p.height, fps: p.fps };
    let mut findings = Vec::new();
    for o in &show.overlays {
        let path = base.join(&o.file);
        let file = path.display().to_string();
        let mut add = |d| findings.push(Finding { file: file.clone(), diagnostic: d });
        let wall = Some(SystemClock::new().wall());
        let opening = Opening { scene: o.scene.as_deref(), tokens: Some(&o.tokens), wall, cache: None };
        match OclOverlay::open_file(&o.id, &path, &opening) {
            Ok(mut overlay) => {
                overlay.warnings().iter().cloned().for_each(&mut add);
                unknown_cameras(&overlay, show).into_iter().for_each(&mut add);
                if let Err(e) = overlay.prepare(canvas) {
                    let d = Diagnostic::error("OCL-PREPARE", "", e.what().to_owned());
                    add(match e.next_step() {
                        Some(n) => d.help(n),
                        None => d,
                    });
                }
                // what files lack was said above
                let notes = overlay.findings().iter().filter(|d| !d.pointer.starts_with("/assets/"));
                notes.cloned().for_each(&mut add);
            }
            Err(faults) => faults.into_diagnostics().into_iter().for_each(&mut add),
        }
    }
    findings
}

fn print(file: &str, report: &Report) {
    for f in &report.findings {
        println!("{}", located(&f.file, &f.diagnostic));
    }
    println!("{file}: {}", human::verdict(report.errors, report.warnings));
}

/// Prints what `run` found, on stderr.
pub(super) fn complain(file: &std::path::Path, found: &[Diagnostic]) {
    for d in found {
        eprintln!("{}", located(&file.display().to_string(), d));
    }
}

/// `show.json:3:9: error…` as compilers write it, `show.json: error…` for what has no place in the file.
fn located(file: &str, d: &Diagnostic) -> String {
    let space = if d.place.is_some() { "" } else { " " };
    format!("{file}:{space}{d}")
}
