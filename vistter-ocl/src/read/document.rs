//! The document and its assets.

use std::collections::BTreeMap;

use vistter_core::diagnose::{Diagnostic, Json};
use vistter_core::time::FrameRate;

use super::style::{self, Style};
use super::walk::{Faults, Node};
use super::{asset, scalar, scene, sync, token};
use crate::limits::{
    MAX_ASSETS, MAX_EXTENT, MAX_ID_CHARS, MAX_REQUIRES, MAX_SCENES, MAX_SYNCS, MAX_TEXT_CHARS, MAX_TOKENS,
};
use crate::model::{Document, Sync, TimelineInfo};
use crate::template::{CLOCK, TIMER};
use crate::version;

/// The minor version of the language that this crate speaks; the major version is 1.
pub(crate) const MINOR: u32 = 1;

/// What layers may refer to.
pub(super) struct Names<'a> {
    pub(super) tokens: Vec<&'a str>,
    pub(super) assets: Vec<&'a str>,
    pub(super) styles: Vec<Style<'a>>,
    /// `None` for one that is there but faulty, which is said where it stands.
    pub(super) syncs: Vec<(&'a str, Option<Sync>)>,
}

pub(super) fn read(root: &Node<'_>, faults: &Faults) -> Option<Document> {
    let o = root.object(faults)?;
    o.field("$schema"); // for editors
    // before anything that may be left out
    faults.strict.set(root.value.get("strict").and_then(Json::as_bool).unwrap_or(false));
    let minor = o.required("ocl", version);
    if let Some(m) = minor
        && m > MINOR
    {
        faults.newer.set(true);
        let text = format!("the document asks for OCL 1.{m}; this program speaks 1.{MINOR}");
        faults.push(Diagnostic::warning("OCL-VERSION", "/ocl", text).help("what it does not know is left out"));
    }
    let title = o.optional("title", |n, f| scalar::text(n, f, MAX_TEXT_CHARS)).unwrap_or_default();
    let strict = o.optional("strict", scalar::truth).unwrap_or(false);
    let locale = o.optional("locale", scalar::locale);
    faults.locale.set(locale.unwrap_or_default());
    let requires = o.optional("requires", requires).unwrap_or_default();
    let timeline = o.optional("timeline", timeline).unwrap_or_default();
    faults.rate.set(timeline.rate);
    // The two ways to say the base resolution are one field for the reader: one of them must be there.
    let base = match timeline.base {
        Some(base) => {
            if let Some(n) = o.field("canvas") {
                let help = "leave one of them out";
                n.fault_help(faults, "OCL-CONFLICT", "\"canvas\" and timeline.baseResolution say the same", help);
            }
            Some(base)
        }
        None => o.optional("canvas", canvas),
    };
    if base.is_none() && !o.has("canvas") && !resolution_is_there(root) {
        let help = "write \"canvas\": { \"width\": 1920, \"height\": 1080 }";
        root.fault_help(faults, "OCL-MISSING", "the document has no base resolution", help);
    }
    // Names are collected before their values are checked, so that one faulty token does not make every use of it
    // a second fault.
    let token_nodes = o.field("tokens").and_then(|n| n.entries(faults, MAX_TOKENS)).unwrap_or_default();
    let asset_nodes = o.field("assets").and_then(|n| n.entries(faults, MAX_ASSETS)).unwrap_or_default();
    let styles = o.field("styles").and_then(|n| style::read(&n, faults)).unwrap_or_default();
    let sync_nodes = o.field("sync").and_then(|n| n.entries(faults, MAX_SYNCS)).unwrap_or_default();
    let syncs = named(&sync_nodes, faults, sync::read);
    let names = Names {
        tokens: token_nodes.iter().map(|(k, _)| *k).collect(),
        assets: asset_nodes.iter().map(|(k, _)| *k).collect(),
        styles,
        syncs: sync_nodes.iter().map(|(k, _)| (*k, syncs.get(*k).cloned())).collect(),
    };
    let tokens = named(&token_nodes, faults, token::read);
    let assets = named(&asset_nodes, faults, |n, f| asset::read(n, f, &names));
    asset::loops(&asset_nodes, "asset", "asset", faults);
    let fallbacks = o.optional("fallbacks", |n, f| asset::of_document(n, f, &names)).unwrap_or_default();
    for (name, what) in [(CLOCK, "the wall-clock"), (TIMER, "the time since the scene was shown")] {
        if let Some((_, n)) = token_nodes.iter().find(|(k, _)| *k == name) {
            n.fault_help(faults, "OCL-NAME", format!("\"{name}\" is {what}"), "give the token another name");
        }
    }
    let scenes = o.required("scenes", |n, f| {
        let list = n.array(f, MAX_SCENES)?;
        if list.is_empty() {
            n.fault(f, "OCL-MISSING", "a document needs at least one scene");
        }
        let read: Vec<_> = list.iter().filter_map(|s| scene::read(s, f, &names)).collect();
        scene::doubled(&list, f, "scene");
        asset::scenes(&list, o.field("fallbacks").as_ref(), f);
        Some(read)
    });
    style::finish(&names, faults);
    o.finish()?;
    let info = TimelineInfo { id: timeline.id, version: timeline.version };
    Some(Document {
        minor: minor?,
        title,
        strict,
        requires,
        timeline: info,
        rate: timeline.rate,
        locale: locale.unwrap_or_default(),
        base: base?,
        tokens,
        assets,
        fallbacks,
        scenes: scenes?,
    })
}

