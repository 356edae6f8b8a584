//! One broker, as its files and its programs' environment have it: what makes them speak of this one and no other.

use std::fs;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use super::greeting::{greeting, is_of};
use super::mapper::MapperPort;
use super::options::{PASSWORD, RabbitOptions, USER};
use super::program::Program;
use crate::port;

/// What the broker's virtual machine is told: few threads, and to be spoken to from this machine only.
const MACHINE: &str = "+S 2:2 -kernel inet_dist_use_interface {127,0,0,1}";
/// What that of `rabbitmqctl` is told, which also listens.
const CONTROL_MACHINE: &str = "+S 1:1 -kernel inet_dist_use_interface {127,0,0,1}";
/// How Erlang's programs find hosts: they know this machine, and ask nobody.
const HOSTS: &str = "{lookup, [file]}.\n{host, {127,0,0,1}, [\"localhost\"]}.\n";

/// The configuration file; the broker knows by its ending how it is written.
const CONFIGURATION: &str = "rabbitmq.config";
/// What Erlang's programs read [`HOSTS`] from.
const HOSTS_FILE: &str = "inetrc";
/// The list of plugins, which is empty.
const PLUGINS: &str = "enabled_plugins";
/// The secret that the broker and `rabbitmqctl` share, where Erlang looks for it.
const COOKIE: &str = ".erlang.cookie";
/// Owner may read, nobody may write: Erlang takes a cookie from no other file.
const COOKIE_MODE: u32 = 0o400;

/// A broker's folder, ports and name.
#[derive(Debug)]
pub(super) struct Node {
    folder: PathBuf,
    /// Where clients are served.
    port: u16,
    /// Where `rabbitmqctl` is.
    control_port: u16,
    /// What the name begins with. The broker tells it to clients.
    name: String,
}

impl Node {
    /// Writes the files that a broker in `folder` begins with. What it keeps there belongs to its name.
    pub(super) fn prepare(
        folder: &Path,
        name: String,
        options: &RabbitOptions,
        port: u16,
    ) -> anyhow::Result<Self> {
        let control_port = port::free()?;
        let write = |name: &str, text: &str| {
            let written = fs::write(folder.join(name), text);
            written.with_context(|| format!("write {name}"))
        };
        write(CONFIGURATION, &options.file(port))?;
        write(HOSTS_FILE, HOSTS)?;
        write(PLUGINS, "[].\n")?;
        write_cookie(&folder.join(COOKIE)).context("write the cookie")?;
        Ok(Self {
            folder: folder.to_owned(),
            port,
            control_port,
            name,
        })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// How clients reach it, with user and password.
    pub(super) fn url(&self) -> String {
        format!("amqp://{USER}:{PASSWORD}@{}", self.address())
    }

    /// Whether this broker, and not another that was faster on the port, greets who connects.
    pub(super) fn greets(&self) -> bool {
        greeting(self.address()).is_ok_and(|greeting| is_of(&greeting, &self.name))
    }

    /// The command line of the broker.
    pub(super) fn server(&self, program: &Program, mapper: MapperPort) -> Command {
        let mut command = program.server();
        self.tell(&mut command, mapper);
        command
            .env("RABBITMQ_DIST_PORT", self.control_port.to_string())
            .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", MACHINE)
            // Else each broker holds on to the first processors of the machine.
            .env("RABBITMQ_SCHEDULER_BIND_TYPE", "u")
            .env("RABBITMQ_LOGS", "-");
        command
    }

    /// The command line of `rabbitmqctl`, up to the command.
    pub(super) fn control(&self, program: &Program, mapper: MapperPort) -> Command {
        let mut command = program.control();
        self.tell(&mut command, mapper);
        command
            .env("RABBITMQ_CTL_ERL_ARGS", CONTROL_MACHINE)
            // Any port: the usual few are the same for every program of this machine.
            .env("RABBITMQ_CTL_DIST_PORT_MIN", "0")
            .env("RABBITMQ_CTL_DIST_PORT_MAX", "0");
        command
    }

    fn tell(&self, command: &mut Command, mapper: MapperPort) {
        let paths = [
            ("HOME", ""),
            ("ERL_INETRC", HOSTS_FILE),
            // There is none, on purpose: the system's own would be read instead.
            ("RABBITMQ_CONF_ENV_FILE", "rabbitmq-env.conf"),
            ("RABBITMQ_CONFIG_FILE", CONFIGURATION),
            ("RABBITMQ_ADVANCED_CONFIG_FILE", "advanced.config"),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", PLUGINS),
            ("RABBITMQ_PLUGINS_EXPAND_DIR", "plugins"),
            ("RABBITMQ_GENERATED_CONFIG_DIR", "generated"),
            ("RABBITMQ_FEATURE_FLAGS_FILE", "feature_flags"),
            ("RABBITMQ_MNESIA_BASE", "data"),
            ("RABBITMQ_MNESIA_DIR", "data/node"),
            ("RABBITMQ_LOG_BASE", "log"),
            ("RABBITMQ_PID_FILE", "pid"),
        ];
        command
            .envs(paths.map(|(name, path)| (name, self.folder.join(path))))
            .envs(mapper.variables())
            .env("RABBITMQ_NODENAME", format!("{}@localhost", self.name))
            // Nobody reads what Erlang leaves behind when it crashes, and writing it takes long.
            .env("ERL_CRASH_DUMP_SECONDS", "0");
    }
}

/// Replaces what an earlier broker has left: nobody may write to that.
fn write_cookie(path: &Path) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::write(path, format!("{:032x}", rand::random::<u128>()))?;
    fs::set_permissions(path, fs::Permissions::from_mode(COOKIE_MODE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_replaced_and_nobody_may_write_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(COOKIE);
        let written = || {
            write_cookie(&path).unwrap();
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, COOKIE_MODE);
            fs::read_to_string(&path).unwrap()
        };
        assert_ne!(written(), written());
    }
}
