//! The knobs: each part of a [`Policy`](super::Policy) under the name that people write, with its values.

use super::Policy;
use crate::onvif::auth::Method;

/// A part of a policy.
#[derive(Clone, Copy, Debug)]
pub struct Knob {
    /// Its name.
    pub name: &'static str,
    /// What it decides.
    pub about: &'static str,
    /// What it can be; the first is the default.
    pub values: &'static [Value],
}

/// A value of a knob.
#[derive(Clone, Copy, Debug)]
pub struct Value {
    /// Its name.
    pub name: &'static str,
    pub(super) set: fn(&mut Policy),
}

const fn value(name: &'static str, set: fn(&mut Policy)) -> Value {
    Value { name, set }
}

/// All knobs, by name.
pub const KNOBS: &[Knob] = &[
    Knob {
        name: "auth",
        about: "How the password is shown; a fixed way saves the tries that find it out.",
        values: &[
            value("find", |p| p.auth = None),
            value("http-digest", |p| p.auth = Some(Method::HttpDigest)),
            value("ws-digest", |p| p.auth = Some(Method::WsDigest)),
            value("ws-text", |p| p.auth = Some(Method::WsText)),
            value("http-basic", |p| p.auth = Some(Method::HttpBasic)),
        ],
    },
    Knob {
        name: "clock",
        about: "Whose time stamps the password's digest.",
        values: &[value("camera", |p| p.camera_clock = true), value("ours", |p| p.camera_clock = false)],
    },
    Knob {
        name: "events",
        about: "Whether the camera's events are subscribed to, where it offers some about its motion.",
        values: &[value("use", |p| p.events = true), value("ignore", |p| p.events = false)],
    },
    Knob {
        name: "goto-speed",
        about: "Whether GotoPreset carries a Speed.",
        values: &[value("omit", |p| p.goto_speed = false), value("send", |p| p.goto_speed = true)],
    },
    Knob {
        name: "invert",
        about: "Which axes of ContinuousMove run the wrong way.",
        values: &[
            value("none", |p| (p.invert_pan, p.invert_tilt) = (false, false)),
            value("pan", |p| (p.invert_pan, p.invert_tilt) = (true, false)),
            value("tilt", |p| (p.invert_pan, p.invert_tilt) = (false, true)),
            value("both", |p| (p.invert_pan, p.invert_tilt) = (true, true)),
        ],
    },
    Knob {
        name: "media2",
        about: "Whether Media2 is asked for profiles before Media1.",
        values: &[value("use", |p| p.media2 = true), value("ignore", |p| p.media2 = false)],
    },
    Knob {
        name: "move-status",
        about: "Whether MoveStatus is believed.",
        values: &[value("believe", |p| p.move_status = true), value("ignore", |p| p.move_status = false)],
    },
    Knob {
        name: "position",
        about: "Whether the position in GetStatus is believed.",
        values: &[value("believe", |p| p.position = true), value("ignore", |p| p.position = false)],
    },
    Knob {
        name: "remove",
        about: "Whether RemovePreset may be sent.",
        values: &[value("send", |p| p.remove = true), value("refuse", |p| p.remove = false)],
    },
    Knob {
        name: "stop",
        about: "What stops the camera: Stop, or a ContinuousMove with speed zero.",
        values: &[value("stop", |p| p.stop = true), value("zero", |p| p.stop = false)],
    },
    Knob {
        name: "timeout",
        about: "Whether ContinuousMove carries a Timeout.",
        values: &[value("send", |p| p.timeout = true), value("omit", |p| p.timeout = false)],
    },
    Knob {
        name: "zero-axes",
        about: "Whether ContinuousMove names the axes that stand still.",
        values: &[value("send", |p| p.zero_axes = true), value("omit", |p| p.zero_axes = false)],
    },
];
