//! Colours, and what is known to stand behind a text.

use crate::model::{Blend, Color, Content, Fill, Layer};

/// The least contrast of text (WCAG 2.2, 1.4.3).
pub(super) const LEAST_CONTRAST: f64 = 4.5;
/// The least contrast of large text.
pub(super) const LEAST_CONTRAST_LARGE: f64 = 3.0;
/// Text from this size on is large, as a part of the shorter side of the canvas: 40 pixels of 1080.
pub(super) const LARGE_TEXT_SIZE: f64 = 1.0 / 27.0;
/// Bold text is large from this part of that size on: 14 points are to 18 in WCAG 2.2.
const BOLD: f64 = 14.0 / 18.0;
/// A plate that lets more of the picture through than this alpha does says nothing of what is behind it.
const PLATE_ALPHA: u8 = 128;

/// Width and height of what layers stand in, in base pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) w: f64,
    pub(super) h: f64,
}

/// Left, top, right, bottom.
type Edges = [f64; 4];

impl Room {
    /// The room in a group.
    pub(super) fn of(self, l: &Layer) -> Self {
        let Content::Group(g) = &l.content else { return self };
        let side = |share: Option<f64>, own: Option<f64>, all: f64| share.map(|s| s * all).or(own).unwrap_or(all);
        Self { w: side(l.relative.width, g.size[0], self.w), h: side(l.relative.height, g.size[1], self.h) }
    }

    /// Where a box of this size stands; nothing of a layer that moves, turns or grows.
    fn stand(self, l: &Layer, size: [f64; 2]) -> Option<Edges> {
        let a = &l.automation;
        let still = a.position.keys.is_empty()
            && a.scale.keys.is_empty()
            && a.rotation.keys.is_empty()
            && a.size.keys.is_empty()
            && a.crop.keys.is_empty();
        let plain = l.look.scale == [1.0; 2] && l.look.rotation == 0.0 && l.look.crop == [0.0; 4];
        if !still || !plain {
            return None;
        }
        let along = |part: u8, room: f64, size: f64, offset: f64| {
            let margin = f64::from(l.place.within.margin(room.max(0.0) as u32));
            margin + (room - 2.0 * margin - size) * f64::from(part) / 2.0 + offset
        };
        let (x, y) = (l.relative.x.map_or(l.place.x, |s| s * self.w), l.relative.y.map_or(l.place.y, |s| s * self.h));
        let left = along(l.place.anchor.h, self.w, size[0], x);
        let top = along(l.place.anchor.v, self.h, size[1], y);
        Some([left, top, left + size[0], top + size[1]])
    }
}

/// What is behind a layer, as far as it is known: layers below with their boxes, or one plate.
#[derive(Clone, Debug)]
pub(super) struct Behind<'a> {
    /// From below, in the coordinates of the room of the layer.
    below: Vec<(&'a Layer, Option<Edges>)>,
    plate: Option<Vec<Color>>,
}

impl<'a> Behind<'a> {
    pub(super) fn nothing() -> Self {
        Self { below: Vec::new(), plate: None }
    }
    pub(super) fn plate(colors: Vec<Color>) -> Self {
        Self { below: Vec::new(), plate: Some(colors) }
    }
    /// Layers that stand where their positions say.
    pub(super) fn layers(list: &'a [Layer], room: Room) -> Self {
        Self::nothing().with(list.iter().enumerate().map(|(i, l)| (l.z, i, l)), room)
    }
    /// The same, with more layers over it.
    pub(super) fn with<'b>(&self, more: impl Iterator<Item = (i32, usize, &'b Layer)>, room: Room) -> Behind<'b>
    where
        'a: 'b,
    {
        let mut more: Vec<_> = more.collect();
        more.sort_by_key(|(z, i, _)| (*z, *i));
        let boxes = more.into_iter().map(|(.., l)| (l, extent(l, room).and_then(|size| room.stand(l, size))));
        Behind { below: self.below.iter().copied().chain(boxes).collect(), plate: self.plate.clone() }
    }
    /// As those in a group see it.
    pub(super) fn moved(&self, group: &Layer, room: Room) -> Self {
        let inner = room.of(group);
        let Some([left, top, ..]) = room.stand(group, [inner.w, inner.h]) else { return Self::nothing() };
        let shift = |[x0, y0, x1, y1]: Edges| [x0 - left, y0 - top, x1 - left, y1 - top];
        Self { below: self.below.iter().map(|(l, b)| (*l, b.map(shift))).collect(), plate: self.plate.clone() }
    }
    /// The colours behind a text of so many lines and characters in the longest.
    pub(super) fn of_text(&self, l: &Layer, room: Room, (lines, chars): (usize, usize)) -> Option<Vec<Color>> {
        let (style, width) = match &l.content {
            Content::Text { style, width, max_width, .. } => (style, width.or(*max_width)),
            Content::Ticker { style, width, .. } => (style, Some(*width)),
            _ => return None,
        };
        // how large it is nobody knows before it is drawn: letters are about half as wide as they are high
        let about = chars as f64 * style.size * 0.5;
        let width = l.relative.width.map_or(width, |s| Some(s * room.w)).map_or(about, |w| w.min(about.max(w)));
        let size = [width, lines as f64 * style.size * 1.2];
        let Some([x0, y0, x1, y1]) = room.stand(l, size) else { return self.plate.clone() };
        // what is in the middle of it counts: the estimate is a rough one
        let (w, h) = ((x1 - x0) / 4.0, (y1 - y0) / 4.0);
        let core = [x0 + w, y0 + h, x1 - w, y1 - h];
        for (below, edges) in self.below.iter().rev() {
            let Some(e) = edges else {
                // it may be anywhere; what has no fill hides nothing
                match below.content {
                    Content::Text { background: None, .. } | Content::Ticker { .. } => continue,
                    _ => return None,
                }
            };
            let apart = e[2] <= core[0] || e[0] >= core[2] || e[3] <= core[1] || e[1] >= core[3];
            if apart || matches!(below.content, Content::Ticker { .. } | Content::Text { background: None, .. }) {
                continue;
            }
            let round = e[0] <= core[0] && e[1] <= core[1] && e[2] >= core[2] && e[3] >= core[3];
            return fill(below).filter(|_| round);
        }
        self.plate.clone()
    }
}

