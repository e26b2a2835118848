//! AMF0 (Action Message Format 0), read with limits on depth and count.
//!
//! Our own, because rml_amf0 recurses without a limit (a nested message of a few hundred kilobytes overflows the
//! stack), keeps no order of properties and has no ECMA arrays to write. Clause numbers are those of the AMF 0
//! specification.

use vistter_core::{Error, ErrorKind, Result};

/// How deep values may nest.
const MAX_DEPTH: usize = 16;
/// How many values one message may hold, nested ones included.
const MAX_VALUES: usize = 4096;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// §2.2.
    Number(f64),
    /// §2.3.
    Bool(bool),
    /// §2.4, or §2.14 when longer than 65,535 bytes.
    Text(String),
    /// §2.5, in order.
    Object(Vec<(String, Value)>),
    /// §2.10, in order.
    Ecma(Vec<(String, Value)>),
    /// §2.12.
    Array(Vec<Value>),
    /// §2.13: milliseconds since 1970.
    Date(f64),
    /// §2.7, §2.8, §2.6 and §2.15 to 2.17: something without a value for us.
    Null,
}

impl Value {
    pub(crate) fn text(s: impl Into<String>) -> Self {
        Self::Text(s.into())
    }
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(s) => Some(s),
            _ => None,
        }
    }
    pub(crate) fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(n) => Some(*n),
            _ => None,
        }
    }
    /// A property of an object or ECMA array.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        match self {
            Self::Object(p) | Self::Ecma(p) => p.iter().find(|(n, _)| n == name).map(|(_, v)| v),
            _ => None,
        }
    }
}

/// Appends values one after the other.
pub(crate) fn encode(values: &[Value]) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    values.iter().for_each(|v| put(v, &mut out));
    out
}

fn put(v: &Value, out: &mut Vec<u8>) {
    match v {
        Value::Number(n) => {
            out.push(0);
            out.extend_from_slice(&n.to_be_bytes());
        }
        Value::Bool(b) => out.extend_from_slice(&[1, u8::from(*b)]),
        Value::Text(s) => match u16::try_from(s.len()) {
            Ok(n) => {
                out.push(2);
                out.extend_from_slice(&n.to_be_bytes());
                out.extend_from_slice(s.as_bytes());
            }
            Err(_) => {
                out.push(12);
                out.extend_from_slice(&(s.len() as u32).to_be_bytes());
                out.extend_from_slice(s.as_bytes());
            }
        },
        Value::Object(p) => {
            out.push(3);
            put_properties(p, out);
        }
        Value::Ecma(p) => {
            out.push(8);
            out.extend_from_slice(&(p.len() as u32).to_be_bytes());
            put_properties(p, out);
        }
        Value::Array(a) => {
            out.push(10);
            out.extend_from_slice(&(a.len() as u32).to_be_bytes());
            a.iter().for_each(|v| put(v, out));
        }
        Value::Date(ms) => {
            out.push(11);
            out.extend_from_slice(&ms.to_be_bytes());
            out.extend_from_slice(&[0, 0]); // time zone: reserved, 0 (§2.13)
        }
        Value::Null => out.push(5),
    }
}

fn put_properties(p: &[(String, Value)], out: &mut Vec<u8>) {
    for (name, v) in p {
        // A name has a 16-bit length and an empty one would read as the end; ours are short constants.
        let name = &name.as_bytes()[..name.len().min(0xffff)];
        if name.is_empty() {
            continue;
        }
        out.extend_from_slice(&(name.len() as u16).to_be_bytes());
        out.extend_from_slice(name);
        put(v, out);
    }
    out.extend_from_slice(&[0, 0, 9]);
}

/// Reads all values of a message.
///
/// # Errors
/// `Protocol` when the message is cut short, nested too deep, has too many values or a type nobody sends.
pub(crate) fn decode(data: &[u8]) -> Result<Vec<Value>> {
    let mut r = Reader { rest: data, budget: MAX_VALUES };
    let mut out = Vec::new();
    while !r.rest.is_empty() {
        out.push(r.value(0)?);
    }
    Ok(out)
}

fn bad(what: &str) -> Error {
    Error::new(ErrorKind::Protocol, format!("the peer sent a malformed AMF0 message: {what}"))
}

