//! The pictures of a layer that moves, drawn once and changed by exchange.

use crate::model::Fit;
use crate::planes::Planes;
use crate::raster::Raster;
use crate::raster::film::Film;
use crate::raster::picture::{self, Decoded};

/// Every picture of a film at the size it is shown at. The one that is shown is lent out.
#[derive(Debug, Default)]
pub(crate) struct Reel {
    drawn: Vec<(Raster, Planes)>,
    lent: Option<usize>,
}

impl Reel {
    /// Puts picture `i` into `raster` and `planes`; whether that is another one. The first call draws them all.
    pub(crate) fn show(
        &mut self,
        film: &Film,
        size: (u32, u32, Fit),
        i: usize,
        raster: &mut Raster,
        planes: &mut Planes,
    ) -> bool {
        if self.drawn.is_empty() {
            let draw = |source: Option<&Decoded>| {
                let mut new = (Raster::default(), Planes::default());
                match source {
                    Some(source) => picture::draw_in(&mut new.0, source, size.0, size.1, size.2),
                    None => new.0.reset(size.0 as usize, size.1 as usize),
                }
                new.1.load(&new.0);
                new
            };
            self.drawn = film.pictures().map(draw).collect();
        }
        if self.lent == Some(i) {
            return false;
        }
        let mut exchange = |i: usize| {
            if let Some((r, p)) = self.drawn.get_mut(i) {
                std::mem::swap(r, raster);
                std::mem::swap(p, planes);
            }
        };
        if let Some(back) = self.lent {
            exchange(back);
        }
        exchange(i);
        self.lent = Some(i);
        true
    }
}
