//! What is left of a run: which given things it keeps, which streams are calm, which pins it began with. A script is a
//! set of overrides, seen by what can be taken away.

use std::collections::BTreeSet;

use sim::{Override, Overrides, StreamCount, Streams};

/// Something that can be waived: the how-manieth that a given stream speaks of.
pub(super) type Item = (String, u64);

/// The kinds of things that can be waived, by how their streams begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Faults of the play.
    Faults,
    /// Operations of clients.
    Operations,
    /// Clients.
    Clients,
}

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::Faults, Self::Operations, Self::Clients];

    const fn begins(self) -> &'static str {
        match self {
            Self::Faults => "spare/",
            Self::Operations => "skip/",
            Self::Clients => "absent/",
        }
    }
}

/// Of one kind, what there was and what is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) all: BTreeSet<Item>,
    pub(super) kept: BTreeSet<Item>,
}

/// A run, by what is left of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Script {
    pub(super) faults: Part,
    pub(super) operations: Part,
    pub(super) clients: Part,
    /// What is calm.
    pub(super) calm: BTreeSet<Streams>,
    /// What it began with, beside.
    pub(super) pins: BTreeSet<Override>,
}

impl Script {
    /// Of a run made with these overrides, which asked these streams.
    pub(super) fn new(overrides: &Overrides, streams: &[StreamCount]) -> Self {
        let part = |kind: Kind| {
            let given = streams.iter().filter(|each| each.given && each.stream.starts_with(kind.begins()));
            let all = given.flat_map(|each| (0..each.decisions).map(|number| (each.stream.clone(), number)));
            let all: BTreeSet<Item> = all.collect();
            let is_kept = |(stream, number): &&Item| !overrides.waives(stream, *number);
            Part { kept: all.iter().filter(is_kept).cloned().collect(), all }
        };
        let speaks_of = |name: &str| Kind::ALL.into_iter().any(|kind| name.starts_with(kind.begins()));
        let (mut calm, mut pins) = (BTreeSet::new(), BTreeSet::new());
        for one in overrides.iter() {
            match one {
                Override::Calm(streams) if speaks_of(&streams.to_string()) => {}
                Override::Calm(streams) => {
                    calm.insert(streams);
                }
                Override::Pin { ref stream, .. } if speaks_of(stream) => {}
                Override::Pin { .. } => {
                    pins.insert(one);
                }
            }
        }
        Self {
            faults: part(Kind::Faults),
            operations: part(Kind::Operations),
            clients: part(Kind::Clients),
            calm,
            pins,
        }
    }

    pub(super) const fn part(&self, kind: Kind) -> &Part {
        match kind {
            Kind::Faults => &self.faults,
            Kind::Operations => &self.operations,
            Kind::Clients => &self.clients,
        }
    }

    pub(super) const fn part_mut(&mut self, kind: Kind) -> &mut Part {
        match kind {
            Kind::Faults => &mut self.faults,
            Kind::Operations => &mut self.operations,
            Kind::Clients => &mut self.clients,
        }
    }

    /// The same, keeping less of one kind.
    pub(super) fn keeping(&self, kind: Kind, kept: &[Item]) -> Self {
        let mut less = self.clone();
        less.part_mut(kind).kept = kept.iter().cloned().collect();
        less
    }

    /// The overrides. What is waived of a kind is all but what is kept, so that nothing takes the place of what is gone;
    /// of the kinds in `named` each thing that is gone is waived by its name, which is shorter where little is.
    pub(super) fn overrides(&self, named: &[Kind]) -> Overrides {
        let mut overrides: Overrides = self.pins.iter().cloned().collect();
        for streams in &self.calm {
            overrides.calm(streams.clone());
        }
        for kind in Kind::ALL {
            let part = self.part(kind);
            if part.kept == part.all {
                continue;
            }
            if named.contains(&kind) {
                for (stream, number) in part.all.difference(&part.kept) {
                    overrides.pin(stream, *number, 1);
                }
                continue;
            }
            overrides.calm(Streams::beginning(kind.begins()));
            for (stream, number) in &part.kept {
                overrides.pin(stream, *number, 0);
            }
        }
        overrides
    }

    /// The kinds of which less is gone than kept.
    pub(super) fn nearly_whole(&self) -> Vec<Kind> {
        let is = |kind: &Kind| {
            let part = self.part(*kind);
            part.kept != part.all && part.all.len() - part.kept.len() <= part.kept.len()
        };
        Kind::ALL.into_iter().filter(is).collect()
    }

    /// Whether a stream is calm.
    pub(super) fn calms(&self, stream: &str) -> bool {
        self.calm.iter().any(|streams| streams.contains(stream))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overrides(texts: &[&str]) -> Overrides {
        texts.iter().map(|text| text.parse::<Override>().unwrap()).collect()
    }

    fn streams() -> Vec<StreamCount> {
        let given =
            |stream: &str, decisions| StreamCount { stream: stream.to_owned(), decisions, given: true };
        vec![
            StreamCount { stream: "latency/a".to_owned(), decisions: 100, given: false },
            given("spare/a", 3),
            given("spare/b", 1),
            given("skip/client-0", 2),
            given("absent/client-0", 1),
        ]
    }

    #[test]
    fn a_script_is_read_from_overrides_and_written_as_such() {
        let whole = Script::new(&Overrides::new(), &streams());
        assert_eq!(whole.overrides(&[]), Overrides::new());
        assert_eq!(whole.faults.kept.len(), 4);
        for texts in [
            &["spare/*#*", "spare/a#1=0", "latency/*#*", "fall/how#3=1"][..],
            &["skip/*#*", "absent/*#*", "spare/*#*", "spare/a#0=0", "spare/a#2=0", "spare/b#0=0"],
        ] {
            let script = Script::new(&overrides(texts), &streams());
            assert_eq!(script.overrides(&[]), overrides(texts));
        }
    }

    #[test]
    fn what_is_gone_is_named_where_that_is_shorter() {
        let script = Script::new(&overrides(&["spare/a#1=1", "skip/*#*"]), &streams());
        assert_eq!(script.nearly_whole(), [Kind::Faults]);
        assert_eq!(script.overrides(&[Kind::Faults]), overrides(&["spare/a#1=1", "skip/*#*"]));
        let kept = ["spare/*#*", "spare/a#0=0", "spare/a#2=0", "spare/b#0=0", "skip/*#*"];
        assert_eq!(script.overrides(&[]), overrides(&kept));
    }
}
