//! What every [`QueueControl`] must do. An adapter's test file names a way to make a [`Subject`]:
//!
//! ```text
//! assay_test_support::queue_control_contract! { #[tokio::test] make_subject }
//! ```
//!
//! Each case gets a store of its own, in which nothing is paused.

use std::any::Any;
use std::collections::BTreeSet;
use std::sync::Arc;

use assay_core::kind::JobKind;
use assay_core::port::{QueueControl, StoreError};

use crate::wait::within;

/// A control under test.
pub struct Subject {
    /// The control.
    pub control: Arc<dyn QueueControl>,
    /// The same as another process sees it, where there can be one; else another handle to it.
    pub elsewhere: Arc<dyn QueueControl>,
    /// What must live as long as they do.
    pub keep: Box<dyn Any + Send + Sync>,
}

impl Subject {
    async fn pause(&self, kind: JobKind) {
        expect("pause", within("paused", self.control.pause(kind)).await);
    }

    async fn resume(&self, kind: JobKind) {
        expect("resume", within("resumed", self.control.resume(kind)).await);
    }

    /// What both say.
    async fn paused(&self) -> Vec<JobKind> {
        let here = asked(&*self.control).await;
        assert_eq!(asked(&*self.elsewhere).await, here);
        here.into_iter().collect()
    }
}

async fn asked(control: &dyn QueueControl) -> BTreeSet<JobKind> {
    expect("say what is paused", within("told", control.paused()).await)
}

/// A kind is paused by itself, everywhere, until it is resumed.
pub async fn a_kind_is_paused_until_it_is_resumed(subject: Subject) {
    assert_eq!(subject.paused().await, []);
    subject.pause(JobKind::RuvProfile).await;
    assert_eq!(subject.paused().await, [JobKind::RuvProfile]);
    subject.pause(JobKind::ContentVerification).await;
    assert_eq!(
        subject.paused().await,
        [JobKind::ContentVerification, JobKind::RuvProfile]
    );
    subject.resume(JobKind::RuvProfile).await;
    assert_eq!(subject.paused().await, [JobKind::ContentVerification]);
    subject.resume(JobKind::ContentVerification).await;
    assert_eq!(subject.paused().await, []);
}

/// Whoever lost an answer says it again, and one resume is enough however often it was paused.
pub async fn a_repeat_changes_nothing(subject: Subject) {
    subject.resume(JobKind::Batch).await;
    assert_eq!(subject.paused().await, []);
    subject.pause(JobKind::Batch).await;
    subject.pause(JobKind::Batch).await;
    assert_eq!(subject.paused().await, [JobKind::Batch]);
    subject.resume(JobKind::Batch).await;
    assert_eq!(subject.paused().await, []);
}

/// None of those who pause different kinds at one time undoes what another did.
pub async fn changes_at_one_time_all_hold(subject: Subject) {
    let (here, elsewhere) = (&subject.control, &subject.elsewhere);
    for _ in 0..20 {
        let (first, second, third) = tokio::join!(
            here.pause(JobKind::ContentVerification),
            elsewhere.pause(JobKind::Batch),
            here.pause(JobKind::RuvProfile),
        );
        for answer in [first, second, third] {
            expect("pause", answer);
        }
        assert_eq!(subject.paused().await, JobKind::ALL);
        let (first, second) = tokio::join!(
            elsewhere.resume(JobKind::ContentVerification),
            here.resume(JobKind::Batch),
        );
        expect("resume", first);
        expect("resume", second);
        assert_eq!(subject.paused().await, [JobKind::RuvProfile]);
    }
}

/// What an adapter answered where it must not fail.
fn expect<T>(what: &str, answer: Result<T, StoreError>) -> T {
    match answer {
        Ok(value) => value,
        Err(error) => fail(&format!("the control failed to {what}: {error:?}")),
    }
}

#[expect(clippy::panic, reason = "this is how a case fails")]
fn fail(why: &str) -> ! {
    panic!("{why}")
}

/// Makes a test of each case. Takes the attribute of the tests and a function that makes a [`Subject`].
#[macro_export]
macro_rules! queue_control_contract {
    (#[$test:meta] $subject:path) => {
        $crate::queue_control_contract! { @each #[$test] $subject:
            a_kind_is_paused_until_it_is_resumed,
            a_repeat_changes_nothing,
            changes_at_one_time_all_hold,
        }
    };
    (@each #[$test:meta] $subject:path: $($case:ident,)+) => {
        $(
            #[$test]
            async fn $case() {
                $crate::contract::queue_control::$case($subject().await).await;
            }
        )+
    };
}
