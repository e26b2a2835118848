//! Functions that give the same bits on every machine: nothing but IEEE 754 addition, multiplication, division and
//! square root, in a fixed order. The library's own sine and power differ in the last bit from system to system, and a
//! last bit decides on which side of a pixel a rounded position falls.

/// Sine of an angle in turns (1 is a full circle), to about 2⁻⁴⁵.
pub(crate) fn sin_turns(turns: f64) -> f64 {
    if !turns.is_finite() {
        return 0.0;
    }
    let t = turns - turns.floor();
    // to the first quarter, where the series is short
    let (t, sign) = if t >= 0.5 { (t - 0.5, -1.0) } else { (t, 1.0) };
    let t = if t > 0.25 { 0.5 - t } else { t };
    let x = t * std::f64::consts::TAU;
    let x2 = x * x;
    // Taylor to x¹⁷: at π/2 the next term is below 5·10⁻¹⁴.
    let mut sum = 0.0;
    for n in [17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0] {
        sum = (1.0 - sum) * x2 / (n * (n - 1.0));
    }
    sign * x * (1.0 - sum)
}

/// Cosine of an angle in turns.
pub(crate) fn cos_turns(turns: f64) -> f64 {
    sin_turns(turns + 0.25)
}

/// The direction of a point in turns, 0 to 1: from the x axis towards the y axis.
pub(crate) fn turns(x: f64, y: f64) -> f64 {
    let (near, far) = (x.abs().min(y.abs()), x.abs().max(y.abs()));
    if far == 0.0 {
        return 0.0;
    }
    // half the angle twice, which leaves at most π/16, where the series is short
    let half = |t: f64| t / (1.0 + (1.0 + t * t).sqrt());
    let t = half(half(near / far));
    let t2 = t * t;
    let mut sum = 0.0;
    for n in [21.0, 19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0] {
        sum = 1.0 / n - t2 * sum;
    }
    let eighth = 4.0 * t * sum / std::f64::consts::TAU;
    let quarter = if y.abs() > x.abs() { 0.25 - eighth } else { eighth };
    let half = if x < 0.0 { 0.5 - quarter } else { quarter };
    if y < 0.0 { (1.0 - half) % 1.0 } else { half }
}

/// 2 to the power of `x`, to about 2⁻⁴⁵ of itself; 0 below 2⁻¹⁰⁰.
pub(crate) fn exp2(x: f64) -> f64 {
    if x.is_nan() || x < -100.0 {
        return 0.0;
    }
    let x = x.min(100.0);
    let whole = x.floor();
    let y = (x - whole) * std::f64::consts::LN_2;
    let mut sum = 1.0;
    for n in (1..=16).rev() {
        sum = 1.0 + y * sum / f64::from(n);
    }
    let mut k = whole as i32;
    while k > 0 {
        sum *= 2.0;
        k -= 1;
    }
    while k < 0 {
        sum /= 2.0;
        k += 1;
    }
    sum
}

/// e to the power of `x`.
pub(crate) fn exp(x: f64) -> f64 {
    exp2(x * std::f64::consts::LOG2_E)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn near_the_true_values(x in -30.0..30.0f64) {
            prop_assert!((sin_turns(x) - (x * std::f64::consts::TAU).sin()).abs() < 1e-11);
            prop_assert!((cos_turns(x) - (x * std::f64::consts::TAU).cos()).abs() < 1e-11);
            let y = 7.0 - x / 3.0;
            let angle = turns(x, y) * std::f64::consts::TAU;
            prop_assert!((angle.sin() - y / x.hypot(y)).abs() < 1e-11 && (angle.cos() - x / x.hypot(y)).abs() < 1e-11);
            prop_assert!((exp2(x) / x.exp2() - 1.0).abs() < 1e-12);
            prop_assert!((exp(x) / x.exp() - 1.0).abs() < 1e-11);
        }
    }
    #[test]
    fn exact_where_it_matters() {
        assert_eq!((sin_turns(0.0), sin_turns(0.5), exp2(-3.0), exp2(10.0)), (0.0, 0.0, 0.125, 1024.0));
        assert_eq!(
            [turns(1.0, 0.0), turns(0.0, 1.0), turns(-2.0, 0.0), turns(0.0, -3.0), turns(0.0, 0.0)],
            [0.0, 0.25, 0.5, 0.75, 0.0]
        );
        assert!((turns(1.0, -1.0) - 0.875).abs() < 1e-12);
        assert!((sin_turns(0.25) - 1.0).abs() < 1e-13);
        assert_eq!((exp2(f64::NAN), exp2(-1e9), sin_turns(f64::INFINITY)), (0.0, 0.0, 0.0));
    }
}
