//! A cursor over a JSON value that collects faults and goes on.

use std::cell::{Cell, RefCell};

use serde_json::{Map, Value};
use vistter_core::diagnose::{Diagnostic, Severity};
use vistter_core::time::FrameRate;

use crate::locale::Locale;

/// Faults found so far.
#[derive(Default)]
pub(super) struct Faults {
    list: RefCell<Vec<Diagnostic>>,
    /// The document asks for a later minor version: names we do not know are its news, not slips.
    pub(super) newer: Cell<bool>,
    /// The document asks that nothing in it be left out.
    pub(super) strict: Cell<bool>,
    errors: Cell<usize>,
    /// What the document's timecodes count in, when it says so: times are read all over the document.
    pub(super) rate: Cell<Option<FrameRate>>,
    /// The language in which it writes numbers and dates.
    pub(super) locale: Cell<Locale>,
}

/// More than this many faults help nobody; the rest is not recorded.
const MAX_FAULTS: usize = 200;

impl Faults {
    pub(super) fn push(&self, d: Diagnostic) {
        let mut list = self.list.borrow_mut();
        // A style is read once for each layer that refers to it; its faults are said once.
        if list.contains(&d) {
            return;
        }
        self.errors.set(self.errors.get() + usize::from(d.severity == Severity::Error));
        if list.len() < MAX_FAULTS {
            list.push(d);
        } else if d.severity == Severity::Error
            && let Some(last) = list.last_mut()
        {
            // a list full of warnings must not hide that there is an error
            *last = d;
        }
    }
    /// None yet, about the same document.
    pub(super) fn like(other: &Self) -> Self {
        let new = Self::default();
        new.newer.set(other.newer.get());
        new.rate.set(other.rate.get());
        new.locale.set(other.locale.get());
        new
    }
    /// Whether this is known.
    pub(super) fn has(&self, code: &str, pointer: &str) -> bool {
        self.list.borrow().iter().any(|d| d.code == code && d.pointer == pointer)
    }
    pub(super) fn take(self) -> Vec<Diagnostic> {
        self.list.into_inner()
    }
    /// A finding about something that is left out: an error only when the document says so.
    pub(super) fn left_out(&self, code: &'static str, pointer: &str, message: String) -> Diagnostic {
        match self.strict.get() {
            true => Diagnostic::error(code, pointer, message),
            false => Diagnostic::warning(code, pointer, format!("{message} is left out")),
        }
    }
    /// A name this version does not know: a slip, or news from a later version.
    pub(super) fn unknown<'n>(
        &self,
        code: &'static str,
        pointer: &str,
        what: &str,
        name: &str,
        known: impl IntoIterator<Item = &'n str>,
    ) {
        let d = self.left_out(code, pointer, format!("unknown {what} \"{name}\""));
        self.push(d.suggest(name, known));
    }
}

/// A value and where it stands.
#[derive(Clone)]
pub(super) struct Node<'v> {
    pub(super) value: &'v Value,
    pub(super) pointer: String,
}

impl<'v> Node<'v> {
    pub(super) fn root(value: &'v Value) -> Self {
        Self { value, pointer: String::new() }
    }
    fn child(&self, key: &str, value: &'v Value) -> Self {
        let key = key.replace('~', "~0").replace('/', "~1");
        Node { value, pointer: format!("{}/{key}", self.pointer) }
    }
    /// Records a fault here.
    pub(super) fn fault(&self, faults: &Faults, code: &'static str, message: impl Into<String>) {
        faults.push(Diagnostic::error(code, self.pointer.clone(), message));
    }
    /// Records a fault here, with what to write instead.
    pub(super) fn fault_help(
        &self,
        faults: &Faults,
        code: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        faults.push(Diagnostic::error(code, self.pointer.clone(), message).help(help));
    }
    /// Records that the value has the wrong type.
    pub(super) fn wrong_type(&self, faults: &Faults, expected: &str) {
        self.fault(faults, "OCL-TYPE", format!("expected {expected}, found {}", kind_of(self.value)));
    }
    /// As an object.
    pub(super) fn object<'f>(&self, faults: &'f Faults) -> Option<Object<'v, 'f>> {
        match self.value {
            Value::Object(map) => Some(Object {
                node: self.clone(),
                map,
                given: Vec::new(),
                over: None,
                under: Vec::new(),
                known: RefCell::new(Vec::new()),
                elsewhere: RefCell::new(Vec::new()),
                broken: Cell::new(false),
                faults,
            }),
            _ => {
                self.wrong_type(faults, "an object");
                None
            }
        }
    }
    /// As an array of at most `max` elements.
    pub(super) fn array(&self, faults: &Faults, max: usize) -> Option<Vec<Node<'v>>> {
        let Value::Array(list) = self.value else {
            self.wrong_type(faults, "an array");
            return None;
        };
        if list.len() > max {
            self.fault(faults, "OCL-LIMIT", format!("{} elements; at most {max} are allowed", list.len()));
        }
        let node = |(i, value)| Node { value, pointer: format!("{}/{i}", self.pointer) };
        Some(list.iter().take(max).enumerate().map(node).collect())
    }
    /// As an object whose keys are names that the document gives; at most `max`.
    pub(super) fn entries(&self, faults: &Faults, max: usize) -> Option<Vec<(&'v str, Node<'v>)>> {
        let Value::Object(map) = self.value else {
            self.wrong_type(faults, "an object");
            return None;
        };
        if map.len() > max {
            self.fault(faults, "OCL-LIMIT", format!("{} entries; at most {max} are allowed", map.len()));
        }
        Some(map.iter().take(max).map(|(k, v)| (k.as_str(), self.child(k, v))).collect())
    }
}

