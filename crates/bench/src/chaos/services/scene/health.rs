//! What people see of processes while something is broken: are they ready, do they answer, how fast are they after?

use std::time::Duration;

use assay_probe::{Act, Script};
use assay_test_support::admin;
use assay_test_support::fleet::Member;
use tokio::time::Instant;

use super::{LATER, Scene};
use crate::chaos::services::load::{self, Told};
use crate::chaos::services::until::until;
use crate::chaos::services::{Row, Scale};
use crate::client::Answer;

/// What is promised: so much of the throughput before …
const HEALED_SHARE: f64 = 0.95;
/// … so soon after the fault has gone, and what it held back with it.
const HEALED_WITHIN: Duration = Duration::from_secs(10);
/// How long one request waits for its answer: one that is under way when the fault comes has none.
const ANSWER_WITHIN: Duration = Duration::from_secs(4);
/// How long a refusal may take.
const REFUSED_WITHIN: Duration = Duration::from_secs(2);

impl Scene {
    /// How fast it is with nothing wrong and nothing cold.
    pub(in crate::chaos::services) async fn warm_throughput(&mut self) -> anyhow::Result<f64> {
        let cold = self.throughput().await?;
        Ok(cold.max(self.throughput().await?))
    }

    /// The fault has gone: waits until what it held back has ended, then measures until it is as fast as it was.
    pub(in crate::chaos::services) async fn heals(
        &mut self,
        row: &mut Row,
        before: f64,
    ) -> anyhow::Result<()> {
        let gone = Instant::now();
        row.expect_done("the backlog of the fault", self.calm_within(LATER).await);
        let backlog = gone.elapsed();
        let (start, mut after) = (Instant::now(), 0_f64);
        let took = loop {
            let begun = start.elapsed();
            after = after.max(self.throughput().await?);
            if after >= before * HEALED_SHARE || begun >= HEALED_WITHIN {
                break begun;
            }
        };
        row.throughput = Some([before, after]);
        row.note(format!(
            "all that waited had ended after {backlog:.1?}, the throughput was back after {took:.1?} more"
        ));
        // A short row has too few jobs to tell.
        row.expect(
            after >= before * HEALED_SHARE || self.scale() == Scale::Short,
            || format!("{after:.0} jobs a second {HEALED_WITHIN:?} after the fault, before it were {before:.0}"),
        );
        Ok(())
    }

    /// Sends one request; what it was answered, and how long that took.
    pub(in crate::chaos::services) async fn ask(&mut self) -> anyhow::Result<(Answer, Duration)> {
        let request = self.request(&Script(vec![Act::Progress]));
        let (start, mut told) = (Instant::now(), Told::default());
        load::submit_within(ANSWER_WITHIN, self.gateway, &[request], &mut told).await;
        let answer = told.last().cloned().unwrap_or(Answer::Unknown);
        told.enter(&mut self.ledger)?;
        Ok((answer, start.elapsed()))
    }

    /// Waits until a request is refused; how long that answer took.
    pub(in crate::chaos::services) async fn refuses(
        &mut self,
        within: Duration,
    ) -> anyhow::Result<Duration> {
        let look = async || {
            let (answer, took) = self.ask().await?;
            Ok(matches!(answer, Answer::Refused(_)).then_some(took))
        };
        until("a submit is refused", within, look).await
    }

    /// Sends one request that must be refused, and at once.
    pub(in crate::chaos::services) async fn is_refused_at_once(
        &mut self,
        row: &mut Row,
    ) -> anyhow::Result<()> {
        let (answer, took) = self.ask().await?;
        row.expect(matches!(answer, Answer::Refused(_)), || {
            format!("a submit was not refused, but answered {answer:?}")
        });
        row.expect(took <= REFUSED_WITHIN, || {
            format!("a refusal took {took:.1?}")
        });
        Ok(())
    }

    /// Waits until a submit is accepted.
    pub(in crate::chaos::services) async fn admits(
        &mut self,
        within: Duration,
    ) -> anyhow::Result<()> {
        let look = async || {
            let (answer, _) = self.ask().await?;
            Ok(matches!(answer, Answer::Accepted(_)).then_some(()))
        };
        until("a submit is accepted", within, look).await
    }
}

/// Waits until a process says that it is ready, or that it is not.
pub(in crate::chaos::services) async fn turns(
    member: &Member,
    ready: bool,
    within: Duration,
) -> anyhow::Result<()> {
    let what = if ready {
        "the process is ready"
    } else {
        "the process is not ready"
    };
    let look = async || Ok((admin::is_ready(member.admin()) == ready).then_some(()));
    until(what, within, look).await
}

/// None of these was to end.
pub(in crate::chaos::services) fn all_run<const N: usize>(
    row: &mut Row,
    members: [&mut Member; N],
) -> anyhow::Result<()> {
    for member in members {
        let (runs, log) = (member.runs()?, member.log().display().to_string());
        row.expect(runs, || format!("a process has ended: {log}"));
    }
    Ok(())
}
