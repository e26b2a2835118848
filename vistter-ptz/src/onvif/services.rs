//! What the answers of the services say, and the bodies that ask for it. Sans-IO: elements in, structs out; what a device
//! leaves out is absent, not an error.

use serde::Serialize;
use vistter_core::onboard::Offer;
use vistter_core::ports::{Preset, PtzPosition, PtzStatus};

use super::events::EVENTS;
use super::space::Spaces;
use super::xml::{Element, escape};

/// Namespace of the device service; actions are this, a slash and the operation.
pub const DEVICE: &str = "http://www.onvif.org/ver10/device/wsdl";
/// Media1.
pub const MEDIA1: &str = "http://www.onvif.org/ver10/media/wsdl";
/// Media2.
pub const MEDIA2: &str = "http://www.onvif.org/ver20/media/wsdl";
/// Imaging.
pub const IMAGING: &str = "http://www.onvif.org/ver20/imaging/wsdl";
/// PTZ.
pub const PTZ: &str = "http://www.onvif.org/ver20/ptz/wsdl";

/// PTZ under the name that it had in its draft; crate `onvif-server` says so.
const PTZ_OLD: &str = "http://www.onvif.org/ver10/ptz/wsdl";

/// Most presets taken; recorders were seen to list 300 empty slots.
const MOST_PRESETS: usize = 1000;

/// Who made the device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DeviceInfo {
    /// Maker.
    pub manufacturer: String,
    /// Model.
    pub model: String,
    /// Firmware version.
    pub firmware: String,
    /// Serial number.
    pub serial: String,
}

impl DeviceInfo {
    /// From `GetDeviceInformationResponse`.
    pub fn read(e: &Element) -> Self {
        let text = |n: &str| e.text_at(&[n]).unwrap_or_default().to_owned();
        let (manufacturer, model) = (text("Manufacturer"), text("Model"));
        Self { manufacturer, model, firmware: text("FirmwareVersion"), serial: text("SerialNumber") }
    }
}

/// Addresses of the services, as the device gives them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Services {
    /// Media1.
    pub media1: Option<String>,
    /// Media2.
    pub media2: Option<String>,
    /// PTZ.
    pub ptz: Option<String>,
    /// Imaging.
    pub imaging: Option<String>,
    /// Events.
    pub events: Option<String>,
}

impl Services {
    /// From `GetServicesResponse`.
    pub fn read(e: &Element) -> Self {
        let of = |namespace: &str| {
            let service = e.all("Service").find(|s| s.text_at(&["Namespace"]) == Some(namespace))?;
            service.text_at(&["XAddr"]).map(str::to_owned)
        };
        Self {
            media1: of(MEDIA1),
            media2: of(MEDIA2),
            ptz: of(PTZ).or_else(|| of(PTZ_OLD)),
            imaging: of(IMAGING),
            events: of(EVENTS),
        }
    }
    /// From `GetCapabilitiesResponse`, for devices without GetServices.
    pub fn read_capabilities(e: &Element) -> Self {
        let of = |name: &str| e.text_at(&["Capabilities", name, "XAddr"]).map(str::to_owned);
        let media2 = e.text_at(&["Capabilities", "Extension", "Media2", "XAddr"]).map(str::to_owned);
        Self { media1: of("Media"), media2, ptz: of("PTZ"), imaging: of("Imaging"), events: of("Events") }
    }
}

/// A media profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Profile {
    /// What it offers to a show.
    pub offer: Offer,
    /// The video source that it shows.
    pub source: Option<String>,
    /// PTZ node of its PTZ configuration; `None` without one, empty if the device does not name it.
    pub ptz_node: Option<String>,
}

