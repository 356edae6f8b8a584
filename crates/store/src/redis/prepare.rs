//! What must be in Redis before the first job of a process: when the store began, in how many groups jobs are, and
//! what carries their envelopes. A process that would look for them elsewhere is not let in.

use std::sync::LazyLock;

use assay_core::kind::JobKind;
use redis::Value;

use super::keys::{self, Keys};
use super::link::{Link, LinkError};
use super::outbox::Carrier;
use super::record::{bytes, number};
use super::script::{Room, Script};
use super::set_once::set_once;
use super::users;

/// Notes that envelopes go another way from now on. A plain command would be refused when there is no memory left.
static CHANGE: LazyLock<Script> =
    LazyLock::new(|| Script::new(Room::NotNeeded, "redis.call('SET', KEYS[1], ARGV[1])"));

/// What was there before.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing, or what this process needs.
    Usable,
    /// Jobs in so many groups.
    OtherGroups(String),
    /// So many jobs that have not ended, and whose envelopes go another way.
    OtherCarrier(u64),
    /// So many processes that live and send envelopes another way.
    OtherUsers(u64),
}

/// Writes what must be there, unless it is.
pub(super) async fn prepare(
    link: &Link,
    keys: &Keys,
    now_ms: u64,
    carrier: Carrier,
) -> Result<Found, LinkError> {
    for group in keys.groups() {
        set_once(link, &[&group.epoch, &group.beat], now_ms).await?;
    }
    let count = keys.groups().len();
    let groups = set_once(link, &[&keys.meta_groups()], count as u64).await?;
    if groups != count.to_string() {
        return Ok(Found::OtherGroups(groups));
    }
    let key = keys.meta_carrier();
    let before = set_once(link, &[&key], carrier.name()).await?;
    if before == carrier.name() {
        return Ok(Found::Usable);
    }
    let found = held(link, keys, now_ms, &before).await?;
    if found == Found::Usable {
        let mut change = CHANGE.call([key.as_str()].into_iter());
        change.arg(carrier.name());
        link.run(&CHANGE, &change).await?;
        let now = carrier.name();
        tracing::info!(
            before,
            now,
            "envelopes go over {now} from now on, no longer over {before}"
        );
    }
    Ok(found)
}

/// What holds an installation whose envelopes go over `carrier` to that.
async fn held(link: &Link, keys: &Keys, now_ms: u64, carrier: &str) -> Result<Found, LinkError> {
    let live = live(link, keys).await?;
    if live > 0 {
        return Ok(Found::OtherCarrier(live));
    }
    Ok(
        match users::living(link, &keys.meta_users(carrier), now_ms).await? {
            0 => Found::Usable,
            living => Found::OtherUsers(living),
        },
    )
}

/// What [`prepare`] would answer. Nothing is written: who only looks must not turn an installation round, whose
/// processes would then be refused at their next start.
pub(super) async fn look(
    link: &Link,
    keys: &Keys,
    now_ms: u64,
    carrier: Carrier,
) -> Result<Found, LinkError> {
    let mut questions = redis::pipe();
    for key in [keys.meta_groups(), keys.meta_carrier()] {
        questions.cmd("GET").arg(key);
    }
    let answers = link.read_all(&questions).await?;
    let text = |at: usize| {
        let text = answers.get(at).and_then(bytes);
        text.and_then(|text| std::str::from_utf8(text).ok())
    };
    let count = keys.groups().len().to_string();
    if let Some(groups) = text(0).filter(|groups| *groups != count) {
        return Ok(Found::OtherGroups(groups.to_owned()));
    }
    match text(1).filter(|other| *other != carrier.name()) {
        None => Ok(Found::Usable),
        Some(other) => held(link, keys, now_ms, other).await,
    }
}

/// How many jobs have not ended.
async fn live(link: &Link, keys: &Keys) -> Result<u64, LinkError> {
    let mut commands = redis::pipe();
    for group in keys.groups() {
        commands.cmd("HMGET").arg(&group.counts);
        for kind in JobKind::ALL {
            commands.arg(keys::live(kind));
        }
    }
    let mut sum = 0;
    for answer in link.read_all(&commands).await? {
        if let Value::Array(fields) = answer {
            let counts = fields.iter().filter_map(|field| number(bytes(field)?));
            sum += counts.sum::<u64>();
        }
    }
    Ok(sum)
}

impl Carrier {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Streams => "streams",
            // Whoever has no streams finds what was left in them: it is known to be sent, and is sent again.
            Self::Broker | Self::BrokerOrStreams => "broker",
        }
    }

    /// What whoever named this carrier should name for jobs that go the other way.
    pub(super) fn wants(self) -> &'static str {
        match self {
            Self::Streams => "set RABBITMQ_URL as their processes have it",
            Self::Broker | Self::BrokerOrStreams => "leave RABBITMQ_URL unset",
        }
    }
}
