//! Assets, and what is shown in place of things that cannot be.

use vistter_core::clock::WallTime;
use vistter_core::diagnose::{Diagnostic, Json};
use vistter_core::time::MediaTime;

use super::document::{Names, path};
use super::walk::{Faults, Node};
use super::{scalar, sequence};
use crate::digest::Digest;
use crate::limits::{MAX_FALLBACKS, MAX_RIGHTS, MAX_TEXT_CHARS, MAX_URL_CHARS};
use crate::model::{Asset, Color, Fallback, Fallbacks, MediaType, Right, SceneFallback};
use crate::wallclock::{Offset, parse_iso};

pub(super) fn read(n: &Node<'_>, f: &Faults, names: &Names<'_>) -> Option<Asset> {
    let o = n.object(f)?;
    let url = o.optional("url", url);
    let path = o.optional("path", path);
    let sequence = o.optional("sequence", sequence::read);
    let sha256 = o.optional("sha256", sha256);
    let media_type = o.optional("mediaType", media_type);
    let rights = o.optional("rights", rights).unwrap_or_default();
    let fallback = o.optional("fallback", |n, f| of_asset(n, f, names));
    let mut sound = true;
    let mut fault = |code, text: &str, help: &str| {
        n.fault_help(f, code, text, help);
        sound = false;
    };
    match (o.has("path"), o.has("url")) {
        (false, false) => {
            fault("OCL-MISSING", "the asset names no file", "add \"path\", or \"url\" together with \"sha256\"");
        }
        (true, true) => {
            fault("OCL-CONFLICT", "\"path\" and \"url\" are two places of one file", "leave one of them out");
        }
        (false, true) if !o.has("sha256") => {
            let help = "add \"sha256\": the store keeps files by it, and what a server sends is checked against it";
            fault("OCL-MISSING", "an asset with a URL needs its \"sha256\"", help);
        }
        _ => {}
    }
    for name in ["sha256", "url"].into_iter().filter(|name| o.has("sequence") && o.has(name)) {
        let text = format!("a sequence is many files, and has no \"{name}\" of its own");
        fault("OCL-CONFLICT", &text, "leave it out, or give one file: an animated WebP or PNG");
    }
    if let (Some(p), Some(_)) = (&path, &sequence)
        && !p.contains('#')
    {
        let help = "write \"pictures/smoke-####.png\" for smoke-0001.png and so on";
        let text = format!("\"{p}\" has no # for the digits of the files of a sequence");
        fault("OCL-ASSET-PATH", &text, help);
    }
    o.elsewhere(&[
        ("src", "write \"path\", or \"url\""),
        ("file", "write \"path\""),
        ("type", "write \"mediaType\", or leave it out: what a file is, its content says"),
        ("checksum", "write \"sha256\""),
        ("expires", "write \"rights\": [ { \"tag\": …, \"until\": … } ]"),
    ]);
    o.finish()?;
    let path = match (&url, sha256) {
        (Some(_), Some(d)) => Some(format!("{}/{d}", crate::STORE)),
        _ => path,
    };
    if !sound {
        return None;
    }
    Some(Asset { path: path?, url, sequence, sha256, media_type, rights, fallback })
}

/// An address that may be fetched from.
fn url(n: &Node<'_>, f: &Faults) -> Option<String> {
    let s = scalar::text(n, f, MAX_URL_CHARS)?;
    // the text may hold a signature: it is not said again
    let fault = |text: &str, help: &str| {
        n.fault_help(f, "OCL-ASSET-PATH", text, help);
        None
    };
    let Some((scheme, rest)) = s.split_once("://") else {
        return fault("this is no URL", "write https://HOST/PATH, or name a file as \"path\"");
    };
    if scheme.eq_ignore_ascii_case("http") {
        return fault(
            "http is not secure: anybody on the way could change the file",
            "use https, or put the file beside the document and name it as \"path\"",
        );
    }
    if !scheme.eq_ignore_ascii_case("https") {
        return fault("only https URLs can be fetched", "use https, or name a file as \"path\"");
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return fault("a URL in a document must not hold a password", "use a signed URL, or one that needs none");
    }
    if authority.is_empty() || authority.starts_with(':') || !s.bytes().all(|b| b.is_ascii_graphic()) {
        return fault("this is no URL", "write https://HOST/PATH, other characters as %XX");
    }
    Some(s)
}

fn sha256(n: &Node<'_>, f: &Faults) -> Option<Digest> {
    let s = scalar::text(n, f, MAX_TEXT_CHARS)?;
    let digest = Digest::parse(&s);
    if digest.is_none() {
        n.fault_help(f, "OCL-RANGE", "this is no SHA-256", "give 64 hexadecimal digits, as sha256sum prints them");
    }
    digest
}

