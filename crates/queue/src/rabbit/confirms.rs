//! Which of a channel's publishes were taken, which refused. Pure.
//!
//! The broker answers each publish with an ack or a nack, and sends back what no queue takes before its ack. The
//! library hangs what came back on the next answer, whichever publish that belongs to, and among answers that came
//! together in any order. So an answer alone does not say that a publish was taken: what came back is matched by its
//! id, and a publish is concluded when nothing of it can be on its way:
//!
//! - An answer without anything on it found nothing waiting: had its publish come back, another answer that was given
//!   before carries it, and has been seen once a look at all answers found no new one.
//! - An answer with something on it may have others waiting behind: then nothing is concluded, and nothing more
//!   published, until every publish has its answer. What came back hangs on one of them, because there never waits
//!   more than there are answers to come.

use std::collections::{BTreeMap, BTreeSet};

/// What became of a publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The broker has it.
    Taken,
    /// The broker said no.
    Nacked,
    /// No queue takes it.
    Returned,
    /// The channel ended before an answer.
    Lost,
}

/// What an answer says by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Ack,
    Nack,
    Lost,
}

/// The publishes of one channel that are not concluded. No two of them have the same id.
#[derive(Debug)]
pub(super) struct Confirms<Id> {
    /// Sent, by number; the oldest has the least.
    sent: BTreeMap<u64, Id>,
    /// The same ids.
    ids: BTreeSet<Id>,
    answered: Vec<(u64, Answer)>,
    returned: BTreeSet<Id>,
    /// Something came back, and more may be on its way.
    holds: bool,
    next: u64,
    /// Answers that are to come.
    open: usize,
}

impl<Id> Default for Confirms<Id> {
    fn default() -> Self {
        Self {
            sent: BTreeMap::new(),
            ids: BTreeSet::new(),
            answered: Vec::new(),
            returned: BTreeSet::new(),
            holds: false,
            next: 0,
            open: 0,
        }
    }
}

impl<Id: Copy + Ord> Confirms<Id> {
    /// How many are not concluded.
    pub(super) fn len(&self) -> usize {
        self.sent.len()
    }

    /// Whether another may be published: while something that came back is sorted out, none may, and never two of
    /// the same id.
    pub(super) fn admits(&self, id: Id) -> bool {
        !self.holds && !self.ids.contains(&id)
    }

    /// One more was published; answers its number.
    pub(super) fn sent(&mut self, id: Id) -> u64 {
        let number = self.next;
        self.next += 1;
        self.open += 1;
        self.sent.insert(number, id);
        self.ids.insert(id);
        number
    }

    /// An answer came, and perhaps a publish came back with it.
    pub(super) fn answered(&mut self, number: u64, answer: Answer, came_back: Option<Id>) {
        self.answered.push((number, answer));
        self.open = self.open.saturating_sub(1);
        if let Some(id) = came_back {
            self.returned.insert(id);
            self.holds = true;
        }
    }

    /// A look at all answers found no new one: what is known for certain now.
    pub(super) fn conclude(&mut self) -> Vec<(u64, Verdict)> {
        if self.holds && self.open > 0 {
            return Vec::new();
        }
        self.holds = false;
        let answered = std::mem::take(&mut self.answered);
        let verdict = |(number, answer): (u64, Answer)| {
            let id = self.sent.remove(&number)?;
            self.ids.remove(&id);
            let came_back = self.returned.remove(&id);
            Some((
                number,
                match answer {
                    _ if came_back => Verdict::Returned,
                    Answer::Ack => Verdict::Taken,
                    Answer::Nack => Verdict::Nacked,
                    Answer::Lost => Verdict::Lost,
                },
            ))
        };
        answered.into_iter().filter_map(verdict).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, VecDeque};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_came_back_is_told_by_its_id_and_not_by_who_carried_it() {
        let mut confirms = Confirms::default();
        let numbers: Vec<_> = ["lost on the way", "fine"]
            .map(|id| confirms.sent(id))
            .into();
        confirms.answered(numbers[1], Answer::Ack, Some("lost on the way"));
        assert_eq!(confirms.conclude(), [], "more may come back");
        assert!(!confirms.admits("next"));
        confirms.answered(numbers[0], Answer::Ack, None);
        let concluded: HashMap<_, _> = confirms.conclude().into_iter().collect();
        assert_eq!(concluded[&numbers[0]], Verdict::Returned);
        assert_eq!(concluded[&numbers[1]], Verdict::Taken);
        assert!(confirms.admits("next"));
    }

