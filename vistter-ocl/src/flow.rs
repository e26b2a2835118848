//! Rows and columns: where the layers of a group stand that has a layout. Sizes are those of the drawings, so a row moves
//! along when a text in it changes.

use crate::model::{Justify, Line};
use crate::program::{LayerProgram, Picture};
use crate::renderer::Slot;

/// The size of a layer's box in whole canvas pixels.
pub(crate) fn extent(layer: &LayerProgram, slot: &Slot) -> (i32, i32) {
    let (w, h) = match &layer.picture {
        Picture::Ticker { width, .. } => (*width as i32, slot.raster.size.1),
        _ => slot.raster.size,
    };
    let side = |v: i32| (f64::from(v) / layer.look.detail).round() as i32;
    (side(w), side(h))
}

/// A layout in canvas pixels.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    /// Downwards, instead of to the right.
    pub(crate) column: bool,
    pub(crate) gap: i32,
    pub(crate) align: Line,
    pub(crate) justify: Justify,
    /// At the left and right, at the top and bottom.
    pub(crate) padding: (i32, i32),
    /// The group's layers in the order of the document.
    pub(crate) order: Vec<usize>,
}

impl Flow {
    /// The size of the group's box round layers of these sizes; a side that is fixed stays.
    pub(crate) fn extent(&self, sizes: impl Iterator<Item = (i32, i32)>, fixed: [Option<i32>; 2]) -> (i32, i32) {
        let (mut along, mut across, mut n) = (0i32, 0i32, 0i32);
        for (w, h) in sizes {
            let (a, c) = self.turned((w, h));
            along = along.saturating_add(a);
            across = across.max(c);
            n += 1;
        }
        along = along.saturating_add(self.gap.saturating_mul((n - 1).max(0)));
        let (w, h) = self.turned((along, across));
        let (px, py) = self.padding;
        (fixed[0].unwrap_or(w.saturating_add(2 * px)), fixed[1].unwrap_or(h.saturating_add(2 * py)))
    }

    /// The place of the next layer, from the left top of the group's box, and how far the one after it stands.
    pub(crate) fn walk(&self, extent: (i32, i32), used: i32, n: usize) -> Walk<'_> {
        let (room, across) = self.turned((extent.0 - 2 * self.padding.0, extent.1 - 2 * self.padding.1));
        let free = room - used - self.gap * (n as i32 - 1).max(0);
        let (start, between) = match self.justify {
            Justify::Start => (0, 0),
            Justify::Center => (free.div_euclid(2), 0),
            Justify::End => (free, 0),
            // what does not divide evenly stays at the end; with too little room they stand as at the start
            Justify::SpaceBetween => (0, if n > 1 { (free / (n as i32 - 1)).max(0) } else { 0 }),
        };
        Walk { flow: self, at: start, step: self.gap + between, across }
    }

    /// Along and across, of right and down; and back.
    pub(crate) fn turned(&self, (w, h): (i32, i32)) -> (i32, i32) {
        if self.column { (h, w) } else { (w, h) }
    }
}

/// A walk along a row or a column.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    flow: &'a Flow,
    at: i32,
    step: i32,
    across: i32,
}

impl Walk<'_> {
    /// The place of a layer of this size.
    pub(crate) fn next(&mut self, size: (i32, i32)) -> (i32, i32) {
        let (a, c) = self.flow.turned(size);
        let side = match self.flow.align {
            Line::Start => 0,
            Line::Center => (self.across - c).div_euclid(2),
            Line::End => self.across - c,
        };
        let (x, y) = self.flow.turned((self.at, side));
        self.at = self.at.saturating_add(a).saturating_add(self.step);
        (x + self.flow.padding.0, y + self.flow.padding.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(f: &Flow, sizes: &[(i32, i32)], fixed: [Option<i32>; 2]) -> ((i32, i32), Vec<(i32, i32)>) {
        let extent = f.extent(sizes.iter().copied(), fixed);
        let used = sizes.iter().map(|s| f.turned(*s).0).sum();
        let mut walk = f.walk(extent, used, sizes.len());
        (extent, sizes.iter().map(|s| walk.next(*s)).collect())
    }
    fn row(align: Line, justify: Justify) -> Flow {
        Flow { column: false, gap: 10, align, justify, padding: (5, 3), order: Vec::new() }
    }

    #[test]
    fn rows_and_columns() {
        let sizes = [(20, 10), (40, 30)];
        assert_eq!(places(&row(Line::Start, Justify::Start), &sizes, [None; 2]), ((80, 36), vec![(5, 3), (35, 3)]));
        assert_eq!(places(&row(Line::Center, Justify::End), &sizes, [Some(100), None]).1, [(25, 13), (55, 3)]);
        assert_eq!(places(&row(Line::End, Justify::Center), &sizes, [Some(100), Some(50)]).1, [(15, 37), (45, 17)]);
        assert_eq!(places(&row(Line::Start, Justify::SpaceBetween), &sizes, [Some(200), None]).1, [(5, 3), (155, 3)]);
        let column = Flow { column: true, ..row(Line::Center, Justify::Start) };
        assert_eq!(places(&column, &sizes, [None; 2]), ((50, 56), vec![(15, 3), (5, 23)]));
        assert_eq!(places(&column, &[], [None; 2]).0, (10, 6));
    }
}
