//! One camera's conversation, sans-IO: bytes and time go in, bytes and events come out.
//!
//! At most one message waits for its answer; a command that was accepted runs on in one of the camera's two sockets and
//! tells later that it is done. Over UDP each message has a sequence number. What a lost datagram means is read from the
//! camera's answer to the same message sent again (Sony SRG-300H technical manual, table of retransmission):
//!
//! | lost | answer to the repeated message | so |
//! |---|---|---|
//! | the command or inquiry | as usual | go on |
//! | the ACK | "abnormality in the sequence number" | the command runs: accepted |
//! | the answer to an inquiry | "abnormality in the sequence number" | ask again under a new number |
//!
//! The same complaint about a message that was sent once means that the camera counts otherwise (it was restarted, or has
//! another controller): RESET, then the message again.

use vistter_core::time::MediaTime;

use super::frame::{BAD_SEQUENCE, Datagram, Kind, RESET, RESET_TAKEN, Splitter};
use super::message::{Refusal, Reply, Request};

/// How messages are framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// One message a datagram, with the VISCA over IP header.
    Udp,
    /// Messages back to back on a TCP connection.
    Tcp,
}

/// The numbers of the conversation, and what some cameras need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// A datagram that is not answered within this is sent again.
    pub reply_within: MediaTime,
    /// How often a datagram is sent in all.
    pub tries: u8,
    /// How often RESET is sent; a camera that does not answer it may still answer messages.
    pub reset_tries: u8,
    /// Longest wait for an answer over TCP, where nothing is sent again.
    pub stream_reply_within: MediaTime,
    /// Wait before trying again when both command sockets are taken.
    pub full_wait: MediaTime,
    /// How often to try again then.
    pub full_tries: u8,
    /// A command whose end is not heard within this is not waited for any more.
    pub run_within: MediaTime,
    /// Replies do not carry the sequence number of what they answer (some clones always send 0): take any.
    pub any_sequence: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            reply_within: MediaTime::from_millis(300),
            tries: 3,
            reset_tries: 2,
            stream_reply_within: MediaTime::from_millis(1200),
            full_wait: MediaTime::from_millis(100),
            full_tries: 5,
            run_within: MediaTime::from_secs(30),
            any_sequence: false,
        }
    }
}

/// Names one submitted message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(u32);

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The camera runs the command.
    Accepted,
    /// The answer to an inquiry.
    Answer(Reply),
    /// A command that was accepted has ended: a move has arrived, or was cut short by another.
    Done,
    /// It came to nothing.
    Failed(Failure),
}

/// Why a message came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No answer, however often it was sent.
    NoAnswer,
    /// The camera refuses.
    Refused(Refusal),
    /// The sequence numbers did not come into step.
    OutOfStep,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send these bytes: one datagram, or a piece of the stream.
    Send(Vec<u8>),
    /// Something became of a message.
    Event(Ticket, Event),
}

/// A message waits for its answer, and this framing cannot tell late answers apart: start a new connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

/// How often one message may begin anew (RESET, or a new number because its answer was lost) before it is given up.
const MOST_ROUNDS: u8 = 3;
/// Commands that may run; the camera has two sockets, and a number lost on the way may hide one more.
const MOST_RUNNING: usize = 4;
/// How far back a complaint can be about a message that is settled: a datagram that the network doubled.
const RECENT: u32 = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Sequence numbers are not agreed (UDP); RESET goes before the next message.
    Fresh,
    /// RESET is on its way; so many more may be sent.
    Resetting {
        left: u8,
        due: MediaTime,
    },
    Open,
}

#[derive(Clone, Debug)]
struct Pending {
    ticket: Ticket,
    request: Request,
    /// Of the last datagram; meaningless while `held`.
    sequence: u32,
    due: MediaTime,
    /// Sendings left under this number.
    left: u8,
    sent_again: bool,
    /// Not under way: waits for RESET or for a free socket.
    held: bool,
    full_left: u8,
    rounds: u8,
}

