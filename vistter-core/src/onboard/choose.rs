//! Which media profile of a camera a show takes.

use std::cmp::Ordering;

use serde::Serialize;

/// A media profile as the camera describes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Offer {
    /// Its token.
    pub token: String,
    /// Its name.
    pub name: String,
    /// `H264`, `H265`, `JPEG`; as the camera writes it.
    pub encoding: Option<String>,
    /// Width and height in pixels.
    pub size: Option<(u32, u32)>,
    /// Frames per second, as configured.
    pub fps: Option<f64>,
    /// Bitrate limit in kbit/s.
    pub kbps: Option<u32>,
    /// Frames from one keyframe to the next, as configured.
    pub gop: Option<u32>,
    /// Whether it has sound.
    pub audio: bool,
    /// Whether the camera can be moved through it.
    pub ptz: bool,
}

/// What the show would like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wish {
    /// The program's width in pixels.
    pub width: u32,
    /// The program's height in pixels.
    pub height: u32,
    /// The program's frames per second.
    pub fps: f64,
    /// The sub stream instead of the main one, for a weak machine or network.
    pub sub: bool,
}

impl Default for Wish {
    /// 1080p30 from the main stream.
    fn default() -> Self {
        Self { width: 1920, height: 1080, fps: 30.0, sub: false }
    }
}

/// The profile that was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its place among the offers.
    pub index: usize,
    /// Why this one.
    pub why: String,
    /// It is H.265, because no H.264 is offered.
    pub h265: bool,
}

