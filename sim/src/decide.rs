//! Decisions: everything a run leaves open, each with a name, an ordinal and a bound.
//!
//! A decision's value is a hash of (seed, stream, ordinal), so a draw added in one stream moves no other. Streams are
//! named by what they decide; a name is hashed once, when the stream is first used, and a draw from then on costs a
//! multiplication or two. Overrides decide otherwise, one decision or whole streams.
//!
//! A *given* decision is no draw: its value is stated by whoever asks, unless an override says otherwise. Its stream has
//! a name and ordinals, but no number and no event, so that asking changes no run. Next: `stream` is the public face of
//! one stream.

use std::collections::BTreeMap;
use std::time::Duration;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::overrides::{Override, Overrides, Streams, Unmatched};

/// At most so many decisions are kept sparsely. Ours: the pins and faults of the longest run, and a file of some MB.
const SPARSE_MAX: usize = 1 << 16;

/// From a moment on, another seed decides: everything before it is the run of the first seed, to the last event, and
/// every decision at that moment or later is hashed from the other one. Overrides hold throughout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Branch {
    /// Virtual time.
    pub at: Duration,
    /// The seed from then on.
    pub seed: u64,
}

/// A decision's value outside of a run: for those who decide which runs there are. Below `bound`, which is above zero.
///
/// # Panics
/// If `bound` is zero.
#[must_use]
pub fn decision(seed: u64, stream: &str, ordinal: u64, bound: u64) -> u64 {
    assert!(bound > 0, "a decision among nothing in {stream}");
    scale(mix(key(seed, stream), ordinal), bound)
}

/// One decision as it fell.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Decision {
    /// What is decided.
    pub stream: String,
    /// The how-manieth decision of that stream, from zero.
    pub ordinal: u64,
    /// Among how many: the value is below it. Zero stands for all 64-bit values.
    pub bound: u64,
    /// What was decided.
    pub value: u64,
}

/// A stream that a run asked, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamCount {
    /// Its name.
    pub stream: String,
    /// How many decisions fell.
    pub decisions: u64,
    /// Whether they were given instead of drawn.
    pub given: bool,
}

/// Which decisions are kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keep {
    /// The first so many of all.
    pub(crate) first: usize,
    /// All of these streams.
    pub(crate) streams: Vec<Streams>,
}

impl Keep {
    /// Whether all decisions of that stream are kept.
    fn contains(&self, stream: &str) -> bool {
        self.streams.iter().any(|streams| streams.contains(stream))
    }
}

/// A stream's number inside its world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StreamId(pub(crate) u32);

/// What a draw touches.
struct State {
    key: u64,
    next: u64,
    /// Its decisions are not simply the seed's, or kept: see [`Watch`].
    watched: bool,
}

/// What else is to be done about a stream's decisions.
#[derive(Default)]
struct Watch {
    calm: bool,
    kept: bool,
    pins: BTreeMap<u64, u64>,
}

/// All streams of a world.
pub(crate) struct Decisions {
    seed: u64,
    streams: Vec<State>,
    names: Vec<String>,
    by_name: BTreeMap<String, StreamId>,
    watches: BTreeMap<StreamId, Watch>,
    /// Given decisions so far, by stream.
    given: BTreeMap<String, u64>,
    overrides: Overrides,
    keep: Keep,
    kept: Vec<Decision>,
    total: u64,
    waived: u64,
}

impl Decisions {
    pub(crate) const fn new(seed: u64, overrides: Overrides, keep: Keep) -> Self {
        Self {
            seed,
            streams: Vec::new(),
            names: Vec::new(),
            by_name: BTreeMap::new(),
            watches: BTreeMap::new(),
            given: BTreeMap::new(),
            overrides,
            keep,
            kept: Vec::new(),
            total: 0,
            waived: 0,
        }
    }

