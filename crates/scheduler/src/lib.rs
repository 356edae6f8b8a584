//! The clock of Assay: what must happen again and again, whoever else does what.
//!
//! Contract: every activity takes no input, is bounded and may be repeated, so any number of schedulers
//! may run beside each other and any of them may die at any time. Nothing is retried on its own: the next
//! activation is the retry. Everything is asked of ports, so the same loops serve every mode.
//!
//! - [`PromoteDue`], [`Reap`], [`SweepOutbox`], [`Expire`], [`CollectBlobs`], [`MeasureDepth`]: what is
//!   done, a file each.
//! - [`SendMarkers`], [`Reconcile`], [`ReconcileDeadLetters`]: what is done where a broker carries envelopes
//!   that it might lose.
//! - [`main`] is the program `scheduler`, which shares Redis and a folder with the other processes.
//! - [`Driver`] does it over and over; [`Pace`] decides when; [`Settings`] says how often and how much.
//!
//! Not here: what becomes of a job (core decides, the store records), which jobs are due (the store
//! knows), running jobs.

mod activity;
mod collect_blobs;
mod driver;
mod expire;
mod measure_depth;
#[expect(
    clippy::disallowed_macros,
    reason = "this is the file that holds the names"
)]
mod metric_definitions;
mod outlet;
mod pace;
mod process;
mod promote_due;
mod reap;
mod reconcile;
mod reconcile_dead_letters;
mod send_markers;
mod settings;
mod sweep_outbox;

use std::sync::Arc;
use std::time::Duration;

use assay_core::clock::Clock;
use assay_core::port::{JobQueue, JobStore};
use assay_service::Context;
use futures::future::try_join_all;

pub use activity::{Activity, ActivityName, Error, Report};
pub use collect_blobs::{BLOB_MARGIN_MS, CollectBlobs, Keeping};
pub use driver::{ACTIVATION_MAX, Driver};
pub use expire::Expire;
pub use measure_depth::MeasureDepth;
pub use metric_definitions::INSTRUMENTS;
pub use outlet::{Outlet, PUBLISH_CONCURRENCY};
pub use pace::{BACKOFF_MAX, Ended, Pace};
pub use process::main;
pub use promote_due::PromoteDue;
pub use reap::Reap;
pub use reconcile::{MARKER_MARGIN_MS, Reconcile, Reconciling};
pub use reconcile_dead_letters::ReconcileDeadLetters;
pub use send_markers::SendMarkers;
pub use settings::{DEFAULTS, PER_ACTIVATION_LIMIT, PERIOD_MS_MAX, PERIOD_MS_MIN, Settings};
pub use sweep_outbox::SweepOutbox;

/// What the scheduler works on.
pub struct Parts {
    /// The records.
    pub store: Arc<dyn JobStore>,
    /// Where envelopes go that the store says must be published.
    pub queue: Arc<dyn JobQueue>,
    /// Contents, and how long they must be kept; without them none are collected.
    pub blobs: Option<Keeping>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// How lost envelopes are found, where a broker carries them; without it none are looked for.
    pub reconciling: Option<Reconciling>,
}

/// Runs every activity until no new work may be taken, then ends what is under way.
///
/// # Errors
/// When the section `[scheduler]` is wrong, or a loop was cut off.
pub async fn run(context: Context, parts: Parts) -> anyhow::Result<()> {
    let settings = Settings::read(&context.config)?;
    let start = |(activity, period_ms): Periodic| {
        let task = format!("scheduler {}", activity.name());
        let period = Duration::from_millis(period_ms);
        let driver = Driver::new(activity, Pace { period }, context.shutdown.clone());
        context
            .tasks
            .spawn_joined(&task, driver.run(rand::random()))
    };
    // All are started before the first is waited for.
    let loops: Vec<_> = activities(&settings, parts)
        .into_iter()
        .map(start)
        .collect();
    try_join_all(loops).await?;
    Ok(())
}

/// An activity and its period in milliseconds.
type Periodic = (Box<dyn Activity>, u64);

fn activities(settings: &Settings, parts: Parts) -> Vec<Periodic> {
    let Parts {
        store,
        queue,
        blobs,
        clock,
        reconciling,
    } = parts;
    let outlet = Outlet::new(Arc::clone(&store), Arc::clone(&queue));
    let mut activities = sweeps(settings, &outlet);
    if let Some(reconciling) = reconciling {
        let beside = (Arc::clone(&store), Arc::clone(&queue), Arc::clone(&clock));
        activities.extend(reconciles(settings, reconciling, beside));
    }
    let measure = MeasureDepth::new(queue, store, Arc::clone(&clock));
    activities.push((Box::new(measure), settings.measure_depth_period_ms));
    if let Some(keeping) = blobs {
        let collect = CollectBlobs::new(keeping, clock, settings.blobs_per_activation_max);
        activities.push((Box::new(collect), settings.collect_blobs_period_ms));
    }
    activities
}

fn sweeps(settings: &Settings, outlet: &Outlet) -> Vec<Periodic> {
    let limit = settings.jobs_per_activation_max;
    let promote_due = PromoteDue::new(outlet.clone(), limit);
    let reap = Reap::new(outlet.clone(), limit);
    let sweep_outbox = SweepOutbox::new(outlet.clone(), limit);
    let expire = Expire::new(outlet.clone(), limit);
    vec![
        (Box::new(promote_due), settings.promote_due_period_ms),
        (Box::new(reap), settings.reap_period_ms),
        (Box::new(sweep_outbox), settings.sweep_outbox_period_ms),
        (Box::new(expire), settings.expire_period_ms),
    ]
}

/// What the activities of a broker need besides.
type Beside = (Arc<dyn JobStore>, Arc<dyn JobQueue>, Arc<dyn Clock>);

fn reconciles(
    settings: &Settings,
    reconciling: Reconciling,
    (store, queue, clock): Beside,
) -> Vec<Periodic> {
    let Reconciling {
        markers,
        marker_queue,
        sent,
        dead_letters,
    } = reconciling;
    let limit = settings.jobs_per_activation_max;
    let reconcile = Reconcile::new(
        Arc::clone(&markers),
        Arc::clone(&sent),
        Arc::clone(&clock),
        limit,
    );
    let send_markers = SendMarkers::new(markers, marker_queue, sent, clock);
    let dead_letters = ReconcileDeadLetters::new(dead_letters, store, queue, limit);
    vec![
        (Box::new(send_markers), settings.send_markers_period_ms),
        (Box::new(reconcile), settings.reconcile_period_ms),
        (
            Box::new(dead_letters),
            settings.reconcile_dead_letters_period_ms,
        ),
    ]
}
