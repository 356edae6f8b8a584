//! Looks after the one part that is no task: the store's writer thread.

use std::sync::Arc;

use assay_service::{OnEnd, Shutdown, TaskGroup};
use assay_store::{EmbeddedStore, WriterPanicked};

/// Begins the shutdown when the store's writer thread panics: what asks for anything is refused from then on, so
/// the process must end and start again, instead of standing there.
pub(crate) fn watch(store: &Arc<EmbeddedStore>, tasks: &TaskGroup, shutdown: &Shutdown) {
    let (store, shutdown) = (Arc::clone(store), shutdown.clone());
    tasks.spawn("store-writer", OnEnd::Shutdown, async move {
        tokio::select! {
            ended = store.ended() => ended,
            // It is closed after all tasks, this one among them.
            () = shutdown.begun() => Ok::<(), WriterPanicked>(()),
        }
    });
}

#[cfg(test)]
mod tests {
    use assay_core::clock::{Clock, SystemClock};
    use assay_core::envelope::Envelope;
    use assay_core::id::JobId;
    use assay_core::job::JobSpec;
    use assay_core::kind::JobKind;
    use assay_core::port::{HandOut, JobStore};
    use assay_service::shutdown::Reason;
    use assay_store::StoreConfig;

    use super::*;

    /// Panics in the writer's thread.
    struct Panics;

    impl HandOut for Panics {
        fn hand_out(&self, _envelope: Arc<Envelope>) {
            panic!("handing out")
        }
    }

    #[tokio::test]
    async fn a_panic_of_the_store_s_writer_shuts_the_process_down() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(SystemClock);
        let store = EmbeddedStore::open(
            folder.path(),
            StoreConfig::default(),
            clock,
            Arc::new(Panics),
        );
        let store = Arc::new(store.unwrap());
        let shutdown = Shutdown::new();
        let tasks = TaskGroup::new(shutdown.clone());
        watch(&store, &tasks, &shutdown);
        assert_eq!(shutdown.reason(), None);
        let spec = JobSpec::new(JobKind::Batch, Vec::new(), SystemClock.now_ms());
        let submitted = store.submit(JobId::from_bytes([1; 16]), spec).await;
        submitted.unwrap_err();
        tasks.joined().await;
        let Some(Reason::Failed(why)) = shutdown.reason() else {
            panic!("{:?}", shutdown.reason())
        };
        assert!(why.contains("store-writer"), "{why}");
    }

    #[tokio::test]
    async fn a_shutdown_ends_the_watch() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(SystemClock);
        let queue = Arc::new(assay_queue::InProcessQueue::new(Arc::clone(&clock) as _));
        let config = StoreConfig::default();
        let store = EmbeddedStore::open(folder.path(), config, clock, queue);
        let store = Arc::new(store.unwrap());
        let shutdown = Shutdown::new();
        let tasks = TaskGroup::new(shutdown.clone());
        watch(&store, &tasks, &shutdown);
        shutdown.begin(Reason::Asked("test".into()));
        tasks.joined().await;
        store.close().await;
    }
}