    /// The stream of that name, begun if it is new.
    pub(crate) fn stream(&mut self, name: &str) -> StreamId {
        if let Some(id) = self.by_name.get(name) {
            return *id;
        }
        check_name(name);
        let id = StreamId(u32::try_from(self.streams.len()).expect("fewer than 2^32 streams"));
        let watch = Watch {
            calm: self.overrides.calms(name),
            kept: self.keep.contains(name),
            pins: self.overrides.pins(name).cloned().unwrap_or_default(),
        };
        let watched = watch.calm || watch.kept || !watch.pins.is_empty() || self.keep.first > 0;
        if watched {
            self.watches.insert(id, watch);
        }
        self.streams.push(State { key: key(self.seed, name), next: 0, watched });
        self.names.push(name.to_owned());
        self.by_name.insert(name.to_owned(), id);
        id
    }

    pub(crate) fn name(&self, id: StreamId) -> &str {
        &self.names[id.0 as usize]
    }

    /// From here on another seed decides, in every stream that there is or will be.
    pub(crate) fn branch(&mut self, seed: u64) {
        self.seed = seed;
        for (stream, name) in self.streams.iter_mut().zip(&self.names) {
            stream.key = key(seed, name);
        }
    }

    /// How many decisions fell, those given not counted.
    pub(crate) const fn total(&self) -> u64 {
        self.total
    }

    /// A value below `bound`, which is above zero; `mildest` is what a calm stream decides.
    pub(crate) fn draw(&mut self, id: StreamId, bound: u64, mildest: u64) -> u64 {
        assert!(bound > 0, "a decision among nothing in {}", self.name(id));
        self.take(id, bound, Some(mildest))
    }

    /// Any 64-bit value.
    pub(crate) fn draw_word(&mut self, id: StreamId) -> u64 {
        self.take(id, 0, None)
    }

    #[inline]
    fn take(&mut self, id: StreamId, bound: u64, mildest: Option<u64>) -> u64 {
        let stream = &mut self.streams[id.0 as usize];
        let ordinal = stream.next;
        stream.next += 1;
        self.total += 1;
        let word = mix(stream.key, ordinal);
        let hashed = if bound == 0 { word } else { scale(word, bound) };
        if stream.watched { self.watch(id, (ordinal, bound, hashed), mildest) } else { hashed }
    }

    /// What overrides make of a draw; keeps it, if it is to be kept.
    #[cold]
    fn watch(
        &mut self,
        id: StreamId,
        (ordinal, bound, hashed): (u64, u64, u64),
        mildest: Option<u64>,
    ) -> u64 {
        let watch = self.watches.get(&id).expect("a watched stream has a watch");
        let pinned = watch.pins.get(&ordinal).map(|value| within(*value, bound));
        let value = pinned.or_else(|| mildest.filter(|_| watch.calm)).unwrap_or(hashed);
        let sparsely = watch.kept || pinned.is_some_and(|pinned| pinned != hashed);
        if self.kept.len() < self.keep.first || (sparsely && self.kept.len() < SPARSE_MAX) {
            self.kept.push(Decision { stream: self.names[id.0 as usize].clone(), ordinal, bound, value });
        }
        value
    }

    /// The next given decision of a stream: `default`, unless it is pinned.
    pub(crate) fn give(&mut self, stream: &str, default: u64, bound: u64) -> u64 {
        self.give_or(stream, default, bound, default)
    }

    /// Whether overrides waive the next thing that a stream speaks of: by a pin of 1, or by calm.
    pub(crate) fn waives(&mut self, stream: &str) -> bool {
        let waives = self.give_or(stream, 0, 2, 1) == 1;
        self.waived += u64::from(waives);
        waives
    }

    /// How much was waived so far.
    pub(crate) const fn waived(&self) -> u64 {
        self.waived
    }

    fn give_or(&mut self, stream: &str, default: u64, bound: u64, calm: u64) -> u64 {
        assert!(default < bound, "{default} is no default among {bound} in {stream}");
        if !self.given.contains_key(stream) {
            check_name(stream);
            self.given.insert(stream.to_owned(), 0);
        }
        let next = self.given.get_mut(stream).expect("it is there");
        let ordinal = *next;
        *next += 1;
        let is_kept = self.keep.contains(stream);
        if self.overrides.is_empty() && !is_kept {
            return default;
        }
        let pinned = self.overrides.pins(stream).and_then(|pins| pins.get(&ordinal));
        let value = match pinned {
            Some(pinned) => within(*pinned, bound),
            None if self.overrides.calms(stream) => calm,
            None => default,
        };
        if (is_kept || (pinned.is_some() && value != default)) && self.kept.len() < SPARSE_MAX {
            self.kept.push(Decision { stream: stream.to_owned(), ordinal, bound, value });
        }
        value
    }

