use std::net::TcpListener;

use crate::program::{Home, await_status};

fn doctor(home: &Home, data: &str, listen: &str, admin: &str) -> crate::program::Ended {
    home.run(&[
        "doctor",
        "--data-dir",
        data,
        "--listen",
        listen,
        "--admin",
        admin,
    ])
}

#[test]
fn a_machine_that_can_run_it_has_no_fail() {
    let home = Home::new();
    let data = home.path("data").display().to_string();
    let ended = doctor(&home, &data, "127.0.0.1:0", "127.0.0.1:0");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for name in [
        "configuration",
        "clock",
        "open files",
        "data folder",
        "disk space",
        "API port",
        "HTTP port",
        "admin port",
        "server",
    ] {
        assert!(ended.out.contains(name), "{name}: {}", ended.out);
    }
    assert!(ended.out.lines().count() <= 24, "one screen");
    assert!(
        ended.out.contains("assay dev"),
        "no server runs, and how to start one: {}",
        ended.out
    );
    assert!(!home.path("data").exists(), "looking changes nothing");
}

#[test]
fn what_is_broken_is_named_with_a_way_to_mend_it() {
    let home = Home::new();
    let file = home.write("file", b"");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = doctor(&home, &file, &address, "127.0.0.1:0");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let fails: Vec<&str> = ended
        .out
        .lines()
        .filter(|line| line.starts_with("fail"))
        .collect();
    assert_eq!(fails.len(), 2, "{}", ended.out);
    assert!(
        fails[0].contains("it is not a folder") && fails[0].contains("--data-dir"),
        "{}",
        fails[0]
    );
    assert!(
        fails[1].contains(&address) && fails[1].contains("--listen"),
        "{}",
        fails[1]
    );
    let wrong = home.write("assay.toml", b"[store]\nevent_lag_max = 0\n");
    let wrong = home.run(&["doctor", "--config", &wrong]);
    assert_eq!(wrong.code, Some(1));
    assert!(
        wrong
            .out
            .contains("`store.event_lag_max` must be 1 or more"),
        "{}",
        wrong.out
    );
}

#[test]
fn a_running_server_has_its_folder_and_its_ports() {
    let home = Home::new();
    let dev = home.dev(&[]);
    await_status(dev.admin(), "/ready", 200);
    let data = home.path("data").display().to_string();
    let listen = dev.server().replace("http://", "");
    let ended = doctor(&home, &data, &listen, &dev.admin().to_string());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.out.contains("in use by the server that runs"),
        "{}",
        ended.out
    );
    assert!(
        ended.out.contains("answers and is healthy"),
        "{}",
        ended.out
    );
    assert!(
        ended.out.lines().all(|line| line.starts_with("ok")),
        "{}",
        ended.out
    );
}

/// A detector whose model is not there.
const MODEL: &str = r#"
[detectors.external.clip]
protocol = "onnx"
tasks = ["ai_generated"]
[detectors.external.clip.model]
path = "/nowhere/clip.onnx"
sha256 = "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a"
input = "pixels"
output = "score"
width = 8
height = 8
"#;

#[test]
fn a_model_that_cannot_be_used_is_named_with_what_to_mend() {
    let home = Home::new();
    let config = home.write("assay.toml", MODEL.as_bytes());
    let must = "`detectors.external.clip.model.path` must name a file that can be read";
    let ended = home.run(&["doctor", "--config", &config]);
    let line = ended.out.lines().find(|line| line.contains("detector "));
    let line = line.unwrap_or_else(|| panic!("{ended:?}"));
    assert!(line.starts_with("warn") && line.contains(must), "{line}");
    let checked = home.run(&["dev", "--config", &config, "--check-config"]);
    assert_eq!(checked.code, Some(78), "{checked:?}");
    assert!(checked.err.contains(must), "{}", checked.err);
}
