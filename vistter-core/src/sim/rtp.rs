//! Media into RTP packets: H.264 (RFC 6184), AAC (RFC 3640), G.711 (RFC 3551), and RTCP sender reports (RFC 3550).
//! Sans-IO.

use bytes::{BufMut, Bytes, BytesMut};

use crate::clock::WallTime;
use crate::error::Result;
use crate::media::h264;

/// RTP header without extensions and CSRCs.
const HEADER: usize = 12;
/// Seconds from the NTP epoch (1900) to the Unix epoch.
const NTP_OFFSET: u64 = 2_208_988_800;
/// RFC 6184 §5.2 packet types.
const STAP_A: u8 = 24;
const FU_A: u8 = 28;

/// The RTP side of one track: numbers packets and counts for the sender report.
#[derive(Debug)]
pub(super) struct RtpStream {
    pub(super) ssrc: u32,
    pub(super) payload_type: u8,
    pub(super) clock_rate: u32,
    pub(super) seq: u16,
    /// Added to media time in ticks: RFC 3550 §5.1 wants a random start.
    pub(super) base: u32,
    mtu: usize,
    packets: u32,
    octets: u32,
}

impl RtpStream {
    pub(super) fn new(ssrc: u32, payload_type: u8, clock_rate: u32, mtu: usize) -> Self {
        // Any start will do; one near the wrap exercises it within seconds.
        let (seq, base) = (0xfff0u16.wrapping_add(ssrc as u16 & 0xff), 0xfff0_0000u32.wrapping_add(ssrc));
        Self { ssrc, payload_type, clock_rate, seq, base, mtu: mtu.clamp(100, 60_000), packets: 0, octets: 0 }
    }

    /// One packet. `marker` ends a video access unit.
    fn packet(&mut self, timestamp: u32, marker: bool, parts: &[&[u8]]) -> Bytes {
        let len: usize = parts.iter().map(|p| p.len()).sum();
        let mut b = BytesMut::with_capacity(HEADER + len);
        b.put_u8(0x80);
        b.put_u8(u8::from(marker) << 7 | self.payload_type);
        b.put_u16(self.seq);
        b.put_u32(timestamp);
        b.put_u32(self.ssrc);
        parts.iter().for_each(|p| b.extend_from_slice(p));
        self.seq = self.seq.wrapping_add(1);
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(len as u32);
        b.freeze()
    }

    /// An access unit with 4-byte lengths, after `sets` (SPS and PPS) in one STAP-A.
    ///
    /// # Errors
    /// `Media` when the access unit ends inside a NAL unit; packets before that have gone out.
    pub(super) fn h264(
        &mut self,
        timestamp: u32,
        sets: &[&[u8]],
        unit: &[u8],
        out: &mut dyn FnMut(Bytes),
    ) -> Result<()> {
        let room = self.mtu - HEADER;
        if !sets.is_empty() {
            let mut b = BytesMut::new();
            // The header of a STAP-A has the highest NRI of its units (§5.7.1); parameter sets have 3.
            b.put_u8(0x60 | STAP_A);
            for s in sets {
                b.put_u16(s.len() as u16);
                b.extend_from_slice(s);
            }
            out(self.packet(timestamp, false, &[&b]));
        }
        let mut units = h264::avcc_units(unit).peekable();
        while let Some(nal) = units.next() {
            let (nal, last) = (nal?, units.peek().is_none());
            let Some((header, payload)) = nal.split_first() else { continue };
            if nal.len() <= room {
                out(self.packet(timestamp, last, &[nal]));
                continue;
            }
            // FU-A (§5.8): the NAL header is split over indicator and FU header.
            let mut pieces = payload.chunks(room - 2).peekable();
            let mut start = 0x80;
            while let Some(piece) = pieces.next() {
                let end = pieces.peek().is_none();
                let fu = [header & 0xe0 | FU_A, start | u8::from(end) << 6 | header & 0x1f];
                out(self.packet(timestamp, last && end, &[&fu, piece]));
                start = 0;
            }
        }
        Ok(())
    }

    /// One AAC access unit in AAC-hbr form: a 16-bit header with 13 bits of size (RFC 3640 §3.3.6).
    pub(super) fn aac(&mut self, timestamp: u32, unit: &[u8], out: &mut dyn FnMut(Bytes)) {
        let size = (unit.len() as u16) << 3;
        let header = [0, 16, (size >> 8) as u8, size as u8];
        out(self.packet(timestamp, true, &[&header, unit]));
    }