fn media_type(n: &Node<'_>, f: &Faults) -> Option<MediaType> {
    scalar::one_of(n, f, "media type", &MediaType::NAMES, MediaType::parse)
}

fn rights(n: &Node<'_>, f: &Faults) -> Option<Vec<Right>> {
    let list = n.array(f, MAX_RIGHTS)?;
    let read: Vec<Right> = list.iter().filter_map(|n| right(n, f)).collect();
    (read.len() == list.len()).then_some(read)
}

fn right(n: &Node<'_>, f: &Faults) -> Option<Right> {
    if n.value.is_string() {
        let tag = scalar::text(n, f, MAX_TEXT_CHARS)?;
        return Some(Right { tag, holder: String::new(), from: None, until: None });
    }
    let o = n.object(f)?;
    let tag = o.required("tag", |n, f| scalar::text(n, f, MAX_TEXT_CHARS));
    let holder = o.optional("holder", |n, f| scalar::text(n, f, MAX_TEXT_CHARS)).unwrap_or_default();
    let from = o.optional("from", |n, f| instant(n, f, false));
    let until = o.optional("until", |n, f| instant(n, f, true));
    o.elsewhere(&[("expires", "write \"until\""), ("to", "write \"until\"")]);
    o.finish()?;
    if let (Some(from), Some(until)) = (from, until)
        && from >= until
    {
        n.fault_help(f, "OCL-RANGE", "the right ends before it begins", "let \"until\" be later than \"from\"");
        return None;
    }
    Some(Right { tag: tag?, holder, from, until })
}

/// A moment of wall-clock time; a day alone is all of it.
fn instant(n: &Node<'_>, f: &Faults, end: bool) -> Option<WallTime> {
    let s = scalar::text(n, f, MAX_TEXT_CHARS)?;
    let at = parse_instant(&s, end);
    if at.is_none() {
        let help = "write a day, \"2026-12-31\", or a time with its zone, \"2026-12-31T18:00:00Z\" or \"…+01:00\"";
        n.fault_help(f, "OCL-RANGE", format!("\"{s}\" is not a moment of wall-clock time"), help);
    }
    at
}

/// `2026-12-31`, in UTC, its begin or its end; `2026-12-31T18:00:00Z`, or with an offset from UTC.
fn parse_instant(s: &str, end: bool) -> Option<WallTime> {
    let Some(time) = s.find('T') else {
        let day = if end { MediaTime::from_secs(86_400) } else { MediaTime::ZERO };
        return parse_iso(s).map(|t| t.plus(day));
    };
    let zone = s[time..].find(['Z', '+', '-']).map(|i| time + i)?;
    let east = Offset::parse(s.get(zone..)?)?.secs();
    Some(parse_iso(s.get(..zone)?)?.plus(MediaTime::from_secs(-east)))
}

/// What is shown in place of an asset.
fn of_asset(n: &Node<'_>, f: &Faults, names: &Names<'_>) -> Option<Fallback> {
    const HELP: &str = "write { \"asset\": … }, { \"color\": … }, \"placeholder\" or \"hide\"";
    match n.value {
        Json::String(s) if s == "placeholder" => Some(Fallback::Placeholder),
        Json::String(s) if s == "hide" => Some(Fallback::Hide),
        Json::String(s) => {
            let help = match names.assets.contains(&s.as_ref()) {
                true => format!("write {{ \"asset\": \"{s}\" }}"),
                false => HELP.to_owned(),
            };
            n.fault_help(f, "OCL-UNKNOWN-VALUE", format!("unknown fallback \"{s}\""), help);
            None
        }
        Json::Object(_) => {
            let o = n.object(f)?;
            let asset = o.optional("asset", |n, f| scalar::asset(n, f, names));
            let color: Option<Color> = o.optional("color", scalar::color);
            o.finish()?;
            match (asset, color) {
                (Some(a), None) => Some(Fallback::Asset(a)),
                (None, Some(c)) => Some(Fallback::Color(c)),
                (Some(_), Some(_)) => {
                    n.fault_help(f, "OCL-CONFLICT", "\"asset\" and \"color\" are two fallbacks", "leave one out");
                    None
                }
                (None, None) => {
                    n.fault_help(f, "OCL-MISSING", "the fallback says nothing", HELP);
                    None
                }
            }
        }
        _ => {
            n.wrong_type(f, "an object, \"placeholder\" or \"hide\"");
            None
        }
    }
}

