//! `vistter ocl fetch`: what a document's URLs name, into the store beside it.

use serde_json::json;
use vistter::fetch::{Fetched, Outcome, fetch_assets};
use vistter_core::{Error, ErrorKind, Result};

use crate::cli::ocl::OclFetchArgs;
use crate::exit::Exit;
use crate::ui::{fail, human, json};

/// The largest file of certificates that is read, in bytes.
const MAX_CA_BYTES: u64 = 4 << 20;

pub(super) async fn fetch(args: &OclFetchArgs) -> Exit {
    let file = args.file.display().to_string();
    let list = match get(args).await {
        Ok(list) => list,
        Err(e) => {
            if args.json {
                json::document(&json!({ "ok": false, "file": file, "error": e.to_string() }));
            }
            fail(&e.to_string());
            return if e.kind() == ErrorKind::Config { Exit::Invalid } else { Exit::Failed };
        }
    };
    let lost = list.iter().filter(|f| matches!(f.outcome, Outcome::Failed(_))).count();
    if args.json {
        let assets: Vec<_> = list.iter().map(entry).collect();
        json::document(&json!({ "ok": lost == 0, "file": file, "assets": assets }));
    } else {
        for f in &list {
            let (asset, from) = (&f.asset, &f.from);
            match &f.outcome {
                Outcome::Stored { bytes } => println!("{asset}: {from}, {}", human::bytes(*bytes)),
                Outcome::There => println!("{asset}: {from} is there already"),
                Outcome::Failed(e) => println!("{asset}: {from} could not be had: {e}"),
            }
        }
        println!("{file}: {} of {} assets with a URL are in the store", list.len() - lost, list.len());
    }
    if lost == 0 { Exit::Ok } else { Exit::Failed }
}

fn entry(f: &Fetched) -> serde_json::Value {
    let (state, bytes, error) = match &f.outcome {
        Outcome::Stored { bytes } => ("stored", Some(*bytes), None),
        Outcome::There => ("there", None, None),
        Outcome::Failed(e) => ("failed", None, Some(e.to_string())),
    };
    json!({ "asset": f.asset, "from": f.from, "state": state, "bytes": bytes, "error": error })
}

async fn get(args: &OclFetchArgs) -> Result<Vec<Fetched>> {
    let authorities = args.ca_file.as_deref().map(read).transpose()?;
    fetch_assets(&args.file, authorities.as_deref()).await
}

fn read(path: &std::path::Path) -> Result<Vec<u8>> {
    use std::io::Read as _;
    let at = || path.display().to_string();
    let failed = |e: std::io::Error| Error::io("read the certificates", &e).at(at());
    let mut bytes = Vec::new();
    std::fs::File::open(path).map_err(failed)?.take(MAX_CA_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_CA_BYTES {
        return Err(Error::new(ErrorKind::Limit, "the file of certificates is too large").at(at()));
    }
    Ok(bytes)
}
