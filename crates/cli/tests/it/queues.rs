use assay_api::v1;
use assay_core::clock::{Clock as _, SystemClock};

use crate::grpc::submit;
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
fn what_waits_is_cancelled_once_somebody_has_said_so() {
    let home = Home::new();
    let file = home.write("media/a.png", &media::png(None));
    let dev = home.dev(&[]);
    let server = dev.server();
    let at = ["--server", &server];
    let purge = |options: &[&str]| home.run(&[&["queues", "purge", KIND], options, &at].concat());
    let content_id = home
        .run(&[&["content", "upload", &file][..], &at].concat())
        .out;
    let tomorrow = i64::try_from(SystemClock.now_ms() / 1_000).unwrap() + 86_400;
    let jobs = [1, 2].map(|_| {
        let request = v1::SubmitJobRequest {
            due_time: Some(prost_types::Timestamp {
                seconds: tomorrow,
                nanos: 0,
            }),
            ..v1::SubmitJobRequest::default()
        };
        submit(&server, content_id.trim(), request)
    });

    let queued = purge(&["--dry-run"]);
    assert_eq!(queued.out, "0 jobs would be cancelled\n", "{queued:?}");
    let counted = purge(&["--dry-run", "--include-delayed"]);
    assert_eq!(counted.out, "2 jobs would be cancelled\n", "{counted:?}");
    let refused = purge(&["--include-delayed"]);
    assert_eq!((refused.code, refused.out.as_str()), (Some(1), ""));
    assert!(refused.err.contains("add --yes"), "{}", refused.err);
    let none = purge(&["--yes", "--include-delayed", "--lane", "high"]);
    assert_eq!(none.out, "0 jobs cancelled\n", "{none:?}");
    let purged = purge(&["--yes", "--include-delayed", "--output", "json"]).document();
    assert_eq!(
        (&purged["cancelled"], &purged["more"]),
        (&2.into(), &false.into())
    );
    for job in jobs {
        let got = home.run(&[&["jobs", "get", &job, "--output", "json"][..], &at].concat());
        assert_eq!(got.document()["state"], "cancelled", "{got:?}");
    }
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
