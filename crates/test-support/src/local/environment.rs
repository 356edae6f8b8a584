//! Which Redis and which RabbitMQ the services are to use, from the environment of whoever starts them.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::net::SocketAddr;

/// Variables that name a Redis of somebody's own.
const GIVEN: [&str; 2] = ["REDIS_HOST", "ASSAY__REDIS__HOST"];
/// Beginnings of all variables that say something about Redis.
const ABOUT_REDIS: [&str; 2] = ["REDIS_", "ASSAY__REDIS__"];

/// Variables that name a RabbitMQ of somebody's own.
const GIVEN_RABBIT: [&str; 2] = ["RABBITMQ_URL", "ASSAY__RABBITMQ__URL"];
/// One that names a file which does.
const GIVEN_RABBIT_FILE: &str = "ASSAY__RABBITMQ__URL_FILE";
/// One that says who is trusted to be it.
const RABBIT_CA_FILE: &str = "ASSAY__RABBITMQ__CA_FILE";

/// How a variable begins that is a setting.
const SETTING: &str = "ASSAY__";

/// Variables for the services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// That of this process.
    pub(super) fn inherited() -> Self {
        Self(std::env::vars_os().collect())
    }

    /// The Redis that it names, if it does.
    pub(super) fn redis(&self) -> Option<&OsStr> {
        let named = GIVEN.iter().filter_map(|name| self.0.get(OsStr::new(name)));
        named.map(OsString::as_os_str).find(|host| !host.is_empty())
    }

    /// The same, with a private Redis in place of all that was said about one.
    pub(super) fn with_redis(mut self, address: SocketAddr) -> Self {
        self.0.retain(|name, _| {
            let name = name.to_string_lossy();
            !ABOUT_REDIS.iter().any(|about| name.starts_with(about))
        });
        self.set("ASSAY__REDIS__HOST", &address.ip().to_string())
            .set("ASSAY__REDIS__PORT", &address.port().to_string())
    }

    /// The RabbitMQ that it names, if it does, without user and password.
    pub(super) fn rabbit(&self) -> Option<String> {
        let value = |name: &str| self.0.get(OsStr::new(name)).filter(|url| !url.is_empty());
        let url = GIVEN_RABBIT.iter().find_map(|name| value(name));
        let hosts = url.map(|url| {
            let url = url.to_string_lossy();
            let hosts = url.split(',').map(host);
            hosts.collect::<Vec<_>>().join(", ")
        });
        let file = || value(GIVEN_RABBIT_FILE).map(|file| file.to_string_lossy().into_owned());
        hosts.or_else(file)
    }

    /// The same, with a private RabbitMQ in place of what was said about where one is.
    pub(super) fn with_rabbit(self, url: &str) -> Self {
        self.without_rabbit().set("ASSAY__RABBITMQ__URL", url)
    }

    /// The same, with nothing said about where a RabbitMQ is.
    pub(super) fn without_rabbit(mut self) -> Self {
        for name in GIVEN_RABBIT
            .into_iter()
            .chain([GIVEN_RABBIT_FILE, RABBIT_CA_FILE])
        {
            self.0.remove(OsStr::new(name));
        }
        self
    }

    /// The same, with one variable more.
    pub(super) fn set(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }

    /// The same, with one variable more unless it is there.
    pub(super) fn or_set(mut self, name: &str, value: &str) -> Self {
        self.0.entry(name.into()).or_insert_with(|| value.into());
        self
    }

    /// Without the settings of other services: each refuses a section that it does not know. What no service knows
    /// is left in, to be refused by name.
    pub(super) fn of_service(mut self, own: &Sections, all: &[Sections]) -> Self {
        self.0.retain(|name, _| {
            let name = name.to_string_lossy();
            let known = |sections: &Sections| sections.hold(&name);
            known(own) || !all.iter().any(known)
        });
        self
    }

    /// Name and value of all.
    pub(super) fn variables(&self) -> impl Iterator<Item = (&OsString, &OsString)> {
        self.0.iter()
    }
}

/// Where a URL leads, without who logs in.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.rsplit_once('@').map_or(rest, |(_, host)| host).trim()
}

/// The sections of settings that a service knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sections(BTreeSet<String>);

