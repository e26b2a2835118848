//! Shaping and drawing of text. The only file that knows cosmic-text and swash. Fonts are the bundled ones and never
//! the system's, so the same document gives the same pixels on every machine.

use std::sync::Arc;

use cosmic_text::fontdb::{self, Database, Source};
use cosmic_text::{
    Attrs, Buffer, Ellipsize, EllipsizeHeightLimit, Family, FontSystem, LayoutGlyph, LayoutRun, Metrics, Shaping,
    Weight, Wrap,
};
use swash::scale::{Render, ScaleContext, Source as GlyphSource, image::Content, image::Image};
use swash::zeno::{Format, Vector};

use super::ink::{self, Ink};
use super::{Raster, rect};
use crate::limits::{MAX_LAYER_PIXELS, MAX_LINES};
use crate::model::{Align, Breaks};

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
    /// Lines longer than this are wrapped, or end in "…".
    pub(crate) max_width: Option<f64>,
    /// Where lines are broken.
    pub(crate) wrap: Breaks,
    /// Lines beyond this are not drawn; the last one of a wrapped paragraph ends in "…".
    pub(crate) max_lines: usize,
    /// The size may shrink to this so that the text fits.
    pub(crate) min_size: Option<f64>,
    /// What goes round it and under it.
    pub(crate) decor: Decor,
    /// The most pixels a line may be wide; more is cut.
    pub(crate) limit: usize,
}

/// What goes round a text and under it, in canvas pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Decor {
    /// Width and colour.
    pub(crate) outline: Option<(f64, [u8; 4])>,
    /// Right, down, and colour.
    pub(crate) shadow: Option<(i64, i64, [u8; 4])>,
    pub(crate) plate: Option<Plate>,
}

/// A box behind a text; it counts as part of the text's box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Plate {
    pub(crate) rgba: [u8; 4],
    /// At the left and right, at the top and bottom.
    pub(crate) padding: (usize, usize),
    pub(crate) radius: f64,
}

/// Pixels round the text's own box.
#[derive(Clone, Copy, Debug, Default)]
struct Margins {
    left: usize,
    right: usize,
    top: usize,
    bottom: usize,
}

impl Decor {
    /// How far it reaches beyond the text's own box, whose glyphs reach `bleed` over its sides.
    fn margins(&self, bleed: usize) -> Margins {
        let mut m = Margins { left: bleed, right: bleed, top: 0, bottom: 0 };
        let pen = self.outline.map_or(0, |(w, _)| w.ceil() as usize + 1);
        let (dx, dy) = self.shadow.map_or((0, 0), |(x, y, _)| (x, y));
        let beyond = |d: i64| usize::try_from(d).unwrap_or(0);
        m.left += pen + beyond(-dx);
        m.right += pen + beyond(dx);
        m.top += pen + beyond(-dy);
        m.bottom += pen + beyond(dy);
        let (x, y) = self.plate.map_or((0, 0), |p| p.padding);
        Margins { left: m.left.max(x), right: m.right.max(x), top: m.top.max(y), bottom: m.bottom.max(y) }
    }
}

/// Fonts and scratch memory.
pub(crate) struct TextEngine {
    fonts: FontSystem,
    scaler: ScaleContext,
    faces: Vec<(fontdb::ID, swash::FontRef<'static>)>,
    glyph: Image,
    ink: Ink,
    plate: Raster,
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
        let (ink, plate) = (Ink::default(), Raster::default());
        Self { fonts, scaler: ScaleContext::new(), faces, glyph: Image::new(), ink, plate }
    }

    /// Shapes a text at a size. `cut`: what is too long ends in "…".
    fn layout(&mut self, text: &str, spec: &TextSpec, size: f64, cut: bool) -> Buffer {
        let line_height = (size * LINE_HEIGHT).ceil().max(1.0);
        let mut buffer = Buffer::new_empty(Metrics::new(size as f32, line_height as f32));
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
        let weight = if spec.bold { Weight::BOLD } else { Weight::NORMAL };
        let mut attrs = Attrs::new().family(Family::Name(FAMILY)).weight(weight);
        if spec.tracking != 0.0 {
            attrs = attrs.letter_spacing((spec.tracking / 1000.0) as f32);
        }
        buffer.set_text(text, &attrs, Shaping::Advanced, None);
        buffer.shape_until_scroll(&mut self.fonts, false);
        buffer
    }

