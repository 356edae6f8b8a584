//! What is to become of a message that came. Pure.

use std::time::Duration;

use assay_core::retry::DeadLetterReason;
use bytes::Bytes;
use lapin::message::Delivery;

use super::buffers::{Held, Receipt};
use super::delay::{BUCKETS, wait_until};
use super::message::{self, MessageId, Received};

/// What only later code can read is put off for so long: it may be there by then.
const NEWER_PUT_OFF_MS: u64 = 30_000;

/// What is to become of a message.
pub(super) enum Fate {
    /// To be taken.
    Hold(Held),
    /// To be taken after that.
    HoldFor(Duration, Held),
    /// It proves what has passed.
    Marker { published_at_ms: u64 },
    /// To wait on the broker until then, in milliseconds since the epoch.
    PutOff((MessageId, Bytes), u64),
    /// Nobody can read it.
    Bury((MessageId, Bytes)),
}

/// What a message that cannot be read is kept with.
pub(super) const UNREADABLE: DeadLetterReason = DeadLetterReason::Undecodable;

pub(super) fn receive(at: Receipt, delivery: Delivery, now_ms: u64) -> Fate {
    let Delivery {
        properties, data, ..
    } = delivery;
    let body = Bytes::from(data);
    match message::read(&properties, &body) {
        Received::Marker { published_at_ms } => Fate::Marker { published_at_ms },
        Received::Garbage => Fate::Bury((MessageId::unreadable(), body)),
        Received::Newer => {
            let id = MessageId::read(&properties).unwrap_or_else(MessageId::unreadable);
            Fate::PutOff((id, body), now_ms.saturating_add(NEWER_PUT_OFF_MS))
        }
        Received::Envelope(envelope) => {
            let not_before_ms = message::not_before_ms(&properties).unwrap_or_default();
            let wait = wait_until(not_before_ms, now_ms);
            if wait >= BUCKETS[0].stay {
                return Fate::PutOff((MessageId::of(&envelope), body), not_before_ms);
            }
            let held = Held { at, envelope, body };
            if wait.is_zero() {
                Fate::Hold(held)
            } else {
                Fate::HoldFor(wait, held)
            }
        }
    }
}
