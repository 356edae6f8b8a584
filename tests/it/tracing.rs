//! One trace from the client through gateway, queue and worker, and through a retry: in one process and over
//! several.

use std::net::SocketAddr;

use assay_bench::client::{self, Client};
use assay_probe::{Act, Script};
use assay_test_support::fleet::{Fleet, Plan, Role};
use assay_test_support::rabbit::Prefix;
use collector::{Collector, Sent, hex};
use e2e::Sandbox;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use tonic::Request;

mod collector;

const TRACE_ID: &str = "0af7651916cd43dd8448eb211c80319c";
const QUEUE: &str = "content-verification";
/// Submits are told at this level.
const LOG_FILTER: &str = "info,assay_gateway=debug";

/// What came of one job that failed once, in the trace of its client.
struct Traced {
    job_id: String,
    submit: Sent,
    /// In order.
    attempts: Vec<Sent>,
}

impl Traced {
    async fn one(gateway: SocketAddr, collector: &mut Collector) -> Self {
        let mut client = Client::connect(gateway).await.unwrap();
        let content_id = client.upload(b"traced").await.unwrap();
        let script = Script(vec![Act::Fail(1)]);
        let mut request = Request::new(client::request(&content_id, "", &script));
        let caller = format!("00-{TRACE_ID}-b7ad6b7169203331-01");
        let metadata = request.metadata_mut();
        metadata.insert("traceparent", caller.parse().unwrap());
        let answer = client.jobs.submit_job(request).await.unwrap().into_inner();

        let is_attempt = |sent: &&Sent| sent.span.name == format!("process {QUEUE}");
        let is_submit = |sent: &&Sent| sent.span.name == "assay.v1.JobService/SubmitJob";
        let all = collector
            .collect(|all| {
                all.iter().filter(is_attempt).count() == 2
                    && all.iter().any(|sent| is_submit(&sent))
            })
            .await;
        let (mut attempts, others): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|sent| is_attempt(&sent));
        attempts.sort_by_key(|sent| sent.attribute("job.attempt"));
        let submit = others.into_iter().find(|sent| is_submit(&sent));
        Self {
            job_id: answer.job.unwrap().id,
            submit: submit.unwrap(),
            attempts,
        }
    }

    /// What holds however attempts are tied to the submit.
    fn check(&self, system: &str) {
        let submit = &self.submit;
        assert_eq!(submit.trace_id(), TRACE_ID, "the caller's trace goes on");
        assert_eq!(submit.span.kind, i32::from(SpanKind::Server));
        let code = submit.attribute("rpc.response.status_code");
        assert_eq!(code.as_deref(), Some("OK"));
        let mut tokens = Vec::new();
        for (number, attempt) in (1..).zip(&self.attempts) {
            assert_eq!(attempt.span.kind, i32::from(SpanKind::Consumer));
            let number = format!("{number}");
            for (name, wanted) in [
                ("job.id", self.job_id.as_str()),
                ("job.attempt", number.as_str()),
                ("job.trace_id", TRACE_ID),
                ("messaging.system", system),
                ("messaging.operation.type", "process"),
                ("messaging.destination.name", QUEUE),
                ("messaging.message.conversation_id", self.job_id.as_str()),
            ] {
                assert_eq!(attempt.attribute(name).as_deref(), Some(wanted), "{name}");
            }
            let token = attempt.attribute("job.token").unwrap();
            tokens.push(token.parse::<u64>().unwrap());
        }
        assert!(
            tokens.is_sorted_by(|earlier, later| earlier < later),
            "{tokens:?}"
        );
    }

    fn check_links(&self) {
        let submit = (TRACE_ID.to_owned(), self.submit.span.span_id.clone());
        for attempt in &self.attempts {
            let links = attempt.span.links.iter();
            let links: Vec<_> = links
                .map(|link| (hex(&link.trace_id), link.span_id.clone()))
                .collect();
            assert_eq!(links.len(), 1);
            assert_eq!(links.first(), Some(&submit), "linked to the submit span");
            assert_ne!(
                attempt.trace_id(),
                TRACE_ID,
                "an attempt may come days later: a trace of its own"
            );
        }
    }

    fn check_parents(&self) {
        for attempt in &self.attempts {
            assert_eq!(attempt.trace_id(), TRACE_ID, "one trace");
            assert_eq!(attempt.span.parent_span_id, self.submit.span.span_id);
        }
    }

    /// The lines of a log that tell of the job, by the trace of its client.
    fn check_log(&self, text: &str, words: &str) {
        let tells = |line: &&str| line.contains(words) && line.contains(&self.job_id);
        let line = text.lines().find(tells);
        let line = line.unwrap_or_else(|| panic!("no line says {words:?}:\n{text}"));
        assert!(line.contains(TRACE_ID), "{line}");
        assert!(line.contains(" span_id="), "{line}");
    }
}

/// What shares a Redis.
fn over_redis() -> Plan {
    Plan::new(&e2e::programs().unwrap()).workers("probe-worker", 1)
}

/// Gateway, scheduler and worker as processes of their own.
async fn fleet(plan: Plan, collector: &Collector, tie: &str) -> Fleet {
    let endpoint = collector.endpoint();
    let roles = [Role::Gateway, Role::Scheduler, Role::Worker];
    let plan = roles.into_iter().fold(plan, |plan, role| {
        plan.set(role, "telemetry.otlp_endpoint", &endpoint).set(
            role,
            "telemetry.log_filter",
            LOG_FILTER,
        )
    });
    let plan = plan.set(Role::Worker, "worker.trace", tie);
    plan.start().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_attempt_is_linked_to_the_submit() {
    let mut collector = Collector::start().await;
    let sandbox = Sandbox::probe()
        .unwrap()
        .set("telemetry.otlp_endpoint", &collector.endpoint())
        .set("telemetry.log_filter", LOG_FILTER);
    let server = sandbox.start().await.unwrap();
    let traced = Traced::one(server.gateway, &mut collector).await;
    traced.check("assay");
    traced.check_links();
    let log = sandbox.log().unwrap();
    traced.check_log(&log, "submitted job");
    traced.check_log(&log, "as retrying");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_attempt_is_linked_to_the_submit_in_another_process() {
    linked(over_redis(), "redis").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_attempt_is_linked_to_the_submit_over_rabbitmq() {
    linked(over_redis().full(Prefix::take()), "rabbitmq").await;
}

async fn linked(plan: Plan, system: &str) {
    let mut collector = Collector::start().await;
    let fleet = fleet(plan, &collector, "link").await;
    let traced = Traced::one(fleet.gateway(), &mut collector).await;
    traced.check(system);
    traced.check_links();
    assert_eq!(traced.submit.service, "gateway");
    for attempt in &traced.attempts {
        assert_eq!(attempt.service, "probe-worker");
    }
    let log = |name: &str| std::fs::read_to_string(fleet.file(name)).unwrap();
    traced.check_log(&log("gateway.log"), "submitted job");
    traced.check_log(&log("worker-1.log"), "as retrying");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attempts_are_part_of_the_client_s_trace_where_one_trace_is_wanted() {
    let mut collector = Collector::start().await;
    let fleet = fleet(over_redis(), &collector, "parent").await;
    let traced = Traced::one(fleet.gateway(), &mut collector).await;
    traced.check("redis");
    traced.check_parents();
}
