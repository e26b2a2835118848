//! Encodes raw pictures as the program does: the encoder alone, for comparisons of quality and CPU.
//!
//! `encode_y4m IN.y4m OUT.h264 KBPS GOP_FRAMES [low|high]`. `benches/` runs it; IN is YUV4MPEG2 with 4:2:0.

use std::io::{BufRead, BufReader, Read, Write};

use vistter_core::codec::{Openh264Backend, build_notes};
use vistter_core::media::{Bitrate, FramePool, h264};
use vistter_core::ports::{Effort, EncoderBackend, EncoderConfig};
use vistter_core::time::FrameRate;

type Fault = Box<dyn std::error::Error>;

fn main() -> Result<(), Fault> {
    let args: Vec<String> = std::env::args().collect();
    let [_, input, output, kbps, gop, rest @ ..] = args.as_slice() else {
        return Err("usage: encode_y4m IN.y4m OUT.h264 KBPS GOP_FRAMES [low|high]".into());
    };
    let mut input = BufReader::with_capacity(1 << 20, std::fs::File::open(input)?);
    let mut output = std::io::BufWriter::new(std::fs::File::create(output)?);
    let (width, height, fps) = header(&mut input)?;
    let config = EncoderConfig {
        width,
        height,
        fps,
        bitrate: Bitrate::from_kbps(kbps.parse()?),
        gop_frames: gop.parse()?,
        threads: 0,
        effort: if rest.first().is_some_and(|effort| effort == "high") { Effort::High } else { Effort::Low },
    };
    for note in build_notes() {
        eprintln!("{note}");
    }
    let mut encoder = Openh264Backend.create(&config)?;
    let pool = FramePool::new(width, height, 4)?;
    let mut annex_b = Vec::new();
    let (sps, pps) = h264::avcc_sets(&encoder.params().config)?;
    for unit in sps.into_iter().chain(pps) {
        annex_b.extend_from_slice(&[0, 0, 0, 1]);
        annex_b.extend_from_slice(unit);
    }
    output.write_all(&annex_b)?;
    let mut line = Vec::new();
    for index in 0.. {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let mut frame = pool.take();
        for mut plane in frame.planes_mut() {
            for y in 0..plane.height {
                input.read_exact(plane.row_mut(y))?;
            }
        }
        frame.set_pts(fps.time_of(index));
        let packet = encoder.encode(&frame.freeze(), false)?;
        annex_b.clear();
        h264::avcc_to_annex_b(&packet.data, &mut annex_b)?;
        output.write_all(&annex_b)?;
    }
    output.flush()?;
    Ok(())
}

/// Width, height and rate of a YUV4MPEG2 stream.
fn header(input: &mut impl BufRead) -> Result<(u32, u32, FrameRate), Fault> {
    let mut line = String::new();
    input.read_line(&mut line)?;
    let field = |tag: char| line.split_whitespace().skip(1).find_map(|word| word.strip_prefix(tag));
    let (width, height) = (field('W').ok_or("no width")?.parse()?, field('H').ok_or("no height")?.parse()?);
    let (num, den) = field('F').and_then(|rate| rate.split_once(':')).ok_or("no frame rate")?;
    if !line.starts_with("YUV4MPEG2") || !field('C').unwrap_or("420").starts_with("420") {
        return Err("not YUV4MPEG2 with 4:2:0".into());
    }
    Ok((width, height, FrameRate::new(num.parse()?, den.parse()?).ok_or("no such frame rate")?))
}
