//! Machines, as tables of what a pixel costs there, on one core.

/// A machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Profile {
    /// The name, as written.
    pub name: &'static str,
    /// What it is.
    pub title: &'static str,
    /// Where its numbers come from.
    pub source: &'static str,
    /// The part of the time between two frames that overlays should keep below, so that there is room to decode and encode.
    pub budget: f64,
    /// Nanoseconds per pixel: blending what is drawn.
    pub blend: f64,
    /// Blending in another mode than normal: to RGB and back.
    pub mode: f64,
    /// Laying a layer on a group's own picture.
    pub over: f64,
    /// From a drawing to planes, or to what is scaled.
    pub load: f64,
    /// Scaling.
    pub scale: f64,
    /// Turning.
    pub turn: f64,
    /// Cropping; a mask is a tenth of it.
    pub cut: f64,
    /// Drawing a shape or the box of a text.
    pub draw: f64,
    /// Reading and writing a pixel of the picture.
    pub copy: f64,
    /// Nanoseconds per character: shaping it, and laying its glyph.
    pub glyph: f64,
}

/// Measured with `cargo run --release -p vistter-ocl --example cost_cases`.
const MEASURED: Profile = Profile {
    name: "server",
    title: "a server's core: AMD EPYC (Zen 3) at 2.45 GHz with AVX2",
    source: "measured in November 2026, rounded",
    budget: 0.25,
    blend: 0.25,
    mode: 7.0,
    over: 11.0,
    load: 3.0,
    scale: 10.0,
    turn: 13.0,
    cut: 11.0,
    draw: 5.0,
    copy: 0.15,
    glyph: 10_000.0,
};

/// A machine whose core takes so many times as long, and so many times where memory is what holds it up.
const fn slower(name: &'static str, title: &'static str, source: &'static str, core: f64, memory: f64) -> Profile {
    let m = MEASURED;
    Profile {
        name,
        title,
        source,
        budget: m.budget,
        blend: m.blend * memory,
        mode: m.mode * core,
        over: m.over * core,
        load: m.load * core,
        scale: m.scale * core,
        turn: m.turn * core,
        cut: m.cut * core,
        draw: m.draw * core,
        copy: m.copy * memory,
        glyph: m.glyph * core,
    }
}

/// The machines there are, from the fastest on.
pub const PROFILES: [Profile; 4] = [
    MEASURED,
    slower(
        "n100",
        "a small PC: Intel N100",
        "derived, not measured: those of \"server\" by 1.5, memory by 2 (one channel)",
        1.5,
        2.0,
    ),
    slower(
        "pi5",
        "Raspberry Pi 5: Cortex-A76 at 2.4 GHz",
        "derived, not measured: those of \"server\" by 2.5 (half the clock's work a core, NEON of 128 bits), memory by 3",
        2.5,
        3.0,
    ),
    slower(
        "pi4",
        "Raspberry Pi 4: Cortex-A72 at 1.8 GHz",
        "derived, not measured: those of \"server\" by 6 (NEON of 128 bits on narrow pipes), memory by 8",
        6.0,
        8.0,
    ),
];

/// A machine by its name.
pub fn profile(name: &str) -> Option<&'static Profile> {
    PROFILES.iter().find(|p| p.name == name)
}
