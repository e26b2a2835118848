//! The scene's clock: it runs with the frames, stands at steps, and can be put elsewhere.

/// Where a scene is in its own time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct SceneClock {
    /// Frames since it was shown, at the last change.
    at: u64,
    /// The scene's time then.
    time: u64,
    /// The running time then.
    run: u64,
    /// It stands here until it is told to go on.
    hold: Option<u64>,
}

/// Both times of a scene, in frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Moment {
    /// What cues and keyframes count in: it stands at steps.
    pub(crate) time: u64,
    /// What tickers and repetitions without end count in: it never stands, so that a scene that waits for its operator is
    /// not dead.
    pub(crate) run: u64,
}

impl SceneClock {
    /// The scene is shown: its time begins, and goes to the first step.
    pub(crate) fn begin(steps: &[u64]) -> Self {
        Self { hold: steps.first().copied(), ..Self::default() }
    }
    /// The times so many frames after it was shown.
    pub(crate) fn moment(&self, age: u64) -> Moment {
        let gone = age.saturating_sub(self.at);
        let time = self.time.saturating_add(gone);
        Moment { time: self.hold.map_or(time, |h| time.min(h)), run: self.run.saturating_add(gone) }
    }
    /// Whether it stands from this frame on until it is told to go on.
    pub(crate) fn stands(&self, age: u64) -> bool {
        self.hold.is_some_and(|h| self.moment(age).time >= h)
    }
    /// The step it stands at or runs to.
    pub(crate) fn step(&self, steps: &[u64]) -> Option<usize> {
        self.hold.and_then(|h| steps.iter().position(|s| *s == h))
    }
    /// Goes on to the next step. False when there is none: the scene is over.
    pub(crate) fn next(&mut self, age: u64, steps: &[u64]) -> bool {
        let Some(hold) = self.hold else { return false };
        let later = steps.iter().copied().find(|s| *s > hold);
        if later.is_none() {
            return false;
        }
        let Moment { time, run } = self.moment(age);
        // One that has not come to its step yet runs through it: nobody should have to wait to press twice.
        *self = Self { at: age, time, run, hold: later };
        true
    }
    /// Puts its time to `to`; from there it goes to the next step, or stands when a step is there.
    pub(crate) fn go_to(&mut self, age: u64, to: u64, steps: &[u64]) {
        *self = Self { at: age, time: to, run: to, hold: steps.iter().copied().find(|s| *s >= to) };
    }
    /// Goes to a step: at once, or from the step before it.
    pub(crate) fn go_to_step(&mut self, age: u64, step: usize, at_once: bool, steps: &[u64]) -> bool {
        let Some(&hold) = steps.get(step) else { return false };
        let before = step.checked_sub(1).and_then(|i| steps.get(i)).copied().unwrap_or(0);
        let time = if at_once { hold } else { before };
        *self = Self { at: age, time, run: time, hold: Some(hold) };
        true
    }
    /// Frames after it was shown at which its time comes to `time`; `None` when it stands before.
    pub(crate) fn age_at(&self, time: u64) -> Option<u64> {
        let gone = time.checked_sub(self.time).filter(|_| self.hold.is_none_or(|h| time <= h))?;
        Some(self.at.saturating_add(gone))
    }
    /// The same for the running time.
    pub(crate) fn age_at_run(&self, run: u64) -> Option<u64> {
        Some(self.at.saturating_add(run.checked_sub(self.run)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_at_steps_and_goes_on() {
        let steps = [10, 30];
        let mut c = SceneClock::begin(&steps);
        assert_eq!(
            (c.moment(9).time, c.moment(10).time, c.moment(50), c.stands(10)),
            (9, 10, Moment { time: 10, run: 50 }, true)
        );
        assert_eq!((c.age_at(5), c.age_at(11), c.step(&steps)), (Some(5), None, Some(0)));
        assert!(c.next(50, &steps));
        assert_eq!((c.moment(50).time, c.moment(60), c.age_at(30)), (10, Moment { time: 20, run: 60 }, Some(70)));
        assert!(!c.next(60, &steps), "after the last step it is over");
        c.go_to(100, 5, &steps);
        assert_eq!((c.moment(100), c.moment(200).time), (Moment { time: 5, run: 5 }, 10));
        assert!(c.go_to_step(300, 1, false, &steps) && !c.go_to_step(300, 2, true, &steps));
        assert_eq!((c.moment(300).time, c.moment(500).time), (10, 30));
        c.go_to_step(300, 1, true, &steps);
        assert_eq!((c.moment(300).time, c.age_at_run(35)), (30, Some(305)));
        c.go_to(0, 31, &steps);
        assert_eq!((c.moment(1000).time, c.step(&steps)), (1031, None), "no step is left");
    }
    #[test]
    fn without_steps_it_runs() {
        let mut c = SceneClock::begin(&[]);
        assert_eq!(c.moment(7), Moment { time: 7, run: 7 });
        assert!(!c.next(7, &[]));
    }
}
