//! The messages, without framing. Each ends with `0xff`; numbers travel as four bits a byte, so that no payload byte
//! looks like the end. Angles and zoom are the camera's own units ([`super::units`] maps them).
//!
//! Source: the command lists of Sony SRG-300H and PTZOptics G2.

use super::angles::Angles;

/// Longest message with the terminator: 16 bytes in the manuals; one more where pan and tilt have five digits each.
pub const MAX_MESSAGE: usize = 17;
/// Ends each message.
pub const END: u8 = 0xff;
/// To camera 1, which is what every camera answers to over IP.
const TO_CAMERA: u8 = 0x81;
/// From camera 1.
const FROM_CAMERA: u8 = 0x90;

/// What is said to the camera. Speeds: pan 1…24, tilt 1…20, zoom 1…8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Moves to stored view `0…254`.
    RecallPreset(u8),
    /// Stores the present view.
    SavePreset(u8),
    /// Forgets a stored view.
    ClearPreset(u8),
    /// Moves to a position at these speeds.
    MoveTo {
        /// Where.
        to: Angles,
        /// Pan and tilt speed.
        speed: (u8, u8),
    },
    /// Moves by a distance at these speeds.
    MoveBy {
        /// How far.
        by: Angles,
        /// Pan and tilt speed.
        speed: (u8, u8),
    },
    /// Drives at a signed speed (right and up are positive); zero stops the axis.
    Drive {
        /// −24…24.
        pan: i8,
        /// −20…20.
        tilt: i8,
    },
    /// Zooms to a position, 0 (wide) … 0x4000 (optical tele).
    ZoomTo(u16),
    /// Zooms at a signed speed −8…8 (tele is positive); zero stops.
    ZoomDrive(i8),
    /// Moves pan and tilt to the middle.
    Home,
    /// Gives up the command in this socket.
    Cancel(u8),
    /// Asks for pan and tilt.
    PanTilt,
    /// Asks for the zoom position.
    Zoom,
}

impl Request {
    /// Stops pan and tilt.
    pub const STOP: Self = Self::Drive { pan: 0, tilt: 0 };

    /// Whether it asks something and changes nothing.
    pub const fn is_inquiry(self) -> bool {
        matches!(self, Self::PanTilt | Self::Zoom)
    }
    /// Whether its completion means that the camera has arrived somewhere.
    pub const fn is_move(self) -> bool {
        matches!(self, Self::RecallPreset(_) | Self::MoveTo { .. } | Self::MoveBy { .. } | Self::ZoomTo(_) | Self::Home)
    }

    /// The bytes, with the terminator. Values out of range are brought into it.
    pub fn to_bytes(self) -> Vec<u8> {
        let mut m = vec![TO_CAMERA];
        match self {
            Self::ClearPreset(n) => m.extend([0x01, 0x04, 0x3f, 0x00, n.min(0xfe)]),
            Self::SavePreset(n) => m.extend([0x01, 0x04, 0x3f, 0x01, n.min(0xfe)]),
            Self::RecallPreset(n) => m.extend([0x01, 0x04, 0x3f, 0x02, n.min(0xfe)]),
            Self::MoveTo { to, speed } => position(&mut m, 0x02, to, speed),
            Self::MoveBy { by, speed } => position(&mut m, 0x03, by, speed),
            Self::Drive { pan, tilt } => {
                let speed = [pan.unsigned_abs().clamp(1, 0x18), tilt.unsigned_abs().clamp(1, 0x14)];
                m.extend([0x01, 0x06, 0x01, speed[0], speed[1], direction(pan, 2, 1), direction(tilt, 1, 2)]);
            }
            Self::ZoomTo(z) => {
                m.extend([0x01, 0x04, 0x47]);
                m.extend(nibbles(z));
            }
            Self::ZoomDrive(v) => {
                let speed = v.unsigned_abs().clamp(1, 8) - 1;
                m.extend([0x01, 0x04, 0x07, [0x00, 0x20 | speed, 0x30 | speed][usize::from(direction(v, 1, 2) % 3)]]);
            }
            Self::Home => m.extend([0x01, 0x06, 0x04]),
            Self::Cancel(socket) => m.push(0x20 | socket & 0x0f),
            Self::PanTilt => m.extend([0x09, 0x06, 0x12]),
            Self::Zoom => m.extend([0x09, 0x04, 0x47]),
        }
        m.push(END);
        m
    }

