//! `vistter ocl`: what is wrong with an overlay document, what a code means, and how a scene looks.

mod cost;
mod fetch;
mod movie;
mod page;
mod render;
mod scene;
mod version;
mod watch;

use std::collections::BTreeMap;

use serde_json::json;
use vistter::ocl::codes::{CODES, Code};
use vistter::ocl::{OclOverlay, check_file_at, explain, schema};
use vistter_core::clock::{Clock as _, SystemClock};
use vistter_core::diagnose::{Severity, nearest};

use crate::cli::ocl::{OclArgs, OclCheckArgs, OclCommand, OclExplainArgs, OclSchemaArgs};
use crate::exit::Exit;
use crate::ui::{fail, human, json};

pub(crate) async fn ocl(args: &OclArgs) -> Exit {
    match &args.command {
        OclCommand::Check(a) => check(a),
        OclCommand::Render(a) => render::render(a),
        OclCommand::Watch(a) => watch::watch(a),
        OclCommand::Fetch(a) => fetch::fetch(a).await,
        OclCommand::Schema(a) => print_schema(a),
        OclCommand::Upgrade(a) => version::upgrade(a),
        OclCommand::Supported(a) => version::list(a),
        OclCommand::Explain(a) => said(a),
    }
}

fn check(args: &OclCheckArgs) -> Exit {
    let file = args.file.display().to_string();
    let mut findings = check_file_at(&args.file, SystemClock::new().wall());
    let costs = cost::of(args, &mut findings);
    let count = |s| findings.iter().filter(|d| d.severity == s).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    if args.json {
        json::document(&json!({
            "ok": errors == 0, "file": file, "errors": errors, "warnings": warnings, "findings": findings,
            "costs": costs.iter().map(cost::to_json).collect::<Vec<_>>(),
        }));
    } else {
        for d in &findings {
            println!("{file}:{d}");
        }
        costs.iter().for_each(cost::print);
        println!("{file}: {}", human::verdict(errors, warnings));
        if let Some(d) = findings.first() {
            println!("More about a code: vistter ocl explain {}", d.code);
        }
    }
    if errors == 0 && !(args.strict && warnings > 0) { Exit::Ok } else { Exit::Invalid }
}

fn said(args: &OclExplainArgs) -> Exit {
    let entry = |c: &Code| {
        let example = c.example.map(|e| json!({ "at": e.at, "wrong": e.wrong, "right": e.right }));
        json!({ "code": c.code, "title": c.title, "about": c.about, "example": example })
    };
    let Some(name) = &args.code else {
        if args.json {
            json::document(&json!({ "codes": CODES.iter().map(entry).collect::<Vec<_>>() }));
        } else {
            CODES.iter().for_each(|c| println!("{:<20} {}", c.code, c.title));
        }
        return Exit::Ok;
    };
    let Some(code) = explain(name) else {
        let near = nearest(name, CODES.iter().map(|c| c.code));
        let next = near.map_or("`vistter ocl explain` lists them all".to_owned(), |n| format!("did you mean {n}?"));
        fail(&format!("no code \"{name}\"; {next}"));
        return Exit::Usage;
    };
    if args.json {
        json::document(&entry(code));
        return Exit::Ok;
    }
    println!("{}: {}\n\n{}", code.code, code.title, code.about);
    if let Some(e) = code.example {
        println!("\nwrong:  {}\nright:  {}", e.wrong, e.right);
    }
    Exit::Ok
}

fn print_schema(args: &OclSchemaArgs) -> Exit {
    let schema = match &args.file {
        None => schema(),
        Some(file) => match OclOverlay::from_file("", file, None, &BTreeMap::new()) {
            Ok(o) => o.document().data_schema(),
            Err(faults) => {
                eprintln!("{faults}");
                return Exit::Invalid;
            }
        },
    };
    if json::document(&schema) { Exit::Ok } else { Exit::Failed }
}
