//! A text as it is said at one moment: its tokens filled in, with the ends of its parts.

use std::collections::BTreeMap;

use crate::limits::MAX_EXPANDED_CHARS;
use crate::template::{Now, Template};

/// A text in parts. Its memory is reused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    text: String,
    /// Where each part ends.
    ends: Vec<usize>,
}

impl Said {
    /// A text of one part.
    #[cfg(test)]
    pub(crate) fn one(text: &str) -> Self {
        Self { text: text.to_owned(), ends: vec![text.len()] }
    }

    /// Fills templates in, one part each; what is beyond [`MAX_EXPANDED_CHARS`] together is left out.
    pub(crate) fn fill<'t>(
        &mut self,
        parts: impl Iterator<Item = &'t Template>,
        tokens: &BTreeMap<String, String>,
        now: Now,
    ) {
        self.text.clear();
        self.ends.clear();
        for t in parts {
            t.append(tokens, now, &mut self.text);
            self.ends.push(self.text.len());
        }
        if let Some((i, _)) = self.text.char_indices().nth(MAX_EXPANDED_CHARS) {
            self.truncate(i);
        }
    }

    /// Takes another one over, in the memory there is.
    pub(crate) fn set(&mut self, other: &Self) {
        self.text.clone_from(&other.text);
        self.ends.clone_from(&other.ends);
    }

    /// All of it.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Its parts.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| self.text.get(start..*end).unwrap_or_default())
    }

    /// Leaves out what stands from `end` on.
    pub(crate) fn truncate(&mut self, end: usize) {
        self.text.truncate(end);
        for e in &mut self.ends {
            *e = (*e).min(end);
        }
    }

    /// Puts a character behind the last part that has one.
    pub(crate) fn push(&mut self, c: char) {
        let kept = self.text.trim_end().len();
        self.truncate(kept);
        let from = self.ends.iter().position(|e| *e == kept).unwrap_or(0);
        self.text.push(c);
        for e in self.ends.iter_mut().skip(from) {
            *e = self.text.len();
        }
    }

    /// On one line: what is no character to be seen becomes a space.
    pub(crate) fn on_one_line(&mut self) {
        if !self.text.contains(char::is_control) {
            return;
        }
        let parts: Vec<String> =
            self.parts().map(|p| p.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()).collect();
        self.text.clear();
        self.ends.clear();
        for p in parts {
            self.text.push_str(&p);
            self.ends.push(self.text.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stay_parts() {
        let templates = ["a ", "", "b\nc "].map(Template::literal);
        let mut s = Said::default();
        s.fill(templates.iter(), &BTreeMap::new(), Now::default());
        assert_eq!(s.parts().collect::<Vec<_>>(), ["a ", "", "b\nc "]);
        s.push('…');
        assert_eq!(s.parts().collect::<Vec<_>>(), ["a ", "", "b\nc…"]);
        s.truncate(1);
        s.push('…');
        assert_eq!(s.parts().collect::<Vec<_>>(), ["a…", "", ""]);
        let mut s = Said::one("x\ty");
        s.on_one_line();
        assert_eq!(s.text(), "x y");
    }
}