    /// Reads one message with its terminator, as a camera does; `None` when it is none of these.
    pub fn parse(m: &[u8]) -> Option<Self> {
        let [TO_CAMERA, body @ .., END] = m else { return None };
        Some(match *body {
            [0x01, 0x04, 0x3f, what, n] if n < END => match what {
                0 => Self::ClearPreset(n),
                1 => Self::SavePreset(n),
                2 => Self::RecallPreset(n),
                _ => return None,
            },
            [0x01, 0x06, what @ (2 | 3), v, w, ref at @ ..] => {
                let at = Angles::read(at)?;
                let speed = ((1..=0x18).contains(&v) && (1..=0x14).contains(&w)).then_some((v, w))?;
                if what == 2 { Self::MoveTo { to: at, speed } } else { Self::MoveBy { by: at, speed } }
            }
            [0x01, 0x06, 0x01, v @ 1..=0x18, w @ 1..=0x14, p @ 1..=3, t @ 1..=3] => {
                let (v, w) = (v as i8, w as i8);
                Self::Drive { pan: [-v, v, 0][usize::from(p - 1)], tilt: [w, -w, 0][usize::from(t - 1)] }
            }
            [0x01, 0x04, 0x47, ref z @ ..] if z.len() == 4 => Self::ZoomTo(from_nibbles(z)?),
            [0x01, 0x04, 0x07, 0] => Self::ZoomDrive(0),
            [0x01, 0x04, 0x07, v @ (0x20..=0x27 | 0x30..=0x37)] => {
                let speed = (v & 0x0f) as i8 + 1;
                Self::ZoomDrive(if v & 0x10 == 0 { speed } else { -speed })
            }
            [0x01, 0x06, 0x04] => Self::Home,
            [c] if c & 0xf0 == 0x20 => Self::Cancel(c & 0x0f),
            [0x09, 0x06, 0x12] => Self::PanTilt,
            [0x09, 0x04, 0x47] => Self::Zoom,
            _ => return None,
        })
    }
}

fn position(m: &mut Vec<u8>, what: u8, at: Angles, speed: (u8, u8)) {
    m.extend([0x01, 0x06, what, speed.0.clamp(1, 0x18), speed.1.clamp(1, 0x14)]);
    at.write(m);
}

const fn direction(v: i8, positive: u8, negative: u8) -> u8 {
    match v.signum() {
        1 => positive,
        -1 => negative,
        _ => 3,
    }
}

fn nibbles(v: u16) -> [u8; 4] {
    [12, 8, 4, 0].map(|shift| (v >> shift) as u8 & 0x0f)
}

/// `None` when a byte has more than its four bits: no camera means that.
fn from_nibbles(b: &[u8]) -> Option<u16> {
    b.iter().try_fold(0, |v, n| (*n < 0x10).then(|| v << 4 | u16::from(*n)))
}

/// Why a camera refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The message has a wrong length or a syntax it does not know.
    Syntax,
    /// Both command sockets are taken.
    Full,
    /// The command was cancelled.
    Cancelled,
    /// There is no such socket, or nothing runs in it.
    NoSocket,
    /// Not possible now: switched off, in its menu, an empty preset.
    NotNow,
    /// A code that the manuals do not have.
    Other(u8),
}

impl Refusal {
    const fn from_code(code: u8) -> Self {
        match code {
            0x01 | 0x02 => Self::Syntax,
            0x03 => Self::Full,
            0x04 => Self::Cancelled,
            0x05 => Self::NoSocket,
            0x41 => Self::NotNow,
            c => Self::Other(c),
        }
    }
    const fn code(self) -> u8 {
        match self {
            Self::Syntax => 0x02,
            Self::Full => 0x03,
            Self::Cancelled => 0x04,
            Self::NoSocket => 0x05,
            Self::NotNow => 0x41,
            Self::Other(c) => c,
        }
    }
}

/// What the camera says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The command was taken and runs in this socket.
    Accepted(u8),
    /// The command in this socket is done: a move has arrived.
    Done(u8),
    /// Answer to [`Request::PanTilt`].
    PanTilt(Angles),
    /// Answer to [`Request::Zoom`].
    Zoom(u16),
    /// The camera refuses a message (socket 0), or ends the command in a socket.
    Refused(u8, Refusal),
}

impl Reply {
    /// Reads one message with its terminator; `None` when it is none of the known ones.
    pub fn parse(m: &[u8]) -> Option<Self> {
        let [0x90..=0xf0, body @ .., END] = m else { return None };
        Some(match *body {
            [kind] if kind & 0xf0 == 0x40 => Self::Accepted(kind & 0x0f),
            [kind] if kind & 0xf0 == 0x50 => Self::Done(kind & 0x0f),
            [kind, why] if kind & 0xf0 == 0x60 => Self::Refused(kind & 0x0f, Refusal::from_code(why)),
            [0x50, ref v @ ..] if v.len() == 4 => Self::Zoom(from_nibbles(v)?),
            [0x50, ref v @ ..] => Self::PanTilt(Angles::read(v)?),
            _ => return None,
        })
    }

    /// The bytes, with the terminator, as a camera sends them.
    pub fn to_bytes(self) -> Vec<u8> {
        let mut m = vec![FROM_CAMERA];
        match self {
            Self::Accepted(socket) => m.push(0x40 | socket & 0x0f),
            Self::Done(socket) => m.push(0x50 | socket & 0x0f),
            Self::PanTilt(at) => {
                m.push(0x50);
                at.write(&mut m);
            }
            Self::Zoom(z) => {
                m.push(0x50);
                m.extend(nibbles(z));
            }
            Self::Refused(socket, why) => m.extend([0x60 | socket & 0x0f, why.code()]),
        }
        m.push(END);
        m
    }
}

#[cfg(test)]
mod tests {
    use super::super::angles::Digits;
    use super::*;
    use proptest::prelude::*;

