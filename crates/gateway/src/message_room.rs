//! Where the bytes of a message are accounted for until it is whole: however many are begun, they take no more memory
//! than the bound. Pure but for the permits.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::STRANGER_BYTES_MAX;
use crate::status::Refusal;

/// What stands before a message of gRPC, in bytes: whether it is packed, and its length.
const PREFIX_BYTES: usize = 5;

/// What the body of a call may take.
#[derive(Debug)]
pub(crate) enum Room {
    /// So many bytes are left to one who may have no token: they must not take what others need.
    Stranger { left: usize },
    /// One message, which takes of what all share until this is dropped.
    Message(Share),
    /// Messages, of which only one that is not whole takes something.
    Stream { share: Share, frames: Frames },
}

impl Room {
    /// For a call that asks for no token.
    pub(crate) fn of_stranger() -> Self {
        Self::Stranger {
            left: STRANGER_BYTES_MAX + PREFIX_BYTES,
        }
    }

    /// For the one message of a call; a permit is a byte, and there are `limit` of them.
    pub(crate) fn of_message(all: &Arc<Semaphore>, limit: usize) -> Self {
        Self::Message(Share::new(all, limit))
    }

    /// For the messages of a stream.
    pub(crate) fn of_stream(all: &Arc<Semaphore>, limit: usize) -> Self {
        Self::Stream {
            share: Share::new(all, limit),
            frames: Frames::default(),
        }
    }

    /// Takes what came.
    ///
    /// # Errors
    /// When there is no room for it.
    pub(crate) fn take(&mut self, data: &[u8]) -> Result<(), Refusal> {
        match self {
            Self::Stranger { left } => {
                let limit = STRANGER_BYTES_MAX;
                let rest = left.checked_sub(data.len());
                *left = rest.ok_or(Refusal::MessageTooLarge { limit })?;
                Ok(())
            }
            Self::Message(share) => share.take(data.len()),
            Self::Stream { share, frames } => {
                frames.take(data);
                share.hold(frames.unfinished())
            }
        }
    }

    /// Whether nothing is waited for but another message.
    pub(crate) fn is_between_messages(&self) -> bool {
        match self {
            Self::Stranger { .. } | Self::Message(_) => false,
            Self::Stream { frames, .. } => frames.unfinished() == 0,
        }
    }
}

/// What is taken of something that all share.
#[derive(Debug)]
pub(crate) struct Share {
    all: Arc<Semaphore>,
    limit: usize,
    taken: Option<OwnedSemaphorePermit>,
}

impl Share {
    fn new(all: &Arc<Semaphore>, limit: usize) -> Self {
        Self {
            all: Arc::clone(all),
            limit,
            taken: None,
        }
    }

    /// Takes so many bytes more.
    fn take(&mut self, bytes: usize) -> Result<(), Refusal> {
        let permits = u32::try_from(bytes).unwrap_or(u32::MAX);
        let more = Arc::clone(&self.all).try_acquire_many_owned(permits);
        let more = more.map_err(|_| Refusal::ServerBusy { limit: self.limit })?;
        match &mut self.taken {
            Some(taken) => taken.merge(more),
            None => self.taken = Some(more),
        }
        Ok(())
    }

    /// Takes so many bytes in all.
    fn hold(&mut self, bytes: usize) -> Result<(), Refusal> {
        let held = self.taken.as_ref();
        let held = held.map_or(0, OwnedSemaphorePermit::num_permits);
        match bytes.checked_sub(held) {
            Some(more) => self.take(more),
            None => {
                let surplus = held.saturating_sub(bytes);
                drop(self.taken.as_mut().and_then(|taken| taken.split(surplus)));
                Ok(())
            }
        }
    }
}

/// Where a stream of messages is: each is a prefix and as many bytes as that says.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    prefix: [u8; PREFIX_BYTES],
    // Of the message that is coming: how much there is of the prefix, how much behind it, and how much is to come.
    prefix_bytes: usize,
    come: usize,
    left: usize,
}

