//! The tables: speeds here, what else it costs in `costs`.

mod costs;

use super::contender::Contender;
use super::contest::Score;
use super::mode::Mode;
use super::setting::Setting;
use super::stage::{BATCH, WINDOW};
use super::table::Table;
use super::throughput::{self, Run};
use crate::client::PAYLOAD_BYTES;

pub use costs::{delays, depths, idle};

/// Where the CPU time of RabbitMQ stands among the columns of [`speeds`]: behind that of Redis.
const BROKER_COLUMN: usize = 10;
/// Jobs a second of every setting: a table for all that have the same choice.
#[must_use]
pub fn sweep(mode: Mode, scores: &[Score]) -> Vec<Table> {
    let mut groups: Vec<(Vec<Setting>, Vec<&Score>)> = Vec::new();
    for score in scores {
        let choice = Setting::all(mode, score.contender);
        match groups.iter_mut().find(|(of, _)| *of == choice) {
            Some((_, members)) => members.push(score),
            None => groups.push((choice, vec![score])),
        }
    }
    let with_choice = groups.iter().filter(|(choice, _)| choice.len() > 1);
    with_choice
        .map(|(choice, members)| sweep_table(choice, members))
        .collect()
}

fn sweep_table(choice: &[Setting], scores: &[&Score]) -> Table {
    let mut columns = vec!["jobs/s"];
    columns.extend(scores.iter().map(|score| score.contender.name()));
    let title = "Which setting is best for whom? (shorter runs, one each)";
    let mut table = Table::new(title, &columns);
    for setting in choice {
        let cells = scores.iter().map(|score| tried(score, *setting));
        table.row(std::iter::once(setting.to_string()).chain(cells).collect());
    }
    for score in scores {
        if let Err(reason) = &score.runs {
            missing(&mut table, score.contender, reason);
        }
    }
    table
}

fn tried(score: &Score, setting: Setting) -> String {
    let mut with = score.tried.iter().filter(|(tried, _)| *tried == setting);
    with.next()
        .map_or_else(|| "?".to_owned(), |(_, speed)| format!("{speed:.0}"))
}

/// Jobs a second, with the costs of the run in the middle.
#[must_use]
pub fn speeds(mode: Mode, scores: &[Score], jobs: usize, rounds: usize) -> Table {
    let title = format!(
        "How many jobs a second, from submit to recorded result? ({jobs} jobs, {PAYLOAD_BYTES}-byte payload, one \
         progress write, median of {rounds} runs in alternating order; bulk adds of {BATCH}, {WINDOW} without an \
         answer; CPU in us per job; others: what else ran on this machine)"
    );
    let mut heads = vec![
        "",
        "setting",
        "jobs/s",
        "slowest",
        "fastest",
        "of ceiling",
        "producer",
        "worker",
        "services",
        "redis",
        "all CPU",
        "others",
        "B/job in Redis",
    ];
    if mode == Mode::Full {
        heads.insert(BROKER_COLUMN, "rabbitmq");
    }
    let mut table = Table::new(title, &heads);
    let ceiling = speed_of(scores, Contender::Ceiling);
    for score in scores {
        match &score.runs {
            Err(reason) => missing(&mut table, score.contender, reason),
            Ok(runs) => {
                if let Some(median) = throughput::median(runs) {
                    let mut cells = speed_row(score, runs, &median, ceiling);
                    if mode == Mode::Full {
                        let us = median.us_per_job(median.usage.broker);
                        cells.insert(BROKER_COLUMN, format!("{us:.0}"));
                    }
                    table.row(cells);
                }
            }
        }
    }
    table
}

fn speed_row(score: &Score, runs: &[Run], median: &Run, ceiling: Option<f64>) -> Vec<String> {
    let speed = median.jobs_per_second();
    let speeds = || runs.iter().map(Run::jobs_per_second);
    let us = |seconds| format!("{:.0}", median.us_per_job(seconds));
    vec![
        score.contender.name().to_owned(),
        score.setting.to_string(),
        format!("{speed:.0}"),
        format!("{:.0}", speeds().fold(f64::INFINITY, f64::min)),
        format!("{:.0}", speeds().fold(0.0, f64::max)),
        ceiling.map_or_else(
            || "?".to_owned(),
            |ceiling| format!("{:.0} %", 100.0 * speed / ceiling),
        ),
        us(median.usage.producer),
        us(median.usage.worker),
        us(median.usage.services),
        us(median.usage.redis),
        us(median.usage.sum()),
        format!("{:.0} %", 100.0 * median.others),
        format!("{:.0}", median.bytes_per_job),
    ]
}

