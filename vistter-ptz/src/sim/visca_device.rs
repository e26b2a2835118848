//! A VISCA camera, sans-IO: two command sockets, presets, sequence numbers as Sony's manual has them, faults on request.

use std::collections::BTreeMap;

use vistter_core::ports::PtzPosition;
use vistter_core::time::MediaTime;

use super::motors::{MotorSpec, Motors};
use crate::visca::angles::Angles;
use crate::visca::frame::{BAD_SEQUENCE, BAD_TYPE, Datagram, Kind, RESET, RESET_TAKEN};
use crate::visca::message::{Refusal, Reply, Request};
use crate::visca::units::Units;

/// What goes wrong. Counters count down to zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// So many messages to the camera are lost.
    pub lose_requests: u32,
    /// So many messages from the camera are lost.
    pub lose_replies: u32,
    /// So many messages from the camera come twice.
    pub double_replies: u32,
    /// So many messages to the camera come twice.
    pub double_requests: u32,
    /// Completions come with the ACK, not on arrival (PTZOptics and relatives).
    pub done_at_once: bool,
    /// Completions never come.
    pub never_done: bool,
    /// Replies carry sequence number 0.
    pub zero_sequence: bool,
    /// RESET is not answered, and sequence numbers are not looked at.
    pub no_reset: bool,
    /// The camera is in standby and can execute nothing.
    pub standby: bool,
}

/// Who is spoken to: a UDP peer or a TCP connection.
pub type Peer = u32;

#[derive(Clone, Copy, Debug)]
struct Job {
    peer: Peer,
    framing_sequence: Option<u32>,
    done: MediaTime,
}

/// A camera.
#[derive(Clone, Debug)]
pub struct ViscaDevice {
    motors: Motors,
    units: Units,
    presets: BTreeMap<u8, PtzPosition>,
    sockets: [Option<Job>; 2],
    /// The next sequence number (UDP).
    expected: u32,
    faults: Faults,
    executed: u32,
}

/// A command that moves nothing is done after this.
const SHORT_WORK: MediaTime = MediaTime::from_millis(20);

impl ViscaDevice {
    /// A camera in the middle, wide, without presets.
    pub fn new(spec: MotorSpec, units: Units) -> Self {
        Self {
            motors: Motors::new(spec),
            units,
            presets: BTreeMap::new(),
            sockets: [None; 2],
            expected: 0,
            faults: Faults::default(),
            executed: 0,
        }
    }
    /// What goes wrong, to be changed.
    pub fn faults(&mut self) -> &mut Faults {
        &mut self.faults
    }
    /// The head, to be looked at or moved behind the controller's back.
    pub fn motors(&mut self) -> &mut Motors {
        &mut self.motors
    }
    /// Stored views.
    pub fn presets(&mut self) -> &mut BTreeMap<u8, PtzPosition> {
        &mut self.presets
    }
    /// Commands executed so far.
    pub fn executed(&self) -> u32 {
        self.executed
    }
    /// Off and on again: it stands, and counts from zero.
    pub fn restart(&mut self, now: MediaTime) {
        self.motors.stop(now);
        self.sockets = [None; 2];
        self.expected = 0;
    }

    /// Takes one datagram.
    pub fn datagram(&mut self, now: MediaTime, peer: Peer, bytes: &[u8], out: &mut impl FnMut(Peer, Vec<u8>)) {
        let copies = self.copies_in();
        for _ in 0..copies {
            self.one_datagram(now, peer, bytes, out);
        }
    }

    /// Takes one message of a TCP stream.
    pub fn message(&mut self, now: MediaTime, peer: Peer, bytes: &[u8], out: &mut impl FnMut(Peer, Vec<u8>)) {
        if self.copies_in() > 0 {
            self.execute(now, peer, None, Request::parse(bytes), out);
        }
    }

    /// Time has passed: completions that are due.
    pub fn poll(&mut self, now: MediaTime, out: &mut impl FnMut(Peer, Vec<u8>)) {
        for i in 0..self.sockets.len() {
            if let Some(job) = self.sockets[i].filter(|j| now >= j.done) {
                self.sockets[i] = None;
                if !self.faults.never_done {
                    self.reply(job.peer, job.framing_sequence, Reply::Done(i as u8 + 1), out);
                }
            }
        }
    }
    /// When [`Self::poll`] has something to do.
    pub fn next_deadline(&self) -> Option<MediaTime> {
        self.sockets.iter().flatten().map(|j| j.done).min()
    }

    fn one_datagram(&mut self, now: MediaTime, peer: Peer, bytes: &[u8], out: &mut impl FnMut(Peer, Vec<u8>)) {
        let Some(d) = Datagram::parse(bytes) else { return };
        match d.kind {
            Kind::Control if d.payload == RESET => {
                if !self.faults.no_reset {
                    self.expected = 0;
                    self.control(peer, d.sequence, RESET_TAKEN, out);
                }
            }
            Kind::Command | Kind::Inquiry => {
                if d.sequence != self.expected && !self.faults.no_reset {
                    return self.control(peer, d.sequence, BAD_SEQUENCE, out);
                }
                self.expected = d.sequence.wrapping_add(1);
                self.execute(now, peer, Some(d.sequence), Request::parse(d.payload), out);
            }
            _ => self.control(peer, d.sequence, BAD_TYPE, out),
        }
    }

