//! Coordinate spaces: what a device's numbers mean. Most use the generic −1…1 and 0…1; some count in degrees.

use vistter_core::ports::{PtzPosition, PtzVelocity};

use super::xml::Element;

/// A range of one axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Lower end.
    pub min: f64,
    /// Upper end.
    pub max: f64,
}

impl Range {
    /// −1…1.
    pub const SIGNED: Self = Self { min: -1.0, max: 1.0 };
    /// 0…1.
    pub const UNIT: Self = Self { min: 0.0, max: 1.0 };

    /// `None` when it is no range.
    fn read(e: Option<&Element>) -> Option<Self> {
        let (min, max) = (e?.number_at(&["Min"])?, e?.number_at(&["Max"])?);
        (min < max && (max - min).is_finite()).then_some(Self { min, max })
    }
    /// The point at a share 0…1 of the range.
    pub fn at(self, share: f64) -> f64 {
        let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
        self.min + share * (self.max - self.min)
    }
    /// The share 0…1 of a point; beyond the ends it is held.
    pub fn share(self, v: f64) -> f64 {
        ((v - self.min) / (self.max - self.min)).clamp(0.0, 1.0)
    }
    /// The share of a point; `None` when it is far outside. Devices were seen to announce −1…1 and to tell degrees: held at the
    /// end, such a position would seem to stand still.
    pub fn holds(self, v: f64) -> Option<f64> {
        let slack = (self.max - self.min) * 0.05;
        (v >= self.min - slack && v <= self.max + slack).then(|| self.share(v))
    }
    /// A velocity from −1…1, where zero stays zero.
    pub fn velocity(self, v: f32) -> f64 {
        let v = if v.is_finite() { f64::from(v).clamp(-1.0, 1.0) } else { 0.0 };
        if v < 0.0 { -v * self.min.min(0.0) } else { v * self.max.max(0.0) }
    }
}

/// A space of pan and tilt, or of zoom (`y` unused).
#[derive(Clone, Debug, PartialEq)]
pub struct Space {
    /// Its name.
    pub uri: String,
    /// Pan, or zoom.
    pub x: Range,
    /// Tilt.
    pub y: Range,
}

impl Space {
    fn read(e: &Element, plane: bool) -> Option<Self> {
        let x = Range::read(e.child("XRange"))?;
        let y = if plane { Range::read(e.child("YRange"))? } else { Range::SIGNED };
        Some(Self { uri: e.text_at(&["URI"]).unwrap_or_default().to_owned(), x, y })
    }
    /// The spaces of one kind; the generic one first, which every device understands without its name.
    pub fn all(spaces: &Element, kind: &str, plane: bool) -> Vec<Self> {
        let mut all: Vec<Self> = spaces.all(kind).filter_map(|e| Self::read(e, plane)).collect();
        all.sort_by_key(|s| !s.uri.contains("Generic"));
        all
    }
    /// The attribute that names it.
    pub fn attribute(&self) -> String {
        let known = self.uri.is_empty() || self.uri.contains("Generic");
        if known { String::new() } else { format!(" space=\"{}\"", super::xml::escape(&self.uri)) }
    }
}

/// The spaces of a PTZ node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spaces {
    /// Absolute pan and tilt.
    pub position: Vec<Space>,
    /// Absolute zoom.
    pub zoom: Vec<Space>,
    /// Relative pan and tilt.
    pub translation: Vec<Space>,
    /// Relative zoom.
    pub zoom_translation: Vec<Space>,
    /// Continuous pan and tilt.
    pub velocity: Vec<Space>,
    /// Continuous zoom.
    pub zoom_velocity: Vec<Space>,
}

impl Spaces {
    /// From `SupportedPTZSpaces`.
    pub fn read(e: &Element) -> Self {
        Self {
            position: Space::all(e, "AbsolutePanTiltPositionSpace", true),
            zoom: Space::all(e, "AbsoluteZoomPositionSpace", false),
            translation: Space::all(e, "RelativePanTiltTranslationSpace", true),
            zoom_translation: Space::all(e, "RelativeZoomTranslationSpace", false),
            velocity: Space::all(e, "ContinuousPanTiltVelocitySpace", true),
            zoom_velocity: Space::all(e, "ContinuousZoomVelocitySpace", false),
        }
    }

    /// A `tt:PTZVector`'s contents for a position.
    pub fn write(&self, at: PtzPosition) -> String {
        let mut out = String::new();
        if let Some(s) = self.position.first() {
            let (x, y) = (s.x.at((f64::from(at.pan) + 1.0) / 2.0), s.y.at((f64::from(at.tilt) + 1.0) / 2.0));
            out.push_str(&format!("<tt:PanTilt x=\"{x:.6}\" y=\"{y:.6}\"{}/>", s.attribute()));
        }
        if let Some(s) = self.zoom.first() {
            out.push_str(&format!("<tt:Zoom x=\"{:.6}\"{}/>", s.x.at(f64::from(at.zoom)), s.attribute()));
        }
        out
    }

    /// A position from a `tt:PTZVector`; an axis that is absent is at its default. `None` when both are.
    pub fn position(&self, vector: &Element) -> Option<PtzPosition> {
        let pan_tilt = vector.child("PanTilt").and_then(|e| {
            let s = named(&self.position, e);
            let (x, y) = s.map_or((Range::SIGNED, Range::SIGNED), |s| (s.x, s.y));
            Some((x.holds(e.number("x")?)? * 2.0 - 1.0, y.holds(e.number("y")?)? * 2.0 - 1.0))
        });
        let zoom = vector.child("Zoom").and_then(|e| {
            let range = named(&self.zoom, e).map_or(Range::UNIT, |s| s.x);
            range.holds(e.number("x")?)
        });
        if pan_tilt.is_none() && zoom.is_none() {
            return None;
        }
        let (pan, tilt) = pan_tilt.unwrap_or_default();
        Some(PtzPosition { pan: pan as f32, tilt: tilt as f32, zoom: zoom.unwrap_or_default() as f32 })
    }

