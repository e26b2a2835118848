//! The camera's entry for a show file.

use serde_json::{Map, Value, json};

use crate::config::{Address, Transport};

/// The environment variables that the entry names, for a camera id: password and whole address.
fn variables(id: &str) -> (String, String) {
    let name: String =
        id.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    (format!("{name}_PASSWORD"), format!("{name}_URL"))
}

/// An entry for the `cameras` of a show file: no password stands in it, but the name of an environment variable. An
/// address that holds a secret in its path or query is named so, too.
pub fn camera_entry(id: &str, name: &str, stream: &Address, transport: Transport) -> Value {
    let (password, url) = variables(id);
    let shown = |a: &Address, variable: String| {
        if a.shown() == a.url() { json!(a.shown()) } else { json!({ "env": variable }) }
    };
    let mut entry = Map::new();
    entry.insert("id".into(), json!(id));
    if !name.is_empty() {
        entry.insert("name".into(), json!(name));
    }
    entry.insert("url".into(), shown(stream, url));
    if let Some(c) = stream.credentials() {
        entry.insert("user".into(), json!(c.user));
        entry.insert("password".into(), json!({ "env": password }));
    }
    if transport == Transport::Udp {
        entry.insert("transport".into(), json!("udp"));
    }
    Value::Object(entry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ShowConfig;

    #[test]
    fn the_entry_is_a_camera_of_a_show_and_holds_no_secret() {
        for (url, want) in [
            ("rtsp://admin:hunter2@10.0.0.2:554/main?x=1", "rtsp://10.0.0.2:554/main?x=1"),
            ("rtsp://admin:hunter2@10.0.0.2/live?password=hunter2", "rtsp://elsewhere/"),
            ("rtsp://10.0.0.2/main", "rtsp://10.0.0.2/main"),
        ] {
            let address = Address::parse(url).unwrap();
            let entry = camera_entry("cam-1", "Stage", &address, Transport::Udp);
            assert!(!entry.to_string().contains("hunter2"), "{entry}");
            let show =
                json!({ "vistter": 1, "cameras": [entry], "timeline": { "shots": [{ "camera": "cam-1", "for": 5 }] } });
            let env = |name: &str| match name {
                "CAM_1_PASSWORD" => Some("hunter2".to_owned()),
                "CAM_1_URL" => Some("rtsp://elsewhere/".to_owned()),
                _ => None,
            };
            let (show, _) = ShowConfig::from_json_with(&show.to_string(), &env).unwrap();
            assert_eq!(show.cameras[0].url.url(), want);
            assert_eq!(show.cameras[0].user.is_some(), url.contains('@'));
        }
    }
}
