//! From what a layer shows to what it is drawn from: pictures and widgets.

use std::collections::BTreeMap;
use std::sync::Arc;

use vistter_core::config::Span;
use vistter_core::diagnose::Diagnostic;
use vistter_core::inset::{InsetFit, InsetSpec, Matte};
use vistter_core::media::mp4::Playback;
use vistter_core::ports::Canvas;

use crate::assets::{Found, View};
use crate::inset::{InsetProgram, InsetSource};
use crate::limits::MAX_FILM_PIXELS;
use crate::media::Media;
use crate::model::{self, Color, Fill, Fit, Lost};
use crate::program::Picture;
use crate::raster::gauge::Gauge;
use crate::raster::qr::Qr;
use crate::raster::shape::Shape;
use crate::said::Said;
use crate::standin::{placeholder, sides};
use crate::template::Now;

/// What a layer is drawn from, and its pixels.
pub(crate) type Drawn = Result<(Picture, u64), Vec<Diagnostic>>;

/// Where a layer stands in its document, and how large a base pixel is there.
pub(crate) struct Spot<'a> {
    /// The tokens' defaults.
    pub(crate) tokens: &'a BTreeMap<String, String>,
    pub(crate) view: View<'a>,
    pub(crate) canvas: Canvas,
    /// Canvas pixels of a base pixel.
    pub(crate) k: f64,
    /// The layer's pointer.
    pub(crate) at: &'a str,
}

