//! When a connection has waited for its client long enough. Pure: the time is passed in.
//!
//! While a request is being answered, its client may be silent: whoever reads its body has a patience of their own,
//! and answers such as streams of events take long. What a client never may is to take nothing of what it is sent.

use std::time::Duration;

use tokio::time::Instant;

/// How long a client may keep a connection waiting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// From the first byte of a request's head to its last; of the first request, from the begin of the connection.
    pub(super) head: Duration,
    /// From the end of an answer to the next request.
    pub(super) idle: Duration,
    /// From one byte that it takes to the next.
    pub(super) write: Duration,
}

/// What a connection waited for in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    Head,
    Idle,
    Reader,
}

impl Cut {
    pub(crate) const ALL: [Self; 3] = [Self::Head, Self::Idle, Self::Reader];

    /// Its word.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Idle => "idle",
            Self::Reader => "reader",
        }
    }
}

/// What goes on at a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pulse {
    patience: Patience,
    // Whether a request is being answered.
    is_answering: bool,
    // Since when a head has been coming.
    head_since: Option<Instant>,
    // When something last came or went.
    quiet_since: Instant,
    // Since when the client has taken nothing.
    stuck_since: Option<Instant>,
}

impl Pulse {
    /// A connection that begins now.
    pub(super) fn new(patience: Patience, now: Instant) -> Self {
        Self {
            patience,
            is_answering: false,
            head_since: Some(now),
            quiet_since: now,
            stuck_since: None,
        }
    }

    /// Something came.
    pub(super) fn came(&mut self, now: Instant) {
        self.quiet_since = now;
        if !self.is_answering {
            self.head_since.get_or_insert(now);
        }
    }

    /// The client took something.
    pub(super) fn went(&mut self, now: Instant) {
        self.quiet_since = now;
        self.stuck_since = None;
    }

    /// There is something for the client, and no room to send it.
    pub(super) fn stuck(&mut self, now: Instant) {
        self.stuck_since.get_or_insert(now);
    }

    /// A head is complete.
    pub(super) fn begin(&mut self) {
        self.is_answering = true;
        self.head_since = None;
    }

    /// The answer is on its way.
    pub(super) fn end(&mut self, now: Instant) {
        self.is_answering = false;
        self.quiet_since = now;
    }

    /// When the connection is to be cut if nothing else happens, and why.
    pub(super) fn over(&self) -> Option<(Instant, Cut)> {
        let Patience { head, idle, write } = self.patience;
        let stuck = self.stuck_since.map(|since| (since + write, Cut::Reader));
        let silent = if self.is_answering {
            None
        } else if let Some(since) = self.head_since {
            Some((since + head, Cut::Head))
        } else {
            Some((self.quiet_since + idle, Cut::Idle))
        };
        stuck.into_iter().chain(silent).min_by_key(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const PATIENCE: Patience = Patience {
        head: Duration::from_secs(10),
        idle: Duration::from_secs(75),
        write: Duration::from_secs(30),
    };

    #[test]
    fn a_head_may_take_so_long_from_its_first_byte_on() {
        let now = Instant::now();
        let mut pulse = Pulse::new(PATIENCE, now);
        assert_eq!(pulse.over(), Some((now + PATIENCE.head, Cut::Head)));
        for drop in 1..9 {
            pulse.came(now + drop * SECOND);
        }
        let over = Some((now + PATIENCE.head, Cut::Head));
        assert_eq!(pulse.over(), over, "drops give no time");
    }

    #[test]
    fn between_two_requests_a_connection_may_be_idle_for_longer() {
        let now = Instant::now();
        let mut pulse = Pulse::new(PATIENCE, now);
        pulse.came(now);
        pulse.begin();
        let answered = now + 60 * SECOND;
        pulse.went(answered);
        pulse.end(answered);
        let over = Some((answered + PATIENCE.idle, Cut::Idle));
        assert_eq!(pulse.over(), over);
        let next = answered + 70 * SECOND;
        pulse.came(next);
        assert_eq!(pulse.over(), Some((next + PATIENCE.head, Cut::Head)));
    }

    #[test]
    fn who_waits_for_an_answer_may_be_silent_for_ever() {
        let now = Instant::now();
        let mut pulse = Pulse::new(PATIENCE, now);
        pulse.begin();
        assert_eq!(pulse.over(), None);
        pulse.came(now + SECOND);
        assert_eq!(pulse.over(), None, "a body is no head");
    }

    #[test]
    fn who_takes_nothing_is_cut_off_whatever_they_send() {
        let now = Instant::now();
        let mut pulse = Pulse::new(PATIENCE, now);
        pulse.begin();
        pulse.stuck(now);
        pulse.came(now + SECOND);
        pulse.stuck(now + 2 * SECOND);
        assert_eq!(pulse.over(), Some((now + PATIENCE.write, Cut::Reader)));
        pulse.went(now + 3 * SECOND);
        assert_eq!(pulse.over(), None);
        pulse.stuck(now + 4 * SECOND);
        pulse.end(now + 4 * SECOND);
        let over = now + 4 * SECOND + PATIENCE.write;
        assert_eq!(pulse.over(), Some((over, Cut::Reader)), "it comes first");
    }
}
