//! Colours and fills.

/// What a shape is filled with.
#[derive(Clone, Debug, PartialEq)]
pub enum Fill {
    /// One colour.
    Color(Color),
    /// Colours that pass into each other along a line.
    Gradient {
        /// Where the line points, in degrees: 0 right, 90 down.
        angle: f64,
        /// Two at least, in the order of their places 0 to 1.
        stops: Vec<(f64, Color)>,
    },
}

/// sRGB with straight alpha.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color {
    /// Red, green, blue, alpha.
    pub rgba: [u8; 4],
}

impl Color {
    /// Opaque white.
    pub const WHITE: Self = Self { rgba: [255; 4] };
    /// Parses `#RRGGBB` or `#RRGGBBAA`.
    pub fn parse(s: &str) -> Option<Self> {
        let hex = s.strip_prefix('#')?;
        if !(hex.len() == 6 || hex.len() == 8) || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let mut rgba = [255; 4];
        for (out, i) in rgba.iter_mut().zip((0..hex.len()).step_by(2)) {
            *out = u8::from_str_radix(hex.get(i..i + 2)?, 16).ok()?;
        }
        Some(Self { rgba })
    }
}
