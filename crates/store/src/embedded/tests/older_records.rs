//! Records of before jobs could be resumed and kept the last time that they were due, of before payloads could be
//! edited, and of before jobs told who had worked on them.

use assay_core::id::WorkerId;
use assay_core::job::{Edited, Job, Times};
use assay_core::transition::{Admission, submit};
use serde::Serialize;

use super::{NOW, id, spec};
use crate::embedded::parts::{Changed, decode, encode_into};

const FALSE: u8 = 0xc2;
const NIL: u8 = 0xc0;
/// An array whose length is in the two bytes that follow; shorter ones have it in their first byte.
const ARRAY_16: u8 = 0xdc;

fn encode(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_into(&mut bytes, value);
    bytes
}

/// Takes one off the length of an array.
fn shorten(bytes: &mut [u8], array_at: usize) {
    let length_at = array_at + if bytes[array_at] == ARRAY_16 { 2 } else { 0 };
    bytes[length_at] -= 1;
}

/// Takes a last field off that is nothing.
fn without_last(mut bytes: Vec<u8>) -> Vec<u8> {
    assert_eq!(bytes.pop(), Some(NIL));
    shorten(&mut bytes, 0);
    bytes
}

/// What was written of `value` when it had no last field.
fn before_workers(value: &impl Serialize) -> Vec<u8> {
    without_last(encode(value))
}

/// The same when it had none of the last two.
fn before_edits(value: &impl Serialize) -> Vec<u8> {
    without_last(before_workers(value))
}

/// The same when it ended with `times`, and neither of them had its last field.
fn as_before(value: &impl Serialize, times: &Times) -> Vec<u8> {
    let mut bytes = before_edits(value);
    let times_at = bytes.len() - 1 - encode(times).len();
    assert_eq!(bytes.pop(), Some(FALSE));
    assert_eq!(bytes.pop(), Some(NIL));
    shorten(&mut bytes, 0);
    shorten(&mut bytes, times_at);
    bytes
}

#[test]
fn they_read_as_before() {
    let mut job = submit(id(1), &spec(1), Admission::Queue, NOW).job;
    job.times.due_at_ms = Some(NOW + 5);
    job.metadata.insert("ticket".into(), "A-17".into());
    let before: Job = decode(&as_before(&job, &job.times)).unwrap();
    assert_eq!(before, job);

    let mut changed = job.clone();
    changed.resumed = true;
    changed.times.last_due_at_ms = Some(NOW);
    let stored = as_before(&Changed::of(&job), &job.times);
    decode::<Changed<'_>>(&stored).unwrap().apply(&mut changed);
    assert_eq!(changed, job);
}

#[test]
fn those_of_before_edits_read_as_never_edited() {
    let mut job = submit(id(1), &spec(1), Admission::Queue, NOW).job;
    job.resumed = true;
    let before: Job = decode(&before_edits(&job)).unwrap();
    assert_eq!(before, job);

    let mut changed = job.clone();
    changed.edited = Some(Box::new(Edited {
        at_ms: NOW,
        by: "ann".into(),
    }));
    let read: Job = decode(&encode(&changed)).unwrap();
    assert_eq!(read, changed);
    let stored = before_edits(&Changed::of(&job));
    decode::<Changed<'_>>(&stored).unwrap().apply(&mut changed);
    assert_eq!(changed, job);
}

#[test]
fn those_of_before_workers_were_told_name_none() {
    let mut job = submit(id(1), &spec(1), Admission::Queue, NOW).job;
    job.edited = Some(Box::new(Edited {
        at_ms: NOW,
        by: "ann".into(),
    }));
    let before: Job = decode(&before_workers(&job)).unwrap();
    assert_eq!(before, job);

    let mut changed = job.clone();
    changed.worker = Some(WorkerId::new("one").unwrap());
    let read: Job = decode(&encode(&changed)).unwrap();
    assert_eq!(read, changed);
    let stored = before_workers(&Changed::of(&job));
    decode::<Changed<'_>>(&stored).unwrap().apply(&mut changed);
    assert_eq!(changed, job);
}
