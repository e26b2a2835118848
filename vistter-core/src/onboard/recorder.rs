//! Writes the report, step by step. Nothing secret gets into it, whatever a device says.

use std::time::Duration;

use super::report::{Report, Step, StepName, StepResult};
use crate::error::{Error, ErrorKind};
use crate::ports::Clock;
use crate::secret::Secret;
use crate::time::MediaTime;

/// Longest text of a step, in characters; devices write pages into their faults.
const MOST_CHARS: usize = 400;
/// A shorter password is no word to look for: it would take pieces out of every text.
const LEAST_SECRET: usize = 3;

/// What is told while the check runs.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// A step begins.
    Begun(StepName),
    /// A step has ended.
    Done(&'a Step),
}

/// Records steps. One is open at a time: [`Self::begin`], then the verdict.
pub struct Recorder<'a> {
    clock: &'a dyn Clock,
    progress: &'a mut (dyn FnMut(Progress<'_>) + Send),
    report: Report,
    started: MediaTime,
    within: MediaTime,
    open: Option<(StepName, MediaTime)>,
    hidden: Vec<Secret<String>>,
}

impl<'a> Recorder<'a> {
    /// For an address, as it may be shown; the whole check is to end `within` this time.
    pub fn new(
        address: &str,
        within: MediaTime,
        clock: &'a dyn Clock,
        progress: &'a mut (dyn FnMut(Progress<'_>) + Send),
    ) -> Self {
        let report = Report { address: address.to_owned(), ..Report::default() };
        Self { clock, progress, report, started: clock.now(), within, open: None, hidden: Vec::new() }
    }
    /// Takes this text out of everything that is recorded from now on: a device may quote the password back at us.
    pub fn hide(&mut self, secret: Secret<String>) {
        if secret.expose().chars().count() >= LEAST_SECRET {
            self.hidden.push(secret);
        }
    }
    /// A step begins.
    pub fn begin(&mut self, step: StepName) {
        self.open = Some((step, self.clock.now()));
        (self.progress)(Progress::Begun(step));
    }
    /// The open step ended well.
    pub fn passed(&mut self, said: impl AsRef<str>) {
        self.close(StepResult::Passed, said.as_ref(), None, None);
    }
    /// The open step ended well, and a person should know or change something.
    pub fn warned(&mut self, said: impl AsRef<str>, next: impl AsRef<str>) {
        self.close(StepResult::Warned, said.as_ref(), Some(next.as_ref()), None);
    }
    /// The open step failed.
    pub fn failed(&mut self, e: &Error) {
        self.close(StepResult::Failed, e.what(), e.next_step(), Some(e.kind()));
    }
    /// The open step had nothing to do.
    pub fn skipped(&mut self, said: impl AsRef<str>) {
        self.close(StepResult::Skipped, said.as_ref(), None, None);
    }
    /// What is left of the whole time.
    pub fn left(&self) -> Duration {
        (self.started + self.within - self.clock.now()).to_duration()
    }
    /// The facts, to be filled in.
    pub fn facts(&mut self) -> &mut Report {
        &mut self.report
    }
    /// What a device said, fit to be shown: no secret, no control characters, bounded.
    pub fn clean(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for s in &self.hidden {
            text = text.replace(s.expose().as_str(), "…");
        }
        let mut out: String = text.chars().filter(|c| !c.is_control()).take(MOST_CHARS).collect();
        out.truncate(out.trim_end().len());
        out
    }
    /// The report. A step that is still open counts as failed.
    pub fn finish(mut self) -> Report {
        if self.open.is_some() {
            self.failed(&Error::new(ErrorKind::Internal, "the step was not finished"));
        }
        self.report.took_secs = (self.clock.now() - self.started).as_secs_f64();
        self.report
    }

    fn close(&mut self, result: StepResult, said: &str, next: Option<&str>, kind: Option<ErrorKind>) {
        let Some((step, at)) = self.open.take() else { return };
        self.report.steps.push(Step {
            step,
            result,
            took_secs: (self.clock.now() - at).as_secs_f64(),
            said: self.clean(said),
            next: next.map(|n| self.clean(n)),
            kind: kind.map(|k| format!("{k:?}")),
        });
        if let Some(done) = self.report.steps.last() {
            (self.progress)(Progress::Done(done));
        }
    }
}

impl std::fmt::Debug for Recorder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder")
            .field("address", &self.report.address)
            .field("open", &self.open)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn steps_are_timed_told_and_without_secrets() {
        let clock = ManualClock::new();
        let mut told = Vec::new();
        let mut tell = |p: Progress<'_>| {
            told.push(match p {
                Progress::Begun(s) => format!("{s:?}"),
                Progress::Done(s) => format!("{:?} {}", s.result, s.said),
            });
        };
        let mut r = Recorder::new("10.0.0.2", MediaTime::from_secs(10), &clock, &mut tell);
        r.hide("hunter2".into());
        r.hide("x".into());
        r.begin(StepName::Reachable);
        clock.advance(MediaTime::from_millis(250));
        r.passed("box at port 80");
        r.begin(StepName::Authenticated);
        clock.advance(MediaTime::from_secs(1));
        r.failed(&Error::new(ErrorKind::Unauthorized, "hunter2\u{1b}[31m is wrong").next("not hunter2"));
        assert_eq!(r.left(), Duration::from_millis(8750));
        clock.advance(MediaTime::from_secs(100));
        assert_eq!(r.left(), Duration::ZERO, "never negative");
        r.begin(StepName::Profiles);
        let report = r.finish();
        assert_eq!(told[..3], ["Reachable", "Passed box at port 80", "Authenticated"]);
        assert_eq!((report.steps.len(), report.steps[0].took_secs), (3, 0.25));
        let json = serde_json::to_string(&report).unwrap();
        assert!(!json.contains("hunter2") && !json.contains("u001b"), "{json}");
        assert!(json.contains(r#"{"step":"authenticated","result":"failed","took_secs":1.0,"said":"…[31m is wrong","next":"not …","kind":"Unauthorized"}"#), "{json}");
        assert_eq!(report.failure().map(|s| s.step), Some(StepName::Authenticated));
        assert_eq!(report.step(StepName::Profiles).map(|s| s.result), Some(StepResult::Failed));
    }
}
