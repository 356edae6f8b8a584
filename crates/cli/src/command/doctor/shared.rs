//! What services that run apart would share: the Redis that the environment names.

use std::collections::BTreeMap;

use assay_service::config::Config;

use super::check::Check;
use crate::terminal::plain;

const NAME: &str = "redis";

/// Variables that name servers begin like this.
const PREFIXES: [&str; 3] = ["REDIS_", "RABBITMQ_URL", "ASSAY__REDIS__"];

/// Looks at the Redis that processes started from here would use; nothing if none is named.
pub(crate) async fn named(variables: &BTreeMap<String, String>) -> Option<Check> {
    let named = variables.iter().filter(|(name, value)| {
        !value.is_empty() && PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    });
    let named: BTreeMap<String, String> = named
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if named.is_empty() {
        return None;
    }
    let loader = Config::loader(&assay_backend::DEFAULTS).environment(named);
    let config = match loader.load() {
        Ok(config) => config,
        Err(error) => return Some(broken(&error)),
    };
    Some(match assay_backend::look(&config).await {
        Ok((address, durability)) => {
            let promise = durability.promise();
            Check::ok(
                NAME,
                &format!("{address} will do; a job, once answered: {promise}"),
            )
        }
        Err(error) => broken(&error),
    })
}

fn broken(error: &(dyn std::error::Error + 'static)) -> Check {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let causes: Vec<String> = causes.map(|cause| plain(&cause.to_string())).collect();
    Check::fail(NAME, &causes.join(": "), "")
}

#[cfg(test)]
mod tests {
    use super::super::check::Status;
    use super::*;

    fn variables(named: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
        named.iter().map(owned).collect()
    }

    #[tokio::test]
    async fn nothing_is_looked_at_unless_it_is_named() {
        assert_eq!(
            named(&variables(&[("HOME", "/h"), ("REDIS_HOST", "")])).await,
            None
        );
    }

    #[tokio::test]
    async fn what_cannot_be_reached_or_used_is_told() {
        for (wrong, said) in [
            (
                ("REDIS_PORT", "no number"),
                "`redis.port` must be a whole number",
            ),
            (
                ("RABBITMQ_URL", "amqp://mq"),
                "`rabbitmq.url` must be unset",
            ),
            (("REDIS_PORT", "1"), "127.0.0.1:1"),
        ] {
            let check = named(&variables(&[wrong])).await.unwrap();
            assert_eq!(check.status, Status::Fail);
            assert!(format!("{check:?}").contains(said), "{check:?}");
        }
    }
}
