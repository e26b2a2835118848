//! Pictures with premultiplied alpha, for what is done to a layer before it is blended: groups, crops, masks, scale and
//! rotation. A layer with none of these never becomes one.
//!
//! | file | duty |
//! |---|---|
//! | `over.rs` | laying one sheet over another, in every blend mode |
//! | `cut.rs` | crops and masks |
//! | `scale.rs` | resampling to another size, between pixels too |
//! | `turn.rs` | rotation |
//! | `mode.rs` | blend modes on the picture itself |

pub(crate) mod cut;
pub(crate) mod mode;
pub(crate) mod over;
pub(crate) mod scale;
pub(crate) mod turn;

use crate::raster::Raster;

/// A picture in sRGB with premultiplied alpha.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sheet {
    /// Pixels.
    pub(crate) width: usize,
    /// Pixels.
    pub(crate) height: usize,
    /// Four bytes a pixel, row by row without gaps; no colour is above its alpha.
    pub(crate) rgba: Vec<u8>,
}

impl Sheet {
    /// Empties it to `width` × `height` transparent pixels; memory is reused.
    pub(crate) fn reset(&mut self, width: usize, height: usize) {
        (self.width, self.height) = (width, height);
        self.rgba.clear();
        self.rgba.resize(width * height * 4, 0);
    }

    /// Takes a drawn picture over.
    pub(crate) fn load(&mut self, r: &Raster) {
        self.reset(r.width, r.height);
        for (out, px) in self.rgba.chunks_exact_mut(4).zip(r.rgba.chunks_exact(4)) {
            let a = u32::from(px[3]);
            for (o, c) in out.iter_mut().zip(&px[..3]) {
                *o = ((u32::from(*c) * a + 127) / 255) as u8;
            }
            out[3] = px[3];
        }
    }

    /// Takes a sheet over.
    pub(crate) fn copy(&mut self, s: &Self) {
        (self.width, self.height) = (s.width, s.height);
        self.rgba.clear();
        self.rgba.extend_from_slice(&s.rgba);
    }
}
