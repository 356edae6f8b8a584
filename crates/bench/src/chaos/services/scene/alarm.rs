//! The alarms with which a broker protects itself, raised by hand.

use super::broker::Broker;

/// What a broker runs out of. While it does, it takes no message from anybody.
#[derive(Clone, Copy, Debug)]
pub(in crate::chaos::services) enum Alarm {
    /// Memory.
    Memory,
    /// Room on its disk.
    Disk,
}

impl Alarm {
    /// Has the broker believe that it runs out.
    pub(in crate::chaos::services) async fn raise(self, broker: &Broker) -> anyhow::Result<()> {
        let words = match self {
            Self::Memory => ["set_vm_memory_high_watermark", "0.0001"],
            Self::Disk => ["set_disk_free_limit", "900000GB"],
        };
        broker.server.control(&words).await.map(drop)
    }

    /// Has the broker believe that it has enough again.
    pub(in crate::chaos::services) async fn clear(self, broker: &Broker) -> anyhow::Result<()> {
        let words = match self {
            Self::Memory => ["set_vm_memory_high_watermark", "0.6"],
            Self::Disk => ["set_disk_free_limit", "10MB"],
        };
        broker.server.control(&words).await.map(drop)
    }
}
