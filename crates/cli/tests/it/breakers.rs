use crate::media;
use crate::program::{Home, await_status};

/// Nobody listens there.
const AWAY: (&str, &str) = (
    "ASSAY__DETECTORS__EXTERNAL__ACME__ENDPOINT",
    "http://127.0.0.1:1",
);

#[test]
fn a_detector_that_is_away_is_named_and_its_breaker_is_listed() {
    let home = Home::new();
    let picture = home.write("media/picture.png", &media::png(None));
    let dev = home.dev(&[AWAY]);
    await_status(dev.admin(), "/ready", 200);
    let server = dev.server();
    let told = home.run(&["verify", "--server", &server, &picture]);
    let line = "detector acme gave no answer that could be used";
    assert!(told.out.contains(line), "{told:?}");

    let listed = home.run(&["breakers", "--server", &server]);
    assert_eq!(listed.code, Some(0), "{listed:?}");
    let rows: Vec<&str> = listed.out.lines().collect();
    assert!(rows[0].starts_with("WORKER"), "{rows:?}");
    assert!(rows[1].contains("  detector.acme  closed  "), "{rows:?}");
    let documents = home
        .run(&["breakers", "--output", "jsonl", "--server", &server])
        .documents();
    assert_eq!(documents.len(), 1);
    assert_eq!(documents[0]["downstream"], "detector.acme");
    assert_eq!(documents[0]["state"], "closed");
}

#[test]
fn without_detectors_there_is_nothing_to_list() {
    let home = Home::new();
    let dev = home.dev(&[]);
    await_status(dev.admin(), "/ready", 200);
    let listed = home.run(&["breakers", "--server", &dev.server()]);
    assert_eq!((listed.code, listed.out.as_str()), (Some(0), ""));
    assert!(
        listed.err.contains("no detectors are configured"),
        "{listed:?}"
    );
}
