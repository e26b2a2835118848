//! From a checked document to a scene program for one canvas.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Arguments, Display};

use vistter_core::diagnose::Diagnostic;
use vistter_core::ports::Canvas;
use vistter_core::time::FrameRate;

use crate::assets::{Assets, Found, View};
use crate::content::{Drawn, Spot};
use crate::flow::Flow;
use crate::inset::Outside;
use crate::limits::{MAX_INSETS, MAX_LAYER_PIXELS, MAX_LINES};
use crate::look;
use crate::model::{
    Align, Automation, Blend, Breaks, Content, Cue, Document, Envelope, Fill, Group, Layer, Run, Scene, TextStyle,
    Transition,
};
use crate::pace::Pace;
use crate::program::{GroupProgram, LayerProgram, Motion, Picture, SceneProgram};
use crate::raster::shape::{Bar, Shape};
use crate::raster::text::{Decor, LINE_HEIGHT, Plate, RunSpec, TextSpec};
use crate::script::Script;
use crate::standin::{self, Ledger, Whole, boxed, of_scene};
use crate::timeline;
use crate::track::{Key, Track};
use crate::transition::Way;

/// Compiles one scene; the first when `scene` is `None`.
///
/// It is the scene's variant for the canvas's shape, if it has one. Base pixels are scaled by one factor for both directions, the largest at which the base resolution fits the
/// canvas; anchors refer to the canvas itself. So a 16:9 document keeps its shapes on any canvas.
///
/// # Errors
/// An unknown scene, a missing asset, a layer too large for the limits.
pub fn compile(
    document: &Document,
    scene: Option<&str>,
    assets: &Assets,
    canvas: Canvas,
) -> Result<SceneProgram, Vec<Diagnostic>> {
    let mut name = find(document, scene)?.1.id.clone();
    let (mut notes, mut asked, mut tried) = (Vec::new(), BTreeSet::new(), Vec::new());
    loop {
        tried.push(name.clone());
        let ledger = Ledger::default();
        let program = compile_one(document, &name, assets, canvas, &ledger)?;
        notes.extend(ledger.notes.into_inner());
        asked.extend(ledger.asked.into_inner());
        let lost = ledger.lost.into_inner();
        let (index, scene) = find(document, Some(&name))?;
        let instead = of_scene(document, scene).filter(|s| s.is_none_or(|s| !tried.iter().any(|t| t == s)));
        let (Some(first), Some(instead)) = (lost.first(), instead) else {
            let left_out: Vec<Diagnostic> = lost.iter().map(|l| l.left_out(document.strict)).collect();
            if document.strict && !left_out.is_empty() {
                return Err(left_out);
            }
            notes.extend(left_out);
            return Ok(SceneProgram { scene: name, notes, uses: asked.into_iter().collect(), ..program });
        };
        let (at, what) = (format!("/scenes/{index}"), format!("the scene \"{name}\" gives way to"));
        match instead {
            Some(other) => {
                notes.push(first.in_place(at, &format!("{what} \"{other}\"")));
                name = other.to_owned();
            }
            None => {
                notes.push(first.in_place(at, &format!("the scene \"{name}\" is not shown")));
                let uses = asked.into_iter().collect();
                return Ok(SceneProgram { scene: name, notes, uses, ..program.emptied() });
            }
        }
    }
}

