//! The table: which models need what, and who said so. A camera that is not in it and needs something gets it by hand.

use crate::onvif::services::DeviceInfo;

/// What some models need.
#[derive(Clone, Copy, Debug)]
pub struct Quirk {
    /// `name=value`.
    pub change: &'static str,
    /// The models.
    pub models: &'static [Model],
    /// What they do.
    pub why: &'static str,
    /// Where that was reported.
    pub source: &'static str,
}

/// Models, as GetDeviceInformation names them. `*` stands for any text; upper and lower case are the same.
#[derive(Clone, Copy, Debug)]
pub struct Model {
    /// Manufacturer.
    pub maker: &'static str,
    /// Model.
    pub model: &'static str,
    /// Firmware version.
    pub firmware: &'static str,
}

impl Model {
    /// Whether it names a device.
    pub fn is(&self, device: &DeviceInfo) -> bool {
        let pairs =
            [(self.maker, &device.manufacturer), (self.model, &device.model), (self.firmware, &device.firmware)];
        pairs.into_iter().all(|(pattern, text)| like(pattern, text))
    }
}

const fn any_firmware(maker: &'static str, model: &'static str) -> Model {
    Model { maker, model, firmware: "*" }
}

/// What is known of models.
pub const TABLE: &[Quirk] = &[
    Quirk {
        change: "move-status=ignore",
        models: &[any_firmware("*hikvision*", "DS-2DE2A404IW*")],
        why: "MoveStatus stays MOVING after the camera has arrived, until the next command clears it",
        source: "https://github.com/blakeblackshear/frigate/pull/21954",
    },
    Quirk {
        change: "move-status=ignore",
        models: &[any_firmware("*", "DS-2DE3304W*"), any_firmware("*", "HWP-N4215IH*")],
        why: "MoveStatus does not change while the camera moves, with the latest firmware too",
        source: "https://docs.frigate.video/configuration/cameras#onvif-ptz-camera-recommendations",
    },
    Quirk {
        change: "timeout=omit",
        models: &[any_firmware("*bosch*", "*")],
        why: "a ContinuousMove with a Timeout is refused as an unsupported field",
        source: "https://github.com/Jazea/Onvif.Core/issues/30",
    },
    Quirk {
        change: "timeout=omit",
        models: &[any_firmware("*reolink*", "*E1 Outdoor*")],
        why: "a ContinuousMove with a Timeout is accepted and does not move the camera",
        source: "https://github.com/agsh/onvif/issues/346",
    },
    Quirk {
        change: "zero-axes=omit",
        models: &[any_firmware("*reolink*", "*")],
        why: "pan, tilt and zoom in one ContinuousMove are not understood together, not even with speed zero",
        source: "https://github.com/agsh/onvif/issues/267",
    },
    Quirk {
        change: "invert=pan",
        models: &[any_firmware("*tp-link*", "*C260*"), any_firmware("*tapo*", "*C260*")],
        why: "left and right are exchanged in ContinuousMove; up and down are not",
        source: "https://github.com/home-assistant/core/issues/177225",
    },
    Quirk {
        change: "remove=refuse",
        models: &[any_firmware("*ellinet*", "*")],
        why: "RemovePreset removes all presets",
        source: "https://github.com/cdavis-code/easy_onvif_workspace/issues/49",
    },
];

/// Whether a text is like a pattern with `*`, upper and lower case the same.
fn like(pattern: &str, text: &str) -> bool {
    let text = text.to_lowercase();
    let pattern = pattern.to_lowercase();
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn patterns() {
        for (pattern, text, is) in [
            ("*", "", true),
            ("*bosch*", "Bosch Security", true),
            ("DS-2*", "ds-2de3304w-de", true),
            ("DS-2*", "IDS-2", false),
            ("a*a", "a", false),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "acb", false),
            ("exact", "Exact", true),
            ("exact", "exactly", false),
        ] {
            assert_eq!(like(pattern, text), is, "{pattern} {text}");
        }
    }
    proptest! {
        #[test]
        fn stars_around_find_any_part(text in any::<String>(), from: prop::sample::Index) {
            let lower = text.to_lowercase();
            let at = lower.char_indices().map(|(i, _)| i).nth(from.index(lower.chars().count().max(1))).unwrap_or(0);
            prop_assume!(!lower[at..].contains('*'));
            let pattern = format!("*{}", &lower[at..]);
            prop_assert!(like(&pattern, &text));
        }
    }
}
