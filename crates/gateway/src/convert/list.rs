//! A request for a page of jobs.

use assay_api::v1 as pb;
use assay_core::id::Tenant;
use assay_core::kind::JobKind;
use assay_core::port::{ListRequest, PAGE_SIZE_MAX};
use assay_core::state::JobState;

use super::{Fields, timestamp_ms};
use crate::limits::{FILTER_ENTRIES_MAX, PAGE_SIZE_DEFAULT};
use crate::page_token;
use crate::status::Refusal;

/// Reads a request for a page.
pub(crate) fn query(
    request: &pb::ListJobsRequest,
    tenant: &Tenant,
) -> Result<ListRequest, Refusal> {
    let mut fields = Fields::default();
    let mut query = ListRequest {
        tenant: tenant.clone(),
        kinds: kinds(&mut fields, "kinds", &request.kinds),
        states: states(&mut fields, &request.states),
        created_from_ms: request
            .created_from
            .and_then(|time| fields.check("created_from", timestamp_ms(time))),
        created_before_ms: request
            .created_before
            .and_then(|time| fields.check("created_before", timestamp_ms(time))),
        page_size: page_size(&mut fields, request.page_size),
        cursor: None,
    };
    // Compared with the filters: a token is of no use with others, or with wrong ones.
    if fields.violations.is_empty() && !request.page_token.is_empty() {
        query.cursor = fields.check(
            "page_token",
            page_token::read(&request.page_token, &query, ""),
        );
    }
    fields.finish()?;
    Ok(query)
}

pub(super) fn page_size(fields: &mut Fields, size: i32) -> usize {
    match usize::try_from(size) {
        Ok(0) => PAGE_SIZE_DEFAULT,
        Ok(size) if size <= PAGE_SIZE_MAX => size,
        Ok(_) | Err(_) => {
            let must = format!("must be from 1 to {PAGE_SIZE_MAX}, or 0 for {PAGE_SIZE_DEFAULT}");
            fields.refuse("page_size", must);
            PAGE_SIZE_DEFAULT
        }
    }
}

pub(super) fn kinds(fields: &mut Fields, field: &str, names: &[String]) -> Vec<JobKind> {
    if too_many(fields, field, names.len()) {
        return Vec::new();
    }
    let read = names.iter().enumerate();
    read.filter_map(|(index, name)| fields.check(&format!("{field}[{index}]"), name.parse()))
        .collect()
}

fn states(fields: &mut Fields, numbers: &[i32]) -> Vec<JobState> {
    if too_many(fields, "states", numbers.len()) {
        return Vec::new();
    }
    let read = numbers.iter().enumerate();
    read.filter_map(|(index, number)| {
        let state = JobState::ALL
            .into_iter()
            .find(|state| i32::from(super::job::state(*state)) == *number);
        if state.is_none() {
            let known = JobState::ALL.map(JobState::as_str).join(", ");
            let must = format!("must be one of {known}");
            fields.refuse(format!("states[{index}]"), must);
        }
        state
    })
    .collect()
}

pub(super) fn too_many(fields: &mut Fields, field: &str, entries: usize) -> bool {
    let too_many = entries > FILTER_ENTRIES_MAX;
    if too_many {
        let must = format!("must have at most {FILTER_ENTRIES_MAX} entries, has {entries}");
        fields.refuse(field, must);
    }
    too_many
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(request: &pb::ListJobsRequest) -> Result<ListRequest, Refusal> {
        query(request, &Tenant::default())
    }

    fn sized(page_size: i32) -> Result<ListRequest, Refusal> {
        read(&pb::ListJobsRequest {
            page_size,
            ..pb::ListJobsRequest::default()
        })
    }

    #[test]
    fn the_page_size_holds_its_bounds() {
        assert_eq!(sized(0).unwrap().page_size, PAGE_SIZE_DEFAULT);
        assert_eq!(sized(1).unwrap().page_size, 1);
        assert_eq!(sized(1_000).unwrap().page_size, PAGE_SIZE_MAX);
        for wrong in [1_001, -1, i32::MIN] {
            assert_eq!(sized(wrong).unwrap_err().violations()[0].field, "page_size");
        }
    }

    #[test]
    fn filters_hold_their_bounds_and_name_the_entry() {
        let filtered = |kinds: &[&str], states: Vec<i32>| {
            read(&pb::ListJobsRequest {
                kinds: kinds.iter().map(|name| (*name).to_owned()).collect(),
                states,
                ..pb::ListJobsRequest::default()
            })
        };
        let most = filtered(&["batch"; FILTER_ENTRIES_MAX], vec![3; FILTER_ENTRIES_MAX]).unwrap();
        assert_eq!(most.states[0], JobState::Queued);
        let over = filtered(
            &["batch"; FILTER_ENTRIES_MAX + 1],
            vec![3; FILTER_ENTRIES_MAX + 1],
        );
        let wrong = filtered(&["batch", "virus-scan"], vec![3, 0]);
        for (refused, expected) in [
            (over, ["kinds", "states"]),
            (wrong, ["kinds[1]", "states[1]"]),
        ] {
            let refusal = refused.unwrap_err();
            let fields: Vec<_> = refusal
                .violations()
                .iter()
                .map(|it| it.field.as_str())
                .collect();
            assert_eq!(fields, expected);
        }
    }

    #[test]
    fn a_token_that_is_none_is_refused() {
        let refusal = read(&pb::ListJobsRequest {
            page_token: "nonsense".to_owned(),
            ..pb::ListJobsRequest::default()
        });
        assert_eq!(refusal.unwrap_err().violations()[0].field, "page_token");
    }
}
