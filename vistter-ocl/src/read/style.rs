//! Styles: named bundles of properties that layers refer to.
//!
//! A style is no object of its own kind: its fields are read as if they stood in the layer, and so get the same faults,
//! at the place where they stand. A field is known when one of the layers that refer to the style knows it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use vistter_core::diagnose::Diagnostic;

use super::document::Names;
use super::pointer::Pointer;
use super::scalar;
use super::walk::{Faults, Node, Object};
use crate::limits::MAX_STYLES;

/// A style, and what its users know.
pub(super) struct Style<'v> {
    name: &'v str,
    node: Node<'v>,
    used: RefCell<Option<Used>>,
}

/// What the layers that refer to a style know.
#[derive(Default)]
struct Used {
    known: BTreeSet<&'static str>,
    /// What the last one asked for: layers of one kind ask for the same, and need not be counted again.
    last: Vec<&'static str>,
}

impl Used {
    fn add(&mut self, names: &[&'static str]) {
        if self.last != names {
            self.known.extend(names);
            self.last.clear();
            self.last.extend(names);
        }
    }
}

/// Fields that belong to one layer and not to a bundle.
const OWN: [&str; 4] = ["id", "type", "style", "layers"];

/// The styles of a document.
pub(super) fn read<'v>(n: &Node<'v>, f: &Faults) -> Option<Vec<Style<'v>>> {
    let mut out = Vec::new();
    for (name, node) in n.entries(f, MAX_STYLES)? {
        if let Some(why) = scalar::name_fault(name) {
            node.fault(f, "OCL-NAME", why);
        }
        let Some(map) = node.value.as_object() else {
            node.wrong_type(f, "an object");
            continue;
        };
        for own in OWN.into_iter().filter(|own| map.contains_key(own)) {
            let d = Diagnostic::error(
                "OCL-CONFLICT",
                format!("{}/{own}", node.pointer),
                format!("a style has no \"{own}\""),
            );
            f.push(d.help("write it in the layer"));
        }
        out.push(Style { name, node, used: RefCell::new(None) });
    }
    Some(out)
}

/// Lays the styles a layer names under it; of two the later one wins.
pub(super) fn lay<'n, 'v>(o: &mut Object<'v, '_>, names: &'n Names<'v>) -> Vec<&'n Style<'v>> {
    let styles = named(o, names);
    styles.iter().for_each(|style| o.lay_under(&style.node));
    styles
}

/// Notes what a layer knows of the styles that were laid under it.
pub(super) fn note(o: &Object<'_, '_>, styles: &[&Style<'_>]) {
    for style in styles {
        style.used.borrow_mut().get_or_insert_default().add(&o.known());
    }
}

fn named<'n, 'v>(o: &Object<'v, '_>, names: &'n Names<'v>) -> Vec<&'n Style<'v>> {
    let Some(field) = o.field("style") else { return Vec::new() };
    let list = match field.value.is_array() {
        true => field.array(o.faults, MAX_STYLES).unwrap_or_default(),
        false => vec![field],
    };
    let find = |n: &Node<'v>| {
        let name = scalar::words(n, o.faults, 256)?;
        let found = names.styles.iter().find(|s| s.name == name);
        if found.is_none() {
            let text = format!("unknown style \"{name}\"");
            let d = Diagnostic::error("OCL-UNKNOWN-STYLE", n.pointer.clone(), text);
            o.faults.push(match names.styles.is_empty() {
                true => d.help("write it under \"styles\" of the document"),
                false => d.suggest(name, names.styles.iter().map(|s| s.name)),
            });
        }
        found
    };
    list.iter().filter_map(find).collect()
}

/// Records what nobody knows, and styles nobody uses.
pub(super) fn finish(names: &Names<'_>, faults: &Faults) {
    for style in &names.styles {
        let used = style.used.borrow();
        let Some(Used { known, .. }) = used.as_ref() else {
            let d = Diagnostic::warning(
                "OCL-UNUSED",
                style.node.pointer.clone(),
                format!("no layer uses the style \"{}\"", style.name),
            );
            faults.push(d.help("its values have not been checked"));
            continue;
        };
        let here = Rc::new(style.node.pointer.clone());
        let keys = style.node.value.as_object().into_iter().flat_map(|m| m.keys());
        for key in keys.filter(|k| !known.contains(k) && !k.starts_with("x-") && !OWN.contains(k)) {
            let at = Pointer::key(&here, key);
            let known = known.iter().copied().filter(|k| !OWN.contains(k));
            faults.unknown("OCL-UNKNOWN-FIELD", &at, "field", key, known);
        }
    }
}
