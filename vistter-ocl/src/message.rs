//! The document behind [`OclOverlay::message`](crate::OclOverlay::message).

use std::collections::BTreeMap;

use crate::locale::Locale;
use crate::model::{
    Align, Anchor, Automation, Breaks, Color, Content, Document, Fallbacks, Fill, Layer, Look, Placement, Relative,
    Run, Scene, TextStyle, TimelineInfo, Transition,
};
use crate::template::Template;

/// One line in the middle of a box across the lower middle of the picture.
pub(crate) fn document(text: &str) -> Document {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let layer = |id: &str, y: f64, content| Layer {
        id: id.to_owned(),
        z: 0,
        place: Placement { anchor: Anchor::parse("center").unwrap_or_default(), y, ..Placement::default() },
        opacity: 1.0,
        relative: Relative::default(),
        look: Look::default(),
        automation: Automation::default(),
        change: None,
        content,
    };
    let panel = Content::Rect {
        width: 1200.0,
        height: 168.0,
        radius: 24.0,
        fill: Fill::Color(Color { rgba: [12, 17, 27, 224] }),
    };
    let accent = Content::Rect {
        width: 120.0,
        height: 6.0,
        radius: 3.0,
        fill: Fill::Color(Color { rgba: [58, 160, 255, 255] }),
    };
    let words = Content::Text {
        runs: Run::plain(Template::literal(&line)),
        value: None,
        style: TextStyle { bold: true, ..TextStyle::plain(64.0) },
        align: Align::Center,
        width: None,
        max_width: Some(1080.0),
        wrap: Breaks::None,
        max_lines: 1,
        min_size: None,
        background: None,
    };
    Document {
        minor: 0,
        title: "Message".to_owned(),
        strict: false,
        requires: Vec::new(),
        timeline: TimelineInfo::default(),
        rate: None,
        locale: Locale::default(),
        base: (1920, 1080),
        tokens: BTreeMap::new(),
        assets: BTreeMap::new(),
        fallbacks: Fallbacks::default(),
        scenes: vec![Scene {
            id: "message".to_owned(),
            enter: Transition::default(),
            exit: Transition::default(),
            automation: Automation::default(),
            layers: vec![layer("panel", 0.0, panel), layer("words", -10.0, words), layer("accent", 52.0, accent)],
            fallback: None,
            variants: Vec::new(),
            tracks: Vec::new(),
            steps: Vec::new(),
        }],
    }
}
