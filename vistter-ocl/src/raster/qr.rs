//! QR codes (ISO/IEC 18004). The only file that knows qrcodegen.

use qrcodegen::{QrCode, QrCodeEcc};

use super::Raster;
use crate::model::Correction;

/// A square code in canvas pixels.
#[derive(Clone, Debug)]
pub(crate) struct Qr {
    /// Pixels a side, the quiet zone with it.
    pub(crate) side: usize,
    pub(crate) level: Correction,
    /// Empty modules round the code.
    pub(crate) quiet: usize,
    pub(crate) dark: [u8; 4],
    pub(crate) light: [u8; 4],
}

/// The code of a text; none when it has more than the largest code holds.
fn encode(text: &str, level: Correction) -> Option<QrCode> {
    let ecc = match level {
        Correction::Low => QrCodeEcc::Low,
        Correction::Medium => QrCodeEcc::Medium,
        Correction::Quartile => QrCodeEcc::Quartile,
        Correction::High => QrCodeEcc::High,
    };
    QrCode::encode_text(text, ecc).ok()
}

impl Qr {
    /// Modules a side of a text's code, the quiet zone with it; none when the text is too long.
    pub(crate) fn modules(text: &str, level: Correction, quiet: usize) -> Option<usize> {
        encode(text, level).map(|code| code.size() as usize + 2 * quiet)
    }

    /// Draws the code of a text. Modules are whole pixels, so that readers see even squares; what is left over of the
    /// side goes round it. A text that is too long, or too fine for the pixels there are, leaves the light square.
    pub(crate) fn draw(&self, out: &mut Raster, text: &str) {
        out.reset(self.side, self.side);
        for px in out.rgba.chunks_exact_mut(4) {
            px.copy_from_slice(&self.light);
        }
        let Some(code) = encode(text, self.level) else { return };
        let n = code.size() as usize;
        let module = self.side / (n + 2 * self.quiet).max(1);
        if module == 0 {
            return;
        }
        let edge = (self.side - module * n) / 2;
        for y in 0..n {
            for x in (0..n).filter(|x| code.get_module(*x as i32, y as i32)) {
                for row in edge + y * module..edge + (y + 1) * module {
                    let at = (row * self.side + edge + x * module) * 4;
                    for px in out.rgba[at..at + module * 4].chunks_exact_mut(4) {
                        px.copy_from_slice(&self.dark);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn qr(side: usize, quiet: usize) -> Qr {
        Qr { side, level: Correction::Medium, quiet, dark: [0, 0, 0, 255], light: [255; 4] }
    }

    #[test]
    fn modules_are_whole_pixels() {
        let mut r = Raster::default();
        qr(100, 4).draw(&mut r, "HELLO");
        // version 1: 21 modules and twice 4: three pixels each, and 18 round the code
        let px = |x: usize, y: usize| r.rgba[(y * 100 + x) * 4];
        assert_eq!(Qr::modules("HELLO", Correction::Medium, 4), Some(29));
        assert_eq!((px(17, 17), px(18, 18), px(38, 18), px(39, 18)), (255, 0, 0, 255), "a finder of seven modules");
        assert_eq!((px(21, 21), px(24, 24)), (255, 0));
    }
    #[test]
    fn what_does_not_fit_leaves_the_light_square() {
        let mut r = Raster::default();
        assert_eq!(Qr::modules(&"x".repeat(3000), Correction::Low, 0), None);
        qr(500, 4).draw(&mut r, &"x".repeat(3000));
        assert!(r.rgba.iter().all(|v| *v == 255));
        qr(20, 4).draw(&mut r, "HELLO");
        assert!(r.rgba.iter().all(|v| *v == 255));
    }
}
