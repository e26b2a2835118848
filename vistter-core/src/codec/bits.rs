//! Bits of H.264 syntax (ITU-T H.264 §7.2, §9.1): just enough to read slice headers and to rewrite an SPS.

use crate::error::{Error, ErrorKind, Result};

/// Reads an RBSP (emulation prevention already removed), most significant bit first.
pub(super) struct BitReader<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0 }
    }
    /// Position in bits.
    pub(super) fn position(&self) -> usize {
        self.at
    }
    pub(super) fn bit(&mut self) -> Result<bool> {
        let byte = self.data.get(self.at / 8).ok_or_else(ended)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Ok(bit == 1)
    }
    /// Up to 32 bits.
    pub(super) fn bits(&mut self, n: u32) -> Result<u32> {
        let mut v = 0u32;
        for _ in 0..n.min(32) {
            v = v << 1 | u32::from(self.bit()?);
        }
        Ok(v)
    }
    /// `ue(v)` (§9.1).
    pub(super) fn ue(&mut self) -> Result<u32> {
        let mut zeros = 0;
        while !self.bit()? {
            zeros += 1;
            if zeros > 31 {
                return Err(Error::new(ErrorKind::Media, "an Exp-Golomb code is too long"));
            }
        }
        Ok((1u32 << zeros) - 1 + self.bits(zeros)?)
    }
}

fn ended() -> Error {
    Error::new(ErrorKind::Media, "a parameter set or slice header ends too early")
}

/// Writes bits, most significant bit first.
#[derive(Default)]
pub(super) struct BitWriter {
    data: Vec<u8>,
    used: usize,
}

impl BitWriter {
    pub(super) fn bit(&mut self, v: bool) {
        if self.used.is_multiple_of(8) {
            self.data.push(0);
        }
        if v && let Some(last) = self.data.last_mut() {
            *last |= 0x80 >> (self.used % 8);
        }
        self.used += 1;
    }
    /// Up to 32 bits.
    pub(super) fn bits(&mut self, v: u32, n: u32) {
        for i in (0..n).rev() {
            self.bit(v >> i & 1 == 1);
        }
    }
    /// `rbsp_trailing_bits` (§7.3.2.11), then the bytes.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.bit(true);
        self.data
    }
}

/// Removes emulation prevention bytes (§7.3.1) from a NAL unit's payload, up to `limit` bytes of output.
pub(super) fn to_rbsp(payload: &[u8], limit: usize, out: &mut Vec<u8>) {
    out.clear();
    let mut zeros = 0;
    for &b in payload {
        if out.len() >= limit {
            return;
        }
        if zeros >= 2 && b == 3 {
            zeros = 0;
            continue;
        }
        zeros = if b == 0 { zeros + 1 } else { 0 };
        out.push(b);
    }
}

/// Appends an RBSP with emulation prevention bytes.
pub(super) fn push_escaped(rbsp: &[u8], out: &mut Vec<u8>) {
    let mut zeros = 0;
    for &b in rbsp {
        if zeros >= 2 && b <= 3 {
            out.push(3);
            zeros = 0;
        }
        zeros = if b == 0 { zeros + 1 } else { 0 };
        out.push(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn exp_golomb() {
        // 1, 010, 011, 00100 are 0, 1, 2, 3 (table 9-1).
        let mut r = BitReader::new(&[0b1010_0110, 0b0100_0000]);
        assert_eq!([r.ue().unwrap(), r.ue().unwrap(), r.ue().unwrap(), r.ue().unwrap()], [0, 1, 2, 3]);
        assert!(BitReader::new(&[0, 0, 0, 0, 0, 0]).ue().is_err());
        assert!(BitReader::new(&[0]).ue().is_err());
    }
    proptest! {
        #[test]
        fn escaping_round_trips(data in proptest::collection::vec(0u8..5, 0..80)) {
            let mut escaped = Vec::new();
            push_escaped(&data, &mut escaped);
            prop_assert!(!escaped.windows(3).any(|w| w[0] == 0 && w[1] == 0 && w[2] < 3));
            let mut back = Vec::new();
            to_rbsp(&escaped, usize::MAX, &mut back);
            prop_assert_eq!(back, data);
        }
        #[test]
        fn written_bits_read_back(v in proptest::collection::vec((any::<u32>(), 1u32..33), 0..20)) {
            let mut w = BitWriter::default();
            for (x, n) in &v { w.bits(*x, *n); }
            let bytes = w.finish();
            let mut r = BitReader::new(&bytes);
            for (x, n) in &v {
                prop_assert_eq!(r.bits(*n).unwrap(), if *n == 32 { *x } else { x & ((1 << n) - 1) });
            }
        }
    }
}
