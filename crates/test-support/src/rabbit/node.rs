//! One broker, as its files and its programs' environment have it: what makes them speak of this one and no other.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use super::mapper::Mapper;
use super::options::RabbitOptions;
use super::program::Program;

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
    pub(super) port: u16,
    /// Where `rabbitmqctl` is.
    control_port: u16,
    /// What the name begins with. The broker tells it to clients.
    pub(super) name: String,
}

impl Node {
    /// Writes the files that a broker in `folder` begins with.
    pub(super) fn prepare(
        folder: &Path,
        options: &RabbitOptions,
        port: u16,
        control_port: u16,
    ) -> anyhow::Result<Self> {
        let write = |name: &str, text: &str| {
            let written = fs::write(folder.join(name), text);
            written.with_context(|| format!("write {name}"))
        };
        write(CONFIGURATION, &options.file(port))?;
        write(HOSTS_FILE, HOSTS)?;
        write(PLUGINS, "[].\n")?;
        write(COOKIE, &format!("{:032x}", rand::random::<u128>()))?;
        let mode = fs::Permissions::from_mode(COOKIE_MODE);
        fs::set_permissions(folder.join(COOKIE), mode).context("protect the cookie")?;
        Ok(Self {
            folder: folder.to_owned(),
            port,
            control_port,
            name: format!("assay-{}-{port}", std::process::id()),
        })
    }

    /// The command line of the broker.
    pub(super) fn server(&self, program: &Program, mapper: &Mapper) -> Command {
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
    pub(super) fn control(&self, program: &Program, mapper: &Mapper) -> Command {
        let mut command = program.control();
        self.tell(&mut command, mapper);
        command
            .env("RABBITMQ_CTL_ERL_ARGS", CONTROL_MACHINE)
            // Any port: the usual few are the same for every program of this machine.
            .env("RABBITMQ_CTL_DIST_PORT_MIN", "0")
            .env("RABBITMQ_CTL_DIST_PORT_MAX", "0");
        command
    }

    fn tell(&self, command: &mut Command, mapper: &Mapper) {
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