/// Fields that stand for each other: the one that is nearer wins.
const INSTEAD: [(&str, &str); 2] = [("color", "gradient"), ("gradient", "color")];

/// An object with fixed fields. Ask for each field, then call [`Object::finish`].
pub(super) struct Object<'v, 'f> {
    pub(super) node: Node<'v>,
    pub(super) faults: &'f Faults,
    map: &'v Map<String, Value>,
    /// Fields that stand elsewhere under another name, and win.
    given: Vec<(&'static str, Node<'v>)>,
    /// An object whose fields win over its own, and are reported like its own.
    over: Option<Node<'v>>,
    /// Objects whose fields count where there is no other; the last one first. Those nobody knows are left alone.
    under: Vec<Node<'v>>,
    known: RefCell<Vec<&'static str>>,
    elsewhere: RefCell<Vec<(&'static str, &'static str)>>,
    broken: Cell<bool>,
}

impl<'v> Object<'v, '_> {
    /// Gives a field that stands elsewhere.
    pub(super) fn give(&mut self, name: &'static str, node: Node<'v>) {
        self.given.push((name, node));
    }
    /// Lays an object over this one: its fields win.
    pub(super) fn lay_over(&mut self, node: Node<'v>) {
        self.over = Some(node);
    }
    /// Lays an object under this one, and over those that were laid under it before.
    pub(super) fn lay_under(&mut self, node: Node<'v>) {
        self.under.push(node);
    }
    /// The field, if it is there.
    pub(super) fn field(&self, name: &'static str) -> Option<Node<'v>> {
        let mut known = self.known.borrow_mut();
        if !known.contains(&name) {
            known.push(name);
        }
        self.find(name)
    }
    /// Whether the field is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }
    /// The names it was asked for so far.
    pub(super) fn known(&self) -> Vec<&'static str> {
        self.known.borrow().clone()
    }
    /// The field, if it is there; it need not be one of this object's.
    pub(super) fn find(&self, name: &str) -> Option<Node<'v>> {
        if let Some((_, node)) = self.given.iter().find(|(n, _)| *n == name) {
            return Some(node.clone());
        }
        let sources = self.over.iter().chain([&self.node]).chain(self.under.iter().rev());
        let mut out = false;
        for source in sources {
            if let Some(v) = source.value.get(name) {
                return (!out).then(|| source.child(name, v));
            }
            // A gradient takes the place of a colour from further below, and the other way round.
            out |= INSTEAD.iter().any(|(a, b)| *a == name && source.value.get(*b).is_some());
        }
        None
    }
    /// A field that may be absent; a faulty one reads as absent, and [`Object::finish`] says so.
    pub(super) fn optional<T>(&self, name: &'static str, read: impl Fn(&Node<'v>, &Faults) -> Option<T>) -> Option<T> {
        let node = self.field(name)?;
        let errors = self.faults.errors.get();
        let got = read(&node, self.faults);
        // What was left out with a warning only is as if it were not there.
        if got.is_none() && self.faults.errors.get() > errors {
            self.broken.set(true);
        }
        got
    }
    /// A field that must be there.
    pub(super) fn required<T>(&self, name: &'static str, read: impl Fn(&Node<'v>, &Faults) -> Option<T>) -> Option<T> {
        if !self.has(name) {
            self.known.borrow_mut().push(name);
            self.broken.set(true);
            self.node.fault(self.faults, "OCL-MISSING", format!("the field \"{name}\" is missing"));
            return None;
        }
        let got = self.optional(name, read);
        if got.is_none() {
            self.broken.set(true);
        }
        got
    }
    /// Names fields that people look for here and that stand elsewhere, and what to write.
    pub(super) fn elsewhere(&self, fields: &[(&'static str, &'static str)]) {
        self.elsewhere.borrow_mut().extend(fields);
    }
    /// Records unknown fields. `None` when the object cannot be used.
    pub(super) fn finish(&self) -> Option<()> {
        let known = self.known.borrow();
        let over = self.over.iter().filter_map(|n| Some((n, n.value.as_object()?)));
        let all = [(&self.node, self.map)].into_iter().chain(over).flat_map(|(n, map)| map.keys().map(move |k| (n, k)));
        for (node, key) in all {
            if known.contains(&key.as_str()) || key.starts_with("x-") {
                continue;
            }
            let at = node.child(key, &Value::Null).pointer;
            if let Some((_, help)) = self.elsewhere.borrow().iter().find(|(name, _)| name == key)
                && !self.faults.newer.get()
            {
                let d = self.faults.left_out("OCL-UNKNOWN-FIELD", &at, format!("unknown field \"{key}\""));
                self.faults.push(d.help(*help));
                continue;
            }
            self.faults.unknown("OCL-UNKNOWN-FIELD", &at, "field", key, known.iter().copied());
        }
        (!self.broken.get()).then_some(())
    }
}

/// What a person calls the type of a value.
fn kind_of(v: &Value) -> String {
    match v {
        Value::Null => "null".to_owned(),
        Value::Bool(b) => format!("{b}"),
        Value::Number(n) => format!("the number {n}"),
        Value::String(s) if s.chars().count() <= 40 => format!("the string \"{s}\""),
        Value::String(_) => "a string".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}
