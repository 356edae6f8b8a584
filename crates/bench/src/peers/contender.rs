//! Who is measured.

use std::path::PathBuf;

use tokio::process::Command;

use super::role::{Orders, Role};

/// Name of the queue in every peer's Redis.
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
    /// The bare commands and nothing else: no product can be faster on this Redis.
    Ceiling,
}

impl Contender {
    /// All, in the order of the tables.
    pub const ALL: [Self; 4] = [
        Self::Assay,
        Self::BullmqNode,
        Self::BullmqRust,
        Self::Ceiling,
    ];

    /// Products: all but the ceiling.
    pub const PRODUCTS: [Self; 3] = [Self::Assay, Self::BullmqNode, Self::BullmqRust];

    /// What tables call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Assay => "assay",
            Self::BullmqNode => "bullmq (node)",
            Self::BullmqRust => "bullmq-official (rust)",
            Self::Ceiling => "ceiling",
        }
    }
}

/// The programs of all contenders. A peer that could not be installed says why.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The folder of ours.
    pub ours: PathBuf,
    /// The script that drives `BullMQ` on Node.
    pub bullmq_node: Result<Peer, String>,
    /// The program that drives bullmq-official.
    pub bullmq_rust: Result<Peer, String>,
}

/// An installed peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its driver.
    pub program: PathBuf,
    /// The version of what it drives.
    pub version: String,
}

impl Programs {
    /// Why a contender can't be measured, if so.
    #[must_use]
    pub fn missing(&self, contender: Contender) -> Option<&str> {
        let peer = match contender {
            Contender::Assay | Contender::Ceiling => return None,
            Contender::BullmqNode => &self.bullmq_node,
            Contender::BullmqRust => &self.bullmq_rust,
        };
        peer.as_ref().err().map(String::as_str)
    }

    /// Those of `contenders` that can be measured.
    #[must_use]
    pub fn present(&self, contenders: &[Contender]) -> Vec<Contender> {
        let there = |contender: &Contender| self.missing(*contender).is_none();
        contenders.iter().copied().filter(there).collect()
    }

    /// The command that runs a driver of `contender`.
    ///
    /// # Errors
    /// When it is not installed, or has no such driver: our worker is a service.
    pub fn driver(&self, contender: Contender, orders: &Orders) -> anyhow::Result<Command> {
        let peer = |peer: &Result<Peer, String>| peer.clone().map_err(anyhow::Error::msg);
        let mut command = match contender {
            Contender::Assay => {
                anyhow::ensure!(orders.role == Role::Producer, "our worker is a service");
                Command::new(self.ours.join("bench-producer"))
            }
            Contender::Ceiling => Command::new(self.ours.join("bench-ceiling")),
            Contender::BullmqRust => Command::new(peer(&self.bullmq_rust)?.program),
            Contender::BullmqNode => {
                let mut node = Command::new("node");
                node.arg(peer(&self.bullmq_node)?.program)
                    .env("NODE_ENV", "production");
                node
            }
        };
        command.args(orders.words());
        Ok(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_is_missing_is_known_by_its_reason() {
        let programs = Programs {
            ours: PathBuf::from("/p"),
            bullmq_node: Err("no npm".to_owned()),
            bullmq_rust: Ok(Peer {
                program: PathBuf::from("/r"),
                version: "1".to_owned(),
            }),
        };
        assert_eq!(programs.missing(Contender::BullmqNode), Some("no npm"));
        assert_eq!(programs.missing(Contender::BullmqRust), None);
        let present = programs.present(&Contender::ALL);
        let expected = [Contender::Assay, Contender::BullmqRust, Contender::Ceiling];
        assert_eq!(present, expected);
    }
}
