//! Slots for live data: what a value may be, and the form that a person fills it in with.
//!
//! Values travel as text, because that is what shows, files and operators give; a slot's kind says which texts are
//! values of it. An empty value of a number or a date means "not set" and brings the default back.

use serde_json::{Value, json};

use crate::wallclock;

/// A slot for live data.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// What a value may be.
    pub kind: TokenKind,
    /// The value until one is set.
    pub default: String,
    /// What a form calls it; empty: its name.
    pub label: String,
    /// What a form says about it.
    pub description: String,
}

/// What a token's value may be.
#[derive(Clone, Debug, PartialEq)]
pub enum TokenKind {
    /// Any text, or one of a list.
    Text {
        /// Characters a value may have.
        max_length: usize,
        /// The values there are; any when empty.
        choices: Vec<String>,
    },
    /// A decimal number: `12`, `-0.5`.
    Number {
        /// The least value.
        min: f64,
        /// The greatest value.
        max: f64,
        /// Without a fraction.
        whole: bool,
    },
    /// A day, or a day and a time: `2026-11-21`, `2026-11-21T18:30`, `2026-11-21T18:30:05`.
    Date,
}

impl TokenKind {
    /// The names, as written in a document.
    pub const NAMES: [&'static str; 4] = ["string", "number", "integer", "date"];
}

/// Why a text is no value of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueFault {
    /// More characters than there is room for: how many, and how many fit.
    Long(usize, usize),
    /// Not of the token's kind: what is wrong, and what to write.
    Kind(String, String),
}

impl Token {
    /// Any text of at most that many characters.
    pub fn text(max_length: usize) -> Self {
        let kind = TokenKind::Text { max_length, choices: Vec::new() };
        Self { kind, default: String::new(), label: String::new(), description: String::new() }
    }

    /// Whether a text is a value of this token.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, value: &str) -> Result<(), ValueFault> {
        let wrong = |what: String, help: &str| Err(ValueFault::Kind(what, help.to_owned()));
        match &self.kind {
            TokenKind::Text { max_length, choices } => {
                let chars = value.chars().count();
                if chars > *max_length {
                    return Err(ValueFault::Long(chars, *max_length));
                }
                if !choices.is_empty() && !choices.iter().any(|c| c == value) {
                    return wrong(
                        format!("\"{value}\" is none of the choices"),
                        &format!("the choices are {}", choices.join(", ")),
                    );
                }
                Ok(())
            }
            _ if value.is_empty() => Ok(()),
            TokenKind::Number { min, max, whole } => match number(value) {
                None => wrong(format!("\"{value}\" is not a number"), "write digits, such as 12 or -0.5"),
                Some(_) if *whole && value.contains('.') => {
                    wrong(format!("\"{value}\" is not a whole number"), "write it without a fraction")
                }
                Some(n) if !(*min..=*max).contains(&n) => {
                    wrong(format!("{value} is outside {min} to {max}"), "write a number between the two")
                }
                Some(_) => Ok(()),
            },
            TokenKind::Date => match wallclock::parse_iso(value) {
                Some(_) => Ok(()),
                None => wrong(
                    format!("\"{value}\" is not a date"),
                    "write year, month and day such as 2026-11-21, and the time after T: 2026-11-21T18:30",
                ),
            },
        }
    }

    /// The value shown for one that was set: itself, or the default.
    pub(crate) fn shown<'v>(&'v self, value: &'v str) -> &'v str {
        match self.kind {
            TokenKind::Text { .. } => value,
            _ if value.is_empty() => &self.default,
            _ => value,
        }
    }

    /// The slot as JSON Schema, for a form: `title`, `description`, `default` and the limits of its values.
    pub fn schema(&self, name: &str) -> Value {
        let mut s = match &self.kind {
            TokenKind::Text { max_length, choices } if choices.is_empty() => {
                json!({ "type": "string", "default": self.default, "maxLength": max_length })
            }
            TokenKind::Text { choices, .. } => json!({ "type": "string", "default": self.default, "enum": choices }),
            TokenKind::Number { min, max, whole } => {
                let kind = if *whole { "integer" } else { "number" };
                let default =
                    number(&self.default).map_or(Value::Null, |n| if *whole { json!(n as i64) } else { json!(n) });
                json!({ "type": kind, "minimum": min, "maximum": max, "default": default })
            }
            TokenKind::Date => json!({ "type": "string", "default": self.default, "gddType": "date" }),
        };
        if let Some(s) = s.as_object_mut() {
            let label = if self.label.is_empty() { name } else { &self.label };
            s.insert("title".into(), label.into());
            if !self.description.is_empty() {
                s.insert("description".into(), self.description.as_str().into());
            }
        }
        s
    }
}

/// A decimal number: a sign, up to 15 digits (what is exact in binary), one point among them.
pub(crate) fn number(s: &str) -> Option<f64> {
    let digits = s.strip_prefix(['-', '+']).unwrap_or(s);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    (all_digits(whole) && all_digits(fraction) && whole.len() + fraction.len() <= 16).then(|| s.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(kind: TokenKind) -> Token {
        Token { kind, ..Token::text(0) }
    }

    #[test]
    fn values_of_each_kind() {
        let n = of(TokenKind::Number { min: -5.0, max: 99.5, whole: false });
        for good in ["", "0", "-5", "99.5", "+7.25", "007"] {
            assert_eq!(n.check(good), Ok(()), "{good}");
        }
        for bad in ["x", "-5.1", "100", "1,5", "1e3", ".5", "5.", "٣", "--1", "12345678901234567"] {
            assert!(n.check(bad).is_err(), "{bad}");
        }
        let whole = of(TokenKind::Number { min: 0.0, max: 9.0, whole: true });
        assert!(whole.check("3").is_ok() && whole.check("3.0").is_err());
        let day = of(TokenKind::Date);
        assert!(day.check("2026-02-28").is_ok() && day.check("2026-02-29").is_err());
        let one = of(TokenKind::Text { max_length: 10, choices: vec!["home".into(), "away".into()] });
        assert!(one.check("home").is_ok() && one.check("").is_err() && one.check("Home").is_err());
        assert_eq!(Token::text(3).check("äöüß"), Err(ValueFault::Long(4, 3)));
    }
    #[test]
    fn an_empty_number_is_the_default() {
        let n = Token { default: "7".into(), ..of(TokenKind::Number { min: 0.0, max: 9.0, whole: true }) };
        assert_eq!((n.shown(""), n.shown("3")), ("7", "3"));
        assert_eq!(Token { default: "x".into(), ..Token::text(9) }.shown(""), "", "a text may be empty");
    }
    #[test]
    fn the_form() {
        let t = Token {
            default: "2".into(),
            label: "Goals".into(),
            ..of(TokenKind::Number { min: 0.0, max: 99.0, whole: true })
        };
        let want = json!({ "type": "integer", "minimum": 0.0, "maximum": 99.0, "default": 2, "title": "Goals" });
        assert_eq!(t.schema("goals"), want);
    }
    proptest! {
        #[test]
        fn any_value_is_judged(s in "\\PC{0,24}") {
            for kind in [TokenKind::Date, TokenKind::Number { min: 0.0, max: 1.0, whole: false }] {
                let _ = of(kind).check(&s);
            }
        }
    }
}
