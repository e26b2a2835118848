//! A cursor over a JSON value that collects faults and goes on.

use std::cell::{Cell, RefCell};

use serde_json::{Map, Value};
use vistter_core::diagnose::Diagnostic;
use vistter_core::time::FrameRate;

/// Faults found so far.
#[derive(Default)]
pub(super) struct Faults {
    list: RefCell<Vec<Diagnostic>>,
    /// The document asks for a later minor version: names we do not know are its news, not slips.
    pub(super) newer: Cell<bool>,
    /// What the document's timecodes count in, when it says so: times are read all over the document.
    pub(super) rate: Cell<Option<FrameRate>>,
}

/// More than this many faults help nobody; the rest is not recorded.
const MAX_FAULTS: usize = 200;

impl Faults {
    pub(super) fn push(&self, d: Diagnostic) {
        let mut list = self.list.borrow_mut();
        if list.len() < MAX_FAULTS {
            list.push(d);
        }
    }
    /// None yet, about the same document.
    pub(super) fn like(other: &Self) -> Self {
        let new = Self::default();
        new.newer.set(other.newer.get());
        new.rate.set(other.rate.get());
        new
    }
    /// Whether this is known.
    pub(super) fn has(&self, code: &str, pointer: &str) -> bool {
        self.list.borrow().iter().any(|d| d.code == code && d.pointer == pointer)
    }
    pub(super) fn take(self) -> Vec<Diagnostic> {
        self.list.into_inner()
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
        let d = if self.newer.get() {
            Diagnostic::warning(code, pointer, format!("unknown {what} \"{name}\" is left out"))
        } else {
            Diagnostic::error(code, pointer, format!("unknown {what} \"{name}\""))
        };
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

/// An object with fixed fields. Ask for each field, then call [`Object::finish`].
pub(super) struct Object<'v, 'f> {
    pub(super) node: Node<'v>,
    pub(super) faults: &'f Faults,
    map: &'v Map<String, Value>,
    known: RefCell<Vec<&'static str>>,
    elsewhere: RefCell<Vec<(&'static str, &'static str)>>,
    broken: Cell<bool>,
}

impl<'v> Object<'v, '_> {
    /// The field, if it is there.
    pub(super) fn field(&self, name: &'static str) -> Option<Node<'v>> {
        self.known.borrow_mut().push(name);
        self.map.get(name).map(|v| self.node.child(name, v))
    }
    /// A field that may be absent; a faulty one reads as absent, and [`Object::finish`] says so.
    pub(super) fn optional<T>(&self, name: &'static str, read: impl Fn(&Node<'v>, &Faults) -> Option<T>) -> Option<T> {
        let node = self.field(name)?;
        let got = read(&node, self.faults);
        if got.is_none() {
            self.broken.set(true);
        }
        got
    }
    /// A field that must be there.
    pub(super) fn required<T>(&self, name: &'static str, read: impl Fn(&Node<'v>, &Faults) -> Option<T>) -> Option<T> {
        if !self.map.contains_key(name) {
            self.known.borrow_mut().push(name);
            self.broken.set(true);
            self.node.fault(self.faults, "OCL-MISSING", format!("the field \"{name}\" is missing"));
            return None;
        }
        self.optional(name, read)
    }
    /// Names fields that people look for here and that stand elsewhere, and what to write.
    pub(super) fn elsewhere(&self, fields: &[(&'static str, &'static str)]) {
        self.elsewhere.borrow_mut().extend(fields);
    }
    /// Records unknown fields. `None` when the object cannot be used.
    pub(super) fn finish(&self) -> Option<()> {
        let known = self.known.borrow();
        for key in self.map.keys() {
            if known.contains(&key.as_str()) || key.starts_with("x-") {
                continue;
            }
            let at = self.node.child(key, &Value::Null).pointer;
            if let Some((_, help)) = self.elsewhere.borrow().iter().find(|(name, _)| name == key)
                && !self.faults.newer.get()
            {
                let d = Diagnostic::error("OCL-UNKNOWN-FIELD", at, format!("unknown field \"{key}\""));
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
