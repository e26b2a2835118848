//! Drawing content into straight-alpha sRGB rasters, once per change of content.
//!
//! | file | duty |
//! |---|---|
//! | `rect.rs` | rounded rectangles |
//! | `ellipse.rs` | ellipses |
//! | `shape.rs` | rectangles with their fills, progress bars |
//! | `gauge.rs` | gauges |
//! | `qr.rs` | QR codes (qrcodegen) |
//! | `film.rs` | pictures that move |
//! | `vector.rs` | SVG (usvg, resvg) |
//! | `picture.rs` | decoding and scaling of image files |
//! | `ink.rs` | outlines and shadows: coverage laid in one colour over another |
//! | `text/` | shaping and drawing of text (cosmic-text, swash) |

pub(crate) mod ellipse;
pub(crate) mod film;
pub(crate) mod gauge;
pub(crate) mod ink;
pub(crate) mod picture;
pub(crate) mod qr;
pub(crate) mod rect;
pub(crate) mod shape;
pub(crate) mod text;
pub(crate) mod vector;

/// A drawn picture in sRGB with straight alpha. Its box is the part that placement counts; ink may reach beyond it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Raster {
    /// Pixels.
    pub(crate) width: usize,
    /// Pixels.
    pub(crate) height: usize,
    /// Four bytes a pixel, row by row without gaps.
    pub(crate) rgba: Vec<u8>,
    /// The box's left and top edge inside the raster.
    pub(crate) origin: (i32, i32),
    /// The box's width and height.
    pub(crate) size: (i32, i32),
}

impl Raster {
    /// Empties it to `width` × `height` transparent pixels; memory is reused. The box is the whole raster.
    pub(crate) fn reset(&mut self, width: usize, height: usize) {
        self.width = width;
        self.height = height;
        self.rgba.clear();
        self.rgba.resize(width * height * 4, 0);
        self.origin = (0, 0);
        self.size = (width as i32, height as i32);
    }
}
