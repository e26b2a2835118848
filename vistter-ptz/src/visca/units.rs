//! The camera's own units against the normalised space of [`PtzPosition`].

use vistter_core::ports::{PtzPosition, PtzVelocity};
use vistter_core::{Error, ErrorKind, Result};

use super::angles::{Angles, Digits};

/// A model's ranges and speeds: data, because nothing in the protocol tells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Units {
    /// Pan at the left and at the right end.
    pub pan: (i32, i32),
    /// Tilt at the lower and at the upper end.
    pub tilt: (i32, i32),
    /// Zoom at the optical tele end; the wide end is 0.
    pub zoom: u16,
    /// Fastest pan, 1…24.
    pub pan_speed: u8,
    /// Fastest tilt, 1…20.
    pub tilt_speed: u8,
    /// How pan and tilt travel.
    pub digits: Digits,
}

impl Units {
    /// ±170° and −30…90° at 14.4 units a degree: PTZOptics, Telycam, AVIPAS, CleverMic and their relatives.
    pub const COMMON: Self = Self {
        pan: (-0x0990, 0x0990),
        tilt: (-0x01b0, 0x0510),
        zoom: 0x4000,
        pan_speed: 0x18,
        tilt_speed: 0x14,
        digits: Digits::Four,
    };
    /// ±170° and −20…90° at 51.2 units a degree: Sony BRC-X400, BRC-X401, SRG-X400, SRG-X120, SRG-201M2, SRG-HD1M2.
    pub const SONY: Self = Self { pan: (-0x2200, 0x2200), tilt: (-0x0400, 0x1200), ..Self::COMMON };
    /// ±170° and −30…90° in five digits of pan and four of tilt: Sony BRC-X1000, BRC-H800, BRC-H780.
    pub const SONY_X1000: Self =
        Self { pan: (-0x9ca7, 0x9ca7), tilt: (-0x1ba5, 0x52ef), digits: Digits::FiveAndFour, ..Self::COMMON };
    /// ±170° and −30…90° at 512 units a degree, in five digits each: Sony SRG-360SHE, SRG-280SHE.
    pub const SONY_20BIT: Self =
        Self { pan: (-0x15400, 0x15400), tilt: (-0x3c00, 0xb400), digits: Digits::Five, ..Self::COMMON };

