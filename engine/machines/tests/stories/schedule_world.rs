//! The world around an actor's schedules: its store, the engine's alarm, and what ran. It falls whenever it is told to, and
//! holds against every effect what must be true of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use machines::schedule::{
    Answer, Delete, Effect, Ended, Input, Job, JobId, Options, Put, Recurs, Row, RunRow, Schedule, When,
    Which,
};
use protocol::id::{BodyId, Ticket};
use protocol::time::{Mono, Now, Wall};

use crate::story::Story;

/// What the store was asked for and has not answered.
type Write = (machines::schedule::Attempt, Vec<Put>, Vec<Delete>);

/// A world with one actor.
pub(crate) struct World {
    pub(crate) story: Story<Schedule>,
    options: Options,
    /// As they are stored.
    pub(crate) rows: BTreeMap<JobId, Row>,
    pub(crate) runs: BTreeMap<(JobId, u64), RunRow>,
    pub(crate) write: Option<Write>,
    pub(crate) alarm: Option<Wall>,
    pub(crate) setting: Option<(machines::schedule::Attempt, Option<Wall>)>,
    /// The alarm of the actor's own code as it is stored, and as it counts: one that was due when the actor woke does not.
    own_row: Option<Wall>,
    own: Option<Wall>,
    /// What that code asked for last.
    own_asked: Option<(Ticket, Option<Wall>)>,
    /// The engine may still have an alarm that was due when the actor woke.
    rings_late: bool,
    /// The alarm as it was last asked for in this life, if it did not fail.
    last_alarm: Option<Option<Wall>>,
    /// What ran, in order, over all lives.
    pub(crate) ran: Vec<(JobId, Wall, BodyId)>,
    /// Recurring schedules that run in this life.
    pub(crate) running: BTreeSet<JobId>,
    /// What whoever asked was told.
    pub(crate) told: BTreeMap<Ticket, Result<Answer, machines::schedule::ScheduleError>>,
    asked: BTreeMap<Ticket, Option<BodyId>>,
    /// Under which name each payload was asked for.
    names: BTreeMap<BodyId, Option<String>>,
    /// Payloads of what was told to be scheduled once.
    promised: BTreeSet<BodyId>,
    /// Payloads that need not run any more: cancelled, replaced, or claimed when the world fell.
    released: BTreeSet<BodyId>,
    /// The latest that the wall clock ever showed: a claim may become durable after it was set back.
    latest: Wall,
    /// A write failed, and some of it may be stored.
    uncertain: bool,
    /// The length of every payload that is asked for.
    pub(crate) bytes: usize,
    /// Nothing may run.
    quiet: bool,
    next: u64,
}

impl World {
    pub(crate) fn new(options: Options) -> Self {
        let mut world = Self {
            story: Story::of(Schedule::new(options.clone())),
            options,
            rows: BTreeMap::new(),
            runs: BTreeMap::new(),
            write: None,
            alarm: None,
            setting: None,
            own_row: None,
            own: None,
            own_asked: None,
            rings_late: false,
            last_alarm: Some(None),
            ran: Vec::new(),
            running: BTreeSet::new(),
            told: BTreeMap::new(),
            asked: BTreeMap::new(),
            names: BTreeMap::new(),
            promised: BTreeSet::new(),
            released: BTreeSet::new(),
            latest: Wall::ZERO,
            uncertain: false,
            bytes: 10,
            quiet: true,
            next: 0,
        };
        world.start();
        world
    }

    pub(crate) fn start(&mut self) {
        self.quiet = false;
        self.feed(Input::Start);
    }

    pub(crate) fn suspend(&mut self) {
        self.quiet = true;
        self.feed(Input::Suspend);
    }

