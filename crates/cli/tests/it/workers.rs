use crate::program::{Home, await_status};

#[test]
fn the_workers_of_a_server_are_listed() {
    let home = Home::new();
    let dev = home.dev(&[]);
    await_status(dev.admin(), "/ready", 200);
    let server = dev.server();
    let listed = home.run(&["workers", "--server", &server]);
    assert_eq!(listed.code, Some(0), "{listed:?}");
    assert!(
        listed.out.contains("content-verification"),
        "{}",
        listed.out
    );
    assert_eq!(listed.out.lines().count(), 2, "{}", listed.out);
    let documents = home
        .run(&["workers", "--output", "jsonl", "--server", &server])
        .documents();
    assert_eq!(documents.len(), 1);
    assert_eq!(documents[0]["service"], "embedded");
    assert_eq!(documents[0]["alive"], true);
    let whole = home.run(&["workers", "--output", "json", "--server", &server]);
    assert_eq!(whole.document()["workers"].as_array().unwrap().len(), 1);
}