/// Compiles a scene as it is.
fn compile_one(
    document: &Document,
    scene: &str,
    assets: &Assets,
    canvas: Canvas,
    ledger: &Ledger,
) -> Result<SceneProgram, Vec<Diagnostic>> {
    let (index, scene) = find(document, Some(scene))?;
    let (scene, base) = scene.on(document.base, canvas.width, canvas.height);
    let ratio = |canvas: u32, base: u32| f64::from(canvas) / f64::from(base.max(1));
    let k = ratio(canvas.width, base.0).min(ratio(canvas.height, base.1));
    let parent = (f64::from(canvas.width), f64::from(canvas.height));
    let tokens = &document.tokens.iter().map(|(k, t)| (k.clone(), t.default.clone())).collect();
    let view = View::new(assets, scene.fallback.is_some(), ledger);
    let mut cutter = Cutter { context: Context { tokens, view, canvas, k, parent }, faults: Vec::new() };
    let at = format!("/scenes/{index}");
    let (mut layers, timeline) = timeline::compile::stack(scene, &at, &mut cutter);
    let mut number = 0;
    layers.iter_mut().for_each(|l| l.count(&mut number));
    let insets: usize = layers.iter().map(LayerProgram::insets).sum();
    if insets > MAX_INSETS {
        let text = format!("{insets} layers show videos or cameras; at most {MAX_INSETS} are allowed");
        cutter.faults.push(Diagnostic::error("OCL-LIMIT", &at, text).help("each decodes on its own: show fewer"));
    }
    let way = |t: &Transition, name: &str, c: &mut Cutter<'_>| c.way(t, &format_args!("{at}/{name}"));
    let (enter, exit) = (way(&scene.enter, "in", &mut cutter), way(&scene.exit, "out", &mut cutter));
    match (enter, exit, cutter.faults.is_empty()) {
        (Some(enter), Some(exit), true) => Ok(SceneProgram {
            canvas,
            k,
            enter,
            exit,
            motion: motion(&scene.automation, k, canvas.fps),
            fonts: assets.fonts().clone(),
            layers,
            timeline,
            outside: Outside::default(),
            scene: String::new(),
            notes: Vec::new(),
            uses: Vec::new(),
        }),
        _ => Err(cutter.faults),
    }
}

/// Compiles what a scene consists of, and collects the faults.
pub(crate) struct Cutter<'a> {
    context: Context<'a>,
    pub(crate) faults: Vec<Diagnostic>,
}

impl Cutter<'_> {
    /// A layer, and its pixels; `None` when it cannot be made. One that cannot be shown is there, and shows nothing.
    pub(crate) fn layer(&mut self, l: &Layer, at: &str) -> Option<(LayerProgram, u64)> {
        let mut pixels = 0;
        match one(l, &self.context, at, &mut pixels, &mut self.faults) {
            Ok(program) => Some((program.unwrap_or_else(|| absent(l)), pixels)),
            Err(list) => {
                self.faults.extend(list);
                None
            }
        }
    }
    /// A way in or out; `None` when it cannot be made.
    pub(crate) fn way(&mut self, t: &Transition, at: &dyn Display) -> Option<Way> {
        look::way(t, &self.context.view, self.fps(), at).map_err(|list| self.faults.extend(list)).ok()
    }
    /// The content of a cue, or its fallback when it cannot be shown as it is: which of the two, and its pixels.
    pub(crate) fn cue(&mut self, cue: &Cue, at: &str) -> Option<(LayerProgram, i32, u64)> {
        let Some(fallback) = &cue.fallback else {
            return self.layer(&cue.layer, &format!("{at}/content")).map(|(p, n)| (p, cue.layer.z, n));
        };
        let covered = std::mem::replace(&mut self.context.view.covered, true);
        let ledger = self.context.view.ledger;
        let before = ledger.lost.borrow().len();
        let main = self.layer(&cue.layer, &format!("{at}/content"));
        self.context.view.covered = covered;
        let first = ledger.lost.borrow_mut().split_off(before).into_iter().next();
        let Some(first) = first else { return main.map(|(p, n)| (p, cue.layer.z, n)) };
        let text = format!("the cue \"{}\" shows its fallback", cue.layer.id);
        ledger.notes.borrow_mut().push(first.in_place(at.to_owned(), &text));
        self.layer(fallback, &format!("{at}/fallback")).map(|(p, n)| (p, fallback.z, n))
    }
    /// Frames per second of the output.
    pub(crate) fn fps(&self) -> FrameRate {
        self.context.canvas.fps
    }
}

/// What layers are compiled for.
#[derive(Clone, Copy)]
struct Context<'a> {
    /// Their defaults.
    tokens: &'a BTreeMap<String, String>,
    view: View<'a>,
    canvas: Canvas,
    /// Canvas pixels per base pixel.
    k: f64,
    /// Width and height, in canvas pixels, of what they stand in.
    parent: (f64, f64),
}

/// Compiles layers, and sorts them by their `z`; with each goes its place in the document.
fn all(
    list: &[Layer],
    c: &Context<'_>,
    at: &str,
    total: &mut u64,
    faults: &mut Vec<Diagnostic>,
) -> Vec<(usize, LayerProgram)> {
    let mut layers = Vec::with_capacity(list.len());
    for (i, l) in list.iter().enumerate() {
        match one(l, c, &format!("{at}/{i}"), total, faults) {
            Ok(program) => layers.push((l.z, i, program.unwrap_or_else(|| absent(l)))),
            Err(list) => faults.extend(list),
        }
    }
    // stable: equal z keep the order of the document
    layers.sort_by_key(|(z, ..)| *z);
    layers.into_iter().map(|(_, i, l)| (i, l)).collect()
}

