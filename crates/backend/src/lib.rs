//! What the processes of one installation share, opened from configuration: Redis, a folder of blobs, and RabbitMQ
//! if one is named.
//!
//! Contract: [`run`] is the life of a process that cannot work alone. It waits for a Redis that is not there
//! yet, and says so once; it refuses one that will not do, in one sentence. From then on readiness tells
//! whether Redis answers. A RabbitMQ may come and go: a gateway without one refuses new jobs and still answers, and
//! a worker that cannot receive says so itself. At the end each connection is closed after everything that uses it.
//!
//! Not here: what the processes do with it; how records and envelopes are kept (`assay-store`); one process
//! that shares with nobody (`assay-embedded`).

mod carriage;
mod check;
mod look;
mod open;
mod run;
mod watch;

pub use carriage::{Mode, Reconciliation};
pub use check::{BLOB_FOLDER_KEY, DEFAULTS, INSTRUMENTS, Settings, check, store_settings};
pub use look::{Broker, Records, look, look_at_broker};
pub use open::{Backend, Error};
pub use run::run;
pub use watch::{RABBITMQ_DEPENDENCY, REDIS_DEPENDENCY};
