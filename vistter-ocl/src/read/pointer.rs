//! Where a value stands in the document, written out only when there is something to say about it.

use std::fmt;
use std::rc::Rc;

/// An RFC 6901 pointer as a chain: what the value stands in, and the last step to it.
///
/// A good document needs no pointer at all, and each value of it is visited; so a step costs no text.
#[derive(Clone, Default)]
pub(super) struct Pointer<'v> {
    parent: Option<Rc<Self>>,
    step: Step<'v>,
}

#[derive(Clone, Copy)]
enum Step<'v> {
    Key(&'v str),
    Index(usize),
    /// Steps that are written already; none for the whole document.
    Path(&'v str),
}

impl Default for Step<'_> {
    fn default() -> Self {
        Self::Path("")
    }
}

impl<'v> Pointer<'v> {
    /// A pointer that is written already.
    pub(super) fn path(path: &'v str) -> Self {
        Self { parent: None, step: Step::Path(path) }
    }
    /// A field of the object that stands at `parent`.
    pub(super) fn key(parent: &Rc<Self>, key: &'v str) -> Self {
        Self { parent: Some(parent.clone()), step: Step::Key(key) }
    }
    /// An element of the array that stands at `parent`.
    pub(super) fn index(parent: &Rc<Self>, index: usize) -> Self {
        Self { parent: Some(parent.clone()), step: Step::Index(index) }
    }
}

impl fmt::Display for Pointer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = &self.parent {
            parent.fmt(f)?;
        }
        match self.step {
            Step::Key(key) => write!(f, "/{}", escape(key)),
            Step::Index(i) => write!(f, "/{i}"),
            Step::Path(path) => f.write_str(path),
        }
    }
}

impl From<Pointer<'_>> for String {
    fn from(p: Pointer<'_>) -> Self {
        p.to_string()
    }
}
impl From<&Pointer<'_>> for String {
    fn from(p: &Pointer<'_>) -> Self {
        p.to_string()
    }
}

/// A key as a step of a pointer.
pub(super) fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_out() {
        assert_eq!(Pointer::default().to_string(), "");
        let scenes = Rc::new(Pointer::key(&Rc::new(Pointer::path("/x")), "a/b~c"));
        assert_eq!(Pointer::index(&scenes, 3).to_string(), "/x/a~1b~0c/3");
        assert_eq!(Pointer::key(&scenes, "").to_string(), "/x/a~1b~0c/");
    }
}