impl Frames {
    fn take(&mut self, mut data: &[u8]) {
        while let Some((first, rest)) = data.split_first() {
            if let Some(place) = self.prefix.get_mut(self.prefix_bytes) {
                *place = *first;
                self.prefix_bytes += 1;
                data = rest;
                if self.prefix_bytes == PREFIX_BYTES {
                    let [_, length @ ..] = self.prefix;
                    self.left = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
                }
            } else {
                let bytes = self.left.min(data.len());
                self.come += bytes;
                self.left -= bytes;
                data = data.get(bytes..).unwrap_or_default();
            }
            if self.prefix_bytes == PREFIX_BYTES && self.left == 0 {
                self.prefix_bytes = 0;
                self.come = 0;
            }
        }
    }

    /// How many bytes there are of a message that is not whole.
    fn unfinished(&self) -> usize {
        self.prefix_bytes + self.come
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn framed(lengths: &[u8]) -> Vec<u8> {
        let message =
            |length: &u8| [&[0, 0, 0, 0, *length][..], &vec![7; (*length).into()]].concat();
        lengths.iter().flat_map(message).collect()
    }

    #[test]
    fn a_stranger_s_room_ends_at_its_bound() {
        let mut room = Room::of_stranger();
        assert!(room.take(&[0; PREFIX_BYTES]).is_ok());
        assert!(room.take(&[0; STRANGER_BYTES_MAX]).is_ok() && room.take(&[]).is_ok());
        let limit = STRANGER_BYTES_MAX;
        assert_eq!(room.take(&[0]), Err(Refusal::MessageTooLarge { limit }));
    }

    #[test]
    fn shared_room_is_taken_until_it_is_dropped() {
        let all = Arc::new(Semaphore::new(10));
        let room = || Room::of_message(&all, 10);
        let (mut one, mut other) = (room(), room());
        assert!(one.take(&[0; 7]).is_ok() && other.take(&[0; 3]).is_ok());
        assert_eq!(other.take(&[0]), Err(Refusal::ServerBusy { limit: 10 }));
        drop(one);
        assert!(other.take(&[0; 7]).is_ok());
        drop(other);
        assert_eq!(all.available_permits(), 10);
    }

    #[test]
    fn of_a_stream_only_what_is_not_whole_takes_room() {
        let all = Arc::new(Semaphore::new(10));
        let mut room = Room::of_stream(&all, 10);
        let three = framed(&[3]);
        for (data, free, between) in [
            (&three[..4], 6, false),
            (&three[4..], 10, true),
            (&framed(&[0, 100, 2]), 10, true),
            (&[&three[..], &three[..7]].concat(), 3, false),
            (&[&three[7..], &three[..1]].concat(), 9, false),
        ] {
            assert_eq!(room.take(data), Ok(()));
            assert_eq!(all.available_permits(), free, "{data:?}");
            assert_eq!(room.is_between_messages(), between, "{data:?}");
        }
        let more = [&three[1..], &framed(&[20])[..11]].concat();
        assert_eq!(room.take(&more), Err(Refusal::ServerBusy { limit: 10 }));
    }

    proptest! {
        #[test]
        fn however_messages_are_cut_they_end_where_they_end(
            lengths in prop::collection::vec(any::<u8>(), 0..8),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
            more in prop::collection::vec(any::<u8>(), 0..64),
        ) {
            let whole = framed(&lengths);
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(whole.len() + 1)).collect();
            cuts.extend([0, whole.len()]);
            cuts.sort_unstable();
            let mut frames = Frames::default();
            for part in cuts.windows(2) {
                frames.take(&whole[part[0]..part[1]]);
            }
            prop_assert_eq!(frames.unfinished(), 0);
            frames.take(&more);
            prop_assert!(frames.unfinished() <= more.len());
        }
    }
}
