//! What a scene is on canvases of another shape: changes to it, laid over it before it is read again.

use serde_json::{Map, Value};
use vistter_core::diagnose::{Diagnostic, Json};

use super::document::{self, Names};
use super::pointer::escape;
use super::scene;
use super::walk::{Faults, Node, Object};
use crate::limits::{MAX_ASPECT, MAX_VARIANTS};
use crate::model::Variant;

/// The variants of a scene.
pub(super) fn read(scene: &Object<'_, '_>, names: &Names<'_>) -> Vec<Variant> {
    let read = scene.optional("variants", |n, f| {
        let list = n.entries(f, MAX_VARIANTS)?;
        let read: Vec<_> = list.iter().filter_map(|(shape, v)| one(shape, v, f, &scene.node, names)).collect();
        (read.len() == list.len()).then_some(read)
    });
    read.unwrap_or_default()
}

fn one(shape: &str, n: &Node<'_>, f: &Faults, scene: &Node<'_>, names: &Names<'_>) -> Option<Variant> {
    let aspect = aspect(shape);
    if aspect.is_none() {
        let help = "write width and height as whole numbers, such as \"9:16\"";
        n.fault_help(f, "OCL-RANGE", format!("\"{shape}\" is not the shape of a canvas"), help);
    }
    let o = n.object(f)?;
    let base = o.optional("canvas", document::canvas);
    let (written, given) = (scene.value.to_value(), n.value.to_value());
    let mut whole = written.as_object()?.clone();
    whole.remove("variants");
    for name in ["in", "out", "automation"] {
        match o.field(name).map(|n| n.value.to_value()) {
            Some(Value::Null) => drop(whole.remove(name)),
            Some(v) => drop(whole.insert(name.to_owned(), v)),
            None => {}
        }
    }
    if let Some(layers) = o.field("layers") {
        match (&layers.value.to_value(), whole.get_mut("layers")) {
            (Value::Object(changes), Some(list)) => change(list, changes, &layers.pointer.to_string(), f),
            (Value::Object(_), None) => {}
            _ => layers.wrong_type(f, "an object with changes of layers, by id"),
        }
    }
    o.finish()?;
    let whole = Value::Object(whole);
    let own = Faults::like(f);
    let read = scene::read_one(&Node { value: &Json::from(&whole), pointer: scene.pointer.clone() }, &own, names);
    let mut found = own.take();
    // What is wrong with the scene itself is said once, there; its unknown fields are found when all of it is read.
    let unknown = |d: &Diagnostic| d.code == "OCL-UNKNOWN-FIELD" && below(d, scene).count() == 1;
    found.retain(|d| !unknown(d) && !f.has(d.code, &base_pointer(d, &whole, scene, &written)));
    let sound = found.iter().all(|d| d.severity != vistter_core::diagnose::Severity::Error);
    for d in found {
        let pointer = place(&d, &whole, scene, n, &given);
        f.push(Diagnostic { pointer, ..d });
    }
    let (aspect, scene) = (aspect?, read?);
    sound.then_some(Variant { aspect, base, scene })
}

/// `"16:9"`.
fn aspect(s: &str) -> Option<(u32, u32)> {
    let (w, h) = s.split_once(':')?;
    let side = |s: &str| s.parse::<u32>().ok().filter(|v| (1..=MAX_ASPECT).contains(v) && !s.starts_with('+'));
    Some((side(w)?, side(h)?))
}

/// Changes layers of a list by their ids; `null` takes one away.
fn change(list: &mut Value, changes: &Map<String, Value>, at: &str, f: &Faults) {
    let Value::Array(list) = list else { return };
    for (id, changed) in changes {
        let at = format!("{at}/{}", escape(id));
        let Some(i) = list.iter().position(|l| l.get("id").and_then(Value::as_str) == Some(id)) else {
            let d = Diagnostic::error("OCL-UNKNOWN-VALUE", at, format!("the scene has no layer \"{id}\" here"));
            f.push(d.suggest(id, list.iter().filter_map(|l| l.get("id")?.as_str())));
            continue;
        };
        match (changed, list.get_mut(i)) {
            (Value::Null, _) => drop(list.remove(i)),
            (Value::Object(c), Some(layer)) => {
                if c.contains_key("id") {
                    let d = Diagnostic::error("OCL-CONFLICT", format!("{at}/id"), "a layer keeps its id");
                    f.push(d.help("leave \"id\" out"));
                }
                merge(layer, c, &at, f);
            }
            _ => f.push(Diagnostic::error("OCL-TYPE", at, "expected an object with changes, or null")),
        }
    }
}

/// Lays changes over an object, as RFC 7396 does; the layers of a group are changed by their ids.
fn merge(target: &mut Value, changes: &Map<String, Value>, at: &str, f: &Faults) {
    let Value::Object(fields) = target else { return };
    for (name, new) in changes.iter().filter(|(name, _)| *name != "id") {
        match (new, fields.get_mut(name)) {
            (Value::Null, _) => drop(fields.remove(name)),
            (Value::Object(c), Some(list @ Value::Array(_))) if name == "layers" => {
                change(list, c, &format!("{at}/layers"), f);
            }
            (Value::Object(c), Some(old @ Value::Object(_))) => merge(old, c, &format!("{at}/{name}"), f),
            _ => drop(fields.insert(name.clone(), new.clone())),
        }
    }
}

/// The segments of a pointer below the scene.
fn below<'d>(d: &'d Diagnostic, scene: &Node<'_>) -> impl Iterator<Item = &'d str> + use<'d> {
    d.pointer.strip_prefix(scene.pointer.to_string().as_str()).unwrap_or_default().split('/').skip(1)
}

fn step<'v>(v: &'v Value, segment: &str) -> Option<&'v Value> {
    v.pointer(&format!("/{segment}"))
}

/// Where a fault of a changed scene stands in the variant: as near as the variant goes.
fn place(d: &Diagnostic, whole: &Value, scene: &Node<'_>, variant: &Node<'_>, given: &Value) -> String {
    let (mut at, mut here, mut there) = (variant.pointer.to_string(), Some(whole), given);
    for segment in below(d, scene) {
        let list = here.is_some_and(Value::is_array);
        here = here.and_then(|v| step(v, segment));
        // what is a list in the scene is an object by id in the variant
        let id = here.and_then(|l| l.get("id")).and_then(Value::as_str);
        let key = match id {
            Some(id) if list && there.is_object() => id,
            _ => segment,
        };
        let Some(next) = step(there, key) else { break };
        at = format!("{at}/{key}");
        there = next;
    }
    at
}

/// Where the same fault stands in the scene itself.
fn base_pointer(d: &Diagnostic, whole: &Value, scene: &Node<'_>, written: &Value) -> String {
    let (mut at, mut here, mut there) = (scene.pointer.to_string(), Some(whole), Some(written));
    for segment in below(d, scene) {
        here = here.and_then(|v| step(v, segment));
        let id = here.and_then(|l| l.get("id"));
        // a layer that was taken away has moved those behind it
        let moved =
            there.and_then(Value::as_array).and_then(|l| l.iter().position(|l| id.is_some() && l.get("id") == id));
        let key = moved.map_or_else(|| segment.to_owned(), |i| i.to_string());
        there = there.and_then(|v| step(v, &key));
        at = format!("{at}/{key}");
    }
    at
}