/// A layer that cannot be shown, and what is in it.
fn absent(l: &Layer) -> LayerProgram {
    let inner = match &l.content {
        Content::Group(g) => g.layers.iter().map(absent).collect(),
        _ => Vec::new(),
    };
    LayerProgram::nothing(l.id.clone(), inner)
}

/// Compiles a layer and what is in it; `None` for one that is not shown.
fn one(
    l: &Layer,
    c: &Context<'_>,
    at: &str,
    total: &mut u64,
    faults: &mut Vec<Diagnostic>,
) -> Result<Option<LayerProgram>, Vec<Diagnostic>> {
    match standin::whole(l, &c.view, at) {
        Whole::Yes => {}
        Whole::Hidden => return Ok(None),
        Whole::No(lost) => {
            c.view.ledger.lost.borrow_mut().push(lost);
            return Ok(None);
        }
    }
    let look = look::program(l, &c.view, c.k, at)?;
    let part = |share: Option<f64>, parent: f64| share.map(|s| s * parent);
    let (w, h) = (part(l.relative.width, c.parent.0), part(l.relative.height, c.parent.1));
    let resized = (w.is_some() || h.is_some()).then(|| {
        let mut content = l.content.clone();
        // back to base pixels, of which there is at least one
        content.resize(w.map(|v| (v / c.k).max(1.0)), h.map(|v| (v / c.k).max(1.0)));
        Layer { content, ..l.clone() }
    });
    let l = resized.as_ref().unwrap_or(l);
    let (picture, pixels) = match &l.content {
        Content::Group(g) => (Picture::Group(group(g, c, at, total, faults)), 0),
        _ => {
            let k = c.k * look.detail;
            picture(l, &Spot { tokens: c.tokens, view: c.view, canvas: c.canvas, k, at })?
        }
    };
    *total = total.saturating_add(pixels);
    let offset = [
        part(l.relative.x, c.parent.0).unwrap_or(l.place.x * c.k),
        part(l.relative.y, c.parent.1).unwrap_or(l.place.y * c.k),
    ];
    Ok(Some(LayerProgram {
        name: l.id.clone(),
        number: 0,
        at: at.into(),
        anchor: l.place.anchor,
        within: l.place.within,
        offset,
        opacity: l.opacity,
        look,
        change: l.change.map(|ch| (ch.duration.frames(c.canvas.fps), ch.easing)),
        backing: false,
        left_out: false,
        motion: motion(&l.automation, c.k, c.canvas.fps),
        value: if let Content::Text { value, .. } = l.content { value } else { None },
        picture,
        cue: None,
    }))
}

fn group(g: &Group, c: &Context<'_>, at: &str, total: &mut u64, faults: &mut Vec<Diagnostic>) -> GroupProgram {
    let own = g.size.map(|s| s.map(|s| (s * c.k).round().max(1.0)));
    let parent = (own[0].unwrap_or(c.parent.0), own[1].unwrap_or(c.parent.1));
    let inner = Context { parent, ..*c };
    let (places, mut layers): (Vec<usize>, Vec<LayerProgram>) =
        all(&g.layers, &inner, &format!("{at}/layers"), total, faults).into_iter().unzip();
    let flow = g.layout.map(|l| {
        let there = |i: &usize| layers.get(*i).is_some_and(|l| !l.left_out);
        let mut order: Vec<usize> = (0..places.len()).filter(there).collect();
        order.sort_by_key(|i| places.get(*i).copied());
        Flow {
            column: l.column,
            gap: (l.gap * c.k).round() as i32,
            align: l.align,
            justify: l.justify,
            padding: ((l.padding[0] * c.k).round() as i32, (l.padding[1] * c.k).round() as i32),
            order: order.into_iter().map(|i| i + usize::from(g.background.is_some())).collect(),
        }
    });
    if let Some(b) = g.background {
        let shape = Shape { width: 1, height: 1, radius: b.radius * c.k, oval: false, fill: Fill::Color(b.color) };
        layers.insert(0, LayerProgram::backing(shape));
    }
    let side = |own: Option<f64>, parent: f64| match (&flow, own) {
        (Some(_), None) => 0,
        _ => own.unwrap_or(parent) as i32,
    };
    let size = (side(own[0], parent.0), side(own[1], parent.1));
    let loose = !g.clip && layers.iter().all(|l| l.look.blend == Blend::Normal);
    GroupProgram { size, flow, clip: g.clip, loose, layers }
}

