//! A broker of a test's own: what comes back after what, and who can reach it. Each start takes seconds, so there are
//! few.

use std::net::{Ipv4Addr, TcpListener};

use assay_test_support::port;
use assay_test_support::rabbit::{Prefix, RabbitOptions, RabbitServer};

use crate::family::{descendants, open_to_others};

const DECLARE: &str = r#"
    rabbit_amqqueue:declare(rabbit_misc:r(<<"/">>, queue, <<"kept">>), true, false,
        [{<<"x-queue-type">>, longstr, <<"quorum">>}], none, <<"test">>), ok.
"#;
const HAS_LEADER: &str = "element(1, ra:members({'%2F_kept', node()})).";

#[tokio::test]
async fn a_killed_broker_comes_back_with_its_queues_on_its_ports() {
    let options = RabbitOptions::new().set("consumer_timeout", "60000");
    let mut server = RabbitServer::start(options).await.unwrap();
    let (pid, url) = (server.pid().unwrap(), server.url());
    assert!(server.memory_bytes().unwrap() > 0);
    // It stands beside that of the whole run.
    assert_ne!(Prefix::take().url, url);
    let (open, all) = open_to_others(&descendants(std::process::id()));
    assert_eq!(open, Vec::<String>::new());
    assert!(all >= 3, "{all} listen");
    let asked = "application:get_env(rabbit, consumer_timeout).";
    let told = server.control(&["eval", asked]).await.unwrap();
    assert_eq!(told, "{ok,60000}");
    let told = server.control(&["eval", DECLARE]).await.unwrap();
    assert_eq!(told, "ok");
    server.keep_queues().await.unwrap();

    server.kill().await.unwrap();
    assert_eq!(server.pid(), None);
    let error = server.control(&["list_queues"]).await.unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("rabbitmqctl list_queues ended with"),
        "{error}"
    );
    server.restart().await.unwrap();
    assert_ne!(server.pid(), Some(pid));
    assert_eq!(server.url(), url);
    let list = ["list_queues", "name"];
    assert_eq!(server.control(&list).await.unwrap(), "kept");
    let told = server.control(&["eval", HAS_LEADER]).await.unwrap();
    assert_eq!(told, "ok");

    server.stop().await.unwrap();
    assert!(!server.is_running().unwrap());
    assert!(server.memory_bytes().is_err());
}

#[tokio::test]
async fn a_taken_port_is_an_error_that_tells_so() {
    let port = port::free().unwrap();
    let _held = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    let options = RabbitOptions::new().port(port);
    let error = RabbitServer::start(options).await.unwrap_err().to_string();
    assert!(error.contains("eaddrinuse"), "{error}");
}
