//! Many photographs on one core and on two: what the second core adds.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use assay_corpus::camera::FIRST;
use tokio::time::Instant;

use super::job::Job;
use super::{plan, verdict};
use crate::client::Client;
use crate::process;
use crate::server::{Plan, Server};

/// Width and height of a photo in pixels: 1.9 megapixels.
const SIZE: (u16, u16) = (1_600, 1_200);
/// Of what two cores could do at most, that much they should.
const SHARE_MIN: f64 = 0.9;
/// Between two looks at a job.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Sets a process on cores.
const TASKSET: &str = "taskset";

/// What a number of cores did.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Run {
    seconds: f64,
    /// Of the children, for all photos.
    cpu_seconds: f64,
}

/// What was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Cores {
    photos: usize,
    one: Vec<Run>,
    two: Vec<Run>,
}

/// Has so many photographs looked at by `assay dev` in the folder `programs`: on one core and one at a time, then on two
/// cores and two at a time, and so on for `rounds`.
///
/// # Errors
/// When there are no two cores, a server does not start or answer, or a job does not succeed whole.
pub async fn measure(programs: &Path, photos: usize, rounds: usize) -> anyhow::Result<Cores> {
    anyhow::ensure!(
        photos > 0 && rounds > 0,
        "take a photo and a round at least"
    );
    let status =
        std::fs::read_to_string("/proc/self/status").context("read which cores there are")?;
    let cores = allowed_in(&status).context("find which cores there are")?;
    let [first, second, ..] = cores.as_slice() else {
        anyhow::bail!("two cores are needed, and this process may use {cores:?}");
    };
    let camera = FIRST.sized(SIZE.0, SIZE.1);
    let jpegs = (1..).take(photos).map(|seed| Ok(camera.take(seed)?.jpeg));
    let jpegs: Vec<Vec<u8>> = jpegs.collect::<anyhow::Result<_>>()?;
    let mut measured = Cores {
        photos,
        one: Vec::new(),
        two: Vec::new(),
    };
    for _ in 0..rounds {
        measured.one.push(run(programs, &jpegs, &[*first]).await?);
        let both = [*first, *second];
        measured.two.push(run(programs, &jpegs, &both).await?);
    }
    Ok(measured)
}

/// As many at once as there are cores, and the server on no other.
async fn run(programs: &Path, jpegs: &[Vec<u8>], cores: &[usize]) -> anyhow::Result<Run> {
    let folder = tempfile::tempdir().context("make a folder")?;
    let server = Server::start(&on(cores, plan(programs, folder.path()))).await?;
    let mut client = Client::connect(server.gateway).await?;
    let mut contents = Vec::new();
    for jpeg in jpegs {
        contents.push(client.upload(jpeg).await?);
    }
    let cpu_before = process::reaped_cpu_seconds(server.pid())?;
    let begun = Instant::now();
    let mut jobs = Vec::new();
    for content_id in &contents {
        jobs.push(Job::submit(&mut client, content_id).await?);
    }
    for job in &jobs {
        while !job.is_done(&mut client).await? {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    let cpu_seconds = process::reaped_cpu_seconds(server.pid())? - cpu_before;
    for job in &jobs {
        let stages = job.stages(&mut client).await?;
        let given_up = stages.iter().find(|stage| stage.is_given_up);
        anyhow::ensure!(given_up.is_none(), "a stage was given up: {given_up:?}");
    }
    Ok(Run {
        seconds,
        cpu_seconds,
    })
}

/// The plan, bound to these cores.
fn on(cores: &[usize], plan: Plan) -> Plan {
    let list: Vec<String> = cores.iter().map(ToString::to_string).collect();
    let program = plan.program.display().to_string();
    let mut words = vec!["-c".to_owned(), list.join(","), program];
    words.extend(plan.words);
    let at_once = cores.len().to_string();
    let settings = [
        "ASSAY__WORKER__CONCURRENCY",
        "ASSAY__VERIFICATION__CHILDREN_MAX",
    ];
    let settings = settings.map(|key| (key.to_owned(), at_once.clone()));
    Plan {
        program: TASKSET.into(),
        words,
        settings: settings.into(),
        ..plan
    }
}

/// The cores that a process may run on, from its status: `0-2,5`.
fn allowed_in(status: &str) -> Option<Vec<usize>> {
    let list = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    let mut cores = Vec::new();
    for part in list.trim().split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let number = |text: &str| text.parse::<usize>().ok();
        cores.extend(number(from)?..=number(to)?);
    }
    Some(cores)
}

impl Cores {
    /// What two cores did of twice what one did, by the medians.
    #[must_use]
    pub fn share(&self) -> f64 {
        median(&self.one).seconds / (2.0 * median(&self.two).seconds)
    }

    /// The figures, one a line.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let row = |name: &str, runs: &[Run]| {
            let run = median(runs);
            let photos = figure(self.photos);
            let mut row = format!(
                "{name}      {:.2} photos/s, {:.2} s of CPU each; runs of",
                photos / run.seconds,
                run.cpu_seconds / photos
            );
            for run in runs {
                let _infallible = write!(row, " {:.1}", run.seconds);
            }
            row + " s"
        };
        let share = self.share();
        vec![
            format!("{} photos of {} x {}", self.photos, SIZE.0, SIZE.1),
            row("1 core, 1 at once   ", &self.one),
            row("2 cores, 2 at once  ", &self.two),
            format!(
                "of twice one core         {share:.2}, to be {SHARE_MIN:.2} at least: {}",
                verdict(share >= SHARE_MIN)
            ),
        ]
    }
}