/// A scene by name, or the first.
pub(crate) fn find<'d>(document: &'d Document, name: Option<&str>) -> Result<(usize, &'d Scene), Vec<Diagnostic>> {
    let mut scenes = document.scenes.iter().enumerate();
    let found = match name {
        None => scenes.next(),
        Some(n) => scenes.find(|(_, s)| s.id == n),
    };
    found.ok_or_else(|| {
        let name = name.unwrap_or_default();
        let d = Diagnostic::error("OCL-UNKNOWN-SCENE", "/scenes", format!("the document has no scene \"{name}\""));
        vec![d.suggest(name, document.scenes.iter().map(|s| s.id.as_str()))]
    })
}

fn picture(l: &Layer, spot: &Spot<'_>) -> Drawn {
    let &Spot { view, canvas, k, at, .. } = spot;
    let px = |v: f64| ((v * k).round() as u64).max(1);
    let fits = |w: u64, h: u64| {
        let n = w.saturating_mul(h);
        if n <= MAX_LAYER_PIXELS {
            return Ok(n);
        }
        let text = format!("the layer \"{}\" is {w}x{h} pixels; at most {MAX_LAYER_PIXELS} pixels are allowed", l.id);
        Err(vec![Diagnostic::error("OCL-LIMIT", at, text)])
    };
    let font = |id: &Option<String>, at: Arguments<'_>| match id {
        None => Ok(None),
        Some(id) if matches!(view.font(id), Found::Media(_)) => {
            let d = Diagnostic::error("OCL-ASSET-KIND", at.to_string(), format!("the asset \"{id}\" is not a font"));
            Err(vec![d.help("give a TrueType or OpenType font: a .ttf, .otf or .ttc file")])
        }
        Some(id) => Ok(view.family(id)),
    };
    let looks = |s: &TextStyle, runs: &[Run]| {
        let own = font(&s.font, format_args!("{at}/font"))?;
        let look = |(i, r): (usize, &Run)| {
            Ok(RunSpec {
                rgba: r.color.unwrap_or(s.color).rgba,
                bold: r.bold.unwrap_or(s.bold),
                italic: r.italic.unwrap_or(s.italic),
                scale: r.size.map_or(1.0, |size| size / s.size),
                font: font(&r.font, format_args!("{at}/runs/{i}/font"))?.or(own),
            })
        };
        runs.iter().enumerate().map(look).collect::<Result<Vec<RunSpec>, Vec<Diagnostic>>>()
    };
    let words = |runs: &[Run]| runs.iter().map(|r| r.text.clone()).collect();
    let tallest = |s: &TextSpec| s.runs.iter().map(|r| r.scale).fold(1.0, f64::max) * s.size;
    let spec = |s: &TextStyle, runs: &[Run], align, max_width: Option<f64>, limit| {
        Ok::<TextSpec, Vec<Diagnostic>>(TextSpec {
            size: s.size * k,
            runs: looks(s, runs)?,
            tracking: s.tracking,
            tabular: s.tabular,
            align,
            width: None,
            max_width: max_width.map(|w| w * k),
            wrap: Breaks::None,
            max_lines: MAX_LINES,
            min_size: None,
            decor: Decor {
                outline: s.outline.map(|o| (o.width * k, o.color.rgba)),
                shadow: s.shadow.map(|s| ((s.x * k).round() as i64, (s.y * k).round() as i64, s.color.rgba)),
                plate: None,
            },
            limit,
        })
    };
    Ok(match &l.content {
        Content::Image { asset, width, height, fit, plays } => {
            return spot.image(asset, boxed(l, &view, asset), (*width, *height), *fit, *plays, fits);
        }
        Content::Video(v) => return spot.video(v, fits),
        Content::Camera(c) => return spot.camera(c, fits),
        Content::Gauge(g) => return spot.gauge(g, fits),
        Content::Qr(q) => return spot.qr(q, fits),
        Content::Rect { width, height, radius, fill } => {
            let (w, h) = (px(*width), px(*height));
            let n = fits(w, h)?;
            let shape =
                Shape { width: w as usize, height: h as usize, radius: radius * k, oval: false, fill: fill.clone() };
            (Picture::Rect(shape), n)
        }
        Content::Ellipse { width, height, fill } => {
            let (w, h) = (px(*width), px(*height));
            let n = fits(w, h)?;
            let shape = Shape { width: w as usize, height: h as usize, radius: 0.0, oval: true, fill: fill.clone() };
            (Picture::Rect(shape), n)
        }
        // compiled by its own hand, above
        Content::Group(_) => return Ok((Picture::Group(GroupProgram::default()), 0)),
        Content::Progress { value, range, to, width, height, radius, fill, track } => {
            let (w, h) = (px(*width), px(*height));
            let n = fits(w, h)?;
            let shape =
                Shape { width: w as usize, height: h as usize, radius: radius * k, oval: false, fill: fill.clone() };
            (
                Picture::Progress {
                    value: value.clone(),
                    bar: Bar { shape, range: *range, to: *to, track: track.rgba },
                },
                n,
            )
        }
        Content::Text { runs, value: _, style, align, width, max_width, wrap, max_lines, min_size, background } => {
            // A line wider than twice the canvas shows nowhere whole.
            let limit = 2 * canvas.width.max(1) as usize;
            let most = match (*width, *max_width) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            let mut spec: TextSpec = spec(style, runs, *align, most, limit)?;
            spec.width = width.map(|w| px(w) as usize);
            (spec.wrap, spec.max_lines) = (*wrap, *max_lines);
            spec.min_size = min_size.map(|s| s * k);
            spec.decor.plate = background.map(|b| Plate {
                rgba: b.color.rgba,
                padding: ((b.padding[0] * k).round() as usize, (b.padding[1] * k).round() as usize),
                radius: b.radius * k,
            });
            let line = (tallest(&spec) * LINE_HEIGHT).ceil() as u64;
            let n = fits(width.or(most).map_or(limit as u64, px), line)?;
            (Picture::Text { words: words(runs), spec }, n)
        }
        Content::Ticker { runs, style, width, gap, speed } => {
            let spec: TextSpec = spec(style, runs, Align::Left, None, MAX_LAYER_PIXELS as usize)?;
            let line = (tallest(&spec) * LINE_HEIGHT).ceil() as u64;
            let n = fits(px(*width), line)?;
            let fps = canvas.fps;
            let per_frame = speed * k * f64::from(fps.den()) / f64::from(fps.num());
            // An even window has whole chroma samples at both edges.
            let width = px(*width).next_multiple_of(2) as i64;
            let gap = (gap * k).round() as i64;
            (Picture::Ticker { words: words(runs), spec, width, gap, pace: Pace::nearest(per_frame) }, n)
        }
    })
}