    /// Asks for a schedule; its payload has the ticket's number.
    pub(crate) fn set(&mut self, name: Option<&str>, when: When, runs_max: Option<u32>) -> Ticket {
        let ticket = self.ticket();
        let body = BodyId(ticket.0);
        self.asked.insert(ticket, Some(body));
        let name = name.map(str::to_owned);
        self.names.insert(body, name.clone());
        self.feed(Input::Set { ticket, job: Job { name, when, runs_max, body, bytes: self.bytes } });
        ticket
    }

    /// Whatever has that id or that name need not run, nor what was asked to replace it.
    pub(crate) fn cancel(&mut self, which: Which) -> Ticket {
        let ticket = self.ticket();
        let row = self.rows.values().find(|row| match &which {
            Which::Id(id) => row.id == *id,
            Which::Name(name) => row.name.as_ref() == Some(name),
        });
        let name = match &which {
            Which::Id(_) => row.and_then(|row| row.name.clone()),
            Which::Name(name) => Some(name.clone()),
        };
        self.released.extend(row.map(|row| row.body));
        let named = self.names.iter().filter(|(_, of)| name.is_some() && **of == name);
        self.released.extend(named.map(|(body, _)| *body));
        self.asked.insert(ticket, None);
        self.feed(Input::Cancel { ticket, which });
        ticket
    }

    /// The actor's own code sets its alarm.
    pub(crate) fn set_own(&mut self, at: Option<Wall>) -> Ticket {
        let ticket = self.ticket();
        self.asked.insert(ticket, None);
        self.own_asked = Some((ticket, at));
        if !self.options.stores_alarm {
            (self.own, self.last_alarm) = (at, None);
        }
        self.feed(Input::SetAlarm { ticket, at });
        ticket
    }

    pub(crate) fn settle(&mut self) -> Ticket {
        let ticket = self.ticket();
        self.asked.insert(ticket, None);
        self.feed(Input::Settle { ticket });
        ticket
    }

    pub(crate) fn end(&mut self, job: JobId, how: Ended) {
        self.running.remove(&job);
        self.feed(Input::Ended { job, how });
    }

    fn ticket(&mut self) -> Ticket {
        self.next += 1;
        Ticket(self.next)
    }

    /// The write under way ends; without success so many of its steps are stored all the same.
    pub(crate) fn write_ends(&mut self, ok: bool, steps: usize) {
        let Some((attempt, puts, deletes)) = self.write.take() else { return };
        self.store(&puts, &deletes, if ok { usize::MAX } else { steps });
        self.uncertain = !ok;
        if puts.iter().any(|put| matches!(put, Put::Alarm(_))) || deletes.contains(&Delete::Alarm) {
            self.last_alarm = None;
        }
        self.feed(Input::Written { attempt, ok, jitter: 7 });
    }

    /// The alarm under way is stored or not; without success it may be all the same.
    pub(crate) fn alarm_ends(&mut self, ok: bool, stored: bool) {
        let Some((attempt, at)) = self.setting.take() else { return };
        if ok || stored {
            self.alarm = at;
        }
        if ok {
            self.feed(Input::AlarmStored { attempt });
        } else {
            self.last_alarm = None;
            self.feed(Input::AlarmFailed { attempt, jitter: 7 });
        }
    }

    /// Everything under way succeeds, and what follows from it.
    pub(crate) fn succeed(&mut self) {
        let mut rounds = 0;
        while self.write.is_some() || self.setting.is_some() {
            rounds += 1;
            assert!(rounds < 10_000, "writes come to an end");
            self.write_ends(true, 0);
            self.alarm_ends(true, true);
        }
    }

    /// Time passes; everything succeeds, and what runs is over at once if `ends`.
    pub(crate) fn pass(&mut self, wait: Duration, ends: bool) {
        let end = self.story.now.after(wait);
        loop {
            self.succeed();
            let Some(job) = self.running.first().copied().filter(|_| ends) else {
                let due = self.story.machine.next_deadline().filter(|(at, _)| *at <= end.mono);
                let Some((at, _)) = due else { break };
                self.story.now = self.story.now.after(at.since(self.story.now.mono));
                self.feed(Input::Tick);
                continue;
            };
            self.end(job, Ended::Done);
        }
        self.story.now = self.story.now.after(end.mono.since(self.story.now.mono));
    }

