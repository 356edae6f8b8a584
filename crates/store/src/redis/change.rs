//! What a step that was decided on does to a record and to all that hangs on it, as commands.

use std::sync::Arc;

use assay_core::envelope::Envelope;
use assay_core::event::{HISTORY_EVENTS_MAX, JobEvent};
use assay_core::id::JobId;
use assay_core::job::{Job, JobSpec, ResultRef};
use assay_core::port::StoreError;
use assay_core::retention::Retention;
use assay_core::state::JobState;
use assay_core::transition::{Admission, Transition, needs_envelope, promote, submit};

use super::index::{self, Times};
use super::keys::{self, GroupKeys, Keys, field};
use super::outbox::{self, Outbox};
use super::record::{Found, Kept, Known};
use super::revision::next_revision;
use super::script::Room;
use super::write::{Guard, Part, Step};
use crate::form::{Changed, encode_into};
use crate::metric_definitions::Ending;

/// A step, ready to be committed, and what follows when it is.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) step: Step,
    /// What is under the id then.
    pub(crate) after: Found,
    /// What it means that the limit is reached; `None` where there is none, or it does not matter.
    pub(crate) refusal: Option<StoreError>,
    /// What ends with it.
    pub(crate) ending: Option<Ending>,
    /// What must be published elsewhere when it is done.
    pub(crate) publish: Vec<Arc<Envelope>>,
}

impl Change {
    fn new(group: &GroupKeys, room: Room, part: Part, after: Found) -> Self {
        Self {
            step: Step::new(group, room, part),
            after,
            refusal: None,
            ending: None,
            publish: Vec::new(),
        }
    }

    /// What must be published, for an answer.
    pub(crate) fn to_publish(&self) -> Vec<Envelope> {
        self.publish
            .iter()
            .map(|one| Envelope::clone(one))
            .collect()
    }

    /// Asks for the checkpoint along with the answer.
    pub(crate) fn wanting_checkpoint(mut self) -> Self {
        self.step.want_checkpoint();
        self
    }
}

/// Where a new job comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A client: refused when so many jobs of its kind have not ended, and when Redis has no memory left.
    Submitted { limit: u64 },
    /// Another job that ended. It was promised: nothing refuses it.
    FollowUp,
    /// A delivery of it whose record was lost. It needs no entry in a queue.
    Rebuilt,
}

/// Writes changes down as of one time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scribe<'a> {
    pub(crate) keys: &'a Keys,
    pub(crate) retention: Retention,
    pub(crate) now_ms: u64,
    /// Where envelopes go through a queue elsewhere.
    pub(crate) outbox: Option<Outbox>,
}

