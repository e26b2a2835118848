//! The numbers in the picture that a test reads back, after any scaling and encoding.
//!
//! Rows of cells near the top of the picture, from 1/8 to 7/8 of its width: white and black as a guard, then 20 bits of
//! data and 8 of checksum, then black and white. Readable from a width of 192 pixels. The first row has 4 bits of camera id
//! and 16 of frame number. A [steered](super::Steering) camera has two more: 10 bits each of pan and tilt, 10 of zoom.

use crate::media::{Frame, FrameBuf, Plane};
use crate::ports::PtzPosition;

/// What a bar code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// [`super::TestCameraConfig::id`].
    pub camera: u8,
    /// Frame number within the camera's loop.
    pub frame: u16,
}

const DATA: usize = 28;
const CELLS: usize = DATA + 4;
/// Steps of a range in ten bits.
const STEPS: u32 = 1023;
/// Luma of a white and a black cell.
const LEVELS: [u8; 2] = [16, 235];
/// The smallest luma distance of white and black that is trusted.
const CONTRAST: u32 = 80;

/// The frame number in a picture that shows one test camera from edge to edge.
pub fn read(frame: &Frame) -> Option<u32> {
    read_mark(frame).map(|m| u32::from(m.frame))
}

/// Camera and frame number in a picture that shows one test camera from edge to edge.
pub fn read_mark(frame: &Frame) -> Option<Mark> {
    let (w, h) = frame.size();
    read_mark_in(frame, (0, 0, w, h))
}

/// The same where the camera fills only the rectangle `(x, y, width, height)`, as after letterboxing.
pub fn read_mark_in(frame: &Frame, area: (u32, u32, u32, u32)) -> Option<Mark> {
    let data = read_row(frame, area, 0)?;
    Some(Mark { camera: (data >> 16) as u8 & 0xf, frame: data as u16 })
}

/// Where a steered camera looked when it took the picture that is shown from edge to edge, in steps of 1/1023 of each range.
pub fn read_view(frame: &Frame) -> Option<PtzPosition> {
    let (w, h) = frame.size();
    let area = (0, 0, w, h);
    let (plane, zoom) = (read_row(frame, area, 1)?, read_row(frame, area, 2)?);
    let part = |v: u32| (v & STEPS) as f32 / STEPS as f32;
    Some(PtzPosition { pan: part(plane >> 10) * 2.0 - 1.0, tilt: part(plane) * 2.0 - 1.0, zoom: part(zoom >> 10) })
}

/// The 20 bits of one row.
fn read_row(frame: &Frame, area: (u32, u32, u32, u32), row: usize) -> Option<u32> {
    let luma = frame.plane(0);
    let (x, y, w, h) = (area.0 as usize, area.1 as usize, area.2 as usize, area.3 as usize);
    if x.checked_add(w)? > luma.width || y.checked_add(h)? > luma.height {
        return None;
    }
    let mut cells = [0u32; CELLS];
    for (i, cell) in cells.iter_mut().enumerate() {
        *cell = sample(&luma, (x, y, w, h), row, i)?;
    }
    let white = cells[0].min(cells[CELLS - 1]);
    let black = cells[1].max(cells[CELLS - 2]);
    if white < black + CONTRAST {
        return None;
    }
    let mut bits = 0u32;
    for c in &cells[2..2 + DATA] {
        // A cell in the middle third belongs to a mix of two pictures.
        let third = (white - black) / 3;
        let bit = match *c {
            c if c >= white - third => 1,
            c if c <= black + third => 0,
            _ => return None,
        };
        bits = bits << 1 | bit;
    }
    (word(bits >> 8, row) == bits).then_some(bits >> 8)
}

/// Paints the bar code of `mark`.
pub(super) fn draw(buf: &mut FrameBuf, mark: Mark) {
    draw_row(buf, 0, u32::from(mark.camera & 0xf) << 16 | u32::from(mark.frame));
}

/// Paints the bar code of a position.
pub(super) fn draw_view(buf: &mut FrameBuf, at: PtzPosition) {
    let part = |v: f32| ((v.clamp(0.0, 1.0) * STEPS as f32).round() as u32) & STEPS;
    draw_row(buf, 1, part((at.pan + 1.0) / 2.0) << 10 | part((at.tilt + 1.0) / 2.0));
    draw_row(buf, 2, part(at.zoom) << 10);
}

fn draw_row(buf: &mut FrameBuf, row: usize, data: u32) {
    let (w, h) = buf.size();
    let (w, h) = (w as usize, h as usize);
    let (top, bottom) = rows(h, row);
    let bits = word(data, row);
    let [luma, u, v] = &mut buf.planes_mut();
    for i in 0..CELLS {
        let white = match i {
            0 => true,
            1 => false,
            i if i == CELLS - 2 => false,
            i if i == CELLS - 1 => true,
            i => bits >> (DATA + 1 - i) & 1 == 1,
        };
        let (from, to) = columns(w, i);
        for y in top..bottom {
            luma.row_mut(y)[from..to].fill(LEVELS[usize::from(white)]);
        }
        for plane in [&mut *u, &mut *v] {
            for y in top / 2..bottom.div_ceil(2).min(plane.height) {
                let to = to.div_ceil(2).min(plane.width);
                plane.row_mut(y)[from / 2..to].fill(128);
            }
        }
    }
}

fn word(data: u32, row: usize) -> u32 {
    let data = data & 0xf_ffff;
    data << 8 | u32::from(crc8(data, row))
}

