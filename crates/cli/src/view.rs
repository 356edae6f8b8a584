//! How jobs and results look to people, and to programs.

pub(crate) mod breaker;
pub(crate) mod dead_letter;
pub(crate) mod detector;
pub(crate) mod job;
pub(crate) mod payload;
pub(crate) mod progress;
pub(crate) mod queue;
pub(crate) mod report;
pub(crate) mod state;
pub(crate) mod table;
pub(crate) mod worker;
