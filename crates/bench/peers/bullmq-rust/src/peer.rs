//! Drives bullmq-official: one producer or one worker per process.

use std::sync::Arc;

use anyhow::Context;
use bullmq::options::RedisConnectionOptions;
use bullmq::types::JobProgress;
use bullmq::worker::WorkerEvent;
use bullmq::{BulkJob, Job, Queue, QueueOptions, Worker, WorkerOptions};
use clap::Parser;
use serde_json::{Value, json};

// The words of all drivers.
#[path = "../../../src/peers/role.rs"]
mod role;

use role::{Add, Notes, Orders, Role};

/// Milliseconds that a worker may take to finish what it runs.
const CLOSE_MS: u64 = 5_000;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let orders = Orders::parse();
    let notes = Arc::new(Notes::new(orders.journal.clone()));
    match orders.role {
        Role::Producer => produce(&orders, &notes).await?,
        Role::Worker => work(&orders, &notes).await?,
    }
    notes.write()
}

fn connection(orders: &Orders) -> RedisConnectionOptions {
    RedisConnectionOptions::new().url(format!("redis://{}", orders.address))
}

/// Data whose JSON is as long as asked for.
fn data(orders: &Orders) -> Value {
    let empty = json!({ "filling": "" }).to_string().len();
    json!({ "filling": "x".repeat(orders.payload_bytes.saturating_sub(empty)) })
}

async fn produce(orders: &Orders, notes: &Notes) -> anyhow::Result<()> {
    let options = QueueOptions::new().connection(connection(orders));
    let queue = Queue::with_options(&orders.queue, options)
        .await
        .context("open the queue")?;
    let data = data(orders);
    role::wait_for_go().await?;
    let submit = |jobs: usize| submit(&queue, orders.add, jobs, &data, notes);
    orders.submit_all(submit).await?;
    role::say(role::SUBMITTED);
    role::hear().await?;
    Ok(())
}

async fn submit(
    queue: &Queue,
    add: Add,
    jobs: usize,
    data: &Value,
    notes: &Notes,
) -> anyhow::Result<()> {
    match add {
        Add::Single => {
            let sent_us = role::now_us();
            let job = queue.add("job", data).await?;
            notes.note(role::SENT, job.id(), sent_us);
        }
        Add::Bulk => {
            let jobs = (0..jobs).map(|_| BulkJob::new("job", data)).collect();
            queue.add_bulk(jobs).await?;
        }
    }
    Ok(())
}

async fn work(orders: &Orders, notes: &Arc<Notes>) -> anyhow::Result<()> {
    let noted = Arc::clone(notes);
    let handle = move |mut job: Job, _| {
        noted.note(role::STARTED, job.id(), role::now_us());
        async move {
            job.update_progress(JobProgress::Number(100.0)).await?;
            Ok(json!({ "attempt": 1, "token": 1 }))
        }
    };
    let options = WorkerOptions::new()
        .connection(connection(orders))
        .concurrency(orders.concurrency);
    let worker = Worker::with_options(&orders.queue, handle, options)
        .await
        .context("start the worker")?;
    role::say(role::READY);
    let mut ended = std::pin::pin!(role::hear());
    loop {
        tokio::select! {
            line = &mut ended => {
                line?;
                break;
            }
            // Events are kept until somebody takes them.
            event = worker.next_event() => match event {
                Some(WorkerEvent::Failed { job_id, error }) => eprintln!("job {job_id}: {error}"),
                Some(WorkerEvent::Error(error)) => eprintln!("worker: {error}"),
                Some(_) => {}
                None => break,
            },
        }
    }
    worker.close(CLOSE_MS).await?;
    Ok(())
}