    /// The largest size, in whole pixels below the one asked for, at which all of the text fits; the least one if none.
    fn fitting(&mut self, text: &str, spec: &TextSpec) -> f64 {
        let (Some(least), Some(width)) = (spec.min_size, spec.max_width) else { return spec.size };
        let mut fits = |size: f64| {
            let buffer = self.layout(text, spec, size, false);
            let lines = buffer.layout_runs().take(spec.max_lines + 1).count();
            lines <= spec.max_lines && buffer.layout_runs().all(|r| f64::from(line_width(&r, spec)) <= width)
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

    /// Draws `text` in at most `room` pixels; line breaks are kept. The box is the advance width by the line heights,
    /// and a plate's padding.
    pub(crate) fn draw(&mut self, out: &mut Raster, text: &str, spec: &TextSpec, room: usize) {
        let size = self.fitting(text, spec);
        let line_height = (size * LINE_HEIGHT).ceil().max(1.0);
        let buffer = self.layout(text, spec, size, true);
        let runs = || buffer.layout_runs().take(spec.max_lines.min(MAX_LINES));
        let lines = runs().count().max(1);
        let widest = runs().map(|r| line_width(&r, spec)).fold(0.0f32, f32::max).ceil() as usize;
        // Ink may reach over the advance box: a tenth of the size holds every glyph of the bundled fonts.
        let bleed = (size / 10.0).ceil() as usize + 1;
        let m = spec.decor.margins(bleed);
        let room = room.min(MAX_LAYER_PIXELS as usize);
        let height = (lines * line_height as usize).min(room);
        let all = (height + m.top + m.bottom).min(room);
        let limit = spec.limit.min(room / all.max(1)).saturating_sub(m.left + m.right);
        let width = spec.width.unwrap_or(widest).min(limit);
        out.reset(width + m.left + m.right, all);
        let (px, py) = spec.decor.plate.map_or((0, 0), |p| p.padding);
        out.origin = ((m.left - px) as i32, (m.top - py) as i32);
        out.size = ((width + 2 * px) as i32, (height + 2 * py) as i32);
        let plain = spec.decor == Decor::default();
        self.ink.reset(if plain { 0 } else { out.width }, if plain { 0 } else { out.height });
        for run in runs() {
            let free = (width as f32 - line_width(&run, spec)).max(0.0);
            let start = match spec.align {
                Align::Left => 0.0,
                Align::Center => (free / 2.0).floor(),
                Align::Right => free.floor(),
            };
            let baseline = run.line_y.round() as i32 + m.top as i32;
            for glyph in run.glyphs {
                let p = glyph.physical((start + m.left as f32, 0.0), 1.0);
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
                if !drawn || self.glyph.content != Content::Mask {
                    continue;
                }
                if plain {
                    stamp(out, &self.glyph, at, spec.rgba);
                } else {
                    let place = self.glyph.placement;
                    let corner = (i64::from(at.0) + i64::from(place.left), i64::from(at.1) - i64::from(place.top));
                    self.ink.add(corner, place.width as usize, &self.glyph.data);
                }
            }
        }
        if !plain {
            self.decorate(out, spec);
        }
    }

    /// Lays plate, shadow, outline and text over each other, in this order.
    fn decorate(&mut self, out: &mut Raster, spec: &TextSpec) {
        if let Some(p) = spec.decor.plate {
            let (w, h) = (out.size.0.max(0) as usize, out.size.1.max(0) as usize);
            rect::draw(&mut self.plate, w, h, p.radius, p.rgba);
            let (left, top) = (out.origin.0.max(0) as usize, out.origin.1.max(0) as usize);
            for (y, line) in self.plate.rgba.chunks_exact((w * 4).max(1)).enumerate().take(h) {
                for (x, px) in line.chunks_exact(4).enumerate() {
                    let at = ((top + y) * out.width + left + x) * 4;
                    if let Some(o) = out.rgba.get_mut(at..at + 4) {
                        ink::over(o, [px[0], px[1], px[2], px[3]]);
                    }
                }
            }
        }
        let pen = spec.decor.outline;
        if let Some((x, y, rgba)) = spec.decor.shadow {
            match pen {
                Some((width, _)) => self.ink.lay_wide(out, width, (x, y), rgba),
                None => self.ink.lay(out, (x, y), rgba),
            }
        }
        if let Some((width, rgba)) = pen {
            self.ink.lay_wide(out, width, (0, 0), rgba);
        }
        self.ink.lay(out, (0, 0), spec.rgba);
    }
}

/// The width of a line. The space at which a line was broken hangs over its end and does not count.
fn line_width(run: &LayoutRun<'_>, spec: &TextSpec) -> f32 {
    if spec.wrap == Breaks::None {
        return run.line_w;
    }
    // an ellipsis stands for no text at all
    let blank = |g: &LayoutGlyph| {
        let text = run.text.get(g.start..g.end).unwrap_or_default();
        !text.is_empty() && text.chars().all(char::is_whitespace)
    };
    run.glyphs.iter().rev().find(|g| !blank(g)).map_or(0.0, |g| g.x + g.w)
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
            wrap: Breaks::None,
            max_lines: MAX_LINES,
            min_size: None,
            decor: Decor::default(),
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
    fn wrapped_lines_are_no_wider_than_the_box_and_end_in_an_ellipsis() {
        let mut e = TextEngine::new();
        let mut r = Raster::default();
        let text = "one two three four five six seven eight nine ten eleven twelve";
        for wrap in [Breaks::Word, Breaks::Glyph] {
            let spec = TextSpec { max_width: Some(200.0), wrap, ..spec(30.0) };
            let lines = |r: &Raster| r.size.1 / 41;
            e.draw(&mut r, text, &spec, ROOM);
            assert!(r.size.0 <= 200 && lines(&r) >= 4, "{:?}", r.size);
            e.draw(&mut r, text, &TextSpec { max_lines: 2, ..spec }, ROOM);
            assert_eq!(lines(&r), 2);
            // the ellipsis stands inside: the last line's three dots are whole
            let buffer = e.layout(text, &TextSpec { max_lines: 2, ..spec }, 30.0, true);
            let last = buffer.layout_runs().nth(1).unwrap();
            let end = last.glyphs.last().map(|g| g.x + g.w).unwrap();
            assert!(end <= 200.0 && (line_width(&last, &spec) - end).abs() < 0.01, "{end}");
            // a word that is wider than the box is broken
            e.draw(&mut r, "Donaudampfschifffahrtsgesellschaft", &spec, ROOM);
            assert!(r.size.0 <= 200 && lines(&r) > 1, "{:?}", r.size);
        }
    }
    #[test]
    fn a_text_shrinks_until_it_fits_and_no_further_than_allowed() {
        let mut e = TextEngine::new();
        let mut r = Raster::default();
        let fit = TextSpec { max_width: Some(300.0), min_size: Some(20.0), ..spec(60.0) };
        let height = |size: f64| (size * LINE_HEIGHT).ceil() as i32;
        e.draw(&mut r, "short", &fit, ROOM);
        assert_eq!(r.size.1, height(60.0), "not at all when it fits");
        e.draw(&mut r, "rather longer text", &fit, ROOM);
        assert!(
            r.size.1 < height(60.0) && r.size.1 > height(20.0) && r.size.0 <= 300 && r.size.0 > 280,
            "{:?}",
            r.size
        );
        e.draw(&mut r, &"much too long ".repeat(9), &fit, ROOM);
        assert_eq!(r.size.1, height(20.0));
        let wrapped = TextSpec { wrap: Breaks::Word, max_lines: 2, ..fit };
        e.draw(&mut r, "two lines of a text that would need three", &wrapped, ROOM);
        assert!(r.size.0 <= 300 && r.size.1 < 2 * height(60.0), "{:?}", r.size);
    }
    #[test]
    fn decoration_goes_round_and_a_plate_counts() {
        let mut e = TextEngine::new();
        let (mut plain, mut r) = (Raster::default(), Raster::default());
        e.draw(&mut plain, "Hg", &spec(50.0), ROOM);
        let round = Decor { outline: Some((4.0, [0, 0, 0, 255])), shadow: Some((-6, 5, [9, 9, 9, 128])), plate: None };
        e.draw(&mut r, "Hg", &TextSpec { decor: round, ..spec(50.0) }, ROOM);
        assert_eq!(r.size, plain.size, "what goes round does not move the text");
        assert!(ink(&r) > 2 * ink(&plain));
        let plate = Plate { rgba: [1, 2, 3, 200], padding: (12, 8), radius: 6.0 };
        let decor = Decor { plate: Some(plate), ..Decor::default() };
        e.draw(&mut r, "Hg", &TextSpec { decor, ..spec(50.0) }, ROOM);
        assert_eq!(r.size, (plain.size.0 + 24, plain.size.1 + 16));
        for decor in [round, decor] {
            for room in [0, 100, 5000] {
                e.draw(&mut r, "no room\nfor all of it", &TextSpec { decor, ..spec(50.0) }, room);
                assert!(
                    r.width * r.height <= room.max(1) * 4 || r.width * r.height <= 5000,
                    "{} x {}",
                    r.width,
                    r.height
                );
            }
        }
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
