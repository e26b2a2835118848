//! The JSON Schema says what the reader does. `OCL_BLESS=1` writes the published file anew.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use vistter_ocl::{Document, schema};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// A document with every kind of object the schema defines, and where each stands.
fn sample() -> (Value, Vec<(&'static str, &'static str)>) {
    let text = std::fs::read_to_string(root().join("tests/every-object.ocl.json")).unwrap();
    let places = vec![
        ("", ""),
        ("canvas", "/canvas"),
        ("timeline", "/timeline"),
        ("stringToken", "/tokens/name"),
        ("numberToken", "/tokens/goals"),
        ("dateToken", "/tokens/day"),
        ("asset", "/assets/logo"),
        ("right", "/assets/logo/rights/1"),
        ("fallbacks", "/fallbacks"),
        ("scene", "/scenes/0"),
        ("fadeTransition", "/scenes/0/in"),
        ("cutTransition", "/scenes/0/out"),
        ("wipeTransition", "/scenes/1/in"),
        ("slideTransition", "/scenes/1/out"),
        ("pushTransition", "/scenes/2/in"),
        ("zoomTransition", "/scenes/2/out"),
        ("dipTransition", "/scenes/3/in"),
        ("automation", "/scenes/0/automation"),
        ("image", "/scenes/0/layers/0"),
        ("video", "/scenes/0/layers/8"),
        ("camera", "/scenes/0/layers/9"),
        ("rect", "/scenes/0/layers/1"),
        ("text", "/scenes/0/layers/2"),
        ("ticker", "/scenes/0/layers/3"),
        ("run", "/scenes/0/layers/3/runs/0"),
        ("gauge", "/scenes/0/layers/6"),
        ("qr", "/scenes/0/layers/7"),
        ("sequence", "/assets/smoke/sequence"),
        ("progress", "/scenes/0/layers/4"),
        ("gradient", "/scenes/0/layers/4/gradient"),
        ("stop", "/scenes/0/layers/4/gradient/stops/0"),
        ("outline", "/scenes/0/layers/2/outline"),
        ("shadow", "/scenes/0/layers/2/shadow"),
        ("background", "/scenes/0/layers/2/background"),
        ("position", "/scenes/0/layers/0/position"),
        ("layerAutomation", "/scenes/0/layers/1/automation"),
        ("ellipse", "/scenes/0/layers/5/layers/0"),
        ("group", "/scenes/0/layers/5"),
        ("mask", "/scenes/0/layers/5/masks/0"),
        ("layout", "/scenes/0/layers/5/layout"),
        ("change", "/scenes/0/layers/4/change"),
        ("backing", "/scenes/0/layers/5/background"),
        ("variant", "/scenes/0/variants/9:16"),
        ("sync", "/sync/framed"),
        ("track", "/scenes/1/tracks/0"),
        ("cue", "/scenes/1/tracks/0/cues/0"),
        ("cueTransition", "/scenes/1/tracks/0/cues/0/transition"),
        ("step", "/scenes/1/steps/0"),
    ];
    (serde_json::from_str(&text).unwrap(), places)
}

fn definition(schema: &Value, name: &str) -> Value {
    if name.is_empty() { schema.clone() } else { schema["$defs"][name].clone() }
}

fn change(document: &Value, at: &str, f: impl FnOnce(&mut Map<String, Value>)) -> String {
    let mut d = document.clone();
    f(d.pointer_mut(at).and_then(Value::as_object_mut).unwrap_or_else(|| panic!("no object at {at}")));
    d.to_string()
}

#[test]
fn the_published_schema_is_this_one() {
    let path = root().join("../docs/ocl/ocl.schema.json");
    let now = format!("{:#}\n", schema());
    if std::env::var_os("OCL_BLESS").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    assert!(std::fs::read_to_string(path).unwrap() == now, "the language changed: OCL_BLESS=1 writes the schema anew");
}

