//! The world around an actor's queue: its store, and who was told what. It falls whenever it is told to, and holds against
//! every effect what must be true of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use machines::queue::{
    Activity, Answer, Attempt, Effect, Filter, Input, Message, MessageId, Options, Post, Queue, QueueError,
    Received, Reply,
};
use protocol::id::{BodyId, Ticket};

use crate::story::Story;

/// What somebody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Send { body: BodyId },
    SendAndWait { body: BodyId },
    Next { manual: bool },
    Complete { message: MessageId },
    Settle,
}

/// A world with one actor.
pub(crate) struct World {
    pub(crate) story: Story<Queue>,
    options: Options,
    /// As they are stored.
    pub(crate) stored: BTreeMap<MessageId, Message>,
    pub(crate) write: Option<(Attempt, Vec<Message>, Vec<MessageId>)>,
    asked: BTreeMap<Ticket, Asked>,
    pub(crate) told: BTreeMap<Ticket, Result<Answer, QueueError>>,
    /// Payloads that were told to be stored.
    promised: BTreeSet<BodyId>,
    /// Payloads that were taken, and may not be again.
    taken: BTreeSet<BodyId>,
    /// Payloads that were being deleted when the world fell, or when it was not known.
    maybe_taken: BTreeSet<BodyId>,
    /// Messages that are held, with their payload.
    pub(crate) open: BTreeMap<MessageId, BodyId>,
    /// Messages that are said to be completed.
    completing: BTreeMap<MessageId, BodyId>,
    /// The last message handed out in this life, to be completed or not: the two do not wait for each other. None once
    /// somebody was aborted or chose by name, which may change the order.
    order: Option<[MessageId; 2]>,
    pub(crate) activity: Activity,
    /// A write failed, and some of it may be stored.
    uncertain: bool,
    next: u64,
}

