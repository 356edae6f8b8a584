//! How a private broker is set up.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use crate::certificates::Identity;

/// The only user; may do everything.
pub(super) const USER: &str = "assay";
/// The password of that user.
pub(super) const PASSWORD: &str = "assay";

/// The broker stops taking messages when the disk has less than this.
const DISK_FREE_BYTES_MIN: u64 = 10_000_000;
/// How much quorum queues write, and keep in memory, before they tidy up. The broker's own default is for servers.
const WRITE_AHEAD_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Settings of a private broker: loopback only, one user, no plugins.
#[derive(Clone, Debug, Default)]
pub struct RabbitOptions {
    port: Option<u16>,
    more: BTreeMap<String, String>,
}

impl RabbitOptions {
    /// The usual settings.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Listens on this port; by default on any that is free.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Takes no messages in while it uses more memory than this.
    #[must_use]
    pub fn memory_bytes_max(self, bytes: u64) -> Self {
        let limit = format!("{{absolute, {bytes}}}");
        self.set("vm_memory_high_watermark", &limit)
    }

    /// Serves encrypted connections too, at a port of their own.
    #[must_use]
    pub fn tls(self, port: u16, identity: &Identity) -> Self {
        let files = format!(
            "[{{certfile, {:?}}}, {{keyfile, {:?}}}, {{verify, verify_none}}, {{fail_if_no_peer_cert, false}}]",
            identity.certificate, identity.key
        );
        let listeners = format!("[{{\"{}\", {port}}}]", Ipv4Addr::LOCALHOST);
        self.set("ssl_listeners", &listeners)
            .set("ssl_options", &files)
    }

    /// Any setting of the application `rabbit`, as an Erlang term, such as `("consumer_timeout", "60000")`; the last
    /// word on it counts.
    #[must_use]
    pub fn set(mut self, setting: &str, term: &str) -> Self {
        self.more.insert(setting.to_owned(), term.to_owned());
        self
    }

    pub(super) fn wanted_port(&self) -> Option<u16> {
        self.port
    }

    /// The configuration file of a broker at `port`. In Erlang's own form, because reading the other one takes the
    /// broker half a second.
    pub(super) fn file(&self, port: u16) -> String {
        let usual = [
            (
                "tcp_listeners",
                format!("[{{\"{}\", {port}}}]", Ipv4Addr::LOCALHOST),
            ),
            ("default_user", format!("<<\"{USER}\">>")),
            ("default_pass", format!("<<\"{PASSWORD}\">>")),
            ("disk_free_limit", DISK_FREE_BYTES_MIN.to_string()),
        ];
        let usual = usual.map(|(name, term)| (name.to_owned(), term));
        let mut settings = BTreeMap::from(usual);
        settings.extend(self.more.clone());
        let settings = settings.iter();
        let terms: Vec<String> = settings
            .map(|(name, term)| format!("{{{name}, {term}}}"))
            .collect();
        format!(
            "[{{rabbit, [\n  {}\n]}},\n {{ra, [{{wal_max_size_bytes, {WRITE_AHEAD_BYTES_MAX}}}]}}].\n",
            terms.join(",\n  ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_counts_once() {
        let options = RabbitOptions::new()
            .memory_bytes_max(1024)
            .set("disk_free_limit", "1")
            .set("disk_free_limit", "2");
        let file = options.file(7000);
        let lines_with = |word: &str| {
            let lines = file.lines().filter(|line| line.contains(word));
            lines.map(str::trim).collect::<Vec<_>>()
        };
        assert_eq!(lines_with("disk_free_limit"), ["{disk_free_limit, 2},"]);
        assert_eq!(
            lines_with("vm_memory_high_watermark"),
            ["{vm_memory_high_watermark, {absolute, 1024}}"]
        );
        assert_eq!(
            lines_with("tcp_listeners"),
            ["{tcp_listeners, [{\"127.0.0.1\", 7000}]},"]
        );
    }
}
