//! What is armed, as text and in action.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::place::{Guard, Step};

/// What is armed: `name=action`, several of them divided by commas, such as
/// `submit.recorded=pause@20,settle.record-first=skip`.
///
/// Steps take `abort` and `pause`, with `@n` from the n-th time on that anybody comes by; guards take `skip`.
#[derive(Debug, Default)]
pub struct Plan {
    steps: BTreeMap<Step, Armed>,
    guards: BTreeSet<Guard>,
}

#[derive(Debug)]
struct Armed {
    action: Action,
    /// The first passage that is stopped, from 1.
    from: u64,
    passages: AtomicU64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    /// Ends the process, as a bug that nobody catches would.
    Abort,
    /// Holds whoever comes by for ever.
    Pause,
}

/// A text that is no plan.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("arm failpoint {entry:?}: write a step as name=abort or name=pause@n, a guard as name=skip; steps are {}, guards are {}", names(Step::ALL.map(Step::name)), names(Guard::ALL.map(Guard::name)))]
pub struct Unusable {
    entry: String,
}

fn names<const N: usize>(names: [&str; N]) -> String {
    names.join(" ")
}

impl Plan {
    /// Comes by a step. An armed one says so on standard error first, for whoever waits for it.
    pub async fn pass(&self, step: Step) {
        let Some(action) = self.stops(step) else {
            return;
        };
        // Nobody may be listening; the stop is what counts.
        drop(writeln!(std::io::stderr(), "{}", reached(step)));
        match action {
            Action::Abort => std::process::abort(),
            Action::Pause => std::future::pending().await,
        }
    }

    /// Whether a rule is to be forgotten.
    #[must_use]
    pub fn skips(&self, guard: Guard) -> bool {
        self.guards.contains(&guard)
    }

    fn stops(&self, step: Step) -> Option<Action> {
        let armed = self.steps.get(&step)?;
        let passage = armed.passages.fetch_add(1, Ordering::Relaxed) + 1;
        (passage >= armed.from).then_some(armed.action)
    }

    fn add(&mut self, entry: &str) -> Option<()> {
        let (name, action) = entry.split_once('=')?;
        if let Some(guard) = Guard::ALL.into_iter().find(|guard| guard.name() == name) {
            self.guards.insert(guard);
            return (action == "skip").then_some(());
        }
        let step = Step::ALL.into_iter().find(|step| step.name() == name)?;
        let (action, from) = match action.split_once('@') {
            Some((action, from)) => (action, from.parse().ok().filter(|from| *from > 0)?),
            None => (action, 1),
        };
        let action = match action {
            "abort" => Action::Abort,
            "pause" => Action::Pause,
            _ => return None,
        };
        let armed = Armed {
            action,
            from,
            passages: AtomicU64::new(0),
        };
        self.steps.insert(step, armed);
        Some(())
    }
}

/// What a process says on standard error when an armed step is reached.
#[must_use]
pub fn reached(step: Step) -> String {
    format!("failpoint {} reached", step.name())
}

impl FromStr for Plan {
    type Err = Unusable;

    fn from_str(text: &str) -> Result<Self, Unusable> {
        let mut plan = Self::default();
        for entry in text
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
        {
            plan.add(entry).ok_or_else(|| Unusable {
                entry: entry.to_owned(),
            })?;
        }
        Ok(plan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_stops_from_the_passage_on_that_was_named() {
        let plan: Plan = "submit.recorded=pause@3, settle.between=abort"
            .parse()
            .unwrap();
        let stops: Vec<_> = (0..4).map(|_| plan.stops(Step::SubmitRecorded)).collect();
        assert_eq!(
            stops,
            [None, None, Some(Action::Pause), Some(Action::Pause)]
        );
        assert_eq!(plan.stops(Step::SettleBetween), Some(Action::Abort));
        assert_eq!(plan.stops(Step::ClaimHeld), None);
    }

    #[test]
    fn every_place_can_be_armed() {
        for step in Step::ALL {
            let plan: Plan = format!("{}=abort", step.name()).parse().unwrap();
            assert_eq!(plan.stops(step), Some(Action::Abort));
        }
        for guard in Guard::ALL {
            let plan: Plan = format!("{}=skip", guard.name()).parse().unwrap();
            assert!(plan.skips(guard));
        }
        assert!(!Plan::default().skips(Guard::RecordFirst));
    }

    #[test]
    fn what_is_no_plan_is_named() {
        for entry in [
            "submit.recorded",
            "submit.recorded=skip",
            "submit.recorded=pause@0",
            "submit.recorded=pause@x",
            "settle.record-first=abort",
            "nowhere=abort",
        ] {
            let error = entry.parse::<Plan>().unwrap_err();
            assert_eq!(error.entry, entry);
            let said = error.to_string();
            assert!(
                said.contains("submit.checked") && said.contains("token.from-clock"),
                "{said}"
            );
        }
    }

    #[tokio::test]
    async fn who_comes_by_a_paused_step_stays_there() {
        let plan: Plan = "claim.held=pause@2".parse().unwrap();
        plan.pass(Step::ClaimHeld).await;
        plan.pass(Step::ClaimAsking).await;
        let mut held = Box::pin(plan.pass(Step::ClaimHeld));
        let polled = std::future::poll_fn(|context| {
            std::task::Poll::Ready(held.as_mut().poll(context).is_pending())
        });
        assert!(polled.await);
    }
}
