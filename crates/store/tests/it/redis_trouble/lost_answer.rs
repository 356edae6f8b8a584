use std::net::SocketAddr;

use assay_core::id::Tenant;
use assay_core::port::{JobStore as _, Settled};
use assay_core::retry::Decision;
use assay_core::state::JobState;
use assay_test_support::redis::Database;
use assay_test_support::wait::{wait_until, within};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{Bench, claim, connect, settlement};
use crate::redis_bench::config;

/// Carries questions to a server always, and its answers only while it is told to. What it kept back goes with
/// its connection.
struct AnswerThief {
    address: SocketAddr,
    steals: watch::Sender<bool>,
    _tasks: JoinSet<()>,
}

impl AnswerThief {
    async fn start(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (steals, told) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect(upstream).await.unwrap();
                connections.spawn(carry(client, server, told.clone()));
            }
        });
        Self {
            address,
            steals,
            _tasks: tasks,
        }
    }
}

async fn carry(mut client: TcpStream, mut server: TcpStream, mut steals: watch::Receiver<bool>) {
    let (mut asks, mut hears) = client.split();
    let (mut answers, mut is_asked) = server.split();
    let up = tokio::io::copy(&mut asks, &mut is_asked);
    let down = async {
        let mut bytes = [0; 4096];
        let mut stole = false;
        loop {
            tokio::select! {
                // Whoever waits for what was stolen finds its connection closed.
                changed = steals.changed() => if changed.is_err() || stole { return },
                read = answers.read(&mut bytes) => {
                    let Ok(count @ 1..) = read else { return };
                    stole = *steals.borrow();
                    if !stole && hears.write_all(&bytes[..count]).await.is_err() {
                        return;
                    }
                }
            }
        }
    };
    tokio::select! {
        _ = up => {}
        () = down => {}
    }
}

/// The claim was done, its answer is gone: the store finds out that it was its own, and the worker runs the job.
#[tokio::test]
async fn a_step_whose_answer_is_lost_is_not_taken_twice() {
    let database = Database::take();
    let direct = config(database.address, database.number);
    let thief = AnswerThief::start(database.address).await;
    let outside = connect(&direct).await;
    let bench = Bench::over(assay_store::RedisConfig {
        port: thief.address.port(),
        connections: 1,
        ..direct
    })
    .await;
    let envelope = bench.submit(1).await;

    let steal_until = async |state: JobState| {
        wait_until("the step is done", || async {
            let job = outside.get(&Tenant::default(), envelope.job_id).await;
            job.unwrap().unwrap().state == state
        })
        .await;
        thief.steals.send_replace(false);
    };
    thief.steals.send_replace(true);
    let claiming = within(
        "the claim is answered",
        claim(&bench.store, &envelope, "one"),
    );
    let (claimed, ()) = tokio::join!(claiming, steal_until(JobState::Running));
    assert_eq!((claimed.job.attempt, claimed.job.event_id.sequence), (1, 2));

    thief.steals.send_replace(true);
    let done = settlement(Decision::Succeed);
    let settling = within(
        "the settlement is answered",
        bench.store.settle(&claimed.lease, done),
    );
    let (settled, ()) = tokio::join!(settling, steal_until(JobState::Succeeded));
    let Ok(Settled::Recorded { job, .. }) = settled else {
        panic!("{settled:?}");
    };
    assert_eq!(job.event_id.sequence, 3);
    assert_eq!(bench.job(1).await, *job);
}
