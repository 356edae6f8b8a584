//! A job whose worker died under it has its next worker to itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use assay_core::state::JobState;
use serde_json::Value;

use crate::world::{World, seconds};

/// Counts who runs at once; a suspect must see nobody else.
#[derive(Default)]
struct Company {
    running: AtomicUsize,
    most: AtomicUsize,
}

impl Company {
    async fn work(&self, alone: bool) {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        for _ in 0..10 {
            tokio::time::sleep(seconds(1)).await;
            assert!(!alone || self.running.load(Ordering::SeqCst) == 1);
        }
        self.running.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn suspects_run_alone_one_after_another_and_nobody_waits_for_ever() {
    let mut world = World::new();
    world.settings.concurrency = 3;
    let company = Arc::new(Company::default());
    let mut ids = Vec::new();
    for index in 0..12 {
        let suspect = index % 4 == 1;
        let id = world.submit(if suspect { "suspect" } else { "innocent" });
        let crashes = u32::from(suspect);
        world
            .store
            .change(id, |row| row.job.counters.crashes = crashes);
        ids.push((id, suspect));
    }
    let seen = Arc::clone(&company);
    let worker = world.work(move |_, word| {
        let company = Arc::clone(&seen);
        Box::pin(async move {
            company.work(word == "suspect").await;
            Ok(Value::Null)
        })
    });
    for (id, suspect) in ids {
        let row = world.wait(id, JobState::Succeeded).await;
        assert_eq!(row.job.counters.errors, 0);
        assert_eq!(row.job.counters.crashes, u32::from(suspect));
    }
    worker.shut_down().await;
    assert_eq!(
        company.most.load(Ordering::SeqCst),
        3,
        "the innocent run together"
    );
}

#[tokio::test(start_paused = true)]
async fn a_suspect_that_waits_for_the_others_can_be_cancelled() {
    let world = World::new();
    let slow = world.submit("slow");
    let worker = world.work(|_, _| {
        Box::pin(async {
            tokio::time::sleep(seconds(50)).await;
            Ok(Value::Null)
        })
    });
    world.wait(slow, JobState::Running).await;
    let suspect = world.submit("suspect");
    world
        .store
        .change(suspect, |row| row.job.counters.crashes = 1);
    world.wait(suspect, JobState::Running).await;
    tokio::task::yield_now().await;
    world.cancel(suspect).await;
    world.wait(suspect, JobState::Cancelled).await;
    assert_eq!(world.store.row(slow).job.state, JobState::Running);
    let next = world.submit("next");
    world.wait(next, JobState::Running).await;
    world.wait(next, JobState::Succeeded).await;
    worker.shut_down().await;
}
