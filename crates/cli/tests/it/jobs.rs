use crate::media;
use crate::program::Home;

#[test]
fn a_job_is_found_shown_and_finished() {
    let home = Home::new();
    let file = home.write("media/generated.png", &media::generated());
    let dev = home.dev(&[]);
    let server = dev.server();
    let submit = [
        "submit",
        &file,
        "--server",
        &server,
        "--request-id",
        "order-1",
        "--label",
        "case=7",
    ];
    let submitted = home.run(&[&submit[..], &["--lane", "high", "--output", "json"]].concat());
    assert_eq!(submitted.code, Some(0), "{submitted:?}");
    let answer = &submitted.documents()[0];
    assert_eq!(answer["alreadyExisted"], false);
    assert_eq!(answer["carrier"], "assay");
    let job_id = answer["job"]["jobId"].as_str().unwrap();
    let again = home.run(&[&submit[..], &["--lane", "high", "--output", "json"]].concat());
    assert_eq!(again.documents()[0]["alreadyExisted"], true);
    let other = home.run(&submit);
    assert_eq!(other.code, Some(1), "another request under the same id");
    let look = format!("assay jobs get --server {server} {job_id}");
    assert!(other.err.contains(&look), "{}", other.err);

    let watched = home.run(&["watch", job_id, "--output", "jsonl", "--server", &server]);
    let last = watched.documents().pop().unwrap();
    assert_eq!(last["snapshot"]["job"]["state"], "succeeded", "{last:#}");
    let at_once = home.run(&["watch", job_id, "--output", "json", "--server", &server]);
    let got = home.run(&[
        "jobs", "get", job_id, "--output", "json", "--server", &server,
    ]);
    assert_eq!(at_once.document(), got.document());
    assert_eq!(got.document()["status"], "completed", "as over HTTP");
    let shown = home.run(&["jobs", "get", job_id, "--server", &server]).out;
    assert!(
        shown.contains("case=7") && shown.contains("high lane"),
        "{shown}"
    );
    let table = home
        .run(&["jobs", "list", "--state", "succeeded", "--server", &server])
        .out;
    assert!(
        table.starts_with("JOB") && table.contains(job_id),
        "{table}"
    );
    let list = ["jobs", "list", "--limit", "1", "--server", &server];
    let listed = home
        .run(&[&list[..], &["--output", "json"]].concat())
        .document();
    assert_eq!(
        (&listed["more"], &listed["jobs"][0]),
        (&false.into(), &got.document())
    );
    let lines = home.run(&[&list[..], &["--output", "jsonl"]].concat());
    assert_eq!(lines.documents(), [got.document()]);
    let none = home
        .run(&["jobs", "list", "--state", "failed", "--server", &server])
        .out;
    assert!(!none.contains(job_id), "{none}");
    let result = home
        .run(&["jobs", "result", job_id, "--server", &server])
        .out;
    assert!(result.contains("synthetic"), "{result}");
}

#[test]
fn what_cannot_be_done_is_said_with_a_next_step() {
    let home = Home::new();
    let file = home.write("media/a.png", &media::png(None));
    let dev = home.dev(&[]);
    let server = dev.server();
    let unknown = "01890a5d-ac96-774b-bcce-b302099a8057";
    let missing = home.run(&["jobs", "get", unknown, "--server", &server]);
    assert_eq!(missing.code, Some(1));
    assert!(missing.err.contains("assay jobs list"), "{}", missing.err);
    let nonsense = home.run(&["jobs", "get", "nonsense", "--server", &server]);
    assert!(
        nonsense.err.contains("`job_id` ") && nonsense.err.lines().count() == 1,
        "the field is named: {}",
        nonsense.err
    );

    let job_id = home
        .run(&["submit", &file, "--server", &server])
        .out
        .trim()
        .to_owned();
    assert_eq!(
        home.run(&["watch", &job_id, "--server", &server]).code,
        Some(0)
    );
    let retried = home.run(&["jobs", "retry", &job_id, "--server", &server]);
    assert_eq!(retried.code, Some(1));
    assert!(retried.err.contains("assay jobs get"), "{}", retried.err);
    let cancelled = home.run(&["jobs", "cancel", &job_id, "--server", &server]);
    assert_eq!(
        cancelled.code,
        Some(0),
        "a finished job is answered unchanged: {cancelled:?}"
    );
    assert!(cancelled.out.contains("succeeded"), "{}", cancelled.out);
}

#[test]
fn a_job_without_a_result_is_code_3_and_can_be_put_back() {
    let home = Home::new();
    let file = home.write("media/empty.png", b"");
    let dev = home.dev(&[]);
    let server = dev.server();
    let job_id = home
        .run(&["submit", &file, "--server", &server])
        .out
        .trim()
        .to_owned();
    let watched = home.run(&["watch", &job_id, "--server", &server]);
    assert_eq!(watched.code, Some(3), "{watched:?}");
    assert!(watched.out.contains("empty_input"), "{watched:?}");
    let result = home.run(&["jobs", "result", &job_id, "--server", &server]);
    assert_eq!(result.code, Some(1));
    assert!(result.err.contains("assay jobs get"), "{}", result.err);
    let retried = home.run(&[
        "jobs", "retry", &job_id, "--output", "json", "--server", &server,
    ]);
    assert_eq!(retried.documents()[0]["generation"], 2, "{retried:?}");
    assert_eq!(
        home.run(&["watch", &job_id, "--server", &server]).code,
        Some(3)
    );
}
