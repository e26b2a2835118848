//! A camera's presets as a whole: rename, remove, and a file that carries them to another camera or over a reset.
//!
//! ONVIF and VISCA store the *present* view under a name. So a rename goes to the preset and stores it anew, and an import
//! goes to each position: the camera moves.

use serde::{Deserialize, Serialize};
use vistter_core::ports::Preset;
use vistter_core::{Error, ErrorKind, Result};

use super::command::{Arrival, Command, Outcome};
use super::driver::{Mover, expect};
use super::preset::{View, Way};
use crate::settle::Evidence;

/// Largest file of presets, in bytes.
pub const MOST_FILE: usize = 1024 * 1024;
/// Most presets in a file.
pub const MOST_PRESETS: usize = 1000;

/// Presets in a file. The form is stable: what this version writes, later ones read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PresetFile {
    /// Version of the form: 1.
    pub vistter_presets: u32,
    /// The presets, in the camera's order.
    pub presets: Vec<View>,
}

impl PresetFile {
    /// A file of these.
    pub fn new(presets: Vec<View>) -> Self {
        Self { vistter_presets: 1, presets }
    }
    /// Reads a file's text.
    ///
    /// # Errors
    /// `Config` or `Limit`, with the place.
    pub fn parse(text: &str) -> Result<Self> {
        let again = "export the presets again";
        if text.len() > MOST_FILE {
            return Err(Error::new(ErrorKind::Limit, "the file of presets is larger than 1 MiB").next(again));
        }
        let file: Self = serde_json::from_str(text).map_err(|e| {
            let place = format!("line {}, column {}", e.line(), e.column());
            Error::new(ErrorKind::Config, format!("this is no file of presets: {e}")).at(place).next(again)
        })?;
        if file.vistter_presets != 1 {
            let e = Error::new(ErrorKind::Config, format!("the form of this file is {}, not 1", file.vistter_presets));
            return Err(e.next("use the version of vistter that wrote it"));
        }
        if file.presets.len() > MOST_PRESETS {
            return Err(Error::new(ErrorKind::Limit, format!("the file has more than {MOST_PRESETS} presets")));
        }
        for (i, v) in file.presets.iter().enumerate() {
            let inside = v.position.is_none_or(|p| {
                (-1.0..=1.0).contains(&p.pan) && (-1.0..=1.0).contains(&p.tilt) && (0.0..=1.0).contains(&p.zoom)
            });
            let named = v.name.as_deref().is_some_and(|n| !n.trim().is_empty());
            if !inside || !named {
                let what = if named { "has a position outside the range" } else { "has no name" };
                let e = Error::new(ErrorKind::Config, format!("preset {} of the file {what}", i + 1));
                return Err(e.next("pan and tilt are from -1 to 1, zoom from 0 to 1; the name is what people use"));
            }
        }
        Ok(file)
    }
    /// The file's text.
    ///
    /// # Errors
    /// `Internal`: a position is no number.
    pub fn text(&self) -> Result<String> {
        let failed = |e| Error::new(ErrorKind::Internal, format!("write presets: {e}"));
        Ok(serde_json::to_string_pretty(self).map_err(failed)? + "\n")
    }
}

/// What an import did with one preset.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "result")]
pub enum Imported {
    /// The camera has one of this name, and keeps it.
    Kept {
        /// Its name.
        name: String,
    },
    /// It was stored.
    Stored {
        /// As it is now.
        view: View,
    },
    /// It was not stored.
    Failed {
        /// Its name.
        name: String,
        /// Why.
        why: String,
    },
}

/// Whether a preset has the name that a camera gives to a slot nobody has named: `Preset 7`, `Preset007`, `7`. Some cameras
/// list all their slots, used or not, under such names.
pub fn has_default_name(preset: &Preset) -> bool {
    let name = preset.name.trim().to_ascii_lowercase();
    let number = name.strip_prefix("preset").unwrap_or(&name).trim_start_matches([' ', '_', '-']);
    let same = |a: &str, b: &str| a.trim_start_matches('0') == b.trim_start_matches('0');
    !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) && {
        let digits: String = preset.token.chars().filter(char::is_ascii_digit).collect();
        same(number, &digits)
    }
}