    /// A `tt:PTZVector`'s contents for a distance, in units of [`PtzPosition`]: the whole way is 2 in pan and tilt, 1 in zoom,
    /// and 1 in the device's translation space (PTZ specification §5.8.2). Axes that stay are left out.
    pub fn translate(&self, by: PtzPosition) -> String {
        let mut out = String::new();
        if let Some(s) = self.translation.first().filter(|_| (by.pan, by.tilt) != (0.0, 0.0)) {
            let (x, y) = (s.x.velocity(by.pan / 2.0), s.y.velocity(by.tilt / 2.0));
            out.push_str(&format!("<tt:PanTilt x=\"{x:.6}\" y=\"{y:.6}\"{}/>", s.attribute()));
        }
        if let Some(s) = self.zoom_translation.first().filter(|_| by.zoom != 0.0) {
            out.push_str(&format!("<tt:Zoom x=\"{:.6}\"{}/>", s.x.velocity(by.zoom), s.attribute()));
        }
        out
    }

    /// A `tt:PTZSpeed`'s contents for a velocity, with or without what stands still.
    pub fn drive(&self, v: PtzVelocity, zero_axes: bool) -> String {
        let s = self.velocity.first();
        let (x, y) = s.map_or((Range::SIGNED, Range::SIGNED), |s| (s.x, s.y));
        let attribute = s.map(Space::attribute).unwrap_or_default();
        let mut out = String::new();
        if zero_axes || (v.pan, v.tilt) != (0.0, 0.0) {
            let (x, y) = (x.velocity(v.pan), y.velocity(v.tilt));
            out.push_str(&format!("<tt:PanTilt x=\"{x:.4}\" y=\"{y:.4}\"{attribute}/>"));
        }
        if let Some(s) = self.zoom_velocity.first().filter(|_| zero_axes || v.zoom != 0.0) {
            out.push_str(&format!("<tt:Zoom x=\"{:.4}\"{}/>", s.x.velocity(v.zoom), s.attribute()));
        }
        out
    }
}

/// The space that an element names, or else the first.
fn named<'a>(spaces: &'a [Space], e: &Element) -> Option<&'a Space> {
    let by_name = e.attribute("space").and_then(|uri| spaces.iter().find(|s| s.uri == uri));
    by_name.or_else(|| spaces.first())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A device that counts in degrees.
    fn degrees() -> Spaces {
        let range = |n: &str, a: f64, b: f64| format!("<{n}><Min>{a}</Min><Max>{b}</Max></{n}>");
        let xml = format!(
            "<S><AbsolutePanTiltPositionSpace><URI>urn:deg</URI>{}{}</AbsolutePanTiltPositionSpace>\
             <AbsoluteZoomPositionSpace><URI>urn:z</URI>{}</AbsoluteZoomPositionSpace>\
             <ContinuousPanTiltVelocitySpace><URI>urn:v</URI>{}{}</ContinuousPanTiltVelocitySpace>\
             <AbsoluteZoomPositionSpace><URI>broken</URI></AbsoluteZoomPositionSpace></S>",
            range("XRange", 0.0, 360.0),
            range("YRange", -20.0, 90.0),
            range("XRange", 1.0, 30.0),
            range("XRange", -100.0, 50.0),
            range("YRange", -8.0, 8.0),
        );
        Spaces::read(&Element::parse(xml.as_bytes()).unwrap())
    }

    #[test]
    fn degrees_become_shares_and_back() {
        let s = degrees();
        assert_eq!((s.position.len(), s.zoom.len()), (1, 1));
        let at = PtzPosition { pan: 0.5, tilt: -1.0, zoom: 1.0 };
        let text = s.write(at);
        assert_eq!(
            text,
            "<tt:PanTilt x=\"270.000000\" y=\"-20.000000\" space=\"urn:deg\"/><tt:Zoom x=\"30.000000\" space=\"urn:z\"/>"
        );
        assert_eq!(
            s.drive(PtzVelocity { pan: -0.5, tilt: 0.5, zoom: 1.0 }, true),
            "<tt:PanTilt x=\"-50.0000\" y=\"4.0000\" space=\"urn:v\"/>"
        );
    }
    proptest! {
        #[test]
        fn a_position_survives_the_device(pan in -1.0f32..=1.0, tilt in -1.0f32..=1.0, zoom in 0.0f32..=1.0) {
            let at = PtzPosition { pan, tilt, zoom };
            for s in [degrees(), Spaces::default()] {
                let vector = Element::parse(format!("<V xmlns:tt='x'>{}</V>", s.write(at)).as_bytes()).unwrap();
                match s.position(&vector) {
                    Some(p) => prop_assert!(crate::settle::near(&p, &at, 0.0001), "{p:?}"),
                    None => prop_assert!(s.position.is_empty()),
                }
            }
        }
        #[test]
        fn any_range_is_survived(min: f64, max: f64, v: f64, f: f32) {
            let e = Element::parse(format!("<R><Min>{min}</Min><Max>{max}</Max></R>").as_bytes()).unwrap();
            if let Some(r) = Range::read(Some(&e)) {
                prop_assert!((0.0..=1.0).contains(&r.share(v)) || v.is_nan());
                let _ = (r.at(v), r.velocity(f));
            }
        }
    }
}
