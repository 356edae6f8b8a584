//! Finds jobs that need an envelope and wait nowhere, because somebody deleted a set, and puts them into the outbox.

use std::sync::LazyLock;
use std::time::Duration;

use assay_core::id::JobId;
use assay_core::kind::{JobKind, Lane};
use assay_core::port::{StoreError, Swept};
use assay_core::transition::needs_envelope;
use redis::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::RedisStore;
use crate::metric_definitions::redis::Call;
use crate::redis::keys::GroupKeys;
use crate::redis::link::LinkError;
use crate::redis::record::bytes;
use crate::redis::script::{Room, Script};
use crate::redis::steps::{Plan, ids, run};

static LACKING: LazyLock<Script> =
    LazyLock::new(|| Script::new(Room::NotNeeded, include_str!("lacking.lua")));
/// Jobs of one page: each is looked up in every set.
const PAGE: usize = 250;
/// Pages of one sweep, as long as there is something to find.
const PAGES_MAX: usize = 16;
/// From the end of a walk to the next.
const REST: Duration = Duration::from_secs(60);

/// A walk through the jobs of each group that have not ended, by their deadlines.
#[derive(Debug, Default)]
pub(in crate::redis) struct Walk {
    /// One at a time: two would only do the same.
    places: Mutex<Vec<Place>>,
}

/// Where it is in a group.
#[derive(Clone, Debug, Default)]
struct Place {
    /// The deadline that it has come to, in Redis's words; empty at the beginning.
    deadline: String,
    /// How many jobs with that one it has seen.
    seen: usize,
    rests_until: Option<Instant>,
}

/// A page: how many jobs were looked at, up to which deadline, how many of them have that one, and which wait
/// nowhere.
struct Page {
    jobs: usize,
    deadline: String,
    same: usize,
    lacking: Vec<JobId>,
}

impl RedisStore {
    /// Goes on with the walk in every group.
    pub(super) async fn put_lacking_in(&self) -> Result<(), StoreError> {
        let mut places = self.walk.places.lock().await;
        places.resize_with(self.keys.groups().len(), Place::default);
        for (group, place) in self.keys.groups().iter().zip(places.iter_mut()) {
            let now = Instant::now();
            if place.rests_until.is_some_and(|until| now < until) {
                continue;
            }
            for _ in 0..PAGES_MAX {
                let page = self.lacking(group, place).await?;
                let put = page.lacking.iter().copied().map(|id| self.put_in(id));
                let put = run(put).await?.jobs;
                if put > 0 {
                    tracing::warn!(put, "put {put} jobs into the outbox that waited nowhere");
                }
                if page.jobs < PAGE {
                    *place = Place {
                        rests_until: Some(now + REST),
                        ..Place::default()
                    };
                    break;
                }
                place.seen = page.same
                    + if page.deadline == place.deadline {
                        place.seen
                    } else {
                        0
                    };
                place.deadline = page.deadline;
                if put == 0 {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn lacking(&self, group: &GroupKeys, place: &Place) -> Result<Page, StoreError> {
        let lanes = JobKind::ALL
            .into_iter()
            .flat_map(|kind| Lane::ALL.map(|lane| (kind, lane)));
        let sent: Vec<_> = lanes.map(|(kind, lane)| group.sent(kind, lane)).collect();
        let keys: Vec<_> = [&group.deadlines, &group.leases, &group.outbox]
            .into_iter()
            .chain(&sent)
            .map(String::as_str)
            .collect();
        let from = match place.deadline.as_str() {
            "" => "-inf",
            deadline => deadline,
        };
        let mut call = LACKING.call(keys.into_iter());
        call.arg(from).arg(place.seen).arg(PAGE);
        let answer = self.link.labelled(Call::Sweep).run(&LACKING, &call).await;
        let answer = answer.map_err(LinkError::of_read)?;
        let malformed = || StoreError::Unavailable {
            why: "an answer that no script gives".into(),
        };
        Page::read(answer).ok_or_else(malformed)
    }

    /// Puts a job into the outbox if it is to be published.
    async fn put_in(&self, id: JobId) -> Result<Swept, StoreError> {
        let stepped = self.step(id, |found, scribe| match found.job() {
            Some(known) if needs_envelope(&known.job) => {
                Plan::write(scribe.untold().offer(known), 1)
            }
            Some(_) | None => Plan::Answer(0),
        });
        let put = async {
            let jobs = stepped.await?.answer;
            Ok(Swept {
                jobs,
                publish: Vec::new(),
            })
        };
        Ok(self.or_unreadable(id, put).await?.unwrap_or_default())
    }
}

impl Page {
    fn read(answer: Value) -> Option<Self> {
        let Value::Array(mut parts) = answer else {
            return None;
        };
        if parts.len() < 3 {
            return None;
        }
        let lacking = ids(&Value::Array(parts.split_off(3)));
        let number = |part: &Value| {
            let Value::Int(number) = part else {
                return None;
            };
            usize::try_from(*number).ok()
        };
        Some(Self {
            jobs: number(&parts[0])?,
            deadline: std::str::from_utf8(bytes(&parts[1])?).ok()?.to_owned(),
            same: number(&parts[2])?,
            lacking,
        })
    }
}