/// Picks the profile: H.264 over H.265 (half the cost of decoding), the main over the sub stream (or the other way round,
/// if wished), then the size nearest to the program's, then the nearest rate, then the camera's own order. `None` when
/// none of them has pictures that are decoded here.
pub fn choose(offers: &[Offer], wish: &Wish) -> Option<Choice> {
    let usable = offers.iter().enumerate().filter(|(_, o)| codec(o) < Coded::Other);
    let (index, best) = usable.min_by(|a, b| compare(a.1, b.1, wish))?;
    Some(Choice { index, why: why(best, index, offers, wish), h265: codec(best) == Coded::H265 })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Coded {
    H264,
    H265,
    /// The camera does not say: it may be either.
    Unknown,
    Other,
}

fn codec(o: &Offer) -> Coded {
    let Some(name) = &o.encoding else { return Coded::Unknown };
    match name.to_ascii_lowercase().replace(['.', '-'], "").as_str() {
        "h264" => Coded::H264,
        "h265" | "hevc" => Coded::H265,
        _ => Coded::Other,
    }
}

/// Cameras call their smaller streams so: Hikvision and Dahua sub and third, Tapo minor.
fn is_sub(o: &Offer) -> bool {
    let text = format!("{} {}", o.name, o.token).to_ascii_lowercase();
    ["sub", "minor", "third", "mobile"].iter().any(|w| text.contains(w))
}

fn compare(a: &Offer, b: &Offer, wish: &Wish) -> Ordering {
    let wrong_stream = |o: &Offer| is_sub(o) != wish.sub;
    // A camera that does not name its streams has its smallest for a sub stream.
    let size = |o: &Offer| match (o.size, wish.sub) {
        (Some((w, h)), true) => f64::from(w) * f64::from(h),
        (Some((w, h)), false) => distance(w, h, wish),
        (None, _) => f64::INFINITY,
    };
    let rate = |o: &Offer| o.fps.filter(|f| f.is_finite()).map_or(f64::INFINITY, |f| (f - wish.fps).abs());
    codec(a)
        .cmp(&codec(b))
        .then(wrong_stream(a).cmp(&wrong_stream(b)))
        .then(size(a).total_cmp(&size(b)))
        .then(rate(a).total_cmp(&rate(b)))
}

/// How many times larger or smaller, on a scale where double and half are equally far.
fn distance(w: u32, h: u32, wish: &Wish) -> f64 {
    let area = |w: u32, h: u32| f64::from(w.max(1)) * f64::from(h.max(1));
    (area(w, h) / area(wish.width, wish.height)).ln().abs()
}

fn why(best: &Offer, index: usize, offers: &[Offer], wish: &Wish) -> String {
    let coded = match codec(best) {
        Coded::H264 => "H.264",
        Coded::H265 => "H.265, no H.264 is offered",
        _ => "the camera does not say how it is coded",
    };
    let size = match best.size {
        Some((w, h)) if wish.sub => format!("{w}x{h}, a sub stream as wished"),
        Some((w, h)) if (w, h) == (wish.width, wish.height) => format!("{w}x{h} as the program"),
        Some((w, h)) => format!("{w}x{h} is nearest to the program's {}x{}", wish.width, wish.height),
        None => "of unknown size".to_owned(),
    };
    let rate = best.fps.map(|f| format!(", {f:.0} frames per second")).unwrap_or_default();
    let others = offers.iter().enumerate().filter(|(i, _)| *i != index);
    let passed: Vec<String> =
        others.map(|(_, o)| format!("{} ({})", label(o), drawback(o, best, wish))).take(8).collect();
    let passed = if passed.is_empty() { String::new() } else { format!("; passed over: {}", passed.join(", ")) };
    format!("{coded}, {size}{rate}{passed}")
}

/// Its name, or its token where it has none.
fn label(o: &Offer) -> &str {
    if o.name.is_empty() { &o.token } else { &o.name }
}

fn drawback(o: &Offer, best: &Offer, wish: &Wish) -> String {
    match codec(o) {
        Coded::Other => o.encoding.clone().unwrap_or_default(),
        Coded::H265 if codec(best) == Coded::H264 => "H.265".into(),
        Coded::Unknown if codec(best) != Coded::Unknown => "coding unknown".into(),
        _ if is_sub(o) != is_sub(best) => if wish.sub { "the main stream" } else { "a sub stream" }.into(),
        _ => match (o.size, o.fps) {
            (Some((w, h)), _) if o.size != best.size => format!("{w}x{h}"),
            (_, Some(f)) if o.fps != best.fps => format!("{f:.0} frames per second"),
            _ => "the camera lists it later".into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn offer(name: &str, encoding: &str, size: (u32, u32), fps: f64) -> Offer {
        let encoding = (!encoding.is_empty()).then(|| encoding.to_owned());
        Offer { token: name.into(), name: name.into(), encoding, size: Some(size), fps: Some(fps), ..Offer::default() }
    }
    const FULL: (u32, u32) = (1920, 1080);
    const UHD: (u32, u32) = (3840, 2160);
    const SMALL: (u32, u32) = (640, 360);

    #[test]
    fn the_rule() {
        let wish = Wish::default();
        let sub = Wish { sub: true, ..wish };
        let small = Wish { width: 640, height: 360, ..wish };
        let main = || offer("main", "H264", FULL, 25.0);
        for (what, offers, wish, want) in [
            ("H.264 over H.265", vec![offer("a", "H265", FULL, 30.0), offer("b", "H264", SMALL, 15.0)], wish, 1),
            ("nearest size", vec![offer("a", "H264", UHD, 30.0), offer("b", "h264", FULL, 15.0)], wish, 1),
            ("nearest rate", vec![offer("a", "H264", FULL, 60.0), offer("b", "H.264", FULL, 25.0)], wish, 1),
            ("first of equals", vec![main(), offer("other", "H264", FULL, 25.0)], wish, 0),
            ("main though sub is nearer", vec![offer("subStream", "H264", SMALL, 30.0), main()], small, 1),
            ("sub as wished", vec![main(), offer("minorStream", "H264", SMALL, 30.0)], sub, 1),
            ("sub without names", vec![main(), offer("Profile_2", "H264", SMALL, 30.0)], sub, 1),
            (
                "a sub stream in H.264 over a main one in H.265",
                vec![offer("main", "H265", FULL, 25.0), offer("sub", "H264", SMALL, 25.0)],
                wish,
                1,
            ),
            ("never JPEG", vec![offer("jpeg", "JPEG", FULL, 30.0), offer("x", "", SMALL, 5.0)], wish, 1),
        ] {
            let c = choose(&offers, &wish).unwrap();
            assert_eq!(c.index, want, "{what}: {}", c.why);
        }
        let only = choose(&[offer("a", "HEVC", UHD, 25.0)], &wish).unwrap();
        assert!(only.h265 && only.why.contains("no H.264"), "{}", only.why);
        assert_eq!(choose(&[offer("a", "JPEG", FULL, 25.0)], &wish), None);
        assert_eq!(choose(&[], &wish), None);
        let said =
            choose(&[main(), offer("sub", "H264", SMALL, 25.0), offer("hevc", "H265", FULL, 25.0)], &wish).unwrap();
        assert_eq!(
            said.why,
            "H.264, 1920x1080 as the program, 25 frames per second; passed over: sub (a sub stream), hevc (H.265)"
        );
    }
    proptest! {
        #[test]
        fn any_offers_and_any_order(
            all in proptest::collection::vec((any::<bool>(), 0u32..5000, 0u32..5000, any::<f64>()), 0..8), turn in 0usize..8,
        ) {
            let mut offers: Vec<Offer> = all.iter().enumerate()
                .map(|(i, (h, x, y, f))| offer(&format!("p{i}"), if *h { "H264" } else { "H265" }, (*x, *y), *f)).collect();
            let a = choose(&offers, &Wish::default());
            prop_assert_eq!(a.is_some(), !offers.is_empty());
            if let Some(a) = a {
                let best = offers[a.index].clone();
                prop_assert!(!a.h265 || offers.iter().all(|o| o.encoding.as_deref() == Some("H265")));
                // The order matters among equals only.
                let n = offers.len();
                offers.rotate_left(turn % n);
                let b = &offers[choose(&offers, &Wish::default()).unwrap().index];
                prop_assert!(compare(&best, b, &Wish::default()) == Ordering::Equal);
            }
        }
    }
}
