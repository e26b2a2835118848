//! VISCA (Sony), the wire format: over UDP (port 52381, with the VISCA over IP header and sequence numbers) and over
//! raw TCP (messages back to back). Angles and zoom are the camera's own units; a driver maps them.

/// UDP port of VISCA over IP.
pub const UDP_PORT: u16 = 52381;
/// Longest message: 16 bytes with the terminator.
const MAX_MESSAGE: usize = 16;
const END: u8 = 0xff;
/// Camera 1, which is what every camera answers to over IP.
const TO_CAMERA: u8 = 0x81;

/// What to say to the camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Moves to stored view `0…254`.
    RecallPreset(u8),
    /// Moves to a position at these speeds (pan 1…24, tilt 1…20).
    MoveTo {
        /// Camera's own pan unit.
        pan: i16,
        /// Camera's own tilt unit.
        tilt: i16,
        /// Pan and tilt speed.
        speed: (u8, u8),
    },
    /// Zooms to a position, 0 (wide) … 0x4000 (optical tele).
    ZoomTo(u16),
    /// Stops pan and tilt.
    Stop,
    /// Asks for pan and tilt.
    PanTilt,
    /// Asks for the zoom position.
    Zoom,
}

impl Request {
    const fn is_inquiry(self) -> bool {
        matches!(self, Self::PanTilt | Self::Zoom)
    }

    fn message(self) -> Vec<u8> {
        let mut m = vec![TO_CAMERA];
        match self {
            Self::RecallPreset(n) => m.extend([0x01, 0x04, 0x3f, 0x02, n.min(0xfe)]),
            Self::MoveTo { pan, tilt, speed } => {
                m.extend([0x01, 0x06, 0x02, speed.0.clamp(1, 0x18), speed.1.clamp(1, 0x14)]);
                m.extend(nibbles(pan as u16));
                m.extend(nibbles(tilt as u16));
            }
            Self::ZoomTo(z) => {
                m.extend([0x01, 0x04, 0x47]);
                m.extend(nibbles(z));
            }
            Self::Stop => m.extend([0x01, 0x06, 0x01, 1, 1, 0x03, 0x03]),
            Self::PanTilt => m.extend([0x09, 0x06, 0x12]),
            Self::Zoom => m.extend([0x09, 0x04, 0x47]),
        }
        m.push(END);
        m
    }
}

/// Four bits a byte, so that no payload byte looks like the terminator.
fn nibbles(v: u16) -> [u8; 4] {
    [12, 8, 4, 0].map(|shift| (v >> shift) as u8 & 0x0f)
}

fn from_nibbles(b: &[u8]) -> u16 {
    b.iter().fold(0, |v, n| v << 4 | u16::from(n & 0x0f))
}

/// What the camera says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The command was taken and runs in this socket.
    Accepted(u8),
    /// The command in this socket is done: a move has arrived.
    Done(u8),
    /// Answer to [`Request::PanTilt`].
    PanTilt(i16, i16),
    /// Answer to [`Request::Zoom`].
    Zoom(u16),
    /// The camera refuses: 2 syntax, 3 buffer full, 4 cancelled, 5 no such socket, 0x41 not possible now.
    Refused(u8),
    /// Sequence numbers are out of step (UDP): send [`Link::reset`].
    OutOfStep,
}

/// Parses one message with its terminator; `None` when it is none of the known ones.
fn parse(m: &[u8]) -> Option<Reply> {
    match m {
        [0x90..=0xf0, kind, END] if kind & 0xf0 == 0x40 => Some(Reply::Accepted(kind & 0x0f)),
        [0x90..=0xf0, kind, END] if kind & 0xf0 == 0x50 => Some(Reply::Done(kind & 0x0f)),
        [0x90..=0xf0, kind, why, END] if kind & 0xf0 == 0x60 => Some(Reply::Refused(*why)),
        [0x90..=0xf0, 0x50, value @ .., END] => match value.len() {
            8 => Some(Reply::PanTilt(from_nibbles(&value[..4]) as i16, from_nibbles(&value[4..]) as i16)),
            4 => Some(Reply::Zoom(from_nibbles(value))),
            _ => None,
        },
        _ => None,
    }
}

/// How messages are framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// One message a datagram, with the VISCA over IP header.
    Udp,
    /// Messages back to back on a TCP connection.
    Tcp,
}

/// One camera's framing state.
#[derive(Clone, Debug)]
pub struct Link {
    framing: Framing,
    sequence: u32,
    /// The start of a message whose end has not come yet (TCP).
    rest: Vec<u8>,
    /// Inside a message that is too long; skip to its end.
    skipping: bool,
}

impl Link {
    /// A fresh link. Over UDP the first thing to send is [`Self::reset`].
    pub const fn new(framing: Framing) -> Self {
        Self { framing, sequence: 0, rest: Vec::new(), skipping: false }
    }

    /// Bytes to send for a request, and its sequence number (0 over TCP).
    pub fn send(&mut self, request: Request) -> (u32, Vec<u8>) {
        let message = request.message();
        match self.framing {
            Framing::Tcp => (0, message),
            Framing::Udp => {
                let n = self.sequence;
                self.sequence = n.wrapping_add(1);
                let kind = if request.is_inquiry() { 0x0110 } else { 0x0100 };
                (n, datagram(kind, n, &message))
            }
        }
    }

