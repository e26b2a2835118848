//! Every code a document can be told, with what it means and what to do about it: what `vistter ocl explain` prints.
//!
//! A code never changes its meaning and is never used again for another one; a code that is no longer given stays here.
//! A test runs each example, and another looks for codes in the source that are not here.

/// What a code means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// The code as it stands in a diagnostic, such as `OCL-RANGE`.
    pub code: &'static str,
    /// What is wrong, in one line.
    pub title: &'static str,
    /// Why it is so, and what to do.
    pub about: &'static str,
    /// A piece of a document, wrong and right.
    pub example: Option<Example>,
}

/// A piece of a document, wrong and right. Both are members of one object: `"name": value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Example {
    /// In which object of a document, as a JSON pointer (RFC 6901).
    pub at: &'static str,
    /// What gets the code.
    pub wrong: &'static str,
    /// What does not.
    pub right: &'static str,
}

/// The entry of a code; letters may be small.
pub fn explain(code: &str) -> Option<&'static Code> {
    CODES.iter().find(|c| c.code.eq_ignore_ascii_case(code))
}

const fn code(code: &'static str, title: &'static str, about: &'static str) -> Code {
    Code { code, title, about, example: None }
}

impl Code {
    const fn example(self, at: &'static str, wrong: &'static str, right: &'static str) -> Self {
        Self { example: Some(Example { at, wrong, right }), ..self }
    }
}

const SCENE: &str = "/scenes/0";
/// A rectangle.
const BOX: &str = "/scenes/0/layers/0";
/// A text.
const WORDS: &str = "/scenes/0/layers/1";

