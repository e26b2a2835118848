//! Quirks as data: what a camera needs that differs from the default, which models need it, and who said so.
//!
//! - [`Policy`]: how the driver speaks to one camera. [`KNOBS`]: its parts, under the names that people write.
//! - [`TABLE`]: the models that need another value. Consulted after GetDeviceInformation; what the user says goes first.
//!
//! A quirk is written `name=value`: in [`OnvifOptions::quirks`](super::OnvifOptions::quirks), behind the `#` of a camera's
//! address (`onvif://10.0.0.9#stop=zero,timeout=omit`), or after `--quirk` on the command line.

mod knobs;
mod table;

use std::fmt;

use serde::{Serialize, Serializer};
use vistter_core::{Error, ErrorKind, Result};

use super::auth::Method;
use super::services::DeviceInfo;

pub use knobs::{KNOBS, Knob, Value};
pub use table::{Model, Quirk, TABLE};

/// How the driver speaks to one camera. The default suits a camera that keeps to the standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// `MoveStatus` is believed.
    pub move_status: bool,
    /// The position in GetStatus is believed.
    pub position: bool,
    /// ContinuousMove carries a Timeout.
    pub timeout: bool,
    /// ContinuousMove names the axes that stand still, with speed zero.
    pub zero_axes: bool,
    /// Motion is stopped by Stop; otherwise by a ContinuousMove with speed zero.
    pub stop: bool,
    /// GotoPreset carries a Speed.
    pub goto_speed: bool,
    /// RemovePreset may be sent.
    pub remove: bool,
    /// The one way to show the password; `None` finds it out.
    pub auth: Option<Method>,
    /// The password's digest is stamped with the camera's clock; otherwise with ours.
    pub camera_clock: bool,
    /// Right is left in ContinuousMove.
    pub invert_pan: bool,
    /// Up is down in ContinuousMove.
    pub invert_tilt: bool,
    /// Media2 is asked before Media1.
    pub media2: bool,
    /// Events are subscribed to, where offered.
    pub events: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            move_status: true,
            position: true,
            timeout: true,
            zero_axes: true,
            stop: true,
            goto_speed: false,
            remove: true,
            auth: None,
            camera_clock: true,
            invert_pan: false,
            invert_tilt: false,
            media2: true,
            events: true,
        }
    }
}

impl Policy {
    /// The policy for a device: the default, changed by the table, changed by the user.
    pub fn of(device: &DeviceInfo, user: &[Change]) -> Self {
        let mut policy = Self::default();
        for quirk in known(device) {
            if let Ok(change) = quirk.change.parse::<Change>() {
                change.apply(&mut policy);
            }
        }
        user.iter().for_each(|c| c.apply(&mut policy));
        policy
    }
    /// What differs from the default, as [`Change`]s.
    pub fn changes(&self) -> Vec<Change> {
        let all = KNOBS.iter().flat_map(|k| k.values.iter().skip(1).map(move |v| Change { knob: k, value: v }));
        all.filter(|c| {
            let mut changed = *self;
            c.apply(&mut changed);
            let mut plain = *self;
            Change { knob: c.knob, value: &c.knob.values[0] }.apply(&mut plain);
            changed == *self && plain != *self
        })
        .collect()
    }
}

/// The entries of the table that name a device.
pub fn known(device: &DeviceInfo) -> impl Iterator<Item = &'static Quirk> {
    TABLE.iter().filter(|q| q.models.iter().any(|m| m.is(device)))
}

/// One knob set to one value. Written `name=value`.
#[derive(Clone, Copy)]
pub struct Change {
    knob: &'static Knob,
    value: &'static Value,
}

impl Change {
    /// Changes a policy.
    pub fn apply(&self, policy: &mut Policy) {
        (self.value.set)(policy);
    }
    /// Several, separated by commas; empty text is none.
    ///
    /// # Errors
    /// `Config`, naming what there is.
    pub fn list(text: &str) -> Result<Vec<Self>> {
        text.split(',').map(str::trim).filter(|t| !t.is_empty()).map(str::parse).collect()
    }
}

