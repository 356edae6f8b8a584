//! The port mapper of one broker: it tells `rabbitmqctl` at which port the broker listens for it.
//!
//! Without one Erlang would start one by itself, which stays behind and serves the whole machine.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::program::Program;
use crate::leash::Leash;
use crate::log::append;
use crate::port;

/// How long it may take until it listens.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// Between two looks at it.
const LOOK_PERIOD: Duration = Duration::from_millis(2);
/// Ports that are tried: another process may take one between the choice and the start.
const PORT_TRIES: u32 = 8;

/// Name of the variable in which Erlang's programs find its port.
const PORT_VARIABLE: &str = "ERL_EPMD_PORT";
/// Name of the variable that says where it listens.
const ADDRESS_VARIABLE: &str = "ERL_EPMD_ADDRESS";

/// Where a port mapper listens, or will.
#[derive(Clone, Copy, Debug)]
pub(super) struct MapperPort(u16);

impl MapperPort {
    /// One that nobody listens on.
    pub(super) fn free() -> anyhow::Result<Self> {
        port::free().map(Self)
    }

    /// The command line of a port mapper that listens here.
    pub(super) fn command(self, program: &Program) -> Command {
        let mut command = program.mapper();
        command.envs(self.variables());
        command
    }

    /// What programs must be told to find it.
    pub(super) fn variables(self) -> [(&'static str, String); 2] {
        [
            (PORT_VARIABLE, self.0.to_string()),
            (ADDRESS_VARIABLE, Ipv4Addr::LOCALHOST.to_string()),
        ]
    }

    /// Its address.
    pub(super) fn address(self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.0).into()
    }

    /// Whether something listens here.
    pub(super) fn listens(self) -> bool {
        TcpStream::connect(self.address()).is_ok()
    }
}

/// A running port mapper, killed when dropped.
#[derive(Debug)]
pub(super) struct Mapper {
    process: Leash,
    /// Where it listens.
    pub(super) port: MapperPort,
}

impl Mapper {
    /// Starts one and waits until it listens.
    pub(super) async fn start(program: &Program, log: &Path) -> anyhow::Result<Self> {
        for _ in 0..PORT_TRIES {
            let port = MapperPort::free()?;
            let log = append(log)?;
            let mut command = port.command(program);
            command
                .stdin(Stdio::null())
                .stdout(log.try_clone().context("share the log of epmd")?)
                .stderr(log);
            let process = Leash::start(&mut command, None)?;
            let mut mapper = Self { process, port };
            if mapper.listens().await? {
                return Ok(mapper);
            }
        }
        bail!("epmd found none of {PORT_TRIES} ports free")
    }

    /// Whether it runs. If not, what answers at its port is another.
    pub(super) fn runs(&mut self) -> bool {
        matches!(self.process.ended(), Ok(None))
    }

    /// Whether it listens; no, if it has ended because something else does.
    async fn listens(&mut self) -> anyhow::Result<bool> {
        let start = Instant::now();
        while start.elapsed() < READY_WITHIN {
            let connected = self.port.listens();
            if self.process.ended()?.is_some() {
                return Ok(false);
            }
            if connected {
                return Ok(true);
            }
            tokio::time::sleep(LOOK_PERIOD).await;
        }
        bail!("epmd does not listen after {READY_WITHIN:?}")
    }
}
