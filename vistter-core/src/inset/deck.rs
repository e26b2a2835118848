//! A video file's pictures, one after the other in the order in which they are shown.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::codec::decoder_for;
use crate::error::{Error, ErrorKind, Result};
use crate::media::Frame;
use crate::media::mp4::VideoFile;
use crate::ports::VideoDecoder;

/// Reads, decodes and puts in order.
pub(super) struct Deck {
    file: Arc<VideoFile>,
    decoder: Box<dyn VideoDecoder>,
    /// The sample that is decoded next.
    next: usize,
    out: VecDeque<(usize, Frame)>,
    /// Nothing comes any more.
    ended: bool,
    /// What did not decode, since it was asked last.
    damage: Option<Error>,
}

impl Deck {
    pub(super) fn new(file: Arc<VideoFile>) -> Result<Self> {
        let decoder = decoder_for(file.params())?;
        Ok(Self { file, decoder, next: 0, out: VecDeque::new(), ended: false, damage: None })
    }

    /// Goes on at the keyframe that a picture needs.
    pub(super) fn seek(&mut self, picture: usize) -> Result<()> {
        self.out.clear();
        self.next = self.file.start_for(picture);
        self.ended = false;
        self.decoder.configure(self.file.params())
    }

    /// Whether a keyframe later than what is decoded next leads to this picture.
    pub(super) fn jumps(&self, picture: usize) -> bool {
        self.file.start_for(picture) > self.next
    }

    /// Whether it has given all there is.
    pub(super) fn is_over(&self) -> bool {
        self.ended && self.out.is_empty()
    }

    /// The next picture and its number, which rises; none at the end.
    ///
    /// # Errors
    /// The file cannot be read any more. What does not decode is left out.
    pub(super) fn next(&mut self) -> Result<Option<(usize, Frame)>> {
        loop {
            if let Some(one) = self.out.pop_front() {
                return Ok(Some(one));
            }
            if self.ended {
                return Ok(None);
            }
            let packet = if self.next < self.file.samples() { Some(self.file.packet(self.next)?) } else { None };
            let (file, out, decoder) = (&self.file, &mut self.out, &mut self.decoder);
            let mut give = |f: Frame| {
                let last = out.back().map(|(n, _)| *n);
                if let Some(n) = file.picture_of(f.pts()).filter(|n| last.is_none_or(|l| l < *n)) {
                    out.push_back((n, f));
                }
            };
            // A decoder is foreign code on a file's data: a panic in it costs pictures, not the process.
            let done = catch_unwind(AssertUnwindSafe(|| match &packet {
                Some(p) => decoder.decode(p, &mut give),
                None => decoder.flush(&mut give),
            }));
            match packet {
                Some(_) => self.next += 1,
                None => self.ended = true,
            }
            match done {
                Ok(Ok(())) => {}
                Ok(Err(e)) => self.damage = self.damage.take().or(Some(e)),
                Err(_) => {
                    let e = Error::new(ErrorKind::Codec, "the decoder panicked on this video");
                    self.damage = Some(e.next("export the clip again, and report this"));
                    self.decoder = decoder_for(self.file.params())?;
                }
            }
        }
    }

    /// What did not decode since this was asked last.
    pub(super) fn damage(&mut self) -> Option<Error> {
        self.damage.take()
    }
}

/// A video that gives no picture at all.
pub(super) fn nothing() -> Error {
    Error::new(ErrorKind::Media, "no picture of the video decodes").next("export the clip again, as H.264")
}
