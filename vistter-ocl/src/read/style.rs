//! Styles: named bundles of properties that layers refer to.
//!
//! A style is no object of its own kind: its fields are read as if they stood in the layer, and so get the same faults,
//! at the place where they stand. A field is known when one of the layers that refer to the style knows it.

use std::cell::RefCell;
use std::collections::BTreeSet;

use vistter_core::diagnose::Diagnostic;

use super::document::Names;
use super::scalar;
use super::walk::{Faults, Node, Object};
use crate::limits::MAX_STYLES;

/// A style, and what its users know.
pub(super) struct Style<'v> {
    name: &'v str,
    node: Node<'v>,
    used: RefCell<Option<BTreeSet<&'static str>>>,
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
        for own in OWN.into_iter().filter(|own| map.contains_key(*own)) {
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
pub(super) fn lay<'v>(o: &mut Object<'v, '_>, names: &Names<'v>) {
    for style in named(o, names, true) {
        o.lay_under(style.node.clone());
    }
}

/// Notes what a layer knows of the styles it names.
pub(super) fn note<'v>(o: &Object<'v, '_>, names: &Names<'v>) {
    for style in named(o, names, false) {
        style.used.borrow_mut().get_or_insert_default().extend(o.known());
    }
}

fn named<'n, 'v>(o: &Object<'v, '_>, names: &'n Names<'v>, say: bool) -> Vec<&'n Style<'v>> {
    let Some(field) = o.field("style") else { return Vec::new() };
    let list = match field.value.is_array() {
        true => field.array(o.faults, MAX_STYLES).unwrap_or_default(),
        false => vec![field],
    };
    let find = |n: &Node<'v>| {
        let name = scalar::text(n, o.faults, 256)?;
        let found = names.styles.iter().find(|s| s.name == name);
        if found.is_none() && say {
            let text = format!("unknown style \"{name}\"");
            let d = Diagnostic::error("OCL-UNKNOWN-STYLE", n.pointer.clone(), text);
            o.faults.push(match names.styles.is_empty() {
                true => d.help("write it under \"styles\" of the document"),
                false => d.suggest(&name, names.styles.iter().map(|s| s.name)),
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
        let Some(known) = used.as_ref() else {
            let d = Diagnostic::warning(
                "OCL-UNUSED",
                style.node.pointer.clone(),
                format!("no layer uses the style \"{}\"", style.name),
            );
            faults.push(d.help("its values have not been checked"));
            continue;
        };
        let keys = style.node.value.as_object().into_iter().flat_map(|m| m.keys());
        for key in keys.filter(|k| !known.contains(k.as_str()) && !k.starts_with("x-") && !OWN.contains(&k.as_str())) {
            let at = format!("{}/{}", style.node.pointer, key.replace('~', "~0").replace('/', "~1"));
            let known = known.iter().copied().filter(|k| !OWN.contains(k));
            faults.unknown("OCL-UNKNOWN-FIELD", &at, "field", key, known);
        }
    }
}
