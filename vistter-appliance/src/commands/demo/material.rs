//! The demo's show and overlays.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::json;
use vistter_core::{Error, Result};

/// The simulated cameras ask for a login, as real ones do. Loopback only, so it is no secret.
pub(super) const CAMERA_USER: &str = "viewer";
pub(super) const CAMERA_PASSWORD: &str = "demo-camera-password";
/// The receivers' stream keys.
pub(super) const KEYS: [&str; 2] = ["demo-stream-key-1", "demo-stream-key-2"];

const FILES: [(&str, &[u8]); 4] = [
    ("brand.ocl.json", include_bytes!("../../../assets/demo/brand.ocl.json")),
    ("lower-third.ocl.json", include_bytes!("../../../assets/demo/lower-third.ocl.json")),
    ("ticker.ocl.json", include_bytes!("../../../assets/demo/ticker.ocl.json")),
    ("logo.png", include_bytes!("../../../assets/demo/logo.png")),
];

/// Writes the overlays below `out`, where the show file names them and a person can change them.
pub(super) fn write(out: &Path) -> Result<()> {
    let dir = out.join("overlays");
    let fail = |path: &Path, e: std::io::Error| {
        Error::io("write the demo's files", &e).at(path.display().to_string()).next("choose another folder with --out")
    };
    std::fs::create_dir_all(&dir).map_err(|e| fail(&dir, e))?;
    for (name, bytes) in FILES {
        let path = dir.join(name);
        std::fs::write(&path, bytes).map_err(|e| fail(&path, e))?;
    }
    Ok(())
}

/// Views of the pier's camera, stored in it: name, pan, tilt, zoom.
pub(super) const PRESETS: [(&str, f32, f32, f32); 3] =
    [("lighthouse", -0.9, 0.55, 0.2), ("ship", 0.0, 0.16, 0.3), ("house", 0.54, 0.25, 0.25)];

/// The show file: a cut every few seconds, two overlays all the time, a lower third for each camera. The pier's camera is
/// three shots: its presets.
pub(super) fn show(cameras: [SocketAddr; 3], control: SocketAddr, receivers: [SocketAddr; 2]) -> String {
    let camera = |id: &str, name: &str, at: SocketAddr| json!({ "id": id, "name": name, "url": format!("rtsp://{at}/stream"), "user": CAMERA_USER, "password": CAMERA_PASSWORD });
    let mut pier = camera("pier", "Pier", cameras[2]);
    pier["ptz"] = json!({ "url": format!("onvif://{control}") });
    pier["presets"] = PRESETS.map(|(name, ..)| json!({ "name": name })).into();
    let lower = |id: &str, name: &str, title: &str| json!({ "id": id, "file": "overlays/lower-third.ocl.json", "layer": 2, "tokens": { "name": name, "title": title } });
    let destination = |n: usize| json!({ "id": format!("platform-{}", n + 1), "url": format!("rtmp://{}/live", receivers[n]), "key": KEYS[n] });
    let show = json!({
        "vistter": 1,
        "name": "Demo",
        "program": { "width": 1280, "height": 720, "fps": 30, "bitrate_kbps": 3000, "keyframe": 2 },
        "audio": { "from": "program" },
        "cameras": [camera("harbour", "Harbour", cameras[0]), camera("gate", "Lock gate", cameras[1]), pier],
        "overlays": [
            { "id": "brand", "file": "overlays/brand.ocl.json", "layer": 3 },
            { "id": "ticker", "file": "overlays/ticker.ocl.json", "layer": 1 },
            lower("harbour-name", "Harbour Entrance", "Live from the north pier"),
            lower("gate-name", "Lock Gate", "Next opening at the full hour"),
            lower("pier-name", "Pier", "One camera, three views")
        ],
        "timeline": {
            "shots": [
                { "camera": "harbour", "for": 5 },
                { "camera": "pier", "preset": "lighthouse", "for": 4 },
                { "camera": "gate", "for": 4 },
                { "camera": "pier", "preset": "ship", "for": 4 },
                { "camera": "harbour", "for": 3 },
                { "camera": "pier", "preset": "house", "for": 4 },
                { "camera": "gate", "for": 3 }
            ],
            "overlays": [
                { "overlay": "brand", "at": 0.5 },
                { "overlay": "ticker" },
                { "overlay": "harbour-name", "at": 1, "for": 3.5 },
                { "overlay": "pier-name", "at": 5.5, "for": 3 },
                { "overlay": "gate-name", "at": 9.5, "for": 3 }
            ],
            "loop": true
        },
        "destinations": [destination(0), destination(1)],
        "recording": { "file": "program.mp4" }
    });
    format!("{show:#}\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use vistter::ocl::OclOverlay;
    use vistter_core::config::ShowConfig;
    use vistter_core::ports::{Canvas, Overlay};

    use super::*;

    #[test]
    fn the_show_and_its_overlays_have_no_fault() {
        let at = SocketAddr::from(([127, 0, 0, 1], 5000));
        let dir = std::env::temp_dir().join(format!("vistter-demo-{}", std::process::id()));
        write(&dir).unwrap();
        let (show, warnings) = ShowConfig::from_json(&super::show([at; 3], at, [at; 2])).unwrap();
        assert_eq!(warnings, []);
        let canvas = Canvas { width: show.program.width, height: show.program.height, fps: show.program.fps };
        for o in &show.overlays {
            let mut overlay = OclOverlay::from_file(&o.id, &dir.join(&o.file), None, &o.tokens).unwrap();
            assert_eq!(overlay.warnings(), [], "{}", o.id);
            overlay.prepare(canvas).unwrap();
        }
        assert!(OclOverlay::from_file("x", &dir.join("none.json"), None, &BTreeMap::new()).is_err());
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
