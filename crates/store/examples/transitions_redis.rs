//! Measures the store in Redis alone: 512 callers take jobs through submit, claim, report and settle, once with
//! one step in each script call and once with up to 128. What it writes it leaves under a prefix of its own; use
//! an empty database.
//!
//! `cargo run --release -p assay-store --example transitions_redis 127.0.0.1:6379 [jobs]`

#![expect(clippy::print_stdout, reason = "it prints what it measured")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use assay_core::clock::{Clock, SystemClock};
use assay_core::envelope::Envelope;
use assay_core::id::{JobId, WorkerId};
use assay_core::job::JobSpec;
use assay_core::kind::JobKind;
use assay_core::port::{Claim, ClaimRequest, JobStore, ListRequest, ResultBody, Settlement};
use assay_core::progress::{Progress, StepPlan};
use assay_core::retry::Decision;
use assay_store::{Carrier, RedisConfig, RedisStore, StoreConfig, TimeSource};
use redis::aio::MultiplexedConnection;
use tokio::task::JoinSet;

const CALLERS: usize = 512;
const JOBS_DEFAULT: u64 = 100_000;
const LEASE_MS: u64 = 10_000;
const PAYLOAD_BYTES: usize = 400;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Outcome<()> {
    let mut words = std::env::args().skip(1);
    let address: SocketAddr = words.next().ok_or("say where Redis is")?.parse()?;
    let jobs = words.next().map_or(Ok(JOBS_DEFAULT), |jobs| jobs.parse())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        for batch_max in [1, 128] {
            measure(address, jobs, batch_max).await?;
        }
        Ok(())
    })
}

async fn measure(address: SocketAddr, jobs: u64, batch_max: usize) -> Outcome<()> {
    let now_ms = SystemClock.now_ms();
    let config = RedisConfig {
        host: address.ip().to_string(),
        port: address.port(),
        prefix: format!("measured-{now_ms}-{batch_max}"),
        ..RedisConfig::default()
    };
    let settings = StoreConfig {
        redis_batch_max: batch_max,
        ..StoreConfig::default()
    };
    let store =
        RedisStore::connect(&config, settings, TimeSource::Server, Carrier::Streams).await?;
    let client = redis::Client::open(format!("redis://{address}/"))?;
    let mut server = client.get_multiplexed_async_connection().await?;
    println!("up to {batch_max} steps in a call:");
    let before = memory_bytes(&mut server).await?;
    let (started, busy_before) = (Instant::now(), busy_seconds(&mut server).await?);
    live_through(&store, jobs).await?;
    let seconds = started.elapsed().as_secs_f64();
    let busy = busy_seconds(&mut server).await? - busy_before;
    println!(
        "  {jobs} jobs in {seconds:.2} s: {:.0} jobs/s, {:.0} transitions/s",
        jobs as f64 / seconds,
        4.0 * jobs as f64 / seconds
    );
    println!(
        "  processor time of Redis for one job: {:.1} us",
        busy * 1e6 / jobs as f64
    );
    let used = memory_bytes(&mut server).await?.saturating_sub(before);
    println!("  memory of Redis for one ended job: {} bytes", used / jobs);
    page(&store).await?;
    store.close().await;
    Ok(())
}

async fn live_through(store: &Arc<RedisStore>, jobs: u64) -> Outcome<()> {
    let next = Arc::new(AtomicU64::new(0));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (store, next) = (Arc::clone(store), Arc::clone(&next));
        callers.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= jobs {
                    return Outcome::Ok(());
                }
                live(&store, number).await?;
            }
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller??;
    }
    Ok(())
}

async fn live(store: &RedisStore, number: u64) -> Outcome<()> {
    let now_ms = SystemClock.now_ms();
    let id = JobId::random(now_ms, [0; 10]).child("measured", number);
    let spec = JobSpec::new(JobKind::ContentVerification, vec![7; PAYLOAD_BYTES], now_ms);
    let envelope = Arc::new(Envelope::new(id, &spec, now_ms));
    store.submit(id, spec).await?;
    let request = ClaimRequest {
        envelope,
        worker: WorkerId::new("worker")?,
        lease_ms: LEASE_MS,
    };
    let Claim::Run(claimed) = store.claim(request).await? else {
        return Err("a fresh job was not claimed".into());
    };
    let plan = StepPlan::new([("decode", 1), ("analyse", 3)])?;
    let mut progress = Progress::new(&plan, now_ms);
    progress.finish("decode", now_ms)?;
    store.report(&claimed.lease, progress).await?;
    let settlement = Settlement {
        decision: Decision::Succeed,
        result: Some(ResultBody::Inline(vec![1; 200])),
        progress: None,
    };
    store.settle(&claimed.lease, settlement).await?;
    Ok(())
}

async fn page(store: &RedisStore) -> Outcome<()> {
    const PAGES: u32 = 100;
    let request = ListRequest {
        tenant: Default::default(),
        kinds: Vec::new(),
        states: Vec::new(),
        created_from_ms: None,
        created_before_ms: None,
        page_size: 50,
        cursor: None,
    };
    let started = Instant::now();
    for _ in 0..PAGES {
        store.list(&request).await?;
    }
    println!(
        "  a page of 50: {} us",
        (started.elapsed() / PAGES).as_micros()
    );
    Ok(())
}

/// Processor time of the server so far.
async fn busy_seconds(server: &mut MultiplexedConnection) -> Outcome<f64> {
    let info = info(server, "cpu").await?;
    Ok(number(&info, "used_cpu_user_main_thread")? + number(&info, "used_cpu_sys_main_thread")?)
}

async fn memory_bytes(server: &mut MultiplexedConnection) -> Outcome<u64> {
    let info = info(server, "memory").await?;
    let used = info
        .lines()
        .find_map(|line| line.strip_prefix("used_memory:"));
    Ok(used.ok_or("it does not tell its memory")?.trim().parse()?)
}

async fn info(server: &mut MultiplexedConnection, section: &str) -> Outcome<String> {
    Ok(redis::cmd("INFO").arg(section).query_async(server).await?)
}

fn number(info: &str, name: &str) -> Outcome<f64> {
    let line = info.lines().find(|line| line.starts_with(name));
    let (_, value) = line
        .and_then(|line| line.split_once(':'))
        .ok_or("a number is missing")?;
    Ok(value.trim().parse()?)
}
