//! Dead letters that were forgotten because their time was over, and not because a person said so: they are never lost
//! silently.

use std::sync::atomic::{AtomicU64, Ordering};

use assay_core::kind::JobKind;
use assay_core::retention::Retention;

use crate::metric_definitions::dead_letter_expired;

/// Those of one sweep.
#[derive(Default)]
pub(crate) struct Expired(AtomicU64);

impl Expired {
    /// Counts one whose record is gone.
    pub(crate) fn note(&self, kind: JobKind) {
        dead_letter_expired(kind);
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Says in one line how many there were, if there were any.
    pub(crate) fn tell(&self, retention: Retention) {
        let jobs = self.0.load(Ordering::Relaxed);
        if jobs == 0 {
            return;
        }
        let retention_ms = retention.dead_letters_ms;
        tracing::warn!(
            jobs,
            retention_ms,
            "forgot {jobs} dead letters: nobody put them back within store.dead_letter_retention_ms"
        );
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use metrics::{
        Counter, CounterFn, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
    };
    use parking_lot::Mutex;

    use super::*;

    /// Writes down what is counted, by its labels.
    #[derive(Default)]
    struct Book(Arc<Mutex<Vec<String>>>);

    struct Line(Arc<Mutex<Vec<String>>>, String);

    impl CounterFn for Line {
        fn increment(&self, value: u64) {
            self.0.lock().push(format!("{} +{value}", self.1));
        }

        fn absolute(&self, _value: u64) {}
    }

    impl Recorder for Book {
        fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

        fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

        fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

        fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
            let labels: Vec<_> = key.labels().map(metrics::Label::value).collect();
            Counter::from_arc(Arc::new(Line(Arc::clone(&self.0), labels.join(" "))))
        }

        fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
            Gauge::noop()
        }

        fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
            Histogram::noop()
        }
    }

    #[test]
    fn each_is_counted_at_once_under_its_kind() {
        let book = Book::default();
        let expired = Expired::default();
        metrics::with_local_recorder(&book, || {
            expired.note(JobKind::Batch);
            expired.note(JobKind::RuvProfile);
        });
        let lines = book.0.lock().clone();
        assert_eq!(lines, ["batch +1", "ruv-profile +1"]);
        assert_eq!(expired.0.load(Ordering::Relaxed), 2);
    }
}