fn motion(a: &Automation, k: f64, fps: FrameRate) -> Motion {
    Motion {
        opacity: track(&a.opacity, fps, |v| *v),
        position: track(&a.position, fps, |p| p.map(|v| v * k)),
        scale: track(&a.scale, fps, |v| *v),
        rotation: track(&a.rotation, fps, |v| *v),
        crop: track(&a.crop, fps, |c| c.map(|v| v * k)),
        size: track(&a.size, fps, |s| s.map(|v| v * k)),
        radius: track(&a.radius, fps, |r| r * k),
        color: track(&a.color, fps, |c| *c),
        value: track(&a.value, fps, |v| *v),
        text: Script::new(&a.text, fps),
        volume: track(&a.volume, fps, |v| *v),
    }
}

/// Times become frames, and stay in order: of two keyframes on one frame the later one counts.
pub(crate) fn track<T: Copy>(envelope: &Envelope<T>, fps: FrameRate, value: impl Fn(&T) -> T) -> Track<T> {
    let mut keys: Vec<Key<T>> = Vec::with_capacity(envelope.keys.len());
    for k in &envelope.keys {
        let frame = k.at.frames(fps).max(keys.last().map_or(0, |l| l.frame));
        if keys.last().is_some_and(|l| l.frame == frame) {
            keys.pop();
        }
        keys.push(Key { frame, value: value(&k.value), easing: k.easing, each: k.each.clone() });
    }
    Track { keys, repeat: envelope.repeat }
}