    fn four(pan: i32, tilt: i32) -> Angles {
        Angles { pan, tilt, digits: Digits::Four }
    }

    #[test]
    fn requests_are_the_bytes_of_the_manual() {
        let cases: [(Request, &[u8]); 12] = [
            (Request::RecallPreset(3), &[0x81, 1, 4, 0x3f, 2, 3, 0xff]),
            (Request::SavePreset(255), &[0x81, 1, 4, 0x3f, 1, 254, 0xff]),
            (
                Request::MoveTo { to: four(-2, 0x123), speed: (99, 0) },
                &[0x81, 1, 6, 2, 0x18, 1, 0xf, 0xf, 0xf, 0xe, 0, 1, 2, 3, 0xff],
            ),
            (Request::ZoomTo(0x4000), &[0x81, 1, 4, 0x47, 4, 0, 0, 0, 0xff]),
            (Request::STOP, &[0x81, 1, 6, 1, 1, 1, 3, 3, 0xff]),
            (Request::Drive { pan: -5, tilt: 7 }, &[0x81, 1, 6, 1, 5, 7, 1, 1, 0xff]),
            (Request::Drive { pan: 100, tilt: -100 }, &[0x81, 1, 6, 1, 0x18, 0x14, 2, 2, 0xff]),
            (Request::ZoomDrive(8), &[0x81, 1, 4, 7, 0x27, 0xff]),
            (Request::ZoomDrive(-1), &[0x81, 1, 4, 7, 0x30, 0xff]),
            (Request::ZoomDrive(0), &[0x81, 1, 4, 7, 0, 0xff]),
            (Request::Cancel(2), &[0x81, 0x22, 0xff]),
            (Request::PanTilt, &[0x81, 9, 6, 0x12, 0xff]),
        ];
        for (request, bytes) in cases {
            assert_eq!(request.to_bytes(), bytes, "{request:?}");
        }
    }
    #[test]
    fn replies_of_the_manual() {
        for (bytes, reply) in [
            (&[0x90, 0x41, 0xff][..], Some(Reply::Accepted(1))),
            (&[0x90, 0x52, 0xff], Some(Reply::Done(2))),
            (&[0x90, 0x60, 0x02, 0xff], Some(Reply::Refused(0, Refusal::Syntax))),
            (&[0x90, 0x61, 0x41, 0xff], Some(Reply::Refused(1, Refusal::NotNow))),
            (&[0x90, 0x50, 1, 2, 3, 4, 0xff], Some(Reply::Zoom(0x1234))),
            (&[0x90, 0x50, 0xf, 0xf, 0xf, 0xe, 0, 0, 1, 0, 0xff], Some(Reply::PanTilt(four(-2, 16)))),
            (&[0x90, 0x50, 1, 2, 3, 0x44, 0xff], None),
            (&[0x90, 0x50, 2, 0xff], None),
            (&[0x90, 0xff], None),
            (&[0xff], None),
        ] {
            assert_eq!(Reply::parse(bytes), reply, "{bytes:02x?}");
        }
    }
    fn requests() -> impl Strategy<Value = Request> {
        let angles = (any::<i16>(), any::<i16>()).prop_map(|(p, t)| four(p.into(), t.into()));
        let at = || (angles.clone(), 1u8..=0x18, 1u8..=0x14);
        prop_oneof![
            (0u8..255).prop_map(Request::RecallPreset),
            (0u8..255).prop_map(Request::SavePreset),
            (0u8..255).prop_map(Request::ClearPreset),
            at().prop_map(|(to, v, w)| Request::MoveTo { to, speed: (v, w) }),
            at().prop_map(|(by, v, w)| Request::MoveBy { by, speed: (v, w) }),
            (-24i8..=24, -20i8..=20).prop_map(|(pan, tilt)| Request::Drive { pan, tilt }),
            any::<u16>().prop_map(Request::ZoomTo),
            (-8i8..=8).prop_map(Request::ZoomDrive),
            (0u8..16).prop_map(Request::Cancel),
            Just(Request::Home),
            Just(Request::PanTilt),
            Just(Request::Zoom),
        ]
    }
    proptest! {
        #[test]
        fn a_request_survives_the_wire(request in requests()) {
            let bytes = request.to_bytes();
            prop_assert!(bytes.len() <= MAX_MESSAGE && bytes[..bytes.len() - 1].iter().all(|b| *b != END));
            prop_assert_eq!(Request::parse(&bytes), Some(request));
        }
        #[test]
        fn a_reply_survives_the_wire(a in any::<i16>(), b in any::<i16>(), s in 0u8..16, code in 0u8..255) {
            let refused = Reply::Refused(s, Refusal::from_code(if code == 1 { 2 } else { code }));
            for r in [Reply::Accepted(s), Reply::Done(s), Reply::PanTilt(four(a.into(), b.into())), Reply::Zoom(a as u16), refused] {
                prop_assert_eq!(Reply::parse(&r.to_bytes()), Some(r));
            }
        }
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..24)) {
            let _ = (Request::parse(&bytes), Reply::parse(&bytes));
        }
    }
}
