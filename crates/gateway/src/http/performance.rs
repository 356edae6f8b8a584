//! How long jobs took of late, from their records: every gateway of a server says the same.

use assay_core::id::Tenant;
use assay_core::job::{Job, Times};
use assay_core::port::ListRequest;
use assay_core::state::JobState;
use serde_json::{Value, json};

use crate::edge::Edge;
use crate::status::Refusal;

/// Jobs that are looked at.
const SAMPLES_MAX: usize = 100;

/// Of the newest jobs of a tenant that succeeded, in milliseconds from their first start to their end.
pub(super) async fn read(edge: &Edge, tenant: &Tenant) -> Result<Value, Refusal> {
    let newest = ListRequest {
        tenant: tenant.clone(),
        kinds: Vec::new(),
        states: vec![JobState::Succeeded],
        created_from_ms: None,
        created_before_ms: None,
        page_size: SAMPLES_MAX,
        cursor: None,
    };
    let page = edge.store.list(&newest).await;
    let page = page.map_err(|error| Refusal::of_read(&error))?;
    Ok(tell(page.jobs.iter().map(|job: &Job| &job.times)))
}

fn tell<'a>(times: impl Iterator<Item = &'a Times>) -> Value {
    let took: Vec<u64> = times.filter_map(took_ms).collect();
    let total = took
        .iter()
        .fold(0, |total: u64, ms| total.saturating_add(*ms));
    let samples = took.len() as u64;
    json!({
        "avgProcessingTime": total.checked_div(samples),
        "totalProcessingTime": total,
        "processingTimeSamples": samples,
    })
}

fn took_ms(times: &Times) -> Option<u64> {
    let (started, finished) = (times.started_at_ms?, times.finished_at_ms?);
    // The clocks of two workers may differ.
    Some(finished.saturating_sub(started))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(started_at_ms: Option<u64>, finished_at_ms: Option<u64>) -> Times {
        Times {
            started_at_ms,
            finished_at_ms,
            ..Times::default()
        }
    }

    #[test]
    fn the_mean_is_that_of_the_jobs_that_ran() {
        let jobs = [
            times(Some(1_000), Some(1_300)),
            times(Some(2_000), Some(2_100)),
            times(Some(5_000), Some(4_000)),
            times(None, Some(9_000)),
            times(Some(9_000), None),
        ];
        let expected = json!({
            "avgProcessingTime": 133,
            "totalProcessingTime": 400,
            "processingTimeSamples": 3,
        });
        assert_eq!(tell(jobs.iter()), expected);
    }

    #[test]
    fn of_nothing_there_is_no_mean() {
        let expected = json!({
            "avgProcessingTime": null,
            "totalProcessingTime": 0,
            "processingTimeSamples": 0,
        });
        assert_eq!(tell([].iter()), expected);
    }
}
