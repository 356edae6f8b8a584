//! Measures the store alone: 512 callers take jobs through submit, claim, report and settle, with every
//! answer synced to disk. `cargo run --release -p assay-store --example transitions [jobs]`

#![expect(clippy::print_stdout, reason = "it prints what it measured")]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use assay_core::clock::{Clock, SystemClock};
use assay_core::envelope::Envelope;
use assay_core::id::{JobId, WorkerId};
use assay_core::job::JobSpec;
use assay_core::kind::JobKind;
use assay_core::port::{
    Claim, ClaimRequest, HandOut, JobStore, ListRequest, ResultBody, Settlement, Submitted,
};
use assay_core::progress::{Progress, StepPlan};
use assay_core::retry::Decision;
use assay_store::{EmbeddedStore, StoreConfig};
use tokio::task::JoinSet;

const CALLERS: usize = 512;
const JOBS_DEFAULT: u64 = 200_000;
const QUEUED: u64 = 100_000;
const LEASE_MS: u64 = 10_000;
const PAYLOAD_BYTES: usize = 400;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The callers claim what they submitted themselves.
struct Nobody;

impl HandOut for Nobody {
    fn hand_out(&self, _envelope: Arc<Envelope>) {}
}

fn main() -> Outcome<()> {
    let jobs = std::env::args()
        .nth(1)
        .map_or(Ok(JOBS_DEFAULT), |jobs| jobs.parse())?;
    let folder = PathBuf::from(format!("target/store-measurement-{}", std::process::id()));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let measured = runtime.block_on(measure(&folder, jobs));
    std::fs::remove_dir_all(&folder)?;
    measured
}

async fn measure(folder: &std::path::Path, jobs: u64) -> Outcome<()> {
    let open = || {
        let clock = Arc::new(SystemClock);
        EmbeddedStore::open(folder, StoreConfig::default(), clock, Arc::new(Nobody))
    };
    let store = Arc::new(open()?);
    live_through(&store, jobs).await?;
    page(&store, "few queued").await?;
    let before = resident_bytes()?;
    submit_many(&store).await?;
    let after = resident_bytes()?;
    let used = after.saturating_sub(before) / 1_000_000;
    println!("memory for {QUEUED} queued jobs: {used} MB");
    page(&store, "100,000 queued").await?;
    store.close().await;
    let started = Instant::now();
    drop(store);
    let store = open()?;
    println!("opened again in {:.2} s", started.elapsed().as_secs_f64());
    drop(store);
    Ok(())
}

async fn live_through(store: &Arc<EmbeddedStore>, jobs: u64) -> Outcome<()> {
    let next = Arc::new(AtomicU64::new(0));
    let (started, cpu_before) = (Instant::now(), cpu_seconds()?);
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
    let seconds = started.elapsed().as_secs_f64();
    let rate = jobs as f64 / seconds;
    println!(
        "{jobs} jobs in {seconds:.2} s: {rate:.0} jobs/s, {:.0} transitions/s",
        4.0 * rate
    );
    // Says more than the rate on a machine that others use too.
    let micros = (cpu_seconds()? - cpu_before) * 1e6 / (4.0 * jobs as f64);
    println!("processor time of each transition, all threads: {micros:.1} us");
    Ok(())
}

fn id(now_ms: u64, number: u64) -> JobId {
    JobId::random(now_ms, [0; 10]).child("measured", number)
}

fn spec(now_ms: u64) -> JobSpec {
    JobSpec::new(JobKind::ContentVerification, vec![7; PAYLOAD_BYTES], now_ms)
}

async fn live(store: &EmbeddedStore, number: u64) -> Outcome<()> {
    let now_ms = SystemClock.now_ms();
    let (id, spec) = (id(now_ms, number), spec(now_ms));
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

async fn submit_many(store: &Arc<EmbeddedStore>) -> Outcome<()> {
    let mut callers = JoinSet::new();
    for caller in (0..QUEUED).take(CALLERS) {
        let store = Arc::clone(store);
        callers.spawn(async move {
            for number in (caller..QUEUED).step_by(CALLERS) {
                let now_ms = SystemClock.now_ms();
                let id = id(now_ms, number + 1_000_000_000);
                let submitted = store.submit(id, spec(now_ms)).await?;
                if !matches!(submitted, Submitted::Queued(_)) {
                    return Err("a fresh job was not queued".into());
                }
            }
            Outcome::Ok(())
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller??;
    }
    Ok(())
}

async fn page(store: &EmbeddedStore, when: &str) -> Outcome<()> {
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
    for _ in 0..100 {
        store.list(&request).await?;
    }
    let micros = started.elapsed().as_micros() / 100;
    println!("a page of 50 with {when}: {micros} us");
    Ok(())
}

fn resident_bytes() -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next());
    Ok(kilobytes.unwrap_or("0").parse::<u64>()? * 1024)
}

/// Processor time of this process so far.
fn cpu_seconds() -> Outcome<f64> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let mut ticks = 0.0;
    for field in fields.split_whitespace().skip(11).take(2) {
        ticks += field.parse::<f64>()?;
    }
    Ok(ticks / TICKS_PER_SECOND)
}
