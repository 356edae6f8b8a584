//! Words and rules of Assay: what a job is, what may happen to it, and what follows.
//!
//! - [`id`], [`kind`], [`state`], [`job`], [`event`], [`envelope`], [`worker`]: the words.
//! - [`claim`], [`lanes`], [`retry`], [`progress`], [`breaker`], [`transition`]: the rules, as pure functions of their arguments; time and chance are arguments too.
//! - [`route`]: names of queues. [`port`]: what the services ask of the outside. [`clock`]: the time.
//!
//! Not here: input and output, a runtime, any client library, the environment. Whoever wants to
//! know what Assay does reads this crate; whoever wants to know how reads the adapters.

pub mod breaker;
pub mod claim;
pub mod clock;
pub mod envelope;
pub mod event;
pub mod id;
pub mod job;
pub mod kind;
pub mod lanes;
pub mod port;
pub mod progress;
pub mod retention;
pub mod retry;
pub mod route;
pub mod state;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a step names the states it is about; state::apply knows them all"
)]
pub mod transition;
pub mod worker;