/// How many times faster ours is than each other, and how many times faster anything could be that keeps records.
#[must_use]
pub fn ratios(mode: Mode, scores: &[Score]) -> Table {
    let title = "How many times faster is assay? (medians of this very run)";
    let mut table = Table::new(title, &["than", "assay", "the ceiling", "wanted", "aim"]);
    let speed = |contender| speed_of(scores, contender);
    for bound in mode.bounds() {
        let Some((ours, theirs)) = speed(Contender::Assay).zip(speed(bound.than)) else {
            missing(&mut table, bound.than, "one of both has no figure");
            continue;
        };
        let ratio = ours / theirs;
        let held = |least: f64| {
            let word = if ratio >= least { "reached" } else { "missed" };
            format!("{least}: {word}")
        };
        let highest = speed(Contender::Ceiling).map(|ceiling| format!("{:.2} x", ceiling / theirs));
        table.row(vec![
            bound.than.name().to_owned(),
            format!("{ratio:.2} x"),
            highest.unwrap_or_else(|| "?".to_owned()),
            held(bound.min),
            bound.aim.map_or_else(|| "none".to_owned(), held),
        ]);
    }
    table
}

fn speed_of(scores: &[Score], contender: Contender) -> Option<f64> {
    let mut of = scores.iter().filter(|score| score.contender == contender);
    of.next()?.jobs_per_second()
}

fn missing(table: &mut Table, contender: Contender, reason: &str) {
    table.words(contender.name(), format!("not measured: {reason}"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::usage::Usage;

    fn score(contender: Contender, speeds: &[f64]) -> Score {
        let run = |speed: &f64| Run {
            jobs: 1_000,
            seconds: 1_000.0 / speed,
            usage: Usage {
                worker: 0.05,
                broker: 0.007,
                ..Usage::default()
            },
            others: 0.1,
            bytes_per_job: 900.0,
        };
        let setting = Setting::usual(Mode::Redis, contender);
        Score {
            contender,
            tried: vec![(setting, 1.0)],
            setting,
            runs: Ok(speeds.iter().map(run).collect()),
        }
    }

    fn scores() -> Vec<Score> {
        let missing = Score {
            runs: Err("no cargo".to_owned()),
            tried: Vec::new(),
            ..score(Contender::BullmqRust, &[])
        };
        vec![
            score(Contender::Assay, &[3_000.0, 1_000.0, 2_000.0]),
            score(Contender::BullmqNode, &[1_000.0]),
            missing,
            score(Contender::Ceiling, &[8_000.0]),
        ]
    }

    #[test]
    fn a_missing_peer_is_told_in_words_and_the_median_counts() {
        let table = speeds(Mode::Redis, &scores(), 1_000, 3).to_string();
        assert!(table.contains("not measured: no cargo"), "{table}");
        let ours = table.lines().find(|line| line.contains("  assay")).unwrap();
        let words: Vec<&str> = ours.split_whitespace().collect();
        assert!(words.contains(&"2000") && words.contains(&"25"), "{ours}");
        assert!(words.contains(&"50"), "{ours}");
    }

    #[test]
    fn a_ratio_says_what_it_missed() {
        let table = ratios(Mode::Redis, &scores()).to_string();
        let row = table.lines().find(|line| line.contains("node")).unwrap();
        assert!(row.contains("2.00 x") && row.contains("8.00 x"), "{row}");
        assert!(
            row.contains("1.5: reached") && row.contains("2.5: missed"),
            "{row}"
        );
        assert!(table.contains("not measured: one of both has no figure"));
    }

    #[test]
    fn a_sweep_shows_every_contender_with_settings() {
        let tables = sweep(Mode::Redis, &scores());
        let [table] = &tables[..] else {
            panic!("all have the same choice: {tables:?}");
        };
        let table = table.to_string();
        assert!(!table.contains("ceiling"), "{table}");
        assert!(table.contains("not measured: no cargo"), "{table}");
    }

    #[test]
    fn full_mode_tells_what_the_broker_took_and_what_has_no_aim() {
        let scores = [
            score(Contender::Assay, &[600.0]),
            score(Contender::Bare, &[1_000.0]),
            score(Contender::Celery, &[100.0]),
            score(Contender::Ceiling, &[900.0]),
        ];
        let table = speeds(Mode::Full, &scores, 1_000, 1).to_string();
        let row = |name: &str| table.lines().find(|line| line.contains(name)).unwrap();
        let place = |name: &str, word: &str| {
            let end = row(name).find(word).map(|begin| begin + word.len());
            end.unwrap_or_else(|| panic!("{word} in {table}"))
        };
        // Its figure ends where its head ends.
        assert_eq!(place("setting", "rabbitmq"), place("  celery", " 7"));
        let table = ratios(Mode::Full, &scores).to_string();
        let row = |name| table.lines().find(|line| line.contains(name)).unwrap();
        let bare = row("lapin");
        assert!(bare.contains("0.60 x") && bare.contains("0.90 x"), "{bare}");
        assert!(bare.contains("0.5: reached") && bare.contains("0.8: missed"));
        let celery = row("celery");
        assert!(
            celery.contains("6.00 x") && celery.contains("none"),
            "{celery}"
        );
        assert_eq!(
            sweep(Mode::Full, &scores).len(),
            2,
            "celery has its own choice"
        );
    }
}
