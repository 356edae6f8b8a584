//! Who is measured.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context;
use tokio::process::Command;

use super::mode::Mode;
use super::role::{Orders, Role};

/// Name of the queue of everybody but ours.
pub const QUEUE: &str = "peers";

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contender {
    /// Ours, over the gateway, with scheduler and worker as processes of their own.
    Assay,
    /// `BullMQ` on Node.
    BullmqNode,
    /// bullmq-official, in Rust.
    BullmqRust,
    /// A bare loop over RabbitMQ, which keeps no records.
    Bare,
    /// Celery over RabbitMQ, with its results in Redis.
    Celery,
    /// The bare commands and nothing else: no product that keeps records can be faster on these servers.
    Ceiling,
}

impl Contender {
    /// What tables call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Assay => "assay",
            Self::BullmqNode => "bullmq (node)",
            Self::BullmqRust => "bullmq-official (rust)",
            Self::Bare => "bare loop (lapin)",
            Self::Celery => "celery",
            Self::Ceiling => "ceiling",
        }
    }

    /// Whether it has to be installed.
    #[must_use]
    pub fn is_peer(self) -> bool {
        match self {
            Self::BullmqNode | Self::BullmqRust | Self::Celery => true,
            Self::Assay | Self::Bare | Self::Ceiling => false,
        }
    }
}

/// The programs of all contenders.
#[derive(Clone, Debug)]
pub struct Programs {
    /// What is measured.
    pub mode: Mode,
    /// The folder of ours.
    pub ours: PathBuf,
    /// The peers of this mode. One that could not be installed says why.
    pub peers: BTreeMap<Contender, Result<Peer, String>>,
}

/// An installed peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// What its driver is started with: an interpreter and a script, or a program.
    pub words: Vec<PathBuf>,
    /// The version of what it drives, and of what that runs on.
    pub version: String,
}

impl Programs {
    /// Why a contender can't be measured, if so.
    #[must_use]
    pub fn missing(&self, contender: Contender) -> Option<&str> {
        let peer = self.peers.get(&contender)?;
        peer.as_ref().err().map(String::as_str)
    }

    /// The command that runs a driver of `contender`.
    ///
    /// # Errors
    /// When it is not installed, or has no such driver: our worker is a service.
    pub fn driver(&self, contender: Contender, orders: &Orders) -> anyhow::Result<Command> {
        let mut command = match contender {
            Contender::Assay => {
                anyhow::ensure!(orders.role == Role::Producer, "our worker is a service");
                Command::new(self.ours.join("bench-producer"))
            }
            Contender::Ceiling => Command::new(self.ours.join("bench-ceiling")),
            Contender::Bare => Command::new(self.ours.join("bench-bare")),
            Contender::BullmqRust | Contender::BullmqNode | Contender::Celery => {
                self.peer(contender)?
            }
        };
        command.args(orders.words());
        Ok(command)
    }

    fn peer(&self, contender: Contender) -> anyhow::Result<Command> {
        let peer = self.peers.get(&contender);
        let peer = peer.with_context(|| format!("{} is of another mode", contender.name()))?;
        let Peer { words, .. } = peer.as_ref().map_err(|why| anyhow::anyhow!("{why}"))?;
        let (program, script) = words.split_first().context("find the driver of a peer")?;
        let mut command = Command::new(program);
        command.args(script);
        if contender == Contender::BullmqNode {
            command.env("NODE_ENV", "production");
        }
        Ok(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_is_missing_is_known_by_its_reason() {
        let rust = Peer {
            words: vec![PathBuf::from("/r")],
            version: "1".to_owned(),
        };
        let programs = Programs {
            mode: Mode::Redis,
            ours: PathBuf::from("/p"),
            peers: BTreeMap::from([
                (Contender::BullmqNode, Err("no npm".to_owned())),
                (Contender::BullmqRust, Ok(rust)),
            ]),
        };
        assert_eq!(programs.missing(Contender::BullmqNode), Some("no npm"));
        assert_eq!(programs.missing(Contender::BullmqRust), None);
        assert_eq!(programs.missing(Contender::Ceiling), None);
        let why = |contender| programs.peer(contender).unwrap_err().to_string();
        assert_eq!(why(Contender::BullmqNode), "no npm");
        assert_eq!(why(Contender::Celery), "celery is of another mode");
        assert!(programs.peer(Contender::BullmqRust).is_ok());
    }
}
