//! What a client of gRPC may ask for, how often, and how long it may keep this server waiting.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::time::Duration;

use assay_api::v1 as pb;
use assay_api::v1::job_service_client::JobServiceClient;
use assay_store::StoreConfig;
use assay_test_support::wait::{wait_until, within};
use futures::{StreamExt, stream};
use pb::submit_jobs_result::Outcome;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tonic::body::Body;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::codegen::{Service, http};
use tonic::transport::Channel;
use tonic::{Code, Request};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tonic_prost::ProstCodec;
use tonic_types::StatusExt;

use crate::fixture::{Fixture, detail, reason};

async fn fixture(settings: &[(&str, &str)]) -> Fixture {
    Fixture::with(settings, StoreConfig::default()).await
}

fn watch_request(job_id: &str) -> pb::WatchJobRequest {
    pb::WatchJobRequest {
        job_id: job_id.to_owned(),
        ..pb::WatchJobRequest::default()
    }
}

/// A client of HTTP/2 that says that it is one, and then nothing more.
struct Silent {
    stream: TcpStream,
}

impl Silent {
    async fn connect(fixture: &Fixture) -> Self {
        let address: SocketAddr = fixture
            .url
            .strip_prefix("http://")
            .unwrap()
            .parse()
            .unwrap();
        let mut stream = TcpStream::connect(address).await.unwrap();
        // RFC 9113, 3.4: the preface, and settings without a setting.
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
        stream
            .write_all(&[&preface[..], &settings].concat())
            .await
            .unwrap();
        Self { stream }
    }

    /// The type of the next frame, unless the connection is closed (RFC 9113, 4.1).
    async fn frame(&mut self) -> Option<u8> {
        let mut head = [0; 9];
        self.stream.read_exact(&mut head).await.ok()?;
        let bytes = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(bytes).unwrap()];
        self.stream.read_exact(&mut payload).await.ok()?;
        Some(head[3])
    }
}

#[tokio::test]
async fn a_client_that_does_not_answer_is_gone() {
    let settings = [
        ("gateway.keepalive_ms", "50"),
        ("gateway.keepalive_timeout_ms", "50"),
    ];
    let fixture = fixture(&settings).await;
    let mut silent = Silent::connect(&fixture).await;
    let closed = async { while silent.frame().await.is_some() {} };
    within("the connection is closed", closed).await;
}

#[tokio::test]
async fn a_connection_that_is_old_takes_no_more_calls() {
    const GOAWAY: u8 = 7;
    let fixture = fixture(&[("gateway.connection_age_ms", "50")]).await;
    let mut silent = Silent::connect(&fixture).await;
    let told = async {
        while let Some(frame) = silent.frame().await {
            if frame == GOAWAY {
                return true;
            }
        }
        false
    };
    assert!(within("it is told to go away", told).await);
    // Real clients come back by themselves; only a call that was on its way meanwhile is lost.
    for _ in 0..3 {
        wait_until("a call is answered", async || {
            let all = pb::ListJobsRequest::default();
            fixture.jobs().list_jobs(all).await.is_ok()
        })
        .await;
    }
}

#[tokio::test]
async fn headers_over_the_bound_are_refused() {
    const BYTES_MAX: usize = 2_048;
    let fixture = fixture(&[("gateway.header_bytes_max", "2048")]).await;
    let job = fixture.submit().await;
    let get = async |bytes: usize| {
        let mut request = Request::new(pb::GetJobRequest {
            job_id: job.id.clone(),
        });
        let value = "f".repeat(bytes).parse().unwrap();
        request.metadata_mut().insert("x-fill", value);
        fixture.jobs().get_job(request).await.map(drop)
    };
    get(BYTES_MAX / 2).await.unwrap();
    get(BYTES_MAX + 1).await.unwrap_err();
    get(1).await.unwrap();
}

#[tokio::test]
async fn a_call_whose_message_does_not_come_is_not_waited_for() {
    let fixture = fixture(&[("gateway.upload_idle_ms", "50")]).await;
    let mut client = Grpc::new(fixture.channel.clone());
    client.ready().await.unwrap();
    // The server does not know that this client could send many.
    let nothing = Request::new(stream::pending::<pb::GetJobRequest>());
    let path = PathAndQuery::from_static("/assay.v1.JobService/GetJob");
    let codec = ProstCodec::<pb::GetJobRequest, pb::Job>::default();
    let call = client.client_streaming(nothing, path, codec);
    let refused = within("an answer", call).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::Aborted, "UPLOAD_STALLED")
    );
}

