//! How a private Redis is set up.

use std::path::Path;

use crate::certificates::Identity;

/// When Redis syncs its append-only file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appendfsync {
    /// Before each answer.
    Always,
    /// Once a second, in the background.
    EverySec,
}

impl Appendfsync {
    fn word(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::EverySec => "everysec",
        }
    }
}

/// Settings of a private Redis: loopback only, append-only file, nothing evicted, no snapshots.
#[derive(Clone, Debug)]
pub struct RedisOptions {
    appendfsync: Appendfsync,
    port: Option<u16>,
    password: Option<String>,
    more: Vec<(String, String)>,
}

impl RedisOptions {
    /// The usual settings, with one choice.
    #[must_use]
    pub fn new(appendfsync: Appendfsync) -> Self {
        Self {
            appendfsync,
            port: None,
            password: None,
            more: Vec::new(),
        }
    }

    /// Listens on this port; by default on any that is free.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Asks clients for a password.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }

    /// Refuses to grow beyond this much memory; by default there is no bound.
    #[must_use]
    pub fn maxmemory_bytes(self, bytes: u64) -> Self {
        self.set("maxmemory", &bytes.to_string())
    }

    /// Serves encrypted connections too, at a port of their own.
    #[must_use]
    pub fn tls(self, port: u16, identity: &Identity) -> Self {
        let file = |path: &Path| format!("\"{}\"", path.display());
        self.set("tls-port", &port.to_string())
            .set("tls-cert-file", &file(&identity.certificate))
            .set("tls-key-file", &file(&identity.key))
            .set("tls-auth-clients", "no")
    }

    /// Any directive of `redis.conf`; the last word on it counts.
    #[must_use]
    pub fn set(mut self, directive: &str, value: &str) -> Self {
        self.more.push((directive.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn wanted_port(&self) -> Option<u16> {
        self.port
    }

    pub(crate) fn wanted_password(&self) -> Option<&str> {
        self.password.as_deref()
    }

    /// The configuration file of a server in `folder` at `port`.
    pub fn file(&self, folder: &Path, port: u16) -> String {
        let mut lines = vec![
            "bind 127.0.0.1".to_owned(),
            format!("port {port}"),
            "daemonize no".to_owned(),
            "supervised no".to_owned(),
            format!("dir \"{}\"", folder.display()),
            // Only the append-only file: what a test kills comes back from there or not at all.
            "save \"\"".to_owned(),
            "appendonly yes".to_owned(),
            format!("appendfsync {}", self.appendfsync.word()),
            "aof-load-truncated yes".to_owned(),
            "maxmemory-policy noeviction".to_owned(),
        ];
        if let Some(password) = &self.password {
            lines.push(format!("requirepass \"{password}\""));
        }
        let more = self.more.iter();
        lines.extend(more.map(|(directive, value)| format!("{directive} {value}")));
        lines.join("\n") + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_comes_last_and_so_counts() {
        let options = RedisOptions::new(Appendfsync::Always)
            .maxmemory_bytes(1024)
            .set("appendfsync", "no");
        let file = options.file(Path::new("/data"), 7000);
        let of = |directive: &str| {
            let lines = file.lines().filter_map(|line| line.split_once(' '));
            let values = lines.filter(|(name, _)| *name == directive);
            values
                .map(|(_, value)| value.to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(of("appendfsync"), ["always", "no"]);
        assert_eq!(of("maxmemory"), ["1024"]);
        assert_eq!(of("port"), ["7000"]);
        assert_eq!(of("bind"), ["127.0.0.1"]);
        assert_eq!(of("dir"), ["\"/data\""]);
        assert!(of("requirepass").is_empty());
    }
}
