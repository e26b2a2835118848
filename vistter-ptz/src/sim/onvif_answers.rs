//! What the simulated camera says that does not depend on its state: services, profiles, nodes. In the order of ONVIF's
//! schemas, which strict clients insist on.

use vistter_core::clock::WallTime;

use crate::onvif::services::{DEVICE, MEDIA1, MEDIA2, PTZ};
use crate::onvif::time::write_date_time;
use crate::onvif::xml::escape;

/// Where the services answer, and which there are.
pub(super) struct Addresses<'a> {
    pub(super) authority: &'a str,
    pub(super) stream: &'a str,
    pub(super) ptz: bool,
    pub(super) new: bool,
}

/// Tokens of the profiles.
pub(super) const PROFILES: [&str; 2] = ["main", "sub"];
const SPACE: &str = "http://www.onvif.org/ver10/tptz";

/// An envelope around `<OPERATIONResponse>` of the service at a path.
pub(super) fn envelope(operation: &str, inner: &str, path: &str) -> String {
    let prefix = match path {
        "/onvif/media" => "trt",
        "/onvif/media2" => "tr2",
        "/onvif/ptz" => "tptz",
        _ => "tds",
    };
    let operation = escape(operation);
    crate::onvif::soap::envelope("", &format!("<{prefix}:{operation}Response>{inner}</{prefix}:{operation}Response>"))
}

/// A SOAP 1.2 fault with ONVIF's subcodes.
pub(super) fn fault(code: &str, subcode: &str, text: &str) -> String {
    crate::onvif::soap::envelope(
        "",
        &format!(
            "<s:Fault><s:Code><s:Value>s:{code}</s:Value><s:Subcode xmlns:ter=\"http://www.onvif.org/ver10/error\">\
             <s:Value>ter:{subcode}</s:Value></s:Subcode></s:Code>\
             <s:Reason><s:Text xml:lang=\"en\">{text}</s:Text></s:Reason></s:Fault>"
        ),
    )
}

pub(super) fn device(name: &str, at: &Addresses<'_>, wall: WallTime) -> Option<String> {
    let xaddr = |path: &str| format!("http://{}/onvif/{path}", at.authority);
    Some(match name {
        "GetSystemDateAndTime" => format!(
            "<tds:SystemDateAndTime><tt:DateTimeType>Manual</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings>\
             <tt:TimeZone><tt:TZ>UTC0</tt:TZ></tt:TimeZone><tt:UTCDateTime>{0}</tt:UTCDateTime>\
             <tt:LocalDateTime>{0}</tt:LocalDateTime></tds:SystemDateAndTime>",
            write_date_time(wall)
        ),
        "GetDeviceInformation" => {
            "<tds:Manufacturer>VistterStream</tds:Manufacturer><tds:Model>Simulated PTZ</tds:Model>\
             <tds:FirmwareVersion>1.0</tds:FirmwareVersion><tds:SerialNumber>1</tds:SerialNumber>\
             <tds:HardwareId>none</tds:HardwareId>"
                .into()
        }
        "GetServices" if at.new => {
            let one = |namespace: &str, path: &str| {
                format!(
                    "<tds:Service><tds:Namespace>{namespace}</tds:Namespace><tds:XAddr>{}</tds:XAddr><tds:Version>\
                     <tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>",
                    xaddr(path)
                )
            };
            let ptz = if at.ptz { one(PTZ, "ptz") } else { String::new() };
            [one(DEVICE, "device_service"), one(MEDIA1, "media"), one(MEDIA2, "media2"), ptz].concat()
        }
        "GetCapabilities" => {
            let one = |name: &str, path: &str, more: &str| {
                format!("<tt:{name}><tt:XAddr>{}</tt:XAddr>{more}</tt:{name}>", xaddr(path))
            };
            let ptz = if at.ptz { one("PTZ", "ptz", "") } else { String::new() };
            let streaming = "<tt:StreamingCapabilities><tt:RTPMulticast>false</tt:RTPMulticast><tt:RTP_TCP>true</tt:RTP_TCP>\
                <tt:RTP_RTSP_TCP>true</tt:RTP_RTSP_TCP></tt:StreamingCapabilities>";
            let all = [one("Device", "device_service", ""), one("Media", "media", streaming), ptz].concat();
            format!("<tds:Capabilities>{all}</tds:Capabilities>")
        }
        "GetScopes" => ["Profile/Streaming", "type/ptz", "name/Simulated", "hardware/none", "location/"]
            .map(|s| {
                format!(
                    "<tds:Scopes><tt:ScopeDef>Fixed</tt:ScopeDef>\
                     <tt:ScopeItem>onvif://www.onvif.org/{s}</tt:ScopeItem></tds:Scopes>"
                )
            })
            .concat(),
        "GetNetworkInterfaces" => {
            "<tds:NetworkInterfaces token=\"lo\"><tt:Enabled>true</tt:Enabled></tds:NetworkInterfaces>".into()
        }
        "GetUsers" => {
            "<tds:User><tt:Username>admin</tt:Username><tt:UserLevel>Administrator</tt:UserLevel></tds:User>".into()
        }
        "GetHostname" => {
            "<tds:HostnameInformation><tt:FromDHCP>false</tt:FromDHCP><tt:Name>sim</tt:Name></tds:HostnameInformation>"
                .into()
        }
        _ => return None,
    })
}