    fn execute(
        &mut self,
        now: MediaTime,
        peer: Peer,
        sequence: Option<u32>,
        request: Option<Request>,
        out: &mut impl FnMut(Peer, Vec<u8>),
    ) {
        self.poll(now, out);
        let Some(request) = request else {
            return self.reply(peer, sequence, Reply::Refused(0, Refusal::Syntax), out);
        };
        let at = self.motors.position(now);
        let digits = self.units.digits;
        match request {
            Request::MoveTo { to: a, .. } | Request::MoveBy { by: a, .. } if a.digits != digits => {
                return self.reply(peer, sequence, Reply::Refused(0, Refusal::Syntax), out);
            }
            Request::PanTilt => return self.reply(peer, sequence, Reply::PanTilt(self.units.pan_tilt(at)), out),
            Request::Zoom => return self.reply(peer, sequence, Reply::Zoom(self.units.zoom(at)), out),
            Request::Cancel(socket) => {
                let job =
                    usize::from(socket).checked_sub(1).and_then(|i| self.sockets.get_mut(i)).and_then(Option::take);
                let why = if job.is_some() { Refusal::Cancelled } else { Refusal::NoSocket };
                if job.is_some() {
                    self.motors.stop(now);
                }
                return self.reply(peer, sequence, Reply::Refused(socket, why), out);
            }
            _ => {}
        }
        if self.faults.standby {
            return self.reply(peer, sequence, Reply::Refused(0, Refusal::NotNow), out);
        }
        let Some(socket) = self.sockets.iter().position(Option::is_none) else {
            return self.reply(peer, sequence, Reply::Refused(0, Refusal::Full), out);
        };
        if !self.perform(now, request) {
            return self.reply(peer, sequence, Reply::Refused(socket as u8 + 1, Refusal::NotNow), out);
        }
        self.executed += 1;
        self.reply(peer, sequence, Reply::Accepted(socket as u8 + 1), out);
        if request.is_move() || matches!(request, Request::Drive { .. }) {
            // A motion that is cut short by another one is done.
            for i in 0..self.sockets.len() {
                if let Some(j) = self.sockets[i].as_mut() {
                    j.done = now;
                }
            }
        }
        let done = match self.motors.arrives(now).filter(|_| request.is_move() && !self.faults.done_at_once) {
            Some(t) => t,
            None if self.faults.done_at_once => now,
            None => now + SHORT_WORK,
        };
        self.sockets[socket] = Some(Job { peer, framing_sequence: sequence, done });
        self.poll(now, out);
    }

    /// Whether it can be done.
    fn perform(&mut self, now: MediaTime, request: Request) -> bool {
        let u = self.units;
        let middle = Angles { digits: u.digits, ..Angles::default() };
        let share = |(v, _): (u8, u8)| f32::from(v) / f32::from(u.pan_speed.max(1));
        match request {
            Request::RecallPreset(n) => {
                let Some(p) = self.presets.get(&n) else { return false };
                self.motors.go_to(now, [Some(p.pan), Some(p.tilt), Some(p.zoom)], 1.0);
            }
            Request::SavePreset(n) => {
                self.presets.insert(n, self.motors.position(now));
            }
            Request::ClearPreset(n) => return self.presets.remove(&n).is_some(),
            Request::MoveTo { to, speed } => {
                let p = u.position(to, 0);
                self.motors.go_to(now, [Some(p.pan), Some(p.tilt), None], share(speed));
            }
            Request::MoveBy { by, speed } => {
                let (from, none) = (self.motors.position(now), u.position(middle, 0));
                let by = u.position(by, 0);
                let to = [Some(from.pan + by.pan - none.pan), Some(from.tilt + by.tilt - none.tilt), None];
                self.motors.go_to(now, to, share(speed));
            }
            Request::Drive { pan, tilt } => {
                let v =
                    [f32::from(pan) / f32::from(u.pan_speed.max(1)), f32::from(tilt) / f32::from(u.tilt_speed.max(1))];
                self.motors.drive(now, [Some(v[0]), Some(v[1]), None]);
            }
            Request::ZoomTo(z) => self.motors.go_to(now, [None, None, Some(u.position(middle, z).zoom)], 1.0),
            Request::ZoomDrive(v) => self.motors.drive(now, [None, None, Some(f32::from(v) / 8.0)]),
            Request::Home => {
                let p = u.position(middle, 0);
                self.motors.go_to(now, [Some(p.pan), Some(p.tilt), None], 1.0);
            }
            Request::Cancel(_) | Request::PanTilt | Request::Zoom => {}
        }
        true
    }

    fn reply(&mut self, peer: Peer, sequence: Option<u32>, reply: Reply, out: &mut impl FnMut(Peer, Vec<u8>)) {
        let message = reply.to_bytes();
        let bytes = match sequence {
            None => message,
            Some(s) => {
                let sequence = if self.faults.zero_sequence { 0 } else { s };
                Datagram { kind: Kind::Reply, sequence, payload: &message }.to_bytes()
            }
        };
        self.send(peer, bytes, out);
    }
    fn control(&mut self, peer: Peer, sequence: u32, payload: &[u8], out: &mut impl FnMut(Peer, Vec<u8>)) {
        self.send(peer, Datagram { kind: Kind::ControlReply, sequence, payload }.to_bytes(), out);
    }
    fn send(&mut self, peer: Peer, bytes: Vec<u8>, out: &mut impl FnMut(Peer, Vec<u8>)) {
        let f = &mut self.faults;
        if f.lose_replies > 0 {
            f.lose_replies -= 1;
            return;
        }
        if f.double_replies > 0 {
            f.double_replies -= 1;
            out(peer, bytes.clone());
        }
        out(peer, bytes);
    }
    fn copies_in(&mut self) -> u32 {
        let f = &mut self.faults;
        if f.lose_requests > 0 {
            f.lose_requests -= 1;
            0
        } else if f.double_requests > 0 {
            f.double_requests -= 1;
            2
        } else {
            1
        }
    }
}
