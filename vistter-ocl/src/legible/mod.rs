//! What viewers can read and bear: contrast of text with what is known to be behind it, its size, the time to read it,
//! flashes. Only warnings, strict or not, and only when a document is checked: what is hard to read still plays.
//!
//! The rules are those of WCAG 2.2 where it has one (1.4.3 contrast, 2.3.1 three flashes), with lengths as parts of the
//! shorter side of the canvas, because a broadcast is watched at a distance that follows from the size of the screen.
//!
//! | file | duty |
//! |---|---|
//! | `mod.rs` | walks through scenes; size and time of texts |
//! | `contrast.rs` | colours, and what stands behind a text |
//! | `flash.rs` | how often something flashes |

mod contrast;
mod flash;

use std::collections::BTreeMap;

use vistter_core::diagnose::Diagnostic;
use vistter_core::time::FrameRate;

use crate::compile::track;
use crate::limits::{MAX_EXPANDED_CHARS, MAX_TEXT_CHARS};
use crate::model::{Content, Cue, Document, Layer, Run, Scene, TextStyle};
use crate::template::{Now, Template};
use crate::track::Track;
use contrast::{Behind, Room, plate};

/// The least size of text, as a part of the shorter side of the canvas: 20 pixels of 1080.
const LEAST_TEXT_SIZE: f64 = 1.0 / 54.0;
/// Characters that people read in a second; one of Chinese, Japanese or Korean counts for two.
const READ_PER_SECOND: f64 = 17.0;
/// The shortest time that a text may be there, in seconds.
const LEAST_SECONDS: f64 = 1.0;
/// Characters that may pass in a ticker in a second.
const TICKER_PER_SECOND: f64 = 25.0;
/// Findings of one code that are said; more help nobody.
const SAID: usize = 20;

/// Everything in a document that is hard to read or to bear.
pub(crate) fn check(document: &Document) -> Vec<Diagnostic> {
    let tokens = document.tokens.iter().map(|(k, t)| (k.clone(), t.default.clone())).collect();
    let rate = document.rate.unwrap_or(FrameRate::FPS_30);
    let look = |scene: &Scene, base: (u32, u32), at: &str| {
        let (w, h) = (f64::from(base.0), f64::from(base.1));
        let mut look = Look { tokens: &tokens, rate, unit: w.min(h), canvas: Room { w, h }, out: Vec::new() };
        look.scene(scene, at);
        look.out
    };
    let mut out: Vec<Diagnostic> = Vec::new();
    for (i, scene) in document.scenes.iter().enumerate() {
        let at = format!("/scenes/{i}");
        let found = look(scene, document.base, &at);
        for v in &scene.variants {
            let place = format!("{at}/variants/{}:{}", v.aspect.0, v.aspect.1);
            let more = look(&v.scene, v.base.unwrap_or_else(|| v.canvas(document.base.0)), &at);
            // what is so in the scene itself is said there; a layer of a variant stands elsewhere in the document
            let new = more.into_iter().filter(|f| !found.iter().any(|o| o.of == f.of && o.d.code == f.d.code));
            out.extend(new.map(|f| Diagnostic { pointer: format!("{place}/layers/{}", f.of), ..f.d }));
        }
        out.extend(found.into_iter().map(|f| f.d));
    }
    let mut said: BTreeMap<&str, usize> = BTreeMap::new();
    out.retain(|d| {
        let n = said.entry(d.code).or_default();
        *n += 1;
        *n <= SAID
    });
    for d in out.iter_mut().rev() {
        if let Some(n @ 21..) = said.remove(d.code) {
            d.message.push_str(&format!(", and {} more like this", n - SAID));
        }
    }
    out
}

/// A finding, and the id of the layer it is about; of a scene none.
struct Found {
    of: String,
    d: Diagnostic,
}

struct Look<'a> {
    tokens: &'a BTreeMap<String, String>,
    rate: FrameRate,
    /// The shorter side of the canvas, in base pixels.
    unit: f64,
    canvas: Room,
    out: Vec<Found>,
}

/// What is round a layer.
#[derive(Clone)]
struct Around<'a> {
    room: Room,
    /// How many times as large it makes what is in it.
    scale: f64,
    /// What changes how much of it is seen.
    veils: Vec<Track<f64>>,
    behind: Behind<'a>,
}