/// A name nothing resembles makes the reader list every field it knows: the same as the schema's, object by object.
#[test]
fn objects_have_the_fields_that_the_reader_knows() {
    let (document, places) = sample();
    let schema = schema();
    for kind in schema["$defs"].as_object().unwrap().iter().filter(|(_, d)| d["properties"].is_object()) {
        assert!(places.iter().any(|(def, _)| def == kind.0), "{} is not tried", kind.0);
    }
    for (def, at) in places {
        let text = change(&document, at, |o| drop(o.insert("zzzzzzzzzzzzzzzzzzzzzzzz".into(), Value::Null)));
        let found = Document::parse(&text).unwrap_err();
        assert_eq!(found.len(), 1, "{def}: {found:?}");
        let help = found[0].help.clone().unwrap_or_default();
        let mut known: Vec<&str> = help.strip_prefix("expected one of: ").unwrap().split(", ").collect();
        known.sort_unstable();
        let definition = definition(&schema, def);
        let mut fields: Vec<&str> = definition["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        fields.sort_unstable();
        assert_eq!(fields, known, "the fields of {def}");
    }
}

/// What the schema requires the reader misses, and nothing else.
#[test]
fn objects_require_what_the_reader_requires() {
    let (document, places) = sample();
    let schema = schema();
    for (def, at) in places {
        let definition = definition(&schema, def);
        // a layer without a style must have the fields of "then" as well
        let of_style = definition["if"]["not"]["required"] == json!(["style"]);
        let lists = [&definition["required"], if of_style { &definition["then"]["required"] } else { &Value::Null }];
        let required: Vec<&str> =
            lists.iter().filter_map(|l| l.as_array()).flatten().filter_map(Value::as_str).collect();
        let fields: Vec<String> = document.pointer(at).unwrap().as_object().unwrap().keys().cloned().collect();
        for field in &fields {
            let text = change(&document, at, |o| drop(o.remove(field)));
            let missed = Document::parse(&text).err().unwrap_or_default().iter().any(|d| {
                d.code == "OCL-MISSING" && d.pointer == at && d.message == format!("the field \"{field}\" is missing")
            });
            assert_eq!(missed, required.contains(&field.as_str()), "{def}.{field}");
        }
        assert!(required.iter().all(|r| fields.iter().any(|f| f == r)), "{def}: the sample has no {required:?}");
    }
}

fn documents(dir: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for e in std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()) {
        match e.is_dir() {
            true => out.extend(documents(&e)),
            false if e.to_string_lossy().ends_with(".ocl.json") => out.push(e),
            false => {}
        }
    }
    out
}

/// An independent validator agrees: every document that plays is valid.
#[test]
fn documents_that_play_are_valid() {
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    assert!(jsonschema::draft202012::meta::is_valid(&schema()), "the schema is itself no valid schema");
    let specification = crate::specification::pages();
    let examples = specification.split("```json\n").skip(1).filter_map(|r| r.split("```").next()).map(str::to_owned);
    let files = [root().join("tests/golden"), root().join("../vistter-appliance/assets/demo")];
    let files = files.iter().flat_map(|d| documents(d)).map(|p| std::fs::read_to_string(p).unwrap());
    let mut n = 0;
    for text in examples.chain(files) {
        let value: Value = serde_json::from_str(&text).unwrap();
        let faults: Vec<String> =
            validator.iter_errors(&value).map(|e| format!("{} at {}", e, e.instance_path())).collect();
        assert!(faults.is_empty(), "{faults:#?}\n{text}");
        n += 1;
    }
    assert!(n > 18, "{n}");
}

/// What the reader refuses for its form, the schema refuses too. The reader finds more: references, order, ids twice.
#[test]
fn documents_of_a_wrong_form_are_not_valid() {
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    let form = ["OCL-TYPE", "OCL-MISSING", "OCL-UNKNOWN-FIELD", "OCL-UNKNOWN-LAYER", "OCL-COLOR"];
    let mut n = 0;
    for path in documents(&root().join("tests/broken")) {
        let text = std::fs::read_to_string(&path).unwrap();
        let (Ok(value), Err(found)) = (serde_json::from_str::<Value>(&text), Document::parse(&text)) else { continue };
        if found.iter().any(|d| form.contains(&d.code)) {
            assert!(!validator.is_valid(&value), "{}", path.display());
            n += 1;
        }
    }
    assert!(n > 10, "{n}");
}

#[test]
fn the_tokens_of_a_document_make_a_form() {
    let (document, _) = sample();
    let (d, _) = Document::parse(&document.to_string()).unwrap();
    let form = d.data_schema();
    let validator = jsonschema::draft202012::new(&form).unwrap();
    assert!(validator.is_valid(&json!({ "name": "Ada" })), "{form:#}");
    assert!(!validator.is_valid(&json!({ "name": 5 })) && !validator.is_valid(&json!({ "nmae": "Ada" })));
}