    /// Starts sequence numbers anew; the datagram to send (empty over TCP).
    pub fn reset(&mut self) -> Vec<u8> {
        self.sequence = 0;
        if self.framing == Framing::Tcp { Vec::new() } else { datagram(0x0200, 0, &[0x01]) }
    }

    /// Takes what came: one datagram, or any piece of the TCP stream. `out` gets each reply with the sequence number it
    /// answers (0 over TCP); what is malformed is passed over.
    pub fn receive(&mut self, bytes: &[u8], out: &mut impl FnMut(u32, Reply)) {
        if self.framing == Framing::Tcp {
            return self.stream(bytes, out);
        }
        let Some((head, payload)) = bytes.split_first_chunk::<8>() else { return };
        let [k0, k1, l0, l1, s0, s1, s2, s3] = *head;
        if usize::from(u16::from_be_bytes([l0, l1])) != payload.len() || payload.len() > MAX_MESSAGE {
            return;
        }
        let sequence = u32::from_be_bytes([s0, s1, s2, s3]);
        match (u16::from_be_bytes([k0, k1]), payload) {
            (0x0111, m) => {
                if let Some(r) = parse(m) {
                    out(sequence, r);
                }
            }
            (0x0201, [0x0f, ..]) => out(sequence, Reply::OutOfStep),
            _ => {}
        }
    }

    fn stream(&mut self, bytes: &[u8], out: &mut impl FnMut(u32, Reply)) {
        for &b in bytes {
            if !self.skipping {
                self.rest.push(b);
            }
            if b == END {
                if let Some(r) = parse(&self.rest) {
                    out(0, r);
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

fn datagram(kind: u16, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let mut d = Vec::with_capacity(8 + payload.len());
    d.extend(kind.to_be_bytes());
    d.extend((payload.len() as u16).to_be_bytes());
    d.extend(sequence.to_be_bytes());
    d.extend(payload);
    d
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn replies(link: &mut Link, bytes: &[u8]) -> Vec<(u32, Reply)> {
        let mut all = Vec::new();
        link.receive(bytes, &mut |n, r| all.push((n, r)));
        all
    }

    #[test]
    fn requests_are_the_bytes_of_the_manual() {
        let mut l = Link::new(Framing::Tcp);
        let mut bytes = |r| l.send(r).1;
        assert_eq!(bytes(Request::RecallPreset(3)), [0x81, 1, 4, 0x3f, 2, 3, 0xff]);
        let m = Request::MoveTo { pan: -2, tilt: 0x123, speed: (99, 0) };
        assert_eq!(bytes(m), [0x81, 1, 6, 2, 0x18, 1, 0xf, 0xf, 0xf, 0xe, 0, 1, 2, 3, 0xff]);
        assert_eq!(bytes(Request::ZoomTo(0x4000)), [0x81, 1, 4, 0x47, 4, 0, 0, 0, 0xff]);
        assert_eq!(bytes(Request::Stop), [0x81, 1, 6, 1, 1, 1, 3, 3, 0xff]);
        assert_eq!(bytes(Request::PanTilt), [0x81, 9, 6, 0x12, 0xff]);
    }
    #[test]
    fn datagrams_count_and_answers_are_matched() {
        let mut l = Link::new(Framing::Udp);
        assert_eq!(l.reset(), [2, 0, 0, 1, 0, 0, 0, 0, 1]);
        assert_eq!(l.send(Request::Zoom), (0, vec![1, 0x10, 0, 5, 0, 0, 0, 0, 0x81, 9, 4, 0x47, 0xff]));
        assert_eq!(l.send(Request::Stop).0, 1);
        let zoom = [1, 0x11, 0, 7, 0, 0, 0, 0, 0x90, 0x50, 1, 2, 3, 4, 0xff];
        assert_eq!(replies(&mut l, &zoom), [(0, Reply::Zoom(0x1234))]);
        assert_eq!(replies(&mut l, &[1, 0x11, 0, 3, 0, 0, 0, 1, 0x90, 0x41, 0xff]), [(1, Reply::Accepted(1))]);
        assert_eq!(replies(&mut l, &[2, 1, 0, 2, 0, 0, 0, 9, 0x0f, 1]), [(9, Reply::OutOfStep)]);
        assert!(replies(&mut l, &zoom[..14]).is_empty(), "a cut datagram");
    }
    #[test]
    fn a_stream_may_be_cut_anywhere_and_recovers_from_noise() {
        let mut s = vec![0x90, 0x51, 0xff, 0x90, 0x60, 0x41, 0xff];
        s.extend([0u8; 40]);
        s.extend([0xff, 0x90, 0x50, 0xf, 0xf, 0xf, 0xe, 0, 0, 1, 0, 0xff]);
        let want = [(0, Reply::Done(1)), (0, Reply::Refused(0x41)), (0, Reply::PanTilt(-2, 16))];
        for cut in 0..s.len() {
            let mut l = Link::new(Framing::Tcp);
            let mut got = replies(&mut l, &s[..cut]);
            got.extend(replies(&mut l, &s[cut..]));
            assert_eq!(got, want, "cut at {cut}");
        }
    }
    proptest! {
        #[test]
        fn nothing_panics_or_grows(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            for f in [Framing::Udp, Framing::Tcp] {
                let mut l = Link::new(f);
                replies(&mut l, &bytes);
                prop_assert!(l.rest.len() < MAX_MESSAGE);
            }
        }
    }
}
