//! Pages of jobs, and how many there are. A page is merged from the lists of its kinds and states, each in
//! order already, so it costs what its own jobs cost however many others there are.

use std::sync::LazyLock;

use assay_core::id::JobId;
use assay_core::job::Job;
use assay_core::kind::JobKind;
use assay_core::port::{Counts, Cursor, ListRequest, PAGE_SIZE_MAX, Page, StoreError};
use assay_core::state::JobState;
use redis::{Pipeline, Value};

use super::RedisStore;
use super::keys::{self, GroupKeys, field};
use super::link::{Link, LinkError};
use super::record::{bytes, number, read_job};
use super::script::{Room, Script};
use crate::metric_definitions::redis::Call;

/// Reads lists. A transaction would be refused when there is no memory left.
static LIST: LazyLock<Script> =
    LazyLock::new(|| Script::new(Room::NotNeeded, include_str!("list.lua")));

/// A place in a list: when a job was submitted, and which.
type Place = (u64, JobId);

/// Places that are asked for beyond a page: as many as there may be of the cursor's own millisecond.
const PLACES_SPARE: usize = 64;

/// One list, read from its newest end as far as it is needed.
struct Source {
    key: String,
    asked: usize,
    places: Vec<Place>,
    ended: bool,
}

impl RedisStore {
    /// The page that `request` asks for.
    pub(super) async fn read_page(&self, request: &ListRequest) -> Result<Page, StoreError> {
        let bounds = Bounds::of(request);
        let size = request.page_size.clamp(1, PAGE_SIZE_MAX);
        let link = self.link.labelled(Call::List);
        let mut places = Vec::new();
        for group in self.keys.groups() {
            let mut sources = sources(group, request);
            while ask(&link, &mut sources, &bounds, size).await? {}
            places.extend(sources.into_iter().flat_map(|source| source.places));
        }
        places.sort_unstable_by(|one, other| other.cmp(one));
        let more = places.len() > size;
        places.truncate(size);
        let next = places.last().filter(|_| more);
        let next = next.map(|(created_at_ms, job_id)| Cursor {
            created_at_ms: *created_at_ms,
            job_id: *job_id,
        });
        let mut jobs = self.jobs(&link, &places).await?;
        // One that changed meanwhile may be what was not asked for.
        jobs.retain(|job| wants(&request.states, job.state));
        Ok(Page { jobs, next })
    }

    async fn jobs(&self, link: &Link, places: &[Place]) -> Result<Vec<Job>, StoreError> {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let mut commands = Pipeline::with_capacity(places.len());
        for (_, id) in places {
            let key = self.keys.of(*id).record(*id);
            commands
                .cmd("HMGET")
                .arg(key)
                .arg(&[field::JOB, field::CHANGED]);
        }
        let answers = link.read_all(&commands).await.map_err(LinkError::of_read)?;
        let mut jobs = Vec::with_capacity(answers.len());
        for ((_, id), answer) in places.iter().zip(answers) {
            // Forgotten meanwhile, if it has none.
            let Value::Array(fields) = answer else {
                continue;
            };
            let [Value::BulkString(job), changed] = fields.as_slice() else {
                continue;
            };
            match read_job(job, bytes(changed)) {
                Ok(job) => jobs.push(job),
                // A newer version wrote it, perhaps. Others are listed all the same.
                Err(unreadable) => {
                    tracing::warn!(job.id = %id, "left job {id} out of a list: {unreadable}");
                }
            }
        }
        Ok(jobs)
    }

    /// How many jobs there are.
    pub(super) async fn read_counts(&self) -> Result<Counts, StoreError> {
        let mut commands = Pipeline::new();
        let fields: Vec<_> = JobKind::ALL
            .into_iter()
            .flat_map(|kind| JobState::ALL.map(|state| (kind, state)))
            .collect();
        for group in self.keys.groups() {
            commands.cmd("HMGET").arg(&group.counts);
            for (kind, state) in &fields {
                commands.arg(keys::count(*kind, *state));
            }
        }
        let link = self.link.labelled(Call::Count);
        let answers = link.read_all(&commands).await.map_err(LinkError::of_read)?;
        let mut counts = Counts::default();
        for answer in answers {
            let Value::Array(values) = answer else {
                continue;
            };
            for ((kind, state), value) in fields.iter().zip(values) {
                *counts.get_mut(*kind, *state) += bytes(&value).and_then(number).unwrap_or(0);
            }
        }
        Ok(counts)
    }
}

