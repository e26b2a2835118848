//! A cursor over a JSON value that collects faults and goes on.

use std::cell::{Cell, Ref, RefCell};
use std::rc::Rc;

use vistter_core::diagnose::{Diagnostic, Json, Members, Severity};
use vistter_core::time::FrameRate;

use super::pointer::Pointer;
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
    pub(super) fn left_out(&self, code: &'static str, pointer: impl Into<String>, message: String) -> Diagnostic {
        match self.strict.get() {
            true => Diagnostic::error(code, pointer, message),
            false => Diagnostic::warning(code, pointer, format!("{message} is left out")),
        }
    }
    /// A name this version does not know: a slip, or news from a later version.
    pub(super) fn unknown<'n>(
        &self,
        code: &'static str,
        pointer: impl Into<String>,
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
    pub(super) value: &'v Json<'v>,
    pub(super) pointer: Pointer<'v>,
}

impl<'v> Node<'v> {
    pub(super) fn root(value: &'v Json<'v>) -> Self {
        Self { value, pointer: Pointer::default() }
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
        match Fields::of(self) {
            Some(own) => Some(Object {
                node: self.clone(),
                marks: own.marks,
                own,
                given: Vec::new(),
                over: None,
                under: Vec::new(),
                known: RefCell::new(Vec::with_capacity(NAMES)),
                elsewhere: RefCell::new(Vec::new()),
                broken: Cell::new(false),
                faults,
            }),
            None => {
                self.wrong_type(faults, "an object");
                None
            }
        }
    }
    /// As an array of at most `max` elements.
    pub(super) fn array(&self, faults: &Faults, max: usize) -> Option<Vec<Node<'v>>> {
        let Json::Array(list) = self.value else {
            self.wrong_type(faults, "an array");
            return None;
        };
        if list.len() > max {
            self.fault(faults, "OCL-LIMIT", format!("{} elements; at most {max} are allowed", list.len()));
        }
        let here = Rc::new(self.pointer.clone());
        let node = |(i, value)| Node { value, pointer: Pointer::index(&here, i) };
        Some(list.iter().take(max).enumerate().map(node).collect())
    }
    /// As an object whose keys are names that the document gives; at most `max`.
    pub(super) fn entries(&self, faults: &Faults, max: usize) -> Option<Vec<(&'v str, Node<'v>)>> {
        let Json::Object(map) = self.value else {
            self.wrong_type(faults, "an object");
            return None;
        };
        if map.len() > max {
            self.fault(faults, "OCL-LIMIT", format!("{} entries; at most {max} are allowed", map.len()));
        }
        let fields = Fields::new(map, &self.pointer);
        Some(map.iter().take(max).map(|(k, v)| (k, fields.node(k, v))).collect())
    }
}

/// The fields of an object, and where they stand.
struct Fields<'v> {
    map: &'v Members<'v>,
    here: Rc<Pointer<'v>>,
    /// The marks of its names.
    marks: u64,
}

/// One bit for a name; others may have the same.
fn mark(name: &str) -> u64 {
    let ends =
        name.bytes().next().zip(name.bytes().next_back()).map_or(0, |(a, z)| usize::from(a) + 5 * usize::from(z));
    1 << ((ends + 11 * name.len()) % 64)
}

