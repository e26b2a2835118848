//! Shaping and drawing of text. The only file that knows cosmic-text and swash. Fonts are the bundled ones and never
//! the system's, so the same document gives the same pixels on every machine.

use std::sync::Arc;

use cosmic_text::fontdb::{self, Database, Source};
use cosmic_text::{Attrs, Buffer, Ellipsize, EllipsizeHeightLimit, Family, FontSystem, Metrics, Shaping, Weight, Wrap};
use swash::scale::{Render, ScaleContext, Source as GlyphSource, image::Content, image::Image};
use swash::zeno::{Format, Vector};

use super::Raster;
use crate::limits::{MAX_LAYER_PIXELS, MAX_LINES};
use crate::model::Align;

static REGULAR: &[u8] = include_bytes!("../../fonts/NotoSans-Regular.ttf");
static BOLD: &[u8] = include_bytes!("../../fonts/NotoSans-Bold.ttf");
const FAMILY: &str = "Noto Sans";

/// Height of a line as a multiple of the size: Noto Sans' ascent and descent together.
pub(crate) const LINE_HEIGHT: f64 = 1.362;

/// How to draw, in canvas pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TextSpec {
    pub(crate) size: f64,
    pub(crate) bold: bool,
    pub(crate) rgba: [u8; 4],
    pub(crate) tracking: f64,
    pub(crate) align: Align,
    /// Width of the box; as wide as the longest line if absent.
    pub(crate) width: Option<usize>,
    /// Lines longer than this end in "…".
    pub(crate) max_width: Option<f64>,
    /// The most pixels a line may be wide; more is cut.
    pub(crate) limit: usize,
}

/// Fonts and scratch memory.
pub(crate) struct TextEngine {
    fonts: FontSystem,
    scaler: ScaleContext,
    faces: Vec<(fontdb::ID, swash::FontRef<'static>)>,
    glyph: Image,
}

impl std::fmt::Debug for TextEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TextEngine")
    }
}

impl TextEngine {
    pub(crate) fn new() -> Self {
        let mut db = Database::new();
        let mut faces = Vec::new();
        for bytes in [REGULAR, BOLD] {
            let ids = db.load_font_source(Source::Binary(Arc::new(bytes)));
            if let (Some(id), Some(face)) = (ids.first(), swash::FontRef::from_index(bytes, 0)) {
                faces.push((*id, face));
            }
        }
        db.set_sans_serif_family(FAMILY);
        let fonts = FontSystem::new_with_locale_and_db("en-US".to_owned(), db);
        Self { fonts, scaler: ScaleContext::new(), faces, glyph: Image::new() }
    }

    /// Draws `text` in at most `room` pixels; line breaks are kept. The box is the advance width by the line heights.
    pub(crate) fn draw(&mut self, out: &mut Raster, text: &str, spec: &TextSpec, room: usize) {
        let line_height = (spec.size * LINE_HEIGHT).ceil().max(1.0);
        let metrics = Metrics::new(spec.size as f32, line_height as f32);
        let mut buffer = Buffer::new_empty(metrics);
        buffer.set_wrap(Wrap::None);
        buffer.set_size(spec.max_width.map(|w| w as f32), None);
        if spec.max_width.is_some() {
            buffer.set_ellipsize(Ellipsize::End(EllipsizeHeightLimit::Lines(1)));
        }
        let weight = if spec.bold { Weight::BOLD } else { Weight::NORMAL };
        let mut attrs = Attrs::new().family(Family::Name(FAMILY)).weight(weight);
        if spec.tracking != 0.0 {
            attrs = attrs.letter_spacing((spec.tracking / 1000.0) as f32);
        }
        buffer.set_text(text, &attrs, Shaping::Advanced, None);
        buffer.shape_until_scroll(&mut self.fonts, false);

        let runs = || buffer.layout_runs().take(MAX_LINES);
        let lines = runs().count().max(1);
        let widest = runs().map(|r| r.line_w).fold(0.0f32, f32::max).ceil() as usize;
        // Ink may reach over the advance box: a tenth of the size holds every glyph of the bundled fonts.
        let bleed = (spec.size / 10.0).ceil() as usize + 1;
        let room = room.min(MAX_LAYER_PIXELS as usize);
        let height = (lines * line_height as usize).min(room);
        let limit = spec.limit.min(room / height.max(1)).saturating_sub(2 * bleed);
        let width = spec.width.unwrap_or(widest).min(limit);
        out.reset(width + 2 * bleed, height);
        out.origin = (bleed as i32, 0);
        out.size = (width as i32, height as i32);
        for run in runs() {
            let free = (width as f32 - run.line_w).max(0.0);
            let start = match spec.align {
                Align::Left => 0.0,
                Align::Center => (free / 2.0).floor(),
                Align::Right => free.floor(),
            };
            let baseline = run.line_y.round() as i32;
            for glyph in run.glyphs {
                let p = glyph.physical((start + bleed as f32, 0.0), 1.0);
                let at = (p.x, p.y + baseline);
                // What begins beyond the edge is cut anyway: a text of thousands of large letters must not cost them all.
                if usize::try_from(at.0).is_ok_and(|x| x > out.width + bleed) {
                    continue;
                }
                let Some((_, face)) = self.faces.iter().find(|(id, _)| *id == p.cache_key.font_id) else { continue };
                let size = f32::from_bits(p.cache_key.font_size_bits);
                let mut scaler = self.scaler.builder(*face).size(size).hint(false).build();
                let offset = Vector::new(p.cache_key.x_bin.as_float(), p.cache_key.y_bin.as_float());
                self.glyph.clear();
                let drawn = Render::new(&[GlyphSource::Outline]).format(Format::Alpha).offset(offset).render_into(
                    &mut scaler,
                    p.cache_key.glyph_id,
                    &mut self.glyph,
                );
                if drawn && self.glyph.content == Content::Mask {
                    stamp(out, &self.glyph, at, spec.rgba);
                }
            }
        }
    }
}

