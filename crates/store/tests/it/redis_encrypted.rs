//! A Redis that encrypts: records go through, and one that is not the Redis that was meant gets no password.

use std::net::{Ipv4Addr, TcpListener};

use assay_core::id::{JobId, Tenant};
use assay_core::job::JobSpec;
use assay_core::kind::JobKind;
use assay_core::port::{Interest, JobStore as _};
use assay_store::{Carrier, ConnectError, RedisConfig, RedisStore, StoreConfig, TimeSource};
use assay_test_support::certificates::{Authority, Identity};
use assay_test_support::port;
use assay_test_support::redis::{Appendfsync, RedisOptions, RedisServer};
use assay_test_support::wait::within;

/// A Redis, and how to connect to where it encrypts.
async fn server(authority: &Authority, identity: &Identity) -> (RedisServer, RedisConfig) {
    let port = port::free().unwrap();
    let options = RedisOptions::new(Appendfsync::EverySec)
        .password("opensesame")
        .tls(port, identity)
        .set("tls-ca-cert-file", authority.file().to_str().unwrap());
    let server = RedisServer::start(options).await.unwrap();
    let config = RedisConfig {
        host: "localhost".into(),
        port,
        password: "opensesame".into(),
        tls: true,
        ca_file: authority.file().to_str().unwrap().into(),
        ..RedisConfig::default()
    };
    (server, config)
}

async fn refused(config: &RedisConfig) -> ConnectError {
    let (settings, time) = (StoreConfig::default(), TimeSource::Server);
    let store = RedisStore::connect(config, settings, time, Carrier::Streams).await;
    store.expect_err("it was let in")
}

fn assert_says(error: &ConnectError, words: &[&str]) {
    let said = error.to_string();
    for word in words {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert!(
        !said.contains('\n') && !said.contains("opensesame"),
        "{said}"
    );
}

#[tokio::test]
async fn records_go_encrypted_to_the_redis_that_was_meant() {
    let authority = Authority::new().unwrap();
    let identity = authority.sign(&["localhost"]).unwrap();
    let (server, config) = server(&authority, &identity).await;
    // Nothing else gets in.
    server.config_set("port", "0").unwrap();
    let (settings, time) = (StoreConfig::default(), TimeSource::Server);
    let store = RedisStore::connect(&config, settings, time, Carrier::Streams);
    let store = store.await.unwrap();
    let mut events = store.events(Interest::All).await.unwrap();
    let spec = JobSpec::new(
        JobKind::ContentVerification,
        vec![7; 400],
        store.clock().now_ms(),
    );
    let id = JobId::from_bytes([1; 16]);
    store.submit(id, spec).await.unwrap();
    let job = store.get(&Tenant::default(), id).await.unwrap();
    assert!(job.is_some());
    within("it is told", events.next()).await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn who_answers_and_is_not_the_redis_that_was_meant_is_refused_at_once() {
    let (ours, stranger) = (Authority::new().unwrap(), Authority::new().unwrap());
    let identity = ours.sign(&["localhost", "10.0.0.7"]).unwrap();
    let (server, config) = server(&ours, &identity).await;
    let plain = server.address().port();
    type Change = Box<dyn Fn(&mut RedisConfig)>;
    let of_stranger = stranger.file().to_str().unwrap().to_owned();
    let changes: [(Change, &[&str]); 2] = [
        (
            Box::new(move |config| config.ca_file = of_stranger.clone()),
            &["signed by nobody who is trusted here", "ca_file"],
        ),
        (
            Box::new(|config| config.host = "127.0.0.1".into()),
            &["not for this name, but for localhost, 10.0.0.7;"],
        ),
    ];
    for (change, said) in changes {
        let mut config = config.clone();
        change(&mut config);
        let error = refused(&config).await;
        assert!(matches!(error, ConnectError::Distrusted { .. }) && !error.may_pass());
        assert_says(&error, said);
    }
    // Who encrypts where the other does not is told so, whatever the other makes of it.
    let in_the_open = RedisConfig {
        tls: false,
        ca_file: String::new(),
        ..config.clone()
    };
    assert_says(&refused(&in_the_open).await, &["set redis.tls to true"]);
    let to_plain = RedisConfig {
        port: plain,
        response_timeout_ms: 300,
        connect_timeout_ms: 300,
        ..config.clone()
    };
    assert_says(&refused(&to_plain).await, &["no TLS is spoken"]);
    let says_nothing = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let to_silence = RedisConfig {
        port: says_nothing.local_addr().unwrap().port(),
        ..to_plain
    };
    let error = refused(&to_silence).await;
    assert!(error.may_pass());
    assert_says(&error, &["no TLS is spoken may be silent"]);
    server.config_set("tls-auth-clients", "yes").unwrap();
    let error = refused(&config).await;
    assert_says(&error, &["asks for a certificate of this client"]);
}

#[tokio::test]
async fn a_certificate_that_has_expired_is_refused() {
    let authority = Authority::new().unwrap();
    let identity = authority.sign_expired(&["localhost"]).unwrap();
    let (_server, config) = server(&authority, &identity).await;
    assert_says(&refused(&config).await, &["its certificate has expired"]);
}
