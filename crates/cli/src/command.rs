//! One module per command. Each has its `Args` and a `run` that answers the exit code.

pub(crate) mod breakers;
pub(crate) mod calibrate;
pub(crate) mod completions;
pub(crate) mod content;
pub(crate) mod dead_letters;
pub(crate) mod dev;
pub(crate) mod doctor;
pub(crate) mod jobs;
pub(crate) mod queues;
pub(crate) mod submit;
pub(crate) mod token;
pub(crate) mod verify;
pub(crate) mod watch;
pub(crate) mod workers;
