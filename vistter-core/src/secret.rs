//! A value that cannot be printed by accident.

use serde::{Deserialize, Deserializer};

/// A camera password, stream key or token. It has no `Debug` that shows it, no `Display` and no `Serialize`; read it
/// with [`Secret::expose`] at the one place that sends it to the peer.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret<T = String>(T);

impl<T> Secret<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }
    /// The value, for the peer it belongs to. Never for a log or an error.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}
impl<T> std::fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}
impl<T> From<T> for Secret<T> {
    fn from(v: T) -> Self {
        Self(v)
    }
}
impl From<&str> for Secret<String> {
    fn from(v: &str) -> Self {
        Self(v.to_owned())
    }
}
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        T::deserialize(d).map(Self)
    }
}
#[cfg(feature = "schema")]
impl schemars::JsonSchema for Secret<String> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Secret".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "writeOnly": true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_the_value() {
        let s: Secret<String> = Secret::from("hunter2");
        assert!(!format!("{s:?} {:#?}", Some(&s)).contains("hunter2"));
        assert_eq!(s.expose(), "hunter2");
    }
}
