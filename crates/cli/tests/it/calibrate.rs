use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Command;

use assay_corpus::camera;
use assay_corpus::edit::paste::copy_within;
use assay_corpus::jpeg;
use serde_json::Value;

use crate::program::{Ended, Home, is_empty};

/// A folder of four photographs, and two in which a part was copied. Two more files cannot be counted.
fn folder(home: &Home) -> String {
    for class in ["authentic/deeper", "manipulated"] {
        std::fs::create_dir_all(home.path("media").join(class)).unwrap();
    }
    let photograph = |seed| camera::FIRST.sized(400, 320).develop(seed).unwrap();
    for seed in 0..4 {
        let file = jpeg::encode(&photograph(seed), 92).unwrap();
        home.write(&format!("media/authentic/deeper/{seed}.jpg"), &file);
    }
    for seed in 4..6 {
        let mut picture = photograph(seed);
        copy_within(&mut picture, 96, (150, 130)).unwrap();
        let file = jpeg::encode(&picture, 95).unwrap();
        home.write(&format!("media/manipulated/{seed}.jpg"), &file);
    }
    let again = std::fs::read(home.path("media/manipulated/4.jpg")).unwrap();
    home.write("media/manipulated/again.jpg", &again);
    home.write("media/authentic/empty.jpg", b"");
    home.path("media").display().to_string()
}

fn calibrate(home: &Home, folder: &str, output: &str) -> Ended {
    home.run(&["calibrate", folder, "--output", output, "--name", "a test"])
}

fn read(path: impl AsRef<Path>) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn row<'a>(record: &'a Value, id: &str) -> &'a Value {
    let mut rows = record["findings"].as_array().unwrap().iter();
    rows.find(|row| row["id"] == id).unwrap()
}

#[test]
fn a_folder_is_counted_and_verification_weighs_by_what_was_counted() {
    let home = Home::new();
    let media = folder(&home);
    let output = home.path("c.json").display().to_string();
    let ended = calibrate(&home, &media, &output);
    assert_eq!(ended.code, Some(0), "{ended:?}");

    let record = read(&output);
    assert_eq!(record["format"], "assay.calibration/1");
    assert_eq!(record["name"], "a test");
    let files = serde_json::json!({ "authentic": 4, "manipulated": 2, "synthetic": 0 });
    assert_eq!(record["files"], files);
    let copies = &row(&record, "copy_move")["counts"];
    let counts = serde_json::json!({
        "authentic": { "files": 4, "raised": 0 }, "labelled": { "files": 2, "raised": 2 },
    });
    assert_eq!(*copies, counts);

    let copy_move = ended.out.lines().find(|line| line.starts_with("copy_move"));
    let cells: Vec<&str> = copy_move.unwrap().split_whitespace().collect();
    assert_eq!(cells[..6], ["copy_move", "4", "0", "2", "manipulated", "2"]);
    for told in [
        "authentic/empty.jpg: skipped, ",
        "again.jpg: skipped, it is the same as ",
        "4 authentic, 2 manipulated, 0 synthetic files were looked at; 1 skipped, 1 repeated, 0 stages given up",
        "copy_move weighs nothing by this calibration: it is raised in 2 of 2 manipulated and in 0 of 4 authentic files",
        "calibrate: 7 of 7 looked at (100 %)",
    ] {
        assert!(ended.err.contains(told), "{told}: {}", ended.err);
    }

    // Four files bound no false alarm, so that what was found carries no verdict; built in, it does.
    let copied = home.path("media/manipulated/4.jpg").display().to_string();
    let verify = |more: &[&str]| {
        let arguments = [
            &["verify", "--in-process", "--quiet", "--json", &copied][..],
            more,
        ]
        .concat();
        let ended = home.run(&arguments);
        let [document] = &ended.documents()[..] else {
            panic!("{ended:?}")
        };
        (ended.code, document["result"].clone())
    };
    let (code, built_in) = verify(&[]);
    assert_eq!(
        (code, &built_in["engine"]["calibration"]),
        (Some(2), &Value::Null)
    );
    let report = home.path("report.html").display().to_string();
    let (code, result) = verify(&["--calibration", &output, "--report", &report]);
    assert_eq!(code, Some(0), "{result:#}");
    assert_eq!(result["verdict"]["label"], "inconclusive");
    let named = &result["engine"]["calibration"];
    assert_eq!(
        (&named["name"], &named["authentic"]),
        (&"a test".into(), &4.into())
    );
    let page = std::fs::read_to_string(&report).unwrap();
    assert!(page.contains("the calibration a test of 20"), "{page}");
}

