//! How a language writes numbers, dates and times. From the Unicode Common Locale Data Repository: what stands in the
//! folder, and never what a machine has installed, so that a text is the same everywhere.

mod data;

/// A language as its tag says it: `de`, `de-CH`, `hi-u-nu-deva`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Locale {
    data: &'static Data,
    /// The character that is its zero; the other digits follow it.
    zero: char,
    pub(crate) numbers: Numbers,
}

/// How a language writes numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Numbers {
    /// Between groups of digits, if anything.
    pub(crate) group: Option<char>,
    pub(crate) point: char,
    /// Three digits in the last group, two in each of the others.
    pub(crate) lakh: bool,
    /// So many digits stand before the last group at least; else there are no groups.
    pub(crate) least: usize,
    pub(crate) zero: char,
}

/// What CLDR says of a language.
#[derive(Debug, PartialEq, Eq)]
struct Data {
    tag: &'static str,
    point: char,
    group: char,
    lakh: bool,
    least: usize,
    months: [&'static str; 12],
    short_months: [&'static str; 12],
    /// From Sunday on.
    days: [&'static str; 7],
    short_days: [&'static str; 7],
    /// Before and after noon.
    halves: [&'static str; 2],
    /// How it writes a date in words, and a time, as formats of the clock.
    date: &'static str,
    time: &'static str,
}

/// Digits by the names that the extension `-u-nu-…` has for them (UTS 35): the name, and the zero.
const DIGITS: [(&str, char); 7] = [
    ("latn", '0'),
    ("arab", '\u{660}'),
    ("arabext", '\u{6f0}'),
    ("beng", '\u{9e6}'),
    ("deva", '\u{966}'),
    ("fullwide", '\u{ff10}'),
    ("thai", '\u{e50}'),
];

impl Default for Locale {
    fn default() -> Self {
        Self::of(&data::ALL[0], '0')
    }
}

impl Locale {
    fn of(data: &'static Data, zero: char) -> Self {
        // Arabic digits have a point and a comma of their own.
        let (group, point) = match zero {
            '\u{660}' | '\u{6f0}' => ('\u{66c}', '\u{66b}'),
            _ => (data.group, data.point),
        };
        let numbers = Numbers { group: Some(group), point, lakh: data.lakh, least: data.least, zero };
        Self { data, zero, numbers }
    }

    /// By its tag (BCP 47); one that is not there is its language: `de-AT` is `de`.
    pub(crate) fn parse(tag: &str) -> Option<Self> {
        let tag = tag.trim().replace('_', "-");
        let (name, extension) = match tag.to_ascii_lowercase().find("-u-") {
            Some(i) => (tag.get(..i)?, tag.get(i + 3..)),
            None => (tag.as_str(), None),
        };
        let zero = match extension {
            None => '0',
            Some(e) => {
                let digits = e.strip_prefix("nu-").or_else(|| e.strip_prefix("NU-"))?;
                DIGITS.iter().find(|(n, _)| n.eq_ignore_ascii_case(digits))?.1
            }
        };
        let sound = |s: &str| (2..=8).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_alphanumeric());
        if name.len() > 35 || !name.split('-').all(sound) {
            return None;
        }
        let mut name = name;
        loop {
            if let Some(d) = data::ALL.iter().find(|d| d.tag.eq_ignore_ascii_case(name)) {
                return Some(Self::of(d, zero));
            }
            name = name.rsplit_once('-')?.0;
        }
    }

    /// The tags there are.
    pub(crate) fn tags() -> impl Iterator<Item = &'static str> {
        data::ALL.iter().map(|d| d.tag)
    }

    #[cfg(test)]
    pub(crate) fn tag(self) -> &'static str {
        self.data.tag
    }
    /// Months from 0, in the form that stands beside a day.
    pub(crate) fn month(self, i: usize, short: bool) -> &'static str {
        let list = if short { &self.data.short_months } else { &self.data.months };
        list.get(i).copied().unwrap_or_default()
    }
    /// Days of the week, from Sunday on.
    pub(crate) fn day(self, i: usize, short: bool) -> &'static str {
        let list = if short { &self.data.short_days } else { &self.data.days };
        list.get(i).copied().unwrap_or_default()
    }
    pub(crate) fn half(self, afternoon: bool) -> &'static str {
        self.data.halves[usize::from(afternoon)]
    }
    /// A date in words, as a format of the clock.
    pub(crate) fn date(self) -> &'static str {
        self.data.date
    }
    /// A time, as a format of the clock.
    pub(crate) fn time(self) -> &'static str {
        self.data.time
    }

    /// Gives `text[from..]` its digits.
    pub(crate) fn digits(self, text: &mut String, from: usize) {
        digits(self.zero, text, from);
    }

    /// A letter in upper case; Turkish and Azerbaijani have an i with and one without a dot.
    pub(crate) fn upper(self, c: char, out: &mut String) {
        match c {
            'i' if self.dotted() => out.push('İ'),
            c => c.to_uppercase().for_each(|c| out.push(c)),
        }
    }
    /// A letter in lower case.
    pub(crate) fn lower(self, c: char, out: &mut String) {
        match c {
            'I' if self.dotted() => out.push('ı'),
            'İ' if self.dotted() => out.push('i'),
            c => c.to_lowercase().for_each(|c| out.push(c)),
        }
    }
    fn dotted(self) -> bool {
        matches!(self.data.tag, "tr" | "az")
    }
}

