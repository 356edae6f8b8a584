//! A broker that outlives who starts it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::install::ensure_program;
use super::mapper::MapperPort;
use super::node::Node;
use super::options::RabbitOptions;
use super::program::Program;
use crate::port;

/// The name of every such broker: data belong to a name, and the next start is to have them again.
const NAME: &str = "assay-local";

/// The command lines of a broker and its port mapper, for whoever keeps their processes: first the mapper, then the
/// broker, and the other way round at the end.
#[derive(Debug)]
pub(crate) struct StandingBroker {
    program: Program,
    mapper: MapperPort,
    node: Node,
}

impl StandingBroker {
    /// Writes its files into a folder, beside the data of an earlier start. Its ports are new.
    pub(crate) fn prepare(folder: &Path) -> anyhow::Result<Self> {
        let program = ensure_program()?;
        let node = Node::prepare(
            folder,
            NAME.to_owned(),
            &RabbitOptions::new(),
            port::free()?,
        )?;
        Ok(Self {
            program,
            mapper: MapperPort::free()?,
            node,
        })
    }

    /// The command line of the port mapper.
    pub(crate) fn mapper(&self) -> Command {
        self.mapper.command(&self.program)
    }

    /// Where the port mapper listens.
    pub(crate) fn mapper_address(&self) -> SocketAddr {
        self.mapper.address()
    }

    /// Whether something listens there.
    pub(crate) fn mapper_listens(&self) -> bool {
        self.mapper.listens()
    }

    /// The command line of the broker.
    pub(crate) fn server(&self) -> Command {
        self.node.server(&self.program, self.mapper)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.node.address()
    }

    /// How clients reach it, with user and password.
    pub(crate) fn url(&self) -> String {
        self.node.url()
    }

    /// Whether it greets who connects.
    pub(crate) fn greets(&self) -> bool {
        self.node.greets()
    }
}
