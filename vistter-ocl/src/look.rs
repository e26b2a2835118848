//! What is done to pictures: looks from base pixels to canvas pixels, transitions from seconds to frames.

use std::fmt::Display;

use vistter_core::diagnose::Diagnostic;
use vistter_core::time::FrameRate;

use crate::assets::View;
use crate::limits::MAX_DETAIL;
use crate::matte::{self, MatteProgram};
use crate::model::{Content, Layer, MaskShape, Matte, MatteForm, Style, Transition};
use crate::planes;
use crate::program::LookProgram;
use crate::sheet::cut::{Form, MaskProgram};
use crate::transition::{Dip, Way, WayStyle};

/// Compiles a layer's look.
///
/// # Errors
/// A mask whose asset is not loaded.
pub(crate) fn program(l: &Layer, view: &View<'_>, k: f64, at: &str) -> Result<LookProgram, Vec<Diagnostic>> {
    let (look, moves) = (&l.look, &l.automation);
    let mut masks = Vec::with_capacity(look.masks.len());
    for (i, m) in look.masks.iter().enumerate() {
        let form = match &m.shape {
            MaskShape::Rect(radius) => Form::Rect(radius * k),
            MaskShape::Ellipse => Form::Ellipse,
            MaskShape::Asset { id, luma } => match view.image(id) {
                Some(source) => Form::Picture { source: source.clone(), luma: *luma },
                None => return Err(vec![view.assets().unfit(id, format!("{at}/masks/{i}/asset"))]),
            },
        };
        masks.push(MaskProgram {
            mode: m.mode,
            invert: m.invert,
            form,
            anchor: m.place.anchor,
            offset: [m.place.x * k, m.place.y * k],
            size: m.size.map(|s| s.map(|v| v * k)),
            feather: m.feather * k,
        });
    }
    // What a scale will show larger is drawn larger, so that it stays sharp. A group's layers are not drawn here, and a
    // ticker's pace is in pixels of its drawing.
    let scales = moves.scale.keys.iter().map(|k| k.value).chain(moves.scale.keys.is_empty().then_some(look.scale));
    let largest = scales.flatten().fold(1.0f64, |a, s| a.max(s.abs()));
    let detail = match l.content {
        Content::Group(_) | Content::Ticker { .. } => 1.0,
        _ if !look.masks.is_empty() => 1.0,
        _ => largest.min(MAX_DETAIL),
    };
    Ok(LookProgram {
        scale: look.scale,
        detail,
        rotation: look.rotation,
        pivot: look.pivot.unwrap_or(l.place.anchor),
        crop: look.crop.map(|v| v * k),
        smooth: look.smooth || !moves.scale.keys.is_empty() || !moves.rotation.keys.is_empty(),
        blend: look.blend,
        masks,
    })
}

/// Compiles a transition.
///
/// # Errors
/// A matte whose asset is not loaded.
pub(crate) fn way(t: &Transition, view: &View<'_>, fps: FrameRate, at: &dyn Display) -> Result<Way, Vec<Diagnostic>> {
    let style = match &t.style {
        Style::Cut | Style::Fade => WayStyle::Fade,
        Style::Wipe(side) => WayStyle::Wipe(*side),
        Style::Slide(side) => WayStyle::Slide(*side),
        Style::Push(side) => WayStyle::Push(*side),
        Style::Zoom(from) => WayStyle::Zoom(*from),
        Style::Dip(color) => WayStyle::Dip(Dip { yuv: planes::color(color.rgba), alpha: color.rgba[3] }),
        Style::Matte(Matte { form: MatteForm::Asset(id), .. }) if view.image(id).is_none() && !view.is_unfit(id) => {
            let text = format!("the wipe is a fade: its matte \"{id}\" cannot be shown");
            let d = Diagnostic::warning("OCL-FALLBACK", format!("{at}/asset"), text);
            view.ledger.notes.borrow_mut().push(d.help("give the asset another one as its \"fallback\""));
            WayStyle::Fade
        }
        Style::Matte(m) => WayStyle::Matte(MatteProgram {
            form: match &m.form {
                MatteForm::Linear(angle) => matte::Form::Linear(*angle),
                MatteForm::Radial => matte::Form::Radial,
                MatteForm::Clock => matte::Form::Clock,
                MatteForm::Diamond => matte::Form::Diamond,
                MatteForm::Asset(id) => match view.image(id) {
                    Some(source) => matte::Form::Picture(source.clone()),
                    None => return Err(vec![view.assets().unfit(id, format!("{at}/asset"))]),
                },
            },
            invert: m.invert,
            soft: m.softness,
        }),
    };
    let frames = if t.style == Style::Cut { 0 } else { t.duration.frames(fps) };
    Ok(Way { style, frames, easing: t.easing, interrupted: t.interrupted })
}
