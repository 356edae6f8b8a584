//! One large photograph, and what the child that looks at it needs of what it may have.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use assay_corpus::camera::FIRST;

use super::job::{Job, Stage};
use super::{MIB, plan, verdict};
use crate::client::Client;
use crate::peers::family;
use crate::process::{self, Bounds, Peak};
use crate::server::Server;

/// Between two looks at the child. Peaks stay, so a look may miss only what its last moments add.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// The scene that is photographed.
const SEED: u64 = 1;

/// What was measured.
#[derive(Clone, Debug)]
pub struct Photo {
    width: u16,
    height: u16,
    file_bytes: usize,
    cpu_seconds: f64,
    stages: Vec<Stage>,
    children: Children,
}

/// What was seen of the children of a server.
#[derive(Clone, Debug, Default, PartialEq)]
struct Children {
    /// The one that is looked at.
    current: Option<u32>,
    /// All of them.
    seen: BTreeSet<u32>,
    peak: Peak,
    bounds: Bounds,
}

/// Has a photograph of this size looked at, by `assay dev` in the folder `programs`, as it is without any setting.
///
/// # Errors
/// When the server does not start or answer, or the job does not succeed.
pub async fn measure(programs: &Path, width: u16, height: u16) -> anyhow::Result<Photo> {
    let photograph = FIRST.sized(width, height).take(SEED);
    let jpeg = photograph.context("make a photograph")?.jpeg;
    let folder = tempfile::tempdir().context("make a folder")?;
    let server = Server::start(&plan(programs, folder.path())).await?;
    let mut client = Client::connect(server.gateway).await?;
    let content_id = client.upload(&jpeg).await?;
    let cpu_before = process::reaped_cpu_seconds(server.pid())?;
    let job = Job::submit(&mut client, &content_id).await?;
    let mut children = Children::default();
    while !job.is_done(&mut client).await? {
        children.look(server.pid())?;
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(Photo {
        width,
        height,
        file_bytes: jpeg.len(),
        cpu_seconds: process::reaped_cpu_seconds(server.pid())? - cpu_before,
        stages: job.stages(&mut client).await?,
        children,
    })
}

impl Children {
    /// Looks at the child that runs, if there is one.
    fn look(&mut self, server: u32) -> anyhow::Result<()> {
        if self.current.is_none() {
            let mut all = family::descendants(server)?.into_iter();
            self.current = all.find(|child| self.seen.insert(*child));
        }
        let Some(child) = self.current else {
            return Ok(());
        };
        let (Ok(peak), Ok(bounds)) = (process::peak(child), process::bounds(child)) else {
            // It has ended; its memory is gone before itself.
            self.current = None;
            return Ok(());
        };
        self.see(peak, bounds);
        Ok(())
    }

    fn see(&mut self, peak: Peak, bounds: Bounds) {
        self.peak.resident_bytes = self.peak.resident_bytes.max(peak.resident_bytes);
        self.peak.space_bytes = self.peak.space_bytes.max(peak.space_bytes);
        // A child that has just been started has not bound itself yet.
        self.bounds = Bounds {
            cpu_s: bounds.cpu_s.or(self.bounds.cpu_s),
            space_bytes: bounds.space_bytes.or(self.bounds.space_bytes),
        };
    }
}

impl Photo {
    /// Whether every stage came to its end in the first child: that is what the bounds leave room for.
    #[must_use]
    pub fn is_within_bounds(&self) -> bool {
        self.children.seen.len() == 1 && self.stages.iter().all(|stage| !stage.is_given_up)
    }

    /// The figures, one a line.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let megapixels = f64::from(self.width) * f64::from(self.height) / 1e6;
        let megabytes = figure(self.file_bytes as u64) / 1e6;
        let wall_seconds = figure(self.stages.iter().map(|stage| stage.cost_ms).sum()) / 1e3;
        let bounds = self.children.bounds;
        let of = |bound: Option<u64>| {
            bound.map_or_else(|| "no bound".to_owned(), |it| format!("of {it}"))
        };
        let peak = self.children.peak;
        let mut stages: Vec<&Stage> = self.stages.iter().collect();
        stages.sort_by_key(|stage| std::cmp::Reverse(stage.cost_ms));
        let costs = stages.iter().map(|stage| {
            let given_up = if stage.is_given_up { ", given up" } else { "" };
            format!("{} {} ms{given_up}", stage.name, stage.cost_ms)
        });
        vec![
            format!(
                "a photo of {megapixels:.1} MP         {} x {}, JPEG of {megabytes:.1} MB",
                self.width, self.height
            ),
            format!(
                "CPU of its child          {:.2} s, {} s",
                self.cpu_seconds,
                of(bounds.cpu_s)
            ),
            // The kernel counts CPU time alone; the worker gives the child as much time on the clock, or more.
            format!(
                "time of its stages        {wall_seconds:.2} s, {} s at least",
                of(bounds.cpu_s)
            ),
            format!(
                "address space at most     {} MiB, {} MiB",
                peak.space_bytes / MIB,
                of(bounds.space_bytes.map(|bytes| bytes / MIB))
            ),
            format!(
                "resident at most          {} MiB",
                peak.resident_bytes / MIB
            ),
            format!(
                "stages                    {}",
                costs.collect::<Vec<_>>().join(", ")
            ),
            format!(
                "all stages in one child   {}",
                verdict(self.is_within_bounds())
            ),
        ]
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "bytes of a file and milliseconds of a stage"
)]
fn figure(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(is_given_up: bool) -> Stage {
        Stage {
            name: "grid".to_owned(),
            is_given_up,
            cost_ms: 1_500,
        }
    }

    fn photo(stages: Vec<Stage>, children: u32) -> Photo {
        Photo {
            width: 6_000,
            height: 4_000,
            file_bytes: 9_000_000,
            cpu_seconds: 2.5,
            stages,
            children: Children {
                seen: (0..children).collect(),
                bounds: Bounds {
                    cpu_s: Some(27),
                    space_bytes: Some(1_536 * MIB),
                },
                ..Children::default()
            },
        }
    }

    #[test]
    fn a_stage_that_is_given_up_or_a_second_child_is_too_much() {
        assert!(photo(vec![stage(false)], 1).is_within_bounds());
        assert!(!photo(vec![stage(false), stage(true)], 1).is_within_bounds());
        assert!(!photo(vec![stage(false)], 2).is_within_bounds());
    }

    #[test]
    fn figures_stand_beside_their_bounds() {
        let text = photo(vec![stage(false), stage(false)], 1)
            .lines()
            .join("\n");
        for words in [
            "24.0 MP",
            "JPEG of 9.0 MB",
            "2.50 s, of 27 s",
            "3.00 s, of 27 s at least",
            "0 MiB, of 1536 MiB",
            "grid 1500 ms, grid 1500 ms",
            "in one child   reached",
        ] {
            assert!(text.contains(words), "{words}\n{text}");
        }
    }

    #[test]
    fn peaks_and_bounds_outlive_the_look_that_saw_them() {
        let mut children = Children::default();
        let peak = |resident_bytes, space_bytes| Peak {
            resident_bytes,
            space_bytes,
        };
        let bounds = Bounds {
            cpu_s: Some(27),
            space_bytes: Some(9),
        };
        children.see(peak(1, 9), Bounds::default());
        children.see(peak(2, 8), bounds);
        children.see(peak(1, 1), Bounds::default());
        assert_eq!((children.peak, children.bounds), (peak(2, 9), bounds));
    }
}
