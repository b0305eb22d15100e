//! What a power loss leaves of writes that no sync covered, and a failed sync of those it covered.
//!
//! Each touched sector holds what it held at the last sync or after any of the writes since, independently of all
//! others. Lengths persist in order, so their changes survive as a prefix. What lies beyond the surviving length is
//! lost; what the length covers and no sector filled is zero.

use std::collections::BTreeMap;

use super::file::Change;
use super::{DiskCounts, Draw, SECTOR};

/// What survives.
#[derive(Clone, Debug)]
pub(super) struct Survival {
    /// So many of the changes of length.
    lengths: usize,
    /// For each touched sector, the change whose content it holds.
    sectors: BTreeMap<usize, Option<usize>>,
}

impl Survival {
    /// Decides (`loss`) whether nothing survives, everything, or (`loss length`, `loss sector`) any part. Nothing and
    /// everything would almost never come about by deciding each sector.
    pub(super) fn decide(changes: &[&Change], draw: Draw<'_>) -> Self {
        let mut versions: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (number, change) in changes.iter().enumerate() {
            for (sector, _) in touched(change) {
                versions.entry(sector).or_default().push(number);
            }
        }
        let resizes = changes.iter().filter(|change| change.resizes()).count();
        match draw("loss", 4) {
            0 => Self { lengths: 0, sectors: versions.into_keys().map(|sector| (sector, None)).collect() },
            1 => Self {
                lengths: resizes,
                sectors: versions.into_iter().map(|(sector, all)| (sector, all.last().copied())).collect(),
            },
            _ => {
                let lengths = if resizes == 0 { 0 } else { draw("loss length", resizes as u64 + 1) };
                let sectors = versions.into_iter().map(|(sector, all)| {
                    let drawn = draw("loss sector", all.len() as u64 + 1);
                    let drawn = usize::try_from(drawn).expect("a number of writes");
                    (sector, drawn.checked_sub(1).map(|version| all[version]))
                });
                Self {
                    lengths: usize::try_from(lengths).expect("a number of writes"),
                    sectors: sectors.collect(),
                }
            }
        }
    }

    /// Brings it about.
    pub(super) fn apply(&self, changes: &[&Change], durable: &mut Vec<u8>, counts: &mut DiskCounts) {
        let mut resized = 0;
        for (number, change) in changes.iter().enumerate() {
            if change.resizes() {
                resized += 1;
                if resized <= self.lengths {
                    durable.resize(change.len_after, 0);
                }
            }
            let (mut kept, mut lost) = (false, false);
            for (sector, content) in touched(change) {
                let held = self.sectors.get(&sector).copied().flatten();
                if held == Some(number) {
                    let at = (sector * SECTOR).min(durable.len());
                    let end = (at + content.len()).min(durable.len());
                    durable[at..end].copy_from_slice(&content[..end - at]);
                }
                // What a later write replaced was not lost.
                let reached = held >= Some(number);
                kept |= reached;
                lost |= !reached;
            }
            counts.writes_torn += u64::from(kept && lost);
        }
    }
}

/// The sectors a change wrote, with their content; the file's last one may be short.
fn touched(change: &Change) -> impl Iterator<Item = (usize, &[u8])> {
    let first = change.at / SECTOR;
    change.after.chunks(SECTOR).enumerate().map(move |(place, content)| (first + place, content))
}
