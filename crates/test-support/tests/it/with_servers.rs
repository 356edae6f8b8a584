//! The wrapper around a run: exit codes, neighbours, and what is left when it is killed.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use assay_test_support::leash::{self, Signal};
use assay_test_support::port;
use assay_test_support::redis::{
    ADDRESS_VARIABLE, Appendfsync, Client, Database, RedisOptions, RedisServer,
};
use assay_test_support::wait::{wait_for, wait_until};

/// Where a Redis of this machine listens if nobody said otherwise.
const USUAL_PORT: u16 = 6379;

/// What most of these ask needs no RabbitMQ, which takes seconds to start.
pub(crate) const REDIS_ONLY: &[&str] = &["--redis-only", "--"];
pub(crate) const BOTH: &[&str] = &["--"];

pub(crate) fn wrapper(which: &[&str], shell: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_with-servers"));
    command.args(which).args(["sh", "-c", shell]);
    command.stdin(Stdio::null());
    command
}

fn run(shell: &str) -> Output {
    wrapper(REDIS_ONLY, shell).output().unwrap()
}

/// A wrapper whose command waits, and what is known of it.
pub(crate) struct Scene {
    pub(crate) wrapper: Child,
    pub(crate) command: u32,
    redis: u32,
    address: SocketAddr,
    folder: String,
}

impl Scene {
    fn start(shell: &str) -> Self {
        Self::start_with(REDIS_ONLY, shell)
    }

    /// Starts one, as a shell does: in a process group of its own.
    pub(crate) fn start_with(which: &[&str], shell: &str) -> Self {
        let script = format!("trap 'exit 9' TERM; echo $$ ${ADDRESS_VARIABLE}; {shell}");
        let mut wrapper = wrapper(which, &script);
        wrapper.process_group(0);
        wrapper.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut wrapper = wrapper.spawn().unwrap();
        let mut line = String::new();
        let mut said = BufReader::new(wrapper.stdout.take().unwrap());
        said.read_line(&mut line).unwrap();
        let (command, address) = line.trim().split_once(' ').unwrap();
        let address = address.parse().unwrap();
        let mut client = Client::connect(address).unwrap();
        let folder = client.run(&["CONFIG", "GET", "dir"]).unwrap();
        Self {
            wrapper,
            command: command.parse().unwrap(),
            redis: client.info("process_id").unwrap().parse().unwrap(),
            address,
            folder: format!("{folder:?}").split('"').nth(3).unwrap().to_owned(),
        }
    }

    /// Lets a command that reads a line go on.
    fn go_on(&mut self) {
        self.wrapper
            .stdin
            .take()
            .unwrap()
            .write_all(b"go on\n")
            .unwrap();
    }

    /// Sends a signal to wrapper and command alike, as a terminal does.
    fn signal_group(&self, signal: &str) {
        let kill = format!("kill -s {signal} -- -{}", self.wrapper.id());
        let sent = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(sent.success());
    }

    pub(crate) async fn is_cleared(&self) {
        wait_until("Redis is gone", || async { !leash::runs(self.redis) }).await;
        wait_until("its folder is gone", || async {
            !Path::new(&self.folder).exists()
        })
        .await;
    }

    pub(crate) async fn exit_code(&mut self) -> Option<i32> {
        let status = wait_for("the wrapper ends", || {
            let ended = self.wrapper.try_wait().unwrap();
            async move { ended }
        });
        status.await.code()
    }
}

/// A test that fails leaves nothing behind either.
impl Drop for Scene {
    fn drop(&mut self) {
        for pid in [self.command, self.wrapper.id()] {
            drop(leash::send(pid, Signal::KILL));
        }
    }
}

#[test]
fn the_exit_code_of_the_command_is_passed_on() {
    assert_eq!(run("exit 0").status.code(), Some(0));
    assert_eq!(run("exit 3").status.code(), Some(3));
    assert_eq!(run("kill -KILL $$").status.code(), Some(137));
}

#[test]
fn a_wrong_command_line_is_told_in_one_sentence() {
    let program = env!("CARGO_BIN_EXE_with-servers");
    let none = Command::new(program).arg("--").output().unwrap();
    assert_eq!(none.status.code(), Some(64));
    let said = String::from_utf8(none.stderr).unwrap();
    assert_eq!(
        said,
        "with-servers: say what to run: with-servers [--redis-only] -- COMMAND [ARGUMENT ...]\n"
    );
    let unknown = Command::new(program)
        .args(["--redis-only", "--", "/nowhere/program"])
        .output()
        .unwrap();
    assert_eq!(unknown.status.code(), Some(127));
    let said = String::from_utf8(unknown.stderr).unwrap();
    assert!(
        said.starts_with("with-servers: run /nowhere/program: "),
        "{said}"
    );
}