/// Puts one glyph's coverage into the raster, over what is there.
fn stamp(out: &mut Raster, glyph: &Image, (x, y): (i32, i32), rgba: [u8; 4]) {
    let p = glyph.placement;
    let (left, top) = (i64::from(x) + i64::from(p.left), i64::from(y) - i64::from(p.top));
    let (gw, gh) = (p.width as usize, p.height as usize);
    for row in 0..gh {
        let Ok(oy) = usize::try_from(top + row as i64) else { continue };
        if oy >= out.height {
            break;
        }
        for col in 0..gw {
            let Ok(ox) = usize::try_from(left + col as i64) else { continue };
            if ox >= out.width {
                break;
            }
            let cover = u32::from(glyph.data.get(row * gw + col).copied().unwrap_or(0));
            if cover == 0 {
                continue;
            }
            let px = &mut out.rgba[(oy * out.width + ox) * 4..][..4];
            let add = (cover * u32::from(rgba[3]) + 127) / 255;
            // Overlapping glyphs of one colour: coverages add up and end at the colour's own alpha.
            let alpha = (u32::from(px[3]) + add).min(u32::from(rgba[3]));
            px[..3].copy_from_slice(&rgba[..3]);
            px[3] = alpha as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: usize = MAX_LAYER_PIXELS as usize;

    fn spec(size: f64) -> TextSpec {
        TextSpec {
            size,
            bold: false,
            rgba: [255, 255, 255, 255],
            tracking: 0.0,
            align: Align::Left,
            width: None,
            max_width: None,
            limit: 8192,
        }
    }
    fn ink(r: &Raster) -> usize {
        r.rgba.chunks_exact(4).filter(|p| p[3] > 0).count()
    }

    #[test]
    fn digits_are_as_wide_as_each_other() {
        let mut e = TextEngine::new();
        let mut r = Raster::default();
        for bold in [false, true] {
            let widths: Vec<i32> = (0..10)
                .map(|d| {
                    e.draw(&mut r, &format!("{d}{d}:{d}{d}"), &TextSpec { bold, ..spec(48.0) }, ROOM);
                    assert!(ink(&r) > 300);
                    r.size.0
                })
                .collect();
            assert!(widths.iter().all(|w| *w == widths[0]), "{widths:?}");
        }
    }
    #[test]
    fn a_long_line_ends_in_an_ellipsis_and_keeps_its_width() {
        let mut e = TextEngine::new();
        let (mut long, mut short) = (Raster::default(), Raster::default());
        e.draw(&mut long, &"wide ".repeat(50), &TextSpec { max_width: Some(300.0), ..spec(40.0) }, ROOM);
        assert!(long.size.0 <= 300 && long.size.0 > 200, "{:?}", long.size);
        e.draw(&mut short, "wide", &TextSpec { max_width: Some(300.0), ..spec(40.0) }, ROOM);
        let mut free = Raster::default();
        e.draw(&mut free, "wide", &spec(40.0), ROOM);
        assert_eq!(short, free);
    }
    #[test]
    fn odd_text_draws_something_or_nothing_but_never_fails() {
        let mut e = TextEngine::new();
        let mut r = Raster::default();
        for t in ["", "\n", "\n\n\n", " ", "\u{0}\u{7}\u{200d}\u{202e}abc", "日本語 عربى 😀", "a\u{300}\u{301}\u{302}"]
        {
            e.draw(&mut r, t, &spec(20.0), ROOM);
            assert_eq!(r.rgba.len(), r.width * r.height * 4);
        }
        e.draw(&mut r, &"x".repeat(8000), &TextSpec { limit: 500, ..spec(100.0) }, ROOM);
        assert!(r.width <= 500 && r.size.0 > 450, "{:?}", r.size);
        e.draw(&mut r, "cut to nothing", &spec(100.0), 0);
        assert_eq!(r.size.1, 0);
        e.draw(&mut r, "cut short by the room there is", &spec(100.0), 30_000);
        assert!(r.width * r.height <= 30_000 && r.size.0 > 100, "{:?}", r.size);
    }
}
