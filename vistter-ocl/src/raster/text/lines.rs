//! From a text to lines: broken, shrunk to fit, and cut with an ellipsis.

use cosmic_text::{
    Attrs, Buffer, Ellipsize, EllipsizeHeightLimit, Family, FeatureTag, FontFeatures, LayoutGlyph, LayoutRun, Metrics,
    Shaping, Style, Weight, Wrap,
};
use unicode_segmentation::UnicodeSegmentation as _;

use super::fonts::FAMILY;
use super::{LINE_HEIGHT, RunSpec, TextEngine, TextSpec};
use crate::limits::MAX_LINES;
use crate::model::Breaks;
use crate::said::Said;

/// Noto Sans' ascent as a multiple of the size.
const ASCENT: f64 = 1.069;
/// How often a text is tried again with one character less before its ellipsis.
const MAX_TRIES: usize = 48;

impl TextEngine {
    /// Shapes a text at a size. `cut`: a paragraph that is too long ends in "…".
    pub(super) fn layout(&mut self, said: &Said, spec: &TextSpec, size: f64, cut: bool) -> Buffer {
        let metrics = |size: f64| Metrics::new(size as f32, (size * LINE_HEIGHT).ceil().max(1.0) as f32);
        let mut buffer = Buffer::new_empty(metrics(size));
        buffer.set_wrap(match spec.wrap {
            Breaks::None => Wrap::None,
            // A word longer than the line is broken when it is drawn; but a size at which one must be does not fit.
            Breaks::Word if cut => Wrap::WordOrGlyph,
            Breaks::Word => Wrap::Word,
            Breaks::Glyph => Wrap::Glyph,
        });
        buffer.set_size(spec.max_width.map(|w| w as f32), None);
        if spec.max_width.is_some() && cut {
            let lines = if spec.wrap == Breaks::None { 1 } else { spec.max_lines };
            buffer.set_ellipsize(Ellipsize::End(EllipsizeHeightLimit::Lines(lines)));
        }
        let mut features = FontFeatures::new();
        features.enable(FeatureTag::new(if spec.tabular { b"tnum" } else { b"pnum" }));
        let sizes = spec.runs.iter().any(|r| r.scale != 1.0);
        let attrs = |(i, r): (usize, &RunSpec)| {
            let mut attrs = Attrs::new()
                .family(Family::Name(r.font.unwrap_or(FAMILY)))
                .weight(if r.bold { Weight::BOLD } else { Weight::NORMAL })
                .style(if r.italic { Style::Italic } else { Style::Normal })
                .font_features(features.clone())
                .metadata(i);
            if spec.tracking != 0.0 {
                attrs = attrs.letter_spacing((spec.tracking / 1000.0) as f32);
            }
            if sizes {
                attrs = attrs.metrics(metrics(size * r.scale));
            }
            attrs
        };
        let all: Vec<Attrs<'_>> = spec.runs.iter().enumerate().map(attrs).collect();
        let spans = said.parts().zip(&all).filter(|(text, _)| !text.is_empty()).map(|(text, a)| (text, a.clone()));
        if let Some(first) = all.first() {
            buffer.set_rich_text(spans, first, Shaping::Advanced, None);
        }
        buffer.shape_until_scroll(&mut self.fonts, false);
        buffer
    }

    /// The largest size, in whole pixels below the one asked for, at which all of the text fits; the least one if none.
    pub(super) fn fitting(&mut self, said: &Said, spec: &TextSpec) -> f64 {
        let (Some(least), Some(width)) = (spec.min_size, spec.max_width) else { return spec.size };
        let mut fits = |size: f64| {
            let buffer = self.layout(said, spec, size, false);
            let lines = buffer.layout_runs().take(spec.max_lines + 1).count();
            let narrow = |r: LayoutRun<'_>| {
                let (left, right) = extent(&r, spec);
                f64::from(right - left) <= width
            };
            lines <= spec.max_lines && buffer.layout_runs().all(narrow)
        };
        if fits(spec.size) {
            return spec.size;
        }
        let (mut low, mut high) = (least.ceil(), spec.size.ceil());
        while high - low > 1.0 {
            let middle = ((low + high) / 2.0).floor();
            if fits(middle) { low = middle } else { high = middle }
        }
        low.min(spec.size)
    }

    /// Shapes a text so that what there is no line for is left out, and an ellipsis says so.
    pub(super) fn cut(&mut self, said: &Said, spec: &TextSpec, size: f64) -> Buffer {
        let buffer = self.layout(said, spec, size, true);
        let most = spec.max_lines.min(MAX_LINES);
        let last = {
            let mut runs = buffer.layout_runs();
            let last = most.checked_sub(1).and_then(|n| runs.nth(n));
            match (last, runs.next()) {
                (Some(last), Some(_)) => last,
                _ => return buffer,
            }
        };
        // The shaper cuts within a paragraph: its ellipsis is a glyph that stands for no text.
        if last.glyphs.iter().any(|g| g.start == g.end) {
            return buffer;
        }
        let before: usize =
            buffer.lines.iter().take(last.line_i).map(|l| l.text().len() + l.ending().as_str().len()).sum();
        let end = before + last.glyphs.iter().map(|g| g.end).max().unwrap_or(0);
        let mut short = said.clone();
        short.truncate(end);
        for _ in 0..MAX_TRIES {
            let mut tried = short.clone();
            tried.push('…');
            let shaped = self.layout(&tried, spec, size, true);
            if shaped.layout_runs().nth(most).is_none() {
                return shaped;
            }
            let Some((at, _)) = short.text().grapheme_indices(true).next_back() else { break };
            short.truncate(at);
        }
        buffer
    }
}

/// The left and right edge of a line's text. The space at which a line was broken hangs over and does not count.
pub(super) fn extent(run: &LayoutRun<'_>, spec: &TextSpec) -> (f32, f32) {
    let edges = |glyphs: &[LayoutGlyph]| {
        let left = glyphs.iter().map(|g| g.x).reduce(f32::min).unwrap_or(0.0);
        let right = glyphs.iter().map(|g| g.x + g.w).reduce(f32::max).unwrap_or(0.0);
        (left, right)
    };
    if spec.wrap == Breaks::None {
        return edges(run.glyphs);
    }
    // an ellipsis stands for no text at all
    let blank = |g: &LayoutGlyph| {
        let text = run.text.get(g.start..g.end).unwrap_or_default();
        !text.is_empty() && text.chars().all(char::is_whitespace)
    };
    // The line of an ellipsis may keep that space at its beginning; one at the beginning of a paragraph is meant.
    let broken = run.glyphs.iter().all(|g| g.start > 0);
    let (first, last) = (run.glyphs.iter().position(|g| !blank(g)), run.glyphs.iter().rposition(|g| !blank(g)));
    let (Some(first), Some(last)) = (first, last) else { return (0.0, 0.0) };
    let seen = match (run.rtl, broken) {
        (_, true) => first..last + 1,
        (true, false) => first..run.glyphs.len(),
        (false, false) => 0..last + 1,
    };
    edges(run.glyphs.get(seen).unwrap_or_default())
}

/// Where the letters of a line stand. It follows from their size alone: fonts differ in height, and a line must not
/// jump when a character of another script comes in.
pub(super) fn baseline(run: &LayoutRun<'_>, spec: &TextSpec) -> f64 {
    let size = run.glyphs.iter().map(|g| f64::from(g.font_size)).fold(0.0, f64::max);
    let size = if size > 0.0 { size } else { spec.size };
    f64::from(run.line_top) + (f64::from(run.line_height) - size * LINE_HEIGHT) / 2.0 + size * ASCENT
}