/// CRC-8 with the polynomial of ITU-T I.432 (x⁸ + x² + x + 1), started so that an all-black row is no number, and no row is
/// taken for another.
fn crc8(data: u32, row: usize) -> u8 {
    data.to_be_bytes().iter().fold(0x5a ^ row as u8, |crc, byte| {
        (0..8).fold(crc ^ byte, |c, _| if c & 0x80 == 0 { c << 1 } else { c << 1 ^ 0x07 })
    })
}

fn rows(h: usize, row: usize) -> (usize, usize) {
    let top = h * (16 + 48 * row) / 720;
    (top, (h * (56 + 48 * row) / 720).max(top + 1))
}

fn columns(w: usize, i: usize) -> (usize, usize) {
    (column(w, i, 0), column(w, i, 6))
}

/// A place in cell `i`, in sixths of the cell, in pixels.
fn column(w: usize, i: usize, sixths: usize) -> usize {
    w * (CELLS + 6 * i + sixths) / (8 * CELLS)
}

/// Mean luma of the middle of a cell.
fn sample(luma: &Plane<'_>, (x0, y0, w, h): (usize, usize, usize, usize), row: usize, i: usize) -> Option<u32> {
    let (top, bottom) = rows(h, row);
    let (top, bottom) = (top + (bottom - top) / 3, (bottom - (bottom - top) / 3).max(top + 1));
    let from = column(w, i, 2);
    let to = column(w, i, 4).max(from + 1);
    let (mut sum, mut n) = (0u32, 0u32);
    for y in top..bottom.min(h) {
        for v in luma.row(y0 + y).get(x0 + from..x0 + to)? {
            sum += u32::from(*v);
            n += 1;
        }
    }
    sum.checked_div(n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::FramePool;
    use proptest::prelude::*;

    fn picture(w: u32, h: u32, mark: Mark) -> Frame {
        let mut f = FramePool::new(w, h, 1).unwrap().take();
        f.fill([90, 100, 140]);
        draw(&mut f, mark);
        f.freeze()
    }

    /// Nearest neighbour into a rectangle of a grey picture, with noise.
    fn scaled(src: &Frame, out: (u32, u32), area: (u32, u32, u32, u32), noise: u8) -> Frame {
        let mut f = FramePool::new(out.0, out.1, 1).unwrap().take();
        f.fill([16, 128, 128]);
        let (sw, sh) = src.size();
        let [luma, ..] = &mut f.planes_mut();
        for y in 0..area.3 {
            for x in 0..area.2 {
                let v = src.plane(0).row((y * sh / area.3) as usize)[(x * sw / area.2) as usize];
                let n = (x * 7 + y * 13) as u8 % (noise + 1);
                luma.row_mut((area.1 + y) as usize)[(area.0 + x) as usize] = v.saturating_sub(n);
            }
        }
        f.freeze()
    }

    proptest! {
        #[test]
        fn survives_scaling_and_noise(
            camera in 0u8..16, frame in any::<u16>(), w in 192u32..1000, noise in 0u8..40,
        ) {
            let mark = Mark { camera, frame };
            let src = picture(1280, 720, mark);
            let h = w * 9 / 16;
            let out = scaled(&src, (w + 20, h + 10), (10, 5, w, h), noise);
            prop_assert_eq!(read_mark_in(&out, (10, 5, w, h)), Some(mark));
        }
    }
    proptest! {
        #[test]
        fn a_view_survives_too(pan in -1.0f32..=1.0, tilt in -1.0f32..=1.0, zoom in 0.0f32..=1.0, w in 192u32..700) {
            let at = PtzPosition { pan, tilt, zoom };
            let mut f = FramePool::new(1280, 720, 1).unwrap().take();
            f.fill([90, 100, 140]);
            draw(&mut f, Mark { camera: 3, frame: 9 });
            prop_assert_eq!(read_view(&scaled(&f.freeze(), (w, w * 9 / 16), (0, 0, w, w * 9 / 16), 9)), None);
            let mut f = FramePool::new(1280, 720, 1).unwrap().take();
            f.fill([90, 100, 140]);
            draw_view(&mut f, at);
            let got = read_view(&scaled(&f.freeze(), (w, w * 9 / 16), (0, 0, w, w * 9 / 16), 9)).unwrap();
            let near = |a: f32, b: f32| (a - b).abs() < 1.1 / STEPS as f32;
            prop_assert!(near(got.pan, pan) && near(got.tilt, tilt) && near(got.zoom, zoom), "{got:?} for {at:?}");
        }
    }
    #[test]
    fn a_mix_or_a_plain_picture_has_no_number() {
        let (a, b) = (Mark { camera: 1, frame: 1000 }, Mark { camera: 2, frame: 77 });
        let (x, y) = (picture(640, 360, a), picture(640, 360, b));
        let mut mix = FramePool::new(640, 360, 1).unwrap().take();
        mix.copy_from(&x);
        for r in 0..360 {
            for (d, s) in mix.planes_mut()[0].row_mut(r).iter_mut().zip(y.plane(0).row(r)) {
                *d = ((u16::from(*d) + u16::from(*s)) / 2) as u8;
            }
        }
        assert_eq!(read(&mix.freeze()), None);
        for v in [16, 128, 235] {
            let mut f = FramePool::new(64, 36, 1).unwrap().take();
            f.fill([v, 128, 128]);
            assert_eq!(read(&f.freeze()), None);
        }
        assert_eq!(read_mark_in(&x, (600, 0, 640, 360)), None);
    }
}