/// The size of a layer's box, when the document says it.
fn extent(l: &Layer, room: Room) -> Option<[f64; 2]> {
    let (w, h) = match &l.content {
        Content::Rect { width, height, .. }
        | Content::Ellipse { width, height, .. }
        | Content::Progress { width, height, .. } => (*width, *height),
        Content::Image { width, height, .. } => ((*width)?, (*height)?),
        Content::Video(v) => (v.width?, v.height?),
        Content::Camera(c) => (c.width, c.height),
        Content::Group(g) if g.layout.is_none() => {
            let inner = room.of(l);
            (inner.w, inner.h)
        }
        _ => return None,
    };
    Some([l.relative.width.map_or(w, |s| s * room.w), l.relative.height.map_or(h, |s| s * room.h)])
}

/// The colours of a shape that stands as it is; nothing of one that changes or lets the picture through.
fn fill(l: &Layer) -> Option<Vec<Color>> {
    let (Content::Rect { fill, .. } | Content::Ellipse { fill, .. }) = &l.content else { return None };
    let changes = !l.automation.opacity.keys.is_empty() || !l.automation.color.keys.is_empty();
    if changes || l.look.blend != Blend::Normal || !l.look.masks.is_empty() {
        return None;
    }
    let colors = match fill {
        Fill::Color(c) => vec![*c],
        Fill::Gradient { stops, .. } => stops.iter().map(|(_, c)| *c).collect(),
    };
    let faded = |c: Color| {
        let [r, g, b, a] = c.rgba;
        Color { rgba: [r, g, b, (f64::from(a) * l.opacity).round() as u8] }
    };
    Some(colors.into_iter().map(faded).collect())
}

/// One colour behind a text.
pub(super) fn plate(c: Color) -> Vec<Color> {
    vec![c]
}

/// The contrast that text of this size needs.
pub(super) fn least(size: f64, bold: bool, unit: f64) -> f64 {
    let large = unit * LARGE_TEXT_SIZE * if bold { BOLD } else { 1.0 };
    if size >= large { LEAST_CONTRAST_LARGE } else { LEAST_CONTRAST }
}

/// The worst contrast of a text over these colours, whatever is behind them; the best there is when they say nothing.
pub(super) fn worst(text: Color, behind: &[Color]) -> f64 {
    if behind.iter().any(|c| c.rgba[3] < PLATE_ALPHA) {
        return 21.0;
    }
    let pictures = [Color { rgba: [0, 0, 0, 255] }, Color::WHITE];
    let all = behind.iter().flat_map(|c| pictures.map(|p| over(*c, p)));
    all.map(|below| ratio(over(text, below), below)).fold(21.0, f64::min)
}

/// A colour over an opaque one, mixed as pictures are: in sRGB.
fn over(c: Color, below: Color) -> Color {
    let a = f64::from(c.rgba[3]) / 255.0;
    let mix = |i: usize| (f64::from(c.rgba[i]) * a + f64::from(below.rgba[i]) * (1.0 - a)).round() as u8;
    Color { rgba: [mix(0), mix(1), mix(2), 255] }
}

/// Relative luminance, as WCAG 2.2 defines it; without alpha.
pub(super) fn luminance(c: Color) -> f64 {
    let [r, g, b] = [0, 1, 2].map(|i| {
        let v = f64::from(c.rgba[i]) / 255.0;
        if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// The contrast of two colours, 1 to 21.
pub(super) fn ratio(a: Color, b: Color) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn color(s: &str) -> Color {
        Color::parse(s).unwrap()
    }

    #[test]
    fn contrast_is_that_of_wcag() {
        let of = |a: &str, b: &str| ratio(color(a), color(b));
        assert!((of("#000000", "#FFFFFF") - 21.0).abs() < 1e-9);
        assert!((of("#767676", "#FFFFFF") - 4.54).abs() < 0.01);
        assert!((of("#FF0000", "#0000FF") - 2.15).abs() < 0.01);
    }
    #[test]
    fn what_shines_through_counts() {
        let black = worst(Color::WHITE, &[color("#000000")]);
        let half = worst(Color::WHITE, &[color("#00000080")]);
        assert!((black - 21.0).abs() < 1e-9 && (3.5..4.5).contains(&half), "{half}");
        assert_eq!(worst(Color::WHITE, &[color("#FFFFFF20")]), 21.0, "that is no plate");
        assert!(worst(color("#FFFFFF40"), &[color("#000000")]) < 3.0, "faint letters");
        assert!(worst(Color::WHITE, &[color("#000000"), color("#EEEEEE")]) < 1.2, "the worst colour of a gradient");
    }
}
