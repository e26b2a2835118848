#!/usr/bin/env python3
"""Writes vistter-ocl/src/locale/data.rs from CLDR, as PyPI's babel carries it.

    pip install babel && python3 scripts/make_locales.py > vistter-ocl/src/locale/data.rs
"""
import re

import babel
from babel import Locale
from babel.dates import get_day_names, get_month_names

TAGS = """en ar az bg ca cs da de de-CH el en-GB en-IN es es-MX et fa fi fr fr-CH he hi hr hu id it ja ko lt lv nb nl pl pt
pt-PT ro ru sk sl sr sv th tr uk vi zh zh-Hant""".split()

# The fields of CLDR's patterns (UTS 35), as letters of ours; %N, %K and %L stand only in patterns.
FIELDS = {
    "y": "%Y", "MMMM": "%B", "LLLL": "%B", "MMM": "%b", "LLL": "%b", "MM": "%m", "M": "%N", "dd": "%d", "d": "%e",
    "EEEE": "%A", "HH": "%H", "H": "%K", "hh": "%I", "h": "%L", "mm": "%M", "a": "%p", "G": "", "B": "",
}


def quoted(s):
    out = ""
    for c in s:
        if c in '"\\':
            out += "\\" + c
        elif ord(c) < 32 or ord(c) in (0xA0, 0x202F, 0x200E, 0x200F, 0x61C):
            out += "\\u{%x}" % ord(c)
        else:
            out += c
    return '"' + out + '"'


def ours(pattern):
    """A pattern of CLDR (UTS 35) in our letters."""
    # runs of one letter are one field
    parts = re.findall(r"'([^']*)'|(([A-Za-z])\3*)|([^A-Za-z']+)", pattern)
    out = "".join(q or (FIELDS[f] if f else "") or t for q, f, _, t in parts)
    # where a field has gone, one space is enough
    return re.sub(r" {2,}", " ", out).strip()


def narrow(c):
    """A space that fonts have: CLDR has narrow ones, U+202F."""
    return "\u00a0" if c == "\u202f" else c


def main():
    print(f"//! Made by `scripts/make_locales.py` from CLDR (Unicode licence, `LICENSE-UNICODE` in this folder) as babel {babel.__version__}")
    print("//! carries it. Not edited by hand.\n")
    print("use super::Data;\n")
    print("/// English first, the others in the order of the alphabet.")
    print(f"#[rustfmt::skip]\npub(super) static ALL: [Data; {len(TAGS)}] = [")
    for tag in TAGS:
        loc = Locale.parse(tag, sep="-")
        months, short = (get_month_names(w, "format", locale=loc) for w in ("wide", "abbreviated"))
        days, dshort = (get_day_names(w, "format", locale=loc) for w in ("wide", "abbreviated"))
        # a width that a language does not give is said by the next narrower one
        periods = [loc.day_periods["format"][w] for w in ("wide", "abbreviated", "narrow")]
        half = lambda k: next((p[k] for p in periods if k in p), k.upper())
        halves = [narrow(half("am")), narrow(half("pm"))]
        whole = loc.decimal_formats[None].pattern.split(";")[0].split(".")[0]
        lakh = len(whole.split(",")) > 2
        # babel leaves minimumGroupingDigits out
        least = 2 if tag in ("es", "pl", "pt-PT") else 1
        symbols = loc.number_symbols["latn"]
        date, time = (ours(narrow(f["long" if f is loc.date_formats else "short"].pattern)) for f in (loc.date_formats, loc.time_formats))
        if "B" in loc.time_formats["short"].pattern:
            time = "%H:%M"
        names = lambda v: "[" + ", ".join(quoted(x) for x in v) + "]"
        point, group = (f"'{narrow(symbols[k])}'".replace("\u00a0", "\\u{a0}") for k in ("decimal", "group"))
        print(f"    Data {{ tag: {quoted(tag)}, point: {point}, group: {group}, lakh: {str(lakh).lower()}, least: {least},")
        print(f"        months: {names(months[i] for i in range(1, 13))},")
        print(f"        short_months: {names(short[i] for i in range(1, 13))},")
        # babel counts from Monday
        print(f"        days: {names(days[i] for i in (6, 0, 1, 2, 3, 4, 5))},")
        print(f"        short_days: {names(dshort[i] for i in (6, 0, 1, 2, 3, 4, 5))},")
        print(f"        halves: {names(halves)}, date: {quoted(date.replace(chr(0x202f), chr(0xa0)))}, time: {quoted(time.replace(chr(0x202f), chr(0xa0)))} }},")
    print("];")


main()
