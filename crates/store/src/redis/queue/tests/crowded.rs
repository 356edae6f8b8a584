//! Streams that are full.

use assay_core::kind::Lane;

use super::*;

/// Who finds enough where it looked the last time looks elsewhere every now and then.
#[tokio::test]
async fn what_is_urgent_is_seen_while_another_lane_is_full() {
    const BACKLOG: u64 = 1_000;
    let world = World::new().await;
    for number in 0..BACKLOG {
        world.submit(number).await;
    }
    let mut subscription = world.subscribe().await;
    let mut taken_before = 0;
    let mut urgent = None;
    loop {
        for delivery in take(&mut *subscription, 1).await {
            if Some(delivery.envelope.job_id) == urgent {
                return;
            }
            delivery.ack().await.unwrap();
            taken_before += 1;
        }
        assert!(taken_before < BACKLOG, "it came last of all");
        if taken_before == 10 {
            urgent = Some(world.submit_to(Lane::High, BACKLOG).await);
        }
    }
}
