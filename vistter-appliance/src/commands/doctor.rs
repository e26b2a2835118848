//! `vistter doctor`: what this machine can do.

use serde::Serialize;
use vistter_core::Result;
use vistter_core::clock::{Clock, SystemClock};
use vistter_core::codec;
use vistter_core::media::{Bitrate, FramePool};
use vistter_core::ports::{Effort, EncoderBackend, EncoderConfig};
use vistter_core::time::FrameRate;

use crate::cli::DoctorArgs;
use crate::exit::Exit;
use crate::ui::{human, json};

#[derive(Debug, Serialize)]
struct Encoder {
    name: &'static str,
    usable: bool,
    hardware: bool,
    max_size: Option<(u32, u32)>,
    notes: Vec<String>,
    /// Times real time for 1080p30 at 4.5 Mbit/s.
    speed_1080p30: Option<f64>,
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct Report {
    version: &'static str,
    system: String,
    cores: usize,
    simd: Vec<&'static str>,
    memory_bytes: Option<u64>,
    encoders: Vec<Encoder>,
    h264_decoder: &'static str,
    notes: Vec<String>,
}

pub(crate) fn doctor(args: &DoctorArgs) -> Exit {
    let encoders: Vec<Encoder> = codec::encoder_backends().iter().map(|b| examine(&**b)).collect();
    let report = Report {
        version: env!("CARGO_PKG_VERSION"),
        system: format!("{} on {}", std::env::consts::OS, std::env::consts::ARCH),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        simd: simd(),
        memory_bytes: memory(),
        h264_decoder: codec::h264_decoder().name(),
        notes: codec::build_notes(),
        encoders,
    };
    if args.json {
        json::document(&report);
    } else {
        print(&report);
    }
    if report.encoders.iter().any(|e| e.usable) { Exit::Ok } else { Exit::Failed }
}

fn examine(backend: &dyn EncoderBackend) -> Encoder {
    let mut e = Encoder {
        name: backend.name(),
        usable: false,
        hardware: false,
        max_size: None,
        notes: Vec::new(),
        speed_1080p30: None,
        error: None,
    };
    match backend.probe() {
        Ok(caps) => {
            (e.usable, e.hardware, e.max_size, e.notes) = (true, caps.hardware, Some(caps.max_size), caps.notes);
            match speed(backend) {
                Ok(s) => e.speed_1080p30 = Some((s * 10.0).round() / 10.0),
                Err(why) => (e.usable, e.error) = (false, Some(why.to_string())),
            }
        }
        Err(why) => e.error = Some(why.to_string()),
    }
    e
}

/// Encodes a second of moving detail and gives how many times faster than real time that was.
fn speed(backend: &dyn EncoderBackend) -> Result<f64> {
    const FRAMES: u32 = 30;
    let config = EncoderConfig {
        width: 1920,
        height: 1080,
        fps: FrameRate::FPS_30,
        bitrate: Bitrate::from_kbps(4500),
        gop_frames: 60,
        threads: 0,
        effort: Effort::Low,
    };
    let mut encoder = backend.create(&config)?;
    let pool = FramePool::new(config.width, config.height, 2)?;
    let clock = SystemClock::new();
    let mut busy = 0;
    for n in 0..FRAMES {
        let mut frame = pool.take();
        for (i, plane) in frame.planes_mut().iter_mut().enumerate() {
            for y in 0..plane.height {
                for (x, p) in plane.row_mut(y).iter_mut().enumerate() {
                    // Slopes and edges that move: neither a still nor noise.
                    let (x, y, n) = (x as u32 + 4 * n, y as u32 + n, n + i as u32);
                    *p = (16 + ((x >> 2) + (y >> 3) + ((x >> 5) ^ (y >> 5)) * 9 + n) % 200) as u8;
                }
            }
        }
        frame.set_pts(config.fps.time_of(u64::from(n)));
        let frame = frame.freeze();
        let before = clock.now();
        encoder.encode(&frame, false)?;
        busy += (clock.now() - before).nanos();
    }
    Ok(f64::from(FRAMES) / config.fps.as_f64() / (busy.max(1) as f64 / 1e9))
}

#[cfg(any(target_arch = "x86_64", target_arch = "x86"))]
fn simd() -> Vec<&'static str> {
    let all = [
        ("sse2", std::arch::is_x86_feature_detected!("sse2")),
        ("sse4.1", std::arch::is_x86_feature_detected!("sse4.1")),
        ("avx", std::arch::is_x86_feature_detected!("avx")),
        ("avx2", std::arch::is_x86_feature_detected!("avx2")),
        ("avx512bw", std::arch::is_x86_feature_detected!("avx512bw")),
    ];
    all.into_iter().filter_map(|(name, yes)| yes.then_some(name)).collect()
}
#[cfg(target_arch = "aarch64")]
fn simd() -> Vec<&'static str> {
    let all = [
        ("neon", std::arch::is_aarch64_feature_detected!("neon")),
        ("dotprod", std::arch::is_aarch64_feature_detected!("dotprod")),
    ];
    all.into_iter().filter_map(|(name, yes)| yes.then_some(name)).collect()
}
#[cfg(not(any(target_arch = "x86_64", target_arch = "x86", target_arch = "aarch64")))]
fn simd() -> Vec<&'static str> {
    Vec::new()
}

/// Memory of the machine in bytes, where the system says it in a file.
fn memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let kib: u64 = text.lines().find_map(|l| l.strip_prefix("MemTotal:"))?.split_whitespace().next()?.parse().ok()?;
    kib.checked_mul(1024)
}

fn print(r: &Report) {
    println!("vistter {} on {}", r.version, r.system);
    let simd = if r.simd.is_empty() { "none known".to_owned() } else { r.simd.join(" ") };
    println!("  cores {}, SIMD {simd}, memory {}", r.cores, r.memory_bytes.map_or("unknown".to_owned(), human::bytes));
    for e in &r.encoders {
        let kind = if e.hardware { "hardware" } else { "software" };
        match (&e.error, e.speed_1080p30, e.max_size) {
            (None, Some(speed), Some((w, h))) => {
                println!("  encoder {} ({kind}, up to {w}x{h}): 1080p30 at {speed:.1} times real time", e.name);
                if speed < 1.5 {
                    println!("    too slow for 1080p30 beside everything else: use 720p, or 25 frames per second");
                }
            }
            (error, ..) => println!("  encoder {}: {}", e.name, error.as_deref().unwrap_or("not usable")),
        }
        for n in &e.notes {
            println!("    {n}");
        }
    }
    println!("  H.264 decoder {}", r.h264_decoder);
    for n in &r.notes {
        println!("  note: {n}");
    }
}
