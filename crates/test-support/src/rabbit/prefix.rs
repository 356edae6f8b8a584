//! Names for one test, on the broker of the whole run.

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Context;

/// The environment variable in which `with-servers` says where its broker is.
pub const URL_VARIABLE: &str = "ASSAY_TEST_RABBITMQ";

/// The beginning of names that no other test uses. What a test declares stays until the run has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// The broker, with user and password: `amqp://…`.
    pub url: String,
    /// What every name of this test begins with.
    pub name: String,
}

impl Prefix {
    /// Takes the next one.
    ///
    /// # Panics
    /// When the test runs without `with-servers`.
    #[must_use]
    #[expect(clippy::panic, reason = "this is how a test fails")]
    pub fn take() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "tests have no configuration: the wrapper around the run tells them"
        )]
        let url = std::env::var(URL_VARIABLE).ok();
        match Self::take_at(url) {
            Ok(prefix) => prefix,
            Err(error) => panic!("{error:#}"),
        }
    }

    fn take_at(url: Option<String>) -> anyhow::Result<Self> {
        static TAKEN: AtomicU32 = AtomicU32::new(0);
        let url = url.context(
            "this test needs the RabbitMQ of `with-servers`: run `make test`, or `target/debug/with-servers -- cargo test`",
        )?;
        let number = TAKEN.fetch_add(1, Ordering::Relaxed);
        let name = format!("test-{}-{number}", std::process::id());
        Ok(Self { url, name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_prefix_is_given_out_twice() {
        let take = || Prefix::take_at(Some("amqp://here".to_owned())).unwrap();
        let (one, other) = (take(), take());
        assert_eq!(one.url, "amqp://here");
        assert_ne!(one.name, other.name);
        assert!(one.name.contains(&std::process::id().to_string()));
    }

    #[test]
    fn a_test_without_servers_is_told_how_to_run() {
        let error = Prefix::take_at(None).unwrap_err().to_string();
        assert!(error.contains("RabbitMQ"), "{error}");
        assert!(error.contains("run `make test`"), "{error}");
    }
}
