//! Assay with a scripted handler in place of the real one, for tests, measurements and chaos.
//!
//! `probe-dev` is `assay dev` to the letter, but its worker does what each job's [`Script`] says. Jobs come
//! through the real gateway as `content-verification`, with the script in their options, and take the ordinary
//! queues. `probe-worker` is such a worker alone, beside a gateway and a scheduler. What the handler really did
//! stands in a [`Journal`], which no server can embellish.
//!
//! Not here: load, faults, ledgers (`bench`); anything that a released binary contains.

pub mod handler;
pub mod journal;
pub mod script;
pub mod server;
pub mod worker;

pub use journal::{Entry, Journal, Mark};
pub use script::{Act, SCRIPT_OPTION, Script};
