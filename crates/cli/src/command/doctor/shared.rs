//! What services that run apart would share: the Redis and the RabbitMQ that the environment names.

use std::collections::BTreeMap;

use assay_backend::{Broker, Records};
use assay_service::config::Config;

use super::check::Check;
use crate::terminal::plain;

const SETTINGS: &str = "servers";
const REDIS: &str = "redis";
const RABBITMQ: &str = "rabbitmq";

/// Variables that name servers begin like this.
const PREFIXES: [&str; 4] = [
    "REDIS_",
    "RABBITMQ_URL",
    "ASSAY__REDIS__",
    "ASSAY__RABBITMQ__",
];

/// Looks at the servers that processes started from here would use; nothing if none is named.
pub(crate) async fn named(variables: &BTreeMap<String, String>) -> Vec<Check> {
    let named = variables.iter().filter(|(name, value)| {
        !value.is_empty() && PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    });
    let named: BTreeMap<String, String> = named
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if named.is_empty() {
        return Vec::new();
    }
    let loader = Config::loader(&assay_backend::DEFAULTS).environment(named);
    let config = match loader.load() {
        Ok(config) => config,
        Err(error) => return vec![broken(SETTINGS, &error)],
    };
    if let Err(error) = assay_backend::check(&config) {
        return vec![broken(SETTINGS, &error)];
    }
    let (redis, rabbit) = tokio::join!(redis(&config), rabbit(&config));
    std::iter::once(redis).chain(rabbit).collect()
}

async fn redis(config: &Config) -> Check {
    match assay_backend::look(config).await {
        Ok(records) => redis_of(&records),
        Err(error) => broken(REDIS, &error),
    }
}

fn redis_of(records: &Records) -> Check {
    let (address, version) = (plain(&records.address), plain(&records.version));
    let promise = records.durability.promise();
    Check::ok(
        REDIS,
        &format!(
            "{address} is Redis {version} and will do; {}; a job, once answered: {promise}",
            secrecy(records.is_encrypted)
        ),
    )
}

async fn rabbit(config: &Config) -> Option<Check> {
    match assay_backend::look_at_broker(config).await {
        Ok(broker) => broker.map(|broker| rabbit_of(&broker)),
        Err(error) => Some(broken(RABBITMQ, &error)),
    }
}

fn rabbit_of(broker: &Broker) -> Check {
    let address = plain(&broker.address);
    let version = broker.version.as_deref().unwrap_or("of unknown version");
    let version = plain(version);
    if let Some(needed) = &broker.needed {
        let finding = format!("{address} is RabbitMQ {version}");
        return Check::fail(RABBITMQ, &finding, &format!("install {needed} or newer"));
    }
    let promise = Broker::promise();
    Check::ok(
        RABBITMQ,
        &format!(
            "{address} is RabbitMQ {version} and will do; {}; an envelope, once confirmed: {promise}",
            secrecy(broker.is_encrypted)
        ),
    )
}

/// Who can read along, as a part of a sentence.
fn secrecy(is_encrypted: bool) -> &'static str {
    if is_encrypted {
        "what is sent is encrypted"
    } else {
        "what is sent is not encrypted"
    }
}

fn broken(name: &'static str, error: &(dyn std::error::Error + 'static)) -> Check {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let causes: Vec<String> = causes.map(|cause| plain(&cause.to_string())).collect();
    Check::fail(name, &causes.join(": "), "")
}

#[cfg(test)]
mod tests {
    use assay_core::port::Durability;

    use super::super::check::Status;
    use super::*;

    fn variables(named: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
        named.iter().map(owned).collect()
    }

    #[tokio::test]
    async fn nothing_is_looked_at_unless_it_is_named() {
        let unnamed = variables(&[("HOME", "/h"), ("REDIS_HOST", ""), ("RABBITMQ_URL", "")]);
        assert_eq!(named(&unnamed).await, []);
    }

    #[tokio::test]
    async fn what_cannot_be_reached_or_used_is_told() {
        for (wrong, said) in [
            (
                ("REDIS_PORT", "no number"),
                "`redis.port` must be a whole number",
            ),
            (("RABBITMQ_URL", "http://a:secret@mq"), "set rabbitmq.url"),
            (("ASSAY__RABBITMQ__PREFIXX", "mine"), "rabbitmq.prefix"),
            (("REDIS_PORT", "1"), "127.0.0.1:1"),
        ] {
            let checks = named(&variables(&[wrong])).await;
            assert_eq!(checks.len(), 1, "{checks:?}");
            assert_eq!(checks[0].status, Status::Fail);
            let check = format!("{checks:?}");
            assert!(check.contains(said) && !check.contains("secret"), "{check}");
        }
    }

    #[tokio::test]
    async fn each_server_has_a_line_of_its_own() {
        let nobody = [
            ("REDIS_PORT", "1"),
            ("RABBITMQ_URL", "amqp://a:secret@127.0.0.1:1"),
        ];
        let checks = named(&variables(&nobody)).await;
        let checks: Vec<String> = checks.iter().map(|check| format!("{check:?}")).collect();
        assert_eq!(checks.len(), 2, "{checks:?}");
        assert!(checks[0].contains("127.0.0.1:1"), "{checks:?}");
        let rabbit = "connect to RabbitMQ: 127.0.0.1:1/: ";
        assert!(checks[1].contains(rabbit), "{checks:?}");
        assert!(!checks[1].contains("secret"), "{checks:?}");
    }

    #[test]
    fn a_redis_is_told_with_its_version_and_its_promise() {
        let records = Records {
            address: "127.0.0.1:6379/0".to_owned(),
            version: "7.0.15".to_owned(),
            is_encrypted: true,
            durability: Durability::PowerCut,
        };
        let check = redis_of(&records);
        assert_eq!(check.status, Status::Ok);
        let told = format!("{check:?}");
        assert!(
            told.contains(
                "127.0.0.1:6379/0 is Redis 7.0.15 and will do; what is sent is encrypted;"
            ),
            "{told}"
        );
    }

    #[test]
    fn an_old_broker_is_refused() {
        let broker = |needed: Option<&str>| Broker {
            address: "mq:5672/".to_owned(),
            version: Some("3.9.29".to_owned()),
            is_encrypted: false,
            needed: needed.map(str::to_owned),
        };
        let usable = rabbit_of(&broker(None));
        assert_eq!(usable.status, Status::Ok);
        assert!(
            format!("{usable:?}").contains("what is sent is not encrypted"),
            "{usable:?}"
        );
        assert_eq!(rabbit_of(&broker(Some("3.10"))).status, Status::Fail);
    }
}