    /// G.711 samples.
    pub(super) fn g711(&mut self, timestamp: u32, samples: &[u8], out: &mut dyn FnMut(Bytes)) {
        out(self.packet(timestamp, false, &[samples]));
    }

    /// A sender report (§6.4.1) with the name that §6.5.1 requires.
    pub(super) fn sender_report(&self, timestamp: u32, wall: WallTime) -> Bytes {
        let mut b = BytesMut::with_capacity(48);
        b.extend_from_slice(&[0x80, 200, 0, 6]);
        b.put_u32(self.ssrc);
        b.put_u64(ntp(wall));
        b.put_u32(timestamp);
        b.put_u32(self.packets);
        b.put_u32(self.octets);
        let name = b"vistter";
        // SDES with one chunk: SSRC, CNAME item, end, padding to 32 bits.
        b.extend_from_slice(&[0x81, 202, 0, 4]);
        b.put_u32(self.ssrc);
        b.extend_from_slice(&[1, name.len() as u8]);
        b.extend_from_slice(name);
        b.extend_from_slice(&[0; 3]);
        b.freeze()
    }
}

fn ntp(wall: WallTime) -> u64 {
    let secs = (wall.unix_secs().max(0) as u64).wrapping_add(NTP_OFFSET);
    let frac = (wall.unix_nanos().rem_euclid(1_000_000_000) as u64) << 32;
    (secs << 32) | (frac / 1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a receiver makes of the packets of one access unit (§5.6 to §5.8).
    fn depacketize(packets: &[Bytes]) -> (Vec<Vec<u8>>, Vec<bool>) {
        let (mut units, mut open) = (Vec::new(), Vec::new());
        for p in packets {
            let body = &p[HEADER..];
            match body[0] & 0x1f {
                STAP_A => {
                    let mut rest = &body[1..];
                    while let Some((len, tail)) = rest.split_first_chunk::<2>() {
                        let (unit, tail) = tail.split_at(usize::from(u16::from_be_bytes(*len)));
                        units.push(unit.to_vec());
                        rest = tail;
                    }
                }
                FU_A => {
                    if body[1] & 0x80 != 0 {
                        open = vec![body[0] & 0xe0 | body[1] & 0x1f];
                    }
                    open.extend_from_slice(&body[2..]);
                    if body[1] & 0x40 != 0 {
                        units.push(std::mem::take(&mut open));
                    }
                }
                _ => units.push(body.to_vec()),
            }
        }
        (units, packets.iter().map(|p| p[1] & 0x80 != 0).collect())
    }

    proptest! {
        #[test]
        fn an_access_unit_survives(
            sizes in proptest::collection::vec(1usize..5000, 1..6), mtu in 100usize..1500, key: bool,
        ) {
            let nals: Vec<Vec<u8>> =
                sizes.iter().enumerate().map(|(i, n)| (0..*n).map(|k| if k == 0 { 0x65 } else { (k + i) as u8 }).collect()).collect();
            let mut au = BytesMut::new();
            nals.iter().for_each(|n| h264::put_avcc(&mut au, n));
            let sets: &[&[u8]] = if key { &[&[0x67, 1, 2, 3], &[0x68, 9]] } else { &[] };
            let mut s = RtpStream::new(7, 96, 90_000, mtu);
            let first = s.seq;
            let mut packets = Vec::new();
            s.h264(1234, sets, &au, &mut |p| packets.push(p)).unwrap();
            let (units, marks) = depacketize(&packets);
            let want: Vec<Vec<u8>> = sets.iter().map(|s| s.to_vec()).chain(nals).collect();
            prop_assert_eq!(units, want);
            prop_assert_eq!(marks.iter().filter(|m| **m).count(), 1);
            prop_assert!(*marks.last().unwrap());
            for (i, p) in packets.iter().enumerate() {
                prop_assert!(p.len() <= mtu);
                prop_assert_eq!(u16::from_be_bytes([p[2], p[3]]), first.wrapping_add(i as u16));
                prop_assert_eq!(&p[4..8], &1234u32.to_be_bytes());
            }
        }
    }
    #[test]
    fn ntp_of_the_unix_epoch() {
        assert_eq!(ntp(WallTime::from_unix_nanos(500_000_000)), NTP_OFFSET << 32 | 1 << 31);
    }
    #[test]
    fn aac_header_carries_the_size() {
        let mut s = RtpStream::new(7, 97, 48_000, 1400);
        s.aac(0, &[9; 300], &mut |p| assert_eq!(p[12..16], [0, 16, (300 >> 5) as u8, (300 << 3) as u8]));
    }
}
