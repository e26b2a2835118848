//! Planes of several layers, laid over one another.

use super::{Chroma, Luma};
use crate::blend::{self, Top};

/// Planes of layers that are laid together: as large as those of the lowest, in whose box the others stand.
#[derive(Debug, Default)]
pub(crate) struct Laid {
    luma: Luma,
    chroma: [Chroma; 4],
}

impl Laid {
    /// Takes others. `tops`: from the lowest up, with the place of their left top sample; chroma is made when it is asked for.
    pub(crate) fn load<'a>(&mut self, base: &Luma, tops: impl Iterator<Item = (&'a Luma, (i64, i64))>) {
        let l = &mut self.luma;
        (l.width, l.height) = (base.width, base.height);
        l.y.clone_from(&base.y);
        l.alpha.clone_from(&base.alpha);
        for (top, at) in tops {
            blend::lay([&mut l.y], &mut l.alpha, (l.width, l.height), [Top::luma(top)], at);
        }
        l.patches.build(&l.alpha, [&l.y; 2], l.width);
        self.chroma.iter_mut().for_each(|c| c.fresh = false);
    }

    /// Whether the chroma for a parity of the lowest one's place is there.
    pub(crate) fn has_chroma(&self, parity: usize) -> bool {
        self.chroma.get(parity).is_some_and(|c| c.fresh)
    }
    /// Begins the chroma for a parity. Each layer of it is then to come with [`Self::lay_chroma`], and [`Self::close_chroma`]
    /// last.
    pub(crate) fn begin_chroma(&mut self, parity: usize, base: &Chroma) {
        let Some(c) = self.chroma.get_mut(parity) else { return };
        (c.width, c.height) = (base.width, base.height);
        c.u.clone_from(&base.u);
        c.v.clone_from(&base.v);
        c.alpha.clone_from(&base.alpha);
    }
    pub(crate) fn lay_chroma(&mut self, parity: usize, top: &Chroma, at: (i64, i64)) {
        let Some(c) = self.chroma.get_mut(parity) else { return };
        blend::lay([&mut c.u, &mut c.v], &mut c.alpha, (c.width, c.height), Top::chroma(top), at);
    }
    pub(crate) fn close_chroma(&mut self, parity: usize) {
        let Some(c) = self.chroma.get_mut(parity) else { return };
        c.patches.build(&c.alpha, [&c.u, &c.v], c.width);
        c.fresh = true;
    }

    pub(crate) fn planes(&self, parity: usize) -> Option<(&Luma, &Chroma)> {
        Some((&self.luma, self.chroma.get(parity)?))
    }
}
