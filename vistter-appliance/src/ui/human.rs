//! Numbers as people read them.

/// `950 B`, `4.2 MB` (1,000-based, as disks and networks are sold).
pub(crate) fn bytes(n: u64) -> String {
    scaled(n as f64, "B")
}

/// `950 bit/s`, `4.5 Mbit/s`.
pub(crate) fn bitrate(bps: u64) -> String {
    scaled(bps as f64, "bit/s")
}

fn scaled(mut v: f64, unit: &str) -> String {
    for prefix in ["", "k", "M", "G", "T"] {
        if v < 999.5 || prefix == "T" {
            let digits = usize::from(!prefix.is_empty() && v < 99.95);
            return format!("{v:.digits$} {prefix}{unit}");
        }
        v /= 1000.0;
    }
    String::new()
}

/// `good`, `usable, 2 warnings`, `1 error, 0 warnings`.
pub(crate) fn verdict(errors: usize, warnings: usize) -> String {
    let plural = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    match (errors, warnings) {
        (0, 0) => "good".to_owned(),
        (0, w) => format!("usable, {}", plural(w, "warning")),
        (e, w) => format!("{}, {}", plural(e, "error"), plural(w, "warning")),
    }
}

/// `00:01:23`.
pub(crate) fn clock(secs: u64) -> String {
    format!("{:02}:{:02}:{:02}", secs / 3600, secs / 60 % 60, secs % 60)
}

/// At most `width` characters; a longer text ends in `…`.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut s: String = text.chars().take(width.saturating_sub(1)).collect();
    s.push('…');
    s
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1_000), "1.0 kB");
        assert_eq!(bytes(99_960), "100 kB");
        assert_eq!(bytes(4_249_000), "4.2 MB");
        assert_eq!(bytes(u64::MAX), "18446744 TB");
        assert_eq!(bitrate(4_500_000), "4.5 Mbit/s");
        assert_eq!(clock(3_723), "01:02:03");
        assert_eq!(cut("harbour", 4), "har…");
    }
}
