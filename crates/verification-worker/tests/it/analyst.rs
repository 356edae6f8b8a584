//! Children that do what hostile files make parsers do. Each costs its stage and nothing else.

use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use assay_verification_worker::analyst::{
    ANALYST_WORD, AbortReason, Analyst, Bounds, ChildCommand, Confinement, Error, StageOutcome,
    StageReport, Time, Work,
};

use crate::child::{
    Bell, Deaf, PATIENCE, alone, analyse, analyst, bounds, file, living, meters, none_left, time,
    until,
};

/// Runs a stage that misbehaves before one that does not, and says what the first came to.
async fn cost_of(bounds: Bounds, stage: &str, wall: Duration) -> AbortReason {
    let worker = std::process::id();
    let reports = analyse(bounds, &[stage, "measure"], wall).await;
    let names: Vec<&str> = reports.iter().map(|report| report.stage.as_str()).collect();
    assert_eq!(names, [stage, "measure"]);
    assert_eq!(
        reports[1].outcome,
        StageOutcome::Ok(4.into()),
        "the stage behind it runs in another child"
    );
    assert_eq!(std::process::id(), worker);
    none_left().await;
    reason_of(&reports[0])
}

fn reason_of(report: &StageReport) -> AbortReason {
    match &report.outcome {
        StageOutcome::Aborted(abort) => abort.reason,
        StageOutcome::Ok(value) => panic!("{} was not aborted: {value}", report.stage),
    }
}

#[tokio::test]
async fn an_endless_loop_costs_its_stage() {
    let _alone = alone().await;
    let confinement = Confinement {
        cpu_s_max: 1,
        ..bounds().confinement
    };
    let reason = cost_of(
        Bounds {
            confinement,
            ..bounds()
        },
        "spin",
        PATIENCE,
    )
    .await;
    assert_eq!(reason, AbortReason::ResourceLimit);
}

#[tokio::test]
async fn a_memory_hog_costs_its_stage() {
    let _alone = alone().await;
    assert_eq!(
        cost_of(bounds(), "hog", PATIENCE).await,
        AbortReason::ResourceLimit
    );
}

#[tokio::test]
async fn a_flood_of_output_costs_its_stage() {
    let _alone = alone().await;
    assert_eq!(
        cost_of(bounds(), "flood", PATIENCE).await,
        AbortReason::OutputLimit
    );
}

#[tokio::test]
async fn sleeping_past_the_wall_time_costs_its_stage() {
    let _alone = alone().await;
    let begun = Instant::now();
    assert_eq!(
        cost_of(bounds(), "sleep", Duration::from_secs(4)).await,
        AbortReason::Timeout
    );
    assert!(
        begun.elapsed() >= Duration::from_secs(2),
        "half of the time is for the stage behind"
    );
}

#[tokio::test]
async fn grandchildren_are_killed_too() {
    let _alone = alone().await;
    let reports = analyse(bounds(), &["sleep-with-child"], Duration::from_secs(1)).await;
    assert_eq!(reason_of(&reports[0]), AbortReason::Timeout);
    none_left().await;
    until("no grandchild is left", || {
        let mut processes = std::fs::read_dir("/proc").unwrap().flatten();
        !processes.any(|entry| {
            let words = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            words == b"/bin/sleep\x007919\0"
        })
    })
    .await;
}

#[tokio::test]
async fn every_other_end_is_a_crash() {
    let _alone = alone().await;
    for stage in ["exit", "panic", "overflow", "chatter"] {
        assert_eq!(
            cost_of(bounds(), stage, PATIENCE).await,
            AbortReason::Crashed,
            "{stage}"
        );
    }
}

#[tokio::test]
async fn an_unknown_stage_is_given_up_before_it_begins() {
    let _alone = alone().await;
    let reports = analyse(bounds(), &["no-such-stage"], PATIENCE).await;
    assert_eq!(reason_of(&reports[0]), AbortReason::Crashed);
}

#[tokio::test]
async fn a_program_that_is_no_analyst_costs_stages_and_one_that_is_missing_is_an_error() {
    let _alone = alone().await;
    let analyst = Analyst::new(ChildCommand::program("/bin/true"), bounds(), meters());
    let input = file(b"");
    let work = Work::default();
    let reports = analyst
        .analyse(&input, &["measure"], &work, time(PATIENCE), &mut Deaf)
        .await
        .unwrap();
    assert_eq!(reason_of(&reports[0]), AbortReason::Crashed);
    let analyst = Analyst::new(
        ChildCommand::program("/nowhere/analyst"),
        bounds(),
        meters(),
    );
    let error = analyst
        .analyse(&input, &["measure"], &work, time(PATIENCE), &mut Deaf)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Start { .. }), "{error}");
}

#[tokio::test]
async fn what_a_child_says_to_standard_error_holds_nobody_up() {
    let _alone = alone().await;
    let reports = analyse(bounds(), &["flood-stderr"], PATIENCE).await;
    assert_eq!(reports[0].outcome, StageOutcome::Ok("said a lot".into()));
}

