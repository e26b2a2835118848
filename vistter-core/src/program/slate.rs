//! What viewers see when nothing else is there.

use crate::media::FrameBuf;

/// BT.709 limited-range Y, U, V of the 75 % bars: white, yellow, cyan, green, magenta, red, blue (EBU Tech 3325 order).
const BARS: [[u8; 3]; 7] =
    [[180, 128, 128], [168, 44, 136], [145, 147, 44], [133, 63, 52], [63, 193, 204], [51, 109, 212], [28, 212, 120]];
/// A dark grey below the bars, where a message reads well.
const FLOOR: [u8; 3] = [33, 131, 126];

/// Draws the slate's test picture over all of `target`: colour bars above a dark band. A message is an overlay's work.
pub fn slate_picture(target: &mut FrameBuf) {
    for (i, mut p) in target.planes_mut().into_iter().enumerate() {
        let bars_end = p.height * 2 / 3;
        let width = p.width;
        for y in 0..p.height {
            let row = p.row_mut(y);
            if y >= bars_end {
                row.fill(FLOOR[i]);
                continue;
            }
            for (b, bar) in BARS.iter().enumerate() {
                row[width * b / BARS.len()..width * (b + 1) / BARS.len()].fill(bar[i]);
            }
        }
    }
}
