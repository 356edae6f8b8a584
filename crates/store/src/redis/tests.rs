//! What only an insider can bring about. Each test has a database of its own.

mod unreadable;

use assay_core::id::{JobId, Tenant};
use assay_core::job::JobSpec;
use assay_core::kind::JobKind;
use assay_core::port::{JobStore as _, Submitted};
use assay_core::retention::Retention;
use assay_core::transition::{self, Admission};
use assay_test_support::redis::Database;
use assay_test_support::wait::{wait_until, within};

use super::change::{Origin, Scribe};
use super::committer::{Answer, CommitError};
use super::record::Found;
use super::*;

async fn store() -> Arc<RedisStore> {
    store_over(Carrier::Streams).await
}

async fn store_over(carrier: Carrier) -> Arc<RedisStore> {
    let database = Database::take();
    let config = RedisConfig {
        host: database.address.ip().to_string(),
        port: database.address.port(),
        db: database.number.into(),
        prefix: format!("inside-{}", database.number),
        ..RedisConfig::default()
    };
    let store = RedisStore::connect(&config, StoreConfig::default(), TimeSource::Server, carrier);
    store.await.unwrap()
}

fn id(number: u8) -> JobId {
    JobId::from_bytes([number; 16])
}

fn spec(now_ms: u64) -> JobSpec {
    JobSpec::new(JobKind::Batch, b"payload".to_vec(), now_ms)
}

/// A step that submits a job, and its revision.
fn submit(scribe: &Scribe<'_>, number: u8) -> (write::Step, u64) {
    let now_ms = scribe.now_ms;
    let mut made = transition::submit(id(number), &spec(now_ms), Admission::Queue, now_ms);
    let envelope = Arc::new(made.envelope.take().unwrap());
    let origin = Origin::Submitted { limit: 10 };
    let change = scribe.add(&Found::Absent, &made, envelope, origin);
    (change.step, change.after.revision().unwrap())
}

fn scribe(store: &RedisStore) -> Scribe<'_> {
    Scribe {
        keys: &store.keys,
        retention: Retention {
            ended_ms: 1,
            dead_letters_ms: 1,
        },
        now_ms: store.clock.now_ms(),
        outbox: None,
    }
}

fn err_by(store: &RedisStore, ms: i64) {
    match &store.clock {
        StoreClock::Server(clock) => clock.err_by(ms),
        StoreClock::Given(_) => panic!("it has a clock of its own"),
    }
}

#[tokio::test]
async fn what_was_decided_too_far_off_is_not_written() {
    let store = store().await;
    let committer = store.committer().unwrap();
    let far = i64::try_from(CLOCK_SKEW_MS_MAX).unwrap() + 200;
    for wrong in [far, -far] {
        err_by(&store, wrong);
        let (step, _) = submit(&scribe(&store), 1);
        assert_eq!(committer.commit(step).await, Err(CommitError::Late));
        let none = store.get(&Tenant::default(), id(1)).await.unwrap();
        assert_eq!(none, None);
        // The answer told the time.
        let (step, _) = submit(&scribe(&store), if wrong > 0 { 2 } else { 3 });
        assert_eq!(committer.commit(step).await, Ok(Answer::Done(None)));
    }
}

#[tokio::test]
async fn a_step_on_a_wrong_clock_is_decided_again() {
    let store = store().await;
    let right_ms = store.clock.now_ms();
    err_by(&store, 3_600_000);
    let submitted = store.submit(id(1), spec(right_ms)).await.unwrap();
    let Submitted::Queued(job) = submitted else {
        panic!("{submitted:?}");
    };
    let off_ms = job.times.created_at_ms.abs_diff(right_ms);
    assert!(off_ms < 60_000, "{off_ms} ms off");
}

/// The same call arrives twice: the second time it changes nothing, and says whose the record is.
#[tokio::test]
async fn a_step_that_comes_twice_happens_once() {
    let store = store().await;
    let committer = store.committer().unwrap();
    let now = scribe(&store);
    let mut made = transition::submit(id(1), &spec(now.now_ms), Admission::Queue, now.now_ms);
    let envelope = Arc::new(made.envelope.take().unwrap());
    let origin = Origin::Submitted { limit: 1 };
    let change = || {
        let envelope = Arc::clone(&envelope);
        now.add(&Found::Absent, &made, envelope, origin)
    };
    let first = change();
    let revision = first.after.revision();
    assert_eq!(committer.commit(first.step).await, Ok(Answer::Done(None)));
    let counts = store.counts().await.unwrap();
    let again = committer.commit(change().step).await;
    let Ok(Answer::Changed(fields)) = again else {
        panic!("{again:?}");
    };
    let (found, _) = Found::read(fields.unwrap()).unwrap();
    assert_eq!(found.revision(), revision);
    assert_eq!(store.counts().await.unwrap(), counts);
    let history = store.history(&Tenant::default(), id(1), None).await;
    assert_eq!(history.unwrap().unwrap().events.len(), 1);
}

