//! What every [`FingerprintLog`] must do. An adapter's test file names a way to make a [`Subject`]:
//!
//! ```text
//! assay_test_support::fingerprint_log_contract! { #[tokio::test] make_subject }
//! ```
//!
//! Each case gets a store of its own, whose logs are empty and hold [`ENTRIES_MAX`] entries at most.

use std::any::Any;
use std::sync::Arc;

use assay_core::id::{FingerprintAlgorithm, JobId, Tenant};
use assay_core::port::{
    Appended, ContentFingerprint, FingerprintLog, LOG_PAGE_MAX, LogPage, Logged,
};
use futures::future::join_all;

use crate::wait::within;

/// What `store.fingerprints_max` must be for the subjects.
pub const ENTRIES_MAX: u64 = 40;

/// A log under test.
pub struct Subject {
    /// The log.
    pub log: Arc<dyn FingerprintLog>,
    /// The same as another process sees it, where there can be one; else another handle to it.
    pub elsewhere: Arc<dyn FingerprintLog>,
    /// What must live as long as they do.
    pub keep: Box<dyn Any + Send + Sync>,
}

impl Subject {
    async fn append(&self, tenant: &Tenant, fingerprint: ContentFingerprint) -> Appended {
        expect(self.log.append(tenant, fingerprint).await)
    }

    /// Appends contents that were not there before.
    async fn add(&self, tenant: &Tenant, contents: impl IntoIterator<Item = u8>) -> Vec<Logged> {
        let mut added = Vec::new();
        for content in contents {
            added.push(new(self.append(tenant, fingerprint(content)).await));
        }
        added
    }

    /// What both say.
    async fn read(&self, tenant: &Tenant, after: u64, limit: usize) -> LogPage {
        let here = within("read", self.log.read(tenant, after, limit)).await;
        let elsewhere = within("read", self.elsewhere.read(tenant, after, limit)).await;
        let here = expect(here);
        assert_eq!(expect(elsewhere), here);
        here
    }

    async fn all(&self, tenant: &Tenant) -> Vec<Logged> {
        let page = self.read(tenant, 0, LOG_PAGE_MAX).await;
        let last = page.entries.last().map_or(0, |entry| entry.position);
        assert_eq!(page.newest, last);
        page.entries
    }
}

/// Entries come back in the order in which they were appended, each under its position, in pages of any size.
pub async fn entries_are_read_in_order_and_in_pages(subject: Subject) {
    let tenant = tenant("a");
    let empty = LogPage {
        entries: Vec::new(),
        newest: 0,
    };
    assert_eq!(subject.read(&tenant, 0, 10).await, empty);
    let added = subject.add(&tenant, 1..=5).await;
    let positions: Vec<_> = added.iter().map(|entry| entry.position).collect();
    assert_eq!(positions, [1, 2, 3, 4, 5]);
    assert_eq!(added[4].fingerprint, fingerprint(5));
    assert_eq!(subject.all(&tenant).await, added);
    let first = subject.read(&tenant, 0, 2).await;
    assert_eq!((first.entries.as_slice(), first.newest), (&added[..2], 5));
    let next = subject.read(&tenant, 2, 3).await;
    assert_eq!(next.entries, added[2..]);
    for (limit, count) in [(0, 1), (1, 1), (LOG_PAGE_MAX, 5), (usize::MAX, 5)] {
        let page = subject.read(&tenant, 0, limit).await;
        assert_eq!(page.entries.len(), count, "a limit of {limit}");
    }
}

/// Behind the newest there is nothing until something is appended; and whoever knows a later position than there is can
/// tell.
pub async fn behind_the_newest_is_what_comes_later(subject: Subject) {
    let tenant = tenant("a");
    subject.add(&tenant, 1..=3).await;
    for after in [3, 4, u64::MAX] {
        let page = subject.read(&tenant, after, 10).await;
        assert_eq!(
            (page.entries, page.newest),
            (Vec::new(), 3),
            "after {after}"
        );
    }
    let later = subject.add(&tenant, [4]).await;
    assert_eq!(subject.read(&tenant, 3, 10).await.entries, later);
}

/// What is there stays as it is, whatever a repeat says, and the repeat is told.
pub async fn a_content_is_in_a_log_once_for_each_algorithm(subject: Subject) {
    let tenant = tenant("a");
    let added = subject.add(&tenant, [1, 2]).await;
    let different = ContentFingerprint {
        bits: [99; 32],
        job_id: JobId::from_bytes([99; 16]),
        ..fingerprint(1)
    };
    for repeat in [fingerprint(1), different] {
        let answer = subject.append(&tenant, repeat).await;
        assert_eq!(answer, Appended::Known(added[0].clone()));
    }
    assert_eq!(subject.all(&tenant).await, added);
    let another = ContentFingerprint {
        algorithm: algorithm("other.1"),
        ..fingerprint(1)
    };
    let logged = new(subject.append(&tenant, another.clone()).await);
    assert_eq!((logged.position, &logged.fingerprint), (3, &another));
    let again = subject.append(&tenant, another).await;
    assert_eq!(again, Appended::Known(logged));
    // Equal pictures in different files are two contents.
    let lookalike = ContentFingerprint {
        bits: fingerprint(1).bits,
        ..fingerprint(9)
    };
    assert_eq!(new(subject.append(&tenant, lookalike).await).position, 4);
}

