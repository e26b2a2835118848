//! JSON values, and whether a key stands twice in an object: for `serde_json` alone the last one counts.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Reads strict JSON (depth ≤ 128), and says whether some object of it has a key twice.
///
/// # Errors
/// What is wrong with the syntax.
pub(super) fn read(text: &str) -> serde_json::Result<(Value, bool)> {
    let doubled = Cell::new(false);
    let mut from = serde_json::Deserializer::from_str(text);
    let value = Once { doubled: &doubled }.deserialize(&mut from)?;
    from.end()?;
    Ok((value, doubled.get()))
}

/// What [`Value`] does to read itself, with an eye on the keys.
#[derive(Clone, Copy)]
struct Once<'d> {
    doubled: &'d Cell<bool>,
}

impl<'de> DeserializeSeed<'de> for Once<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Once<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any valid JSON value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, b: bool) -> Result<Value, E> {
        Ok(Value::Bool(b))
    }
    fn visit_i64<E>(self, n: i64) -> Result<Value, E> {
        Ok(Value::Number(n.into()))
    }
    fn visit_u64<E>(self, n: u64) -> Result<Value, E> {
        Ok(Value::Number(n.into()))
    }
    fn visit_f64<E>(self, n: f64) -> Result<Value, E> {
        Ok(Number::from_f64(n).map_or(Value::Null, Value::Number))
    }
    fn visit_str<E>(self, s: &str) -> Result<Value, E> {
        Ok(Value::String(s.to_owned()))
    }
    fn visit_string<E>(self, s: String) -> Result<Value, E> {
        Ok(Value::String(s))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(v) = from.next_element_seed(self)? {
            list.push(v);
        }
        Ok(Value::Array(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = from.next_key::<String>()? {
            if map.insert(key, from.next_value_seed(self)?).is_some() {
                self.doubled.set(true);
            }
        }
        Ok(Value::Object(map))
    }
}
