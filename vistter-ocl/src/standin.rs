//! What is shown in place of what cannot be: what a layer lacks, and what fills its box then.

use std::cell::RefCell;
use std::collections::BTreeSet;

use vistter_core::diagnose::Diagnostic;

use crate::assets::{Found, View};
use crate::model::{Content, Document, Layer, MaskShape, Scene, SceneFallback};
use crate::raster::vector::Vector;

/// What came up while a scene was compiled.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Assets that were asked for, those that stand in too.
    pub(crate) asked: RefCell<BTreeSet<String>>,
    /// Layers that lack an asset.
    pub(crate) lost: RefCell<Vec<Lost>>,
    /// What is shown in place of something else.
    pub(crate) notes: RefCell<Vec<Diagnostic>>,
}

/// A layer that lacks an asset.
#[derive(Clone, Debug)]
pub(crate) struct Lost {
    layer: String,
    asset: String,
    at: String,
    /// Something stands in for it, but how large is not known.
    unsized_box: bool,
}

impl Lost {
    /// That it is left out.
    pub(crate) fn left_out(&self, strict: bool) -> Diagnostic {
        let Self { layer, asset, at, unsized_box } = self;
        let (why, help) = match unsized_box {
            true => ("how large it would be is not known", "give the layer \"width\" and \"height\""),
            false => ("nothing stands in for it", "give the asset a \"fallback\", or the document \"fallbacks\""),
        };
        let text = format!("the layer \"{layer}\" is left out: \"{asset}\" cannot be shown, and {why}");
        match strict {
            true => Diagnostic::error("OCL-FALLBACK", at, text).help(help),
            false => Diagnostic::warning("OCL-FALLBACK", at, text).help(help),
        }
    }
    /// That something else is shown.
    pub(crate) fn in_place(&self, at: String, what: &str) -> Diagnostic {
        Diagnostic::warning("OCL-FALLBACK", at, format!("{what}: \"{}\" cannot be shown", self.asset))
    }
}

/// Whether a layer can be shown.
#[derive(Debug)]
pub(crate) enum Whole {
    Yes,
    /// The document says that it is not there.
    Hidden,
    No(Lost),
}

#[derive(Clone, Copy, PartialEq)]
enum Use {
    Picture,
    Mask,
    Font,
}

/// Whether a layer has everything that it shows; not what is in a group.
pub(crate) fn whole(l: &Layer, view: &View<'_>, at: &str) -> Whole {
    let mut uses: Vec<(Use, &str, String)> = Vec::new();
    match &l.content {
        Content::Image { asset, .. } => uses.push((Use::Picture, asset, format!("{at}/asset"))),
        Content::Video(v) => uses.push((Use::Picture, &v.asset, format!("{at}/asset"))),
        Content::Text { style, runs, .. } | Content::Ticker { style, runs, .. } => {
            uses.extend(style.font.iter().map(|id| (Use::Font, id.as_str(), format!("{at}/font"))));
            let of_run = |(i, r): (usize, &crate::model::Run)| Some((i, r.font.clone()?));
            for (i, _) in runs.iter().enumerate().filter_map(of_run) {
                if let Some(id) = runs.get(i).and_then(|r| r.font.as_deref()) {
                    uses.push((Use::Font, id, format!("{at}/runs/{i}/font")));
                }
            }
        }
        _ => {}
    }
    for (i, m) in l.look.masks.iter().enumerate() {
        if let MaskShape::Asset { id, .. } = &m.shape {
            uses.push((Use::Mask, id, format!("{at}/masks/{i}/asset")));
        }
    }
    for (use_, id, at) in uses {
        let found = if use_ == Use::Font { view.font(id) } else { view.picture(id) };
        let lost = match found {
            Found::Hidden => return Whole::Hidden,
            Found::Lost => true,
            // only a picture can mask
            Found::Color(_) | Found::Placeholder if use_ == Use::Mask => true,
            Found::Color(_) | Found::Placeholder if use_ == Use::Picture => boxed(l, view, id).is_none(),
            _ => false,
        };
        if lost {
            let unsized_box = use_ == Use::Picture && !matches!(found, Found::Lost);
            return Whole::No(Lost { layer: l.id.clone(), asset: id.to_owned(), at, unsized_box });
        }
    }
    Whole::Yes
}

/// The box of a picture that is not shown itself, in base pixels: as the picture's own, when that is known, and else as
/// long in one direction as in the other.
pub(crate) fn boxed(l: &Layer, view: &View<'_>, asset: &str) -> Option<(f64, f64)> {
    let given = match &l.content {
        Content::Image { width, height, .. } => (*width, *height),
        Content::Video(v) => (v.width, v.height),
        _ => return None,
    };
    sides(given, view.size(asset))
}

/// Two sides, of which some are given and some follow from a picture's own.
pub(crate) fn sides(given: (Option<f64>, Option<f64>), own: Option<(f64, f64)>) -> Option<(f64, f64)> {
    match (given, own) {
        ((Some(w), Some(h)), _) => Some((w, h)),
        ((Some(w), None), Some((nw, nh))) => Some((w, w * nh / nw)),
        ((None, Some(h)), Some((nw, nh))) => Some((h * nw / nh, h)),
        ((None, None), own) => own,
        ((Some(s), None) | (None, Some(s)), None) => Some((s, s)),
    }
}

/// A grey box with a cross, of a size in pixels.
pub(crate) fn placeholder(width: u64, height: u64) -> Option<Vector> {
    let line = (width.min(height) / 60).clamp(1, 6);
    let (w, h, half) = (width, height, line as f64 / 2.0);
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\"><path fill=\"#2B3038\" d=\"M0 0H{w}V{h}H0Z\"/>\
         <path fill=\"none\" stroke=\"#5B6470\" stroke-width=\"{line}\" d=\"M0 0L{w} {h}M{w} 0L0 {h}M{half} {half}H{}V{}H{half}Z\"/></svg>",
        w as f64 - half,
        h as f64 - half,
    );
    Vector::read(svg.as_bytes()).ok()
}

/// What is shown in place of a scene that cannot be: its own fallback, or the document's. `None` is nothing.
pub(crate) fn of_scene<'d>(document: &'d Document, scene: &Scene) -> Option<Option<&'d str>> {
    let scene = document.scenes.iter().find(|s| s.id == scene.id)?;
    match scene.fallback.as_ref().or(document.fallbacks.scene.as_ref())? {
        SceneFallback::Scene(id) => Some(Some(id)),
        SceneFallback::Hide => Some(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes() {
        assert_eq!(sides((Some(10.0), None), Some((4.0, 2.0))), Some((10.0, 5.0)));
        assert_eq!(sides((None, Some(10.0)), Some((4.0, 2.0))), Some((20.0, 10.0)));
        assert_eq!(sides((None, Some(10.0)), None), Some((10.0, 10.0)));
        assert_eq!(sides((None, None), None), None);
        for (w, h) in [(1, 1), (8192, 1), (1920, 1080)] {
            let v = placeholder(w, h).unwrap();
            assert_eq!(v.size(), (w as f64, h as f64));
        }
    }
}
