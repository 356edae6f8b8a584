//! Everyone at their best setting, in turns.

use super::contender::{Contender, Programs};
use super::setting::{self, Setting};
use super::throughput::{self, Run};

/// The sweep runs this part of a run's jobs.
const SWEEP_PART: usize = 3;

/// How a contender did.
#[derive(Clone, Debug)]
pub struct Score {
    /// Who.
    pub contender: Contender,
    /// Jobs a second with each setting of the sweep.
    pub tried: Vec<(Setting, f64)>,
    /// The setting that it ran with.
    pub setting: Setting,
    /// All runs with it, or why there are none.
    pub runs: Result<Vec<Run>, String>,
}

impl Score {
    fn of(contender: Contender, programs: &Programs) -> Self {
        let missing = programs.missing(contender).map(str::to_owned);
        Self {
            contender,
            tried: Vec::new(),
            setting: Setting::usual(programs.mode, contender),
            runs: missing.map_or_else(|| Ok(Vec::new()), Err),
        }
    }

    /// Jobs a second of the run in the middle.
    #[must_use]
    pub fn jobs_per_second(&self) -> Option<f64> {
        let runs = self.runs.as_ref().ok()?;
        throughput::median(runs).map(|run| run.jobs_per_second())
    }

    /// The setting that it is to be tried with at this turn of the sweep, if it is still in the contest. One that
    /// has no choice is not tried.
    fn to_try(&self, programs: &Programs, turn: usize) -> Option<Setting> {
        let all = Setting::all(programs.mode, self.contender);
        let has_choice = self.runs.is_ok() && all.len() > 1;
        all.get(turn).copied().filter(|_| has_choice)
    }

    async fn try_out(&mut self, programs: &Programs, setting: Setting, jobs: usize) {
        match throughput::measure(programs, self.contender, setting, jobs).await {
            Ok(run) => self.tried.push((setting, run.jobs_per_second())),
            Err(error) => self.runs = Err(format!("{error:#}")),
        }
    }

    async fn run(&mut self, programs: &Programs, jobs: usize) {
        let Ok(runs) = &mut self.runs else {
            return;
        };
        match throughput::measure(programs, self.contender, self.setting, jobs).await {
            Ok(run) => runs.push(run),
            Err(error) => self.runs = Err(format!("{error:#}")),
        }
    }
}

/// Finds the best setting of each contender, then lets all run `rounds` times in alternating order.
pub async fn run(
    programs: &Programs,
    contenders: &[Contender],
    jobs: usize,
    rounds: usize,
) -> Vec<Score> {
    let score = |contender: &Contender| Score::of(*contender, programs);
    let mut scores: Vec<Score> = contenders.iter().map(score).collect();
    sweep(&mut scores, programs, (jobs / SWEEP_PART).max(1)).await;
    for score in &mut scores {
        if let Some(best) = setting::best(&score.tried) {
            score.setting = best;
        }
    }
    for round in 0..rounds {
        let places: Vec<usize> = (0..scores.len()).collect();
        for place in setting::order(&places, round) {
            if let Some(score) = scores.get_mut(place) {
                score.run(programs, jobs).await;
            }
        }
    }
    scores
}

/// Setting by setting: what else happens on the machine meanwhile happens to all.
async fn sweep(scores: &mut [Score], programs: &Programs, jobs: usize) {
    let count = |score: &Score| Setting::all(programs.mode, score.contender).len();
    let turns = scores.iter().map(count).max().unwrap_or(0);
    for turn in 0..turns {
        for score in &mut *scores {
            if let Some(setting) = score.to_try(programs, turn) {
                score.try_out(programs, setting, jobs).await;
            }
        }
    }
}