#[derive(Clone, Copy, Debug)]
struct Running {
    ticket: Ticket,
    sequence: u32,
    /// `None` when the ACK was lost.
    socket: Option<u8>,
    is_move: bool,
    until: MediaTime,
}

/// One camera's conversation.
#[derive(Clone, Debug)]
pub struct Connection {
    framing: Framing,
    policy: Policy,
    step: Step,
    sequence: u32,
    tickets: u32,
    pending: Option<Pending>,
    running: Vec<Running>,
    splitter: Splitter,
}

impl Connection {
    /// A conversation that has not begun.
    pub fn new(framing: Framing, policy: Policy) -> Self {
        let step = if framing == Framing::Udp { Step::Fresh } else { Step::Open };
        let splitter = Splitter::default();
        Self { framing, policy, step, sequence: 0, tickets: 0, pending: None, running: Vec::new(), splitter }
    }

    /// Says something to the camera. A message that still waits for its answer is given up silently (UDP: its sequence
    /// number keeps late answers apart) or in the way (TCP).
    pub fn submit(&mut self, now: MediaTime, request: Request, out: &mut impl FnMut(Output)) -> Result<Ticket, Busy> {
        if self.pending.is_some() && self.framing == Framing::Tcp {
            return Err(Busy);
        }
        self.tickets = self.tickets.wrapping_add(1);
        let ticket = Ticket(self.tickets);
        self.pending = Some(Pending {
            ticket,
            request,
            sequence: 0,
            due: now,
            left: 0,
            sent_again: false,
            held: true,
            full_left: self.policy.full_tries,
            rounds: 0,
        });
        match self.step {
            Step::Fresh => self.reset(now, out),
            Step::Resetting { .. } => {}
            Step::Open => self.send_new(now, out),
        }
        Ok(ticket)
    }

    /// Takes what came: one datagram, or any piece of the TCP stream. What is malformed is passed over.
    pub fn receive(&mut self, now: MediaTime, bytes: &[u8], out: &mut impl FnMut(Output)) {
        if self.framing == Framing::Tcp {
            let mut splitter = std::mem::take(&mut self.splitter);
            splitter.push(bytes, &mut |m| {
                if let Some(r) = Reply::parse(m) {
                    self.reply(now, None, r, out);
                }
            });
            self.splitter = splitter;
            return;
        }
        match Datagram::parse(bytes) {
            Some(Datagram { kind: Kind::Reply, sequence, payload }) => {
                if let Some(r) = Reply::parse(payload) {
                    self.reply(now, (!self.policy.any_sequence).then_some(sequence), r, out);
                }
            }
            Some(Datagram { kind: Kind::ControlReply, payload: RESET_TAKEN, .. }) => {
                if matches!(self.step, Step::Resetting { .. }) {
                    self.open(now, out);
                }
            }
            Some(Datagram { kind: Kind::ControlReply, payload: BAD_SEQUENCE, sequence }) => {
                self.out_of_step(now, sequence, out);
            }
            Some(Datagram { kind: Kind::ControlReply, sequence, .. })
                if self.pending.as_ref().is_some_and(|p| !p.held && p.sequence == sequence) =>
            {
                self.fail(Failure::Refused(Refusal::Syntax), out);
            }
            _ => {}
        }
    }

    /// Time has passed: call at [`Self::next_deadline`].
    pub fn poll(&mut self, now: MediaTime, out: &mut impl FnMut(Output)) {
        self.running.retain(|r| {
            let over = now >= r.until;
            if over {
                out(Output::Event(r.ticket, Event::Done));
            }
            !over
        });
        if let Step::Resetting { left, due } = self.step {
            if now < due {
                return;
            }
            if left == 0 {
                return self.open(now, out);
            }
            self.step = Step::Resetting { left: left - 1, due: now + self.policy.reply_within };
            return out(Output::Send(reset_datagram()));
        }
        let Some(p) = self.pending.as_mut().filter(|p| now >= p.due) else { return };
        if p.held {
            return self.send_new(now, out);
        }
        if p.left == 0 {
            return self.fail(Failure::NoAnswer, out);
        }
        p.left -= 1;
        p.sent_again = true;
        p.due = now + self.policy.reply_within;
        let bytes = datagram(p.sequence, p.request);
        out(Output::Send(bytes));
    }

