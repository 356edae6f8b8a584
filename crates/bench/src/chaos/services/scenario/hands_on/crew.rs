//! The processes of the row, of which one dies now and then while somebody is at work.

use std::ops::Range;
use std::time::Duration;

use assay_probe::journal::now_us;
use assay_test_support::fleet::{Member, Role};
use rand::RngExt;
use rand::rngs::StdRng;

use crate::chaos::services::Scale;
use crate::chaos::services::scene::{How, Scene};

/// How many deeds somebody dies in.
const STRUCK: f64 = 0.3;
/// How long after a call began, in microseconds: before it is heard, while it is done, and once it was answered.
const AFTER_US: Range<u64> = 0..8_000;
/// Workers: while one is dead, another one runs.
const WORKERS: usize = 2;
/// How soon what a dead gateway did not publish is published for it, where there is little time; in milliseconds.
const IMPATIENT: [(&str, u64); 2] = [
    ("rabbitmq.confirm_ms", 5_000),
    ("store.outbox_visible_ms", 6_000),
];

/// Who dies, and how long after a call began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Strike {
    pub(super) who: Role,
    pub(super) after: Duration,
}

impl Strike {
    /// One that comes while a call is under way.
    pub(super) fn on(who: Role, chance: &mut StdRng) -> Self {
        let after = Duration::from_micros(chance.random_range(AFTER_US));
        Self { who, after }
    }

    /// None most of the time. Where there is little time no worker dies: who takes its jobs over waits for it first.
    pub(super) fn at_random(scale: Scale, chance: &mut StdRng) -> Option<Self> {
        if !chance.random_bool(STRUCK) {
            return None;
        }
        let who = match chance.random_range(0..8) {
            0..5 => Role::Gateway,
            5..7 => Role::Scheduler,
            _ => scale.pick(Role::Worker, Role::Gateway),
        };
        Some(Self::on(who, chance))
    }
}

/// Every process but the servers.
pub(super) struct Crew {
    how: How,
    gateway: Member,
    scheduler: Member,
    /// The first is the next to die.
    workers: Vec<Member>,
    /// How often each died: gateways, schedulers, workers.
    deaths: [usize; 3],
}

impl Crew {
    pub(super) async fn open(scene: &mut Scene) -> anyhow::Result<Self> {
        let mut how = How::default();
        if scene.scale() == Scale::Short && scene.broker.is_some() {
            how.settings = IMPATIENT.map(|(key, ms)| (key, ms.to_string())).to_vec();
        }
        let gateway = scene.open_gateway(&how).await?;
        let scheduler = scene.start(Role::Scheduler, &how).await?;
        let mut workers = Vec::new();
        for _ in 0..WORKERS {
            workers.push(scene.start(Role::Worker, &how).await?);
        }
        Ok(Self {
            how,
            gateway,
            scheduler,
            workers,
            deaths: [0; 3],
        })
    }

    /// Kills somebody in the middle of `work`, and has another one in its place when both are over.
    pub(super) async fn struck<T>(
        &mut self,
        strike: Strike,
        scene: &mut Scene,
        work: impl Future<Output = T>,
    ) -> anyhow::Result<T> {
        let (member, deaths) = match strike.who {
            Role::Gateway => (Some(&mut self.gateway), 0),
            Role::Scheduler => (Some(&mut self.scheduler), 1),
            Role::Worker => (self.workers.first_mut(), 2),
        };
        let Some(member) = member else {
            return Ok(work.await);
        };
        let killing = async {
            tokio::time::sleep(strike.after).await;
            let at_us = now_us();
            member.kill().await.map(|()| at_us)
        };
        let (done, killed) = tokio::join!(work, killing);
        scene.faults_us.push(killed?);
        *member = scene.start(strike.who, &self.how).await?;
        if let Some(count) = self.deaths.get_mut(deaths) {
            *count += 1;
        }
        // Next time it is another worker's turn.
        self.workers.rotate_left(1);
        Ok(done)
    }

    /// How often gateways, schedulers and workers died.
    pub(super) fn deaths(&self) -> [usize; 3] {
        self.deaths
    }
}
