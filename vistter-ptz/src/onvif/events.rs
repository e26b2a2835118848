//! What a camera says of its motion by itself: the events of a pull point (ONVIF Core §9, WS-BaseNotification). Sans-IO.
//!
//! Two kinds are understood: that a preset was reached, aborted or left (ONVIF PTZ §5.9), and whether the head moves (Axis). A
//! camera that subscribes us and never sends any is common: its silence counts for nothing until it has sent one.

use vistter_core::time::MediaTime;

use super::xml::{Element, escape};

/// Namespace of the event service.
pub const EVENTS: &str = "http://www.onvif.org/ver10/events/wsdl";
/// Namespace of Renew and Unsubscribe.
pub(super) const NOTIFICATION: &str = "http://docs.oasis-open.org/wsn/bw-2";
/// How long a subscription holds without being renewed.
pub(super) const LEASE: MediaTime = MediaTime::from_secs(60);
/// Events read from one answer.
const MOST_EVENTS: usize = 64;

/// Reference parameters taken, and their bytes in all: they go back with every request.
const MOST_PARAMETERS: usize = 8;
const MOST_PARAMETER_BYTES: usize = 4096;

/// Something about the motion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// The head moves, or does not any more.
    Moving(bool),
    /// A preset was reached; its token, if the camera says which.
    Reached(Option<String>),
    /// A move to a preset came to nothing, or the preset was left.
    Left,
}

/// The events about motion in a `PullMessagesResponse`; others are left out.
pub fn happened(e: &Element) -> Vec<Happened> {
    e.all("NotificationMessage").take(MOST_EVENTS).filter_map(one).collect()
}

fn one(e: &Element) -> Option<Happened> {
    // Prefixes stand in the text: tns1:PTZController/tns1:PTZPresets/tns1:Reached, or without.
    let topic = e.text_at(&["Topic"])?;
    let mut words = topic.split('/').map(|w| w.rsplit(':').next().unwrap_or_default().trim());
    if !words.next()?.eq_ignore_ascii_case("PTZController") {
        return None;
    }
    let message = e.at(&["Message", "Message"])?;
    let item = |name: &str| {
        let all = ["Data", "Source", "Key"].into_iter().filter_map(|part| message.child(part));
        let mut all = all.flat_map(|part| part.all("SimpleItem"));
        all.find(|i| i.attribute("Name").is_some_and(|n| n.eq_ignore_ascii_case(name)))?.attribute("Value")
    };
    let kind = words.next()?.to_ascii_lowercase();
    match (kind.as_str(), words.next().unwrap_or_default().to_ascii_lowercase().as_str()) {
        ("ptzpresets", "reached") => Some(Happened::Reached(item("PresetToken").map(str::to_owned))),
        ("ptzpresets", "aborted" | "left") => Some(Happened::Left),
        ("move", _) => match item("is_moving")? {
            "1" | "true" => Some(Happened::Moving(true)),
            "0" | "false" => Some(Happened::Moving(false)),
            _ => None,
        },
        _ => None,
    }
}

/// A subscription.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscription {
    /// Where it answers, if the device says so.
    pub address: Option<String>,
    /// Header blocks by which the device knows it (WS-Addressing 1.0, SOAP Binding §3.4): Axis has one address for all of them.
    pub parameters: String,
}

/// A subscription, from `CreatePullPointSubscriptionResponse`.
pub fn subscription(e: &Element) -> Subscription {
    let Some(reference) = e.child("SubscriptionReference") else { return Subscription::default() };
    let address = reference.text_at(&["Address"]).filter(|a| a.len() <= 1024).map(str::to_owned);
    // "Properties" in the draft of 2004.
    let all = ["ReferenceParameters", "ReferenceProperties"].into_iter().filter_map(|n| reference.child(n));
    let all = all.flat_map(|p| &p.children).take(MOST_PARAMETERS);
    let parameters: String = all.filter_map(|p| p.to_xml(" wsa:IsReferenceParameter=\"true\"")).collect();
    let parameters = if parameters.len() > MOST_PARAMETER_BYTES { String::new() } else { parameters };
    Subscription { address, parameters }
}

/// What was heard, and what it says of the move that is under way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watch {
    /// The camera has told that a preset was reached, once: it will again.
    tells_presets: bool,
    target: Option<String>,
    reached: bool,
    moving: Option<bool>,
}

impl Watch {
    /// A move to a preset was accepted.
    pub fn went_to(&mut self, token: &str) {
        self.target = Some(token.to_owned());
        self.reached = false;
    }
    /// Another motion was accepted.
    pub fn moved(&mut self) {
        self.target = None;
    }
    /// Events have come.
    pub fn heard(&mut self, events: &[Happened]) {
        for e in events {
            match e {
                Happened::Moving(m) => self.moving = Some(*m),
                Happened::Reached(token) => {
                    self.tells_presets = true;
                    self.reached |= token.is_none() || *token == self.target;
                }
                Happened::Left => self.target = None,
            }
        }
    }
    /// The subscription is gone: what it told last may have changed.
    pub fn lost(&mut self) {
        (self.moving, self.target, self.tells_presets) = (None, None, false);
    }
    /// Whether the head moves, if the camera tells by itself.
    pub fn moving(&self) -> Option<bool> {
        self.moving.or_else(|| (self.tells_presets && self.target.is_some()).then_some(!self.reached))
    }
}

