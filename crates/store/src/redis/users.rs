//! Which processes live that use a carrier of envelopes. While there are some, nobody is let in who would look for
//! envelopes elsewhere: no job may be unfinished at that moment, and the next one would be theirs.

use std::sync::LazyLock;
use std::time::Duration;

use super::clock::StoreClock;
use super::link::{Link, LinkError};
use super::script::{Room, Script};

/// How often a process says that it lives.
const PERIOD: Duration = Duration::from_secs(2);
/// One that has said nothing for so long is gone, in milliseconds.
const SILENT_MS_MAX: u64 = 10_000;

/// A process lives also when there is no memory left.
static SAY: LazyLock<Script> = LazyLock::new(|| {
    let body = "redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])";
    Script::new(Room::NotNeeded, body)
});

/// One process among those that use a carrier.
#[derive(Clone)]
pub(super) struct User {
    link: Link,
    clock: StoreClock,
    /// The key of all that use its carrier.
    key: String,
    process: String,
}

impl User {
    /// This process, which nobody knows of yet; `key` is that of its carrier.
    pub(super) fn new(link: &Link, clock: &StoreClock, key: String) -> Self {
        Self {
            link: link.clone(),
            clock: clock.clone(),
            key,
            process: format!("{:032x}", rand::random::<u128>()),
        }
    }

    /// Says that it lives.
    pub(super) async fn say(&self) -> Result<(), LinkError> {
        let now_ms = self.clock.now_ms();
        let mut call = SAY.call([self.key.as_str()].into_iter());
        call.arg(now_ms)
            .arg(&self.process)
            .arg(now_ms.saturating_sub(SILENT_MS_MAX))
            .arg(SILENT_MS_MAX);
        self.link.run(&SAY, &call).await.map(drop)
    }

    /// Says it again and again. What Redis does not hear is said the next time.
    pub(super) async fn keep_saying(self) {
        loop {
            tokio::time::sleep(PERIOD).await;
            drop(self.say().await);
        }
    }

    /// Says that it ends. If Redis does not hear that, its silence will say it.
    pub(super) async fn leave(&self) {
        let mut gone = redis::cmd("ZREM");
        gone.arg(&self.key).arg(&self.process);
        drop(self.link.ask(&gone).await);
    }
}

/// How many processes live that use the carrier of `key`, at `now_ms`.
pub(super) async fn living(link: &Link, key: &str, now_ms: u64) -> Result<u64, LinkError> {
    let mut count = redis::cmd("ZCOUNT");
    let silent_since = now_ms.saturating_sub(SILENT_MS_MAX);
    count.arg(key).arg(format!("({silent_since}")).arg("+inf");
    let answer = link.read(&count).await?;
    redis::from_redis_value(answer)
        .map_err(|_| LinkError::Refused("its ZCOUNT is no number".into()))
}
