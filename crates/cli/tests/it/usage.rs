use crate::program::Home;

#[test]
fn every_command_explains_itself_and_its_exit_codes() {
    let home = Home::new();
    let whole = home.run(&["--help"]);
    assert_eq!(whole.code, Some(0));
    for command in [
        "dev",
        "verify",
        "calibrate",
        "submit",
        "watch",
        "jobs",
        "queues",
        "workers",
        "content",
        "token",
        "dead-letters",
        "doctor",
        "completions",
    ] {
        assert!(
            whole.out.contains(&format!("\n  {command} ")),
            "{command}: {}",
            whole.out
        );
        let help = home.run(&[command, "--help"]);
        assert_eq!(help.code, Some(0));
        assert!(help.out.contains("Exit codes:"), "{}", help.out);
    }
    let verify = home.run(&["verify", "--help"]).out;
    assert!(
        verify.contains("2  at least one file is synthetic, manipulated or altered"),
        "{verify}"
    );
    for command in ["list", "get", "result", "cancel", "retry"] {
        assert_eq!(home.run(&["jobs", command, "--help"]).code, Some(0));
    }
    for command in ["list", "pause", "resume", "purge"] {
        assert_eq!(home.run(&["queues", command, "--help"]).code, Some(0));
    }
    for command in ["list", "show", "edit", "redrive", "purge"] {
        assert_eq!(home.run(&["dead-letters", command, "--help"]).code, Some(0));
    }
    assert!(home.run(&["--version"]).out.starts_with("assay 0."));
}

#[test]
fn wrong_usage_is_code_1_with_a_way_out() {
    let home = Home::new();
    for (arguments, says) in [
        (&["verfy"][..], "verify"),
        (&["verify"], "PATH"),
        (&["verify", "--no-such-option", "x"], "--help"),
        (&["jobs", "list", "--state", "done"], "succeeded, failed"),
        (&["jobs", "list", "--limit", "0"], "1..=100000"),
        (&["jobs", "list", "--limit", "100001"], "1..=100000"),
        (
            &["jobs", "list", "--server", "nowhere"],
            "write it like http://127.0.0.1:7400",
        ),
        (&["submit", "x", "--label", "novalue"], "KEY=VALUE"),
        (&["jobs", "list", "--output", "yaml"], "table, json, jsonl"),
        (&["dead-letters", "redrive"], "--all for all"),
        (&["dead-letters", "purge", "--yes"], "--all for all"),
        (&["dead-letters", "purge", "--all"], "add --yes"),
        (&["queues", "purge", "batch"], "add --yes"),
        (&["dead-letters", "list", "--since", "soon"], "12h or 7d"),
        (
            &["dead-letters", "list", "--reason", "bad"],
            "attempts_exhausted, crash_loop",
        ),
        (&["completions", "tcsh"], "bash, zsh, fish"),
    ] {
        let ended = home.run(arguments);
        assert_eq!(ended.code, Some(1), "{arguments:?}");
        assert!(ended.err.contains(says), "{arguments:?}: {}", ended.err);
        assert!(ended.out.is_empty(), "{}", ended.out);
    }
}

#[test]
fn a_command_without_a_server_says_how_to_start_one() {
    let home = Home::new();
    let file = home.write("media/a.txt", b"text");
    // Port 1 is privileged, and nobody listens there.
    let server = "http://127.0.0.1:1";
    for arguments in [
        &["jobs", "list"][..],
        &["jobs", "get", "01890a5d-ac96-774b-bcce-b302099a8057"],
        &["watch", "01890a5d-ac96-774b-bcce-b302099a8057"],
        &["submit", &file],
        &["verify", &file],
    ] {
        let ended = home.run(&[arguments, &["--server", server]].concat());
        let wanted = format!(
            "no server answers at {server} (Connection refused (os error 111)): start one with `assay dev`"
        );
        assert_eq!(ended.code, Some(1));
        assert!(ended.err.contains(&wanted), "{}", ended.err);
        assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
    }
}

#[test]
fn a_stranger_that_says_nothing_is_not_waited_for_forever() {
    let home = Home::new();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", silent.local_addr().unwrap());
    let ended = home.run(&["jobs", "list", "--server", &server]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("gave no answer"), "{}", ended.err);
}
