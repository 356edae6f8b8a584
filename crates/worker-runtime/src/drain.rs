//! How a worker ends: what runs may run on for a while, then it is handed back.

use assay_service::shutdown::Shutdown;

use crate::lease::Leases;
use crate::slots::Slots;

/// Waits for the attempts in hand. From the hand-back on they are stopped, and settled as interrupted:
/// no attempt is spent. How long they may take to stop is theirs to keep (`worker.cancel_grace_ms`), how
/// long a settlement may still try is bounded too, so this ends.
pub(crate) async fn drain(slots: &Slots, leases: &Leases, shutdown: &Shutdown) {
    let running = slots.used();
    if running > 0 {
        tracing::info!(running, "waiting for {running} attempts to end");
    }
    tokio::select! {
        () = slots.all_free() => return,
        () = shutdown.hand_back() => {}
    }
    let running = slots.used();
    tracing::info!(running, "handing back {running} attempts");
    leases.hand_back();
    slots.all_free().await;
}
