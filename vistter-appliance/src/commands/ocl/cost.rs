//! What the scenes of a document cost on a machine: `vistter ocl check FILE --profile pi4`.

use serde_json::{Value, json};
use vistter::ocl::{Cost, cost_file, plays};
use vistter_core::diagnose::Diagnostic;

use crate::cli::ocl::OclCheckArgs;

/// Layers of a scene that are printed.
const PRINTED: usize = 5;

/// The costs that were asked for; what is beyond the machine's budget joins the findings. Of a document that does not play
/// there are none.
pub(crate) fn of(args: &OclCheckArgs, findings: &mut Vec<Diagnostic>) -> Vec<Cost> {
    let Some(profile) = args.profile.filter(|_| plays(findings)) else { return Vec::new() };
    match cost_file(&args.file, profile, args.fps) {
        Ok((costs, beyond)) => {
            findings.extend(beyond);
            costs
        }
        Err(list) => {
            findings.extend(list.into_iter().filter(|d| !findings.contains(d)).collect::<Vec<_>>());
            Vec::new()
        }
    }
}

fn percent(part: f64) -> f64 {
    (part * 1000.0).round() / 10.0
}

fn milliseconds(nanos: f64) -> f64 {
    (nanos / 1e4).round() / 100.0
}

pub(crate) fn print(c: &Cost) {
    println!(
        "scene \"{}\" on {}: {} % of a frame ({} ms of {} ms), {} % while nothing is drawn anew; costliest at frame {}",
        c.scene,
        c.profile,
        percent(c.share()),
        milliseconds(c.nanos),
        milliseconds(c.period),
        percent(c.steady / c.period),
        c.frame
    );
    for l in c.layers.iter().take(PRINTED).filter(|l| l.nanos > 0.0) {
        println!("  {:>6} %  {}: {}", percent(l.nanos / c.period), l.id, l.most.name());
    }
    if c.way > 0.0 {
        println!("  {:>6} %  its way in or out", percent(c.way / c.period));
    }
}

pub(crate) fn to_json(c: &Cost) -> Value {
    let layer = |l: &vistter::ocl::LayerCost| json!({ "id": l.id, "pointer": l.pointer, "percent": percent(l.nanos / c.period), "most": l.most.name() });
    json!({
        "scene": c.scene, "profile": c.profile, "percent": percent(c.share()), "budget": percent(c.budget),
        "steady_percent": percent(c.steady / c.period), "way_percent": percent(c.way / c.period),
        "milliseconds": milliseconds(c.nanos), "frame": c.frame,
        "layers": c.layers.iter().map(layer).collect::<Vec<_>>(),
    })
}