impl Look<'_> {
    fn scene(&mut self, scene: &Scene, at: &str) {
        let veils: Vec<Track<f64>> = [track(&scene.automation.opacity, self.rate, |v| *v)].into();
        let around = Around { room: self.canvas, scale: 1.0, veils, behind: Behind::nothing() };
        self.layers(&scene.layers, &around, true, &format!("{at}/layers"));
        let behind = Behind::layers(&scene.layers, self.canvas);
        let around = Around { behind, ..around };
        for (t, track) in scene.tracks.iter().enumerate() {
            let at = format!("{at}/tracks/{t}");
            let shown: Vec<Option<(u64, u64)>> = self.shown(&track.cues, track.kind.overlaps());
            for (c, (cue, shown)) in track.cues.iter().zip(&shown).enumerate() {
                let at = format!("{at}/cues/{c}");
                self.layer(&cue.layer, &around, &format!("{at}/content"));
                if let Some(l) = &cue.fallback {
                    self.layer(l, &around, &format!("{at}/fallback"));
                }
                if let Some((start, end)) = shown {
                    self.script(&cue.layer, end - start, &format!("{at}/content"));
                    let at = format!("{at}/{}", if cue.duration.is_some() { "duration" } else { "start" });
                    self.time(&cue.layer.id, self.words(&cue.layer), end - start, &at);
                } else {
                    self.script(&cue.layer, u64::MAX, &format!("{at}/content"));
                }
            }
            let wide = |c: &Cue| flash::area(&c.layer, self.canvas) >= flash::AREA;
            let on: Vec<(u64, u64)> =
                track.cues.iter().zip(&shown).filter(|(c, _)| wide(c)).filter_map(|(_, s)| *s).collect();
            if flash::of_cues(on, self.rate) > flash::MOST {
                self.flash(&track.id, &format!("{at}/cues"));
            }
        }
    }

    /// When each cue is on, in frames; nothing of those that have no end or wait for something.
    fn shown(&self, cues: &[Cue], overlap: bool) -> Vec<Option<(u64, u64)>> {
        let start = |c: &Cue| c.start.frames(self.rate);
        let mut starts: Vec<u64> = cues.iter().map(start).collect();
        starts.sort_unstable();
        let next = |from: u64| starts.get(starts.partition_point(|s| *s <= from)).copied().filter(|_| !overlap);
        let end = |c: &Cue| match c.duration {
            Some(d) => Some(crate::read::cue::end(c.start, d, self.rate)),
            None => next(start(c)),
        };
        cues.iter().map(|c| end(c).filter(|_| c.sync.is_none()).map(|e| (start(c), e.max(start(c) + 1)))).collect()
    }

    /// Layers of one list; `placed` when they stand where their positions say.
    fn layers(&mut self, list: &[Layer], around: &Around<'_>, placed: bool, at: &str) {
        for (i, l) in list.iter().enumerate() {
            let at = format!("{at}/{i}");
            if placed {
                let below = list.iter().enumerate().filter(|(k, o)| (o.z, *k) < (l.z, i)).map(|(k, o)| (o.z, k, o));
                let behind = around.behind.with(below, around.room);
                self.layer(l, &Around { behind, ..around.clone() }, &at);
            } else {
                self.layer(l, around, &at);
            }
        }
    }

    fn layer(&mut self, l: &Layer, around: &Around<'_>, at: &str) {
        let scale = around.scale * largest(l);
        let mut veils = around.veils.clone();
        veils.push(track(&l.automation.opacity, self.rate, |v| *v));
        if flash::of_layer(l, &veils, self.rate) > flash::MOST && flash::area(l, around.room) >= flash::AREA {
            let moving = if l.automation.color.keys.is_empty() { "opacity" } else { "color" };
            self.flash(&l.id, &format!("{at}/automation/{moving}"));
        }
        match &l.content {
            Content::Text { runs, style, min_size, background, .. } => {
                let own = background.map(|b| plate(b.color));
                let behind = own.or_else(|| around.behind.of_text(l, around.room, self.lines(l)));
                self.text(l, runs, style, min_size.map(|m| m / style.size), scale, at);
                self.contrast(l, runs, style, behind.as_deref(), scale, at);
                if let Some(frames) = seen(&veils) {
                    self.time(&l.id, self.words(l), frames, &format!("{at}/automation/opacity"));
                }
                // one that a cue brings has been looked at with the cue's length
                if !at.ends_with("/content") {
                    self.script(l, u64::MAX, at);
                }
            }
            Content::Ticker { runs, style, speed, .. } => {
                let behind = around.behind.of_text(l, around.room, (1, 1));
                self.text(l, runs, style, None, scale, at);
                self.contrast(l, runs, style, behind.as_deref(), scale, at);
                // letters are about half as wide as they are high
                let pass = speed / (style.size * 0.5);
                if pass > TICKER_PER_SECOND {
                    let text = format!("about {pass:.0} characters pass in a second");
                    let most = (TICKER_PER_SECOND * style.size * 0.5).floor();
                    let d = Diagnostic::warning("OCL-TEXT-TIME", format!("{at}/speed"), text);
                    self.say(&l.id, d.help(format!("people can follow about {TICKER_PER_SECOND}: a speed of {most}")));
                }
            }
            Content::Group(g) => {
                let room = around.room.of(l);
                let own = g.background.map(|b| plate(b.color));
                // with a layout nobody knows yet where they stand
                let behind = match (&own, g.layout) {
                    (Some(p), _) => Behind::plate(p.clone()),
                    (None, Some(_)) => Behind::nothing(),
                    (None, None) => around.behind.moved(l, around.room),
                };
                let inner = Around { room, scale, veils, behind };
                self.layers(&g.layers, &inner, g.layout.is_none(), &format!("{at}/layers"));
            }
            _ => {}
        }
    }

    fn say(&mut self, of: &str, d: Diagnostic) {
        self.out.push(Found { of: of.to_owned(), d });
    }

    fn flash(&mut self, of: &str, at: &str) {
        let text = format!("this flashes more than {} times a second", flash::MOST);
        let d = Diagnostic::warning("OCL-FLASH", at, text);
        self.say(of, d.help("it can cause seizures: make it slower, smaller or weaker"));
    }

    /// The sizes of a text; `shrink` is how far it may shrink.
    fn text(&mut self, l: &Layer, runs: &[Run], style: &TextStyle, shrink: Option<f64>, scale: f64, at: &str) {
        let least = self.unit * LEAST_TEXT_SIZE;
        // a scale of nothing hides it: that is for no reader
        let times = scale * shrink.unwrap_or(1.0);
        let field = if shrink.is_some() { "minSize" } else { "size" };
        let small = |size: f64| size * times < least - 1e-9 && times > 0.0;
        let own = runs.iter().any(|r| r.size.is_none()) && small(style.size);
        let run = runs.iter().position(|r| r.size.is_some_and(small));
        let (size, at) = match (own, run) {
            (true, _) => (style.size, format!("{at}/{field}")),
            (false, Some(i)) => (runs.get(i).and_then(|r| r.size).unwrap_or(style.size), format!("{at}/runs/{i}/size")),
            (false, None) => return,
        };
        let seen = (size * times * 10.0).round() / 10.0;
        let text = format!("text of {seen} pixels is hard to read on a canvas of {} pixels", self.unit);
        let need = (least / scale).ceil();
        let d = Diagnostic::warning("OCL-TEXT-SIZE", at, text);
        self.say(&l.id, d.help(format!("make it at least {need}")));
    }

    fn contrast(
        &mut self,
        l: &Layer,
        runs: &[Run],
        s: &TextStyle,
        behind: Option<&[crate::model::Color]>,
        scale: f64,
        at: &str,
    ) {
        let Some(behind) = behind.filter(|_| l.automation.color.keys.is_empty()) else { return };
        for (i, r) in runs.iter().enumerate() {
            let (color, size) = (r.color.unwrap_or(s.color), r.size.unwrap_or(s.size) * scale);
            let least = contrast::least(size, r.bold.unwrap_or(s.bold), self.unit);
            let lined = s.outline.map_or(0.0, |o| contrast::ratio(color, o.color));
            let best = contrast::worst(color, behind).max(lined);
            if best < least {
                let at = if r.color.is_some() { format!("{at}/runs/{i}/color") } else { format!("{at}/color") };
                let text =
                    format!("the text has a contrast of {best:.1} to 1 with what is behind it; {least} are needed");
                let d = Diagnostic::warning("OCL-CONTRAST", at, text);
                self.say(&l.id, d.help("make one of the two lighter or darker, or give the text an outline"));
                return;
            }
        }
    }

    /// Whether there is time to read so many characters.
    fn time(&mut self, of: &str, chars: usize, frames: u64, at: &str) {
        let seconds = frames as f64 * f64::from(self.rate.den()) / f64::from(self.rate.num().max(1));
        let need = (chars as f64 / READ_PER_SECOND).max(LEAST_SECONDS);
        // a frame more or less is no matter
        if chars == 0 || seconds + 0.05 >= need {
            return;
        }
        let what = if chars == 1 { "1 character is" } else { &format!("{chars} characters are") };
        let text = format!("{what} there for {seconds:.1} seconds; people need about {need:.1}");
        let d = Diagnostic::warning("OCL-TEXT-TIME", at, text);
        self.say(of, d.help("show it for longer, or say less"));
    }

    /// Whether there is time for each of the texts that follow each other in a layer that is there for so many frames.
    fn script(&mut self, l: &Layer, frames: u64, at: &str) {
        let text = &l.automation.text;
        if !matches!(l.content, Content::Text { .. }) || text.keys.len() < 2 {
            return;
        }
        let mut starts: Vec<u64> = text.keys.iter().map(|k| k.at.frames(self.rate)).collect();
        if let Some(first) = starts.first_mut() {
            // it is said before its keyframe, too
            *first = 0;
        }
        let stays = text.repeat == crate::model::Repeat::Once;
        let ends = starts.iter().skip(1).copied().chain(stays.then_some(frames));
        for (n, ((start, end), key)) in starts.iter().zip(ends).zip(&text.keys).enumerate() {
            // what begins after the end of its cue is not seen at all
            if *start < frames && end < u64::MAX {
                let chars = self.filled(&key.value, l).chars().map(weight).sum();
                self.time(&l.id, chars, end.min(frames).saturating_sub(*start), &text.place(at, "text", n));
            }
        }
    }

    /// Characters to read in a layer and what is in it; not those of tickers, which run on. Of texts that follow each other
    /// each has its own time.
    fn words(&self, l: &Layer) -> usize {
        match &l.content {
            Content::Text { .. } if l.automation.text.keys.len() > 1 => 0,
            Content::Text { .. } => self.said(l).iter().flat_map(|s| s.chars()).map(weight).sum(),
            Content::Group(g) => g.layers.iter().map(|l| self.words(l)).sum(),
            _ => 0,
        }
    }

    /// Lines of a text, and characters of the longest.
    fn lines(&self, l: &Layer) -> (usize, usize) {
        let said = self.said(l);
        let longest = said.iter().flat_map(|s| s.lines()).map(|l| l.chars().map(weight).sum()).max();
        let lines = said.iter().map(|s| s.lines().count()).max();
        (lines.unwrap_or(0).max(1), longest.unwrap_or(0).max(1))
    }

    /// What a text says with its tokens' defaults: one after the other, when it has keyframes.
    fn said(&self, l: &Layer) -> Vec<String> {
        let keys = &l.automation.text.keys;
        match &l.content {
            Content::Text { runs, .. } | Content::Ticker { runs, .. } if keys.is_empty() => {
                vec![runs.iter().map(|r| self.filled(&r.text, l)).collect()]
            }
            _ => keys.iter().map(|k| self.filled(&k.value, l)).collect(),
        }
    }

    /// A text of a layer, with the number that the layer comes to.
    fn filled(&self, text: &Template, l: &Layer) -> String {
        let own = if let Content::Text { value, .. } = l.content { value } else { None };
        let value = l.automation.value.keys.last().map(|k| k.value).or(own);
        let mut out = String::new();
        text.expand(self.tokens, Now { value, ..Now::default() }, &mut out);
        out.chars().take(MAX_EXPANDED_CHARS.max(MAX_TEXT_CHARS)).collect()
    }
}

/// How long a character takes to read.
fn weight(c: char) -> usize {
    match c {
        c if c.is_whitespace() || c.is_control() => 0,
        '\u{1100}'..='\u{11ff}'
        | '\u{2e80}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7af}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}' => 2,
        _ => 1,
    }
}

/// The largest that a layer becomes, times its size.
fn largest(l: &Layer) -> f64 {
    let moving = l.automation.scale.keys.iter().map(|k| k.value[1].abs()).reduce(f64::max);
    moving.unwrap_or_else(|| l.look.scale[1].abs())
}

/// The frames in which at least half of it is seen, when that comes to an end.
fn seen(veils: &[Track<f64>]) -> Option<u64> {
    let last = veils.iter().filter_map(|t| t.keys.last()).map(|k| k.frame).max()?;
    if veils.iter().any(|t| t.repeat != crate::model::Repeat::Once) {
        return None;
    }
    let half = |f: u64| veils.iter().map(|t| t.at(f).unwrap_or(1.0)).product::<f64>() >= 0.5;
    let frames = (0..=last.min(flash::LOOKED_AT * 60)).filter(|f| half(*f)).count() as u64;
    (!half(last) && frames > 0).then_some(frames)
}

#[cfg(test)]
mod tests;