impl Profile {
    /// From `GetProfilesResponse` of either media service.
    pub fn read_all(e: &Element) -> Vec<Self> {
        e.all("Profiles").map(Self::read).collect()
    }
    fn read(e: &Element) -> Self {
        // Media2 puts everything under Configurations, with shorter names.
        let (source, video, sound, ptz) = match e.child("Configurations") {
            Some(c) => (c.child("VideoSource"), c.child("VideoEncoder"), c.child("AudioEncoder"), c.child("PTZ")),
            None => (
                e.child("VideoSourceConfiguration"),
                e.child("VideoEncoderConfiguration"),
                e.child("AudioEncoderConfiguration"),
                e.child("PTZConfiguration"),
            ),
        };
        let number = |path: &[&str]| video.and_then(|v| v.number_at(path)).filter(|n| (0.0..=1e9).contains(n));
        let whole = |path: &[&str]| number(path).map(|n| n as u32);
        let attribute = video.and_then(|v| v.number("GovLength")).map(|n| n.clamp(0.0, 1e9) as u32);
        let size = whole(&["Resolution", "Width"]).zip(whole(&["Resolution", "Height"]));
        let offer = Offer {
            token: e.attribute("token").unwrap_or_default().to_owned(),
            name: e.text_at(&["Name"]).unwrap_or_default().to_owned(),
            encoding: video.and_then(|v| v.text_at(&["Encoding"])).map(str::to_owned),
            size,
            fps: number(&["RateControl", "FrameRateLimit"]),
            kbps: whole(&["RateControl", "BitrateLimit"]),
            gop: attribute.or_else(|| whole(&["H264", "GovLength"])),
            audio: sound.is_some(),
            ptz: ptz.is_some(),
        };
        let source = source.and_then(|s| s.text_at(&["SourceToken"])).map(str::to_owned);
        Self { offer, source, ptz_node: ptz.map(|p| p.text_at(&["NodeToken"]).unwrap_or_default().to_owned()) }
    }
}

/// A PTZ node: a head.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    /// Its token.
    pub token: String,
    /// Whether it has a home position.
    pub home: bool,
    /// How many presets it has room for.
    pub max_presets: Option<u32>,
    /// What its numbers mean.
    pub spaces: Spaces,
}

impl Node {
    /// From `GetNodesResponse`.
    pub fn read_all(e: &Element) -> Vec<Self> {
        let one = |n: &Element| Self {
            token: n.attribute("token").unwrap_or_default().to_owned(),
            home: n.text_at(&["HomeSupported"]) == Some("true"),
            max_presets: n.number_at(&["MaximumNumberOfPresets"]).map(|v| v.clamp(0.0, 1e6) as u32),
            spaces: n.child("SupportedPTZSpaces").map(Spaces::read).unwrap_or_default(),
        };
        e.all("PTZNode").map(one).collect()
    }
}

/// Presets from `GetPresetsResponse`. Slots that nobody named and that have no position are empty.
pub fn presets(e: &Element) -> Vec<Preset> {
    views(e, &Spaces::default()).into_iter().map(|(p, _)| p).collect()
}

/// The same, with their positions.
pub fn views(e: &Element, spaces: &Spaces) -> Vec<(Preset, Option<PtzPosition>)> {
    let used = |p: &&Element| p.text_at(&["Name"]).is_some() || p.child("PTZPosition").is_some();
    let one = |p: &Element| {
        let token = p.attribute("token").filter(|t| !t.is_empty())?.to_owned();
        let position = p.child("PTZPosition").and_then(|v| spaces.position(v));
        Some((Preset { name: p.text_at(&["Name"]).unwrap_or(&token).to_owned(), token }, position))
    };
    e.all("Preset").filter(used).filter_map(one).take(MOST_PRESETS).collect()
}

/// Position and motion from `GetStatusResponse`. Any axis that moves is motion; no axis that tells is no word.
pub fn status(e: &Element, spaces: &Spaces) -> PtzStatus {
    let status = e.child("PTZStatus");
    let axis = |name: &str| match status?.text_at(&["MoveStatus", name])?.to_ascii_uppercase().as_str() {
        "MOVING" => Some(true),
        "IDLE" => Some(false),
        _ => None,
    };
    let moving = match (axis("PanTilt"), axis("Zoom")) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (None, None) => None,
        _ => Some(false),
    };
    PtzStatus { position: status.and_then(|s| s.child("Position")).and_then(|p| spaces.position(p)), moving }
}