/// The run in the middle by its time; of an even number the slower one.
fn median(runs: &[Run]) -> Run {
    let mut runs = runs.to_vec();
    runs.sort_by(|one, other| one.seconds.total_cmp(&other.seconds));
    let nothing = Run {
        seconds: f64::NAN,
        cpu_seconds: f64::NAN,
    };
    runs.get(runs.len() / 2).copied().unwrap_or(nothing)
}

#[expect(clippy::cast_precision_loss, reason = "photos that fit into memory")]
fn figure(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(seconds: &[f64]) -> Vec<Run> {
        let run = |seconds: &f64| Run {
            seconds: *seconds,
            cpu_seconds: 8.0,
        };
        seconds.iter().map(run).collect()
    }

    #[test]
    fn cores_are_listed_one_by_one_and_in_ranges() {
        let of = |list: &str| allowed_in(&format!("Name:\tx\nCpus_allowed_list:\t{list}\n"));
        assert_eq!(of("0-2,5"), Some(vec![0, 1, 2, 5]));
        assert_eq!(of("3"), Some(vec![3]));
        assert_eq!(of("x"), None);
        assert_eq!(allowed_in(""), None);
    }

    #[test]
    fn the_server_is_bound_to_as_many_cores_as_it_runs_jobs_at_once() {
        let plan = on(&[0, 3], plan(Path::new("/programs"), Path::new("/folder")));
        assert_eq!(plan.program, Path::new("taskset"));
        assert_eq!(plan.words, ["-c", "0,3", "/programs/assay", "dev"]);
        assert!(plan.settings.iter().all(|(_, at_once)| at_once == "2"));
    }

    #[test]
    fn two_cores_are_held_against_twice_one() {
        let measured = |two: &[f64]| Cores {
            photos: 4,
            one: runs(&[9.0, 10.0, 30.0]),
            two: runs(two),
        };
        let good = measured(&[5.0, 5.5, 5.2]);
        assert!((good.share() - 10.0 / 10.4).abs() < 1e-9);
        let text = good.lines().join("\n");
        for words in [
            "4 photos of 1600 x 1200",
            "0.40 photos/s, 2.00 s of CPU each; runs of 9.0 10.0 30.0 s",
            "0.96, to be 0.90 at least: reached",
        ] {
            assert!(text.contains(words), "{words}\n{text}");
        }
        let text = measured(&[6.0]).lines().join("\n");
        assert!(text.contains("0.83, to be 0.90 at least: missed"), "{text}");
        let empty = Cores {
            two: Vec::new(),
            ..good
        };
        assert!(empty.lines().join("\n").contains("missed"));
    }
}
