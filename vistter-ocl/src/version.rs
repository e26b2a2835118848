//! Versions of the language: which are spoken, and how a document of one becomes a document of another.

/// A version as written: `1.1` or `1.1.0`. What stands behind a third number must not matter to a reader.
pub(crate) fn parse(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.');
    let mut number = || {
        let p = parts.next()?;
        // no sign, no leading zeros: one version has one name
        let plain = !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()) && (p.len() == 1 || !p.starts_with('0'));
        plain.then(|| p.parse::<u32>().ok())?
    };
    let (major, minor) = (number()?, number()?);
    let rest: Vec<&str> = text.split('.').skip(2).collect();
    match rest.as_slice() {
        [] => Some((major, minor)),
        [patch] if !patch.is_empty() && patch.bytes().all(|b| b.is_ascii_digit()) => Some((major, minor)),
        _ => None,
    }
}