/// Each step of a call is judged by itself.
#[tokio::test]
async fn a_step_that_is_refused_takes_no_other_with_it() {
    let store = store().await;
    let committer = store.committer().unwrap();
    let now = scribe(&store);
    let numbers = [1_u8, 2, 1, 3, 2, 4];
    let calls = numbers.map(|number| committer.commit(submit(&now, number).0));
    let answers = futures::future::join_all(calls).await;
    for (place, answer) in answers.into_iter().enumerate() {
        let repeats = numbers[..place].contains(&numbers[place]);
        match answer.unwrap() {
            Answer::Done(None) => assert!(!repeats, "{place}"),
            Answer::Changed(Some(_)) => assert!(repeats, "{place}"),
            other @ (Answer::Done(Some(_))
            | Answer::Changed(None)
            | Answer::Limit
            | Answer::OutboxFull) => {
                panic!("{place}: {other:?}")
            }
        }
    }
    let counts = store.counts().await.unwrap();
    assert_eq!(counts.live(JobKind::Batch), 4);
}

/// The bound counts what goes before in the same call.
#[tokio::test]
async fn the_bound_holds_within_a_call() {
    let store = store().await;
    let committer = store.committer().unwrap();
    let now = scribe(&store);
    let calls = (1..=15).map(|number| committer.commit(submit(&now, number).0));
    let answers = futures::future::join_all(calls).await;
    let refused = answers
        .iter()
        .filter(|answer| matches!(answer, Ok(Answer::Limit)));
    assert_eq!(refused.count(), 5);
}

/// So many cancelled ids of nobody are remembered, and one that is submitted makes room.
#[tokio::test]
async fn tombstones_keep_their_bound() {
    let store = store().await;
    let committer = store.committer().unwrap();
    let bury = async |number| {
        let change = scribe(&store).bury(id(number), 2);
        committer.commit(change.step).await.unwrap()
    };
    assert_eq!(bury(1).await, Answer::Done(None));
    assert_eq!(bury(2).await, Answer::Done(None));
    assert_eq!(bury(3).await, Answer::Limit);
    let now_ms = store.clock.now_ms();
    let submitted = store.submit(id(1), spec(now_ms)).await;
    assert!(
        matches!(submitted, Ok(Submitted::Queued(_))),
        "{submitted:?}"
    );
    assert_eq!(bury(3).await, Answer::Done(None));
    assert_eq!(bury(4).await, Answer::Limit);
    let found = store.reader.find(id(1)).await.unwrap().unwrap().0;
    assert!(found.job().is_some(), "{found:?}");
    // Their retention of a millisecond is over.
    assert_waits_for_expiry(&store, 2).await;
    assert_eq!(bury(4).await, Answer::Done(None));
}

/// Sweeps until so many tombstones are forgotten; the job that lives is not.
async fn assert_waits_for_expiry(store: &RedisStore, tombstones: u8) {
    wait_until("tombstones are forgotten", || async {
        assert_eq!(store.expire(10).await.unwrap().jobs, 0);
        let mut left = 0;
        for number in 2..2 + tombstones {
            let found = store.reader.find(id(number)).await.unwrap().unwrap().0;
            left += u8::from(!matches!(found, Found::Absent));
        }
        left == 0
    })
    .await;
}

#[tokio::test]
async fn records_that_are_read_together_come_to_whom_they_are_wanted_by() {
    let store = store().await;
    let now_ms = store.clock.now_ms();
    for number in 1..=200 {
        let submitted = store.submit(id(number), spec(now_ms)).await;
        submitted.unwrap();
    }
    let spoilt = store.keys.of(id(7)).record(id(7));
    let mut set = redis::cmd("SET");
    set.arg(spoilt).arg("something else");
    store.link.ask(&set).await.unwrap();
    let wanted = (1..=200).map(|number| {
        let reader = store.reader.clone();
        async move { (number, reader.find(id(number)).await) }
    });
    for (number, read) in futures::future::join_all(wanted).await {
        match read {
            Ok(read) => {
                let (found, _) = read.unwrap();
                assert_eq!(found.job().unwrap().job.id, id(number));
            }
            Err(error) => assert_eq!(number, 7, "{error}"),
        }
    }
    assert!(store.reader.find(id(7)).await.is_err());
    let (none, _) = store.reader.find(id(201)).await.unwrap().unwrap();
    assert!(matches!(none, Found::Absent));
    store.close().await;
    assert!(store.reader.find(id(1)).await.is_err());
}

/// As after somebody copied the set of leases back. A look takes a page of them at a time.
#[tokio::test]
async fn a_whole_page_of_leases_that_nobody_holds_keeps_no_sweep() {
    const PAGE: u64 = 1_024;
    let store = store().await;
    let group = &store.keys.groups()[0];
    let now_ms = store.clock.now_ms();
    let submits = (0..PAGE).map(|number| {
        let id = id(1).child("free", number);
        let (store, leases) = (&store, &group.leases);
        async move {
            store.submit(id, spec(now_ms)).await.unwrap();
            let mut add = redis::cmd("ZADD");
            add.arg(leases).arg(1).arg(id.as_bytes());
            store.link.ask(&add).await.unwrap();
        }
    });
    futures::future::join_all(submits).await;
    let mut gap = redis::cmd("DEL");
    gap.arg(&group.beat);
    store.link.ask(&gap).await.unwrap();
    let swept = within("the leases are looked at", store.reap(10)).await;
    assert_eq!(swept.unwrap().jobs, 0);
    let mut count = redis::cmd("ZCARD");
    count.arg(&group.leases);
    let left: u64 = redis::from_redis_value(store.link.ask(&count).await.unwrap()).unwrap();
    assert_eq!(left, 0);
}
