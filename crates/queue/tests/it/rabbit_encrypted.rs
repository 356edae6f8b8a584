//! A broker that encrypts: envelopes go through, and one that is not the broker that was meant gets no password.

use std::net::{Ipv4Addr, SocketAddr};

use assay_core::kind::Lane;
use assay_core::port::JobQueue as _;
use assay_queue::{RabbitConfig, VisitError, visit_rabbit};
use assay_test_support::certificates::Authority;
use assay_test_support::port;
use assay_test_support::rabbit::{RabbitOptions, RabbitServer};
use assay_test_support::wait::wait_until;
use tokio::net::TcpStream;

use crate::rabbit_bench::{envelope, start, subscribe, take_and_ack};

/// A broker called `localhost`, and where it encrypts.
async fn server(authority: &Authority) -> (RabbitServer, SocketAddr) {
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, port::free().unwrap()));
    let identity = authority.sign(&["localhost"]).unwrap();
    let options = RabbitOptions::new().tls(at.port(), &identity);
    let server = RabbitServer::start(options).await.unwrap();
    wait_until("it encrypts", || async {
        TcpStream::connect(at).await.is_ok()
    })
    .await;
    (server, at)
}

fn config(url: String, ca: &Authority) -> RabbitConfig {
    RabbitConfig {
        ca_file: if url.starts_with("amqps") {
            ca.file().to_str().unwrap().to_owned()
        } else {
            String::new()
        },
        url,
        ..RabbitConfig::default()
    }
}

/// Why `config` leads to no broker.
async fn closed(config: &RabbitConfig) -> String {
    match visit_rabbit(config).await {
        Err(VisitError::Closed { why }) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn envelopes_go_encrypted_to_the_broker_that_was_meant_and_to_no_other() {
    let (ours, stranger) = (Authority::new().unwrap(), Authority::new().unwrap());
    let (server, encrypts) = server(&ours).await;
    let (port, plain) = (encrypts.port(), server.address().port());
    let url = |scheme: &str, host: &str, port: u16| format!("{scheme}://assay:assay@{host}:{port}");

    let config_of_it = config(url("amqps", "localhost", port), &ours);
    let visited = visit_rabbit(&config_of_it).await.unwrap();
    assert!(
        visited.is_encrypted && visited.version.is_some(),
        "{visited:?}"
    );
    let queue = start(&config_of_it).await;
    let mut subscription = subscribe(&queue, 4).await;
    for number in 0..50 {
        queue
            .publish(&envelope(Lane::Normal, number))
            .await
            .unwrap();
    }
    let mut seen = Vec::new();
    while seen.len() < 50 {
        seen.push(take_and_ack(&mut subscription).await);
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..50).collect::<Vec<u64>>());
    queue.close().await;

    for (config, said) in [
        (
            config(url("amqps", "localhost", port), &stranger),
            "signed by nobody who is trusted here; name the file of its CA",
        ),
        (
            config(url("amqps", "127.0.0.1", port), &ours),
            "is not for this name, but for localhost;",
        ),
        (
            config(url("amqps", "localhost", plain), &ours),
            "no TLS is spoken there",
        ),
        (
            config(url("amqp", "localhost", port), &ours),
            "if TLS is spoken there, begin its URL with amqps://",
        ),
    ] {
        let why = closed(&config).await;
        assert!(why.contains(said), "{why}");
        assert!(!why.contains('\n'), "{why}");
    }
}