impl Mover {
    /// Removes a preset, found by token or name.
    ///
    /// # Errors
    /// `NotFound`, or what the camera or the way to it says.
    pub async fn remove(&self, view: &View) -> Result<Preset> {
        let preset = self.listed(view).await?;
        expect(self.command(Command::Remove(preset.clone())).await?, |o| match o {
            Outcome::Removed => Ok(preset),
            o => Err(o),
        })
    }

    /// Gives a preset another name: goes there, and stores it anew under its token. The camera moves. `None` when a newer
    /// command took its place.
    ///
    /// # Errors
    /// `NotFound`; the camera did not arrive where the preset is; or what it or the way to it says.
    pub async fn rename(&self, view: &View, name: &str) -> Result<Option<View>> {
        let preset = self.listed(view).await?;
        let to = View { position: view.position, ..View::of(preset.clone()) };
        let Some(arrival) = self.go_to(to).await? else { return Ok(None) };
        self.save_here(&arrival, name, Some(preset)).await.map(Some)
    }

    /// The camera's presets with their positions, as far as it tells these without moving. With `visit` it goes to each that it
    /// does not tell, and ends at the last of them. `None` when a newer command took its place.
    ///
    /// # Errors
    /// What the camera or the way to it says.
    pub async fn export(&self, visit: bool) -> Result<Option<PresetFile>> {
        let mut views = self.views().await?;
        for view in views.iter_mut().filter(|v| visit && v.position.is_none()) {
            match self.go_to(view.clone()).await {
                // Nothing told that it has arrived: it may have been seen on its way.
                Ok(Some(arrival)) if arrival.evidence == Evidence::Bound => {}
                Ok(Some(arrival)) => view.position = arrival.position,
                Ok(None) => return Ok(None),
                // A slot that is listed and empty.
                Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::Rejected) => {}
                Err(e) => return Err(e),
            }
        }
        Ok(Some(PresetFile::new(views)))
    }

    /// Stores the presets of a file in the camera, each under its name. One that the camera has is kept, unless `replace`. The
    /// camera moves to each that is stored. Ends early when the camera cannot be reached, or a newer command takes over.
    ///
    /// # Errors
    /// What the camera or the way to it says.
    pub async fn import(&self, file: &PresetFile, replace: bool) -> Result<Vec<Imported>> {
        let there = self.presets().await?;
        let mut done = Vec::new();
        for view in &file.presets {
            let name = view.name.clone().unwrap_or_default();
            let same: Vec<&Preset> = there.iter().filter(|p| p.name.trim() == name.trim()).collect();
            if !same.is_empty() && !replace {
                done.push(Imported::Kept { name });
                continue;
            }
            let failed = |why: String| Imported::Failed { name: name.clone(), why };
            let Some(to) = view.position else {
                done.push(failed("the file has no position for it: export with positions".into()));
                continue;
            };
            if same.len() > 1 {
                done.push(failed("the camera has more than one preset of this name".into()));
                continue;
            }
            let stored = match self.absolute(to, None).await {
                Ok(Some(arrival)) => self.save_here(&arrival, &name, same.first().map(|p| (*p).clone())).await,
                Ok(None) => Err(Error::new(ErrorKind::Closed, "another command took over")),
                Err(e) => Err(e),
            };
            match stored {
                Ok(view) => done.push(Imported::Stored { view }),
                Err(e) => {
                    let lost = !matches!(e.kind(), ErrorKind::Rejected | ErrorKind::Unsupported | ErrorKind::NotFound);
                    done.push(failed(e.what().to_owned()));
                    if lost {
                        return if done.len() > 1 { Ok(done) } else { Err(e) };
                    }
                }
            }
        }
        Ok(done)
    }

    /// What the camera stores where it stands now.
    async fn save_here(&self, arrival: &Arrival, name: &str, replace: Option<Preset>) -> Result<View> {
        if arrival.evidence == Evidence::Bound {
            let e = Error::new(
                ErrorKind::Rejected,
                "nothing tells that the camera has arrived, and it may still be on its way: nothing was stored",
            );
            return Err(e
                .next("send it there (goto), look at the picture until it stands, and store the view (capture)")
                .transient(false));
        }
        if arrival.off_target {
            let e = Error::new(
                ErrorKind::Rejected,
                "the camera stands somewhere else than it was sent to: nothing was stored",
            );
            return Err(e
                .next("check that nothing else moves it, and that the position is in its range")
                .transient(false));
        }
        self.capture(name, replace).await
    }

    async fn listed(&self, view: &View) -> Result<Preset> {
        let presets = self.presets().await?;
        match (View { position: None, ..view.clone() }).find(Some(&presets)) {
            Some(Way::Preset(_, preset)) => Ok(preset),
            _ => Err(Error::new(ErrorKind::NotFound, format!("the camera has no preset {:?}", view.key()))
                .next("list its presets; two of the same name are told apart by their tokens")
                .transient(false)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use vistter_core::ports::PtzPosition;

    use super::*;

    #[test]
    fn the_form_is_stable() {
        let position = Some(PtzPosition { pan: -0.5, tilt: 0.25, zoom: 0.1 });
        let stage = View { token: Some("1".into()), name: Some("Stage".into()), position };
        let text = PresetFile::new(vec![stage, View::named("Door")]).text().unwrap();
        let want = r#"{
  "vistter_presets": 1,
  "presets": [
    {
      "token": "1",
      "name": "Stage",
      "position": {
        "pan": -0.5,
        "tilt": 0.25,
        "zoom": 0.1
      }
    },
    {
      "name": "Door"
    }
  ]
}
"#;
        assert_eq!(text, want);
        assert_eq!(PresetFile::parse(want).unwrap().text().unwrap(), want);
    }
    #[test]
    fn a_wrong_file_is_explained() {
        for (text, word) in [
            ("", "no file of presets"),
            ("{\"presets\":[]}", "vistter_presets"),
            ("{\"vistter_presets\":2,\"presets\":[]}", "is 2"),
            ("{\"vistter_presets\":1,\"presets\":[{\"token\":\"1\"}]}", "has no name"),
            (
                "{\"vistter_presets\":1,\"presets\":[{\"name\":\"a\",\"position\":{\"pan\":7,\"tilt\":0,\"zoom\":0}}]}",
                "outside the range",
            ),
        ] {
            let e = PresetFile::parse(text).unwrap_err();
            assert!(e.what().contains(word) && e.next_step().is_some(), "{text}: {e}");
        }
        let many = format!("{{\"vistter_presets\":1,\"presets\":[{}]}}", vec!["{\"name\":\"a\"}"; 1001].join(","));
        assert_eq!(PresetFile::parse(&many).unwrap_err().kind(), ErrorKind::Limit);
        assert_eq!(PresetFile::parse(&" ".repeat(MOST_FILE + 1)).unwrap_err().kind(), ErrorKind::Limit);
    }
    #[test]
    fn names_of_slots() {
        let p = |token: &str, name: &str| has_default_name(&Preset { token: token.into(), name: name.into() });
        for (token, name) in
            [("7", "Preset 7"), ("7", "preset007"), ("Preset_7", "7"), ("12", "Preset_12"), ("0", "00")]
        {
            assert!(p(token, name), "{token} {name}");
        }
        for (token, name) in [("7", "Preset 8"), ("7", "Stage"), ("7", "Preset"), ("7", "Preset 7 left"), ("x", "")] {
            assert!(!p(token, name), "{token} {name}");
        }
    }
    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>(), token in any::<String>()) {
            let _ = PresetFile::parse(&text);
            let _ = has_default_name(&Preset { token, name: text });
        }
    }
}
