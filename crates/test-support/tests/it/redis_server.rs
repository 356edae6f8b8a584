//! A server of a test's own: what comes back after what.

use assay_test_support::redis::{Appendfsync, RedisOptions, RedisServer, Reply};
use assay_test_support::wait::wait_until;

async fn start(appendfsync: Appendfsync) -> RedisServer {
    RedisServer::start(RedisOptions::new(appendfsync))
        .await
        .unwrap()
}

fn set(server: &RedisServer, key: &str, value: &str) {
    server.client().unwrap().run(&["SET", key, value]).unwrap();
}

fn get(server: &RedisServer, key: &str) -> Option<String> {
    let reply = server.client().unwrap().run(&["GET", key]).unwrap();
    reply.text().map(str::to_owned)
}

#[tokio::test]
async fn a_killed_server_comes_back_with_its_data_on_its_port() {
    let mut server = start(Appendfsync::Always).await;
    let (pid, address) = (server.pid().unwrap(), server.address());
    set(&server, "key", "value");
    server.kill().await.unwrap();
    assert!(server.client().is_err());
    assert_eq!(server.pid(), None);
    server.restart().await.unwrap();
    assert_ne!(server.pid(), Some(pid));
    assert_eq!(server.address(), address);
    assert_eq!(get(&server, "key").as_deref(), Some("value"));
}

#[tokio::test]
async fn a_stopped_server_comes_back_with_its_data() {
    let mut server = start(Appendfsync::EverySec).await;
    set(&server, "key", "value");
    server.stop().await.unwrap();
    server.restart().await.unwrap();
    assert_eq!(get(&server, "key").as_deref(), Some("value"));
}

#[tokio::test]
async fn a_cut_takes_only_the_tail() {
    let mut server = start(Appendfsync::EverySec).await;
    set(&server, "early", "1");
    let before = server.aof_bytes().unwrap();
    set(&server, "late", "2");
    server.stop().await.unwrap();
    let after = server.aof_bytes().unwrap();
    assert!(after > before, "{after} bytes after {before}");
    // One byte is enough to make the last command incomplete.
    server.cut_aof(1).unwrap();
    server.restart().await.unwrap();
    assert_eq!(get(&server, "early").as_deref(), Some("1"));
    assert_eq!(get(&server, "late"), None);
}

#[tokio::test]
async fn a_file_is_not_cut_under_a_running_server_nor_beyond_its_length() {
    let mut server = start(Appendfsync::Always).await;
    set(&server, "key", "value");
    let error = server.truncate_aof(0).unwrap_err().to_string();
    assert_eq!(error, "stop Redis before its file is cut");
    server.kill().await.unwrap();
    let bytes = server.aof_bytes().unwrap();
    assert!(server.truncate_aof(bytes + 1).is_err());
    server.truncate_aof(bytes).unwrap();
    assert!(server.cut_aof(bytes + 1).is_err());
    server.cut_aof(bytes).unwrap();
    server.restart().await.unwrap();
    assert_eq!(get(&server, "key"), None);
}

#[tokio::test]
async fn options_reach_the_server() {
    let options = RedisOptions::new(Appendfsync::Always)
        .maxmemory_bytes(64 * 1024 * 1024)
        .password("secret")
        .set("maxmemory-policy", "allkeys-lru");
    let server = RedisServer::start(options).await.unwrap();
    assert_eq!(server.config_get("appendfsync").unwrap(), "always");
    assert_eq!(server.config_get("appendonly").unwrap(), "yes");
    assert_eq!(server.config_get("save").unwrap(), "");
    assert_eq!(server.config_get("bind").unwrap(), "127.0.0.1");
    assert_eq!(server.config_get("maxmemory").unwrap(), "67108864");
    assert_eq!(
        server.config_get("maxmemory-policy").unwrap(),
        "allkeys-lru"
    );
    server.config_set("maxmemory", "0").unwrap();
    assert_eq!(server.config_get("maxmemory").unwrap(), "0");
    assert!(server.config_get("no-such-directive").is_err());
}

#[tokio::test]
async fn a_paused_server_keeps_its_clients_waiting() {
    let mut server = start(Appendfsync::EverySec).await;
    let mut client = server.client().unwrap();
    server.pause().unwrap();
    let asked = std::thread::spawn(move || client.run(&["PING"]));
    assert!(!asked.is_finished());
    server.resume().unwrap();
    wait_until("the answer is there", || async { asked.is_finished() }).await;
    let answer = asked.join().unwrap().unwrap();
    assert_eq!(answer, Reply::Text("PONG".to_owned()));
}

#[tokio::test]
async fn a_taken_port_is_an_error_that_tells_so() {
    let one = start(Appendfsync::EverySec).await;
    let port = one.address().port();
    let options = RedisOptions::new(Appendfsync::EverySec).port(port);
    let error = RedisServer::start(options).await.unwrap_err().to_string();
    assert!(error.contains("Address already in use"), "{error}");
    assert!(one.client().is_ok());
}
