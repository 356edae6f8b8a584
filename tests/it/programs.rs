//! The programs of redis mode, as whoever starts them by hand sees them.

use std::collections::BTreeMap;

use tokio::process::Command;

/// Each program and the key of something that only it has.
const PROGRAMS: [(&str, &str); 4] = [
    ("gateway", "gateway.listen"),
    ("scheduler", "scheduler.reap_period_ms"),
    ("verification-worker", "verification.children_max"),
    ("probe-worker", "probe.journal"),
];

/// What a program said and how it ended.
struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

async fn run(name: &str, words: &[&str], variables: &[(&str, &str)]) -> Ended {
    let output = Command::new(e2e::program(name).unwrap())
        .args(words)
        .env_clear()
        .envs(BTreeMap::from_iter(variables.iter().copied()))
        .output()
        .await
        .unwrap();
    Ended {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

#[tokio::test]
async fn every_program_explains_itself_and_checks_its_configuration() {
    for (name, key) in PROGRAMS {
        let help = run(name, &["--help"], &[]).await;
        assert_eq!(help.code, Some(0), "{name}");
        assert!(
            help.out.contains("--config FILE") && help.out.contains("--check-config"),
            "{}",
            help.out
        );
        let checked = run(name, &["--check-config"], &[]).await;
        assert_eq!(
            (checked.code, checked.out.as_str()),
            (Some(0), "the configuration is usable\n")
        );
        let seed = [("REDIS_HOST", "redis.example"), ("REDIS_DB", "3")];
        let printed = run(name, &["--print-config"], &seed).await.out;
        for shown in [
            "redis.host = \"redis.example\"  # environment variable REDIS_HOST",
            "redis.db = 3  # environment variable REDIS_DB",
            "blob.folder = ",
            key,
        ] {
            assert!(printed.contains(shown), "{name}, {shown}: {printed}");
        }
    }
}

#[tokio::test]
async fn a_rabbitmq_that_will_not_do_is_refused_before_anything_starts() {
    for (name, _) in PROGRAMS {
        let refused = run(
            name,
            &[],
            &[("RABBITMQ_URL", "amqp://guest:opensesame@mq:5672")],
        )
        .await;
        assert_eq!(refused.code, Some(78), "{}", refused.err);
        assert_eq!(refused.err.lines().count(), 1, "{}", refused.err);
        assert!(
            refused.err.contains("RABBITMQ_URL") && refused.err.contains("loopback"),
            "{}",
            refused.err
        );
        assert!(!refused.err.contains("opensesame"), "{}", refused.err);
    }
}

#[tokio::test]
async fn the_admin_ports_of_one_machine_do_not_collide() {
    let mut addresses = BTreeMap::new();
    for (name, _) in PROGRAMS {
        let printed = run(name, &["--print-config"], &[]).await.out;
        let mut lines = printed.lines();
        let address = lines
            .find(|line| line.starts_with("admin.listen = "))
            .unwrap();
        let before = addresses.insert(address.to_owned(), name);
        assert_eq!(before, None, "{name}: {address}");
    }
}
