//! Properties that are changed while the scene plays.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use vistter_core::diagnose::{Diagnostic, Json, Severity};

use super::automation;
use super::pointer::Pointer;
use super::walk::{Faults, Node};
use crate::aim::{Change, Property};
use crate::locale::Locale;

/// What new values may refer to: the tokens that a text may name, and the language of its numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Words<'a> {
    pub(crate) tokens: &'a [&'a str],
    pub(crate) locale: Locale,
}

/// Reads new values of properties, each as the value of a keyframe; null is what the document says. `has` says which
/// properties there are to change.
///
/// # Errors
/// Everything that is wrong with them.
pub(crate) fn read(
    properties: &BTreeMap<String, Value>,
    easing: Option<&Value>,
    words: Words<'_>,
    has: impl Fn(Property) -> bool,
) -> Result<Change, Vec<Diagnostic>> {
    let faults = Faults::default();
    faults.strict.set(true);
    faults.locale.set(words.locale);
    let mut change = Change::default();
    if let Some(e) = easing {
        let json = Json::from(e);
        let node = Node { value: &json, pointer: Pointer::path("/easing") };
        // a list is one for each number of a value, and read with each
        if !e.is_array() {
            change.easing = automation::easing(&node, &faults).unwrap_or_default();
        }
    }
    let mut keyed = Map::new();
    for (name, value) in properties {
        match (Property::parse(name), value) {
            (Some(p), _) if !has(p) => {
                let text = format!("there is no \"{name}\" here that could be changed");
                let names = Property::ALL.iter().zip(Property::NAMES).filter(|(p, _)| has(**p)).map(|(_, n)| n);
                let help = format!("one of: {}", names.collect::<Vec<_>>().join(", "));
                faults.push(Diagnostic::error("OCL-CONFLICT", format!("/properties/{name}"), text).help(help));
            }
            (Some(p), Value::Null) => change.back.push(p),
            (None, Value::Null) => {
                let d = Diagnostic::error(
                    "OCL-UNKNOWN-FIELD",
                    format!("/properties/{name}"),
                    format!("no property \"{name}\""),
                );
                faults.push(d.suggest(name, Property::NAMES));
            }
            (_, value) => {
                let mut key = json!({ "at": 0, "value": value });
                // a text is there at once, whatever way the others take
                if let (Some(e), Some(k), true) = (easing, key.as_object_mut(), name != "text") {
                    k.insert("easing".to_owned(), e.clone());
                }
                keyed.insert(name.clone(), json!([key]));
            }
        }
    }
    let keyed = Value::Object(keyed);
    let node = Node { value: &Json::from(&keyed), pointer: Pointer::path("/properties") };
    if let Some(to) = automation::of_layer(&node, &faults, words.tokens) {
        change.to = to;
    }
    let list = faults.take();
    if list.iter().all(|d| d.severity == Severity::Warning) {
        return Ok(change);
    }
    // where it was written: the keyframes are ours
    let place = |mut d: Diagnostic| {
        if let Some((head, rest)) = d.pointer.split_once("/0/") {
            let (what, deeper) = rest.split_once('/').map_or((rest, String::new()), |(w, d)| (w, format!("/{d}")));
            d.pointer = if what == "easing" { format!("/easing{deeper}") } else { format!("{head}{deeper}") };
        }
        d
    };
    let mut out: Vec<Diagnostic> = Vec::with_capacity(list.len());
    for d in list.into_iter().map(place) {
        if !out.contains(&d) {
            out.push(d);
        }
    }
    Err(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(properties: &Value, easing: Option<&Value>) -> Result<Change, Vec<(&'static str, String)>> {
        let map = properties.as_object().unwrap().clone().into_iter().collect();
        read(&map, easing, Words::default(), |p| p != Property::Radius)
            .map_err(|l| l.into_iter().map(|d| (d.code, d.pointer)).collect())
    }

    #[test]
    fn values_are_those_of_keyframes() {
        let c = read_all(&json!({ "opacity": 0.5, "position": [1, 2], "scale": null }), Some(&json!("easeOutCubic")))
            .unwrap();
        assert_eq!((c.to.opacity.keys[0].value, c.to.position.keys[0].value), (0.5, [1.0, 2.0]));
        assert_eq!(c.back, [Property::Scale]);
        assert!(c.to.scale.keys.is_empty() && c.easing != crate::model::Easing::Linear);
    }
    #[test]
    fn faults_stand_where_they_were_written() {
        let bad = json!({ "opacity": 2, "position": [1], "radius": 3, "colour": "#FFFFFF", "nothing": null });
        let list = read_all(&bad, Some(&json!("easeSlowly"))).unwrap_err();
        for (code, at) in [
            ("OCL-RANGE", "/properties/opacity"),
            ("OCL-TYPE", "/properties/position"),
            ("OCL-CONFLICT", "/properties/radius"),
            ("OCL-UNKNOWN-FIELD", "/properties/colour"),
            ("OCL-UNKNOWN-FIELD", "/properties/nothing"),
        ] {
            assert!(list.contains(&(code, at.to_owned())), "{at}: {list:?}");
        }
        assert_eq!(list.iter().filter(|(_, at)| at == "/easing").count(), 1, "{list:?}");
    }
}
