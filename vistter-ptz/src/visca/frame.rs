//! Framing: the VISCA over IP header on each datagram, and messages back to back on a TCP stream.
//!
//! ```text
//! payload type (2) | payload length (2) | sequence number (4) | payload (1…16)
//! ```

use super::message::{END, MAX_MESSAGE};

/// Payload type of a datagram. Source: Sony SRG-300H technical manual, "VISCA over IP communication method".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Kind {
    /// A command.
    Command = 0x0100,
    /// An inquiry.
    Inquiry = 0x0110,
    /// An answer to either.
    Reply = 0x0111,
    /// RESET of the sequence number.
    Control = 0x0200,
    /// Answer to RESET, and complaints about the header.
    ControlReply = 0x0201,
}

/// Payload of [`Kind::Control`]: sequence numbers start at zero again.
pub const RESET: &[u8] = &[0x01];
/// Payload of [`Kind::ControlReply`]: the RESET was taken.
pub const RESET_TAKEN: &[u8] = &[0x01];
/// Payload of [`Kind::ControlReply`]: abnormality in the sequence number.
pub const BAD_SEQUENCE: &[u8] = &[0x0f, 0x01];
/// Payload of [`Kind::ControlReply`]: abnormality in the message type.
pub const BAD_TYPE: &[u8] = &[0x0f, 0x02];

/// One datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// What the payload is.
    pub kind: Kind,
    /// Sequence number; a reply has that of what it answers.
    pub sequence: u32,
    /// One message.
    pub payload: &'a [u8],
}

impl<'a> Datagram<'a> {
    /// Reads one; `None` when it is cut, too long, or of a kind that is not spoken here.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (head, payload) = bytes.split_first_chunk::<8>()?;
        let [k0, k1, l0, l1, s0, s1, s2, s3] = *head;
        if usize::from(u16::from_be_bytes([l0, l1])) != payload.len()
            || payload.is_empty()
            || payload.len() > MAX_MESSAGE
        {
            return None;
        }
        let kind = match u16::from_be_bytes([k0, k1]) {
            0x0100 => Kind::Command,
            0x0110 => Kind::Inquiry,
            0x0111 => Kind::Reply,
            0x0200 => Kind::Control,
            0x0201 => Kind::ControlReply,
            _ => return None,
        };
        Some(Self { kind, sequence: u32::from_be_bytes([s0, s1, s2, s3]), payload })
    }
    /// The bytes.
    pub fn to_bytes(self) -> Vec<u8> {
        let mut d = Vec::with_capacity(8 + self.payload.len());
        d.extend((self.kind as u16).to_be_bytes());
        d.extend((self.payload.len() as u16).to_be_bytes());
        d.extend(self.sequence.to_be_bytes());
        d.extend(self.payload);
        d
    }
}

/// Finds messages in a TCP stream, whatever pieces it comes in.
#[derive(Clone, Debug, Default)]
pub struct Splitter {
    /// The start of a message whose end has not come yet; never longer than [`MAX_MESSAGE`].
    rest: Vec<u8>,
    /// Inside a message that is too long; skip to its end.
    skipping: bool,
}

impl Splitter {
    /// Takes a piece; `out` gets each whole message with its terminator.
    pub fn push(&mut self, bytes: &[u8], out: &mut impl FnMut(&[u8])) {
        for &b in bytes {
            if !self.skipping {
                self.rest.push(b);
            }
            if b == END {
                if !self.skipping {
                    out(&self.rest);
                }
                self.rest.clear();
                self.skipping = false;
            } else if self.rest.len() >= MAX_MESSAGE {
                self.rest.clear();
                self.skipping = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_header_of_the_manual() {
        let d = Datagram { kind: Kind::Inquiry, sequence: 0x0102_0304, payload: &[0x81, 9, 4, 0x47, 0xff] };
        let bytes = d.to_bytes();
        assert_eq!(bytes, [1, 0x10, 0, 5, 1, 2, 3, 4, 0x81, 9, 4, 0x47, 0xff]);
        assert_eq!(Datagram::parse(&bytes), Some(d));
        for cut in 0..bytes.len() {
            assert_eq!(Datagram::parse(&bytes[..cut]), None, "cut at {cut}");
        }
    }
    #[test]
    fn a_stream_may_be_cut_anywhere_and_recovers_from_noise() {
        let mut s = vec![0x90, 0x51, 0xff, 0x90, 0x60, 0x41, 0xff];
        s.extend([0u8; 40]);
        s.extend([0xff, 0x90, 0x50, 1, 2, 3, 4, 0xff]);
        let want = [vec![0x90, 0x51, 0xff], vec![0x90, 0x60, 0x41, 0xff], vec![0x90, 0x50, 1, 2, 3, 4, 0xff]];
        for cut in 0..s.len() {
            let (mut split, mut got) = (Splitter::default(), Vec::new());
            for piece in [&s[..cut], &s[cut..]] {
                split.push(piece, &mut |m| got.push(m.to_vec()));
            }
            assert_eq!(got, want, "cut at {cut}");
        }
    }
    proptest! {
        #[test]
        fn nothing_panics_or_grows(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Some(d) = Datagram::parse(&bytes) {
                prop_assert_eq!(d.to_bytes(), bytes.clone());
            }
            let mut split = Splitter::default();
            split.push(&bytes, &mut |m| assert!(m.len() <= MAX_MESSAGE));
            prop_assert!(split.rest.len() < MAX_MESSAGE);
        }
    }
}
