//! What a child forbids itself before it opens the input.

use rustix::process::{Resource, Rlimit, setrlimit};
use serde::{Deserialize, Serialize};

use super::offline;

/// Address space of a child in bytes unless configured: 1.5 GiB.
pub const MEMORY_BYTES_MAX: u64 = 1536 * 1024 * 1024;
/// Processor time of a child in seconds unless configured.
pub const CPU_S_MAX: u64 = 60;
/// Open files of a child unless configured.
pub const OPEN_FILES_MAX: u64 = 64;

/// Bounds that the kernel enforces on a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    /// Address space in bytes.
    pub memory_bytes_max: u64,
    /// Processor time in seconds.
    pub cpu_s_max: u64,
    /// Open files.
    pub open_files_max: u64,
}

impl Default for Confinement {
    fn default() -> Self {
        Self {
            memory_bytes_max: MEMORY_BYTES_MAX,
            cpu_s_max: CPU_S_MAX,
            open_files_max: OPEN_FILES_MAX,
        }
    }
}

/// A bound that the kernel would not set.
#[derive(Debug, thiserror::Error)]
pub enum ConfineError {
    /// On a resource.
    #[error("set the {resource} limit of the analyst process to {value}")]
    Limit {
        /// Which.
        resource: &'static str,
        /// The bound.
        value: u64,
        /// What the kernel says.
        #[source]
        source: rustix::io::Errno,
    },
    /// On the network.
    #[error("refuse the network to the analyst process")]
    Network(#[source] seccompiler::Error),
}

impl Confinement {
    /// Puts the bounds on this process, for good, and keeps it from the network.
    ///
    /// # Errors
    /// The first bound that the kernel would not set, e.g. because it is above a bound already in force.
    pub fn apply(self) -> Result<(), ConfineError> {
        let bounds = [
            (
                "memory",
                Resource::As,
                self.memory_bytes_max,
                self.memory_bytes_max,
            ),
            // The second bound kills what survives the first one's signal.
            (
                "processor time",
                Resource::Cpu,
                self.cpu_s_max,
                self.cpu_s_max.saturating_add(1),
            ),
            (
                "open files",
                Resource::Nofile,
                self.open_files_max,
                self.open_files_max,
            ),
            // Neither a memory image of a stranger's file nor any other file is left behind.
            ("memory image", Resource::Core, 0, 0),
            ("file size", Resource::Fsize, 0, 0),
        ];
        for (name, resource, soft, hard) in bounds {
            let limit = Rlimit {
                current: Some(soft),
                maximum: Some(hard),
            };
            setrlimit(resource, limit).map_err(|source| ConfineError::Limit {
                resource: name,
                value: soft,
                source,
            })?;
        }
        offline::go_offline().map_err(ConfineError::Network)
    }
}
