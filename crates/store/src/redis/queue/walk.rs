//! Finds jobs whose entry the streams lost, because somebody deleted or trimmed one, and gives them another.
//!
//! Counts tell that entries are lacking, and only then jobs are looked at, page by page. An entry is known to
//! be lost when everything that waits was added later: a stream gives its entries out in their order.

use std::time::Duration;

use assay_core::id::JobId;
use assay_core::port::StoreError;
use redis::Value;
use tokio::time::Instant;

use super::Access;
use super::judge::is_lost;
use super::streams::{KindStreams, STREAMS, StreamNo};
use super::survey::Survey;
use crate::metric_definitions::redis::{Call, Redelivery, redelivered};
use crate::redis::committer::{Answer, CommitError, Committer};
use crate::redis::keys::GroupKeys;
use crate::redis::link::LinkError;
use crate::redis::record::{Known, bytes, number};
use crate::redis::script::Room;
use crate::redis::write::{Guard, Part, Step};

/// Jobs of one page.
const PAGE: usize = 250;
/// Pages of one sweep.
const PAGES_MAX: usize = 16;
/// For so long a walk leaves alone what one before has looked at: what that gave an entry would look as if it
/// had lost it again, until it is delivered.
const KEEP_TO_NEW: Duration = Duration::from_secs(60);
/// A job must have waited for so much longer than anything in its stream, in milliseconds: its clock and
/// Redis's may differ, and what was just delivered was not claimed yet.
pub(super) const LOST_AFTER_MS: u64 = 5_000;

/// A walk through the jobs of one kind and group that have not ended, by their deadlines.
pub(super) struct Walk {
    lost_after_ms: u64,
    /// When the oldest entry of each stream was added, as this walk found it; none before it begins.
    oldest_waiting: Option<OldestWaiting>,
    at: Place,
    /// What the walk before found, until it counts no more.
    before: Option<(OldestWaiting, Instant)>,
    rests_until: Option<Instant>,
}

type OldestWaiting = [u64; STREAMS];

/// Where a walk is: the deadline that it has come to, and how many jobs with that one it has seen.
type Place = (u64, usize);

impl Walk {
    pub(super) fn new(lost_after_ms: u64) -> Self {
        Self {
            lost_after_ms,
            oldest_waiting: None,
            at: (0, 0),
            before: None,
            rests_until: None,
        }
    }

    /// Goes on with the walk if entries are lacking. Answers how many jobs were given one, `limit` at most.
    ///
    /// # Errors
    /// When Redis can't be reached. What was done before is done.
    pub(super) async fn go_on(
        &mut self,
        access: &Access,
        committer: &Committer,
        streams: &KindStreams,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let rests = self.rests_until.is_some_and(|until| Instant::now() < until);
        if limit == 0 || rests {
            return Ok(0);
        }
        let group = &access.keys.groups()[streams.group];
        let survey = Survey::make(access, group, streams).await;
        let survey = survey.map_err(LinkError::of_read)?;
        // No more than are lacking: times do not tell the order after a clock was set back.
        let lacking = usize::try_from(survey.lacking_entries()).unwrap_or(usize::MAX);
        let limit = limit.min(lacking);
        if limit == 0 {
            return Ok(0);
        }
        self.oldest_waiting
            .get_or_insert_with(|| StreamNo::ALL.map(|stream| survey.oldest_waiting_ms(stream)));
        let mut given = 0;
        for _ in 0..PAGES_MAX {
            let page = self.page(access, group).await;
            let page = page.map_err(LinkError::of_read)?;
            let lost = self.lost(access, streams, &page).await;
            for (place, known) in lost.map_err(LinkError::of_read)? {
                given += usize::from(give_entry(committer, group, streams, &known).await?);
                self.at = place;
                if given == limit {
                    break;
                }
            }
            if given == limit {
                break;
            }
            if page.len() < PAGE {
                self.end();
                break;
            }
            self.at = page.last().map_or(self.at, |(place, _)| *place);
        }
        if given > 0 {
            let kind = streams.kind;
            tracing::warn!(
                job.kind = kind.as_str(),
                given,
                "gave {given} {kind} jobs an entry whose own was lost"
            );
        }
        Ok(given)
    }

