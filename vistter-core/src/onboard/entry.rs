//! The camera's entry for a show file.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use crate::config::{Address, Transport};
use crate::ports::Preset;

/// Longest name of a view in a show, in characters.
const MOST_NAME: usize = 64;
/// Views that an entry takes; nobody's show has more.
const MOST_VIEWS: usize = 100;

fn upper(id: &str) -> String {
    id.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

/// The environment variables that the entry names, for a camera id: password and whole address.
fn variables(id: &str) -> (String, String) {
    let name = upper(id);
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

/// An entry for an encoder that pushes to `url` (`rtmp://OWN-ADDRESS:PORT/APP`): its key is that of an environment variable.
pub fn push_entry(id: &str, url: &str) -> Value {
    json!({ "id": id, "url": url, "key": { "env": format!("{}_KEY", upper(id)) } })
}

/// Adds to an entry the SHA-256 of the certificate that its stream is known by.
pub fn entry_with_pin(entry: &mut Value, pin: &str) {
    if let Value::Object(entry) = entry {
        entry.insert("tls_pin".into(), json!(pin));
    }
}

/// Adds to an entry what moves the camera (`onvif://HOST:PORT`; user and password are those of its stream), the SHA-256 of its
/// certificate (over TLS) and its stored views. Views whose names a show cannot use, and further ones of the same name, are left
/// out.
pub fn entry_with_head(entry: &mut Value, control: &str, pin: Option<&str>, stored: &[Preset]) {
    let Value::Object(entry) = entry else { return };
    let mut ptz = Map::new();
    ptz.insert("url".into(), json!(control));
    if let Some(pin) = pin {
        ptz.insert("tls_pin".into(), json!(pin));
    }
    entry.insert("ptz".into(), Value::Object(ptz));
    let mut names = HashSet::new();
    let usable = |p: &&Preset| {
        let length = p.name.chars().count();
        (1..=MOST_NAME).contains(&length) && p.name.trim() == p.name && !p.name.chars().any(char::is_control)
    };
    let views: Vec<Value> = stored
        .iter()
        .filter(usable)
        .filter(|p| names.insert(p.name.clone()))
        .take(MOST_VIEWS)
        .map(|p| json!({ "name": p.name, "token": p.token }))
        .collect();
    if !views.is_empty() {
        entry.insert("presets".into(), Value::Array(views));
    }
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

    #[test]
    fn a_head_and_the_views_that_a_show_can_name() {
        let address = Address::parse("rtsp://admin:x@10.0.0.2/main").unwrap();
        let mut entry = camera_entry("cam", "", &address, Transport::Tcp);
        let long = "x".repeat(65);
        let names = ["Stage", "", " Hall", "Stage", "Hall \u{7}", &long, "Bühne links"];
        let preset = |(i, n): (usize, &&str)| Preset { token: format!("T{i}"), name: (*n).into() };
        let stored: Vec<Preset> = names.iter().enumerate().map(preset).collect();
        entry_with_head(&mut entry, "onvif://10.0.0.2:8899#stop=zero", Some(&"0A:".repeat(32)[..95]), &stored);
        entry_with_pin(&mut entry, &"0b".repeat(32));
        let shots = json!({ "shots": [{ "camera": "cam", "preset": "Bühne links", "for": 5 }] });
        let show = json!({ "vistter": 1, "cameras": [entry], "timeline": shots });
        let (show, _) = ShowConfig::from_json_with(&show.to_string(), &|_| Some("x".into())).unwrap();
        let camera = &show.cameras[0];
        let ptz = camera.ptz.as_ref().unwrap();
        assert_eq!(ptz.url.url(), "onvif://10.0.0.2:8899#stop=zero");
        assert!(ptz.tls_pin.as_ref().unwrap().ends_with(":0A") && camera.tls_pin.as_ref().unwrap().starts_with("0b"));
        assert_eq!(camera.presets.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["Stage", "Bühne links"]);
        assert_eq!(camera.presets[1].token.as_deref(), Some("T6"));
        entry_with_head(&mut Value::Null, "onvif://10.0.0.2", None, &[]);
    }
}
