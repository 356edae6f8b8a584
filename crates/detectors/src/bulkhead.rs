//! Places among few. A call holds one until it has really ended, also when nobody waits for it any more: what runs in this
//! process cannot be stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The places of one detector.
#[derive(Debug)]
pub(crate) struct Bulkhead {
    places: Arc<Semaphore>,
    count: usize,
    left: Arc<AtomicUsize>,
}

/// The place of a call, in the hand of who waits for the call.
#[derive(Debug)]
pub(crate) struct Seat {
    place: Place,
}

/// The same place, in the hand of the call itself. It is free when no hand holds it.
#[derive(Debug, Clone)]
pub(crate) struct Place(Arc<Held>);

#[derive(Debug)]
struct Held {
    /// None of a semaphore that was closed, which this one never is.
    _permit: Option<OwnedSemaphorePermit>,
    /// Whether nobody waits for the call any more.
    is_left: AtomicBool,
    /// How many such places there are.
    left: Arc<AtomicUsize>,
}

impl Bulkhead {
    pub(crate) fn new(count: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(count)),
            count,
            left: Arc::default(),
        }
    }

    /// Waits for a place.
    pub(crate) async fn enter(&self) -> Seat {
        let permit = Arc::clone(&self.places).acquire_owned().await;
        Seat {
            place: Place(Arc::new(Held {
                _permit: permit.ok(),
                is_left: AtomicBool::new(false),
                left: Arc::clone(&self.left),
            })),
        }
    }

    /// Whether every place is held by a call that nobody waits for any more.
    pub(crate) fn is_stuck(&self) -> bool {
        self.left.load(Ordering::Relaxed) >= self.count
    }
}

impl Seat {
    /// The place, for the call.
    pub(crate) fn place(&self) -> Place {
        self.place.clone()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let Place(held) = &self.place;
        if Arc::strong_count(held) > 1 {
            held.is_left.store(true, Ordering::Relaxed);
            held.left.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Whoever left has let go before, so this is seen.
        if *self.is_left.get_mut() {
            self.left.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn a_place_is_free_when_its_call_has_ended_too() {
        let bulkhead = Bulkhead::new(1);
        let seat = bulkhead.enter().now_or_never().unwrap();
        let call = seat.place();
        drop(seat);
        assert!(bulkhead.enter().now_or_never().is_none());
        drop(call);
        assert!(bulkhead.enter().now_or_never().is_some());
    }

    #[test]
    fn it_is_stuck_while_nobody_waits_for_any_call() {
        let bulkhead = Bulkhead::new(2);
        let calls = [(); 2].map(|()| {
            assert!(!bulkhead.is_stuck());
            let seat = bulkhead.enter().now_or_never().unwrap();
            seat.place()
        });
        assert!(bulkhead.is_stuck());
        for call in calls {
            drop(call);
            assert!(!bulkhead.is_stuck());
        }
        // Who waits to the end leaves nothing.
        let seats = [(); 2].map(|()| bulkhead.enter().now_or_never().unwrap());
        drop(seats.each_ref().map(Seat::place));
        assert!(!bulkhead.is_stuck());
        drop(seats);
        assert!(!bulkhead.is_stuck());
    }
}
