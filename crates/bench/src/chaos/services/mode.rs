//! What an installation is made of.

use std::fmt;

/// Where the processes keep records and queues; see ARCHITECTURE.md.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Both in Redis.
    #[default]
    Redis,
    /// Records in Redis, queues in RabbitMQ.
    Full,
}

impl Mode {
    /// Where most faults can be made.
    pub const BOTH: [Self; 2] = [Self::Redis, Self::Full];

    /// What it is called on the command line and in the table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::Full => "full",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
