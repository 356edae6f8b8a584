//! An installation whose workers are probes, and its client.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use assay_api::v1;
use assay_api::v1::JobState;
use assay_api::v1::admin_service_client::AdminServiceClient;
use assay_bench::client::{self, Client};
use assay_probe::{Act, Entry, Journal, Mark, Script};
use assay_test_support::fleet::{Fleet, Plan, Role};
use tonic::transport::Channel;

/// How long anything of these tests may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks.
pub(super) const LOOK_PERIOD: Duration = Duration::from_millis(20);

/// One of them.
pub(super) struct Scene {
    pub(super) fleet: Fleet,
    pub(super) client: Client,
    pub(super) admin: AdminServiceClient<Channel>,
    pub(super) content_id: String,
    _folder: tempfile::TempDir,
    journal: PathBuf,
}

impl Scene {
    pub(super) async fn new(plan: Plan, workers: usize, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("journal");
        let mut plan = plan.workers("probe-worker", workers);
        plan = plan.set(Role::Worker, "probe.journal", journal.to_str().unwrap());
        for (key, value) in settings {
            plan = plan.set(Role::Worker, key, value);
        }
        let fleet = plan.start().await.unwrap();
        let mut client = Client::connect(fleet.gateway()).await.unwrap();
        let url = format!("http://{}", fleet.gateway());
        Self {
            content_id: client.upload(b"content").await.unwrap(),
            admin: AdminServiceClient::connect(url).await.unwrap(),
            client,
            fleet,
            _folder: folder,
            journal,
        }
    }

    /// What asks for a job that does this.
    pub(super) fn request(&self, acts: &[Act]) -> v1::SubmitJobRequest {
        client::request(&self.content_id, "", &Script(acts.to_vec()))
    }

    pub(super) async fn submit(&mut self, acts: &[Act]) -> String {
        let request = self.request(acts);
        let submitted = self.client.jobs.submit_job(request).await.unwrap();
        submitted.into_inner().job.unwrap().id
    }

    pub(super) async fn get(&mut self, job_id: &str) -> v1::Job {
        let request = v1::GetJobRequest {
            job_id: job_id.to_owned(),
        };
        let job = self.client.jobs.get_job(request).await;
        job.unwrap().into_inner()
    }

    pub(super) async fn until(&mut self, job_id: &str, state: JobState) -> v1::Job {
        let start = Instant::now();
        loop {
            let job = self.get(job_id).await;
            if job.state() == state {
                return job;
            }
            assert!(start.elapsed() < PATIENCE, "not {state:?}: {job:?}");
            tokio::time::sleep(LOOK_PERIOD).await;
        }
    }

    /// The living worker that says that it runs a job.
    pub(super) async fn worker_of(&mut self, job_id: &str) -> v1::Worker {
        let start = Instant::now();
        loop {
            let listed = self.admin.list_workers(v1::ListWorkersRequest {}).await;
            let workers = listed.unwrap().into_inner().workers;
            let runs =
                |worker: &v1::Worker| worker.alive && worker.job_ids.iter().any(|id| id == job_id);
            if let Some(worker) = workers.iter().find(|worker| runs(worker)) {
                return worker.clone();
            }
            assert!(start.elapsed() < PATIENCE, "nobody runs it: {workers:?}");
            tokio::time::sleep(LOOK_PERIOD).await;
        }
    }

    /// The name of the process that is this worker.
    pub(super) fn name_of(&mut self, worker: &v1::Worker) -> &'static str {
        let names = ["worker-1", "worker-2"];
        let is_it = |name: &&str| self.fleet.by_name(name).unwrap().pid() == Some(worker.pid);
        let name = names.into_iter().find(is_it);
        name.unwrap_or_else(|| panic!("no process of this fleet: {worker:?}"))
    }

    /// What the handlers noted of a job.
    pub(super) fn entries(&self, job_id: &str) -> Vec<Entry> {
        let entries = Journal::read(&self.journal).unwrap();
        let of_job = entries.into_iter().filter(|entry| entry.job_id == job_id);
        of_job.collect()
    }

    /// How often a handler began or ended with a job.
    pub(super) fn marked(&self, job_id: &str, mark: Mark) -> usize {
        let entries = self.entries(job_id).into_iter();
        entries.filter(|entry| entry.mark == mark).count()
    }
}

/// Errors, crashes and interruptions of a job.
pub(super) fn counters(job: &v1::Job) -> (u32, u32, u32) {
    let counters = job.counters.unwrap_or_default();
    (counters.errors, counters.crashes, counters.interruptions)
}
