use std::collections::BTreeMap;
use std::io::Write;

use assay_service::config::{CONFIG_FILE_BYTES_MAX, Config, Error, Origin};
use serde::Deserialize;
use tempfile::NamedTempFile;

const DEFAULTS: &str = r#"
[redis]
host = "127.0.0.1"
port = 6379
password = ""
db = 0
tls = false
[rabbitmq]
url = ""
[worker]
concurrency = 4
attempt_timeout_ms = 60000
spread = 0.5
kinds = ["batch"]
eager = false
limits = {}
[worker.breaker]
failures_max = 5
"#;

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn load(text: &str, variables: &[(&str, &str)]) -> Result<Config, Error> {
    let file = file(text);
    let map = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
    let environment: BTreeMap<String, String> = variables.iter().map(map).collect();
    Config::loader(&[DEFAULTS])
        .file(Some(file.path()))
        .environment(environment)
        .load()
}

fn said(text: &str, variables: &[(&str, &str)]) -> String {
    load(text, variables).unwrap_err().to_string()
}

#[test]
fn the_environment_wins_over_the_file_and_code_over_all() {
    let port = |config: &Config| config.section::<u16>("redis.port").unwrap();
    let seed = ("REDIS_PORT", "7002");
    let ours = ("ASSAY__REDIS__PORT", "7003");
    assert_eq!(port(&load("", &[]).unwrap()), 6379);
    assert_eq!(port(&load("redis.port = 7001", &[]).unwrap()), 7001);
    assert_eq!(port(&load("redis.port = 7001", &[seed]).unwrap()), 7002);
    let config = load("redis.port = 7001", &[seed, ours]).unwrap();
    assert_eq!(port(&config), 7003);
    assert_eq!(
        config.origin("redis.port"),
        Some(&Origin::Variable("ASSAY__REDIS__PORT".into()))
    );
    let map = BTreeMap::from([("REDIS_PORT".to_owned(), "7002".to_owned())]);
    let set = Config::loader(&[DEFAULTS])
        .set("redis.port", "7004")
        .environment(map);
    assert_eq!(port(&set.load().unwrap()), 7004);
}

#[test]
fn every_variable_of_the_seed_sets_its_key() {
    let config = load(
        "",
        &[
            ("REDIS_HOST", "cache"),
            ("REDIS_PORT", "1"),
            ("REDIS_PASSWORD", "p "),
            ("REDIS_DB", "2"),
            ("REDIS_TLS", "true"),
            ("RABBITMQ_URL", "amqp://mq"),
            ("WORKER_CONCURRENCY", "3"),
            ("WORKER_TIMEOUT", "1500"),
        ],
    )
    .unwrap();
    let text = |key: &str| config.section::<String>(key).unwrap();
    let number = |key: &str| config.section::<u64>(key).unwrap();
    assert_eq!(
        [text("redis.host"), text("redis.password")],
        ["cache", "p "]
    );
    assert_eq!([number("redis.port"), number("redis.db")], [1, 2]);
    assert!(config.section::<bool>("redis.tls").unwrap());
    assert_eq!(text("rabbitmq.url"), "amqp://mq");
    assert_eq!(
        [
            number("worker.concurrency"),
            number("worker.attempt_timeout_ms")
        ],
        [3, 1500]
    );
}

#[test]
fn a_seed_variable_that_is_empty_or_for_another_service_is_passed_over() {
    let config = load("", &[("WORKER_CONCURRENCY", "")]).unwrap();
    assert_eq!(config.origin("worker.concurrency"), Some(&Origin::Default));
    let none = BTreeMap::from([("REDIS_PORT".to_owned(), "1".to_owned())]);
    assert!(Config::loader(&[]).environment(none).load().is_ok());
}

