//! What was heard from the children of one file so far: which stages ended, which runs, which wait.

use std::collections::VecDeque;

use async_trait::async_trait;
use serde_json::Value;
use tokio::time::Instant;

use super::ending::AbortReason;
use super::protocol::Line;

/// How one stage ended.
#[derive(Debug, Clone, PartialEq)]
pub struct StageReport {
    /// Which.
    pub stage: String,
    /// What came of it.
    pub outcome: StageOutcome,
    /// Wall time in milliseconds.
    pub cost_ms: u64,
}

/// What came of a stage.
#[derive(Debug, Clone, PartialEq)]
pub enum StageOutcome {
    /// It ended by itself, with this.
    Ok(Value),
    /// It was given up.
    Aborted(Abort),
}

/// Why a stage was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abort {
    /// The class.
    pub reason: AbortReason,
    /// The particulars, for logs.
    pub detail: String,
}

/// Hears of stages while they run.
#[async_trait]
pub trait Watch: Send {
    /// A stage begins.
    async fn started(&mut self, stage: &str);
    /// A stage has ended, one way or the other.
    async fn ended(&mut self, report: &StageReport);
}

/// Lets nobody hear.
pub(crate) struct Unheard;

#[async_trait]
impl Watch for Unheard {
    async fn started(&mut self, _: &str) {}
    async fn ended(&mut self, _: &StageReport) {}
}

/// See the module.
pub(super) struct Talk<'a> {
    waiting: VecDeque<String>,
    running: Option<(String, Instant)>,
    ended: Vec<StageReport>,
    watch: &'a mut dyn Watch,
}

impl<'a> Talk<'a> {
    pub(super) fn new(stages: &[&str], watch: &'a mut dyn Watch) -> Self {
        let waiting = stages.iter().map(|stage| (*stage).to_owned()).collect();
        Self {
            waiting,
            running: None,
            ended: Vec::new(),
            watch,
        }
    }

    /// The stages that a new child should run.
    pub(super) fn waiting(&self) -> Vec<String> {
        self.waiting.iter().cloned().collect()
    }

    pub(super) fn is_over(&self) -> bool {
        self.waiting.is_empty() && self.running.is_none()
    }

    pub(super) fn into_reports(self) -> Vec<StageReport> {
        self.ended
    }

    /// Takes a line in. False if it may not come now.
    pub(super) async fn hear(&mut self, line: Line) -> bool {
        match line {
            Line::Started { stage } => {
                if self.running.is_some() || self.waiting.front() != Some(&stage) {
                    return false;
                }
                self.begin().await;
            }
            Line::Finished { stage, output } => {
                if self
                    .running
                    .as_ref()
                    .is_none_or(|(running, _)| *running != stage)
                {
                    return false;
                }
                self.end(StageOutcome::Ok(output)).await;
            }
        }
        true
    }

    /// Gives up the stage that runs, or the next one if none does: a child that dies before its first stage would
    /// do so again.
    pub(super) async fn abort(&mut self, abort: Abort) {
        if self.running.is_none() {
            self.begin().await;
        }
        self.end(StageOutcome::Aborted(abort)).await;
    }

    /// Puts the stage that runs back, to be begun by another child. Returns the stage that will be next.
    pub(super) fn put_back(&mut self) -> Option<&str> {
        if let Some((stage, _)) = self.running.take() {
            self.waiting.push_front(stage);
        }
        self.waiting.front().map(String::as_str)
    }

    async fn begin(&mut self) {
        if let Some(stage) = self.waiting.pop_front() {
            self.watch.started(&stage).await;
            self.running = Some((stage, Instant::now()));
        }
    }

    async fn end(&mut self, outcome: StageOutcome) {
        let Some((stage, since)) = self.running.take() else {
            return;
        };
        let cost_ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let report = StageReport {
            stage,
            outcome,
            cost_ms,
        };
        self.watch.ended(&report).await;
        self.ended.push(report);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Diary(Vec<String>);

    #[async_trait]
    impl Watch for Diary {
        async fn started(&mut self, stage: &str) {
            self.0.push(format!("+{stage}"));
        }

        async fn ended(&mut self, report: &StageReport) {
            self.0.push(format!("-{}", report.stage));
        }
    }

    fn started(stage: &str) -> Line {
        Line::Started {
            stage: stage.to_owned(),
        }
    }

    fn finished(stage: &str) -> Line {
        Line::Finished {
            stage: stage.to_owned(),
            output: Value::Null,
        }
    }

    fn crashed() -> Abort {
        Abort {
            reason: AbortReason::Crashed,
            detail: String::new(),
        }
    }

    #[tokio::test]
    async fn stages_end_in_the_order_they_were_asked_for() {
        let mut diary = Diary::default();
        let mut talk = Talk::new(&["a", "b"], &mut diary);
        for line in [started("a"), finished("a"), started("b"), finished("b")] {
            assert!(!talk.is_over());
            assert!(talk.hear(line).await);
        }
        assert!(talk.is_over());
        assert_eq!(talk.into_reports().len(), 2);
        assert_eq!(diary.0, ["+a", "-a", "+b", "-b"]);
    }

    #[tokio::test]
    async fn nothing_may_come_out_of_turn() {
        let mut diary = Diary::default();
        let mut talk = Talk::new(&["a", "b"], &mut diary);
        assert!(!talk.hear(finished("a")).await);
        assert!(!talk.hear(started("b")).await);
        assert!(talk.hear(started("a")).await);
        assert!(!talk.hear(started("a")).await);
        assert!(!talk.hear(started("b")).await);
        assert!(!talk.hear(finished("b")).await);
        assert!(talk.hear(finished("a")).await);
        assert!(!talk.hear(finished("a")).await);
    }

    #[tokio::test]
    async fn the_stage_at_hand_is_given_up_or_put_back() {
        let mut diary = Diary::default();
        let mut talk = Talk::new(&["a", "b", "c"], &mut diary);
        assert!(talk.hear(started("a")).await);
        assert_eq!(talk.put_back(), Some("a"));
        assert_eq!(talk.waiting(), ["a", "b", "c"]);
        assert!(talk.hear(started("a")).await);
        talk.abort(crashed()).await;
        talk.abort(crashed()).await;
        assert_eq!(talk.waiting(), ["c"]);
        let reports = talk.into_reports();
        assert!(
            reports
                .iter()
                .all(|report| report.outcome == StageOutcome::Aborted(crashed()))
        );
        assert_eq!(diary.0, ["+a", "+a", "-a", "+b", "-b"]);
    }
}