#[tokio::test]
async fn a_watcher_that_takes_nothing_loses_its_place_and_is_told_so() {
    let settings = [
        ("gateway.watchers_max", "1"),
        ("gateway.write_idle_ms", "100"),
    ];
    let fixture = fixture(&settings).await;
    let job = fixture.submit().await;
    // There is room for a few bytes on the way to this client until it takes something.
    let endpoint = Channel::from_shared(fixture.url.clone()).unwrap();
    let endpoint = endpoint.initial_stream_window_size(16);
    let mut slow = JobServiceClient::new(endpoint.connect().await.unwrap());
    let watched = slow.watch_job(watch_request(&job.id)).await;
    let mut stuck = watched.unwrap().into_inner();
    let refused = fixture.jobs().watch_job(watch_request(&job.id)).await;
    assert_eq!(reason(&refused.map(drop).unwrap_err()), "WATCHERS_FULL");
    fixture.work().await.report(3).await;
    wait_until("there is room for another", async || {
        let watched = fixture.jobs().watch_job(watch_request(&job.id)).await;
        watched.is_ok()
    })
    .await;
    let told = async {
        while let Some(message) = stuck.next().await {
            if let Err(status) = message {
                return status;
            }
        }
        panic!("it ended without a reason");
    };
    let status = within("it is told", told).await;
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::Aborted, "WATCHER_TOO_SLOW")
    );
}

#[tokio::test]
async fn a_watcher_for_whom_nothing_happens_keeps_its_place() {
    let fixture = fixture(&[("gateway.write_idle_ms", "20")]).await;
    let job = fixture.submit().await;
    let watched = fixture.jobs().watch_job(watch_request(&job.id)).await;
    let mut watched = watched.unwrap().into_inner();
    watched.next().await.unwrap().unwrap();
    // Many times as long as a watcher may take nothing.
    let silence = tokio::time::timeout(Duration::from_millis(300), watched.next()).await;
    assert!(silence.is_err(), "{silence:?}");
    fixture.work().await.report(1).await;
    watched.next().await.unwrap().unwrap();
}

#[tokio::test]
async fn a_connection_carries_no_more_calls_at_a_time_than_the_bound() {
    let fixture = fixture(&[("gateway.streams_per_connection_max", "1")]).await;
    let job = fixture.submit().await;
    let watched = fixture.jobs().watch_job(watch_request(&job.id)).await;
    let mut jobs = fixture.jobs();
    let request = pb::GetJobRequest { job_id: job.id };
    let mut second = Box::pin(jobs.get_job(request));
    let waits = tokio::time::timeout(Duration::from_millis(100), &mut second).await;
    assert!(waits.is_err(), "it waits for its turn");
    drop(watched);
    within("the second call", second).await.unwrap();
}

#[tokio::test]
async fn no_more_calls_are_answered_at_the_same_time_than_the_bound() {
    let fixture = fixture(&[("gateway.calls_max", "1")]).await;
    let job = fixture.submit().await;
    let get = || pb::GetJobRequest {
        job_id: job.id.clone(),
    };
    // Watchers have a bound of their own.
    let watched = fixture.jobs().watch_job(watch_request(&job.id)).await;
    let _watched = watched.unwrap();
    fixture.jobs().get_job(get()).await.unwrap();
    let (done, open) = oneshot::channel();
    let requests = stream::once(open).filter_map(async |request| request.ok());
    let _open = fixture.jobs().submit_jobs(requests).await.unwrap();
    let refused = fixture.jobs().get_job(get()).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::ResourceExhausted, "SERVER_BUSY")
    );
    assert!(refused.message().contains("gateway.calls_max"));
    drop(done);
    wait_until("there is room again", async || {
        fixture.jobs().get_job(get()).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn whoever_calls_too_often_is_told_when_to_come_back() {
    let settings = [
        ("gateway.rate_limits.read.per_minute", "1"),
        ("gateway.rate_limits.read.burst", "2"),
    ];
    let fixture = fixture(&settings).await;
    let job = fixture.submit().await;
    let get = || pb::GetJobRequest {
        job_id: job.id.clone(),
    };
    for _ in 0..2 {
        fixture.jobs().get_job(get()).await.unwrap();
    }
    let refused = fixture.jobs().get_job(get()).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::ResourceExhausted, "RATE_LIMITED")
    );
    assert_eq!(detail(&refused, "scope"), "read");
    let after = refused
        .get_details_retry_info()
        .unwrap()
        .retry_delay
        .unwrap();
    assert!(
        after > Duration::from_secs(50) && after <= Duration::from_secs(60),
        "{after:?}"
    );
    // Other classes have quotas of their own, and health has none.
    fixture.submit().await;
    let health = pb::GetHealthRequest::default();
    fixture.admin().get_health(health).await.unwrap();
}

