use assay_service::shutdown::{Drained, Reason};

use crate::process::{PATIENCE, Probe, Process};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_goes_in_and_its_result_comes_out() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), &Probe::new(1)).await.unwrap();
    let job_id = process.submit("a.txt").await;
    assert_eq!(process.result(&job_id).await, "a.txt");
    assert!(
        process.context.readiness.is_ready(),
        "{:?}",
        process.context.readiness.report()
    );
    assert_eq!(process.context.shutdown.reason(), None);
    assert_eq!(process.stop(20_000).await, Drained::InTime);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_in_hand_is_ended_before_the_store_closes() {
    let folder = tempfile::tempdir().unwrap();
    let probe = Probe::new(0);
    let process = Process::start(folder.path(), &probe).await.unwrap();
    let job_id = process.submit("in hand").await;
    probe.has_begun().await;
    let shutdown = process.context.shutdown.clone();
    let (drained, ()) = tokio::join!(process.stop(20_000), async {
        shutdown.intake_stopped().await;
        probe.permits.add_permits(1);
    });
    assert_eq!(drained, Drained::InTime);
    let again = Process::start(folder.path(), &probe).await.unwrap();
    assert_eq!(again.result(&job_id).await, "in hand");
    assert_eq!(probe.begun.available_permits(), 0, "it ran once");
    assert_eq!(again.stop(20_000).await, Drained::InTime);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_that_does_not_end_is_handed_back_and_runs_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let probe = Probe::new(0);
    let process = Process::start(folder.path(), &probe).await.unwrap();
    let job_id = process.submit("handed back").await;
    probe.has_begun().await;
    assert_eq!(process.stop(0).await, Drained::HandedBack);
    let willing = Probe::new(1);
    let again = Process::start(folder.path(), &willing).await.unwrap();
    assert_eq!(again.result(&job_id).await, "handed back");
    let request = assay_api::v1::GetJobRequest { job_id };
    let job = again
        .jobs()
        .await
        .get_job(request)
        .await
        .unwrap()
        .into_inner();
    let counters = job.counters.unwrap_or_default();
    assert_eq!(
        (counters.errors, counters.crashes, counters.interruptions),
        (0, 0, 1)
    );
    assert_eq!(again.stop(20_000).await, Drained::InTime);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_job_is_taken_once_the_intake_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let probe = Probe::new(0);
    let process = Process::start(folder.path(), &probe).await.unwrap();
    process.submit("keeps it busy").await;
    probe.has_begun().await;
    let mut jobs = process.jobs().await;
    let shutdown = process.context.shutdown.clone();
    let (drained, refused) = tokio::join!(process.stop(20_000), async {
        shutdown.intake_stopped().await;
        let refused = jobs
            .submit_job(assay_api::v1::SubmitJobRequest::default())
            .await;
        probe.permits.add_permits(1);
        refused
    });
    assert_eq!(drained, Drained::InTime);
    assert!(refused.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_that_somebody_else_began_ends_it_too() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), &Probe::new(0)).await.unwrap();
    process
        .context
        .shutdown
        .begin(Reason::Asked("a test".to_owned()));
    let stopped = tokio::time::timeout(PATIENCE, process.stop(20_000)).await;
    assert_eq!(stopped.expect("it ends"), Drained::InTime);
}
