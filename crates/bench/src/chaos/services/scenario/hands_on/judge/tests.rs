use super::*;

/// A deed that was asked for at `asked_us` and answered one microsecond later.
fn note(deed: Deed, outcome: Outcome, asked_us: u64) -> Note {
    Note {
        deed,
        outcome,
        asked_us,
        told_us: asked_us + 1,
    }
}

fn done(deed: Deed, asked_us: u64) -> Note {
    note(deed, Outcome::Done, asked_us)
}

fn job(state: v1::JobState, generation: u64) -> v1::Job {
    let mut job = v1::Job {
        generation,
        ..v1::Job::default()
    };
    job.set_state(state);
    job
}

fn dead(generation: u64) -> v1::Job {
    job(v1::JobState::DeadLettered, generation)
}

fn life<'a>(notes: &'a [Note], starts_us: &[u64], job: Option<&'a v1::Job>) -> Life<'a> {
    Life {
        notes,
        starts_us: starts_us.to_vec(),
        failures_us: Vec::new(),
        job,
        redrives: None,
    }
}

fn complaint(life: &Life<'_>) -> String {
    life.complaints().join("; ")
}

#[test]
fn the_journal_is_read_by_mark_and_in_order() {
    let entry = |mark, at_us| Entry {
        mark,
        job_id: "a".to_owned(),
        attempt: 1,
        token: at_us,
        at_us,
    };
    let entries = [
        entry(Mark::Started, 7),
        entry(Mark::Failed, 8),
        entry(Mark::Started, 3),
        entry(Mark::Finished, 9),
    ];
    let life = Life::new(&[], entries.iter(), None, None);
    assert_eq!((life.starts_us, life.failures_us), (vec![3, 7], vec![8]));
}

#[test]
fn what_is_forgotten_is_gone_and_runs_no_more() {
    let forgotten = [done(Deed::Forgotten, 10)];
    assert_eq!(complaint(&life(&forgotten, &[5], None)), "");
    assert_eq!(
        complaint(&life(&forgotten, &[5, 11], None)),
        "it was forgotten and ran"
    );
    let there = dead(1);
    assert_eq!(
        complaint(&life(&forgotten, &[5], Some(&there))),
        "it was forgotten and is there"
    );
    for outcome in [Outcome::Left, Outcome::Unknown] {
        let notes = [note(Deed::Forgotten, outcome, 10)];
        assert_eq!(complaint(&life(&notes, &[5, 11], Some(&there))), "");
    }
}

#[test]
fn what_is_asked_for_again_is_a_new_job() {
    let notes = [done(Deed::Forgotten, 10), done(Deed::Submitted, 20)];
    let mut new = dead(1);
    assert_eq!(complaint(&life(&notes, &[5, 25], Some(&new))), "");
    let between = life(&notes, &[5, 15, 25], Some(&new));
    assert_eq!(complaint(&between), "it was forgotten and ran");
    assert_eq!(
        complaint(&life(&notes, &[5], None)),
        "it was asked for again and is gone"
    );
    new.generation = 2;
    assert!(complaint(&life(&notes, &[5, 25], Some(&new))).contains("of generation 2 after 0"));
    new.counters = Some(v1::JobCounters {
        crashes: 1,
        ..v1::JobCounters::default()
    });
    assert_eq!(complaint(&life(&notes, &[5, 25], Some(&new))), "");
    new.progress = Some(v1::JobProgress {
        percent: 100.0,
        ..v1::JobProgress::default()
    });
    assert!(complaint(&life(&notes, &[5, 25], Some(&new))).contains("progress: true"));
}