/// Whether a timeline says one, right or wrong: what is wrong has been said.
fn resolution_is_there(root: &Node<'_>) -> bool {
    root.value.get("timeline").is_some_and(|t| t.get("baseResolution").is_some())
}

/// A base resolution.
pub(super) fn canvas(n: &Node<'_>, f: &Faults) -> Option<(u32, u32)> {
    let c = n.object(f)?;
    let side = |n: &Node<'_>, f: &Faults| scalar::whole(n, f, 16, MAX_EXTENT as i64).map(|v| v as u32);
    let (w, h) = (c.required("width", side), c.required("height", side));
    c.finish()?;
    Some((w?, h?))
}

/// What a timeline says.
#[derive(Default)]
struct Timeline {
    id: String,
    version: String,
    rate: Option<FrameRate>,
    base: Option<(u32, u32)>,
}

/// What the document says of itself, and what times and lengths count in.
fn timeline(n: &Node<'_>, f: &Faults) -> Option<Timeline> {
    let o = n.object(f)?;
    let id = o.optional("id", |n, f| scalar::text(n, f, MAX_ID_CHARS)).unwrap_or_default();
    let version = o.optional("version", |n, f| scalar::text(n, f, MAX_ID_CHARS)).unwrap_or_default();
    let base = o.optional("baseResolution", canvas);
    let rate = o.optional("frameRate", |n, f| {
        let text = match n.value {
            Json::Number(x) => x.to_string(),
            _ => scalar::text(n, f, MAX_ID_CHARS)?,
        };
        let rate = FrameRate::parse(&text);
        if rate.is_none() {
            let help = "write 25, 30, 60 or a fraction such as \"30000/1001\"";
            n.fault_help(f, "OCL-RANGE", format!("\"{text}\" is not a frame rate"), help);
        }
        rate
    });
    o.finish()?;
    Some(Timeline { id, version, rate, base })
}

fn named<T>(
    nodes: &[(&str, Node<'_>)],
    faults: &Faults,
    read: impl Fn(&Node<'_>, &Faults) -> Option<T>,
) -> BTreeMap<String, T> {
    let mut out = BTreeMap::new();
    for (key, n) in nodes {
        if let Some(why) = scalar::name_fault(key) {
            n.fault(faults, "OCL-NAME", why);
        }
        if let Some(v) = read(n, faults) {
            out.insert((*key).to_owned(), v);
        }
    }
    out
}

fn version(n: &Node<'_>, f: &Faults) -> Option<u32> {
    let s = scalar::text(n, f, MAX_TEXT_CHARS)?;
    let minor = version::parse(&s).filter(|v| v.0 == 1).map(|v| v.1);
    if minor.is_none() {
        let help = format!("this program speaks \"1.{MINOR}\"");
        n.fault_help(f, "OCL-VERSION", format!("OCL version \"{s}\" is not supported"), help);
    }
    minor
}

/// What a program must be able to do. What this one cannot is an error only when the document says so, as all that is left out.
fn requires(n: &Node<'_>, f: &Faults) -> Option<Vec<String>> {
    let known = version::supported().features;
    let list = n.array(f, MAX_REQUIRES)?;
    let names: Vec<(String, &Node<'_>)> = list.iter().filter_map(|n| Some((scalar::id(n, f)?, n))).collect();
    for (name, n) in names.iter().filter(|(name, _)| !known.contains(name)) {
        let text = format!("the document requires \"{name}\", which this program does not know");
        let d = match f.strict.get() {
            true => Diagnostic::error("OCL-UNKNOWN-FEATURE", n.pointer.clone(), text),
            false => Diagnostic::warning("OCL-UNKNOWN-FEATURE", n.pointer.clone(), text),
        };
        let near = vistter_core::diagnose::nearest(name, known.iter().map(String::as_str));
        f.push(d.help(match near {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => "it does not play as it is written; `vistter ocl supported` lists what there is".into(),
        }));
    }
    (names.len() == list.len()).then(|| names.into_iter().map(|(name, _)| name).collect())
}

/// A path below the document's folder.
pub(super) fn path(n: &Node<'_>, f: &Faults) -> Option<String> {
    let s = scalar::text(n, f, MAX_TEXT_CHARS)?;
    if let Some(why) = crate::assets::path_fault(&s) {
        let help = match s.contains("://") {
            true => "write it as \"url\", together with \"sha256\"",
            false => "give a path below the document's folder, such as \"pictures/logo.png\"",
        };
        n.fault_help(f, "OCL-ASSET-PATH", why, help);
        return None;
    }
    Some(s)
}
