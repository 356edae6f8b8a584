//! An empty database for one test, on the Redis of the whole run.

use std::net::SocketAddr;

use anyhow::Context;

use super::client::Client;

/// The environment variable in which `with-servers` says where its Redis listens.
pub const ADDRESS_VARIABLE: &str = "ASSAY_TEST_REDIS";

/// Databases that the server of a run has. The first counts how many of the others were given out.
pub(crate) const DATABASES: u32 = 4096;

/// The counter in the first database.
const COUNTER: &str = "databases-given-out";

/// A database that no other test uses. Channels are not part of one: what is published on a server reaches
/// subscribers of every database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Database {
    /// Where the server listens.
    pub address: SocketAddr,
    /// What to select there.
    pub number: u32,
}

impl Database {
    /// Takes the next one, emptied.
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
        let address = std::env::var(ADDRESS_VARIABLE).ok();
        match Self::take_at(address.as_deref()) {
            Ok(database) => database,
            Err(error) => panic!("{error:#}"),
        }
    }

    /// A client of it.
    ///
    /// # Errors
    /// When the server is gone.
    pub fn client(&self) -> anyhow::Result<Client> {
        let mut client = Client::connect(self.address)?;
        client.run(&["SELECT", &self.number.to_string()])?;
        Ok(client)
    }

    fn take_at(address: Option<&str>) -> anyhow::Result<Self> {
        let address = address.context(
            "this test needs the Redis of `with-servers`: run `make test`, or `target/debug/with-servers -- cargo test`",
        )?;
        let address = address
            .parse()
            .with_context(|| format!("read {ADDRESS_VARIABLE}={address} as an address"))?;
        let taken = Client::connect(address)?.run(&["INCR", COUNTER])?;
        let number = number(taken.integer().context("count databases")?);
        let database = Self { address, number };
        database.client()?.run(&["FLUSHDB"])?;
        Ok(database)
    }
}

/// The database for the `taken`-th test of a run, from 1: all but the first in turn.
fn number(taken: i64) -> u32 {
    let turn = (taken - 1).rem_euclid(i64::from(DATABASES - 1));
    u32::try_from(turn).map_or(1, |turn| turn + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_database_but_the_first_has_its_turn() {
        assert_eq!(number(1), 1);
        assert_eq!(number(4095), 4095);
        assert_eq!(number(4096), 1);
    }

    #[test]
    fn a_test_without_servers_is_told_how_to_run() {
        let error = Database::take_at(None).unwrap_err().to_string();
        assert!(error.contains("run `make test`"), "{error}");
        let error = Database::take_at(Some("here")).unwrap_err().to_string();
        assert_eq!(error, "read ASSAY_TEST_REDIS=here as an address");
    }
}
