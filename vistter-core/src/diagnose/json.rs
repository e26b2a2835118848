//! JSON values that borrow their text: a document of a thousand objects is read, looked through once and dropped.

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

/// A JSON value. What it says of itself it says as [`serde_json::Value`] does; its strings stand in the text where they can.
#[derive(Clone, Debug, PartialEq)]
pub enum Json<'t> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(Cow<'t, str>),
    /// An array.
    Array(Vec<Json<'t>>),
    /// An object.
    Object(Members<'t>),
}

/// The members of an object, in the order of their names; no name is there twice.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Members<'t>(Vec<(Cow<'t, str>, Json<'t>)>);

impl<'t> Members<'t> {
    /// None.
    pub const EMPTY: Self = Self(Vec::new());

    /// Sorts members by their names. Of those with one name the last one counts; whether there were any comes along.
    pub(super) fn new(mut list: Vec<(Cow<'t, str>, Json<'t>)>) -> (Self, bool) {
        list.sort_by(|a, b| a.0.cmp(&b.0));
        let all = list.len();
        list.dedup_by(|later, first| {
            let doubled = later.0 == first.0;
            if doubled {
                std::mem::swap(later, first);
            }
            doubled
        });
        let doubled = list.len() < all;
        (Self(list), doubled)
    }
    fn find(&self, name: &str) -> Option<usize> {
        self.0.binary_search_by(|(key, _)| (**key).cmp(name)).ok()
    }
    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&Json<'t>> {
        self.0.get(self.find(name)?).map(|(_, v)| v)
    }
    /// The same, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Json<'t>> {
        let i = self.find(name)?;
        self.0.get_mut(i).map(|(_, v)| v)
    }
    /// Whether there is a member of this name.
    pub fn contains_key(&self, name: &str) -> bool {
        self.find(name).is_some()
    }
    /// Names and values, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json<'t>)> {
        self.0.iter().map(|(key, v)| (&**key, v))
    }
    /// The names, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(key, _)| key)
    }
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'t> Json<'t> {
    /// The value of a name, when this is an object.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.as_object()?.get(name)
    }
    /// The same, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Self> {
        match self {
            Self::Object(members) => members.get_mut(name),
            _ => None,
        }
    }
    /// As true or false.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(b) => Some(*b),
            _ => None,
        }
    }
    /// As a number.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Number(n) => n.as_f64(),
            _ => None,
        }
    }
    /// As a whole number.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Number(n) => n.as_i64(),
            _ => None,
        }
    }
    /// As a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(s) => Some(s),
            _ => None,
        }
    }
    /// As an array.
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(list) => Some(list),
            _ => None,
        }
    }
    /// As an object.
    pub fn as_object(&self) -> Option<&Members<'t>> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }
    /// Whether it is a number.
    pub fn is_number(&self) -> bool {
        matches!(self, Self::Number(_))
    }
    /// Whether it is a string.
    pub fn is_string(&self) -> bool {
        self.as_str().is_some()
    }
    /// Whether it is an array.
    pub fn is_array(&self) -> bool {
        self.as_array().is_some()
    }
    /// Whether it is an object.
    pub fn is_object(&self) -> bool {
        self.as_object().is_some()
    }
    /// The same with its own strings.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(b) => Value::Bool(*b),
            Self::Number(n) => Value::Number(n.clone()),
            Self::String(s) => Value::String((**s).to_owned()),
            Self::Array(list) => Value::Array(list.iter().map(Self::to_value).collect()),
            Self::Object(members) => Value::Object(members.iter().map(|(k, v)| (k.to_owned(), v.to_value())).collect()),
        }
    }
}

/// Takes the strings along.
impl From<Json<'_>> for Value {
    fn from(json: Json<'_>) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(b) => Self::Bool(b),
            Json::Number(n) => Self::Number(n),
            Json::String(s) => Self::String(s.into_owned()),
            Json::Array(list) => Self::Array(list.into_iter().map(Self::from).collect()),
            Json::Object(members) => {
                Self::Object(members.0.into_iter().map(|(k, v)| (k.into_owned(), v.into())).collect::<Map<_, _>>())
            }
        }
    }
}

/// Borrows the strings.
impl<'t> From<&'t Value> for Json<'t> {
    fn from(v: &'t Value) -> Self {
        match v {
            Value::Null => Self::Null,
            Value::Bool(b) => Self::Bool(*b),
            Value::Number(n) => Self::Number(n.clone()),
            Value::String(s) => Self::String(Cow::Borrowed(s)),
            Value::Array(list) => Self::Array(list.iter().map(Self::from).collect()),
            Value::Object(map) => {
                let list = map.iter().map(|(k, v)| (Cow::Borrowed(k.as_str()), v.into())).collect();
                Self::Object(Members::new(list).0)
            }
        }
    }
}
