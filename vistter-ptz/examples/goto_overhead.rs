//! How much longer a go-to takes than the camera's own motion, on the simulated VISCA camera.
//!
//! `cargo run -p vistter-ptz --features sim --example goto_overhead`

use vistter_core::ports::PtzPosition;
use vistter_core::time::MediaTime;
use vistter_ptz::mover::{LearnedTimes, Mover, MoverPolicy};
use vistter_ptz::sim::{Faults, MotorSpec, ViscaDevice, ViscaSim};
use vistter_ptz::visca::connection::Framing;
use vistter_ptz::visca::units::Units;
use vistter_ptz::visca::{Transport, ViscaDriver, ViscaOptions};

const MOVES: usize = 40;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    for (what, done_at_once) in [("move status", false), ("stable position", true)] {
        let spec = MotorSpec { pan_tilt: 1.0, zoom: 1.0, latency: MediaTime::from_millis(60) };
        let sim = ViscaSim::start(Framing::Udp, ViscaDevice::new(spec, Units::COMMON)).await?;
        sim.with(|c, _| *c.faults() = Faults { done_at_once, ..Faults::default() });
        let udp = Transport::Udp { local_port: None };
        let driver = ViscaDriver::new(ViscaOptions::new(sim.address().to_string(), udp));
        let (mover, _task) = Mover::start(Box::new(driver), MoverPolicy::default(), LearnedTimes::default());
        let mut over = Vec::new();
        for i in 0..MOVES {
            // From 0.2 to 0.9 seconds of motion, never the same.
            let pan = (0.1 + 0.009 * i as f32) * if i % 2 == 0 { 1.0 } else { -1.0 };
            let from = sim.with(|c, now| c.motors().position(now)).pan;
            let began = sim.with(|_, now| now);
            let to = PtzPosition { pan, tilt: -0.5, zoom: 0.0 };
            let arrived = mover.absolute(to, None).await?.ok_or("replaced")?;
            let took = (sim.with(|_, now| now) - began).as_secs_f64();
            let motion = f64::from((pan - from).abs()).max(if i == 0 { 0.5 } else { 0.0 }) + 0.06;
            over.push((took - motion) * 1000.0);
            if sim.with(|c, now| c.motors().moving(now)) {
                return Err(format!("still moving after {:?}", arrived.evidence).into());
            }
        }
        over.sort_by(f64::total_cmp);
        let of = |i: usize| over.get(i).copied().unwrap_or_default();
        println!(
            "{what}: {MOVES} moves, overhead {:.0} / {:.0} / {:.0} ms (least, median, most)",
            of(0),
            of(MOVES / 2),
            of(MOVES - 1)
        );
    }
    Ok(())
}