/// All codes, in the order of the alphabet.
pub const CODES: &[Code] = &[
    code(
        "JSON-DEPTH",
        "the text is nested too deeply",
        "Objects and arrays may stand 128 deep in each other. No document needs that: a bracket is probably missing.",
    ),
    code(
        "JSON-DUPLICATE-KEY",
        "a key stands twice in one object",
        "Readers of JSON disagree which of the two counts, so neither does. Remove one of them.",
    ),
    code(
        "JSON-SYNTAX",
        "the text is not JSON",
        "A document is strict JSON (RFC 8259): no comments, no comma before a closing bracket, keys and strings in double \
         quotes. The place named is where reading stopped; the slip may stand just before it.",
    ),
    code(
        "OCL-ASSET-CHECKSUM",
        "a file is not the one that was meant",
        "The asset says what the SHA-256 of its file is, and the file that is there has another one: it was changed, cut off \
         on its way, or never the right one. It is not shown. `sha256sum FILE` prints the SHA-256 of a file.",
    ),
    code(
        "OCL-ASSET-FETCH",
        "the content of a URL is not in the store",
        "Nothing is fetched while a show plays. `vistter ocl fetch FILE` gets what the URLs of a document name, checks it, and \
         keeps it in the folder ocl-store beside the document, each file named after its SHA-256; from there it is read.",
    ),
    code(
        "OCL-ASSET-FORMAT",
        "a picture cannot be decoded",
        "Pictures are PNG, JPEG, WebP, GIF or SVG, videos MP4 with H.264, and fonts TrueType or OpenType, told apart by their content and not by their name. The file is damaged, or of \
         another kind, or beyond the limits on pixels.",
    ),
    code(
        "OCL-ASSET-KIND",
        "an asset is not of the kind that is needed there",
        "A layer that shows a picture names a picture, and the font of a text is a font. What an asset is, its file says.",
    ),
    code(
        "OCL-ASSET-MISSING",
        "a file is not there",
        "An asset's path is relative to the document, in its folder or below. Look for a slip in the name; large and small \
         letters differ on most systems.",
    ),
    code(
        "OCL-ASSET-PATH",
        "a path leads where assets may not come from",
        "A document reads no file outside of its own folder, and nothing from the network, so that it does the same on \
         every machine and cannot be used to read what it should not.",
    )
    .example("/assets/logo", r#""path": "../logo.png""#, r#""path": "pictures/logo.png""#),
    code(
        "OCL-ASSET-READ",
        "a file is there but cannot be read",
        "The system said no: rights, a folder instead of a file, a link that leads out of the document's folder, or more \
         than 32 MiB.",
    ),
    code(
        "OCL-ASSET-SOUND",
        "a video plays without its sound",
        "Sound is played when it is AAC-LC, mono or stereo. The sound of this file is coded in another way, or damaged; its \
         pictures are shown. Export it with AAC-LC, or write \"volume\": 0 if it is to be silent.",
    ),
    code(
        "OCL-ASSET-TYPE",
        "a file is of another kind than the document says",
        "What a file is, its content says. An asset with a \"mediaType\" wants to have it so, and another one is not shown.",
    ),
    code(
        "OCL-CLOCK",
        "a clock's format or zone is not understood",
        "{{clock|FORMAT|ZONE}} takes a format of % and a letter out of HIMSpyYmdeaAbBjxX, and as a zone UTC or an offset from \
         it. Names such as Europe/Berlin are not known: their rules change, and a machine may have old ones.",
    )
    .example(WORDS, r#""text": "{{clock|%H:%M|Europe/Berlin}}""#, r#""text": "{{clock|%H:%M|+01:00}}""#),
    code(
        "OCL-COLOR",
        "a colour is not understood",
        "A colour is # and six hexadecimal digits, red, green and blue; two more give alpha, FF being opaque.",
    )
    .example(BOX, r#""color": "red""#, r##""color": "#FF0000""##),
    code(
        "OCL-CONFLICT",
        "two fields exclude each other",
        "Only one of the two can count, and which one is not for the reader to guess.",
    )
    .example(
        BOX,
        r##""gradient": { "stops": [ { "at": 0, "color": "#000000" }, { "at": 1, "color": "#FFFFFF" } ] }"##,
        r##""color": "#000000""##,
    ),
    code(
        "OCL-CONTRAST",
        "a text is hard to tell from what is behind it",
        "Text needs a contrast of 4.5 to 1 with its plate, large text (a 27th of the canvas, bold text a little less) 3 to 1: \
         WCAG 2.2, 1.4.3. What is known to be behind it counts: its background, that of its group, a shape below it; an \
         outline may help instead. Over a camera alone nothing is known, and nothing is said. A warning, strict or not.",
    )
    .example(
        WORDS,
        r##""color": "#777777", "background": { "color": "#888888" }"##,
        r##""color": "#FFFFFF", "background": { "color": "#202020" }"##,
    ),
    code(
        "OCL-COST",
        "a scene is more than a machine carries",
        "`vistter ocl check FILE --profile pi4` estimates what each scene costs there at its costliest frame, and names the \
         layers that cost most. What stands, moves or fades is cheap; what scales, turns, changes its form or its text is \
         drawn anew. Beyond a quarter of the time between two frames little is left to decode and to encode.",
    ),
    code(
        "OCL-CUE-OVERLAP",
        "a cue begins while another one of its track is on",
        "The cues of a track come one after the other, so that a lower third never stands on another. Only tracks of the \
         type \"free\" may have several cues on at once.",
    )
    .example(
        SCENE,
        r##""tracks": [ { "id": "t", "type": "lower-third", "cues": [
            { "id": "a", "start": 0, "duration": 5, "content": { "type": "rect", "width": 9, "height": 9, "color": "#FFFFFF" } },
            { "id": "b", "start": 4, "duration": 5, "content": { "type": "rect", "width": 9, "height": 9, "color": "#FFFFFF" } } ] } ]"##,
        r##""tracks": [ { "id": "t", "type": "lower-third", "cues": [
            { "id": "a", "start": 0, "duration": 4, "content": { "type": "rect", "width": 9, "height": 9, "color": "#FFFFFF" } },
            { "id": "b", "start": 4, "duration": 5, "content": { "type": "rect", "width": 9, "height": 9, "color": "#FFFFFF" } } ] } ]"##,
    ),
    code(
        "OCL-DOWNGRADE",
        "an earlier version of the language cannot say this",
        "`vistter ocl upgrade --to` writes a document of an earlier version only when that means the same. What the earlier \
         version has no words for is named; take it out, or keep the version.",
    ),
    code(
        "OCL-DUPLICATE-ID",
        "two things have one id",
        "Scenes are named apart in a document, and layers in a scene, so that a show or a command can name one of them. \
         Rename one of the two.",
    ),
    code(
        "OCL-FALLBACK",
        "something is shown in place of something else, or left out",
        "An asset cannot be shown, for the reason that another finding gives. What stands in for it is the fallback of the \
         asset, else of the cue, else of the scene, else of the document; without any what shows it is left out.",
    ),
    code(
        "OCL-FALLBACK-LOOP",
        "fallbacks go round in a circle",
        "Each of them would be shown only when the next one cannot be, and so none ever would.",
    )
    .example(
        "/assets/logo",
        r#""fallback": { "asset": "logo" }"#,
        r#""fallback": "placeholder""#,
    ),
    code(
        "OCL-FILE",
        "the document itself cannot be read",
        "The file is not there, may not be read, or is not UTF-8 text.",
    ),
    code(
        "OCL-FILTER",
        "a filter is given something it does not understand",
        "What stands after a filter's colon is not what it takes. The message says what to write.",
    )
    .example(WORDS, r#""text": "{{name|truncate}}""#, r#""text": "{{name|truncate:12}}""#),
    code(
        "OCL-FLASH",
        "something large flashes more than three times a second",
        "That can cause seizures (WCAG 2.2, 2.3.1; ITU-R BT.1702). Looked at are opacity and colour over time, and cues that \
         come and go, of whatever covers about a 36th of the picture or more. Make it slower, smaller or weaker. A warning, \
         strict or not; many broadcasters refuse such pictures.",
    )
    .example(
        BOX,
        r#""width": 1900, "height": 1000, "automation": { "opacity": { "repeat": "pingPong", "keyframes": [ { "at": 0, "value": 0 }, { "at": 0.1, "value": 1 } ] } }"#,
        r#""width": 1900, "height": 1000, "automation": { "opacity": { "repeat": "pingPong", "keyframes": [ { "at": 0, "value": 0 }, { "at": 1, "value": 1 } ] } }"#,
    ),
    code(
        "OCL-GLYPH",
        "no font has a glyph for a character",
        "Viewers would see an empty box. The bundled fonts have Latin, Greek, Cyrillic, Arabic, Hebrew, Devanagari and Thai; \
         for other scripts and for emoji, name a font under \"assets\". Fonts of the machine are never used, because \
         another machine has others.",
    ),
    code(
        "OCL-KEYFRAME-ORDER",
        "a keyframe is not later than the one before it",
        "Keyframes stand in the order of their times, and no two at one time: a jump is made with the easing \"hold\".",
    )
    .example(
        BOX,
        r#""automation": { "opacity": [ { "at": 1, "value": 0 }, { "at": 0.5, "value": 1 } ] }"#,
        r#""automation": { "opacity": [ { "at": 0.5, "value": 1 }, { "at": 1, "value": 0 } ] }"#,
    ),
    code(
        "OCL-LIMIT",
        "too long, too many or too large",
        "Everything in a document has a limit, so that a document that is accepted can be played in bounded memory and \
         time. The specification lists the limits.",
    )
    .example(SCENE, r#""in": { "type": "fade", "duration": 600 }"#, r#""in": { "type": "fade", "duration": 0.6 }"#),
    code(
        "OCL-LOCALE",
        "a language is not known",
        "Languages are named by their tags: de, pt-PT, zh-Hant. One that is not there is taken as its language, so de-AT is de; \
         after it -u-nu- and a name may choose other digits: hi-u-nu-deva. What languages there are stands in the \
         specification; those of the machine are never used.",
    )
    .example(WORDS, r#""text": "{{clock@xx|%A}}""#, r#""text": "{{clock@de|%A}}""#),
    code(
        "OCL-MISSING",
        "a required field is not there",
        "The object cannot be used without it, and there is no value that would suit most documents. Add the field.",
    )
    .example(SCENE, r#""in": { "type": "fade" }"#, r#""in": { "type": "fade", "duration": 0.5 }"#),
    code(
        "OCL-NAME",
        "a name has a character that names do not have",
        "Ids and names of tokens and assets have 1 to 64 letters, digits, '-', '_' and '.'. No token is named \"clock\" or \
         \"timer\": those are the wall-clock and the time since the scene was shown.",
    )
    .example(BOX, r#""id": "lower third""#, r#""id": "lower-third""#),
    code(
        "OCL-PREPARE",
        "a scene cannot be made ready for the canvas of the show",
        "The document is good, but not on this canvas: a layer is too large there, or an asset is gone.",
    ),
    code(
        "OCL-QR",
        "a text does not fit a QR code",
        "The largest code holds 2,953 bytes at the level \"low\", 2,331 at \"medium\", 1,663 at \"quartile\" and 1,273 at \"high\"; \
         and each of its modules needs a pixel at least, better four. Link to a short address instead.",
    ),
    code(
        "OCL-RANGE",
        "a number is too small or too large",
        "The message names the least and the greatest value. Lengths are base pixels, opacity runs from 0 to 1.",
    )
    .example(BOX, r#""opacity": 80"#, r#""opacity": 0.8"#),
    code(
        "OCL-RIGHTS",
        "the rights to show something have ended, or not begun",
        "An asset is shown only while all its rights hold, by the wall-clock. When one ends on air, the fallback takes its \
         place on that very frame.",
    ),
    code(
        "OCL-STEP-ORDER",
        "a step is not later than the one before it",
        "Steps stand in the order of their times, because a scene goes from one to the next.",
    )
    .example(
        SCENE,
        r#""steps": [ { "id": "one", "at": 5 }, { "id": "two", "at": 2 } ]"#,
        r#""steps": [ { "id": "one", "at": 2 }, { "id": "two", "at": 5 } ]"#,
    ),
    code(
        "OCL-SYNC",
        "what a cue waits for is not understood",
        "A cue waits for a camera's stored view, a milestone of the stream or a marker: awaitPreset(\"Front\"), \
         awaitMilestone(\"start\"), awaitMarker(\"half-time\").",
    )
    .example(
        "",
        r#""sync": { "framed": { "await": "preset Front" } }"#,
        r#""sync": { "framed": { "await": "awaitPreset('Front')" } }"#,
    ),
    code(
        "OCL-TEMPLATE",
        "the braces of a text cannot be read",
        "A token stands between two opening and two closing braces: {{name}}, with filters after a bar: {{name|upper}}.",
    )
    .example(WORDS, r#""text": "Now: {{name""#, r#""text": "Now: {{name}}""#),
    code(
        "OCL-TEXT-SIZE",
        "a text is too small to be read on a screen",
        "Below a 54th of the shorter side of the canvas (20 pixels of 1080) text is lost on a screen across the room, and on a \
         telephone. Scales count, and the least size that a text may shrink to. A warning, strict or not.",
    )
    .example(WORDS, r#""size": 12"#, r#""size": 32"#),
    code(
        "OCL-TEXT-TIME",
        "a text is gone before it is read",
        "People read about 17 characters a second (half as many of Chinese, Japanese and Korean), and need a second for the \
         shortest text. Looked at are cues, and texts whose opacity ends at nothing; tokens count with their defaults. In a ticker \
         25 characters a second may pass. A warning, strict or not.",
    )
    .example(
        WORDS,
        r#""automation": { "opacity": [ { "at": 0, "value": 1, "easing": "hold" }, { "at": 0.3, "value": 0 } ] }"#,
        r#""automation": { "opacity": [ { "at": 0, "value": 1, "easing": "hold" }, { "at": 5, "value": 0 } ] }"#,
    ),
    code(
        "OCL-TIME",
        "a time is not understood",
        "A time is seconds (2, 0.5, \"2s500ms\"), output frames (\"15f\"), or hours, minutes and seconds with a fraction \
         (\"00:01:23.500\") or a frame (\"00:01:23:15\"); a timecode needs the document's timeline.frameRate.",
    )
    .example(
        SCENE,
        r#""in": { "type": "fade", "duration": "half a second" }"#,
        r#""in": { "type": "fade", "duration": "0.5s" }"#,
    ),
    code(
        "OCL-TOKEN-LENGTH",
        "a token's value is longer than the token allows",
        "A token has room for maxLength characters (200 if it does not say). Shorten the value, or allow more.",
    )
    .example("/tokens/name", r#""default": "Ada Lovelace", "maxLength": 3"#, r#""default": "Ada", "maxLength": 3"#),
    code(
        "OCL-TOKEN-VALUE",
        "a token's value is not of the token's type, or outside its limits",
        "A token says what its values may be: any string, one of its choices, a number between two others, a date. The \
         value comes from the document's default, the show or an operator; all of them are checked.",
    )
    .example("/tokens/name", r#""type": "integer", "default": "two""#, r#""type": "integer", "default": 2"#),
    code(
        "OCL-TYPE",
        "a value is of the wrong kind",
        "A string stands where a number is meant, or the like. Numbers have no quotes.",
    )
    .example(BOX, r#""opacity": "0.8""#, r#""opacity": 0.8"#),
    code(
        "OCL-UNKNOWN-ASSET",
        "a layer names an asset that the document does not have",
        "Assets are listed under \"assets\"; a layer names them by their id, not by their path.",
    )
    .example(
        SCENE,
        r#""layers": [ { "id": "mark", "type": "image", "asset": "logo.png" } ]"#,
        r#""layers": [ { "id": "mark", "type": "image", "asset": "logo" } ]"#,
    ),
    code(
        "OCL-UNKNOWN-CAMERA",
        "an overlay shows a camera that the show has not",
        "The \"camera\" of a layer is the id of a camera in the show file. The document alone cannot know them: `vistter check` on the \
         show does. The layer shows nothing; the rest plays.",
    ),
    code(
        "OCL-UNKNOWN-FEATURE",
        "the document requires what this program does not know",
        "Under \"requires\" a document names what it cannot do without. A player that lacks one of them says so, and plays the \
         rest; with \"strict\" it refuses. Look for a slip in the name, or take a newer program.",
    )
    .example("", r#""requires": [ "layer-hologram" ]"#, r#""requires": [ "layer-text" ]"#),
    code(
        "OCL-UNKNOWN-FIELD",
        "a field has a name that means nothing here",
        "It is a slip, belongs to another object, or to a later version of the language. It is left out with a warning, \
         and the rest plays; in a document with \"strict\": true it is an error. Fields of your own begin with x- and are \
         left alone everywhere.",
    )
    .example(BOX, r#""opacty": 0.8"#, r#""opacity": 0.8"#),
    code(
        "OCL-UNKNOWN-FILTER",
        "a token is followed by a filter that is not known",
        "The message names the nearest filter, or all of them.",
    )
    .example(WORDS, r#""text": "{{name|uper}}""#, r#""text": "{{name|upper}}""#),
    code(
        "OCL-UNKNOWN-LAYER",
        "a layer has a type that is not known",
        "The message names the nearest type, or all of them. The layer is left out with a warning, and the rest plays; in \
         a document with \"strict\": true it is an error.",
    )
    .example(
        WORDS,
        r#""type": "txet""#,
        r#""type": "text""#,
    ),
    code(
        "OCL-UNKNOWN-SCENE",
        "a show names a scene that the document does not have",
        "The show file, or --scene, names a scene by its id. Without a name the first scene is meant.",
    ),
    code(
        "OCL-UNKNOWN-STYLE",
        "a layer names a style that the document does not have",
        "Styles are written under \"styles\" of the document; a layer names one of them, or a list, of which the later \
         ones win.",
    )
    .example(WORDS, r#""style": "headline""#, r#""style": []"#),
    code(
        "OCL-UNKNOWN-SYNC",
        "a cue waits for a synchronisation point that the document does not have",
        "Points are written under \"sync\" of the document. A cue may also name directly what it waits for: \
         awaitMarker(\"half-time\").",
    )
    .example(
        SCENE,
        r##""tracks": [ { "id": "t", "cues": [ { "id": "a", "start": 0, "sync": "half-time",
            "content": { "type": "rect", "width": 9, "height": 9, "color": "#FFFFFF" } } ] } ]"##,
        r##""tracks": [ { "id": "t", "cues": [ { "id": "a", "start": 0, "sync": "awaitMarker('half-time')",
            "content": { "type": "rect", "width": 9, "height": 9, "color": "#FFFFFF" } } ] } ]"##,
    ),
    code(
        "OCL-UNKNOWN-TOKEN",
        "a text or a show names a token that the document does not have",
        "A token is declared under \"tokens\" with its default before a text may use it, so that a form can be made from \
         the document, and a slip is found before anybody sees it.",
    )
    .example(WORDS, r#""text": "{{nmae}}""#, r#""text": "{{name}}""#),
    code(
        "OCL-UNKNOWN-VALUE",
        "a word out of a fixed list is misspelt",
        "The message names the nearest word, or all of them.",
    )
    .example(WORDS, r#""align": "centre""#, r#""align": "center""#),
    code(
        "OCL-UNUSED",
        "something is declared and never used",
        "It does no harm. A style that no layer names has not been checked, because which of its fields are right depends \
         on the layers that use it.",
    )
    .example("", r#""styles": { "plain": { "size": 40 } }"#, r#""styles": {}"#),
    code(
        "OCL-VERSION",
        "the document is of a version that is not spoken",
        "Another major version is refused. A later minor version plays, without what it has beyond this one, and this is \
         a warning then.",
    )
    .example("", r#""ocl": "2.0""#, r#""ocl": "1.0""#),
];

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Map, Value};

    const BASE: &str = r##"{
        "ocl": "1.0", "canvas": { "width": 1920, "height": 1080 },
        "tokens": { "name": { "default": "Ada" } },
        "assets": { "logo": { "path": "logo.png" } },
        "scenes": [ { "id": "main", "layers": [
            { "id": "box", "type": "rect", "width": 400, "height": 90, "color": "#123456" },
            { "id": "words", "type": "text", "text": "Hello", "size": 40 } ] } ] }"##;

    /// The document with some members of one object replaced.
    fn with(at: &str, members: &str) -> String {
        let mut document: Value = serde_json::from_str(BASE).unwrap();
        let members: Map<String, Value> = serde_json::from_str(&format!("{{{members}}}")).unwrap();
        let object = document.pointer_mut(at).and_then(Value::as_object_mut).unwrap();
        object.extend(members);
        document.to_string()
    }

    #[test]
    fn codes_are_sorted_and_found() {
        assert!(CODES.is_sorted_by(|a, b| a.code < b.code), "in the order of the alphabet, and none twice");
        assert_eq!(explain("ocl-range").map(|c| c.code), Some("OCL-RANGE"));
        assert_eq!(explain("OCL"), None);
    }
    #[test]
    fn examples_get_their_code_wrong_and_nothing_right() {
        for c in CODES {
            let Some(e) = c.example else { continue };
            // what is wrong with a document, or hard to read in it
            let look = |text: String| match crate::Document::parse(&text) {
                Ok((d, warnings)) => (true, [warnings, crate::legible::check(&d)].concat()),
                Err(found) => (false, found),
            };
            let found = look(with(e.at, e.wrong)).1;
            assert!(!found.is_empty() && found.iter().all(|d| d.code == c.code), "{}: {found:?}", c.code);
            let right = look(with(e.at, e.right));
            assert!(right.0 && right.1.is_empty(), "{}: {right:?}", c.code);
        }
    }
}
