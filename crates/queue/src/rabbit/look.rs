//! Looks for answers until there is no new one.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures::Stream;
use futures::task::AtomicWaker;

/// Looks at many futures. A set of futures may say that none is ready although one was woken meanwhile; what is
/// concluded here from "there is no other" must not depend on that.
pub(super) struct Looker {
    woken: Arc<Woken>,
    waker: Waker,
}

/// Whether anything was woken since it was last asked.
#[derive(Default)]
struct Woken {
    is: AtomicBool,
    task: AtomicWaker,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is.store(true, Ordering::Release);
        self.task.wake();
    }
}

impl Looker {
    pub(super) fn new() -> Self {
        let woken = Arc::<Woken>::default();
        let waker = Waker::from(Arc::clone(&woken));
        Self { woken, waker }
    }

    /// Waits until `futures` have something, and puts everything that they have into `found`. Everything that was
    /// ready before the last of it is found, too. Loses nothing when it is dropped.
    pub(super) async fn look<S: Stream + Unpin>(&self, futures: &mut S, found: &mut Vec<S::Item>) {
        std::future::poll_fn(|context| {
            self.woken.task.register(context.waker());
            let mut inner = Context::from_waker(&self.waker);
            loop {
                self.woken.is.store(false, Ordering::Release);
                match Pin::new(&mut *futures).poll_next(&mut inner) {
                    Poll::Ready(Some(item)) => found.push(item),
                    Poll::Ready(None) => break,
                    Poll::Pending if self.woken.is.load(Ordering::Acquire) => {}
                    Poll::Pending => break,
                }
            }
            if found.is_empty() {
                Poll::Pending
            } else {
                Poll::Ready(())
            }
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use futures::channel::oneshot;
    use futures::stream::FuturesUnordered;

    use super::*;

    #[tokio::test]
    async fn everything_that_is_ready_is_found_at_once() {
        let looker = Looker::new();
        let (mut senders, mut futures) = (Vec::new(), FuturesUnordered::new());
        for _ in 0..100 {
            let (sender, receiver) = oneshot::channel();
            senders.push(sender);
            futures.push(receiver);
        }
        let mut found = Vec::new();
        let nothing = looker.look(&mut futures, &mut found).now_or_never();
        assert!(nothing.is_none());
        for (number, sender) in senders.drain(..50).enumerate() {
            sender.send(number).unwrap();
        }
        looker.look(&mut futures, &mut found).await;
        assert_eq!(found.len(), 50);
        drop(senders);
        found.clear();
        looker.look(&mut futures, &mut found).await;
        assert_eq!(found.len(), 50);
        assert!(futures.is_empty());
    }
}