    #[test]
    fn two_of_one_id_are_not_on_their_way_together() {
        let mut confirms = Confirms::default();
        let number = confirms.sent(7);
        assert!(!confirms.admits(7) && confirms.admits(8));
        confirms.answered(number, Answer::Nack, None);
        assert_eq!(confirms.conclude(), [(number, Verdict::Nacked)]);
        assert!(confirms.admits(7));
    }

    /// The broker and the library: returns come before their answers, hang on the next answer that is given, and
    /// answers that are told together are given in any order.
    struct Outside {
        fates: HashMap<u64, Verdict>,
        waiting: VecDeque<u64>,
        /// Given, not yet seen by us.
        given: Vec<(u64, Answer, Option<u64>)>,
        unanswered: Vec<u64>,
    }

    impl Outside {
        fn give(&mut self, ids: Vec<u64>) {
            for id in ids {
                let answer = match self.fates[&id] {
                    Verdict::Nacked => Answer::Nack,
                    Verdict::Taken | Verdict::Returned | Verdict::Lost => Answer::Ack,
                };
                let carried = self.waiting.pop_front();
                self.given.push((id, answer, carried));
            }
        }
    }

    proptest! {
        #[test]
        fn every_publish_gets_its_own_verdict(
            fates in prop::collection::vec(0..3_u8, 1..80),
            choices in prop::collection::vec(any::<u32>(), 400),
        ) {
            let mut choices = choices.into_iter().cycle();
            let mut choose = move |below: usize| choices.next().unwrap() as usize % below.max(1);
            let fate = |kind| [Verdict::Taken, Verdict::Nacked, Verdict::Returned][usize::from(kind)];
            let mut outside = Outside { fates: HashMap::new(), waiting: VecDeque::new(), given: Vec::new(), unanswered: Vec::new() };
            let mut confirms = Confirms::default();
            let mut numbers = HashMap::new();
            let mut ends = HashMap::new();
            let mut to_send: VecDeque<(u64, Verdict)> = (0..).zip(fates.into_iter().map(fate)).collect();
            let total = to_send.len();
            for _ in 0..20_000 {
                if ends.len() == total { break; }
                match choose(4) {
                    0 => if let Some((id, fate)) = to_send.front().copied() && confirms.admits(id) && confirms.len() < 16 {
                        to_send.pop_front();
                        outside.fates.insert(id, fate);
                        numbers.insert(id, confirms.sent(id));
                        // It comes back at once; its answer takes longer.
                        if fate == Verdict::Returned { outside.waiting.push_back(id); }
                        outside.unanswered.push(id);
                    },
                    1 | 2 => {
                        let mut together = Vec::new();
                        for _ in 0..=choose(5) {
                            if outside.unanswered.is_empty() { break; }
                            let place = choose(outside.unanswered.len());
                            together.push(outside.unanswered.swap_remove(place));
                        }
                        outside.give(together);
                    }
                    _ => {
                        // A look sees answers in any order; one that found something is followed by another.
                        while !outside.given.is_empty() {
                            let place = choose(outside.given.len());
                            let (id, answer, carried) = outside.given.swap_remove(place);
                            confirms.answered(numbers[&id], answer, carried);
                        }
                        for (number, verdict) in confirms.conclude() {
                            prop_assert!(ends.insert(number, verdict).is_none());
                        }
                    }
                }
            }
            prop_assert_eq!(ends.len(), total, "some were never concluded");
            for (id, number) in numbers {
                prop_assert_eq!(ends[&number], outside.fates[&id], "publish {}", id);
            }
        }
    }
}
