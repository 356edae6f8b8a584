use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::Value;

use crate::media;
use crate::program::{Home, is_empty};

/// A folder with a text, a picture, a generated picture and an empty file.
fn folder(home: &Home) -> String {
    home.write("media/empty.jpg", b"");
    home.write("media/generated.png", &media::generated());
    home.write("media/picture.png", &media::png(None));
    home.write("media/text.jpg", b"This is no picture at all.");
    home.write("media/.hidden.png", &media::generated());
    home.path("media").display().to_string()
}

fn of<'a>(documents: &'a [Value], name: &str) -> &'a Value {
    let named = |document: &&Value| document["path"].as_str().unwrap().ends_with(name);
    documents
        .iter()
        .find(named)
        .unwrap_or_else(|| panic!("{name}: {documents:#?}"))
}

#[test]
fn a_folder_is_verified_in_process_and_nothing_is_left() {
    let home = Home::new();
    let media = folder(&home);
    let ended = home.run(&["verify", "--in-process", "--json", &media]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    let documents = ended.documents();
    assert_eq!(
        documents.len(),
        4,
        "hidden files are passed over: {documents:#?}"
    );
    let label = |name| of(&documents, name)["result"]["verdict"]["label"].as_str();
    assert_eq!(label("generated.png"), Some("synthetic"));
    assert_eq!(label("picture.png"), Some("inconclusive"));
    let coverage = of(&documents, "picture.png")["result"]["coverage"].as_array();
    assert!(coverage.is_some_and(|items| !items.is_empty()));
    for document in &documents {
        let outcome = document["outcome"].as_str().unwrap();
        assert!(["verified", "failed"].contains(&outcome), "{document:#}");
    }
    assert!(is_empty(&home.path("tmp")), "the private folder is removed");
    assert!(
        is_empty(&home.path("home")),
        "the ordinary data folder is not touched"
    );
}

#[test]
fn people_get_the_verdict_the_reasons_and_the_gaps() {
    let home = Home::new();
    let file = home.write("media/generated.png", &media::generated());
    let ended = home.run(&["verify", "--in-process", &file]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(
        ended.out.starts_with(&format!("{file}: synthetic\n")),
        "{}",
        ended.out
    );
    assert!(
        ended.out.contains("  for synthetic origin (+"),
        "{}",
        ended.out
    );
    assert!(
        ended.out.contains("  not tested: face swap"),
        "{}",
        ended.out
    );
    assert!(
        !ended.out.contains('\u{1b}'),
        "no colours without a terminal"
    );
    assert!(
        ended.err.contains("1 verified, 1 of them suspicious"),
        "{}",
        ended.err
    );
    assert!(
        ended.err.contains(&format!("{file}: upload")),
        "progress in lines: {}",
        ended.err
    );
    let quiet = home.run(&["verify", "--in-process", "--quiet", &file]);
    assert_eq!(quiet.err, "1 verified, 1 of them suspicious\n");
}

#[test]
fn nothing_suspicious_is_code_0_and_an_unreadable_file_does_not_stop_the_rest() {
    let home = Home::new();
    let file = home.write("media/picture.png", &media::png(None));
    let clean = home.run(&["verify", "--in-process", "--quiet", &file]);
    assert_eq!(clean.code, Some(0), "{clean:?}");
    let missing = home.path("media/none.png").display().to_string();
    let mixed = home.run(&["verify", "--in-process", "--quiet", &missing, &file]);
    assert_eq!(mixed.code, Some(1), "{mixed:?}");
    assert!(mixed.err.contains("none.png"), "{}", mixed.err);
    assert!(mixed.out.contains("inconclusive"), "{}", mixed.out);
    let none = home.run(&[
        "verify",
        "--in-process",
        &home.path("tmp").display().to_string(),
    ]);
    assert_eq!(none.code, Some(1));
    assert!(none.err.contains("there are none"), "{}", none.err);
}

#[test]
fn a_running_server_does_the_work_when_it_is_named() {
    let home = Home::new();
    let media = folder(&home);
    let dev = home.dev(&[]);
    let server = dev.server();
    let ended = home.run(&["verify", "--json", "--server", &server, &media]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    let job_id = of(&ended.documents(), "generated.png")["jobId"]
        .as_str()
        .unwrap()
        .to_owned();
    let listed = home.run(&["jobs", "list", "--output", "jsonl", "--server", &server]);
    assert_eq!(listed.documents().len(), 4);
    let result = home.run(&[
        "jobs", "result", &job_id, "--output", "json", "--server", &server,
    ]);
    assert_eq!(result.documents()[0]["verdict"]["label"], "synthetic");
    assert!(is_empty(&home.path("tmp")), "no folder of its own");
}

#[test]
fn a_signal_stops_it_and_removes_what_it_made() {
    let home = Home::new();
    // So many that none of them is near the end when the first is begun.
    for number in 0..300 {
        home.write(
            &format!("media/{number}.png"),
            &media::png(Some(&number.to_string())),
        );
    }
    let folder = home.path("media").display().to_string();
    let mut child = home
        .command(&["verify", "--in-process", &folder])
        .spawn()
        .unwrap();
    let mut progress = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    progress.read_line(&mut line).unwrap();
    assert!(line.contains("upload"), "{line}");
    let private = std::fs::read_dir(home.path("tmp")).unwrap().next();
    let mode = private.unwrap().unwrap().metadata().unwrap().permissions();
    assert_eq!(
        mode.mode() & 0o777,
        0o700,
        "media are for their owner alone"
    );
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    let mut rest = String::new();
    progress.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest}");
    assert!(rest.contains("stopped by SIGINT"), "{rest}");
    assert!(is_empty(&home.path("tmp")), "the private folder is removed");
}

#[test]
fn what_a_killed_one_leaves_behind_the_next_one_removes() {
    let home = Home::new();
    let folder = home.path("media").display().to_string();
    for number in 0..300 {
        let content = media::png(Some(&number.to_string()));
        home.write(&format!("media/{number}.png"), &content);
    }
    let mut killed = home
        .command(&["verify", "--in-process", &folder])
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut progress = BufReader::new(killed.stderr.take().unwrap());
    progress.read_line(&mut line).unwrap();
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(!is_empty(&home.path("tmp")), "nothing was left behind");

    let file = home.write("media/0.png", &media::png(None));
    home.run(&["verify", "--in-process", &file]);
    assert!(is_empty(&home.path("tmp")), "it is removed");
}

#[test]
fn results_that_nobody_reads_are_no_all_clear() {
    let home = Home::new();
    let file = home.write("media/picture.png", &media::png(None));
    let mut child = home
        .command(&["verify", "--in-process", "--quiet", &file])
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(is_empty(&home.path("tmp")), "the private folder is removed");
}

#[test]
fn a_report_is_one_page_about_one_file_and_not_replaced_in_passing() {
    let home = Home::new();
    let media = folder(&home);
    let file = home.path("media/generated.png").display().to_string();
    let report = home.path("report.html");
    let name = report.display().to_string();
    let verify = ["verify", "--in-process", "--quiet", "--report", &name];
    let written = home.run(&[&verify[..], &[&file]].concat());
    assert_eq!(written.code, Some(2), "{written:?}");
    assert!(
        written.err.starts_with(&format!("report: {name}\n")),
        "{}",
        written.err
    );
    let page = std::fs::read_to_string(&report).unwrap();
    for part in [
        "Synthetic</h2>",
        "What was not tested</h2>",
        "data:image/png;base64,",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let again = home.run(&[&verify[..], &[&file]].concat());
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(
        again.err.contains("replace it with --force") && again.out.is_empty(),
        "{again:?}"
    );
    let several = home.run(&[&verify[..], &["--force", &media]].concat());
    assert_eq!(several.code, Some(1), "{several:?}");
    assert!(several.err.contains("it is about one file"), "{several:?}");
}

#[test]
fn a_report_lays_the_map_of_a_finding_over_the_picture() {
    let home = Home::new();
    let file = home.write("media/copied.jpg", &media::copied());
    let report = home.path("report.html");
    let name = report.display().to_string();
    let written = home.run(&[
        "verify",
        "--in-process",
        "--quiet",
        "--report",
        &name,
        &file,
    ]);
    assert_eq!(written.code, Some(2), "{written:?}");
    let page = std::fs::read_to_string(&report).unwrap();
    for part in [
        "Manipulated</h2>",
        "data:image/jpeg;base64,",
        "data:image/png;base64,",
    ] {
        assert!(page.contains(part), "{part}");
    }
}
