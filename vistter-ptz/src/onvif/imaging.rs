//! The picture's settings and the state of the focus, read only.

use serde::Serialize;
use vistter_core::{Error, ErrorKind, Result};

use super::device::About;
use super::driver::{OnvifDriver, call};
use super::endpoint::Endpoint;
use super::services::IMAGING;
use super::xml::{Element, escape};

/// How the picture of one video source is made. What a device does not tell is absent; levels are in its own units.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Imaging {
    /// The video source.
    pub source: String,
    /// Brightness.
    pub brightness: Option<f64>,
    /// Contrast.
    pub contrast: Option<f64>,
    /// Colour saturation.
    pub saturation: Option<f64>,
    /// Sharpness.
    pub sharpness: Option<f64>,
    /// `AUTO` or `MANUAL`.
    pub exposure: Option<String>,
    /// Exposure time in microseconds.
    pub exposure_time: Option<f64>,
    /// Gain in dB.
    pub gain: Option<f64>,
    /// `AUTO` or `MANUAL`.
    pub white_balance: Option<String>,
    /// `AUTO` or `MANUAL`.
    pub focus: Option<String>,
    /// `ON`, `OFF` or `AUTO`.
    pub ir_cut: Option<String>,
    /// Where the focus stands, in the device's units.
    pub focus_position: Option<f64>,
    /// Whether the focus moves: the picture is not sharp yet.
    pub focus_moving: Option<bool>,
}

impl Imaging {
    /// From `GetImagingSettingsResponse`.
    pub fn read(e: &Element) -> Self {
        let Some(s) = e.child("ImagingSettings") else { return Self::default() };
        let text = |path: &[&str]| s.text_at(path).map(|t| t.chars().filter(|c| !c.is_control()).take(32).collect());
        Self {
            source: String::new(),
            brightness: s.number_at(&["Brightness"]),
            contrast: s.number_at(&["Contrast"]),
            saturation: s.number_at(&["ColorSaturation"]),
            sharpness: s.number_at(&["Sharpness"]),
            exposure: text(&["Exposure", "Mode"]),
            exposure_time: s.number_at(&["Exposure", "ExposureTime"]),
            gain: s.number_at(&["Exposure", "Gain"]),
            white_balance: text(&["WhiteBalance", "Mode"]),
            focus: text(&["Focus", "AutoFocusMode"]),
            ir_cut: text(&["IrCutFilter"]),
            focus_position: None,
            focus_moving: None,
        }
    }
    /// The focus, from the imaging service's `GetStatusResponse`.
    pub fn read_status(&mut self, e: &Element) {
        let Some(f) = e.at(&["Status", "FocusStatus20"]) else { return };
        self.focus_position = f.number_at(&["Position"]);
        self.focus_moving = match f.text_at(&["MoveStatus"]).map(str::to_ascii_uppercase).as_deref() {
            Some("MOVING") => Some(true),
            Some("IDLE") => Some(false),
            _ => None,
        };
    }
}

impl OnvifDriver {
    /// The settings of the picture that a profile shows, and the state of its focus.
    ///
    /// # Errors
    /// `Unsupported` when the camera has no imaging service; what the device or the way to it says.
    pub async fn imaging(&mut self, profile: &str) -> Result<Imaging> {
        let About { device, services } = self.about().await?;
        let place = self.client.describe();
        let none = |what: &str| Error::new(ErrorKind::Unsupported, what).at(place.clone());
        let xaddr = services.imaging.as_ref().ok_or_else(|| none("the camera does not tell its picture's settings"))?;
        let to = Endpoint::of_xaddr(xaddr, &device);
        let profiles = self.profiles().await?;
        let source = profiles.iter().find(|p| p.offer.token == profile).and_then(|p| p.source.clone());
        let source = source.ok_or_else(|| none("the camera does not tell which source the profile shows"))?;
        let token = format!("<timg:VideoSourceToken>{}</timg:VideoSourceToken>", escape(&source));
        let body = format!("<timg:GetImagingSettings>{token}</timg:GetImagingSettings>");
        let mut imaging = Imaging::read(&call(&mut self.client, &to, IMAGING, "GetImagingSettings", &body).await?);
        imaging.source = source;
        // A lens without a motor has no status.
        let body = format!("<timg:GetStatus>{token}</timg:GetStatus>");
        if let Ok(e) = call(&mut self.client, &to, IMAGING, "GetStatus", &body).await {
            imaging.read_status(&e);
        }
        Ok(imaging)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_and_focus() {
        let parse = |t: &str| Element::parse(t.as_bytes()).unwrap();
        let mut i = Imaging::read(&parse(
            "<R><ImagingSettings><Brightness>50</Brightness><Contrast>x</Contrast><Exposure><Mode>AUTO</Mode><Gain>-3.5</Gain>\
             </Exposure><Focus><AutoFocusMode>MANUAL</AutoFocusMode></Focus></ImagingSettings></R>",
        ));
        assert_eq!((i.brightness, i.contrast, i.gain), (Some(50.0), None, Some(-3.5)));
        assert_eq!((i.exposure.as_deref(), i.focus.as_deref()), (Some("AUTO"), Some("MANUAL")));
        i.read_status(&parse("<R><Status><FocusStatus20><Position>0.5</Position><MoveStatus>moving</MoveStatus></FocusStatus20></Status></R>"));
        assert_eq!((i.focus_position, i.focus_moving), (Some(0.5), Some(true)));
        i.read_status(&parse("<R/>"));
        assert_eq!(Imaging::read(&parse("<R/>")), Imaging::default());
    }
}
