//! The JSON Schema of the show file, for editors. The reader in `read.rs` is the authority.

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::ShowConfig;

/// The JSON Schema (draft 2020-12) of a show file, as committed at `docs/schema/show.schema.json`.
pub fn show_schema() -> Value {
    let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<ShowConfig>();
    let mut v = schema.to_value();
    if let Some(o) = v.as_object_mut() {
        o.insert("title".into(), json!("VistterStream show file"));
        o.insert("$id".into(), json!("https://github.com/vistter/vistterstream/docs/schema/show.schema.json"));
        // Editors read the schema's address from this key; the reader skips it.
        if let Some(p) = o.get_mut("properties").and_then(Value::as_object_mut) {
            p.insert("$schema".into(), json!({ "type": "string", "description": "Where editors find this schema." }));
        }
    }
    v
}

/// A URL, user, password or key: a text, or the name of an environment variable that holds it.
pub(super) struct TextOrEnv;

impl schemars::JsonSchema for TextOrEnv {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TextOrEnv".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A text, or {\"env\": \"NAME\"}: the value of that environment variable",
            "oneOf": [
                { "type": "string" },
                {
                    "type": "object",
                    "properties": { "env": { "type": "string", "minLength": 1 } },
                    "required": ["env"],
                    "additionalProperties": false
                }
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `vistter schema show > docs/schema/show.schema.json` makes it new.
    #[test]
    fn the_committed_schema_is_this_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/schema/show.schema.json");
        let now = format!("{:#}\n", show_schema());
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            std::fs::write(path, &now).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(path).unwrap(),
            now,
            "run: UPDATE_SCHEMA=1 cargo test -p vistter-core --features schema the_committed_schema"
        );
    }
}
