//! The camera's own units against the normalised space of [`PtzPosition`].

use vistter_core::ports::{PtzPosition, PtzVelocity};

/// A model's ranges and speeds: data, because nothing in the protocol tells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Units {
    /// Pan at the left and at the right end.
    pub pan: (i16, i16),
    /// Tilt at the lower and at the upper end.
    pub tilt: (i16, i16),
    /// Zoom at the optical tele end; the wide end is 0.
    pub zoom: u16,
    /// Fastest pan, 1…24.
    pub pan_speed: u8,
    /// Fastest tilt, 1…20.
    pub tilt_speed: u8,
}

impl Units {
    /// ±170° and −30…90° at 14.4 units a degree: PTZOptics, Telycam, AVIPAS, CleverMic and their relatives.
    pub const COMMON: Self =
        Self { pan: (-0x0990, 0x0990), tilt: (-0x01b0, 0x0510), zoom: 0x4000, pan_speed: 0x18, tilt_speed: 0x14 };

    /// Pan and tilt of a position, held inside the ranges.
    pub fn pan_tilt(&self, at: PtzPosition) -> (i16, i16) {
        (from_unit(at.pan, self.pan), from_unit(at.tilt, self.tilt))
    }
    /// Zoom of a position.
    pub fn zoom(&self, at: PtzPosition) -> u16 {
        (finite(at.zoom).clamp(0.0, 1.0) * f32::from(self.zoom)).round() as u16
    }
    /// Pan and tilt of a distance.
    pub fn distance(&self, by: PtzPosition) -> (i16, i16) {
        let axis = |d: f32, (lo, hi): (i16, i16)| (finite(d) * (f32::from(hi) - f32::from(lo)) / 2.0).round() as i16;
        (axis(by.pan, self.pan), axis(by.tilt, self.tilt))
    }
    /// The normalised position.
    pub fn position(&self, pan: i16, tilt: i16, zoom: u16) -> PtzPosition {
        PtzPosition {
            pan: to_unit(pan, self.pan),
            tilt: to_unit(tilt, self.tilt),
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

fn from_unit(v: f32, (lo, hi): (i16, i16)) -> i16 {
    let (lo, hi) = (f32::from(lo), f32::from(hi));
    (lo + (finite(v).clamp(-1.0, 1.0) + 1.0) / 2.0 * (hi - lo)).round() as i16
}

fn to_unit(v: i16, (lo, hi): (i16, i16)) -> f32 {
    let (lo, hi) = (f32::from(lo), f32::from(hi));
    if hi <= lo { 0.0 } else { (f32::from(v) - lo) / (hi - lo) * 2.0 - 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ends_and_middle() {
        let u = Units::COMMON;
        let at = |pan, tilt, zoom| PtzPosition { pan, tilt, zoom };
        assert_eq!(u.pan_tilt(at(-1.0, -1.0, 0.0)), (-0x0990, -0x01b0));
        assert_eq!(u.pan_tilt(at(7.0, f32::NAN, 0.0)), (0x0990, 0x01b0));
        assert_eq!(u.zoom(at(0.0, 0.0, 1.0)), 0x4000);
        assert_eq!(u.position(0x0990, 0x0510, 0x4000), at(1.0, 1.0, 1.0));
        assert_eq!(u.drive(PtzVelocity { pan: 0.001, tilt: -1.0, zoom: 0.0 }), (1, -20, 0));
        assert_eq!(u.drive(PtzVelocity { pan: f32::NAN, tilt: 0.0, zoom: -9.0 }), (0, 0, -8));
        assert_eq!((u.speed(None), u.speed(Some(0.0)), u.speed(Some(0.5))), ((24, 20), (1, 1), (12, 10)));
    }
    proptest! {
        #[test]
        fn a_position_survives_the_camera(pan in -1.0f32..=1.0, tilt in -1.0f32..=1.0, zoom in 0.0f32..=1.0) {
            let (u, at) = (Units::COMMON, PtzPosition { pan, tilt, zoom });
            let (p, t) = u.pan_tilt(at);
            let back = u.position(p, t, u.zoom(at));
            let near = |a: f32, b: f32| (a - b).abs() < 0.001;
            prop_assert!(near(back.pan, pan) && near(back.tilt, tilt) && near(back.zoom, zoom), "{:?}", back);
        }
        #[test]
        fn any_range_is_survived(lo in any::<i16>(), hi in any::<i16>(), v in any::<i16>(), f in any::<f32>()) {
            let u = Units { pan: (lo, hi), tilt: (hi, lo), zoom: 0, pan_speed: 255, tilt_speed: 0 };
            let at = u.position(v, v, v as u16);
            prop_assert!(at.pan.is_finite() && at.tilt.is_finite() && at.zoom.is_finite());
            let _ = (u.pan_tilt(PtzPosition { pan: f, tilt: f, zoom: f }), u.drive(PtzVelocity { pan: f, tilt: f, zoom: f }));
        }
    }
}
