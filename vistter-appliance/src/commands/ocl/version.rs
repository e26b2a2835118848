//! `vistter ocl upgrade` and `vistter ocl supported`: versions of the language.

use serde_json::json;
use vistter::ocl::{Document, convert_text, plays, supported};
use vistter_core::diagnose::Diagnostic;

use crate::cli::ocl::{OclSupportedArgs, OclUpgradeArgs};
use crate::exit::Exit;
use crate::ui::{fail, json};

pub(crate) fn upgrade(args: &OclUpgradeArgs) -> Exit {
    let file = args.file.display().to_string();
    let text = match std::fs::read_to_string(&args.file) {
        Ok(text) => text,
        Err(e) => {
            fail(&format!("{file}: {e}"));
            return Exit::Failed;
        }
    };
    let to = args.to.clone().unwrap_or_else(|| supported().most);
    let refused = |list: &[Diagnostic]| {
        if args.json {
            json::document(&json!({ "ok": false, "file": file, "to": to, "findings": list }));
        } else {
            list.iter().for_each(|d| eprintln!("{file}:{d}"));
        }
        Exit::Invalid
    };
    // What does not play in its own version is not made into something of another one.
    if let Err(list) = Document::parse(&text)
        && !plays(&list)
    {
        return refused(&list);
    }
    let new = match convert_text(&text, &to) {
        Ok(new) => new,
        Err(list) => return refused(&list),
    };
    if let Some(out) = &args.out
        && let Err(e) = std::fs::write(out, &new)
    {
        fail(&format!("{}: {e}; give another file with -o", out.display()));
        return Exit::Failed;
    }
    match (&args.out, args.json) {
        (None, false) => print!("{new}"),
        (None, true) => drop(json::document(&json!({ "ok": true, "file": file, "to": to, "document": new }))),
        (Some(out), true) => drop(json::document(&json!({ "ok": true, "file": file, "to": to, "out": out }))),
        (Some(out), false) => {
            let what = if new == text { "was of that version already" } else { "written" };
            println!("{}: OCL {to}, {what}", out.display());
        }
    }
    Exit::Ok
}

pub(crate) fn list(args: &OclSupportedArgs) -> Exit {
    let s = supported();
    if args.json {
        return if json::document(&s.to_json()) { Exit::Ok } else { Exit::Failed };
    }
    println!("OCL {} to {}", s.least, s.most);
    s.features.iter().for_each(|f| println!("  {f}"));
    Exit::Ok
}