    /// Every stream that was asked, with how often; those drawn in the order of their beginning, then those given.
    pub(crate) fn asked(&self) -> Vec<StreamCount> {
        let drawn = self.names.iter().zip(&self.streams).filter(|(_, state)| state.next > 0);
        let drawn = drawn.map(|(name, state)| (name, state.next, false));
        let given = self.given.iter().map(|(name, decisions)| (name, *decisions, true));
        let asked = |(name, decisions, given): (&String, u64, bool)| StreamCount {
            stream: name.clone(),
            decisions,
            given,
        };
        drawn.chain(given).map(asked).collect()
    }

    /// The overrides that met no decision so far.
    pub(crate) fn unmatched(&self) -> Vec<Unmatched> {
        let mut left = Vec::new();
        for one in self.overrides.iter() {
            match one {
                Override::Calm(streams) => {
                    let mut names = self.by_name.keys().chain(self.given.keys());
                    if !names.any(|name| streams.contains(name)) {
                        left.push(Unmatched::Calm(streams));
                    }
                }
                Override::Pin { stream, ordinal, .. } => {
                    let drawn = self.by_name.get(&stream).map_or(0, |id| self.streams[id.0 as usize].next);
                    let given = self.given.get(&stream).copied().unwrap_or(0);
                    if ordinal >= drawn.max(given) {
                        left.push(Unmatched::Pin { stream, ordinal });
                    }
                }
            }
        }
        left
    }

    /// What was kept, in the order it fell.
    pub(crate) fn recorded(&self) -> Vec<Decision> {
        self.kept.clone()
    }
}

/// Whether overrides can name a stream: what they write with an asterisk is any number of streams.
///
/// # Panics
/// If not.
fn check_name(stream: &str) {
    assert!(!stream.contains('*'), "an asterisk in the stream's name {stream:?}: no override could name it");
}

/// A stream's key.
fn key(seed: u64, name: &str) -> u64 {
    xxh3_64_with_seed(name.as_bytes(), seed)
}

/// Below the bound: the high half of the product, even over the bound, without a division.
const fn scale(word: u64, bound: u64) -> u64 {
    ((word as u128 * bound as u128) >> 64) as u64
}

/// A pinned value as it counts among `bound`, of which zero stands for all 64-bit values.
const fn within(value: u64, bound: u64) -> u64 {
    if bound == 0 { value } else { value % bound }
}

