use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use redb::{Database, TableDefinition};

use crate::media;
use crate::program::{Home, await_status, status};

#[test]
fn it_gets_ready_takes_a_job_and_stops_in_order() {
    let home = Home::new();
    let dev = home.dev(&[]);
    await_status(dev.admin(), "/ready", 200);
    assert!(
        dev.banner.join("\n").contains("survives a power cut"),
        "{:?}",
        dev.banner
    );
    let mode = std::fs::metadata(home.path("data"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700, "others must not read jobs and media");
    let file = home.write("media/a.png", &media::png(None));
    let submitted = home.run(&["submit", &file, "--server", &dev.server()]);
    assert_eq!(submitted.code, Some(0), "{submitted:?}");
    let watched = home.run(&["watch", submitted.out.trim(), "--server", &dev.server()]);
    assert_eq!(watched.code, Some(0), "{watched:?}");
    assert!(watched.out.contains("inconclusive"), "{watched:?}");
    let ended = dev.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.err, "", "nothing went wrong");
}

#[test]
fn jobs_are_there_after_a_restart() {
    let home = Home::new();
    let file = home.write("media/a.png", &media::png(None));
    let dev = home.dev(&[]);
    let submitted = home.run(&["submit", &file, "--server", &dev.server()]);
    assert_eq!(dev.stop().code, Some(0));
    let dev = home.dev(&[]);
    let watched = home.run(&["watch", submitted.out.trim(), "--server", &dev.server()]);
    assert_eq!(watched.code, Some(0), "{watched:?}");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let home = Home::new();
    // Long enough that an orderly end would be noticed.
    let dev = home.dev(&[("ASSAY__SHUTDOWN__NOT_READY_MS", "600000")]);
    let admin = dev.admin();
    let _busy = home
        .command(&["jobs", "list", "--server", &dev.server()])
        .spawn()
        .unwrap()
        .wait();
    dev.signal("-TERM");
    await_status(admin, "/ready", 503);
    assert_eq!(status(admin, "/live"), 200);
    dev.signal("-INT");
    assert_eq!(dev.ended().code, Some(130));
}

#[test]
fn what_keeps_it_from_starting_is_one_sentence_with_a_way_out() {
    let home = Home::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data = home.path("other").display().to_string();
    let file = home.write("file", b"");
    let below = format!("{file}/below");
    for (folder, listen, says) in [
        (
            &data,
            address.as_str(),
            "the address is already in use; stop what listens there or set `gateway.listen`",
        ),
        (&file, "127.0.0.1:0", "choose another folder"),
        (&below, "127.0.0.1:0", "choose another folder"),
    ] {
        let ended = home.run(&[
            "dev",
            "--data-dir",
            folder,
            "--listen",
            listen,
            "--admin",
            "127.0.0.1:0",
        ]);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.err.contains(says), "{}", ended.err);
        assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
        assert_eq!(ended.out, "", "no banner");
    }
}

#[test]
fn a_folder_in_use_is_left_alone() {
    let home = Home::new();
    let dev = home.dev(&[]);
    let data = home.path("data").display().to_string();
    let second = home.run(&[
        "dev",
        "--data-dir",
        &data,
        "--listen",
        "127.0.0.1:0",
        "--admin",
        "127.0.0.1:0",
    ]);
    assert_eq!(second.code, Some(1));
    assert!(
        second.err.contains("another process uses it"),
        "{}",
        second.err
    );
    assert_eq!(second.err.lines().count(), 1, "{}", second.err);
    assert_eq!(status(dev.admin(), "/ready"), 200, "the first goes on");
}

#[test]
fn a_taken_admin_port_is_told_too() {
    let home = Home::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = home.run(&["dev", "--listen", "127.0.0.1:0", "--admin", &address]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("set `admin.listen`"), "{}", ended.err);
    assert!(!home.path("home/.local").exists(), "nothing was made");
}

#[test]
fn a_configuration_is_checked_and_printed_without_starting() {
    let home = Home::new();
    assert_eq!(
        home.run(&["dev", "--check-config"]).out,
        "the configuration is usable\n"
    );
    let printed = home.run(&["dev", "--print-config", "--data-dir", "/d"]).out;
    assert!(
        printed.contains("embedded.data_dir = \"/d\"  # the program"),
        "{printed}"
    );
    let wrong = home.write("assay.toml", b"[gateway]\nlisen = \"127.0.0.1:1\"\n");
    for arguments in [
        &["dev", "--config", &wrong][..],
        &["dev", "--config", &wrong, "--check-config"],
    ] {
        let ended = home.run(arguments);
        assert_eq!(ended.code, Some(78));
        assert!(
            ended.err.contains("gateway.listen"),
            "a suggestion: {}",
            ended.err
        );
    }
    let exposed = home.run(&["dev", "--listen", "0.0.0.0:7400"]);
    assert_eq!(exposed.code, Some(78));
    let says = "must be a loopback address unless `gateway.tokens_file` is set";
    assert!(exposed.err.contains(says), "{}", exposed.err);
}

#[test]
fn a_folder_of_a_later_version_is_left_alone() {
    let home = Home::new();
    assert_eq!(home.dev(&[]).stop().code, Some(0));
    let database = Database::open(home.path("data/jobs.redb")).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let meta: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
        let mut meta = transaction.open_table(meta).unwrap();
        meta.insert("format", u32::MAX.to_le_bytes().as_slice())
            .unwrap();
    }
    transaction.commit().unwrap();
    drop(database);
    let data = home.path("data").display().to_string();
    let ended = home.run(&[
        "dev",
        "--data-dir",
        &data,
        "--listen",
        "127.0.0.1:0",
        "--admin",
        "127.0.0.1:0",
    ]);
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.err.contains("use the version that wrote it"),
        "{}",
        ended.err
    );
    assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
}
