//! Mattes: for each pixel of the picture, when the edge of a wipe reaches it.

use std::sync::Arc;

use crate::blend::Veil;
use crate::exact::{cos_turns, sin_turns, turns};
use crate::raster::Raster;
use crate::raster::picture::{self, Decoded};

/// A matte as written, with its picture.
#[derive(Clone, Debug)]
pub(crate) struct MatteProgram {
    pub(crate) form: Form,
    /// What came last comes first.
    pub(crate) invert: bool,
    /// How wide the edge is: 0 to 1 of the way.
    pub(crate) soft: f64,
}

/// The form of a matte.
#[derive(Clone, Debug)]
pub(crate) enum Form {
    /// A straight edge that runs in this direction, in degrees: 0 right, 90 down.
    Linear(f64),
    /// A circle that grows from the middle.
    Radial,
    /// A hand that goes round from twelve o'clock.
    Clock,
    /// A diamond that grows from the middle.
    Diamond,
    /// What is dark in a picture comes first.
    Picture(Arc<Decoded>),
}

/// A matte for one size of picture.
#[derive(Debug, Default)]
pub(crate) struct Matte {
    luma: Vec<u16>,
    chroma: Vec<u16>,
    width: usize,
    soft: i32,
}

impl Matte {
    /// Makes it.
    pub(crate) fn new(p: &MatteProgram, width: u32, height: u32) -> Self {
        let (w, h) = (width as usize, height as usize);
        let mut luma = Vec::with_capacity(w * h);
        match &p.form {
            Form::Picture(source) => {
                let mut r = Raster::default();
                picture::draw(&mut r, source, width, height);
                luma.extend(r.rgba.chunks_exact(4).map(|px| {
                    // BT.709's weights, which sum up to 65536; 255 becomes 65535
                    let [r, g, b] = [px[0], px[1], px[2]].map(u32::from);
                    (((13_933 * r + 46_871 * g + 4_732 * b) / 255).min(65_535)) as u16
                }));
            }
            form => {
                let (sin, cos) = match form {
                    Form::Linear(angle) => (sin_turns(angle / 360.0), cos_turns(angle / 360.0)),
                    _ => (0.0, 0.0),
                };
                let (half_w, half_h) = (f64::from(width) / 2.0, f64::from(height) / 2.0);
                let reach = ((half_w * cos).abs() + (half_h * sin).abs()).max(1e-9);
                let far = (half_w * half_w + half_h * half_h).sqrt();
                for y in 0..h {
                    for x in 0..w {
                        let (dx, dy) = (x as f64 + 0.5 - half_w, y as f64 + 0.5 - half_h);
                        let place = match form {
                            Form::Linear(_) => ((dx * cos + dy * sin) / reach + 1.0) / 2.0,
                            Form::Radial => (dx * dx + dy * dy).sqrt() / far,
                            Form::Clock => turns(-dy, dx),
                            _ => (dx.abs() / half_w + dy.abs() / half_h) / 2.0,
                        };
                        luma.push((place * 65_535.0).round().clamp(0.0, 65_535.0) as u16);
                    }
                }
            }
        }
        if p.invert {
            luma.iter_mut().for_each(|v| *v = 65_535 - *v);
        }
        let (cw, ch) = (w.div_ceil(2), h.div_ceil(2));
        let mut chroma = Vec::with_capacity(cw * ch);
        for cy in 0..ch {
            for cx in 0..cw {
                let (mut sum, mut n) = (0u32, 0);
                for y in 2 * cy..(2 * cy + 2).min(h) {
                    for x in 2 * cx..(2 * cx + 2).min(w) {
                        sum += u32::from(luma[y * w + x]);
                        n += 1;
                    }
                }
                chroma.push(((sum + n / 2) / n.max(1)) as u16);
            }
        }
        Self { luma, chroma, width: w, soft: ((p.soft * 65_536.0).round() as i32).clamp(1, 65_536) }
    }

    /// What it leaves when the way has come to `level` of 65535.
    pub(crate) fn veil(&self, level: u16) -> Veil<'_> {
        // At 0 the edge stands before the first pixel, at full its whole width has passed the last.
        let run = i64::from(65_536 + self.soft) * i64::from(level) / 65_535;
        Veil { luma: &self.luma, chroma: &self.chroma, width: self.width, edge: run as i32, soft: self.soft }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(form: Form, level: u16, soft: f64, invert: bool) -> Vec<String> {
        let m = Matte::new(&MatteProgram { form, invert, soft }, 8, 4);
        let veil = m.veil(level);
        let mark = |a: u8| match a {
            0 => '.',
            255 => '#',
            _ => '+',
        };
        let row = |y| {
            let mut parts = [0; 8];
            veil.parts(0, y, 255, &mut parts);
            parts.map(mark).into_iter().collect()
        };
        (0..4).map(row).collect()
    }

    #[test]
    fn half_way() {
        let half = 32_768;
        assert_eq!(shown(Form::Linear(0.0), half, 0.0, false), ["####...."; 4]);
        assert_eq!(shown(Form::Linear(180.0), half, 0.0, false), ["....####"; 4]);
        assert_eq!(shown(Form::Linear(90.0), half, 0.0, false), ["########", "########", "........", "........"]);
        assert_eq!(shown(Form::Linear(0.0), half, 0.0, true), ["....####"; 4]);
        assert_eq!(shown(Form::Clock, half, 0.0, false), ["....####"; 4]);
        assert_eq!(shown(Form::Clock, 16_384, 0.0, false), ["....####", "....####", "........", "........"]);
        assert_eq!(shown(Form::Radial, half, 0.0, false), ["..####..", "..####..", "..####..", "..####.."]);
        assert_eq!(shown(Form::Diamond, half, 0.0, false)[0], "...##...");
        assert_eq!(shown(Form::Linear(0.0), half, 0.5, false), ["##++++.."; 4]);
    }
    #[test]
    fn nothing_at_the_beginning_and_all_at_the_end() {
        let light = Arc::new(Decoded::from_raw(2, 1, vec![255, 255, 255, 255, 0, 0, 0, 255]).unwrap());
        for form in [Form::Linear(33.0), Form::Radial, Form::Clock, Form::Diamond, Form::Picture(light)] {
            for soft in [0.0, 0.3, 1.0] {
                for invert in [false, true] {
                    let at = |level| shown(form.clone(), level, soft, invert).concat();
                    assert!(at(0).chars().all(|c| c == '.'), "{form:?}");
                    assert!(at(65_535).chars().all(|c| c == '#'), "{form:?}");
                }
            }
        }
    }
}