impl Scribe<'_> {
    /// Where a new job goes.
    pub(crate) fn admission(&self) -> Admission {
        match self.outbox {
            None => Admission::Queue,
            Some(_) => Admission::Accept,
        }
    }

    /// The same for a step whose answer tells nobody what to publish: the sweep of the outbox does it at once.
    pub(crate) fn untold(&self) -> Self {
        let at_once = |outbox| Outbox {
            visible_ms: 0,
            ..outbox
        };
        Self {
            outbox: self.outbox.map(at_once),
            ..*self
        }
    }

    /// Records a new job where nothing is, or a tombstone.
    pub(crate) fn add(
        &self,
        before: &Found,
        made: &Transition,
        envelope: Arc<Envelope>,
        origin: Origin,
    ) -> Change {
        let (part, known) = self.addition(before, made, envelope, origin);
        let room = match origin {
            Origin::Submitted { .. } => Room::Needed,
            Origin::FollowUp | Origin::Rebuilt => Room::NotNeeded,
        };
        let group = self.keys.of(known.job.id);
        Change::new(group, room, part, Found::Job(known))
    }

    fn addition(
        &self,
        before: &Found,
        made: &Transition,
        envelope: Arc<Envelope>,
        origin: Origin,
    ) -> (Part, Known) {
        let job = &made.job;
        let group = self.keys.of(job.id);
        let begins_at_ms = job
            .times
            .created_at_ms
            .max(job.times.due_at_ms.unwrap_or(0));
        let known = Known {
            revision: self.revision(before.revision().unwrap_or(0)),
            job: Arc::new(job.clone()),
            envelope,
            deadline_ms: job.times.deadline_at_ms.saturating_sub(begins_at_ms),
            checkpoint: Kept::No,
        };
        let mut part = Part::new(group, job.id, guard(before));
        match origin {
            Origin::Submitted { limit } => {
                part.limit(keys::live(job.kind), limit);
                if let Some(outbox) = self.outbox {
                    part.crowd(&group.outbox, outbox.jobs_max);
                }
            }
            Origin::FollowUp | Origin::Rebuilt => part.count(&keys::live(job.kind)),
        }
        let words = part.fields();
        words.word(field::REVISION).number(known.revision);
        words.word(field::JOB).written(|out| encode_into(out, job));
        words.word(field::ENVELOPE).bytes(&known.envelope.encode());
        words.word(field::DEADLINE_MS).number(known.deadline_ms);
        write_events(&mut part, &made.events);
        if let Found::Tombstone(_) = before {
            part.discount(keys::COUNT_OF_TOMBSTONES);
            let record = group.record(job.id);
            part.command("HDEL").word(&record).word(field::TOMBSTONE);
            part.take(&group.expiry);
        }
        index::enter(&mut part, group, job);
        index::times(&mut part, group, Times::NONE, self.times(job));
        if origin != Origin::Rebuilt {
            match self.outbox {
                None => queue(&mut part, group, &known),
                Some(outbox) => outbox.enter(&mut part, group, self.now_ms),
            }
        }
        (part, known)
    }

    /// Records what a rule did to a job, with all that it sends out; `result` is kept with it.
    pub(crate) fn record(
        &self,
        before: &Known,
        transition: Transition,
        result: Option<&[u8]>,
    ) -> Change {
        let raised = transition.envelope.is_some();
        let envelope = transition.envelope.map(Arc::new);
        let mut after = Known {
            revision: self.revision(before.revision),
            job: Arc::new(transition.job),
            envelope: envelope.unwrap_or_else(|| Arc::clone(&before.envelope)),
            ..before.clone()
        };
        let group = self.keys.of(after.job.id);
        let mut part = self.change(before, &after, result, &transition.events);
        drop_fields(&mut part, group, before, &mut after, &transition.events);
        index::follow(&mut part, group, &before.job, &after.job);
        let mut publish = Vec::new();
        match self.outbox {
            None if raised => queue(&mut part, group, &after),
            None => {}
            Some(outbox) => {
                let jobs = (before.job.as_ref(), after.job.as_ref());
                outbox.follow(&mut part, group, jobs, raised, self.now_ms);
                if raised && needs_envelope(&after.job) {
                    publish.push(Arc::clone(&after.envelope));
                }
            }
        }
        let ending = Ending::of(&before.job, &after.job);
        let mut change = Change::new(group, Room::NotNeeded, part, Found::Job(after));
        change.ending = ending;
        change.publish = publish;
        self.follow_up(&mut change, &transition.follow_ups);
        change
    }

    /// Adds the jobs that a step brings forth.
    fn follow_up(&self, change: &mut Change, follow_ups: &[(JobId, JobSpec)]) {
        for (id, spec) in follow_ups {
            let mut made = submit(*id, spec, self.admission(), self.now_ms);
            if let Some(envelope) = made.envelope.take() {
                let (part, known) =
                    self.addition(&Found::Absent, &made, Arc::new(envelope), Origin::FollowUp);
                change.step.link(part);
                if self.outbox.is_some() {
                    change.publish.push(known.envelope);
                }
            }
        }
    }

    /// Records that the envelope of a job, which needs it, was published.
    pub(crate) fn promote(&self, before: &Known) -> Change {
        let job = &before.job;
        let group = self.keys.of(job.id);
        let mut change = match promote(before.record(), job.generation, self.now_ms) {
            Some(transition) => self.record(before, transition, None),
            None => self.touch(before),
        };
        if let Some(part) = change.step.first_mut() {
            outbox::sent(part, group, job, self.now_ms);
        }
        change
    }

    /// Puts a job into the outbox that is to be there.
    pub(crate) fn offer(&self, known: &Known) -> Change {
        let id = known.job.id;
        let group = self.keys.of(id);
        let mut part = Part::new(group, id, Guard::Revision(known.revision));
        if let Some(outbox) = self.outbox {
            outbox.enter(&mut part, group, self.now_ms);
        }
        Change::new(group, Room::NotNeeded, part, Found::Job(known.clone()))
    }

    /// Changes nothing but the revision, so that what is decided on the one before is decided again.
    fn touch(&self, before: &Known) -> Change {
        let after = Known {
            revision: self.revision(before.revision),
            ..before.clone()
        };
        let group = self.keys.of(after.job.id);
        let mut part = Part::new(group, after.job.id, Guard::Revision(before.revision));
        part.fields().word(field::REVISION).number(after.revision);
        Change::new(group, Room::NotNeeded, part, Found::Job(after))
    }

    /// Records a change that is no event: a longer lease.
    pub(crate) fn record_quietly(&self, before: &Known, job: Job) -> Change {
        let after = Known {
            revision: self.revision(before.revision),
            job: Arc::new(job),
            ..before.clone()
        };
        let part = self.change(before, &after, None, &[]);
        let group = self.keys.of(after.job.id);
        Change::new(group, Room::NotNeeded, part, Found::Job(after))
    }

    /// Records a checkpoint.
    pub(crate) fn keep_checkpoint(&self, before: &Known, checkpoint: &[u8]) -> Change {
        let after = Known {
            revision: self.revision(before.revision),
            checkpoint: Kept::Yes,
            ..before.clone()
        };
        let group = self.keys.of(after.job.id);
        let mut part = Part::new(group, after.job.id, Guard::Revision(before.revision));
        let words = part.fields();
        words.word(field::REVISION).number(after.revision);
        words.word(field::CHECKPOINT).bytes(checkpoint);
        Change::new(group, Room::Needed, part, Found::Job(after))
    }

    /// Records what an edit did to a job. Its payload may be larger than before.
    pub(crate) fn edit(&self, before: &Known, transition: Transition) -> Change {
        let mut change = self.record(before, transition, None);
        change.step.room = Room::Needed;
        change
    }

    /// Forgets a job.
    pub(crate) fn forget(&self, known: &Known) -> Change {
        let (group, mut part) = self.removal(known);
        index::times(&mut part, group, Times::ANY, Times::NONE);
        Change::new(group, Room::NotNeeded, part, Found::Absent)
    }

    /// Forgets a job, and remembers that it is not to run. That takes less room than the job did, so no bound refuses
    /// it.
    pub(crate) fn replace_by_tombstone(&self, known: &Known) -> Change {
        let revision = self.revision(known.revision);
        let (group, mut part) = self.removal(known);
        let words = part.command("HSET").word(&group.record(known.job.id));
        words.word(field::REVISION).number(revision);
        words.word(field::TOMBSTONE).number(self.now_ms);
        part.count(keys::COUNT_OF_TOMBSTONES);
        let until_ms = self.now_ms.saturating_add(self.retention.ended_ms);
        index::times(&mut part, group, Times::ANY, Times::expiring(until_ms));
        Change::new(group, Room::NotNeeded, part, Found::Tombstone(revision))
    }

    /// Takes a job out of everywhere but the sets of times.
    fn removal(&self, known: &Known) -> (&GroupKeys, Part) {
        let job = &known.job;
        let group = self.keys.of(job.id);
        let mut part = Part::new(group, job.id, Guard::Revision(known.revision));
        part.command("DEL").word(&group.record(job.id));
        index::leave(&mut part, group, job);
        if !job.state.is_terminal() {
            part.discount(&keys::live(job.kind));
        }
        if self.outbox.is_some() {
            outbox::leave(&mut part, group, job);
        }
        (group, part)
    }

    /// Remembers that an id of nobody is not to run, unless `limit` are remembered in its group.
    pub(crate) fn bury(&self, id: JobId, limit: u64) -> Change {
        let group = self.keys.of(id);
        let revision = self.revision(0);
        let mut part = Part::new(group, id, Guard::Absent);
        part.limit(keys::COUNT_OF_TOMBSTONES.to_owned(), limit);
        let words = part.fields();
        words.word(field::REVISION).number(revision);
        words.word(field::TOMBSTONE).number(self.now_ms);
        part.put(
            &group.expiry,
            self.now_ms.saturating_add(self.retention.ended_ms),
        );
        Change::new(group, Room::NotNeeded, part, Found::Tombstone(revision))
    }

    /// Forgets a tombstone, or what is left of a job whose record somebody deleted.
    pub(crate) fn clear(&self, id: JobId, found: &Found) -> Change {
        let group = self.keys.of(id);
        let mut part = Part::new(group, id, guard(found));
        if let Found::Tombstone(_) = found {
            part.discount(keys::COUNT_OF_TOMBSTONES);
            part.command("DEL").word(&group.record(id));
        }
        if self.outbox.is_some() {
            outbox::clear(&mut part, group);
        }
        index::times(&mut part, group, Times::ANY, Times::NONE);
        Change::new(group, Room::NotNeeded, part, Found::Absent)
    }

    /// Puts a job where its times say that it belongs, and nowhere else.
    pub(crate) fn place(&self, known: &Known) -> Change {
        let id = known.job.id;
        let group = self.keys.of(id);
        let mut part = Part::new(group, id, Guard::Revision(known.revision));
        index::times(&mut part, group, Times::ANY, self.times(&known.job));
        if self.outbox.is_some() && !needs_envelope(&known.job) {
            outbox::leave(&mut part, group, &known.job);
        }
        Change::new(group, Room::NotNeeded, part, Found::Job(known.clone()))
    }

    /// The beginning of a change of a job: what it is now, and when it is looked at.
    fn change(
        &self,
        before: &Known,
        after: &Known,
        result: Option<&[u8]>,
        events: &[JobEvent],
    ) -> Part {
        let job = after.job.as_ref();
        let group = self.keys.of(job.id);
        let mut part = Part::new(group, job.id, Guard::Revision(before.revision));
        let words = part.fields();
        words.word(field::REVISION).number(after.revision);
        words
            .word(field::CHANGED)
            .written(|out| encode_into(out, &Changed::of(job)));
        let (old, new) = (&before.envelope, &after.envelope);
        if !(Arc::ptr_eq(old, new) || old.carries_the_same(new)) {
            words.word(field::ENVELOPE).bytes(&new.encode());
        }
        if let Some(result) = result {
            words.word(field::RESULT).bytes(result);
        }
        write_events(&mut part, events);
        let (old, new) = (self.times(&before.job), self.times(job));
        index::times(&mut part, group, old, new);
        part
    }

    fn revision(&self, current: u64) -> u64 {
        next_revision(current, self.now_ms, rand::random())
    }

    fn times(&self, job: &Job) -> Times {
        Times::of(job, self.retention)
    }
}

