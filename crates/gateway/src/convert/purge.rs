//! A request to cancel what waits in a queue.

use assay_api::v1 as pb;
use assay_core::id::Tenant;
use assay_core::kind::{JobKind, Lane};
use assay_core::port::{ListRequest, PAGE_SIZE_MAX};
use assay_core::state::JobState;

use super::list::too_many;
use super::{Fields, lost, timestamp_ms};
use crate::status::Refusal;

/// States of jobs that are in their queue or on their way into it.
const IN_QUEUE: [JobState; 2] = [JobState::Accepted, JobState::Queued];
/// States of jobs that wait for their time.
const DELAYED: [JobState; 3] = [JobState::Scheduled, JobState::Retrying, JobState::Waiting];

/// Which jobs are to be cancelled.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Purge {
    pub(crate) kind: JobKind,
    /// The list that they are in.
    pub(crate) list: ListRequest,
    /// Only in these lanes, by which no list is sorted; empty for all.
    pub(crate) lanes: Vec<Lane>,
    pub(crate) dry_run: bool,
    /// Before when they were submitted, in milliseconds since the epoch.
    pub(crate) created_before_ms: u64,
}

/// Reads a request that `tenant` makes at `now_ms`. What is submitted at that very moment is meant, too.
pub(crate) fn purge_queue(
    request: &pb::PurgeQueueRequest,
    tenant: &Tenant,
    now_ms: u64,
) -> Result<Purge, Refusal> {
    let mut fields = Fields::default();
    let kind = fields.check("kind", request.kind.parse::<JobKind>());
    let lanes = lanes(&mut fields, &request.lanes);
    let before = request.created_before;
    let before = before.and_then(|time| fields.check("created_before", timestamp_ms(time)));
    fields.finish()?;
    let kind = kind.ok_or_else(lost)?;
    let mut states = IN_QUEUE.to_vec();
    if request.include_delayed {
        states.extend(DELAYED);
    }
    let just_now_ms = now_ms.saturating_add(1);
    let created_before_ms = before.map_or(just_now_ms, |before| before.min(just_now_ms));
    Ok(Purge {
        kind,
        lanes,
        dry_run: request.dry_run,
        created_before_ms,
        list: ListRequest {
            tenant: tenant.clone(),
            kinds: vec![kind],
            states,
            created_from_ms: None,
            created_before_ms: Some(created_before_ms),
            page_size: PAGE_SIZE_MAX,
            cursor: None,
        },
    })
}

fn lanes(fields: &mut Fields, numbers: &[i32]) -> Vec<Lane> {
    if too_many(fields, "lanes", numbers.len()) {
        return Vec::new();
    }
    let mut lanes = Vec::with_capacity(numbers.len());
    for (index, number) in numbers.iter().enumerate() {
        match pb::Lane::try_from(*number) {
            Ok(pb::Lane::Low) => lanes.push(Lane::Low),
            Ok(pb::Lane::Normal) => lanes.push(Lane::Normal),
            Ok(pb::Lane::High) => lanes.push(Lane::High),
            Ok(pb::Lane::Unspecified) | Err(_) => {
                let must = "must be LANE_LOW, LANE_NORMAL or LANE_HIGH";
                fields.refuse(format!("lanes[{index}]"), must);
            }
        }
    }
    lanes
}

#[cfg(test)]
mod tests {
    use super::super::timestamp;
    use super::*;
    use crate::limits::FILTER_ENTRIES_MAX;

    const NOW_MS: u64 = 1_700_000_000_000;

    fn read(change: impl FnOnce(&mut pb::PurgeQueueRequest)) -> Result<Purge, Refusal> {
        let mut request = pb::PurgeQueueRequest {
            kind: "batch".to_owned(),
            ..pb::PurgeQueueRequest::default()
        };
        change(&mut request);
        purge_queue(&request, &Tenant::default(), NOW_MS)
    }

    #[test]
    fn nothing_said_means_what_is_in_the_queue_now() {
        let purge = read(|_| ()).unwrap();
        assert_eq!((purge.kind, purge.dry_run), (JobKind::Batch, false));
        assert_eq!(purge.list.states, IN_QUEUE);
        assert_eq!(purge.created_before_ms, NOW_MS + 1);
        assert_eq!(purge.list.created_before_ms, Some(NOW_MS + 1));
        assert!(purge.lanes.is_empty());
    }

    #[test]
    fn no_job_that_a_worker_has_or_that_has_ended_is_meant() {
        let purge = read(|request| request.include_delayed = true).unwrap();
        for state in JobState::ALL {
            let left =
                state.is_terminal() || matches!(state, JobState::Running | JobState::Cancelling);
            assert_eq!(purge.list.states.contains(&state), !left, "{state}");
        }
    }

    #[test]
    fn no_job_of_later_is_meant() {
        for (given, meant) in [(5, 5), (NOW_MS + 1, NOW_MS + 1), (NOW_MS + 2, NOW_MS + 1)] {
            let purge = read(|request| request.created_before = Some(timestamp(given)));
            assert_eq!(purge.unwrap().created_before_ms, meant);
        }
    }

    #[test]
    fn all_that_is_wrong_is_named() {
        let refusal = read(|request| {
            request.kind = "virus-scan".to_owned();
            request.lanes = vec![1, 0, 9];
            request.created_before = Some(prost_types::Timestamp {
                seconds: -1,
                nanos: 0,
            });
        });
        let refusal = refusal.unwrap_err();
        let fields: Vec<_> = refusal
            .violations()
            .iter()
            .map(|it| it.field.as_str())
            .collect();
        assert_eq!(fields, ["kind", "lanes[1]", "lanes[2]", "created_before"]);
        let lanes = |count| read(|request| request.lanes = vec![1; count]).is_ok();
        assert!(lanes(FILTER_ENTRIES_MAX) && !lanes(FILTER_ENTRIES_MAX + 1));
    }
}
