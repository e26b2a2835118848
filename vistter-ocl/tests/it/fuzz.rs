//! The fuzz targets on a stable compiler: every document of the repository, and seeded mutations of them.

use std::path::Path;

use vistter_ocl::fuzzing;

/// Mutations of each document; `OCL_FUZZ_ROUNDS` asks for more.
const ROUNDS: usize = 60;

fn seeds() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut out = Vec::new();
    let mut folders =
        vec![root.join("tests/golden"), root.join("tests/broken"), root.join("../vistter-appliance/assets/demo")];
    while let Some(dir) = folders.pop() {
        for e in std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()) {
            if e.is_dir() {
                folders.push(e);
            } else if e.to_string_lossy().ends_with(".ocl.json") {
                out.push(std::fs::read(e).unwrap());
            }
        }
    }
    out.sort();
    out
}

#[test]
fn documents_and_mutations_of_them_never_panic() {
    let seeds = seeds();
    assert!(seeds.len() > 20);
    let rounds = std::env::var("OCL_FUZZ_ROUNDS").ok().and_then(|r| r.parse().ok()).unwrap_or(ROUNDS);
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let mut random = move |n: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % n.max(1) as u64) as usize
    };
    // pieces that a document's reader has opinions on
    let pieces: [&[u8]; 28] = [
        b"\"group\"",
        b"\"50%\"",
        b"[-3, 0.01]",
        b"{ \"type\": \"column\", \"gap\": 9 }",
        b"\"multiply\"",
        b"\"masks\": [ { \"shape\": \"ellipse\", \"feather\": 99 } ], ",
        b"0",
        b"-1",
        b"1e308",
        b"8192",
        b"0.0001",
        b"null",
        b"\"\"",
        b"{}",
        b"[]",
        b"{{",
        b"}}",
        b"{{clock|%S}}",
        b"\"75f\"",
        b"\"\\u0000\\ud83d\\ude00\"",
        b"\"ticker\"",
        b"1000",
        b"\"easeOutElastic\"",
        b"{ \"steps\": 3, \"jump\": \"start\" }",
        b"{ \"spring\": 0.1 }",
        b"\"00:00:01;02\"",
        b"\"pingPong\"",
        b"|truncate:3|pad:9:0|number:2:ch",
    ];
    for seed in &seeds {
        fuzzing::parse(seed);
        fuzzing::compile(seed);
        for _ in 0..rounds {
            let mut d = seed.clone();
            for _ in 0..=random(3) {
                let (at, len) = (random(d.len()), random(12));
                let end = (at + len).min(d.len());
                match random(4) {
                    0 => d.truncate(at),
                    1 => drop(d.splice(at..end, pieces[random(pieces.len())].iter().copied())),
                    2 => {
                        // a number for another one, which mostly stays a document
                        if let Some(i) = d[at..].iter().position(u8::is_ascii_digit) {
                            let i = at + i;
                            let n = d[i..].iter().take_while(|b| b.is_ascii_digit() || **b == b'.').count();
                            drop(d.splice(i..i + n, pieces[random(5)].iter().copied()));
                        }
                    }
                    _ => d.get_mut(at).into_iter().for_each(|b| *b = random(256) as u8),
                }
            }
            fuzzing::parse(&d);
            fuzzing::compile(&d);
        }
    }
}

/// Pictures and fonts of the golden cases, and mutations of them: bytes changed, cut, and taken from elsewhere.
#[test]
fn files_and_mutations_of_them_never_panic() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds");
    let rounds = std::env::var("OCL_FUZZ_ROUNDS").ok().and_then(|r| r.parse().ok()).unwrap_or(40);
    let mut state = 0x9E6D_62D0_6F6A_9A9Bu64;
    for (folder, target) in [("ocl_picture", fuzzing::picture as fn(&[u8])), ("ocl_font", fuzzing::font)] {
        let mut seeds: Vec<Vec<u8>> =
            std::fs::read_dir(root.join(folder)).unwrap().map(|e| std::fs::read(e.unwrap().path()).unwrap()).collect();
        seeds.sort();
        for seed in seeds {
            target(&seed);
            for _ in 0..rounds {
                let mut d = seed.clone();
                for _ in 0..4 {
                    state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
                    let (at, byte) = ((state >> 33) as usize % d.len().max(1), (state >> 17) as u8);
                    match state >> 61 {
                        0 => d.truncate(at.max(12)),
                        1 if !d.is_empty() => drop(d.remove(at)),
                        // the head of a file says how large things are
                        2..4 => d.get_mut(at % 256).into_iter().for_each(|b| *b = byte),
                        _ => d.get_mut(at).into_iter().for_each(|b| *b = byte),
                    }
                }
                target(&d);
            }
        }
    }
}

#[test]
fn texts_and_times_and_mutations_of_them_never_panic() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds");
    let mut state = 0x2545_F491_4F6C_DD1Du64;
    for (folder, target) in [("ocl_text", fuzzing::text as fn(&[u8])), ("ocl_time", fuzzing::time)] {
        for seed in std::fs::read_dir(root.join(folder)).unwrap().map(|e| std::fs::read(e.unwrap().path()).unwrap()) {
            target(&seed);
            for _ in 0..2000 {
                let mut d = seed.clone();
                for _ in 0..3 {
                    state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
                    let (at, byte) = ((state >> 33) as usize % d.len().max(1), (state >> 17) as u8);
                    match state >> 62 {
                        0 => drop(d.splice(at..at.min(d.len()), [byte % 96 + 32])),
                        1 if !d.is_empty() => drop(d.remove(at)),
                        _ => d.get_mut(at).into_iter().for_each(|b| *b = byte),
                    }
                }
                target(&d);
            }
        }
    }
}