fn guard(found: &Found) -> Guard {
    found.revision().map_or(Guard::Absent, Guard::Revision)
}

/// Each event is a field of its own, under the number of its place, and the fields end with them.
fn write_events(part: &mut Part, events: &[JobEvent]) {
    let fields = part.fields();
    for event in events {
        fields
            .number(event.id.sequence)
            .written(|out| encode_into(out, event));
    }
    let stops = |event: &JobEvent| event.state == JobState::Cancelling;
    part.tell(events.len(), events.iter().any(stops));
}

/// Takes out of the record what it holds no more: old events, the checkpoint of a job that has ended, the
/// result of one that begins again.
fn drop_fields(
    part: &mut Part,
    group: &GroupKeys,
    before: &Known,
    after: &mut Known,
    events: &[JobEvent],
) {
    let kept = HISTORY_EVENTS_MAX as u64;
    let mut fields: Vec<String> = events
        .iter()
        .filter_map(|event| event.id.sequence.checked_sub(kept))
        .filter(|sequence| *sequence > 0)
        .map(|sequence| sequence.to_string())
        .collect();
    if after.job.state.is_terminal() && before.checkpoint != Kept::No {
        fields.push(field::CHECKPOINT.to_owned());
        after.checkpoint = Kept::No;
    }
    let had_result = matches!(before.job.result, Some(ResultRef::Inline { .. }));
    if had_result && !after.job.state.is_terminal() {
        fields.push(field::RESULT.to_owned());
    }
    if fields.is_empty() {
        return;
    }
    let words = part.command("HDEL").word(&group.record(after.job.id));
    for field in &fields {
        words.word(field);
    }
}

/// Puts the present generation of a job into its lane, if its time has come.
fn queue(part: &mut Part, group: &GroupKeys, known: &Known) {
    let job = &known.job;
    if job.state != JobState::Queued {
        return;
    }
    let stream = if known.envelope.resumed {
        group.stream_again(job.kind, job.lane)
    } else {
        group.stream(job.kind, job.lane)
    };
    part.enter(stream, job.generation, group.ready(job.kind));
}
