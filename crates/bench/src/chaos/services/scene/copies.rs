//! Messages that come twice: a second queue takes a copy of each, and sends it after the first when its time is over.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use assay_core::kind::Lane;
use serde_json::json;

use super::broker::Broker;

/// What the queue of copies is called: like none of ours.
const COPIES: &str = "copies";

impl Broker {
    /// From now on every message that goes to a lane goes there once more, so much later. The
    /// broker itself sees to it that a copy is not copied. Answers the name of the queue where copies wait; `folder`
    /// takes the order to the broker.
    pub(in crate::chaos::services) async fn copy(
        &self,
        lane: Lane,
        later_by: Duration,
        folder: &Path,
    ) -> anyhow::Result<String> {
        let (exchange, routing_key) = Self::way_to(lane);
        let arguments = json!({
            "x-message-ttl": u64::try_from(later_by.as_millis())?,
            "x-dead-letter-exchange": exchange,
        });
        let definitions = json!({
            "queues": [{
                "name": COPIES, "vhost": "/", "durable": true, "auto_delete": false, "arguments": arguments,
            }],
            "bindings": [{
                "source": exchange, "vhost": "/", "destination": COPIES, "destination_type": "queue",
                "routing_key": routing_key, "arguments": {},
            }],
        });
        let file = folder.join("copies.json");
        std::fs::write(&file, definitions.to_string()).context("write the definitions")?;
        let words = ["import_definitions", &file.display().to_string()];
        self.server.control(&words).await?;
        Ok(COPIES.to_owned())
    }
}