#[test]
fn what_keeps_a_folder_from_being_counted_is_one_sentence() {
    let home = Home::new();
    let output = home.path("c.json").display().to_string();
    let media = home.path("media").display().to_string();
    let refused = |says: &str| {
        let ended = calibrate(&home, &media, &output);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.err.contains(says), "{says}: {}", ended.err);
        let sentences = ended
            .err
            .lines()
            .filter(|line| line.starts_with("assay: calibrate:"));
        assert_eq!(sentences.count(), 1, "{}", ended.err);
        assert!(!Path::new(&output).exists());
    };
    refused("has no folder `authentic`; make it");
    std::fs::create_dir(home.path("media/authentic")).unwrap();
    refused("authentic has no files; put some there, or remove it");
    home.write("media/authentic/empty.jpg", b"");
    refused("could be looked at; put photographs there");
    home.write("media/authentic/a.txt", b"This is no picture at all.");
    refused("no analysis applies to the files in");
    std::fs::create_dir(home.path("media/synthetic")).unwrap();
    home.write("media/synthetic/b.txt", b"This is no picture at all.");
    refused("they cannot be both, so remove one");
    std::fs::remove_dir_all(home.path("media")).unwrap();
    refused("there is no folder");

    home.write("c.json", b"mine");
    let ended = calibrate(&home, &media, &output);
    assert!(
        ended
            .err
            .contains("is there already; name another file with --output"),
        "{}",
        ended.err
    );
    assert_eq!(std::fs::read(&output).unwrap(), b"mine");
}

#[test]
fn a_calibration_of_other_rules_is_refused_with_the_way_out() {
    let home = Home::new();
    let other = r#"{ "format": "assay.calibration/1", "ruleset": "1999.1" }"#;
    let path = home.write("c.json", other.as_bytes());
    let file = home.write("media/a.txt", b"text");
    let way_out = "was made under the rules \"1999.1\"";
    let verify = home.run(&["verify", "--calibration", &path, &file]);
    assert_eq!(verify.code, Some(1), "{verify:?}");
    assert!(
        verify.err.contains(way_out) && verify.err.contains("`assay calibrate`"),
        "{}",
        verify.err
    );
    assert!(is_empty(&home.path("tmp")), "nothing is left of it");
    let dev = home.run(&["dev", "--calibration", &path, "--check-config"]);
    assert_eq!(dev.code, Some(78), "{dev:?}");
    assert!(dev.err.contains(way_out), "{}", dev.err);
    let elsewhere = home.run(&[
        "verify",
        "--calibration",
        &path,
        "--server",
        "http://127.0.0.1:1",
        &file,
    ]);
    assert_eq!(elsewhere.code, Some(1));
    assert!(
        elsewhere.err.contains("cannot be used with"),
        "{}",
        elsewhere.err
    );
}

#[test]
fn a_signal_ends_it_and_leaves_no_half_file() {
    let home = Home::new();
    let media = folder(&home);
    std::fs::create_dir(home.path("out")).unwrap();
    let output = home.path("out/c.json").display().to_string();
    let mut command = home.command(&["calibrate", &media, "--output", &output]);
    let mut child = command.spawn().unwrap();
    let mut err = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(err.next().unwrap().unwrap().starts_with("calibrate: "));
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    let rest: Vec<String> = err.map_while(Result::ok).collect();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest:?}");
    let said = rest.last().unwrap();
    assert_eq!(said, "assay: stopped by SIGINT; nothing was written");
    assert!(is_empty(&home.path("out")));
}