/// Puts other digits in the place of those of ASCII in `text[from..]`.
pub(crate) fn digits(zero: char, text: &mut String, from: usize) {
    if zero == '0' || !text.get(from..).is_some_and(|t| t.bytes().any(|b| b.is_ascii_digit())) {
        return;
    }
    let tail = text.split_off(from);
    let of = |d: u32| char::from_u32(u32::from(zero) + d);
    text.extend(tail.chars().map(|c| c.to_digit(10).and_then(of).unwrap_or(c)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_found() {
        for (tag, want) in [
            ("de", Some("de")),
            ("DE-ch", Some("de-CH")),
            ("de_AT", Some("de")),
            ("zh-Hant-TW", Some("zh-Hant")),
            ("zh-Hans", Some("zh")),
            ("hi-u-nu-deva", Some("hi")),
            ("hi-u-nu-roman", None),
            ("hi-u-ca-indian", None),
            ("xx", None),
            ("", None),
            ("d", None),
            ("de-", None),
            ("düsseldorf", None),
        ] {
            assert_eq!(Locale::parse(tag).map(Locale::tag), want, "{tag}");
        }
        assert_eq!(Locale::default().tag(), "en");
        for tag in "en de fr es it pt nl sv pl tr ar he hi th ja zh ko".split(' ') {
            assert_eq!(Locale::parse(tag).map(Locale::tag), Some(tag));
        }
        assert_eq!(Locale::tags().count(), data::ALL.len());
    }
    #[test]
    fn the_data_is_whole() {
        for d in &data::ALL {
            let all = [&d.months[..], &d.short_months, &d.days, &d.short_days, &d.halves, &[d.date, d.time]];
            assert!(all.concat().iter().all(|s| !s.is_empty()), "{}", d.tag);
            for f in [d.date, d.time] {
                let letters: Vec<char> = f.split('%').skip(1).filter_map(|s| s.chars().next()).collect();
                assert!(letters.len() >= 2 && letters.iter().all(|l| "YmdebBNHKILMp".contains(*l)), "{}: {f}", d.tag);
            }
        }
    }
    #[test]
    fn digits_and_letters() {
        let mut s = "7 + 12".to_owned();
        Locale::parse("ar-u-nu-arab").unwrap().digits(&mut s, 3);
        assert_eq!(s, "7 + ١٢");
        let tr = Locale::parse("tr").unwrap();
        let mut s = String::new();
        "izmir I".chars().for_each(|c| tr.upper(c, &mut s));
        "İI".chars().for_each(|c| tr.lower(c, &mut s));
        assert_eq!(s, "İZMİR Iiı");
    }
}