/// What is shown in place of a scene. That there is such a scene is looked at when all scenes are known.
pub(super) fn of_scene(n: &Node<'_>, f: &Faults) -> Option<SceneFallback> {
    match n.value {
        Json::String(s) if s == "hide" => Some(SceneFallback::Hide),
        Json::String(s) => {
            let help = format!("write {{ \"scene\": \"{s}\" }}, or \"hide\"");
            n.fault_help(f, "OCL-UNKNOWN-VALUE", format!("unknown fallback \"{s}\""), help);
            None
        }
        Json::Object(_) => {
            let o = n.object(f)?;
            let scene = o.required("scene", scalar::id);
            o.finish()?;
            scene.map(SceneFallback::Scene)
        }
        _ => {
            n.wrong_type(f, "an object or \"hide\"");
            None
        }
    }
}

/// What is shown in place of things without a fallback of their own.
pub(super) fn of_document(n: &Node<'_>, f: &Faults, names: &Names<'_>) -> Option<Fallbacks> {
    let o = n.object(f)?;
    let picture = o.optional("picture", |n, f| of_asset(n, f, names));
    let font = o.optional("font", |n, f| of_asset(n, f, names));
    let scene = o.optional("scene", of_scene);
    o.elsewhere(&[("image", "write \"picture\""), ("asset", "write \"picture\" or \"font\"")]);
    o.finish()?;
    Some(Fallbacks { picture, font, scene })
}

/// Records fallbacks that come back to where they began, and rows of them that are too long. Each node has an id, and
/// its fallback names another one under `key`.
pub(super) fn loops(nodes: &[(&str, Node<'_>)], key: &str, what: &str, f: &Faults) {
    let next = |id: &str| {
        let (_, n) = nodes.iter().find(|(k, _)| *k == id)?;
        n.value.get("fallback")?.get(key)?.as_str()
    };
    for (id, n) in nodes {
        let mut way = vec![*id];
        while let Some(to) = way.last().and_then(|at| next(at)) {
            let at = format!("{}/fallback", n.pointer);
            if to == *id {
                // once for each circle: where its first name stands
                if way.iter().all(|w| *w >= *id) {
                    way.push(to);
                    let text = format!("the fallbacks of {what}s go round in a circle: {}", way.join(", "));
                    let d = Diagnostic::error("OCL-FALLBACK-LOOP", at, text);
                    f.push(d.help("let one of them have another fallback, or none"));
                }
                break;
            }
            if way.contains(&to) {
                // a circle that it leads to and is not in
                break;
            }
            way.push(to);
            if way.len() > MAX_FALLBACKS + 1 {
                let text = format!("more than {MAX_FALLBACKS} fallbacks stand behind the {what} \"{id}\"");
                f.push(Diagnostic::error("OCL-LIMIT", at, text).help("leave some of them out"));
                break;
            }
        }
    }
}

/// Records fallbacks of scenes that name no scene, and circles of them.
pub(super) fn scenes(list: &[Node<'_>], document: Option<&Node<'_>>, f: &Faults) {
    let id = |n: &Node<'_>| n.value.get("id")?.as_str().map(str::to_owned);
    let ids: Vec<String> = list.iter().filter_map(id).collect();
    let all = list.iter().map(|n| (n, "/fallback", n.value.get("fallback")));
    let whole = document.map(|n| (n, "/scene", n.value.get("scene")));
    for (n, field, value) in all.chain(whole) {
        let Some(name) = value.and_then(|v| v.get("scene")).and_then(Json::as_str) else { continue };
        if !ids.iter().any(|i| i == name) {
            let at = format!("{}{field}/scene", n.pointer);
            let d = Diagnostic::error("OCL-UNKNOWN-SCENE", at, format!("the document has no scene \"{name}\""));
            f.push(d.suggest(name, ids.iter().map(String::as_str)));
        }
    }
    let nodes: Vec<(&str, Node<'_>)> =
        list.iter().filter_map(|n| Some((n.value.get("id")?.as_str()?, n.clone()))).collect();
    loops(&nodes, "scene", "scene", f);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_wall_clock_time() {
        let at = |s: &str, end| parse_instant(s, end).map(WallTime::unix_secs);
        assert_eq!((at("1970-01-02", false), at("1970-01-02", true)), (Some(86_400), Some(2 * 86_400)));
        assert_eq!(at("1970-01-01T01:00:05+01:00", true), Some(5));
        assert_eq!(at("1970-01-01T00:00Z", true), Some(0));
        for bad in ["", "T", "1970-01-01T00:00", "tomorrow", "1970-01-01 00:00Z", "1970-13-01", "1970-01-01T00:00+é"] {
            assert_eq!(at(bad, true), None, "{bad}");
        }
    }
}