#[tokio::test]
async fn each_request_of_a_stream_counts() {
    let settings = [
        ("gateway.rate_limits.submit.per_minute", "1"),
        ("gateway.rate_limits.submit.burst", "3"),
    ];
    let fixture = fixture(&settings).await;
    // The upload is the first of three.
    let good = fixture.request().await;
    let requests = (0..4).map(move |sequence| pb::SubmitJobsRequest {
        sequence,
        request: Some(good.clone()),
    });
    let answers = fixture.jobs().submit_jobs(stream::iter(requests)).await;
    let answers: Vec<_> = answers.unwrap().into_inner().collect().await;
    let results = answers
        .into_iter()
        .flat_map(|message| message.unwrap().results);
    let (mut submitted, mut refused) = (0, Vec::new());
    for result in results {
        match result.outcome.unwrap() {
            Outcome::Submitted(_) => submitted += 1,
            Outcome::Error(error) => refused.push(error),
        }
    }
    assert_eq!((submitted, refused.len()), (2, 2));
    for error in refused {
        assert_eq!(error.reason, "RATE_LIMITED");
        assert!(error.retry_after.unwrap().seconds >= 50);
    }
}

#[tokio::test]
async fn a_stranger_s_message_does_not_keep_the_server_waiting_either() {
    let fixture = fixture(&[("gateway.upload_idle_ms", "50")]).await;
    let mut client = Grpc::new(fixture.channel.clone());
    for path in [
        "/grpc.health.v1.Health/Check",
        "/grpc.health.v1.Health/Watch",
    ] {
        client.ready().await.unwrap();
        let nothing = Request::new(stream::pending::<HealthCheckRequest>());
        let codec = ProstCodec::<HealthCheckRequest, HealthCheckResponse>::default();
        let call = client.client_streaming(nothing, path.parse().unwrap(), codec);
        let refused = within("an answer", call).await.unwrap_err();
        assert_eq!(reason(&refused), "UPLOAD_STALLED", "{path}");
    }
}

/// A call whose message says that it has so many bytes, of which so many come, until `open` is dropped.
fn unfinished(
    path: &'static str,
    announced: u32,
    come: usize,
    open: oneshot::Receiver<()>,
) -> http::Request<Body> {
    let prefix = [&[0][..], &announced.to_be_bytes()].concat();
    let bytes = [prefix, vec![0; come]].concat();
    let come = stream::once(async move { Ok::<_, Infallible>(bytes) });
    let rest = stream::once(open).filter_map(async |_| None);
    let body = axum::body::Body::from_stream(come.chain(rest));
    http::Request::post(path)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Body::new(body))
        .unwrap()
}

#[tokio::test]
async fn messages_that_are_coming_take_no_more_memory_than_the_bound() {
    let fixture = fixture(&[("gateway.submit_bytes_max", "524288")]).await;
    let request_id = "k".repeat(300_000);
    let ask = async || {
        let request = pb::SubmitJobRequest {
            request_id: request_id.clone(),
            ..pb::SubmitJobRequest::default()
        };
        reason(&fixture.jobs().submit_job(request).await.unwrap_err())
    };
    assert_eq!(ask().await, "INVALID_FIELD");
    for path in [
        "/assay.v1.JobService/SubmitJob",
        "/assay.v1.JobService/SubmitJobs",
    ] {
        let mut channel = fixture.channel.clone();
        let begun = async {
            let mut open = Vec::new();
            loop {
                let (end, until) = oneshot::channel();
                open.push(end);
                poll_fn(|context| channel.poll_ready(context))
                    .await
                    .unwrap();
                // Refused if the other was quicker and took the room; a stream is answered in any case.
                let call = unfinished(path, 400_000, 300_000, until);
                drop(channel.call(call).await);
                tokio::task::yield_now().await;
            }
        };
        let busy = wait_until("there is no room", async || ask().await == "SERVER_BUSY");
        tokio::select! {
            () = begun => {}
            () = busy => {}
        }
        wait_until("there is room again", async || {
            ask().await == "INVALID_FIELD"
        })
        .await;
    }
}
