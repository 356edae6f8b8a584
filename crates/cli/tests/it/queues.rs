use crate::media;
use crate::program::Home;

const KIND: &str = "content-verification";

#[test]
fn a_kind_is_held_back_until_it_is_let_go() {
    let home = Home::new();
    let file = home.write("media/generated.png", &media::generated());
    let dev = home.dev(&[]);
    let server = dev.server();
    let at = ["--server", &server];
    let run = |arguments: &[&str]| home.run(&[&["queues"], arguments, &at].concat());

    let listed = run(&["list"]);
    assert_eq!(listed.code, Some(0), "{listed:?}");
    assert_eq!(listed.out.lines().count(), 4, "{}", listed.out);
    assert!(!listed.out.contains("paused"), "{}", listed.out);

    let paused = run(&["pause", KIND]);
    assert_eq!(paused.code, Some(0), "{paused:?}");
    assert_eq!(paused.out.matches("paused").count(), 3, "{}", paused.out);
    let submitted = home.run(&[&["submit", &file][..], &at, &["--output", "json"]].concat());
    assert_eq!(submitted.code, Some(0), "{submitted:?}");
    let documents = run(&["list", "--output", "jsonl"]).documents();
    assert!(documents.iter().all(|queue| queue["paused"] == true));
    let whole = run(&["list", "--output", "json"]).document();
    assert_eq!(whole["queues"].as_array().unwrap(), &documents);

    let resumed = run(&["resume", KIND]);
    assert_eq!(resumed.code, Some(0), "{resumed:?}");
    assert_eq!(resumed.out.matches("open").count(), 3, "{}", resumed.out);
    let document = &submitted.documents()[0];
    let job_id = document["job"]["jobId"].as_str().unwrap();
    let watched = home.run(&[&["watch", job_id, "--output", "jsonl"][..], &at].concat());
    let last = watched.documents().pop().unwrap();
    assert_eq!(last["snapshot"]["job"]["state"], "succeeded", "{last:#}");
}

#[test]
fn an_unknown_kind_is_refused_with_the_known_ones() {
    let home = Home::new();
    let dev = home.dev(&[]);
    let server = dev.server();
    for command in ["pause", "resume"] {
        let refused = home.run(&["queues", command, "virus-scan", "--server", &server]);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        let known = "'virus-scan': it must be one of content-verification, batch, ruv-profile";
        assert!(refused.err.contains(known), "{}", refused.err);
        assert_eq!(refused.err.lines().count(), 1, "{}", refused.err);
        assert_eq!(refused.out, "");
    }
}