/// `<tptz:OPERATION>` with a profile and more.
pub fn ptz(operation: &str, profile: &str, more: &str) -> String {
    format!("<tptz:{operation}><tptz:ProfileToken>{}</tptz:ProfileToken>{more}</tptz:{operation}>", escape(profile))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Element {
        Element::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn profiles_of_both_services() {
        let one = parse(
            "<R><t:Profiles xmlns:t='x' token='main'><Name>Main</Name><PTZConfiguration><NodeToken>n1</NodeToken></PTZConfiguration>\
             <VideoEncoderConfiguration><Encoding>H264</Encoding><Resolution><Width>1920</Width><Height>1080</Height></Resolution>\
             <RateControl><FrameRateLimit>25</FrameRateLimit><BitrateLimit>4096</BitrateLimit></RateControl>\
             <H264><GovLength>50</GovLength></H264></VideoEncoderConfiguration></t:Profiles><Profiles token=''/></R>",
        );
        let p = Profile::read_all(&one);
        let offer = &p[0].offer;
        let want = (Some("H264"), Some((1920, 1080)), Some(50), false, true);
        assert_eq!((offer.encoding.as_deref(), offer.size, offer.gop, offer.audio, offer.ptz), want);
        assert_eq!((p.len(), p[0].ptz_node.as_deref(), p[1].ptz_node.as_deref()), (2, Some("n1"), None));
        let two = parse(
            "<R><Profiles token='a'><Configurations><VideoEncoder GovLength='30'><Encoding>H265</Encoding></VideoEncoder>\
             <AudioEncoder/><PTZ/></Configurations></Profiles></R>",
        );
        let p = &Profile::read_all(&two)[0];
        let want = (Some("H265"), Some(30), true, true, Some(""));
        let o = &p.offer;
        assert_eq!((o.encoding.as_deref(), o.gop, o.audio, o.ptz, p.ptz_node.as_deref()), want);
    }
    #[test]
    fn empty_slots_are_no_presets() {
        let mut slots =
            String::from("<R><Preset token='1'><Name>Stage</Name></Preset><Preset><Name>no token</Name></Preset>");
        (2..300).for_each(|i| slots.push_str(&format!("<Preset token='{i}'><Name></Name></Preset>")));
        slots.push_str("<Preset token='300'><PTZPosition/></Preset></R>");
        let p = presets(&parse(&slots));
        assert_eq!(p.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["Stage", "300"]);
    }
    #[test]
    fn a_status_may_be_incomplete() {
        let s = |inner: &str| status(&parse(&format!("<R><PTZStatus>{inner}</PTZStatus></R>")), &Spaces::default());
        assert_eq!(s(""), PtzStatus::default());
        let all = "<MoveStatus><PanTilt>IDLE</PanTilt><Zoom>MOVING</Zoom></MoveStatus>\
            <Position><PanTilt x='0.5' y='-1'/><Zoom x='1'/></Position>";
        let got = s(all);
        assert_eq!((got.moving, got.position.unwrap().zoom), (Some(true), 1.0));
        assert_eq!(s("<MoveStatus><PanTilt>UNKNOWN</PanTilt></MoveStatus>").moving, None);
        assert_eq!(s("<MoveStatus><PanTilt>idle</PanTilt></MoveStatus>").moving, Some(false));
        assert_eq!(s("<Position><PanTilt x='nan' y='0'/></Position>").position, None);
    }
    #[test]
    fn services_from_either_answer() {
        let e = parse(&format!(
            "<R><Service><Namespace>{PTZ}</Namespace><XAddr>http://a/p</XAddr></Service><Service/></R>"
        ));
        assert_eq!(Services::read(&e), Services { ptz: Some("http://a/p".into()), ..Services::default() });
        let e = parse("<R><Capabilities><Media><XAddr>http://a/m</XAddr></Media></Capabilities></R>");
        assert_eq!(Services::read_capabilities(&e).media1.as_deref(), Some("http://a/m"));
    }
}