impl std::str::FromStr for Change {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, value) = text.trim().split_once('=').unwrap_or((text.trim(), ""));
        let join = |names: Vec<&str>| names.join(", ");
        let clip = |s: &str| s.chars().filter(|c| !c.is_control()).take(40).collect::<String>();
        let Some(knob) = KNOBS.iter().find(|k| k.name.eq_ignore_ascii_case(name.trim())) else {
            let e = Error::new(ErrorKind::Config, format!("there is no quirk named {:?}", clip(name)));
            return Err(e.next(format!("one of: {}", join(KNOBS.iter().map(|k| k.name).collect()))));
        };
        let Some(value) = knob.values.iter().find(|v| v.name.eq_ignore_ascii_case(value.trim())) else {
            let e = Error::new(ErrorKind::Config, format!("the quirk {} has no value {:?}", knob.name, clip(value)));
            return Err(e.next(format!("one of: {}", join(knob.values.iter().map(|v| v.name).collect()))));
        };
        Ok(Self { knob, value })
    }
}

impl PartialEq for Change {
    fn eq(&self, other: &Self) -> bool {
        (self.knob.name, self.value.name) == (other.knob.name, other.value.name)
    }
}
impl Eq for Change {}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.knob.name, self.value.name)
    }
}
impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl Serialize for Change {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn device(manufacturer: &str, model: &str, firmware: &str) -> DeviceInfo {
        let own = str::to_owned;
        DeviceInfo { manufacturer: own(manufacturer), model: own(model), firmware: own(firmware), serial: own("1") }
    }

    #[test]
    fn the_table_holds_together() {
        for q in TABLE {
            let change: Change = q.change.parse().unwrap();
            let mut policy = Policy::default();
            change.apply(&mut policy);
            assert_ne!(policy, Policy::default(), "{}: is the default", q.change);
            assert_eq!(policy.changes(), [change]);
            assert!(q.why.len() > 20 && q.source.starts_with("https://"), "{}", q.change);
            assert!(q.models.iter().all(|m| m.model != "*" || m.maker != "*"), "{}: everybody", q.change);
        }
        for k in KNOBS {
            let mut policy = Policy::default();
            (k.values[0].set)(&mut policy);
            assert_eq!(policy, Policy::default(), "{}: the first value is the default", k.name);
            assert!(k.values.len() > 1 && k.about.ends_with('.'), "{}", k.name);
        }
    }
    #[test]
    fn the_document_lists_all() {
        let text = include_str!("../../../../docs/quirks.md");
        for q in TABLE {
            assert!(text.contains(&format!("`{}`", q.change)) && text.contains(q.source), "docs/quirks.md: {q:?}");
        }
        for k in KNOBS {
            let values: Vec<_> = k.values.iter().map(|v| format!("`{}`", v.name)).collect();
            let row = format!("| `{}` | {} | ", k.name, values.join(", "));
            assert!(text.contains(&row), "docs/quirks.md: {row}");
        }
    }
    #[test]
    fn a_model_gets_what_it_needs_and_the_user_has_the_last_word() {
        let hik = device("HIKVISION", "DS-2DE2A404IW-DE3", "V5.7.11 build 220101");
        assert!(!Policy::of(&hik, &[]).move_status);
        assert!(Policy::of(&hik, &Change::list("move-status=believe").unwrap()).move_status);
        assert!(Policy::of(&device("HIKVISION", "DS-2CD2143G0-I", "V5"), &[]).move_status, "another model");
        let reolink = Policy::of(&device("Reolink", "E1 Outdoor Pro", "v3"), &[]);
        assert!(!reolink.timeout && !reolink.zero_axes);
        assert_eq!(Policy::of(&device("ACME", "PTZ", "1"), &[]), Policy::default());
        let by_hand = Policy::of(&device("", "", ""), &Change::list("invert=both, auth=ws-text,").unwrap());
        assert_eq!((by_hand.invert_pan, by_hand.invert_tilt, by_hand.auth), (true, true, Some(Method::WsText)));
        assert_eq!(format!("{:?}", by_hand.changes()), "[auth=ws-text, invert=both]");
    }
    #[test]
    fn a_wrong_word_names_the_right_ones() {
        let e = "stopp=zero".parse::<Change>().unwrap_err();
        assert!(e.what().contains("stopp") && e.next_step().unwrap().contains("move-status"), "{e}");
        let e = "stop".parse::<Change>().unwrap_err();
        assert!(e.kind() == ErrorKind::Config && e.next_step().unwrap().contains("zero"), "{e}");
    }
    proptest! {
        #[test]
        fn no_text_panics(text in "[a-z=,-]{0,30}") {
            let _ = Change::list(&text);
        }
    }
}