#[tokio::test]
async fn when_the_command_ends_the_server_does() {
    let mut scene = Scene::start("read line; exit 5");
    scene.go_on();
    assert_eq!(scene.exit_code().await, Some(5));
    scene.is_cleared().await;
}

#[tokio::test]
async fn a_killed_wrapper_leaves_no_server() {
    let mut scene = Scene::start("exec sleep 600");
    scene.wrapper.kill().unwrap();
    scene.wrapper.wait().unwrap();
    scene.is_cleared().await;
    assert!(leash::runs(scene.command));
}

#[tokio::test]
async fn a_wrapper_that_is_killed_with_its_whole_group_leaves_no_server() {
    let mut scene = Scene::start("exec sleep 600");
    scene.signal_group("KILL");
    assert_eq!(scene.exit_code().await, None);
    scene.is_cleared().await;
}

#[tokio::test]
async fn ctrl_c_ends_the_command_then_the_server() {
    let mut scene = Scene::start("exec sleep 600");
    scene.signal_group("INT");
    assert_eq!(scene.exit_code().await, Some(130));
    scene.is_cleared().await;
}

#[tokio::test]
async fn a_request_to_end_is_passed_on() {
    let mut scene = Scene::start("while true; do sleep 0.01; done");
    leash::send(scene.wrapper.id(), Signal::TERM).unwrap();
    assert_eq!(scene.exit_code().await, Some(9));
    scene.is_cleared().await;
}

#[tokio::test]
async fn a_server_that_dies_on_the_way_is_a_failure() {
    let mut scene = Scene::start("exec sleep 600");
    leash::send(scene.redis, Signal::KILL).unwrap();
    wait_until("Redis is gone", || async { !leash::runs(scene.redis) }).await;
    leash::send(scene.command, Signal::TERM).unwrap();
    assert_eq!(scene.exit_code().await, Some(70));
}

#[tokio::test]
async fn two_wrappers_have_a_server_each() {
    let mut one = Scene::start("read line");
    let mut other = Scene::start("exec sleep 600");
    assert_ne!(one.address, other.address);
    assert_ne!(one.redis, other.redis);
    one.go_on();
    assert_eq!(one.exit_code().await, Some(0));
    one.is_cleared().await;
    assert!(leash::runs(other.redis));
    leash::send(other.wrapper.id(), Signal::TERM).unwrap();
    assert_eq!(other.exit_code().await, Some(143));
    other.is_cleared().await;
}

#[tokio::test]
async fn a_server_on_the_usual_port_is_left_alone() {
    let usual = RedisOptions::new(Appendfsync::EverySec).port(USUAL_PORT);
    // Should there be one already, it takes the part of ours: `before` is asked of whoever answers.
    let _ours = RedisServer::start(usual).await;
    let address: SocketAddr = ([127, 0, 0, 1], USUAL_PORT).into();
    let ask = || {
        Client::connect(address)
            .unwrap()
            .run(&["PING"])
            .map_err(|error| format!("{error:#}"))
    };
    let before = ask();
    let output = run(&format!("echo ${ADDRESS_VARIABLE}"));
    let said = String::from_utf8(output.stdout).unwrap();
    assert_ne!(said.trim().parse::<SocketAddr>().unwrap(), address);
    assert_eq!(ask(), before);
}

#[test]
fn each_test_has_an_empty_database() {
    let one = Database::take();
    let other = Database::take();
    assert_ne!(one.number, other.number);
    one.client().unwrap().run(&["SET", "key", "value"]).unwrap();
    let size = |database: Database| {
        database
            .client()
            .unwrap()
            .run(&["DBSIZE"])
            .unwrap()
            .integer()
    };
    assert_eq!(size(one), Some(1));
    assert_eq!(size(other), Some(0));
}

#[test]
fn ports_are_below_those_of_outgoing_connections() {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap();
    let lowest: u16 = range.split_whitespace().next().unwrap().parse().unwrap();
    assert!(port::free().unwrap() < lowest);
}
