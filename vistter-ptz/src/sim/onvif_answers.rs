//! What the simulated camera says that does not depend on its state: services, nodes. In the order of ONVIF's
//! schemas, which strict clients insist on.

use vistter_core::clock::WallTime;

use super::onvif_media::SimProfile;
use crate::onvif::events::EVENTS;
use crate::onvif::services::{DEVICE, IMAGING, MEDIA1, MEDIA2, PTZ};
use crate::onvif::time::write_date_time;
use crate::onvif::xml::{Element, escape};

/// Where the services answer, and which there are.
pub(super) struct Addresses<'a> {
    pub(super) authority: &'a str,
    pub(super) stream: &'a str,
    pub(super) profiles: &'a [SimProfile],
    pub(super) ptz: bool,
    pub(super) new: bool,
    pub(super) events: bool,
    /// A subscription is known by a header block.
    pub(super) references: bool,
}

const SPACE: &str = "http://www.onvif.org/ver10/tptz";

/// An envelope around `<OPERATIONResponse>` of the service at a path.
pub(super) fn envelope(operation: &str, inner: &str, path: &str) -> String {
    let prefix = match path {
        "/onvif/media" => "trt",
        "/onvif/media2" => "tr2",
        "/onvif/ptz" => "tptz",
        "/onvif/imaging" => "timg",
        "/onvif/events" => "tev",
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
            let more = if at.events { one(EVENTS, "events") + &one(IMAGING, "imaging") } else { String::new() };
            [one(DEVICE, "device_service"), one(MEDIA1, "media"), one(MEDIA2, "media2"), ptz, more].concat()
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

pub(super) fn ptz_configuration(tag: &str) -> String {
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

/// The imaging service: everything by itself, the focus at rest.
pub(super) fn imaging(name: &str) -> Option<String> {
    Some(match name {
        "GetImagingSettings" => {
            "<timg:ImagingSettings><tt:Brightness>50</tt:Brightness><tt:ColorSaturation>50</tt:ColorSaturation>\
             <tt:Contrast>50</tt:Contrast><tt:Exposure><tt:Mode>AUTO</tt:Mode></tt:Exposure>\
             <tt:Focus><tt:AutoFocusMode>AUTO</tt:AutoFocusMode></tt:Focus><tt:Sharpness>50</tt:Sharpness>\
             <tt:WhiteBalance><tt:Mode>AUTO</tt:Mode></tt:WhiteBalance></timg:ImagingSettings>"
                .into()
        }
        "GetStatus" => {
            "<timg:Status><tt:FocusStatus20><tt:Position>0.5</tt:Position><tt:MoveStatus>IDLE</tt:MoveStatus>\
             </tt:FocusStatus20></timg:Status>"
                .into()
        }
        _ => return None,
    })
}

const AXIS_EVENTS: &str = "http://www.axis.com/2009/event";

/// Whether a header names the one subscription, as its reference parameters say.
pub(super) fn names_subscription(header: &Element) -> bool {
    let block = header.child("SubscriptionId").filter(|b| b.namespace.as_deref() == Some(AXIS_EVENTS));
    block.is_some_and(|b| b.text == "297" && b.attribute("IsReferenceParameter") == Some("true"))
}

/// The event service, and its one subscription.
pub(super) fn events(name: &str, at: &Addresses<'_>, reached: Option<&str>) -> Option<String> {
    const TIMES: &str = "<wsnt:CurrentTime>2026-01-01T00:00:00Z</wsnt:CurrentTime>\
        <wsnt:TerminationTime>2026-01-01T00:01:00Z</wsnt:TerminationTime>";
    Some(match name {
        "CreatePullPointSubscription" => format!(
            "<tev:SubscriptionReference><wsa:Address>http://{}/onvif/events</wsa:Address>{}</tev:SubscriptionReference>{TIMES}",
            at.authority,
            if at.references {
                format!(
                    "<wsa:ReferenceParameters><dom0:SubscriptionId xmlns:dom0=\"{AXIS_EVENTS}\">297</dom0:SubscriptionId>\
                     </wsa:ReferenceParameters>"
                )
            } else {
                String::new()
            }
        ),
        "PullMessages" => {
            let message = reached.map(|token| {
                format!(
                    "<wsnt:NotificationMessage><wsnt:Topic Dialect=\"http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet\">\
                     tns1:PTZController/PTZPresets/Reached</wsnt:Topic><wsnt:Message><tt:Message UtcTime=\"2026-01-01T00:00:00Z\">\
                     <tt:Source><tt:SimpleItem Name=\"PTZConfigurationToken\" Value=\"ptz\"/></tt:Source>\
                     <tt:Data><tt:SimpleItem Name=\"PresetToken\" Value=\"{}\"/></tt:Data></tt:Message></wsnt:Message>\
                     </wsnt:NotificationMessage>",
                    escape(token)
                )
            });
            TIMES.replace("wsnt:", "tev:") + &message.unwrap_or_default()
        }
        "Renew" | "Unsubscribe" => TIMES.into(),
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
