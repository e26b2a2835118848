//! JSON read once, in which a key that stands twice in an object is noticed: for `serde_json` alone the last one counts.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use super::json::{Json, Members};

/// Reads strict JSON (depth ≤ 128), and says whether some object of it has a key twice.
///
/// # Errors
/// What is wrong with the syntax.
pub(super) fn read(text: &str) -> serde_json::Result<(Json<'_>, bool)> {
    let doubled = Cell::new(false);
    let mut from = serde_json::Deserializer::from_str(text);
    let value = Once { doubled: &doubled }.deserialize(&mut from)?;
    from.end()?;
    Ok((value, doubled.get()))
}

/// Does what `serde_json::Value` does to read itself, with an eye on the keys.
#[derive(Clone, Copy)]
struct Once<'d> {
    doubled: &'d Cell<bool>,
}

impl<'de> DeserializeSeed<'de> for Once<'_> {
    type Value = Json<'de>;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Json<'de>, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Once<'_> {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any valid JSON value")
    }
    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }
    fn visit_bool<E>(self, b: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(b))
    }
    fn visit_i64<E>(self, n: i64) -> Result<Json<'de>, E> {
        Ok(Json::Number(n.into()))
    }
    fn visit_u64<E>(self, n: u64) -> Result<Json<'de>, E> {
        Ok(Json::Number(n.into()))
    }
    fn visit_f64<E>(self, n: f64) -> Result<Json<'de>, E> {
        Ok(Number::from_f64(n).map_or(Json::Null, Json::Number))
    }
    fn visit_borrowed_str<E: Error>(self, s: &'de str) -> Result<Json<'de>, E> {
        Text.visit_borrowed_str(s).map(Json::String)
    }
    fn visit_str<E: Error>(self, s: &str) -> Result<Json<'de>, E> {
        Text.visit_str(s).map(Json::String)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Json<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(v) = from.next_element_seed(self)? {
            list.push(v);
        }
        Ok(Json::Array(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Json<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(key) = from.next_key_seed(Text)? {
            list.push((key, from.next_value_seed(self)?));
        }
        let (members, doubled) = Members::new(list);
        self.doubled.set(self.doubled.get() || doubled);
        Ok(Json::Object(members))
    }
}

/// A string, in the text where it has no escapes.
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Cow<'de, str>;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Cow<'de, str>, D::Error> {
        from.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }
    fn visit_borrowed_str<E>(self, s: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(s))
    }
    fn visit_str<E>(self, s: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(s.to_owned()))
    }
}
