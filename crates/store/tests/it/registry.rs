use std::sync::Arc;

use assay_core::clock::{Clock, ManualClock};
use assay_store::InProcessRegistry;
use assay_test_support::contract::job_store::Settings;
use assay_test_support::contract::worker_registry::Subject;

async fn in_process() -> Subject {
    let clock = Arc::new(ManualClock::at(Settings::NOW_MS));
    let time: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
    Subject {
        registry: Arc::new(InProcessRegistry::new(time)),
        clock,
        keep: Box::new(()),
    }
}

assay_test_support::worker_registry_contract! { #[tokio::test] in_process }