    /// Has the next walk begin anew, when time has shown more.
    fn end(&mut self) {
        let now = Instant::now();
        self.at = (0, 0);
        self.rests_until = Some(now + Duration::from_millis(self.lost_after_ms));
        let until = match self.before {
            Some((_, until)) if until > now => until,
            _ => now + KEEP_TO_NEW,
        };
        self.before = self.oldest_waiting.take().map(|found| (found, until));
    }

    /// The next jobs, each with the place behind it.
    async fn page(
        &self,
        access: &Access,
        group: &GroupKeys,
    ) -> Result<Vec<(Place, JobId)>, LinkError> {
        let mut at = self.at;
        let mut command = redis::cmd("ZRANGE");
        command.arg(&group.deadlines).arg(at.0).arg("+inf");
        command.arg("BYSCORE").arg("LIMIT").arg(at.1).arg(PAGE);
        let answer = access
            .link(Call::Sweep)
            .ask(command.arg("WITHSCORES"))
            .await?;
        let Value::Array(answer) = answer else {
            return Err(LinkError::Refused("its list of deadlines is none".into()));
        };
        let mut page = Vec::with_capacity(answer.len() / 2);
        for pair in answer.chunks_exact(2) {
            let id = bytes(&pair[0]).and_then(|id| id.try_into().ok());
            let score = bytes(&pair[1]).and_then(number);
            let (Some(id), Some(score)) = (id, score) else {
                continue;
            };
            at = match at {
                (deadline_ms, seen) if deadline_ms == score => (score, seen + 1),
                _ => (score, 1),
            };
            page.push((at, JobId::from_bytes(id)));
        }
        Ok(page)
    }

    /// Those of a page that have lost their entries.
    async fn lost(
        &self,
        access: &Access,
        streams: &KindStreams,
        page: &[(Place, JobId)],
    ) -> Result<Vec<(Place, Known)>, LinkError> {
        let ids: Vec<_> = page.iter().map(|(_, id)| *id).collect();
        let found = access.reader.find_all(&ids).await?;
        let places = page.iter().map(|(place, _)| *place);
        let jobs = places
            .zip(found)
            .filter_map(|(place, found)| Some((place, found.ok()?.job()?.clone())));
        let of_kind = jobs.filter(|(_, known)| known.job.kind == streams.kind);
        let lost = of_kind.filter(|(_, known)| {
            let place = StreamNo::of(&known.envelope).place();
            let lost_by =
                |oldest: &OldestWaiting| is_lost(&known.job, oldest[place], self.lost_after_ms);
            let now = Instant::now();
            let before = self.before.as_ref().filter(|(_, until)| *until > now);
            self.oldest_waiting.as_ref().is_some_and(lost_by)
                && !before.is_some_and(|(oldest, _)| lost_by(oldest))
        });
        Ok(lost.collect())
    }
}

/// Gives a job an entry, unless something has happened to it meanwhile.
async fn give_entry(
    committer: &Committer,
    group: &GroupKeys,
    streams: &KindStreams,
    known: &Known,
) -> Result<bool, StoreError> {
    let id = known.job.id;
    let mut part = Part::new(group, id, Guard::Revision(known.revision));
    let stream = streams.name(StreamNo::of(&known.envelope));
    part.enter(stream.into(), known.job.generation, streams.ready.clone());
    let step = Step::new(group, Room::NotNeeded, part);
    match committer.commit(step).await {
        Ok(Answer::Done(_)) => {
            redelivered(streams.kind, Redelivery::Lost);
            Ok(true)
        }
        Ok(_) => Ok(false),
        Err(error @ (CommitError::Late | CommitError::Link(_))) => Err(error.of_write()),
    }
}
