//! Where the director believes the cameras' heads to be, and the orders it gives them. An order has a number; what is
//! reported about an older one is not believed.

use super::words::CameraState;

/// What became of an order to a camera's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeadOutcome {
    /// The camera stands there, and the pictures of this frame show it standing.
    Arrived,
    /// It has no such preset.
    NoSuchPreset,
    /// It does not answer, or does not move.
    Failed,
}

/// What a camera's head reports each frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct HeadState {
    /// An operator drives it: the show keeps its hands off.
    pub operator: bool,
    /// The number of the order that ended last, and how.
    pub done: Option<(u64, HeadOutcome)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Nobody knows.
    #[default]
    Somewhere,
    OnItsWay,
    There,
    /// Since this frame.
    Failed(u64),
}

#[derive(Clone, Copy, Debug, Default)]
struct Head {
    orders: u64,
    target: Option<usize>,
    place: Place,
    /// The preset at which overlays believe it to stand.
    told: Option<usize>,
    /// The last order failed for a reason that has nothing to do with the preset: nobody waits for this head.
    unreachable: bool,
}

/// All heads, by camera.
#[derive(Debug)]
pub(super) struct Heads {
    all: Vec<Head>,
    /// Frames after which a failed order is given again.
    retry: u32,
}

impl Heads {
    pub(super) fn new(cameras: usize, retry: u32) -> Self {
        Self { all: vec![Head::default(); cameras], retry }
    }

    /// Takes the reports for output frame `n`.
    pub(super) fn see(&mut self, n: u64, cameras: &[CameraState]) {
        for (head, state) in self.all.iter_mut().zip(cameras.iter().map(|c| c.head)) {
            match state {
                None => {}
                Some(s) if s.operator => (head.target, head.place) = (None, Place::Somewhere),
                Some(HeadState { done: Some((order, how)), .. })
                    if order == head.orders && head.place == Place::OnItsWay =>
                {
                    head.unreachable = how == HeadOutcome::Failed;
                    head.place = if how == HeadOutcome::Arrived { Place::There } else { Place::Failed(n) };
                }
                Some(_) => {}
            }
        }
    }

    /// Whether a camera is to be sent to a preset: it is not there, nor on its way, and did not fail just now.
    pub(super) fn needs(&self, n: u64, camera: usize, preset: usize) -> bool {
        self.all.get(camera).is_some_and(|h| match h.place {
            _ if h.target != Some(preset) => true,
            Place::Failed(since) => n.saturating_sub(since) >= u64::from(self.retry),
            Place::Somewhere => true,
            Place::OnItsWay | Place::There => false,
        })
    }

    /// Sends a camera to a preset; the number of the order.
    pub(super) fn order(&mut self, camera: usize, preset: usize) -> u64 {
        let Some(h) = self.all.get_mut(camera) else { return 0 };
        h.orders += 1;
        (h.target, h.place) = (Some(preset), Place::OnItsWay);
        h.orders
    }

    /// Whether there is nothing to wait for before the camera goes on air at a preset: it stands there, or never will, or
    /// a person has it in hand.
    pub(super) fn is_settled(&self, camera: usize, preset: usize, state: Option<HeadState>) -> bool {
        let (Some(h), Some(state)) = (self.all.get(camera), state) else { return true };
        state.operator
            || h.unreachable
            || (h.target == Some(preset) && matches!(h.place, Place::There | Place::Failed(_)))
    }

    /// Gives each preset that a camera has left or come to since this was asked last: camera, preset, whether it is there.
    pub(super) fn news(&mut self, out: &mut dyn FnMut(usize, usize, bool)) {
        for (camera, h) in self.all.iter_mut().enumerate() {
            let now = h.target.filter(|_| h.place == Place::There);
            if now != h.told {
                h.told.into_iter().for_each(|preset| out(camera, preset, false));
                now.into_iter().for_each(|preset| out(camera, preset, true));
                h.told = now;
            }
        }
    }

    /// The preset at which the camera stands or to which it is on its way, and whether it moves.
    pub(super) fn place(&self, camera: usize) -> (Option<usize>, bool) {
        match self.all.get(camera) {
            Some(h) if h.place == Place::There => (h.target, false),
            Some(h) if h.place == Place::OnItsWay => (h.target, true),
            _ => (None, false),
        }
    }
}