pub(super) fn create_body() -> String {
    format!(
        "<tev:CreatePullPointSubscription><tev:InitialTerminationTime>PT{}S</tev:InitialTerminationTime>\
         </tev:CreatePullPointSubscription>",
        LEASE.millis() / 1000
    )
}
pub(super) fn pull_body(within: MediaTime) -> String {
    format!(
        "<tev:PullMessages><tev:Timeout>PT{}S</tev:Timeout><tev:MessageLimit>{MOST_EVENTS}</tev:MessageLimit></tev:PullMessages>",
        within.millis() / 1000
    )
}
pub(super) fn renew_body() -> String {
    format!("<wsnt:Renew><wsnt:TerminationTime>PT{}S</wsnt:TerminationTime></wsnt:Renew>", LEASE.millis() / 1000)
}

/// The header that says for which subscription a message is (WS-Addressing; some devices look at it, some at the address).
pub(super) fn addressed(action: &str, to: &str) -> String {
    format!("<wsa:Action>{}</wsa:Action><wsa:To>{}</wsa:To>", escape(action), escape(to))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(topic: &str, items: &str) -> Element {
        Element::parse(
            format!(
                "<R><NotificationMessage><Topic>{topic}</Topic><Message><Message>{items}</Message></Message></NotificationMessage></R>"
            )
            .as_bytes(),
        )
        .unwrap()
    }
    fn item(part: &str, name: &str, value: &str) -> String {
        format!("<{part}><SimpleItem Name='{name}' Value='{value}'/></{part}>")
    }

    #[test]
    fn events_of_motion() {
        let reached = item("Data", "PresetToken", "7");
        let of = |topic: &str, items: &str| happened(&message(topic, items)).pop();
        assert_eq!(of("tns1:PTZController/PTZPresets/Reached", &reached), Some(Happened::Reached(Some("7".into()))));
        assert_eq!(of("tns1:PTZController/tns1:PTZPresets/tns1:Reached", ""), Some(Happened::Reached(None)));
        assert_eq!(of("tns1:PTZController/PTZPresets/Aborted", &reached), Some(Happened::Left));
        let axis = "tns1:PTZController/tnsaxis:Move/tnsaxis:Channel_1";
        assert_eq!(of(axis, &item("Data", "is_moving", "1")), Some(Happened::Moving(true)));
        assert_eq!(of(axis, &item("Data", "is_moving", "false")), Some(Happened::Moving(false)));
        for (topic, items) in
            [("tns1:VideoSource/MotionAlarm", reached.as_str()), (axis, ""), ("", ""), ("tns1:PTZController", "")]
        {
            assert_eq!(of(topic, items), None, "{topic}");
        }
    }
    #[test]
    fn a_subscription_is_known_by_its_address_or_by_what_goes_back() {
        let of = |inner: &str| {
            let text = format!("<R xmlns:w='u:w'><SubscriptionReference>{inner}</SubscriptionReference></R>");
            subscription(&Element::parse(text.as_bytes()).unwrap())
        };
        let s = of("<w:Address>http://c/services</w:Address><w:ReferenceParameters>\
                    <d:SubscriptionId xmlns:d='http://www.axis.com/2009/event'>297</d:SubscriptionId></w:ReferenceParameters>");
        assert_eq!(s.address.as_deref(), Some("http://c/services"));
        let want = "<SubscriptionId xmlns=\"http://www.axis.com/2009/event\" wsa:IsReferenceParameter=\"true\">297</SubscriptionId>";
        assert_eq!(s.parameters, want);
        assert_eq!(of("<Address/>"), Subscription::default());
        let long = format!("<w:ReferenceParameters><a>{}</a></w:ReferenceParameters>", "x".repeat(5000));
        assert_eq!(of(&long).parameters, "", "too long to be carried along");
        assert_eq!(
            of(&format!("<w:ReferenceParameters>{}</w:ReferenceParameters>", "<a/>".repeat(100)))
                .parameters
                .matches("<a")
                .count(),
            8
        );
    }
    #[test]
    fn silence_counts_for_nothing_until_the_camera_has_told_once() {
        let mut w = Watch::default();
        w.went_to("1");
        assert_eq!(w.moving(), None);
        w.heard(&[Happened::Reached(Some("1".into()))]);
        assert_eq!(w.moving(), Some(false));
        w.went_to("2");
        assert_eq!(w.moving(), Some(true), "it will tell");
        w.heard(&[Happened::Reached(Some("1".into()))]);
        assert_eq!(w.moving(), Some(true), "another one");
        w.heard(&[Happened::Reached(None)]);
        assert_eq!(w.moving(), Some(false));
        w.moved();
        assert_eq!(w.moving(), None, "presets are told, other moves are not");
        w.heard(&[Happened::Moving(true)]);
        w.went_to("1");
        assert_eq!(w.moving(), Some(true));
        w.lost();
        assert_eq!(w.moving(), None);
    }
    proptest! {
        #[test]
        fn nothing_panics(topic in "[a-zA-Z:/]{0,40}", value in any::<String>()) {
            let e = message(&escape(&topic), &item("Data", "is_moving", &escape(&value)));
            prop_assert!(happened(&e).len() <= 1);
            let _ = subscription(&e);
        }
    }
}