impl World {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            story: Story::of(Queue::new(options.clone())),
            options,
            stored: BTreeMap::new(),
            write: None,
            asked: BTreeMap::new(),
            told: BTreeMap::new(),
            promised: BTreeSet::new(),
            taken: BTreeSet::new(),
            maybe_taken: BTreeSet::new(),
            open: BTreeMap::new(),
            completing: BTreeMap::new(),
            order: Some([MessageId(0); 2]),
            activity: Activity::default(),
            uncertain: false,
            next: 0,
        }
    }

    fn ticket(&mut self, asked: impl FnOnce(BodyId) -> Asked) -> Ticket {
        self.next += 1;
        let ticket = Ticket(self.next);
        self.asked.insert(ticket, asked(BodyId(self.next)));
        ticket
    }

    /// Sends a message; its payload has the ticket's number.
    pub(crate) fn send(&mut self, name: &str, reply: Reply) -> Ticket {
        let ticket = self.ticket(|body| match reply {
            Reply::Stored => Asked::Send { body },
            Reply::Completed(_) => Asked::SendAndWait { body },
        });
        let post = Post { name: name.to_owned(), body: BodyId(ticket.0), bytes: 10, reply };
        self.feed(Input::Send { ticket, post });
        ticket
    }

    pub(crate) fn next(
        &mut self,
        names: &[&str],
        count: usize,
        wait: Option<Duration>,
        manual: bool,
    ) -> Ticket {
        let ticket = self.ticket(|_| Asked::Next { manual });
        let names: BTreeSet<String> = names.iter().map(|name| (*name).to_owned()).collect();
        if !names.is_empty() {
            self.order = None;
        }
        self.feed(Input::Next { ticket, filter: Filter { names, count, wait, manual } });
        ticket
    }

    pub(crate) fn complete(&mut self, message: MessageId, response: Option<BodyId>) -> Ticket {
        let ticket = self.ticket(|_| Asked::Complete { message });
        self.completing.extend(self.open.remove_entry(&message));
        self.feed(Input::Complete { ticket, message, response });
        ticket
    }

    pub(crate) fn settle(&mut self) -> Ticket {
        let ticket = self.ticket(|_| Asked::Settle);
        self.feed(Input::Settle { ticket });
        ticket
    }

    pub(crate) fn abort(&mut self, ticket: Ticket) {
        self.order = None;
        self.feed(Input::Abort { ticket });
    }

    pub(crate) fn stop(&mut self) {
        self.order = None;
        self.feed(Input::Stop);
    }

    /// The write under way ends; without success so many of its steps are stored all the same.
    pub(crate) fn write_ends(&mut self, ok: bool, steps: usize) {
        let Some((attempt, puts, deletes)) = self.write.take() else { return };
        self.store(&puts, &deletes, if ok { usize::MAX } else { steps });
        self.uncertain = !ok;
        self.feed(Input::Written { attempt, ok, jitter: 7 });
    }

    fn store(&mut self, puts: &[Message], deletes: &[MessageId], steps: usize) {
        if steps > 0 {
            self.stored.extend(puts.iter().map(|message| (message.id, message.clone())));
            for id in deletes.iter().take(steps - 1) {
                self.stored.remove(id);
            }
            assert!(self.stored.len() <= self.options.messages_max, "what is stored is bounded");
        }
    }

    /// Time passes, and everything under way succeeds.
    pub(crate) fn pass(&mut self, wait: Duration) {
        let end = self.story.now.after(wait);
        let mut rounds = 0;
        loop {
            while self.write.is_some() {
                rounds += 1;
                assert!(rounds < 10_000, "writes come to an end");
                self.write_ends(true, 0);
            }
            let due = self.story.machine.next_deadline().filter(|(at, _)| *at <= end.mono);
            let Some((at, _)) = due else { break };
            self.story.now = self.story.now.after(at.since(self.story.now.mono));
            self.feed(Input::Tick);
        }
        self.story.now = end;
    }

    /// Time passes and nothing answers.
    pub(crate) fn idle(&mut self, wait: Duration) {
        let end = self.story.now.after(wait);
        while let Some((at, _)) = self.story.machine.next_deadline().filter(|(at, _)| *at <= end.mono) {
            self.story.now = self.story.now.after(at.since(self.story.now.mono));
            self.feed(Input::Tick);
        }
        self.story.now = end;
    }

    /// The actor falls, with so many steps of its write stored, and is there again.
    pub(crate) fn fall(&mut self, steps: usize) {
        if let Some((_, puts, deletes)) = self.write.take() {
            self.store(&puts, &deletes, steps);
        }
        let stored: BTreeSet<BodyId> = self.stored.values().map(|message| message.body).collect();
        self.maybe_taken.extend(self.promised.difference(&stored));
        self.open.clear();
        self.completing.clear();
        self.asked.clear();
        self.order = Some([MessageId(0); 2]);
        self.activity = Activity::default();
        self.uncertain = false;
        let messages = self.stored.values().cloned().collect();
        self.story.machine = Queue::restore(self.options.clone(), messages);
    }

    pub(crate) fn feed(&mut self, input: Input) {
        for effect in self.story.feed(input) {
            match effect {
                Effect::Write { attempt, puts, deletes } => {
                    assert!(self.write.is_none(), "one write at a time");
                    assert!(!puts.is_empty() || !deletes.is_empty(), "a write writes");
                    self.write = Some((attempt, puts, deletes));
                }
                Effect::Tell { ticket, answer } => self.tell(ticket, answer),
                Effect::Drop { body } => {
                    let held = self.stored.values().any(|message| message.body == body);
                    assert!(!held, "{body:?} is dropped and would be handed out");
                }
                Effect::Activity(activity) => {
                    assert_ne!(self.activity, activity, "activity is told when it changes");
                    self.activity = activity;
                }
            }
        }
        if self.write.is_none() && !self.uncertain {
            let memory: Vec<&Message> = self.story.machine.messages().collect();
            assert_eq!(memory, self.stored.values().collect::<Vec<_>>(), "what is in memory is stored");
        }
        assert!(self.open.is_empty() || self.activity.holding > 0, "who holds something keeps it awake");
        let takes = self.asked.values().filter(|asked| matches!(asked, Asked::Next { .. })).count();
        assert!(self.activity.waiting <= takes, "who waits was asked for");
        assert!(
            self.activity.waiting + self.activity.holding >= takes,
            "everybody waits or is about to get something"
        );
    }

    fn tell(&mut self, ticket: Ticket, answer: Result<Answer, QueueError>) {
        let asked = self.asked.remove(&ticket).expect("whoever asked is told once");
        match &answer {
            Ok(Answer::Sent { message }) => {
                let Asked::Send { body } = asked else { panic!("{asked:?} is told {answer:?}") };
                assert_eq!(self.stored.get(message).map(|message| message.body), Some(body), "it is stored");
                self.promised.insert(body);
            }
            Ok(Answer::Received { messages }) => {
                let Asked::Next { manual } = asked else { panic!("{asked:?} is told {answer:?}") };
                let held = manual && !messages.is_empty() && !self.open.is_empty();
                assert!(!held, "one is held at a time");
                for received in messages {
                    self.take(received, manual);
                }
            }
            Ok(Answer::Completed) => {
                let Asked::Complete { message } = asked else { panic!("{asked:?} is told {answer:?}") };
                assert!(!self.stored.contains_key(&message), "what is completed is deleted");
                let body = self.completing.remove(&message).expect("what is completed was held");
                assert!(self.taken.insert(body), "it is completed once");
            }
            Ok(Answer::Replied { .. } | Answer::TimedOut) => {
                let Asked::SendAndWait { body } = asked else { panic!("{asked:?} is told {answer:?}") };
                let there = self.stored.values().any(|message| message.body == body);
                assert!(!there || answer == Ok(Answer::TimedOut), "what is replied to is deleted");
            }
            Ok(Answer::Settled) => assert!(self.write.is_none(), "all is stored"),
            Err(QueueError::Indeterminate) => {
                if let Asked::Complete { message } = asked {
                    self.maybe_taken.extend(self.completing.remove(&message));
                }
            }
            Err(_) => {}
        }
        self.told.insert(ticket, answer);
    }

    fn take(&mut self, received: &Received, manual: bool) {
        let Received { message, body, .. } = received;
        assert!(!self.taken.contains(body), "{body:?} was taken before");
        assert_eq!(self.stored.contains_key(message), manual, "it stays if it will be completed");
        if let Some(last) = &mut self.order {
            let last = &mut last[usize::from(manual)];
            assert!(*message > *last, "{message:?} comes after {last:?}");
            *last = *message;
        }
        if manual {
            self.open.insert(*message, *body);
        } else {
            self.taken.insert(*body);
        }
    }

    /// Everything heals: the actor starts anew, and takes all there is, which is all that was promised.
    pub(crate) fn heal(&mut self) {
        self.stop();
        self.pass(Duration::from_secs(60));
        self.settle();
        assert!(self.asked.is_empty(), "everybody is told: {:?}", self.asked);
        let left: Vec<MessageId> = self.open.keys().copied().collect();
        for message in left {
            self.complete(message, None);
        }
        self.pass(Duration::ZERO);
        self.fall(0);
        while !self.stored.is_empty() {
            let before = self.stored.len();
            self.next(&[], 3, Some(Duration::ZERO), false);
            self.pass(Duration::ZERO);
            assert!(self.stored.len() < before, "the queue gets shorter");
        }
        let missing: Vec<_> = self.promised.difference(&self.taken).collect();
        assert!(missing.iter().all(|body| self.maybe_taken.contains(body)), "{missing:?} were promised");
    }
}
