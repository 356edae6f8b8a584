//! Records of before jobs could be resumed and kept the last time that they were due.

use assay_core::job::{Job, Times};
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

/// What was written of `value`, which ends with `times`, when neither had its last field.
fn as_before(value: &impl Serialize, times: &Times) -> Vec<u8> {
    let mut bytes = encode(value);
    let times_at = bytes.len() - 1 - encode(times).len();
    assert_eq!(bytes.pop(), Some(FALSE));
    assert_eq!(bytes.pop(), Some(NIL));
    for array_at in [0, times_at] {
        let length_at = array_at + if bytes[array_at] == ARRAY_16 { 2 } else { 0 };
        bytes[length_at] -= 1;
    }
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