#[test]
fn a_section_becomes_a_struct_with_tables_inside() {
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Worker {
        concurrency: usize,
        attempt_timeout_ms: u64,
        spread: f64,
        kinds: Vec<String>,
        eager: bool,
        limits: BTreeMap<String, u32>,
        breaker: Breaker,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Breaker {
        failures_max: u32,
    }
    let config = load(
        "[worker]\nspread = 1\nlimits = { image = 3 }",
        &[
            ("ASSAY__WORKER__KINDS", "a, b"),
            ("ASSAY__WORKER__EAGER", "true"),
            ("ASSAY__WORKER__BREAKER__FAILURES_MAX", "7"),
            ("ASSAY__WORKER__LIMITS__VIDEO", "9"),
        ],
    );
    let worker: Worker = config.unwrap().section("worker").unwrap();
    let limits = BTreeMap::from([("image".to_owned(), 3), ("video".to_owned(), 9)]);
    let kinds = vec!["a".to_owned(), "b".to_owned()];
    let breaker = Breaker { failures_max: 7 };
    let (concurrency, attempt_timeout_ms) = (4, 60_000);
    let wanted = Worker {
        concurrency,
        attempt_timeout_ms,
        spread: 1.0,
        kinds,
        eager: true,
        limits,
        breaker,
    };
    assert_eq!(worker, wanted);
}

#[test]
fn an_unknown_key_is_answered_with_the_nearest_one() {
    assert_eq!(
        said("", &[("ASSAY__REDIS__PROT", "1")]),
        "there is no key `redis.prot`, set by environment variable ASSAY__REDIS__PROT; did you mean \
         `redis.port`?"
    );
    assert!(said("", &[("ASSAY__REDIS__PASWORD_FILE", "x")]).contains("`redis.password_file`?"));
}

#[test]
fn a_suggestion_is_made_up_to_three_edits() {
    assert!(said("redis.hostabc = 1", &[]).ends_with("did you mean `redis.host`?"));
    let far = said("redis.hostabcd = 1", &[]);
    assert!(!far.contains("did you mean"), "{far}");
    assert!(
        far.contains("section `redis` has `redis.db`, `redis.host`"),
        "{far}"
    );
    let stranger = said("kafka.brokers = 1", &[]);
    assert!(
        stranger.contains("the sections are `admin`, `rabbitmq`, `redis`"),
        "{stranger}"
    );
    assert!(said("redis = 1", &[]).contains("it is a section: set one of `redis.db`"));
}

#[test]
fn a_wrong_type_names_key_origin_and_a_good_value() {
    assert_eq!(
        said("", &[("ASSAY__REDIS__PORT", "abc")]),
        "`redis.port` must be a whole number, but environment variable ASSAY__REDIS__PORT holds \
         \"abc\"; write for example 6379"
    );
    assert!(said("redis.host = 1", &[]).contains("write for example \"127.0.0.1\""));
    assert!(said("worker.eager = \"yes\"", &[]).contains("must be true or false"));
    assert!(said("", &[("ASSAY__WORKER__SPREAD", "NaN")]).contains("must be a number"));
    assert!(
        said("", &[("REDIS_PORT", "tcp://10.0.0.7:6379")]).contains("enableServiceLinks: false")
    );
}

#[test]
fn a_value_out_of_range_is_found_when_the_section_is_read() {
    let port = |text: &str| load(text, &[]).unwrap().section::<u16>("redis.port");
    assert_eq!(port("redis.port = 65535").unwrap(), 65_535);
    let error = port("redis.port = 65536").unwrap_err().to_string();
    assert!(
        error.starts_with("cannot use `redis.port` from file "),
        "{error}"
    );
    assert!(error.ends_with("write for example 6379"), "{error}");
}

#[test]
fn all_problems_are_told_at_once() {
    let text = said(
        "redis.prot = 1\nworker.concurrency = \"x\"",
        &[("ASSAY__NOPE__X", "1")],
    );
    assert_eq!(text.lines().count(), 3, "{text}");
}

#[test]
fn a_secret_may_be_a_file_and_is_never_shown() {
    let secret = file("s3cret\n");
    let path = secret.path().display().to_string();
    let config = load("", &[("ASSAY__REDIS__PASSWORD_FILE", &path)]).unwrap();
    assert_eq!(
        config.section::<String>("redis.password").unwrap(),
        "s3cret"
    );
    let lines: Vec<String> = config.explain().iter().map(ToString::to_string).collect();
    let shown = lines
        .iter()
        .find(|line| line.starts_with("redis.password"))
        .unwrap();
    let origin =
        format!("secret file {path} (named by environment variable ASSAY__REDIS__PASSWORD_FILE)");
    assert_eq!(*shown, format!("redis.password = \"(hidden)\"  # {origin}"));
    assert!(!lines.join("\n").contains("s3cret"));
}

#[test]
fn a_secret_given_twice_in_one_place_or_in_no_file_is_refused() {
    let both = said("redis.password = \"a\"\nredis.password_file = \"b\"", &[]);
    assert_eq!(
        both,
        "`redis.password` and `redis.password_file` are both set; keep one of them"
    );
    let gone = said("", &[("ASSAY__RABBITMQ__URL_FILE", "/nonexistent/url")]);
    assert!(
        gone.starts_with("cannot read /nonexistent/url, named by `rabbitmq.url_file`"),
        "{gone}"
    );
    assert!(load("", &[("ASSAY__REDIS__PASSWORD_FILE", "")]).is_ok());
    assert!(said("redis.host_file = \"x\"", &[]).contains("there is no key"));
}

#[test]
fn a_password_is_not_in_a_message_either() {
    let error = load("redis.password = 12345", &[]).unwrap_err().to_string();
    assert!(error.contains("must be text"), "{error}");
    let config = load("rabbitmq.url = \"amqp://u:hunter2@mq\"", &[]).unwrap();
    let error = config
        .refuse("rabbitmq.url", "start with amqps://")
        .to_string();
    assert!(
        error.contains("amqp://u:(hidden)@mq") && !error.contains("hunter2"),
        "{error}"
    );
    let config = load("redis.password = \"hunter2\"", &[]).unwrap();
    assert!(
        !config
            .section::<u32>("redis.password")
            .unwrap_err()
            .to_string()
            .contains("hunter2")
    );
}

#[test]
fn a_file_is_read_up_to_its_bound_and_named_when_it_is_wrong() {
    let comment = |bytes: u64| "#".repeat(usize::try_from(bytes).unwrap());
    assert!(load(&comment(CONFIG_FILE_BYTES_MAX), &[]).is_ok());
    assert!(said(&comment(CONFIG_FILE_BYTES_MAX + 1), &[]).contains("larger than 1048576 bytes"));
    let broken = said("redis.port = = 3", &[]);
    assert!(
        broken.contains("line 1") && broken.lines().count() == 1,
        "{broken}"
    );
    let loader = Config::loader(&[]).file(Some("/nonexistent.toml".as_ref()));
    let missing = loader.load().unwrap_err().to_string();
    assert!(
        missing.starts_with("cannot read configuration file /nonexistent.toml: "),
        "{missing}"
    );
}

#[test]
fn what_is_printed_can_be_read_back() {
    let config = load(
        "worker.limits = { a = 1 }",
        &[("ASSAY__WORKER__KINDS", "x,y")],
    )
    .unwrap();
    let text: String = config
        .explain()
        .iter()
        .map(|line| format!("{line}\n"))
        .collect();
    let again = load(&text, &[]).unwrap();
    let values = |config: &Config| -> Vec<_> {
        config
            .explain()
            .into_iter()
            .map(|line| (line.key, line.value))
            .collect()
    };
    assert_eq!(values(&again), values(&config));
}

#[test]
fn the_hash_tells_settings_apart_but_not_secrets_nor_where_a_setting_came_from() {
    let hash = |text: &str, variables: &[(&str, &str)]| load(text, variables).unwrap().hash();
    let plain = hash("", &[]);
    assert_ne!(plain, hash("redis.port = 7001", &[]));
    assert_eq!(
        hash("redis.port = 7001", &[]),
        hash("", &[("REDIS_PORT", "7001")])
    );
    assert_eq!(plain, hash("", &[("REDIS_PASSWORD", "p")]));
    let url = |password: &str| format!("amqp://u:{password}@mq");
    let with = |password: &str| hash("", &[("RABBITMQ_URL", &url(password))]);
    assert_eq!(with("one"), with("two"));
}

#[test]
fn a_later_component_may_change_a_default_but_not_its_type() {
    let other = Config::loader(&["[admin]\nlisten = \"127.0.0.1:9101\""])
        .load()
        .unwrap();
    assert_eq!(
        other.section::<String>("admin.listen").unwrap(),
        "127.0.0.1:9101"
    );
    assert!(matches!(
        Config::loader(&["admin.listen = 1"]).load(),
        Err(Error::Defaults(_))
    ));
    assert!(matches!(
        Config::loader(&["a.Listen = 1"]).load(),
        Err(Error::Defaults(_))
    ));
}