#[tokio::test]
async fn output_is_read_up_to_its_bound_and_not_beyond() {
    let _alone = alone().await;
    // Two lines: the beginning of the stage and its end.
    let started = r#"{"event":"started","stage":"measure"}"#.len() + 1;
    let finished = r#"{"event":"finished","stage":"measure","output":4}"#.len() + 1;
    let exactly = (started + finished) as u64;
    for (output_bytes_max, fits) in [(exactly, true), (exactly - 1, false)] {
        let reports = analyse(
            Bounds {
                output_bytes_max,
                ..bounds()
            },
            &["measure"],
            PATIENCE,
        )
        .await;
        match &reports[0].outcome {
            StageOutcome::Ok(_) => assert!(fits),
            StageOutcome::Aborted(abort) => {
                assert!(!fits && abort.reason == AbortReason::OutputLimit)
            }
        }
    }
}

#[tokio::test]
async fn a_child_is_confined_before_it_reads() {
    let _alone = alone().await;
    let reports = analyse(bounds(), &["look-around"], PATIENCE).await;
    let StageOutcome::Ok(seen) = &reports[0].outcome else {
        panic!("{reports:?}")
    };
    assert_eq!(seen["environment"], 0);
    assert_eq!(seen["folder"], "/");
    assert_eq!(
        seen["process"], seen["group"],
        "it leads a process group of its own"
    );
    let limits = seen["limits"].as_str().unwrap();
    let limit = |name: &str| {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        line[name.len()..]
            .split_whitespace()
            .next()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        limit("Max address space"),
        crate::child::MEMORY_BYTES.to_string()
    );
    assert_eq!(limit("Max cpu time"), "20");
    assert_eq!(limit("Max open files"), "64");
    assert_eq!(limit("Max core file size"), "0");
    assert_eq!(limit("Max file size"), "0");
}

#[tokio::test]
async fn dropping_an_analysis_kills_its_child() {
    let _alone = alone().await;
    let (bell, mut rung) = tokio::sync::mpsc::channel(1);
    let analyst = analyst(bounds());
    let input = file(b"");
    let work = Work::default();
    let mut watch = Bell(bell);
    let analysis = analyst.analyse(&input, &["sleep"], &work, time(PATIENCE), &mut watch);
    tokio::select! {
        reports = analysis => panic!("it ended by itself: {reports:?}"),
        stage = rung.recv() => assert_eq!(stage.as_deref(), Some("sleep")),
    }
    none_left().await;
}

#[tokio::test]
async fn no_more_children_run_than_there_are_slots() {
    let _alone = alone().await;
    let analyst = analyst(Bounds {
        children_max: 1,
        ..bounds()
    });
    let (bell, mut rung) = tokio::sync::mpsc::channel(1);
    let input = file(b"");
    let work = Work::default();
    let mut watch = Bell(bell);
    let first = analyst.analyse(&input, &["sleep"], &work, time(PATIENCE), &mut watch);
    tokio::pin!(first);
    tokio::select! {
        reports = &mut first => panic!("it ended by itself: {reports:?}"),
        _ = rung.recv() => {}
    }
    let crowded = Time {
        wall: PATIENCE,
        all: Duration::from_millis(50),
    };
    let error = analyst
        .analyse(&input, &["measure"], &work, crowded, &mut Deaf)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Crowded), "{error}");
    assert_eq!(living().len(), 1);
}

#[tokio::test]
async fn a_stage_that_the_system_killed_has_one_more_try() {
    let _alone = alone().await;
    let (bell, mut rung) = tokio::sync::mpsc::channel(1);
    let analyst = analyst(bounds());
    let input = file(b"");
    let work = Work::default();
    let mut watch = Bell(bell);
    let analysis = analyst.analyse(&input, &["sleep"], &work, time(PATIENCE), &mut watch);
    let killer = async {
        for _ in 0..2 {
            assert_eq!(rung.recv().await.as_deref(), Some("sleep"));
            let [child] = living().try_into().unwrap();
            let id = child.split_whitespace().next().unwrap().parse().unwrap();
            let id = rustix::process::Pid::from_raw(id).unwrap();
            rustix::process::kill_process(id, rustix::process::Signal::KILL).unwrap();
        }
    };
    let (reports, ()) = tokio::join!(analysis, killer);
    assert_eq!(reason_of(&reports.unwrap()[0]), AbortReason::ResourceLimit);
    none_left().await;
}

#[tokio::test]
async fn a_child_without_its_parent_ends() {
    let _alone = alone().await;
    // As if somebody else had started it: that is what a child sees whose parent was killed.
    let request = serde_json::json!({
        "stages": ["sleep"],
        "parent": 0,
        "confinement": bounds().confinement,
        "work": Work::default(),
    });
    let program = crate::child::program();
    let started = tokio::process::Command::new(program)
        .args([ANALYST_WORD, &request.to_string()])
        .stdin(std::process::Stdio::from(file(b"")))
        .output();
    let output = tokio::time::timeout(PATIENCE, started)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        output.status.signal(),
        Some(rustix::process::Signal::ABORT.as_raw())
    );
}
