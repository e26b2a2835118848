//! Easing curves, in arithmetic that gives the same bits on every machine (see `exact.rs`).

use crate::exact::{cos_turns, exp, exp2, sin_turns};
use crate::model::{Easing, Ends, Jump, Shape};

/// Steps of bisection: the curve's parameter is exact to 2⁻⁴⁰, far below a pixel or a level of opacity.
const STEPS: u32 = 40;

/// A spring has come to rest when what is left of its swing is e⁻¹⁰, a twentieth of a thousandth.
const REST: f64 = 10.0;

impl Easing {
    /// Progress 0…1 of the value at progress `t` 0…1 of the time. May overshoot for `back`, `elastic`, springs and a
    /// Bézier with `y` outside 0…1.
    pub fn at(self, t: f64) -> f64 {
        let t = t.clamp(0.0, 1.0);
        match self {
            // a step at the start is the one curve that does not begin at 0
            Self::Steps(n, jump) if t < 1.0 => steps(n, jump, t),
            // exact at both ends, whatever the solver rounds
            _ if t >= 1.0 => 1.0,
            _ if t <= 0.0 => 0.0,
            Self::Hold => 0.0,
            Self::Linear => t,
            Self::Bezier([x1, y1, x2, y2]) => bezier(solve(t, x1, x2), y1, y2),
            Self::Named(shape, Ends::In) => ease_in(shape, t),
            Self::Named(shape, Ends::Out) => 1.0 - ease_in(shape, 1.0 - t),
            Self::Named(shape, Ends::InOut) if t < 0.5 => in_out(shape, t),
            Self::Named(shape, Ends::InOut) => 1.0 - in_out(shape, 1.0 - t),
            Self::Spring(damping) => spring(damping, t) / spring(damping, 1.0),
            Self::Steps(..) => 1.0,
        }
    }
}

/// The first half of an ease in and out, up to `t` = 0.5.
fn in_out(shape: Shape, t: f64) -> f64 {
    match shape {
        // As in the well-known set of easings, these two swing wider when they swing at both ends.
        Shape::Back => {
            let k = BACK * 1.525;
            let t = 2.0 * t;
            t * t * ((k + 1.0) * t - k) / 2.0
        }
        Shape::Elastic => -exp2(20.0 * t - 10.0) * sin_turns((20.0 * t - 11.125) / 4.5) / 2.0,
        _ => ease_in(shape, 2.0 * t) / 2.0,
    }
}

/// How far `back` draws back: a tenth of the way.
const BACK: f64 = 1.701_58;

/// The 30 standard easings are these ten, mirrored and halved.
fn ease_in(shape: Shape, t: f64) -> f64 {
    match shape {
        Shape::Sine => 1.0 - cos_turns(t / 4.0),
        Shape::Quad => t * t,
        Shape::Cubic => t * t * t,
        Shape::Quart => t * t * t * t,
        Shape::Quint => t * t * t * t * t,
        Shape::Expo => exp2(10.0 * t - 10.0),
        Shape::Circ => 1.0 - (1.0 - t * t).sqrt(),
        Shape::Back => t * t * ((BACK + 1.0) * t - BACK),
        Shape::Elastic => -exp2(10.0 * t - 10.0) * sin_turns((10.0 * t - 10.75) / 3.0),
        Shape::Bounce => 1.0 - bounce_out(1.0 - t),
    }
}

/// Four parabolas, each bounce a quarter as high as the one before.
fn bounce_out(t: f64) -> f64 {
    const N: f64 = 7.5625;
    const D: f64 = 2.75;
    let (from, height) = if t < 1.0 / D {
        (0.0, 0.0)
    } else if t < 2.0 / D {
        (1.5 / D, 0.75)
    } else if t < 2.5 / D {
        (2.25 / D, 0.9375)
    } else {
        (2.625 / D, 0.984_375)
    };
    N * (t - from) * (t - from) + height
}

/// `n` even steps, `t` below 1; where the jumps are is CSS's `steps()`.
fn steps(n: u32, jump: Jump, t: f64) -> f64 {
    let n = f64::from(n.max(1));
    let done = (t * n).floor();
    match jump {
        Jump::End => done / n,
        Jump::Start => (done + 1.0) / n,
        Jump::Both => (done + 1.0) / (n + 1.0),
        Jump::None => {
            if n > 1.0 {
                done / (n - 1.0)
            } else {
                0.0
            }
        }
    }
}

/// A spring of a damping ratio 0…1 that is let go at 0 and has come to rest at 1.
fn spring(damping: f64, t: f64) -> f64 {
    let ratio = damping.clamp(0.05, 1.0);
    let decay = exp(-REST * t);
    let swing = (REST / ratio) * (1.0 - ratio * ratio).max(0.0).sqrt();
    if swing < 1e-3 {
        return 1.0 - decay * (1.0 + REST * t);
    }
    let turns = swing * t / std::f64::consts::TAU;
    1.0 - decay * (cos_turns(turns) + REST / swing * sin_turns(turns))
}

