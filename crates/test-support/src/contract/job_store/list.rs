use assay_core::id::{JobId, Tenant};
use assay_core::kind::JobKind;
use assay_core::port::{Cursor, ListRequest, PAGE_SIZE_MAX};
use assay_core::retry::Decision;
use assay_core::state::JobState;

use super::{KIND, Settings, Subject, expect, failure, id, tenant};

fn all() -> ListRequest {
    ListRequest {
        tenant: tenant(),
        kinds: Vec::new(),
        states: Vec::new(),
        created_from_ms: None,
        created_before_ms: None,
        page_size: PAGE_SIZE_MAX,
        cursor: None,
    }
}

impl Subject {
    async fn listed(&self, request: ListRequest) -> Vec<JobId> {
        let page = self.page(request).await;
        assert_eq!(page.next, None);
        page.jobs.iter().map(|job| job.id).collect()
    }

    /// Every page of two, one after the other.
    async fn paged(&self, between: impl AsyncFn(&Self, usize)) -> Vec<JobId> {
        let mut seen = Vec::new();
        let mut cursor: Option<Cursor> = None;
        for number in 0..100 {
            let page = self
                .page(ListRequest {
                    page_size: 2,
                    cursor,
                    ..all()
                })
                .await;
            assert!(page.jobs.len() <= 2);
            seen.extend(page.jobs.iter().map(|job| job.id));
            cursor = page.next;
            if cursor.is_none() {
                return seen;
            }
            between(self, number).await;
        }
        seen
    }
}

/// Kind, state, time and tenant, alone and together; newest first.
pub async fn pages_are_filtered(subject: Subject) {
    let first = subject.run(1, Decision::Succeed).await;
    subject.clock.advance(10);
    let second = subject.run(2, Decision::Fail(failure())).await;
    subject.clock.advance(10);
    let third = subject.queue(3).await;
    let mut spec = subject.spec();
    spec.kind = JobKind::Batch;
    subject.clock.advance(10);
    let batch = subject.submit(id(4), spec.clone()).await.id;
    spec.tenant = expect("make a tenant", Tenant::new("other"));
    let foreign = subject.submit(id(5), spec).await.id;

    assert_eq!(subject.listed(all()).await, [batch, third, second, first]);
    let kinds = |kinds: &[JobKind]| ListRequest {
        kinds: kinds.to_vec(),
        ..all()
    };
    assert_eq!(subject.listed(kinds(&[KIND])).await, [third, second, first]);
    assert_eq!(
        subject.listed(kinds(&[JobKind::Batch, KIND])).await.len(),
        4
    );
    assert_eq!(subject.listed(kinds(&[JobKind::RuvProfile])).await, []);
    let states = |states: &[JobState]| ListRequest {
        states: states.to_vec(),
        ..all()
    };
    assert_eq!(
        subject.listed(states(&[JobState::Queued])).await,
        [batch, third]
    );
    let ended = states(&[JobState::Succeeded, JobState::Failed]);
    assert_eq!(subject.listed(ended.clone()).await, [second, first]);
    let between = ListRequest {
        created_from_ms: Some(Settings::NOW_MS + 10),
        created_before_ms: Some(Settings::NOW_MS + 20),
        ..all()
    };
    assert_eq!(subject.listed(between.clone()).await, [second]);
    let none = ListRequest {
        states: vec![JobState::Queued],
        ..between
    };
    assert_eq!(subject.listed(none).await, []);
    let other = ListRequest {
        tenant: expect("make a tenant", Tenant::new("other")),
        ..all()
    };
    assert_eq!(subject.listed(other).await, [foreign]);
}

/// A reader who pages on sees each job that was there from the start once, whatever happens meanwhile.
pub async fn jobs_that_come_and_go_shift_no_page(subject: Subject) {
    let mut ids = Vec::new();
    for number in 1..=9 {
        subject.clock.advance(1);
        ids.push(subject.queue(number).await);
    }
    ids.reverse();
    assert_eq!(subject.paged(async |_, _| ()).await, ids);
    let seen = subject
        .paged(async |subject, page| {
            let number = u8::try_from(page).unwrap_or(u8::MAX);
            subject.clock.advance(1);
            // One comes, one changes its state on a page that was seen, one on a page to come.
            subject.queue(100 + number).await;
            for place in [9 - number, 1 + number] {
                expect("cancel", subject.store.cancel(&tenant(), id(place)).await);
            }
        })
        .await;
    assert_eq!(seen, ids);
}

/// One count per kind and state, through every change.
pub async fn counts_follow_every_job(subject: Subject) {
    let count = async |state| expect("count", subject.store.counts().await).get(KIND, state);
    for number in 1..=4 {
        subject.queue(number).await;
    }
    assert_eq!(count(JobState::Queued).await, 4);
    let lease = subject.claim(id(1)).await.lease;
    expect("cancel", subject.store.cancel(&tenant(), id(2)).await);
    assert_eq!(count(JobState::Running).await, 1);
    assert_eq!(count(JobState::Cancelled).await, 1);
    subject.settle(&lease, Decision::Fail(failure())).await;
    assert_eq!(count(JobState::Failed).await, 1);
    subject.redrive(id(1)).await;
    assert_eq!(count(JobState::Failed).await, 0);
    assert_eq!(count(JobState::Queued).await, 3);
    let counts = expect("count", subject.store.counts().await);
    assert_eq!(counts.live(KIND), 3);
    assert_eq!(counts.live(JobKind::Batch), 0);
}
