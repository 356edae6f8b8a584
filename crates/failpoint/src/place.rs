//! Which places there are, and what they are called.

/// A place between two steps of a job's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A submit was checked, nothing of it is written.
    SubmitChecked,
    /// A submit is recorded, nobody was told.
    SubmitRecorded,
    /// A submit's envelope was published, its record does not say so. Only where store and queue are two.
    SubmitPublished,
    /// A submit's answer is ready, the client does not have it.
    SubmitAnswering,
    /// A delivery is in hand, its claim was not asked for.
    ClaimAsking,
    /// A lease is held, the handler has not begun.
    ClaimHeld,
    /// The handler has ended, nothing of its outcome is recorded.
    SettleHandled,
    /// The outcome is recorded, nothing that follows from it is published or acknowledged.
    SettleRecorded,
    /// One of record and acknowledgement is made, the other is not.
    SettleBetween,
    /// Both are made.
    SettleDone,
}

/// A rule that keeps a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guard {
    /// An outcome is recorded before its delivery is acknowledged.
    RecordFirst,
    /// A job is put into its queue only if nothing was decided about it since it was looked at.
    PromoteCompares,
    /// A fencing token is never behind the clock, so that none is given twice after the store lost its last second.
    TokenFromClock,
}

impl Step {
    /// Every step, in a job's order.
    pub const ALL: [Self; 10] = [
        Self::SubmitChecked,
        Self::SubmitRecorded,
        Self::SubmitPublished,
        Self::SubmitAnswering,
        Self::ClaimAsking,
        Self::ClaimHeld,
        Self::SettleHandled,
        Self::SettleRecorded,
        Self::SettleBetween,
        Self::SettleDone,
    ];

    /// What it is called in a plan.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SubmitChecked => "submit.checked",
            Self::SubmitRecorded => "submit.recorded",
            Self::SubmitPublished => "submit.published",
            Self::SubmitAnswering => "submit.answering",
            Self::ClaimAsking => "claim.asking",
            Self::ClaimHeld => "claim.held",
            Self::SettleHandled => "settle.handled",
            Self::SettleRecorded => "settle.recorded",
            Self::SettleBetween => "settle.between",
            Self::SettleDone => "settle.done",
        }
    }
}

impl Guard {
    /// Every guard.
    pub const ALL: [Self; 3] = [
        Self::RecordFirst,
        Self::PromoteCompares,
        Self::TokenFromClock,
    ];

    /// What it is called in a plan.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::RecordFirst => "settle.record-first",
            Self::PromoteCompares => "promote.compares",
            Self::TokenFromClock => "token.from-clock",
        }
    }
}