    /// When [`Self::poll`] has something to do.
    pub fn next_deadline(&self) -> Option<MediaTime> {
        let waiting = match (self.step, &self.pending) {
            (Step::Resetting { due, .. }, _) => Some(due),
            (_, Some(p)) => Some(p.due),
            _ => None,
        };
        waiting.into_iter().chain(self.running.iter().map(|r| r.until)).min()
    }

    /// Whether a move that was accepted has not told its end.
    pub fn is_moving(&self) -> bool {
        self.running.iter().any(|r| r.is_move)
    }
    /// Sockets in which moves run.
    pub fn move_sockets(&self) -> impl Iterator<Item = u8> + '_ {
        self.running.iter().filter(|r| r.is_move).filter_map(|r| r.socket)
    }
    /// Forgets the moves that run: the camera was told to stop.
    pub fn forget_moves(&mut self) {
        self.running.retain(|r| !r.is_move);
    }

    fn reset(&mut self, now: MediaTime, out: &mut impl FnMut(Output)) {
        let left = self.policy.reset_tries.max(1) - 1;
        self.step = Step::Resetting { left, due: now + self.policy.reply_within };
        if let Some(p) = &mut self.pending {
            p.held = true;
        }
        out(Output::Send(reset_datagram()));
    }

    fn open(&mut self, now: MediaTime, out: &mut impl FnMut(Output)) {
        self.step = Step::Open;
        self.sequence = 0;
        // Their numbers would come again.
        self.running.clear();
        self.send_new(now, out);
    }

    /// Sends the waiting message under a new number.
    fn send_new(&mut self, now: MediaTime, out: &mut impl FnMut(Output)) {
        let Some(p) = &mut self.pending else { return };
        p.held = false;
        p.sent_again = false;
        let bytes = match self.framing {
            Framing::Tcp => {
                p.left = 0;
                p.due = now + self.policy.stream_reply_within;
                p.request.to_bytes()
            }
            Framing::Udp => {
                p.sequence = self.sequence;
                self.sequence = self.sequence.wrapping_add(1);
                p.left = self.policy.tries.max(1) - 1;
                p.due = now + self.policy.reply_within;
                datagram(p.sequence, p.request)
            }
        };
        out(Output::Send(bytes));
    }

    /// `sequence` is `None` where replies carry none that can be relied on.
    fn reply(&mut self, now: MediaTime, sequence: Option<u32>, reply: Reply, out: &mut impl FnMut(Output)) {
        let waits = self.pending.as_ref().filter(|p| !p.held && sequence.is_none_or(|s| s == p.sequence));
        let command = waits.is_some_and(|p| !p.request.is_inquiry());
        match reply {
            Reply::Accepted(socket) if command => self.accept(now, Some(socket), out),
            Reply::Accepted(_) => {}
            Reply::Done(socket) => {
                if self.ended(sequence, socket, out) || !command {
                    return;
                }
                // Its ACK was lost, or this camera sends none.
                self.accept(now, Some(socket), out);
                self.ended(sequence, socket, out);
            }
            Reply::PanTilt(..) | Reply::Zoom(_) => {
                let wanted = match reply {
                    Reply::Zoom(_) => Request::Zoom,
                    _ => Request::PanTilt,
                };
                if let Some(p) = waits.filter(|p| p.request == wanted) {
                    out(Output::Event(p.ticket, Event::Answer(reply)));
                    self.pending = None;
                }
            }
            // The end of a running command; a Cancel is answered in the name of the command that it ended.
            Reply::Refused(socket, Refusal::Cancelled | Refusal::NoSocket) => {
                let cancel = self.pending.as_ref().filter(|p| !p.held && p.request == Request::Cancel(socket));
                let cancel = cancel.map(|p| p.ticket);
                self.running.retain(|r| {
                    let over = r.socket == Some(socket);
                    if over {
                        out(Output::Event(r.ticket, Event::Done));
                    }
                    !over
                });
                if let Some(ticket) = cancel {
                    out(Output::Event(ticket, Event::Accepted));
                    self.pending = None;
                }
            }
            Reply::Refused(socket, why) => {
                let Some(p) = &mut self.pending else { return };
                if p.held || sequence.is_some_and(|s| s != p.sequence) {
                    // A running command that broke off.
                    self.ended(sequence, socket, out);
                } else if why == Refusal::Full && p.full_left > 0 {
                    p.full_left -= 1;
                    p.held = true;
                    p.due = now + self.policy.full_wait;
                } else {
                    self.fail(Failure::Refused(why), out);
                }
            }
        }
    }

    fn accept(&mut self, now: MediaTime, socket: Option<u8>, out: &mut impl FnMut(Output)) {
        let Some(p) = self.pending.take() else { return };
        out(Output::Event(p.ticket, Event::Accepted));
        // A socket that is given out again was free: the end of its last command was lost.
        self.running.retain(|r| {
            let over = socket.is_some() && r.socket == socket;
            if over {
                out(Output::Event(r.ticket, Event::Done));
            }
            !over
        });
        if self.running.len() >= MOST_RUNNING {
            self.running.remove(0);
        }
        self.running.push(Running {
            ticket: p.ticket,
            sequence: p.sequence,
            socket,
            is_move: p.request.is_move(),
            until: now + self.policy.run_within,
        });
    }

    /// A running command has ended; whether there was one.
    fn ended(&mut self, sequence: Option<u32>, socket: u8, out: &mut impl FnMut(Output)) -> bool {
        let of = |r: &Running| match sequence {
            Some(s) => r.sequence == s,
            None => r.socket == Some(socket),
        };
        let Some(i) = self.running.iter().position(of) else { return false };
        let r = self.running.remove(i);
        out(Output::Event(r.ticket, Event::Done));
        true
    }

    fn out_of_step(&mut self, now: MediaTime, sequence: u32, out: &mut impl FnMut(Output)) {
        let Some(p) = self.pending.as_mut().filter(|p| !p.held) else { return };
        let had_it = sequence == p.sequence && p.sent_again;
        if had_it && !p.request.is_inquiry() {
            return self.accept(now, None, out); // only the ACK was lost
        }
        if !p.sent_again && (1..=RECENT).contains(&p.sequence.wrapping_sub(sequence)) {
            return; // about a message that is settled
        }
        p.rounds += 1;
        if p.rounds > MOST_ROUNDS {
            self.fail(Failure::OutOfStep, out);
        } else if had_it {
            self.send_new(now, out);
        } else {
            self.reset(now, out);
        }
    }

    fn fail(&mut self, why: Failure, out: &mut impl FnMut(Output)) {
        let Some(p) = self.pending.take() else { return };
        if self.framing == Framing::Udp && matches!(why, Failure::NoAnswer | Failure::OutOfStep) {
            // Perhaps the camera was restarted.
            self.step = Step::Fresh;
        }
        out(Output::Event(p.ticket, Event::Failed(why)));
    }
}

fn datagram(sequence: u32, request: Request) -> Vec<u8> {
    let kind = if request.is_inquiry() { Kind::Inquiry } else { Kind::Command };
    Datagram { kind, sequence, payload: &request.to_bytes() }.to_bytes()
}

fn reset_datagram() -> Vec<u8> {
    Datagram { kind: Kind::Control, sequence: 0, payload: RESET }.to_bytes()
}

#[cfg(test)]
#[cfg(feature = "sim")]
#[path = "connection_tests.rs"]
mod tests;