    /// The actor falls, with so many steps of its write stored, and is there again.
    pub(crate) fn fall(&mut self, steps: usize) {
        if let Some((_, puts, deletes)) = self.write.take() {
            self.store(&puts, &deletes, steps);
        }
        // What was claimed and did not run will not.
        let stored: BTreeSet<BodyId> = self.rows.values().map(|row| row.body).collect();
        let lost: Vec<_> = self.promised.iter().filter(|body| !stored.contains(body)).copied().collect();
        self.released.extend(lost);
        self.setting = None;
        self.last_alarm = None;
        self.running.clear();
        self.quiet = true;
        self.uncertain = false;
        self.asked.clear();
        let rows: Vec<Row> = self.rows.values().cloned().collect();
        self.own = self.own_row.filter(|at| *at > self.story.now.wall);
        self.own_asked = None;
        if rows.is_empty() && self.own.is_none() {
            self.last_alarm = Some(None);
            self.rings_late = self.own_row.is_some();
        }
        self.story.machine = Schedule::restore(self.options.clone(), rows, self.own_row, self.story.now);
    }

    fn store(&mut self, puts: &[Put], deletes: &[Delete], steps: usize) {
        if steps == 0 {
            return;
        }
        for put in puts {
            match put {
                Put::Job(row) => {
                    if let Some(before) = self.rows.insert(row.id, row.clone())
                        && before.body != row.body
                    {
                        self.released.insert(before.body);
                    }
                }
                Put::Run(run) => drop(self.runs.insert((run.job, run.number), run.clone())),
                Put::Alarm(at) => (self.own_row, self.own) = (Some(*at), Some(*at)),
            }
        }
        for delete in deletes.iter().take(steps - 1) {
            match delete {
                Delete::Job(id) => drop(self.rows.remove(id)),
                Delete::Alarm => (self.own_row, self.own) = (None, None),
                Delete::Runs { job, below } => {
                    self.runs.retain(|(of, number), _| of != job || number >= below)
                }
            }
        }
    }

    pub(crate) fn feed(&mut self, input: Input) {
        self.latest = self.latest.max(self.story.now.wall);
        let effects = self.story.feed(input);
        for effect in effects {
            self.perform(effect);
        }
        if self.write.is_none() && !self.uncertain {
            let memory: Vec<&Row> = self.story.machine.jobs().collect();
            let stored: Vec<&Row> = self.rows.values().collect();
            assert_eq!(memory, stored, "what is in memory is stored");
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Write { attempt, puts, deletes } => {
                assert!(self.write.is_none(), "one write at a time");
                assert!(!puts.is_empty() || !deletes.is_empty(), "a write writes");
                self.write = Some((attempt, puts, deletes));
            }
            Effect::SetAlarm { attempt, at } => {
                assert!(self.setting.is_none(), "one alarm at a time");
                assert_ne!(self.last_alarm, Some(at), "the same alarm is not set twice in a row");
                self.last_alarm = Some(at);
                self.rings_late = false;
                self.setting = Some((attempt, at));
            }
            Effect::Run { job, due, body } => self.run(job, due, body),
            Effect::Tell { ticket, answer } => self.tell(ticket, answer),
            Effect::Drop { body } => {
                let held = self.rows.values().any(|row| row.body == body);
                assert!(!held, "{body:?} is dropped and would run");
            }
        }
    }