/// One coordinate of a cubic Bézier from 0 to 1 with control values `a` and `b`.
fn bezier(s: f64, a: f64, b: f64) -> f64 {
    let r = 1.0 - s;
    3.0 * r * r * s * a + 3.0 * r * s * s * b + s * s * s
}

/// The parameter at which x is `t`; x rises with the parameter because both control values are within 0…1.
fn solve(t: f64, x1: f64, x2: f64) -> f64 {
    let (mut lo, mut hi) = (0.0, 1.0);
    for _ in 0..STEPS {
        let mid = (lo + hi) / 2.0;
        if bezier(mid, x1, x2) < t { lo = mid } else { hi = mid }
    }
    (lo + hi) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn named(name: &str) -> Easing {
        Easing::parse(name).unwrap_or_else(|| panic!("{name}"))
    }

    #[test]
    fn known_points() {
        let io = named("easeInOut");
        assert!((io.at(0.5) - 0.5).abs() < 1e-9, "symmetric");
        assert!(io.at(0.25) < 0.25 && io.at(0.75) > 0.75);
        // CSS ease-in at 0.5: 0.3153568
        assert!((named("easeIn").at(0.5) - 0.315_356_8).abs() < 1e-6);
        assert_eq!(Easing::Hold.at(0.999), 0.0);
        assert_eq!(Easing::Hold.at(1.0), 1.0);
    }
    /// Values of the published formulas (easings.net) at a quarter of the way.
    #[test]
    fn the_standard_set() {
        for (name, want) in [
            ("easeInSine", 0.076_120_467),
            ("easeOutSine", 0.382_683_432),
            ("easeInOutSine", 0.146_446_609),
            ("easeInQuad", 0.0625),
            ("easeOutCubic", 0.578_125),
            ("easeInOutQuart", 0.031_25),
            ("easeOutQuint", 0.762_695_313),
            ("easeInExpo", 0.005_524_272),
            ("easeOutExpo", 0.823_223_305),
            ("easeOutCirc", 0.661_437_828),
            ("easeInBack", -0.064_136_563),
            ("easeOutBack", 0.817_409_688),
            ("easeInOutBack", -0.099_681_844),
            ("easeInElastic", -0.005_524_272),
            ("easeOutElastic", 0.911_611_652),
            ("easeInOutElastic", 0.011_969_444),
            ("easeInBounce", 0.027_343_75),
            ("easeOutBounce", 0.472_656_25),
            ("easeInOutBounce", 0.117_187_5),
        ] {
            let got = named(name).at(0.25);
            assert!((got - want).abs() < 1e-6, "{name}: {got}, not {want}");
        }
    }
    #[test]
    fn steps_as_in_css() {
        let at = |jump, t| Easing::Steps(4, jump).at(t);
        assert_eq!((at(Jump::End, 0.0), at(Jump::End, 0.3), at(Jump::End, 0.99)), (0.0, 0.25, 0.75));
        assert_eq!((at(Jump::Start, 0.0), at(Jump::Start, 0.99)), (0.25, 1.0));
        assert_eq!((at(Jump::Both, 0.0), at(Jump::None, 0.99), at(Jump::None, 0.0)), (0.2, 1.0, 0.0));
        assert_eq!(Easing::Steps(1, Jump::None).at(0.5), 0.0);
    }
    #[test]
    fn a_loose_spring_swings_over_and_a_stiff_one_does_not() {
        let most = |d: f64| (0..=100).map(|i| Easing::Spring(d).at(f64::from(i) / 100.0)).fold(0.0, f64::max);
        assert!(
            most(0.2) > 1.3 && most(0.5) > 1.1 && most(1.0) <= 1.000_1,
            "{} {} {}",
            most(0.2),
            most(0.5),
            most(1.0)
        );
    }
    proptest! {
        #[test]
        fn ends_are_exact_and_the_way_rises(x1 in 0.0..=1.0f64, x2 in 0.0..=1.0f64, y1 in 0.0..=1.0f64, y2 in 0.0..=1.0f64,
                                            t in 0.0..1.0f64, d in 0.0..1.0f64) {
            let e = Easing::Bezier([x1, y1, x2, y2]);
            prop_assert_eq!(e.at(1.0), 1.0);
            prop_assert_eq!(e.at(0.0), 0.0);
            let u = (t + d).min(1.0);
            prop_assert!(e.at(u) >= e.at(t) - 1e-9);
        }
        #[test]
        fn every_named_easing_begins_at_0_and_ends_at_1(i in 0usize..35, t in 0.0..=1.0f64) {
            let e = named(Easing::NAMES[i % Easing::NAMES.len()]);
            prop_assert_eq!((e.at(0.0), e.at(1.0)), (0.0, 1.0));
            prop_assert!((-0.5..=1.5).contains(&e.at(t)), "{}", e.at(t));
        }
    }
}
