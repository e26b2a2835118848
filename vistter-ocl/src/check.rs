//! Everything that can be said about a document before it plays.

use std::path::Path;

use vistter_core::clock::WallTime;
use vistter_core::diagnose::{Diagnostic, Severity};
use vistter_core::ports::Canvas;
use vistter_core::time::FrameRate;

use crate::assets::{AssetSource, Assets, Folder};
use crate::compile::compile;
use crate::cost::{self, Cost, Profile};
use crate::glyphs;
use crate::legible;
use crate::model::Document;

/// Checks a document's text, its assets, and that every scene of it compiles at the base resolution. Nothing is
/// drawn. An empty list is a good document.
///
/// Rights that have ended are found by [`check_at`].
pub fn check(text: &str, assets: &dyn AssetSource) -> Vec<Diagnostic> {
    all(text, assets, None)
}

/// [`check`] at a moment of wall-clock time: what may not be shown then is found too.
pub fn check_at(text: &str, assets: &dyn AssetSource, wall: WallTime) -> Vec<Diagnostic> {
    all(text, assets, Some(wall))
}

fn all(text: &str, assets: &dyn AssetSource, wall: Option<WallTime>) -> Vec<Diagnostic> {
    let (document, mut list) = match Document::parse(text) {
        Ok(good) => good,
        Err(list) => return list,
    };
    list.extend(legible::check(&document));
    let assets = Assets::load(&document, assets);
    let assets = wall.map_or(assets.clone(), |wall| assets.at(wall));
    list.extend(assets.findings().cloned());
    list.extend(glyphs::missing(&document, &assets));
    for scene in &document.scenes {
        // at its own resolution, and at one of the shape of each variant
        let (width, height) = document.base;
        let shapes = scene.variants.iter().map(|v| v.base.unwrap_or_else(|| v.canvas(width)));
        for (width, height) in [(width, height)].into_iter().chain(shapes) {
            let canvas = Canvas { width, height, fps: FrameRate::FPS_30 };
            let found = compile(&document, Some(&scene.id), &assets, canvas).map_or_else(|list| list, |p| p.notes);
            // a variant lacks what its scene lacks
            list.extend(found.into_iter().filter(|d| !list.contains(d)).collect::<Vec<_>>());
        }
    }
    crate::fault::locate_all(text, &mut list);
    list
}

/// [`check`] for a file; its assets are looked for beside it. A file that cannot be read is one diagnostic.
pub fn check_file(path: &Path) -> Vec<Diagnostic> {
    file(path, None)
}

/// [`check_at`] for a file.
pub fn check_file_at(path: &Path, wall: WallTime) -> Vec<Diagnostic> {
    file(path, Some(wall))
}

fn file(path: &Path, wall: Option<WallTime>) -> Vec<Diagnostic> {
    match crate::overlay::read(path) {
        Ok(text) => all(&text, &Folder::new(path.parent().unwrap_or(Path::new(""))), wall),
        Err(list) => list,
    }
}

/// What every scene of a document in a file costs on a machine, at the document's base resolution; with a located warning
/// for each that is beyond the machine's budget. `fps` stands in when the document names no frame rate.
///
/// # Errors
/// Everything that is wrong with it, when it does not play.
pub fn cost_file(
    path: &Path,
    profile: &Profile,
    fps: FrameRate,
) -> Result<(Vec<Cost>, Vec<Diagnostic>), Vec<Diagnostic>> {
    let text = crate::overlay::read(path)?;
    let (document, _) = Document::parse(&text)?;
    let assets = Assets::load(&document, &Folder::new(path.parent().unwrap_or(Path::new(""))));
    let (width, height) = document.base;
    let canvas = Canvas { width, height, fps: document.rate.unwrap_or(fps) };
    let one = |s: &crate::model::Scene| cost::estimate(&document, Some(&s.id), &assets, canvas, profile);
    let costs = document.scenes.iter().map(one).collect::<Result<Vec<Cost>, _>>()?;
    let mut found = costs.iter().filter_map(Cost::finding).collect();
    crate::fault::locate_all(&text, &mut found);
    Ok((costs, found))
}

/// Whether a document with these findings plays.
pub fn plays(findings: &[Diagnostic]) -> bool {
    findings.iter().all(|d| d.severity == Severity::Warning)
}