fn size(token: &str) -> (u32, u32, u32) {
    if token == "main" { (1920, 1080, 4096) } else { (640, 360, 512) }
}

fn ptz_configuration(tag: &str) -> String {
    format!(
        "<{tag} token=\"ptz\"><tt:Name>PTZ</tt:Name><tt:UseCount>2</tt:UseCount><tt:NodeToken>node</tt:NodeToken>\
         <tt:DefaultAbsolutePantTiltPositionSpace>{SPACE}/PanTiltSpaces/PositionGenericSpace</tt:DefaultAbsolutePantTiltPositionSpace>\
         <tt:DefaultAbsoluteZoomPositionSpace>{SPACE}/ZoomSpaces/PositionGenericSpace</tt:DefaultAbsoluteZoomPositionSpace>\
         <tt:DefaultRelativePanTiltTranslationSpace>{SPACE}/PanTiltSpaces/TranslationGenericSpace</tt:DefaultRelativePanTiltTranslationSpace>\
         <tt:DefaultRelativeZoomTranslationSpace>{SPACE}/ZoomSpaces/TranslationGenericSpace</tt:DefaultRelativeZoomTranslationSpace>\
         <tt:DefaultContinuousPanTiltVelocitySpace>{SPACE}/PanTiltSpaces/VelocityGenericSpace</tt:DefaultContinuousPanTiltVelocitySpace>\
         <tt:DefaultContinuousZoomVelocitySpace>{SPACE}/ZoomSpaces/VelocityGenericSpace</tt:DefaultContinuousZoomVelocitySpace>\
         <tt:DefaultPTZTimeout>PT10S</tt:DefaultPTZTimeout></{tag}>"
    )
}

const SOURCE: &str = "<tt:Name>Source</tt:Name><tt:UseCount>2</tt:UseCount><tt:SourceToken>source</tt:SourceToken>\
    <tt:Bounds x=\"0\" y=\"0\" width=\"1920\" height=\"1080\"/>";
const MULTICAST: &str = "<tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type><tt:IPv4Address>0.0.0.0</tt:IPv4Address></tt:Address>\
    <tt:Port>0</tt:Port><tt:TTL>1</tt:TTL><tt:AutoStart>false</tt:AutoStart></tt:Multicast>";

pub(super) fn media1(name: &str, at: &Addresses<'_>) -> Option<String> {
    let ptz = if at.ptz { ptz_configuration("tt:PTZConfiguration") } else { String::new() };
    let profile = |token: &str| {
        let (w, h, kbps) = size(token);
        format!(
            "<trt:Profiles token=\"{token}\" fixed=\"true\"><tt:Name>{token}</tt:Name>\
             <tt:VideoSourceConfiguration token=\"vsc\">{SOURCE}</tt:VideoSourceConfiguration>\
             <tt:VideoEncoderConfiguration token=\"vec-{token}\"><tt:Name>{token}</tt:Name><tt:UseCount>1</tt:UseCount>\
             <tt:Encoding>H264</tt:Encoding><tt:Resolution><tt:Width>{w}</tt:Width><tt:Height>{h}</tt:Height></tt:Resolution>\
             <tt:Quality>5</tt:Quality><tt:RateControl><tt:FrameRateLimit>25</tt:FrameRateLimit>\
             <tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>{kbps}</tt:BitrateLimit></tt:RateControl>\
             <tt:H264><tt:GovLength>50</tt:GovLength><tt:H264Profile>Main</tt:H264Profile></tt:H264>{MULTICAST}\
             <tt:SessionTimeout>PT60S</tt:SessionTimeout></tt:VideoEncoderConfiguration>{ptz}</trt:Profiles>"
        )
    };
    Some(match name {
        "GetProfiles" => PROFILES.map(profile).concat(),
        "GetVideoSources" => "<trt:VideoSources token=\"source\"><tt:Framerate>25</tt:Framerate><tt:Resolution>\
             <tt:Width>1920</tt:Width><tt:Height>1080</tt:Height></tt:Resolution></trt:VideoSources>"
            .into(),
        "GetStreamUri" | "GetSnapshotUri" => {
            let http = format!("http://{}/snapshot.jpg", at.authority);
            let uri = if name == "GetStreamUri" { at.stream } else { &http };
            format!(
                "<trt:MediaUri><tt:Uri>{}</tt:Uri><tt:InvalidAfterConnect>false</tt:InvalidAfterConnect>\
                 <tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout></trt:MediaUri>",
                escape(uri)
            )
        }
        _ => return None,
    })
}