impl<'v> Fields<'v> {
    fn new(map: &'v Members<'v>, pointer: &Pointer<'v>) -> Self {
        Self { map, here: Rc::new(pointer.clone()), marks: map.keys().fold(0, |all, key| all | mark(key)) }
    }
    /// Of a node that is an object.
    fn of(node: &Node<'v>) -> Option<Self> {
        Some(Self::new(node.value.as_object()?, &node.pointer))
    }
    fn node(&self, key: &'v str, value: &'v Json<'v>) -> Node<'v> {
        Node { value, pointer: Pointer::key(&self.here, key) }
    }
    /// The value of a name that has this mark.
    fn get(&self, name: &str, mark: u64) -> Option<&'v Json<'v>> {
        if self.marks & mark == 0 { None } else { self.map.get(name) }
    }
}

/// Names that most objects are asked for.
const NAMES: usize = 40;

/// Fields that stand for each other: the one that is nearer wins.
const INSTEAD: [(&str, &str); 2] = [("color", "gradient"), ("gradient", "color")];

/// An object with fixed fields. Ask for each field, then call [`Object::finish`].
pub(super) struct Object<'v, 'f> {
    pub(super) node: Node<'v>,
    pub(super) faults: &'f Faults,
    own: Fields<'v>,
    /// Fields that stand elsewhere under another name, and win.
    given: Vec<(&'static str, Node<'v>)>,
    /// An object whose fields win over its own, and are reported like its own.
    over: Option<Fields<'v>>,
    /// Objects whose fields count where there is no other; the last one first. Those nobody knows are left alone.
    under: Vec<Fields<'v>>,
    /// The marks of all these names. A layer is asked for some forty fields and has six: most answers are no, and quick.
    marks: u64,
    known: RefCell<Vec<&'static str>>,
    elsewhere: RefCell<Vec<(&'static str, &'static str)>>,
    broken: Cell<bool>,
}

impl<'v> Object<'v, '_> {
    /// Gives a field that stands elsewhere.
    pub(super) fn give(&mut self, name: &'static str, node: Node<'v>) {
        self.marks |= mark(name);
        self.given.push((name, node));
    }
    /// Lays an object over this one: its fields win.
    pub(super) fn lay_over(&mut self, node: Node<'v>) {
        self.over = Fields::of(&node);
        self.marks |= self.over.as_ref().map_or(0, |fields| fields.marks);
    }
    /// Lays an object under this one, and over those that were laid under it before.
    pub(super) fn lay_under(&mut self, node: &Node<'v>) {
        let fields = Fields::of(node);
        self.marks |= fields.as_ref().map_or(0, |fields| fields.marks);
        self.under.extend(fields);
    }
    /// The field, if it is there.
    pub(super) fn field(&self, name: &'static str) -> Option<Node<'v>> {
        self.known.borrow_mut().push(name);
        self.find(name)
    }
    /// Whether the field is there.
    pub(super) fn has(&self, name: &'static str) -> bool {
        self.find(name).is_some()
    }
    /// The names it was asked for so far, in that order, some more than once.
    pub(super) fn known(&self) -> Ref<'_, [&'static str]> {
        Ref::map(self.known.borrow(), Vec::as_slice)
    }
    /// The field, if it is there; it need not be one of this object's.
    pub(super) fn find(&self, name: &'static str) -> Option<Node<'v>> {
        let marked = mark(name);
        if self.marks & marked == 0 {
            return None;
        }
        if let Some((_, node)) = self.given.iter().find(|(n, _)| *n == name) {
            return Some(node.clone());
        }
        let instead = INSTEAD.iter().find(|(a, _)| *a == name).map(|(_, b)| *b);
        for fields in self.over.iter().chain([&self.own]).chain(self.under.iter().rev()) {
            if let Some(v) = fields.get(name, marked) {
                return Some(fields.node(name, v));
            }
            // A gradient takes the place of a colour from further below, and the other way round.
            if instead.is_some_and(|other| fields.map.contains_key(other)) {
                return None;
            }
        }
        None
    }
    /// A field that may be absent; a faulty one reads as absent, and [`Object::finish`] says so.
    pub(super) fn optional<T>(&self, name: &'static str, read: impl Fn(&Node<'v>, &Faults) -> Option<T>) -> Option<T> {
        self.read(&self.field(name)?, read)
    }
    /// A field that must be there.
    pub(super) fn required<T>(&self, name: &'static str, read: impl Fn(&Node<'v>, &Faults) -> Option<T>) -> Option<T> {
        let Some(node) = self.field(name) else {
            self.broken.set(true);
            self.node.fault(self.faults, "OCL-MISSING", format!("the field \"{name}\" is missing"));
            return None;
        };
        let got = self.read(&node, read);
        if got.is_none() {
            self.broken.set(true);
        }
        got
    }
    fn read<T>(&self, node: &Node<'v>, read: impl Fn(&Node<'v>, &Faults) -> Option<T>) -> Option<T> {
        let errors = self.faults.errors.get();
        let got = read(node, self.faults);
        // What was left out with a warning only is as if it were not there.
        if got.is_none() && self.faults.errors.get() > errors {
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
        for fields in [&self.own].into_iter().chain(&self.over) {
            for (key, value) in fields.map.iter() {
                if !known.contains(&key) && !key.starts_with("x-") {
                    self.unknown(&fields.node(key, value), key, &known);
                }
            }
        }
        (!self.broken.get()).then_some(())
    }
    /// Records a field that nobody asked for.
    fn unknown(&self, field: &Node<'v>, key: &str, known: &[&'static str]) {
        let (f, at) = (self.faults, &field.pointer);
        if let Some((_, help)) = self.elsewhere.borrow().iter().find(|(name, _)| *name == key)
            && !f.newer.get()
        {
            let d = f.left_out("OCL-UNKNOWN-FIELD", at, format!("unknown field \"{key}\""));
            return f.push(d.help(*help));
        }
        let once = known.iter().enumerate().filter(|(i, name)| !known[..*i].contains(name)).map(|(_, name)| *name);
        f.unknown("OCL-UNKNOWN-FIELD", at, "field", key, once);
    }
}

/// What a person calls the type of a value.
fn kind_of(v: &Json<'_>) -> String {
    match v {
        Json::Null => "null".to_owned(),
        Json::Bool(b) => format!("{b}"),
        Json::Number(n) => format!("the number {n}"),
        Json::String(s) if s.chars().count() <= 40 => format!("the string \"{s}\""),
        Json::String(_) => "a string".to_owned(),
        Json::Array(_) => "an array".to_owned(),
        Json::Object(_) => "an object".to_owned(),
    }
}
