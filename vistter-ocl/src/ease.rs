//! Easing curves, in arithmetic that gives the same bits on every machine (no library transcendental).

use crate::model::Easing;

/// Steps of bisection: the curve's parameter is exact to 2⁻⁴⁰, far below a pixel or a level of opacity.
const STEPS: u32 = 40;

impl Easing {
    /// Progress 0…1 of the value at progress `t` 0…1 of the time. May overshoot for a Bézier with `y` outside 0…1.
    pub fn at(self, t: f64) -> f64 {
        let t = t.clamp(0.0, 1.0);
        match self {
            // exact at both ends, whatever the solver rounds
            _ if t >= 1.0 => 1.0,
            _ if t <= 0.0 => 0.0,
            Self::Hold => 0.0,
            Self::Linear => t,
            Self::Bezier([x1, y1, x2, y2]) => bezier(solve(t, x1, x2), y1, y2),
        }
    }
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

    #[test]
    fn known_points() {
        let io = Easing::parse("easeInOut").unwrap();
        assert!((io.at(0.5) - 0.5).abs() < 1e-9, "symmetric");
        assert!(io.at(0.25) < 0.25 && io.at(0.75) > 0.75);
        // CSS ease-in at 0.5: 0.3153568
        assert!((Easing::parse("easeIn").unwrap().at(0.5) - 0.315_356_8).abs() < 1e-6);
        assert_eq!(Easing::Hold.at(0.999), 0.0);
        assert_eq!(Easing::Hold.at(1.0), 1.0);
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
    }
}