pub(super) fn media2(name: &str, at: &Addresses<'_>) -> Option<String> {
    let ptz = if at.ptz { ptz_configuration("tr2:PTZ") } else { String::new() };
    let profile = |token: &str| {
        let (w, h, kbps) = size(token);
        format!(
            "<tr2:Profiles token=\"{token}\" fixed=\"true\"><tr2:Name>{token}</tr2:Name><tr2:Configurations>\
             <tr2:VideoSource token=\"vsc\">{SOURCE}</tr2:VideoSource>\
             <tr2:VideoEncoder token=\"vec-{token}\" GovLength=\"50\" Profile=\"Main\"><tt:Name>{token}</tt:Name>\
             <tt:UseCount>1</tt:UseCount><tt:Encoding>H264</tt:Encoding><tt:Resolution><tt:Width>{w}</tt:Width>\
             <tt:Height>{h}</tt:Height></tt:Resolution><tt:RateControl ConstantBitRate=\"false\">\
             <tt:FrameRateLimit>25</tt:FrameRateLimit><tt:BitrateLimit>{kbps}</tt:BitrateLimit></tt:RateControl>\
             <tt:Quality>5</tt:Quality></tr2:VideoEncoder>{ptz}</tr2:Configurations></tr2:Profiles>"
        )
    };
    Some(match name {
        "GetProfiles" => PROFILES.map(profile).concat(),
        "GetStreamUri" => format!("<tr2:Uri>{}</tr2:Uri>", escape(at.stream)),
        _ => return None,
    })
}

/// `SupportedPTZSpaces`' contents.
pub(super) fn spaces(degrees: bool) -> String {
    let range = |n: &str, (a, b): (i32, i32)| format!("<tt:{n}><tt:Min>{a}</tt:Min><tt:Max>{b}</tt:Max></tt:{n}>");
    let one = |kind: &str, uri: String, x: (i32, i32), y: Option<(i32, i32)>| {
        let y = y.map(|y| range("YRange", y)).unwrap_or_default();
        format!("<tt:{kind}><tt:URI>{uri}</tt:URI>{}{y}</tt:{kind}>", range("XRange", x))
    };
    let (pan, tilt, zoom, kind) = match degrees {
        true => ((0, 360), (-20, 90), (1, 30), "SphericalPositionSpaceDegrees"),
        false => ((-1, 1), (-1, 1), (0, 1), "PositionGenericSpace"),
    };
    let (plane, depth) = (format!("{SPACE}/PanTiltSpaces"), format!("{SPACE}/ZoomSpaces"));
    [
        one("AbsolutePanTiltPositionSpace", format!("{plane}/{kind}"), pan, Some(tilt)),
        one("AbsoluteZoomPositionSpace", format!("{depth}/{kind}"), zoom, None),
        one("RelativePanTiltTranslationSpace", format!("{plane}/TranslationGenericSpace"), (-1, 1), Some((-1, 1))),
        one("RelativeZoomTranslationSpace", format!("{depth}/TranslationGenericSpace"), (-1, 1), None),
        one("ContinuousPanTiltVelocitySpace", format!("{plane}/VelocityGenericSpace"), (-1, 1), Some((-1, 1))),
        one("ContinuousZoomVelocitySpace", format!("{depth}/VelocityGenericSpace"), (-1, 1), None),
        one("PanTiltSpeedSpace", format!("{plane}/GenericSpeedSpace"), (0, 1), None),
        one("ZoomSpeedSpace", format!("{depth}/ZoomGenericSpeedSpace"), (0, 1), None),
    ]
    .concat()
}

/// The operations of the PTZ service that do not depend on the state.
pub(super) fn ptz(name: &str, degrees: bool, most_presets: usize) -> Option<String> {
    let node = format!(
        "<tptz:PTZNode token=\"node\" FixedHomePosition=\"false\"><tt:Name>Head</tt:Name>\
         <tt:SupportedPTZSpaces>{}</tt:SupportedPTZSpaces><tt:MaximumNumberOfPresets>{most_presets}</tt:MaximumNumberOfPresets>\
         <tt:HomeSupported>true</tt:HomeSupported></tptz:PTZNode>",
        spaces(degrees)
    );
    Some(match name {
        "GetNodes" | "GetNode" => node,
        "GetConfigurations" | "GetConfiguration" => ptz_configuration("tptz:PTZConfiguration"),
        "GetConfigurationOptions" => format!(
            "<tptz:PTZConfigurationOptions><tt:Spaces>{}</tt:Spaces><tt:PTZTimeout><tt:Min>PT0S</tt:Min>\
             <tt:Max>PT60S</tt:Max></tt:PTZTimeout></tptz:PTZConfigurationOptions>",
            spaces(degrees)
        ),
        "GetServiceCapabilities" => "<tptz:Capabilities MoveStatus=\"true\" StatusPosition=\"true\"/>".into(),
        _ => return None,
    })
}