impl Sections {
    /// Reads them from what `--print-config` prints: lines such as `admin.listen = "..."`.
    pub(super) fn parse(printed: &str) -> Self {
        let sections = printed.lines().filter_map(|line| line.split_once('.'));
        Self(sections.map(|(section, _)| section.to_owned()).collect())
    }

    /// Whether a variable sets something in one of them.
    fn hold(&self, variable: &str) -> bool {
        let setting = variable
            .strip_prefix(SETTING)
            .and_then(|rest| rest.split_once("__"));
        setting.is_some_and(|(section, _)| self.0.contains(&section.to_lowercase()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        let variable = |(name, value): &(&str, &str)| ((*name).into(), (*value).into());
        Environment(variables.iter().map(variable).collect())
    }

    #[test]
    fn a_redis_is_given_by_its_host() {
        assert_eq!(environment(&[("REDIS_PORT", "6379")]).redis(), None);
        assert_eq!(environment(&[("REDIS_HOST", "")]).redis(), None);
        let given = environment(&[("REDIS_HOST", "here")]);
        assert_eq!(given.redis(), Some(OsStr::new("here")));
        let given = environment(&[("ASSAY__REDIS__HOST", "there")]);
        assert_eq!(given.redis(), Some(OsStr::new("there")));
    }

    #[test]
    fn a_private_redis_replaces_what_was_said_about_one() {
        let said = environment(&[
            ("REDIS_PORT", "1"),
            ("ASSAY__REDIS__DB", "2"),
            ("HOME", "/root"),
        ]);
        let wanted = environment(&[
            ("HOME", "/root"),
            ("ASSAY__REDIS__HOST", "127.0.0.1"),
            ("ASSAY__REDIS__PORT", "7"),
        ]);
        assert_eq!(said.with_redis(([127, 0, 0, 1], 7).into()), wanted);
    }

    #[test]
    fn a_rabbitmq_is_told_without_its_password() {
        let told = |name, value| environment(&[(name, value)]).rabbit();
        assert_eq!(told("RABBITMQ_URL", ""), None);
        assert_eq!(told("ASSAY__RABBITMQ__PREFIX", "mine"), None);
        let urls = "amqp://a:secret@mq-1:5673/jobs, amqp://mq-2";
        assert_eq!(told("RABBITMQ_URL", urls).unwrap(), "mq-1:5673/jobs, mq-2");
        let url = told("ASSAY__RABBITMQ__URL", "amqp://a:se@cret@mq");
        assert_eq!(url.unwrap(), "mq");
        let file = told(GIVEN_RABBIT_FILE, "/run/secrets/mq");
        assert_eq!(file.unwrap(), "/run/secrets/mq");
    }

    #[test]
    fn a_private_rabbitmq_replaces_where_one_was_said_to_be() {
        let said = [
            ("RABBITMQ_URL", "amqp://mq"),
            (GIVEN_RABBIT_FILE, "/file"),
            ("ASSAY__RABBITMQ__PREFIX", "mine"),
        ];
        let kept = [said[2]];
        assert_eq!(environment(&said).without_rabbit(), environment(&kept));
        let wanted = [said[2], ("ASSAY__RABBITMQ__URL", "amqp://here")];
        let private = environment(&said).with_rabbit("amqp://here");
        assert_eq!(private, environment(&wanted));
    }

    #[test]
    fn what_a_person_set_is_kept() {
        let set = environment(&[("A", "1")]);
        assert_eq!(set.clone().or_set("A", "2"), set);
        assert_eq!(set.or_set("B", "2"), environment(&[("A", "1"), ("B", "2")]));
    }

    #[test]
    fn a_service_gets_its_own_settings_and_those_of_none() {
        let gateway =
            Sections::parse("admin.listen = \"\"  # the default\ngateway.listen = \"\"\n");
        let worker = Sections::parse("admin.listen = \"\"\nworker.concurrency = 8\n");
        let variables = [
            ("ASSAY__ADMIN__LISTEN", "1"),
            ("ASSAY__GATEWAY__LISTEN", "2"),
            ("ASSAY__GATEWEY__LISTEN", "3"),
            ("ASSAY__WORKER__CONCURRENCY", "4"),
            ("HOME", "5"),
        ];
        let of_gateway = [variables[0], variables[1], variables[2], variables[4]];
        assert_eq!(
            environment(&variables).of_service(&gateway, &[gateway.clone(), worker]),
            environment(&of_gateway)
        );
    }
}
