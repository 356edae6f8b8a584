//! The wrapper with RabbitMQ beside Redis. Each start takes seconds; what needs only Redis is in `with_servers.rs`.

use std::net::TcpStream;
use std::path::Path;

use assay_test_support::leash::{self, Signal};
use assay_test_support::rabbit::URL_VARIABLE;
use assay_test_support::wait::wait_until;

use crate::family::{Member, descendants};
use crate::with_servers::{BOTH, REDIS_ONLY, Scene, wrapper};

fn told(which: &[&str]) -> String {
    let shell = format!("echo ${URL_VARIABLE}");
    let output = wrapper(which, &shell).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn find<'a>(members: &'a [Member], name: &str) -> &'a Member {
    members.iter().find(|member| member.name == name).unwrap()
}

#[test]
fn the_command_is_told_where_the_broker_was() {
    let url = told(BOTH);
    let address = url.strip_prefix("amqp://assay:assay@").unwrap();
    assert!(TcpStream::connect(address).is_err());
    assert_eq!(told(REDIS_ONLY), "");
}

#[tokio::test]
async fn a_killed_wrapper_leaves_no_broker() {
    let mut scene = Scene::start_with(BOTH, "exec sleep 600");
    let mut members = descendants(scene.wrapper.id());
    members.retain(|member| member.pid != scene.command);
    let broker = find(&members, "beam.smp");
    let folder = broker.variable("HOME").unwrap();
    assert!(Path::new(&folder).exists());
    find(&members, "epmd");
    scene.wrapper.kill().unwrap();
    scene.wrapper.wait().unwrap();
    scene.is_cleared().await;
    for member in &members {
        wait_until(&member.name, || async { !leash::runs(member.pid) }).await;
    }
    wait_until("its folder is gone", || async {
        !Path::new(&folder).exists()
    })
    .await;
    assert!(leash::runs(scene.command));
}

#[tokio::test]
async fn a_broker_that_dies_on_the_way_is_a_failure() {
    let mut scene = Scene::start_with(BOTH, "exec sleep 600");
    let members = descendants(scene.wrapper.id());
    let broker = find(&members, "beam.smp").pid;
    leash::send(broker, Signal::KILL).unwrap();
    wait_until("RabbitMQ is gone", || async { !leash::runs(broker) }).await;
    leash::send(scene.command, Signal::TERM).unwrap();
    assert_eq!(scene.exit_code().await, Some(70));
}
