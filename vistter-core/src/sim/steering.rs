//! What points a test camera somewhere: core knows no camera control, so it is asked once per picture.

use std::fmt;
use std::sync::Arc;

use crate::ports::PtzPosition;

/// Tells where a test camera looks. It is asked when a picture is taken, from the camera's own thread.
#[derive(Clone)]
pub struct Steering(Arc<dyn Fn() -> PtzPosition + Send + Sync>);

impl Steering {
    /// From a function that gives the position now, such as that of simulated motors.
    pub fn new(position: impl Fn() -> PtzPosition + Send + Sync + 'static) -> Self {
        Self(Arc::new(position))
    }
    pub(super) fn position(&self) -> PtzPosition {
        let p = (self.0)();
        let within = |v: f32, low: f32| if v.is_finite() { v.clamp(low, 1.0) } else { 0.0 };
        PtzPosition { pan: within(p.pan, -1.0), tilt: within(p.tilt, -1.0), zoom: within(p.zoom, 0.0) }
    }
}

impl fmt::Debug for Steering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Steering")
    }
}
