//! Characters that no font of a document can draw: viewers would see empty boxes.

use std::collections::{BTreeMap, BTreeSet};

use vistter_core::diagnose::Diagnostic;

use crate::assets::Assets;
use crate::model::{Content, Document, TokenKind};
use crate::raster::text::{FontSet, covers};
use crate::said::Said;
use crate::template::Now;

/// Characters named in one finding.
const NAMED: usize = 8;

/// A warning for each text, and each list of choices, that has a character without a glyph. Tokens are taken at their
/// defaults.
pub(crate) fn missing(document: &Document, assets: &Assets) -> Vec<Diagnostic> {
    let tokens: BTreeMap<String, String> =
        document.tokens.iter().map(|(k, t)| (k.clone(), t.default.clone())).collect();
    let (mut list, mut said) = (Vec::new(), Said::default());
    let mut used = BTreeSet::new();
    for (i, scene) in document.scenes.iter().enumerate() {
        for (at, layer) in scene.every_layer() {
            let (Content::Text { runs, .. } | Content::Ticker { runs, .. }) = &layer.content else { continue };
            said.fill(runs.iter().map(|r| &r.text), &tokens, Now::default());
            used.extend(runs.iter().flat_map(|r| r.text.tokens()));
            list.extend(finding(format!("/scenes/{i}{at}"), said.text(), assets.fonts()));
            for (n, key) in layer.automation.text.keys.iter().enumerate() {
                said.fill(std::iter::once(&key.value), &tokens, Now::default());
                used.extend(key.value.tokens());
                let place = layer.automation.text.place(&format!("/scenes/{i}{at}"), "text", n);
                list.extend(finding(place, said.text(), assets.fonts()));
            }
        }
    }
    for name in used {
        if let Some(TokenKind::Text { choices, .. }) = document.tokens.get(name).map(|t| &t.kind) {
            list.extend(finding(format!("/tokens/{name}/choices"), &choices.concat(), assets.fonts()));
        }
    }
    list
}

fn finding(at: String, text: &str, fonts: &FontSet) -> Option<Diagnostic> {
    let missing: BTreeSet<char> = text.chars().filter(|c| !unseen(*c) && !covers(fonts, *c)).collect();
    if missing.is_empty() {
        return None;
    }
    let name = |c: &char| format!("\"{c}\" (U+{:04X})", u32::from(*c));
    let mut names = missing.iter().take(NAMED).map(name).collect::<Vec<_>>().join(", ");
    if missing.len() > NAMED {
        names.push_str(&format!(" and {} more", missing.len() - NAMED));
    }
    let d = Diagnostic::warning("OCL-GLYPH", at, format!("no font has a glyph for {names}"));
    Some(d.help(
        "name a font that has it under \"assets\": a TrueType or OpenType file; it then stands in for the others",
    ))
}

/// Characters that are not drawn: white space, controls, joiners, marks of direction, selectors of variants, tags.
fn unseen(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}
