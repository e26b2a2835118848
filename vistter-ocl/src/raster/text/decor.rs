//! What goes round a text and under it: outline, shadow, plate.

use super::super::ink::{self, Ink};
use super::super::{Raster, rect};

/// What goes round a text and under it, in canvas pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Decor {
    /// Width and colour.
    pub(crate) outline: Option<(f64, [u8; 4])>,
    /// Right, down, and colour.
    pub(crate) shadow: Option<(i64, i64, [u8; 4])>,
    pub(crate) plate: Option<Plate>,
}

/// A box behind a text; it counts as part of the text's box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Plate {
    pub(crate) rgba: [u8; 4],
    /// At the left and right, at the top and bottom.
    pub(crate) padding: (usize, usize),
    pub(crate) radius: f64,
}

/// Pixels round the text's own box.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Margins {
    pub(super) left: usize,
    pub(super) right: usize,
    pub(super) top: usize,
    pub(super) bottom: usize,
}

impl Decor {
    /// How far it reaches beyond the text's own box, whose glyphs reach that far over its sides and over top and bottom.
    pub(super) fn margins(&self, (aside, above): (usize, usize)) -> Margins {
        let mut m = Margins { left: aside, right: aside, top: above, bottom: above };
        let pen = self.outline.map_or(0, |(w, _)| w.ceil() as usize + 1);
        let (dx, dy) = self.shadow.map_or((0, 0), |(x, y, _)| (x, y));
        let beyond = |d: i64| usize::try_from(d).unwrap_or(0);
        m.left += pen + beyond(-dx);
        m.right += pen + beyond(dx);
        m.top += pen + beyond(-dy);
        m.bottom += pen + beyond(dy);
        let (x, y) = self.plate.map_or((0, 0), |p| p.padding);
        Margins { left: m.left.max(x), right: m.right.max(x), top: m.top.max(y), bottom: m.bottom.max(y) }
    }

    /// Lays plate, shadow and outline over each other, in this order; `ink` is the coverage of the letters.
    pub(super) fn lay(&self, out: &mut Raster, ink: &mut Ink, scratch: &mut Raster) {
        if let Some(p) = self.plate {
            let (w, h) = (out.size.0.max(0) as usize, out.size.1.max(0) as usize);
            rect::draw(scratch, w, h, p.radius, p.rgba);
            let (left, top) = (out.origin.0.max(0) as usize, out.origin.1.max(0) as usize);
            for (y, line) in scratch.rgba.chunks_exact((w * 4).max(1)).enumerate().take(h) {
                for (x, px) in line.chunks_exact(4).enumerate() {
                    let at = ((top + y) * out.width + left + x) * 4;
                    if let Some(o) = out.rgba.get_mut(at..at + 4) {
                        ink::over(o, [px[0], px[1], px[2], px[3]]);
                    }
                }
            }
        }
        if let Some((x, y, rgba)) = self.shadow {
            match self.outline {
                Some((width, _)) => ink.lay_wide(out, width, (x, y), rgba),
                None => ink.lay(out, (x, y), rgba),
            }
        }
        if let Some((width, rgba)) = self.outline {
            ink.lay_wide(out, width, (0, 0), rgba);
        }
    }
}
