//! Names of the metrics of a queue on a message broker.
//!
//! Who calls what: the supervisor of a connection `connected`, `disconnected` and `blocked`; whoever owns a channel
//! `published` for each publish that was concluded; a subscription `given_back`; the gate before a broker that another
//! way stands in for `breaker_changed`.

use assay_core::breaker::State;
use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

use crate::rabbit::{Role, SYSTEM};

const CONNECTION_UP: &str = "assay_broker_connection_up";
const BLOCKED: &str = "assay_broker_blocked";
const RECONNECTS_TOTAL: &str = "assay_broker_reconnects_total";
const PUBLISHES_TOTAL: &str = "assay_publishes_total";
const CONFIRM_SECONDS: &str = "assay_publish_confirm_seconds";
const GIVEN_BACK_TOTAL: &str = "assay_broker_given_back_total";
const BREAKER_STATE: &str = "assay_breaker_state";
const BREAKER_TRANSITIONS_TOTAL: &str = "assay_breaker_transitions_total";

/// Which connection it is: the label set that all services share calls what tells them apart `reason`.
const ROLE: &str = "reason";

/// Buckets of the histograms, by name.
pub const BUCKETS: [(&str, &[f64]); 1] = [(
    CONFIRM_SECONDS,
    &[
        0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0,
    ],
)];

/// How a publish ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Published {
    /// The broker has it.
    Confirmed,
    /// The broker said no: a lane is full.
    Nacked,
    /// No queue took it.
    Returned,
    /// No answer came.
    Unknown,
    /// It was not sent.
    Unavailable,
}

impl Published {
    const ALL: [Self; 5] = [
        Self::Confirmed,
        Self::Nacked,
        Self::Returned,
        Self::Unknown,
        Self::Unavailable,
    ];

    fn label(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Nacked => "nacked",
            Self::Returned => "returned",
            Self::Unknown => "unknown",
            Self::Unavailable => "unavailable",
        }
    }
}

/// Why a delivery went back to the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GivenBack {
    /// It was dropped unsettled.
    Dropped,
    /// Nobody asked for it.
    Unasked,
    /// It could not be put off.
    NotPutOff,
}

impl GivenBack {
    const ALL: [Self; 3] = [Self::Dropped, Self::Unasked, Self::NotPutOff];

    fn label(self) -> &'static str {
        match self {
            Self::Dropped => "dropped",
            Self::Unasked => "unasked",
            Self::NotPutOff => "not_put_off",
        }
    }
}

impl Role {
    const ALL: [Self; 2] = [Self::Publish, Self::Consume];

    fn label(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Consume => "consume",
        }
    }
}

/// Describes the metrics of this file, and starts every series at zero.
pub fn describe() {
    describe_gauge!(
        CONNECTION_UP,
        "1 while there is a connection to the broker, by what for"
    );
    describe_gauge!(
        BLOCKED,
        "1 while the broker takes nothing in for want of memory or disk, by connection"
    );
    describe_counter!(
        RECONNECTS_TOTAL,
        "connections to the broker made anew after a loss, by what for"
    );
    describe_counter!(
        PUBLISHES_TOTAL,
        "messages that were to be published, by how that ended"
    );
    describe_histogram!(
        CONFIRM_SECONDS,
        Unit::Seconds,
        "from a publish to the broker's answer"
    );
    describe_counter!(
        GIVEN_BACK_TOTAL,
        "deliveries that went back to the broker unsettled, by why"
    );
    for role in Role::ALL {
        up(role).set(0.0);
        gauge!(BLOCKED, ROLE => role.label()).set(0.0);
        reconnects(role).absolute(0);
    }
    for outcome in Published::ALL {
        publishes(outcome).absolute(0);
    }
    drop(histogram!(CONFIRM_SECONDS));
    for why in GivenBack::ALL {
        given_backs(why).absolute(0);
    }
    describe_gauge!(
        BREAKER_STATE,
        "state of the breaker before the dependency: 0 closed, 1 half open, 2 open"
    );
    describe_counter!(
        BREAKER_TRANSITIONS_TOTAL,
        "changes of a breaker's state, by what it was changed to"
    );
    show_breaker(SYSTEM, State::Closed);
    for state in BREAKER_STATES {
        transitions(SYSTEM, state).absolute(0);
    }
}

fn up(role: Role) -> metrics::Gauge {
    gauge!(CONNECTION_UP, ROLE => role.label())
}

fn reconnects(role: Role) -> metrics::Counter {
    counter!(RECONNECTS_TOTAL, ROLE => role.label())
}

/// Shows a connection that was made, and counts it if there was one before.
pub(crate) fn connected(role: Role, again: bool) {
    up(role).set(1.0);
    if again {
        reconnects(role).increment(1);
    }
}

/// Shows that a connection was lost.
pub(crate) fn disconnected(role: Role) {
    up(role).set(0.0);
    blocked(role, false);
}

/// Shows whether the broker takes anything in.
pub(crate) fn blocked(role: Role, is_blocked: bool) {
    gauge!(BLOCKED, ROLE => role.label()).set(f64::from(u8::from(is_blocked)));
}

fn publishes(outcome: Published) -> metrics::Counter {
    counter!(PUBLISHES_TOTAL, "outcome" => outcome.label())
}

/// Counts a publish, and how long the broker took to answer if it did.
pub(crate) fn published(outcome: Published, seconds: f64) {
    publishes(outcome).increment(1);
    if matches!(
        outcome,
        Published::Confirmed | Published::Nacked | Published::Returned
    ) {
        histogram!(CONFIRM_SECONDS).record(seconds);
    }
}

fn given_backs(why: GivenBack) -> metrics::Counter {
    counter!(GIVEN_BACK_TOTAL, "reason" => why.label())
}

/// Counts deliveries that went back to the broker.
pub(crate) fn given_back(why: GivenBack, deliveries: usize) {
    given_backs(why).increment(deliveries as u64);
}

const BREAKER_STATES: [State; 3] = [State::Closed, State::HalfOpen, State::Open];

fn show_breaker(dependency: &'static str, state: State) {
    let shown = match state {
        State::Closed => 0.0,
        State::HalfOpen => 1.0,
        State::Open => 2.0,
    };
    gauge!(BREAKER_STATE, "dependency" => dependency).set(shown);
}

fn transitions(dependency: &'static str, to: State) -> metrics::Counter {
    counter!(BREAKER_TRANSITIONS_TOTAL, "dependency" => dependency, "outcome" => to.as_str())
}

/// Counts a change of a breaker's state, and shows the new one.
pub(crate) fn breaker_changed(dependency: &'static str, to: State) {
    show_breaker(dependency, to);
    transitions(dependency, to).increment(1);
}