/// SplitMix64's finaliser (Steele, Lea, Flood 2014) over the stream's key advanced by the ordinal: a bijection of the
/// ordinal, so a stream never repeats within 2^64 draws.
const fn mix(key: u64, ordinal: u64) -> u64 {
    let mut word = key.wrapping_add(ordinal.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decisions(overrides: &[&str]) -> Decisions {
        let overrides = overrides.iter().map(|text| text.parse::<Override>().unwrap()).collect();
        Decisions::new(7, overrides, Keep { first: 100, streams: Vec::new() })
    }

    #[test]
    fn a_draw_elsewhere_moves_nothing() {
        let mut alone = decisions(&[]);
        let mut crowded = decisions(&[]);
        let lone = alone.stream("latency/a");
        crowded.stream("unrelated");
        let noise = crowded.stream("noise");
        let same = crowded.stream("latency/a");
        for _ in 0..100 {
            crowded.draw(noise, 10, 0);
            assert_eq!(alone.draw(lone, 1000, 0), crowded.draw(same, 1000, 0));
        }
    }

    #[test]
    fn values_stay_below_the_bound_and_reach_all_of_it() {
        let mut decisions = decisions(&[]);
        let stream = decisions.stream("die");
        let mut seen = [0u32; 6];
        for _ in 0..6000 {
            seen[decisions.draw(stream, 6, 0) as usize] += 1;
        }
        assert!(seen.iter().all(|count| (800..1200).contains(count)), "{seen:?}");
    }

    #[test]
    fn overrides_pin_and_the_unmatched_are_named() {
        let mut decisions = decisions(&["pick#1=13", "pick#99=0", "nobody#0=0", "nothing/*#*", "pick*#*"]);
        let stream = decisions.stream("pick");
        decisions.draw(stream, 10, 0);
        assert_eq!(decisions.draw(stream, 10, 0), 3, "13 modulo 10");
        let left: Vec<_> = decisions.unmatched().iter().map(ToString::to_string).collect();
        assert_eq!(left, ["nothing/*#*", "nobody#0", "pick#99"]);
        assert_eq!(decisions.recorded()[1].value, 3);
    }

    #[test]
    fn a_calm_stream_decides_the_mildest_but_where_it_is_pinned() {
        let mut decisions = decisions(&["wind/*#*", "wind/a#1=4"]);
        let (calm, free) = (decisions.stream("wind/a"), decisions.stream("rain"));
        let drawn: Vec<_> = (0..3).map(|_| decisions.draw(calm, 9, 7)).collect();
        assert_eq!(drawn, [7, 4, 7]);
        assert!((0..9).any(|_| decisions.draw(free, 9, 7) != 7), "what is not named stays the seed's");
        let words = |decisions: &mut Decisions, stream| [(); 3].map(|()| decisions.draw_word(stream));
        let mut plain = Decisions::new(7, Overrides::new(), Keep::default());
        let same = plain.stream("wind/a");
        for _ in 0..3 {
            plain.draw(same, 9, 7);
        }
        assert_eq!(words(&mut decisions, calm), words(&mut plain, same), "no word is milder than another");
    }

    #[test]
    fn a_given_decision_is_its_default_unless_it_is_overridden() {
        let mut decisions = decisions(&["clients#1=5", "spare/*#*", "spare/b#0=0"]);
        assert_eq!([(); 3].map(|()| decisions.give("clients", 2, 4)), [2, 1, 2], "5 modulo 4");
        assert_eq!(decisions.waived(), 0);
        assert_eq!([(); 2].map(|()| decisions.waives("spare/a")), [true, true]);
        assert_eq!([(); 2].map(|()| decisions.waives("spare/b")), [false, true], "a pin counts before calm");
        assert!(!decisions.waives("skip"));
        assert_eq!(decisions.waived(), 3);
        assert_eq!(decisions.unmatched(), []);
        let asked: Vec<_> = decisions.asked().into_iter().map(|each| (each.stream, each.decisions)).collect();
        let all = [("clients", 3), ("skip", 1), ("spare/a", 2), ("spare/b", 2)];
        assert_eq!(asked, all.map(|(stream, decisions)| (stream.to_owned(), decisions)));
        assert!(decisions.streams.is_empty(), "a given stream takes no number that a drawn one would have");
    }

    #[test]
    fn sparsely_kept_are_the_streams_asked_for_and_what_pins_moved() {
        let plain = |keep: &[&str], overrides: &[&str]| {
            let overrides = overrides.iter().map(|text| text.parse::<Override>().unwrap()).collect();
            let streams = keep.iter().map(|text| text.parse().unwrap()).collect();
            let mut decisions = Decisions::new(7, overrides, Keep { first: 0, streams });
            for name in ["fall/how", "wind", "fall/how", "wind"] {
                let stream = decisions.stream(name);
                decisions.draw(stream, 1000, 0);
            }
            decisions.waives("spare");
            decisions.recorded()
        };
        let names = |kept: &[Decision]| {
            kept.iter().map(|each| format!("{}#{}", each.stream, each.ordinal)).collect::<Vec<_>>()
        };
        assert_eq!(plain(&[], &[]), []);
        let faults = plain(&["fall/*"], &[]);
        assert_eq!(names(&faults), ["fall/how#0", "fall/how#1"]);
        let same = format!("fall/how#0={}", faults[0].value);
        assert_eq!(plain(&[], &[&same]), [], "a pin to what the seed decides moves nothing");
        let other = format!("fall/how#0={}", faults[0].value + 1);
        assert_eq!(names(&plain(&[], &[&other, "wind#*", "spare#0=1"])), ["fall/how#0", "spare#0"]);
    }
}