/// From the first place, up to but not including the second.
struct Bounds {
    from: Place,
    before: Place,
}

impl Bounds {
    fn of(request: &ListRequest) -> Self {
        let first = JobId::from_bytes([0; 16]);
        let before = (request.created_before_ms.unwrap_or(u64::MAX), first);
        let cursor = request
            .cursor
            .map(|cursor| (cursor.created_at_ms, cursor.job_id));
        Self {
            from: (request.created_from_ms.unwrap_or(0), first),
            before: cursor.map_or(before, |cursor| cursor.min(before)),
        }
    }

    fn holds(&self, place: Place) -> bool {
        self.from <= place && place < self.before
    }
}

fn wants<T: PartialEq>(wanted: &[T], one: T) -> bool {
    wanted.is_empty() || wanted.contains(&one)
}

fn sources(group: &GroupKeys, request: &ListRequest) -> Vec<Source> {
    let kinds = JobKind::ALL.into_iter();
    let kinds = kinds.filter(|kind| wants(&request.kinds, *kind));
    let lists = kinds.flat_map(|kind| {
        let states = JobState::ALL.into_iter();
        let states = states.filter(|state| wants(&request.states, *state));
        states.map(move |state| group.list(&request.tenant, kind, state))
    });
    let source = |key| Source {
        key,
        asked: 0,
        places: Vec::new(),
        ended: false,
    };
    lists.map(source).collect()
}

/// Asks every list for what it still owes; whether any owes more. All are read at one moment, so that a job
/// that goes from one list to another is in one of them.
async fn ask(
    link: &Link,
    sources: &mut [Source],
    bounds: &Bounds,
    size: usize,
) -> Result<bool, StoreError> {
    let owes = |source: &&mut Source| !source.ended && source.places.len() <= size;
    let mut owing: Vec<_> = sources.iter_mut().filter(owes).collect();
    if owing.is_empty() {
        return Ok(false);
    }
    let many = size + 1 + PLACES_SPARE;
    let keys: Vec<_> = owing.iter().map(|source| source.key.as_str()).collect();
    let mut call = LIST.call(keys.into_iter());
    call.arg(bounds.before.0).arg(bounds.from.0).arg(many);
    for source in &owing {
        call.arg(source.asked);
    }
    let answer = link.run(&LIST, &call).await.map_err(LinkError::of_read)?;
    let Value::Array(answers) = answer else {
        let why = "the lists were answered with something else".into();
        return Err(StoreError::Unavailable { why });
    };
    for (source, answer) in owing.iter_mut().zip(&answers) {
        let places = places(answer);
        source.asked += many;
        source.ended = places.len() < many;
        let held = places.into_iter().filter(|place| bounds.holds(*place));
        source.places.extend(held);
    }
    Ok(true)
}

/// The places of an answer: members and scores in turn.
fn places(answer: &Value) -> Vec<Place> {
    let Value::Array(pairs) = answer else {
        return Vec::new();
    };
    let place = |pair: &[Value]| {
        let [id, at_ms] = pair else { return None };
        let id = JobId::from_bytes(bytes(id)?.try_into().ok()?);
        Some((number(bytes(at_ms)?)?, id))
    };
    pairs.chunks_exact(2).filter_map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_hold_what_comes_behind_the_cursor() {
        let id = |byte| JobId::from_bytes([byte; 16]);
        let mut request = ListRequest {
            tenant: Default::default(),
            kinds: Vec::new(),
            states: Vec::new(),
            created_from_ms: Some(10),
            created_before_ms: Some(20),
            page_size: 1,
            cursor: None,
        };
        let bounds = Bounds::of(&request);
        for (place, held) in [
            ((9, 9), false),
            ((10, 0), true),
            ((19, 9), true),
            ((20, 0), false),
        ] {
            assert_eq!(bounds.holds((place.0, id(place.1))), held, "{place:?}");
        }
        request.cursor = Some(Cursor {
            created_at_ms: 15,
            job_id: id(5),
        });
        let bounds = Bounds::of(&request);
        for (place, held) in [
            ((15, 4), true),
            ((15, 5), false),
            ((15, 6), false),
            ((16, 0), false),
        ] {
            assert_eq!(bounds.holds((place.0, id(place.1))), held, "{place:?}");
        }
    }
}
