//! The whole system, from outside; and the shape of its code.

mod architecture;
mod chaos;
mod jobs;
mod many_files;
mod readme;
mod sources;
mod tidy;
mod tracing;
mod watch;