    fn run(&mut self, job: JobId, due: Wall, body: BodyId) {
        assert!(!self.quiet, "nothing runs before the start and after the stop");
        assert!(due <= self.latest, "{job:?} runs too early");
        match self.rows.get(&job) {
            None => {
                let again = self.ran.iter().any(|(of, _, what)| (*of, *what) == (job, body));
                assert!(!again, "{job:?} runs once");
            }
            Some(row) => {
                let running = row.running.expect("that it runs is stored");
                assert_eq!(running.due, due, "which run it is, is stored");
                assert!(row.next > running.began, "it is armed again, for later than when it began");
                assert!(self.running.insert(job), "{job:?} does not run beside itself");
            }
        }
        self.ran.push((job, due, body));
    }

    fn tell(&mut self, ticket: Ticket, answer: Result<Answer, machines::schedule::ScheduleError>) {
        let body = self.asked.remove(&ticket).expect("whoever asked is told once");
        if let Ok(Answer::Set { job, next }) = &answer {
            let body = body.expect("who was told of a schedule has asked for one");
            if let Some(row) = self.rows.get(job).filter(|row| row.body == body && row.next == *next) {
                let woken = self.alarm.is_some_and(|alarm| alarm <= row.next);
                assert!(woken, "the engine wakes it for {row:?}, not at {:?}", self.alarm);
                if row.recurs == Recurs::Never {
                    self.promised.insert(body);
                }
            }
        }
        if answer == Ok(Answer::AlarmSet)
            && let Some((_, at)) = self.own_asked.filter(|(last, _)| *last == ticket)
        {
            assert!(!self.options.stores_alarm || self.own_row == at, "what it is told of is stored");
            match at {
                Some(at) => {
                    assert!(self.alarm.is_some_and(|alarm| alarm <= at), "the engine wakes it by {at:?}")
                }
                None => assert!(!self.rows.is_empty() || self.alarm.is_none(), "the engine does not wake it"),
            }
        }
        self.told.insert(ticket, answer);
    }

    /// Everything heals: whatever was promised runs, whatever recurs goes on, everybody is told.
    pub(crate) fn heal(&mut self) {
        self.pass(Duration::from_secs(40), true);
        if self.quiet {
            self.fall(0);
            self.start();
        }
        let far = self.rows.values().map(|row| row.next).max().unwrap_or(self.story.now.wall);
        if self.rows.values().any(|row| row.recurs == Recurs::Never) {
            self.pass(far.since(self.story.now.wall), true);
        }
        let before = self.ran.len();
        self.pass(Duration::from_secs(70), true);
        for (id, row) in &self.rows {
            assert_eq!(row.running, None, "{id:?} does not run");
            if let Recurs::Every(interval) = row.recurs
                && interval < Duration::from_secs(60)
            {
                let again = self.ran[before..].iter().filter(|(of, ..)| of == id).count();
                assert!(again >= 2, "{id:?} goes on: {row:?}");
            }
        }
        for body in &self.promised {
            let ran = self.ran.iter().filter(|(_, _, of)| of == body).count();
            assert!(ran == 1 || self.released.contains(body), "{body:?} was promised and ran {ran} times");
        }
        assert!(self.asked.is_empty(), "everybody is told: {:?}", self.asked);
        let due = self.rows.values().map(|row| row.next).chain(self.own).min();
        assert!(self.alarm == due || (due.is_none() && self.rings_late), "the engine has the alarm");
    }

    /// The wall clock is set.
    pub(crate) fn jump(&mut self, wall: Wall) {
        self.story.now = Now { mono: self.story.now.mono, wall };
    }

    /// Time passes and nothing answers.
    pub(crate) fn idle(&mut self, wait: Duration) {
        let end = self.story.now.after(wait);
        let mut rounds = 0;
        while let Some((at, _)) = self.story.machine.next_deadline().filter(|(at, _)| *at <= end.mono) {
            self.story.now = self.story.now.after(at.since(self.story.now.mono));
            self.feed(Input::Tick);
            rounds += 1;
            assert!(rounds < 1_000, "deadlines move on");
        }
        let rest = end.mono.since(self.story.now.mono);
        self.story.now = self.story.now.after(rest);
        assert!(self.story.now.mono >= Mono::ZERO);
    }
}
