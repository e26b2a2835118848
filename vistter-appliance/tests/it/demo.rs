//! The demo is a promise: it is tested like one.

use crate::judge::{check, spread};
use crate::peers::{TempDir, gray_frame};
use crate::vistter::vistter;

#[test]
fn the_demo_runs_ends_and_leaves_good_files() {
    let dir = TempDir::new("demo");
    let out = dir.join("out").display().to_string();
    let said = vistter(&["demo", "--for", "8s", "--out", &out, "--json"]);
    said.assert_code(0).assert_never_says("demo-camera-password").assert_never_says("demo-stream-key");
    let summary = said.json("summary");
    assert_eq!(summary["frames"].as_u64().unwrap() + said.skipped(), 240, "{summary:#}");
    // The moving camera was ordered to its first shot, and got there.
    let head = &summary["heads"][0];
    assert!(head["camera"] == "pier" && head["done"].as_u64() >= Some(1) && head["failures"] == 0, "{head:#}");
    let recorded = check(&dir.join("out/program.mp4"), 30.0, said.skipped());
    let demo = said.json("demo");
    let received = demo["received"].as_array().unwrap();
    assert_eq!(received.len(), 2, "{demo:#}");
    for r in received {
        let got = check(std::path::Path::new(r["file"].as_str().unwrap()), 30.0, said.skipped());
        got.assert_is_the_end_of(&recorded, "what was received");
        assert_eq!(r["faults"], 0);
    }
    let pictures = gray_frame(&dir.join("out/program.mp4"), 64, 36);
    assert!(pictures.iter().skip(30).all(|p| spread(p) > 10.0), "a black or grey picture is on air");
    let png = std::fs::read(demo["picture"].as_str().unwrap()).unwrap();
    assert_eq!(&png[1..4], b"PNG");
    // A second run in the same folder overwrites no recording.
    vistter(&["demo", "--for", "2s", "--out", &out]).assert_code(0).assert_says("program-2.mp4");
}