#[test]
fn what_is_cancelled_was_to_be_and_has_no_result_and_runs_no_more() {
    let mut cancelled = job(v1::JobState::Cancelled, 1);
    cancelled.finish_time.get_or_insert_default().nanos = 20_000;
    let notes = [note(Deed::Purged, Outcome::Unknown, 10)];
    assert_eq!(complaint(&life(&notes, &[15], Some(&cancelled))), "");
    let limit_us = 20 + ROUNDED_US;
    assert_eq!(complaint(&life(&notes, &[limit_us], Some(&cancelled))), "");
    assert_eq!(
        complaint(&life(&notes, &[limit_us + 1], Some(&cancelled))),
        "it was cancelled and ran"
    );
    for notes in [vec![], vec![note(Deed::Cancelled, Outcome::Left, 10)]] {
        assert_eq!(
            complaint(&life(&notes, &[], Some(&cancelled))),
            "nobody cancelled it and it is cancelled"
        );
    }
    cancelled.result = Some(v1::JobResultSummary::default());
    assert_eq!(
        complaint(&life(&notes, &[], Some(&cancelled))),
        "it is cancelled and has a result"
    );
}

#[test]
fn what_waited_when_it_was_stopped_does_not_succeed() {
    let succeeded = job(v1::JobState::Succeeded, 1);
    for deed in [Deed::Purged, Deed::Cancelled] {
        let notes = [done(deed, 10)];
        assert_eq!(complaint(&life(&notes, &[10], Some(&succeeded))), "");
        let late = complaint(&life(&notes, &[11], Some(&succeeded)));
        assert!(
            late.starts_with("it waited when it was cancelled"),
            "{late}"
        );
        let notes = [note(deed, Outcome::Unknown, 10)];
        assert_eq!(complaint(&life(&notes, &[12], Some(&succeeded))), "");
    }
}

#[test]
fn each_answered_redrive_happens_once() {
    let one = [
        done(Deed::Redriven, 10),
        note(Deed::Redriven, Outcome::Unknown, 20),
        note(Deed::Redriven, Outcome::Left, 30),
    ];
    let others = [
        note(Deed::RedrivenWithOthers, Outcome::Unknown, 10),
        done(Deed::RedrivenWithOthers, 20),
    ];
    for notes in [&one[..], &others[..]] {
        for (redrives, clean) in [(0, false), (1, true), (2, true), (3, false)] {
            let starts: Vec<u64> = (0..=redrives as u64).collect();
            let job = dead(1 + redrives as u64);
            let life = Life {
                redrives: Some(redrives),
                ..life(notes, &starts, Some(&job))
            };
            assert_eq!(life.complaints().is_empty(), clean, "{redrives}: {notes:?}");
        }
    }
}

#[test]
fn a_redrive_runs_and_no_generation_runs_twice() {
    let notes = [done(Deed::Redriven, 10)];
    let dead = dead(3);
    for (starts, clean) in [(1, false), (2, true), (3, true), (4, false)] {
        let starts: Vec<u64> = (0..starts).collect();
        let life = Life {
            redrives: Some(1),
            ..life(&notes, &starts, Some(&dead))
        };
        assert_eq!(life.complaints().is_empty(), clean, "{starts:?}");
    }
}

#[test]
fn what_was_mended_runs_as_it_was_mended() {
    let notes = [done(Deed::Mended(1_000), 10), done(Deed::Redriven, 20)];
    let mut succeeded = job(v1::JobState::Succeeded, 2);
    let of_size = |size_bytes| {
        Some(v1::JobResultSummary {
            size_bytes,
            ..v1::JobResultSummary::default()
        })
    };
    for (size_bytes, clean) in [(999, false), (1_000, true), (1_199, true), (1_200, false)] {
        succeeded.result = of_size(size_bytes);
        let life = Life {
            redrives: Some(1),
            failures_us: vec![5],
            ..life(&notes, &[4, 25], Some(&succeeded))
        };
        assert_eq!(life.complaints().is_empty(), clean, "{size_bytes}");
    }
    let dead = dead(2);
    let as_before = Life {
        redrives: Some(1),
        failures_us: vec![5, 26],
        ..life(&notes, &[4, 25], Some(&dead))
    };
    assert_eq!(complaint(&as_before), "it was mended and failed as before");
    succeeded.result = of_size(1_000);
    let by_itself = Life {
        redrives: Some(1),
        ..life(&notes[1..], &[4, 25], Some(&succeeded))
    };
    assert_eq!(complaint(&by_itself), "nobody mended it and it succeeded");
}