impl Spot<'_> {
    /// Base pixels as whole canvas pixels, one at least.
    fn px(&self, v: f64) -> u64 {
        ((v * self.k).round() as u64).max(1)
    }

    pub(crate) fn image(
        &self,
        asset: &str,
        own_box: Option<(f64, f64)>,
        given: (Option<f64>, Option<f64>),
        fit: Fit,
        plays: Option<u32>,
        fits: impl Fn(u64, u64) -> Result<u64, Vec<Diagnostic>>,
    ) -> Drawn {
        let found = self.view.picture(asset);
        let sides = match found {
            Found::Media(m) => sides(given, Some(m.size())),
            _ => own_box,
        };
        let (w, h) = sides.unwrap_or((1.0, 1.0));
        let (w, h) = (self.px(w), self.px(h));
        let n = fits(w, h)?;
        let (width, height) = (w as u32, h as u32);
        let filled = |color| {
            let fill = Fill::Color(color);
            Picture::Rect(Shape { width: w as usize, height: h as usize, radius: 0.0, oval: false, fill })
        };
        let media = match found {
            Found::Media(media) => media,
            Found::Color(color) => return Ok((filled(color), n)),
            Found::Placeholder => {
                let cross = placeholder(w, h).map(|v| (Arc::new(v), Fit::Stretch));
                let drawn = cross.map(|(source, fit)| Picture::Vector { source, width, height, fit });
                return Ok((drawn.unwrap_or_else(|| filled(Color { rgba: [43, 48, 56, 255] })), n));
            }
            _ => return Err(vec![self.view.assets().unfit(asset, format!("{}/asset", self.at))]),
        };
        Ok(match media {
            Media::Still(source) => (Picture::Image { source: source.clone(), width, height, fit }, n),
            Media::Video(_) => {
                let text = format!("the asset \"{asset}\" is a video");
                let d = Diagnostic::error("OCL-ASSET-KIND", format!("{}/asset", self.at), text);
                return Err(vec![d.help("give the layer the type \"video\"")]);
            }
            Media::Vector(source) => (Picture::Vector { source: source.clone(), width, height, fit }, n),
            Media::Film(film) => {
                let all = n.saturating_mul(film.len() as u64);
                if all > MAX_FILM_PIXELS {
                    let text =
                        format!("{} pictures of {w}x{h} pixels; at most {MAX_FILM_PIXELS} pixels together", film.len());
                    let d = Diagnostic::error("OCL-LIMIT", self.at, text);
                    return Err(vec![d.help("show it smaller, or give it fewer pictures")]);
                }
                let plays = plays.unwrap_or_else(|| film.plays());
                (Picture::Film { film: film.clone(), width, height, fit, plays }, all)
            }
        })
    }

    /// A video; a picture that stands in for one is shown as it is, a colour with the video's corners.
    pub(crate) fn video(&self, v: &model::Video, fits: impl Fn(u64, u64) -> Result<u64, Vec<Diagnostic>>) -> Drawn {
        let Found::Media(Media::Video(file)) = self.view.picture(&v.asset) else {
            let given = (v.width, v.height);
            let own = sides(given, self.view.size(&v.asset));
            let (mut picture, n) = self.image(&v.asset, own, given, v.fit, Some(v.plays), fits)?;
            if let Picture::Rect(shape) = &mut picture {
                shape.radius = v.radius * self.k;
            }
            return Ok((picture, n));
        };
        let start = match v.start {
            Span::Time(t) => t,
            Span::Frames(n) => self.canvas.fps.time_of(n),
        };
        if start >= file.duration() {
            let text = format!("the video has {}, and is to begin after {start}", file.duration());
            let d = Diagnostic::error("OCL-RANGE", format!("{}/start", self.at), text);
            return Err(vec![d.help("give a time before its end")]);
        }
        let (nw, nh) = v.alpha.visible(file.size());
        if v.alpha != Matte::None && (nw % 2 != 0 || nh % 2 != 0) {
            let (w, h) = file.size();
            let text = format!("the halves of the video, which is {w}x{h}, have odd sides");
            let d = Diagnostic::error("OCL-CONFLICT", format!("{}/alpha", self.at), text);
            return Err(vec![d.help("export it so that each half has even sides")]);
        }
        let (nw, nh) = (f64::from(nw.max(1)), f64::from(nh.max(1)));
        let (w, h) = match (v.width, v.height) {
            (Some(w), Some(h)) => (w, h),
            (Some(w), None) => (w, w * nh / nw),
            (None, Some(h)) => (h * nw / nh, h),
            (None, None) => (nw, nh),
        };
        let source = InsetSource::Video { file: file.clone(), how: Playback { start, plays: v.plays } };
        let (picture, n) = self.inset(source, (w, h), v.fit, (v.alpha, v.radius, Lost::Hide), fits)?;
        let Picture::Inset(inset) = picture else { return Ok((picture, n)) };
        if let Some(e) = file.sound_trouble().filter(|_| v.volume > 0.0) {
            let text = format!("the video \"{}\" plays without sound: {}", v.asset, e.what());
            let d = Diagnostic::warning("OCL-ASSET-SOUND", format!("{}/asset", self.at), text);
            let help = format!("{}; or give the layer \"volume\": 0", e.next_step().unwrap_or("export it again"));
            self.view.ledger.notes.borrow_mut().push(d.help(help));
        }
        Ok((Picture::Inset(InsetProgram { volume: v.volume, ..inset }), n))
    }

    pub(crate) fn camera(&self, c: &model::Camera, fits: impl Fn(u64, u64) -> Result<u64, Vec<Diagnostic>>) -> Drawn {
        let source = InsetSource::Camera(c.camera.clone());
        self.inset(source, (c.width, c.height), c.fit, (Matte::None, c.radius, c.lost), fits)
    }

    fn inset(
        &self,
        source: InsetSource,
        (w, h): (f64, f64),
        fit: Fit,
        (matte, radius, lost): (Matte, f64, Lost),
        fits: impl Fn(u64, u64) -> Result<u64, Vec<Diagnostic>>,
    ) -> Drawn {
        // Even sides have whole chroma samples at all edges.
        let (w, h) = (self.px(w).next_multiple_of(2), self.px(h).next_multiple_of(2));
        let n = fits(w, h)?;
        let fit = match fit {
            Fit::Stretch => InsetFit::Stretch,
            Fit::Fit => InsetFit::Fit,
            Fit::Fill => InsetFit::Fill,
        };
        let spec = InsetSpec { width: w as u32, height: h as u32, fit, matte };
        Ok((Picture::Inset(InsetProgram { source, spec, radius: radius * self.k, lost, volume: 0.0 }), n))
    }

    pub(crate) fn gauge(&self, g: &model::Gauge, fits: impl Fn(u64, u64) -> Result<u64, Vec<Diagnostic>>) -> Drawn {
        let side = self.px(g.size);
        let n = fits(side, side)?;
        let gauge = Gauge {
            size: side as usize,
            thickness: g.thickness * self.k,
            start: g.start,
            sweep: g.sweep,
            range: g.range,
            rgba: g.color.rgba,
            track: g.track.rgba,
            round: g.round,
        };
        Ok((Picture::Gauge { value: g.value.clone(), gauge }, n))
    }

    /// A code that is too long, or too fine to be read, with the tokens' defaults is a fault.
    pub(crate) fn qr(&self, q: &model::Qr, fits: impl Fn(u64, u64) -> Result<u64, Vec<Diagnostic>>) -> Drawn {
        let side = self.px(q.size);
        let n = fits(side, side)?;
        let mut said = Said::default();
        said.fill(std::iter::once(&q.text), self.tokens, Now::default());
        let fault = |text: String, help: &str| {
            Err(vec![Diagnostic::error("OCL-QR", format!("{}/text", self.at), text).help(help)])
        };
        match Qr::modules(said.text(), q.level, q.quiet) {
            None => {
                let text = format!("{} bytes are more than a QR code holds", said.text().len());
                return fault(text, "shorten the text, or choose a lower \"level\"");
            }
            Some(modules) if modules as u64 > side => {
                let room = crate::fault::count(side as usize, "pixel");
                let text = format!("the code has {modules} modules a side, and {room} to show them");
                return fault(text, "make it larger, or its text shorter");
            }
            Some(_) => {}
        }
        let qr =
            Qr { side: side as usize, level: q.level, quiet: q.quiet, dark: q.color.rgba, light: q.background.rgba };
        Ok((Picture::Qr { text: q.text.clone(), qr }, n))
    }
}
