//! Which view is meant. Tokens change over a camera's reboot, names are edited, and positions drift: a view has all three,
//! and is found by the first that still holds.

use serde::{Deserialize, Serialize};
use vistter_core::ports::{Preset, PtzPosition};

/// A view as a show keeps it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// The camera's token when it was captured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The name people use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where the camera looked when it was captured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<PtzPosition>,
}

/// How a view was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// The camera still knows its token.
    Token,
    /// By its name, under another token.
    Name,
    /// Neither: by its stored position.
    Position,
}

/// How to get there.
#[derive(Clone, Debug, PartialEq)]
pub enum Way {
    /// Recall this preset.
    Preset(Identity, Preset),
    /// Move to this position.
    Position(PtzPosition),
}

impl View {
    /// A preset of the camera.
    pub fn of(preset: Preset) -> Self {
        Self { token: Some(preset.token), name: Some(preset.name), position: None }
    }
    /// By name alone.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..Self::default() }
    }
    /// What it is called in lists of learned times and in errors.
    pub fn key(&self) -> String {
        let name = self.name.as_deref().map(str::trim).filter(|n| !n.is_empty());
        match (name, &self.token, &self.position) {
            (Some(n), _, _) => n.to_owned(),
            (_, Some(t), _) => format!("#{t}"),
            (_, _, Some(p)) => format!("@{:.2},{:.2},{:.2}", p.pan, p.tilt, p.zoom),
            _ => String::new(),
        }
    }

    /// Finds it among the camera's presets: token, then name, then position. A token that now carries another name was
    /// given to another view, if the name lives on elsewhere; a name that two presets share identifies neither.
    ///
    /// `listed` is `None` for a camera that cannot list its presets: then the token is believed.
    pub fn find(&self, listed: Option<&[Preset]>) -> Option<Way> {
        let wanted = self.name.as_deref().map(str::trim).filter(|n| !n.is_empty());
        let by_position = self.position.map(Way::Position);
        let Some(presets) = listed else {
            let token = self.token.clone();
            let preset = token.map(|token| Preset { token, name: self.name.clone().unwrap_or_default() });
            return preset.map(|p| Way::Preset(Identity::Token, p)).or(by_position);
        };
        let by_token = self.token.as_deref().and_then(|t| presets.iter().find(|p| p.token == t));
        let mut same_name = presets.iter().filter(|p| wanted.is_some_and(|w| p.name.trim() == w));
        let by_name = same_name.next().filter(|_| same_name.next().is_none());
        let (how, preset) = match (by_token, by_name) {
            (Some(t), Some(n)) if t.token != n.token && Some(t.name.trim()) != wanted => (Identity::Name, n),
            (Some(t), _) => (Identity::Token, t),
            (None, Some(n)) => (Identity::Name, n),
            (None, None) => return by_position,
        };
        Some(Way::Preset(how, preset.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn list(of: &[(&str, &str)]) -> Vec<Preset> {
        of.iter().map(|(t, n)| Preset { token: (*t).into(), name: (*n).into() }).collect()
    }
    fn found(view: &View, of: &[(&str, &str)]) -> Option<(Identity, String)> {
        match view.find(Some(&list(of)))? {
            Way::Preset(how, p) => Some((how, p.token)),
            Way::Position(_) => Some((Identity::Position, String::new())),
        }
    }

    #[test]
    fn token_then_name_then_position() {
        let position = Some(PtzPosition::default());
        let v = View { token: Some("1".into()), name: Some("Stage".into()), position };
        let by = |how, token: &str| Some((how, token.to_owned()));
        assert_eq!(found(&v, &[("1", "Stage"), ("2", "Door")]), by(Identity::Token, "1"));
        assert_eq!(found(&v, &[("7", " Stage "), ("2", "Door")]), by(Identity::Name, "7"));
        assert_eq!(found(&v, &[("1", "Door"), ("2", "Stage")]), by(Identity::Name, "2"), "tokens were shuffled");
        assert_eq!(found(&v, &[("1", "Stage left")]), by(Identity::Token, "1"), "renamed in the camera");
        assert_eq!(found(&v, &[("5", "Stage"), ("6", "Stage")]), by(Identity::Position, ""), "two of a name");
        assert_eq!(found(&v, &[]), by(Identity::Position, ""));
        assert_eq!(found(&View::named("Stage"), &[]), None);
        assert_eq!(found(&View::named(" "), &[("1", ""), ("2", "")]), None, "empty slots have no name");
        assert!(matches!(v.find(None), Some(Way::Preset(Identity::Token, p)) if p.token == "1"));
        assert_eq!(View::named("x").find(None), None);
    }
    proptest! {
        #[test]
        fn a_view_survives_its_file(token: Option<String>, name: Option<String>, at: Option<(i8, i8, u8)>) {
            let f = |v: i8| f32::from(v) / 128.0;
            let position = at.map(|(p, t, z)| PtzPosition { pan: f(p), tilt: f(t), zoom: f32::from(z) / 255.0 });
            let v = View { token, name, position };
            let back: View = serde_json::from_str(&serde_json::to_string(&v).unwrap()).unwrap();
            prop_assert_eq!(back, v);
        }
    }
}
