//! What a scene is told while it is drawn: `--do "2s next"`.

use std::collections::BTreeMap;

use serde_json::Value;
use vistter_core::config::Span;
use vistter_core::ports::{OverlayAction, OverlayEvent};
use vistter_core::time::{FrameRate, MediaTime};

/// An action and when it is done, counted from when the scene was shown.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    pub(crate) at: Span,
    what: What,
}

/// Lengths of time in it are of no use before the frame rate is known.
#[derive(Clone, Debug, PartialEq)]
enum What {
    Done(OverlayAction),
    GoTo(Span),
    Set { layer: Option<String>, properties: BTreeMap<String, Value>, over: Span, easing: Option<Value> },
}

const FORMS: &str = "write a moment and what is done then: \"2s next\", \"2s step ID\", \"2s go 3.5s\", \"2s marker NAME\", \
    \"2s milestone NAME\", \"2s preset NAME\", \"2s left NAME\", \"2s token NAME=VALUE\", \"2s hide\", \"2s show\", \
    \"2s set LAYER opacity=0.5 position=[40,60] over=1s easing=easeOutCubic\", \"2s set LAYER text='two words'\"";

impl Told {
    /// Reads what was typed.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut words = text.trim().splitn(3, char::is_whitespace);
        let (at, what) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let of = words.next().unwrap_or_default().trim();
        let at = Span::parse(at).ok_or_else(|| format!("\"{at}\" is no moment; {FORMS}"))?;
        let name = || if of.is_empty() { Err(format!("\"{what}\" needs a name; {FORMS}")) } else { Ok(of.to_owned()) };
        let event = |e: OverlayEvent| What::Done(OverlayAction::Event(e));
        let what = match what {
            "next" => What::Done(OverlayAction::Next),
            "show" => What::Done(OverlayAction::Show),
            "hide" => What::Done(OverlayAction::Hide),
            "step" => What::Done(OverlayAction::Step { id: name()?, at_once: false }),
            "go" => What::GoTo(Span::parse(of).ok_or_else(|| format!("\"{of}\" is no moment; {FORMS}"))?),
            "marker" => event(OverlayEvent::marker(name()?)),
            "milestone" => event(OverlayEvent::milestone(name()?)),
            "preset" => event(OverlayEvent::preset(name()?)),
            "left" => event(OverlayEvent::preset_left(name()?)),
            "token" => {
                let (k, v) = of.split_once('=').ok_or_else(|| format!("\"{of}\" is no NAME=VALUE; {FORMS}"))?;
                What::Done(OverlayAction::SetTokens(BTreeMap::from([(k.to_owned(), v.to_owned())])))
            }
            "set" => set(of)?,
            other => return Err(format!("\"{other}\" cannot be done; {FORMS}")),
        };
        if matches!(what, What::Done(OverlayAction::Next | OverlayAction::Show | OverlayAction::Hide)) && !of.is_empty()
        {
            return Err(format!("\"{of}\" is one word too many; {FORMS}"));
        }
        Ok(Self { at, what })
    }

    /// For an overlay at a frame rate.
    pub(crate) fn action(&self, fps: FrameRate) -> OverlayAction {
        match &self.what {
            What::Done(action) => action.clone(),
            What::GoTo(to) => OverlayAction::GoTo(to.time(fps)),
            What::Set { layer, properties, over, easing } => OverlayAction::Set {
                layer: layer.clone(),
                properties: properties.clone(),
                over: over.time(fps),
                easing: easing.clone(),
            },
        }
    }
}

/// Words, and what stands in apostrophes after a word and `=`: a text as it is, in which two apostrophes are one.
fn words(of: &str) -> Result<Vec<(&str, Option<String>)>, String> {
    let (mut out, mut rest) = (Vec::new(), of.trim_start());
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
        let Some((name, _)) = word.split_once("='") else {
            out.push((word, None));
            rest = after.trim_start();
            continue;
        };
        let (mut text, mut quoted) = (String::new(), rest[name.len() + 2..].chars());
        loop {
            match quoted.next() {
                Some('\'') if quoted.as_str().starts_with('\'') => text.extend(quoted.next()),
                Some('\'') => break,
                Some(c) => text.push(c),
                None => return Err(format!("{name}=' has no ' at its end; {FORMS}")),
            }
        }
        out.push((name, Some(text)));
        rest = quoted.as_str().trim_start();
    }
    Ok(out)
}

/// `LAYER name=value …`; without a layer the scene is meant. A value is a text in apostrophes, JSON, or else a text.
fn set(of: &str) -> Result<What, String> {
    let (mut layer, mut properties) = (None, BTreeMap::new());
    let (mut over, mut easing) = (Span::Time(MediaTime::ZERO), None);
    for (i, (word, text)) in words(of)?.into_iter().enumerate() {
        if let Some(text) = text {
            properties.insert(word.to_owned(), Value::String(text));
            continue;
        }
        let value = |v: &str| serde_json::from_str(v).unwrap_or_else(|_| Value::String(v.to_owned()));
        match word.split_once('=') {
            None if i == 0 => layer = Some(word.to_owned()),
            None => return Err(format!("\"{word}\" is no PROPERTY=VALUE; {FORMS}")),
            Some(("over", v)) => over = Span::parse(v).ok_or_else(|| format!("\"{v}\" is no length; {FORMS}"))?,
            Some(("easing", v)) => easing = Some(value(v)),
            Some((name, v)) => {
                properties.insert(name.to_owned(), value(v));
            }
        }
    }
    if properties.is_empty() {
        return Err(format!("\"set\" needs a PROPERTY=VALUE; {FORMS}"));
    }
    Ok(What::Set { layer, properties, over, easing })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_typed() {
        let read = |t: &str| Told::parse(t).unwrap().action(FrameRate::FPS_30);
        assert_eq!(Told::parse("45f next").unwrap().at, Span::Frames(45));
        assert_eq!(read("2s next"), OverlayAction::Next);
        assert_eq!(read("2s go 15f"), OverlayAction::GoTo(FrameRate::FPS_30.time_of(15)));
        assert_eq!(read("2 marker half time"), OverlayAction::Event(OverlayEvent::marker("half time")));
        let OverlayAction::Set { layer, properties, over, easing } =
            read("1s set logo position=[40,60] color=#FF0000 scale=null over=1.5s easing=easeOutCubic")
        else {
            panic!("no set")
        };
        assert_eq!(
            (layer.as_deref(), over.nanos(), easing),
            (Some("logo"), 1_500_000_000, Some("easeOutCubic".into()))
        );
        assert_eq!(properties["position"], serde_json::json!([40, 60]));
        assert_eq!((&properties["color"], &properties["scale"]), (&"#FF0000".into(), &Value::Null));
        let OverlayAction::Set { properties, .. } =
            read("1s set line text='It''s 3 o''clock, {{name}}' value=7 color='#FF0000'")
        else {
            panic!("no set")
        };
        assert_eq!(properties["text"], "It's 3 o'clock, {{name}}");
        assert_eq!((&properties["value"], &properties["color"]), (&7.into(), &"#FF0000".into()));
        let OverlayAction::Set { layer: None, .. } = read("1s set opacity=0.5") else { panic!("the scene is meant") };
        for bad in [
            "",
            "next",
            "2s",
            "2s dance",
            "2s next x",
            "2s step",
            "2s go soon",
            "2s token x",
            "2s set logo",
            "2s set a b=1 c",
            "2s set a text='no end",
        ] {
            let said = Told::parse(bad).unwrap_err();
            assert!(said.contains("2s next"), "{bad}: {said}");
        }
    }
}