/// What one tenant has is nothing to another: not its entries, not its positions, not that it has the same content.
pub async fn tenants_know_nothing_of_each_other(subject: Subject) {
    // One name begins with the other.
    let (one, other) = (tenant("a"), tenant("ab"));
    let of_one = subject.add(&one, 1..=3).await;
    assert_eq!(subject.all(&other).await, []);
    let of_other = subject.add(&other, [3, 7]).await;
    let positions: Vec<_> = of_other.iter().map(|entry| entry.position).collect();
    assert_eq!(positions, [1, 2], "they begin with 1 for everybody");
    assert_eq!(subject.all(&one).await, of_one);
    assert_eq!(subject.all(&other).await, of_other);
    assert_eq!(subject.read(&other, 2, 10).await.entries, []);
    assert_eq!(subject.all(&tenant("b")).await, []);
}

/// Whoever appends at one time, from wherever: each entry has a position of its own and none is left out; and a content
/// that many append is there once.
pub async fn appends_at_one_time_have_positions_without_gaps(subject: Subject) {
    let tenant = tenant("a");
    let (here, elsewhere) = (&subject.log, &subject.elsewhere);
    let appends = (0..60u8).map(|number| {
        let log = if number % 2 == 0 { here } else { elsewhere };
        log.append(&tenant, fingerprint(number % 20))
    });
    let answers = within("appended", join_all(appends)).await;
    let log = subject.all(&tenant).await;
    let positions: Vec<_> = log.iter().map(|entry| entry.position).collect();
    assert_eq!(positions, (1..=20).collect::<Vec<_>>());
    let mut made = 0;
    for answer in answers {
        let logged = match expect(answer) {
            Appended::New(logged) => {
                made += 1;
                logged
            }
            Appended::Known(logged) => logged,
            Appended::Full => fail("there is room"),
        };
        assert!(log.contains(&logged));
    }
    assert_eq!(made, 20, "each content was new once");
}

/// Readers that go on behind what they know see every entry, while others append.
pub async fn a_reader_that_follows_misses_nothing(subject: Subject) {
    let tenant = tenant("a");
    let writer = subject.add(&tenant, 1..=30);
    let reader = async {
        let mut known: Vec<Logged> = Vec::new();
        while known.len() < 30 {
            let after = known.last().map_or(0, |entry| entry.position);
            let page = expect(subject.elsewhere.read(&tenant, after, 4).await);
            known.extend(page.entries);
            tokio::task::yield_now().await;
        }
        known
    };
    let (added, seen) = within("followed", async { tokio::join!(writer, reader) }).await;
    assert_eq!(seen, added);
}

/// A log that is full takes nothing new, knows what it has, and is no concern of others.
pub async fn a_log_holds_its_bound_and_no_more(subject: Subject) {
    let (one, other) = (tenant("a"), tenant("b"));
    let most = u8::try_from(ENTRIES_MAX).unwrap_or(u8::MAX);
    let added = subject.add(&one, 1..=most).await;
    let refused = subject.append(&one, fingerprint(most + 1)).await;
    assert_eq!(refused, Appended::Full);
    let known = subject.append(&one, fingerprint(1)).await;
    assert_eq!(known, Appended::Known(added[0].clone()));
    assert_eq!(subject.all(&one).await, added);
    subject.add(&other, [most + 1]).await;
}

fn tenant(name: &str) -> Tenant {
    expect(Tenant::new(name))
}

fn algorithm(name: &str) -> FingerprintAlgorithm {
    expect(FingerprintAlgorithm::new(name))
}

fn fingerprint(content: u8) -> ContentFingerprint {
    ContentFingerprint {
        content: [content; 32],
        algorithm: algorithm("dct256.1"),
        bits: [content ^ 0xff; 32],
        job_id: JobId::from_bytes([content; 16]),
    }
}

fn new(answer: Appended) -> Logged {
    match answer {
        Appended::New(logged) => logged,
        other @ (Appended::Known(_) | Appended::Full) => fail(&format!("not new: {other:?}")),
    }
}

/// What an adapter answered where it must not fail.
fn expect<T, E: std::fmt::Debug>(answer: Result<T, E>) -> T {
    match answer {
        Ok(value) => value,
        Err(error) => fail(&format!("the log failed: {error:?}")),
    }
}

#[expect(clippy::panic, reason = "this is how a case fails")]
fn fail(why: &str) -> ! {
    panic!("{why}")
}

/// Makes a test of each case. Takes the attribute of the tests and a function that makes a [`Subject`].
#[macro_export]
macro_rules! fingerprint_log_contract {
    (#[$test:meta] $subject:path) => {
        $crate::fingerprint_log_contract! { @each #[$test] $subject:
            entries_are_read_in_order_and_in_pages,
            behind_the_newest_is_what_comes_later,
            a_content_is_in_a_log_once_for_each_algorithm,
            tenants_know_nothing_of_each_other,
            appends_at_one_time_have_positions_without_gaps,
            a_reader_that_follows_misses_nothing,
            a_log_holds_its_bound_and_no_more,
        }
    };
    (@each #[$test:meta] $subject:path: $($case:ident,)+) => {
        $(
            #[$test]
            async fn $case() {
                $crate::contract::fingerprint_log::$case($subject().await).await;
            }
        )+
    };
}