struct Reader<'a> {
    rest: &'a [u8],
    budget: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        let (head, tail) = self.rest.split_at_checked(n).ok_or_else(|| bad("it is cut short"))?;
        self.rest = tail;
        Ok(head)
    }
    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (head, tail) = self.rest.split_first_chunk::<N>().ok_or_else(|| bad("it is cut short"))?;
        self.rest = tail;
        Ok(*head)
    }
    fn string(&mut self, len: usize) -> Result<String> {
        // Old encoders send Latin-1: a lossy text is better than a lost publish.
        Ok(String::from_utf8_lossy(self.take(len)?).into_owned())
    }
    fn value(&mut self, depth: usize) -> Result<Value> {
        if depth > MAX_DEPTH {
            return Err(bad("nested too deep"));
        }
        self.budget = self.budget.checked_sub(1).ok_or_else(|| bad("too many values"))?;
        let [marker] = self.array()?;
        Ok(match marker {
            0 => Value::Number(f64::from_be_bytes(self.array()?)),
            1 => Value::Bool(self.array::<1>()?[0] != 0),
            2 => {
                let n = u16::from_be_bytes(self.array()?);
                Value::Text(self.string(usize::from(n))?)
            }
            3 => Value::Object(self.properties(depth)?),
            5 | 6 | 13 => Value::Null,
            7 => {
                self.array::<2>()?;
                Value::Null
            }
            8 => {
                self.array::<4>()?; // the count is advice: encoders write 0 or a wrong one
                Value::Ecma(self.properties(depth)?)
            }
            10 => {
                let n = u32::from_be_bytes(self.array()?);
                let mut a = Vec::new();
                for _ in 0..n {
                    a.push(self.value(depth + 1)?);
                }
                Value::Array(a)
            }
            11 => {
                let ms = f64::from_be_bytes(self.array()?);
                self.array::<2>()?;
                Value::Date(ms)
            }
            12 | 15 => {
                let n = u32::from_be_bytes(self.array()?);
                Value::Text(self.string(n as usize)?)
            }
            16 => {
                let n = u16::from_be_bytes(self.array()?);
                self.take(usize::from(n))?;
                Value::Object(self.properties(depth)?)
            }
            m => return Err(bad(&format!("unknown type {m}"))),
        })
    }
    fn properties(&mut self, depth: usize) -> Result<Vec<(String, Value)>> {
        let mut out = Vec::new();
        loop {
            // An array's end marker may be missing at the end of the message (FMLE).
            if self.rest.is_empty() && !out.is_empty() {
                return Ok(out);
            }
            let n = u16::from_be_bytes(self.array()?);
            if n == 0 {
                return match self.array()? {
                    [9] => Ok(out),
                    _ => Err(bad("a property without a name")),
                };
            }
            let name = self.string(usize::from(n))?;
            out.push((name, self.value(depth + 1)?));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<f64>().prop_filter("NaN is not equal to itself", |n| !n.is_nan()).prop_map(Value::Number),
            any::<bool>().prop_map(Value::Bool),
            "\\PC{0,20}".prop_map(Value::Text),
            Just(Value::Null),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            let pairs = proptest::collection::vec(("[a-z]{1,6}", inner.clone()), 0..4);
            prop_oneof![
                pairs.clone().prop_map(Value::Object),
                pairs.prop_map(Value::Ecma),
                proptest::collection::vec(inner, 0..4).prop_map(Value::Array),
            ]
        })
    }

    proptest! {
        #[test]
        fn round_trip(v in proptest::collection::vec(value(), 0..5)) {
            prop_assert_eq!(decode(&encode(&v)).unwrap(), v);
        }
        #[test]
        fn never_panics(data in proptest::collection::vec(any::<u8>(), 0..300)) { let _ = decode(&data); }
        #[test]
        fn a_cut_message_is_an_error_or_shorter(v in value(), cut in 0usize..200) {
            let b = encode(&[v]);
            let _ = decode(&b[..cut.min(b.len())]);
        }
    }
    #[test]
    fn nesting_and_count_are_bounded() {
        // One level of strict array is five bytes: unbounded recursion would overflow the stack here.
        let deep = [10, 0, 0, 0, 1].repeat(100_000);
        assert!(decode(&deep).unwrap_err().what().contains("too deep"));
        let many = vec![5; 100_000];
        assert!(decode(&many).unwrap_err().what().contains("too many"));
        let array = [10, 0xff, 0xff, 0xff, 0xff];
        assert!(decode(&array).is_err());
    }
    #[test]
    fn long_text_takes_the_long_form() {
        let v = [Value::Text("x".repeat(70_000))];
        assert_eq!(encode(&v)[0], 12);
        assert_eq!(decode(&encode(&v)).unwrap(), v);
    }
}
