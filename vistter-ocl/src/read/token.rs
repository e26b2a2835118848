//! Tokens: what their values may be.

use vistter_core::diagnose::{Diagnostic, Json};

use super::scalar;
use super::walk::{Faults, Node, Object};
use crate::limits::{DEFAULT_TOKEN_CHARS, MAX_CHOICES, MAX_NUMBER, MAX_TEXT_CHARS, MAX_TOKEN_CHARS};
use crate::token::{Token, TokenKind, ValueFault};

pub(super) fn read(n: &Node<'_>, f: &Faults) -> Option<Token> {
    let o = n.object(f)?;
    let name = o.optional("type", |n, f| {
        scalar::one_of(n, f, "token type", &TokenKind::NAMES, |s| TokenKind::NAMES.into_iter().find(|k| *k == s))
    });
    let label = o.optional("label", |n, f| scalar::text(n, f, MAX_TEXT_CHARS)).unwrap_or_default();
    let description = o.optional("description", |n, f| scalar::text(n, f, MAX_TEXT_CHARS)).unwrap_or_default();
    let kind = match name.unwrap_or("string") {
        "number" => range(&o, false),
        "integer" => range(&o, true),
        "date" => Some(TokenKind::Date),
        _ => text(&o),
    };
    let numbers = matches!(name, Some("number" | "integer"));
    let default = o.optional("default", |n, f| default(n, f, numbers));
    o.finish()?;
    let token = Token { kind: kind?, default: String::new(), label, description };
    let default = match (default, &token.kind) {
        (Some(d), _) => d,
        // the first choice rather than a value that is none
        (None, TokenKind::Text { choices, .. }) => choices.first().cloned().unwrap_or_default(),
        (None, _) => String::new(),
    };
    if let Err(fault) = token.check(&default) {
        f.push(value_fault(&format!("{}/default", n.pointer), "the default", &fault));
        return None;
    }
    Some(Token { default, ..token })
}

/// A value that does not fit its token, as a finding.
pub(crate) fn value_fault(at: &str, what: &str, fault: &ValueFault) -> Diagnostic {
    match fault {
        ValueFault::Long(chars, fit) => {
            Diagnostic::error("OCL-TOKEN-LENGTH", at, format!("{what} has {chars} characters; at most {fit} fit"))
        }
        ValueFault::Kind(why, help) => {
            Diagnostic::error("OCL-TOKEN-VALUE", at, format!("{what} does not fit: {why}")).help(help)
        }
    }
}

fn text(o: &Object<'_, '_>) -> Option<TokenKind> {
    let max = o.optional("maxLength", |n, f| scalar::whole(n, f, 1, MAX_TOKEN_CHARS as i64));
    let choices = o.optional("choices", |n, f| {
        let list = n.array(f, MAX_CHOICES)?;
        if list.is_empty() {
            n.fault(f, "OCL-MISSING", "a token needs at least one choice");
            return None;
        }
        list.iter().map(|c| scalar::text(c, f, MAX_TOKEN_CHARS)).collect()
    });
    let max_length = max.map_or(DEFAULT_TOKEN_CHARS, |m| m as usize);
    Some(TokenKind::Text { max_length, choices: choices.unwrap_or_default() })
}

fn range(o: &Object<'_, '_>, whole: bool) -> Option<TokenKind> {
    let min = o.optional("minimum", |n, f| scalar::number(n, f, -MAX_NUMBER, MAX_NUMBER)).unwrap_or(-MAX_NUMBER);
    let max = o.optional("maximum", |n, f| scalar::number(n, f, -MAX_NUMBER, MAX_NUMBER)).unwrap_or(MAX_NUMBER);
    if min > max {
        o.node.fault_help(o.faults, "OCL-RANGE", format!("the minimum {min} is above the maximum {max}"), "swap them");
        return None;
    }
    Some(TokenKind::Number { min, max, whole })
}

/// A string, or where numbers are meant a number as it is written.
fn default(n: &Node<'_>, f: &Faults, numbers: bool) -> Option<String> {
    match n.value {
        Json::Number(x) if numbers => Some(x.to_string()),
        _ => scalar::text(n, f, MAX_TOKEN_CHARS),
    }
}