    /// The tables by the names that people write (`visca://HOST#units=sony`).
    pub const TABLES: [(&'static str, Self); 4] = [
        ("common", Self::COMMON),
        ("sony", Self::SONY),
        ("sony-x1000", Self::SONY_X1000),
        ("sony-20bit", Self::SONY_20BIT),
    ];
    /// The table of that name.
    ///
    /// # Errors
    /// `Config`, with the names that there are.
    pub fn named(name: &str) -> Result<Self> {
        Self::TABLES.into_iter().find(|(n, _)| *n == name).map(|(_, u)| u).ok_or_else(|| {
            let names: Vec<&str> = Self::TABLES.iter().map(|(n, _)| *n).collect();
            let e = Error::new(ErrorKind::Config, "there are no VISCA units of this name");
            e.next(format!("give units=NAME with one of: {}", names.join(", ")))
        })
    }

    /// Pan and tilt of a position, held inside the ranges.
    pub fn pan_tilt(&self, at: PtzPosition) -> Angles {
        Angles { pan: from_unit(at.pan, self.pan), tilt: from_unit(at.tilt, self.tilt), digits: self.digits }
    }
    /// Zoom of a position.
    pub fn zoom(&self, at: PtzPosition) -> u16 {
        (finite(at.zoom).clamp(0.0, 1.0) * f32::from(self.zoom)).round() as u16
    }
    /// Pan and tilt of a distance.
    pub fn distance(&self, by: PtzPosition) -> Angles {
        let axis = |d: f32, (lo, hi): (i32, i32)| (finite(d) * (hi as f32 - lo as f32) / 2.0).round() as i32;
        Angles { pan: axis(by.pan, self.pan), tilt: axis(by.tilt, self.tilt), digits: self.digits }
    }
    /// The normalised position.
    pub fn position(&self, at: Angles, zoom: u16) -> PtzPosition {
        PtzPosition {
            pan: to_unit(at.pan, self.pan),
            tilt: to_unit(at.tilt, self.tilt),
            zoom: f32::from(zoom) / f32::from(self.zoom.max(1)),
        }
    }
    /// Speeds for a move, from a share of the fastest; without one, the fastest.
    pub fn speed(&self, share: Option<f32>) -> (u8, u8) {
        let axis = |most: u8| (finite(share.unwrap_or(1.0)).clamp(0.0, 1.0) * f32::from(most)).ceil().max(1.0) as u8;
        (axis(self.pan_speed), axis(self.tilt_speed))
    }
    /// Signed speeds (pan, tilt, zoom) of a drive. What is not zero moves at least at the slowest speed.
    pub fn drive(&self, v: PtzVelocity) -> (i8, i8, i8) {
        let axis = |v: f32, most: u8| {
            let v = finite(v).clamp(-1.0, 1.0);
            ((v.abs() * f32::from(most.min(127))).ceil() as i8).saturating_mul(v.signum() as i8)
        };
        (axis(v.pan, self.pan_speed), axis(v.tilt, self.tilt_speed), axis(v.zoom, 8))
    }
}

impl Default for Units {
    fn default() -> Self {
        Self::COMMON
    }
}

fn finite(v: f32) -> f32 {
    if v.is_finite() { v } else { 0.0 }
}

fn from_unit(v: f32, (lo, hi): (i32, i32)) -> i32 {
    let (lo, hi) = (f64::from(lo), f64::from(hi));
    (lo + (f64::from(finite(v).clamp(-1.0, 1.0)) + 1.0) / 2.0 * (hi - lo)).round() as i32
}

fn to_unit(v: i32, (lo, hi): (i32, i32)) -> f32 {
    let (v, lo, hi) = (f64::from(v), f64::from(lo), f64::from(hi));
    if hi <= lo { 0.0 } else { ((v - lo) / (hi - lo) * 2.0 - 1.0) as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ends_and_middle() {
        let u = Units::COMMON;
        let at = |pan, tilt, zoom| PtzPosition { pan, tilt, zoom };
        let four = |pan, tilt| Angles { pan, tilt, digits: Digits::Four };
        assert_eq!(u.pan_tilt(at(-1.0, -1.0, 0.0)), four(-0x0990, -0x01b0));
        assert_eq!(u.pan_tilt(at(7.0, f32::NAN, 0.0)), four(0x0990, 0x01b0));
        assert_eq!(u.zoom(at(0.0, 0.0, 1.0)), 0x4000);
        assert_eq!(u.position(four(0x0990, 0x0510), 0x4000), at(1.0, 1.0, 1.0));
        assert_eq!(u.drive(PtzVelocity { pan: 0.001, tilt: -1.0, zoom: 0.0 }), (1, -20, 0));
        assert_eq!(u.drive(PtzVelocity { pan: f32::NAN, tilt: 0.0, zoom: -9.0 }), (0, 0, -8));
        assert_eq!((u.speed(None), u.speed(Some(0.0)), u.speed(Some(0.5))), ((24, 20), (1, 1), (12, 10)));
    }
    proptest! {
        #[test]
        fn a_position_survives_the_camera(pan in -1.0f32..=1.0, tilt in -1.0f32..=1.0, zoom in 0.0f32..=1.0) {
            for (name, u) in Units::TABLES {
                let at = PtzPosition { pan, tilt, zoom };
                let back = u.position(u.pan_tilt(at), u.zoom(at));
                let near = |a: f32, b: f32| (a - b).abs() < 0.001;
                prop_assert!(near(back.pan, pan) && near(back.tilt, tilt) && near(back.zoom, zoom), "{}: {:?}", name, back);
                prop_assert_eq!(Units::named(name).unwrap(), u);
            }
        }
        #[test]
        fn any_range_is_survived(lo in any::<i32>(), hi in any::<i32>(), v in any::<i32>(), f in any::<f32>()) {
            let u = Units { pan: (lo, hi), tilt: (hi, lo), zoom: 0, pan_speed: 255, tilt_speed: 0, digits: Digits::Five };
            let at = u.position(Angles { pan: v, tilt: v, digits: Digits::Five }, v as u16);
            prop_assert!(at.pan.is_finite() && at.tilt.is_finite() && at.zoom.is_finite());
            let _ = (u.pan_tilt(PtzPosition { pan: f, tilt: f, zoom: f }), u.drive(PtzVelocity { pan: f, tilt: f, zoom: f }));
        }
    }
}
