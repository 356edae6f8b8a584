//! Private RabbitMQ brokers for tests.
//!
//! - [`Prefix`]: names that no other test uses, on the broker that `with-servers` started for the whole run. The usual
//!   choice.
//! - [`RabbitServer`]: a broker of a test's own, to be killed, restarted, filled up, or have its queues taken away.
//!
//! ```ignore
//! let Prefix { url, name } = Prefix::take();
//! // connect to `url`, declare names that begin with `name`
//!
//! let mut server = RabbitServer::start(RabbitOptions::new()).await?;
//! server.control(&["set_vm_memory_high_watermark", "0.0001"]).await?; // it blocks who publishes
//! server.kill().await?;
//! server.restart().await?;
//! ```
//!
//! All listen on loopback, on ports of their own, with a port mapper, a cookie and data of their own, and are stopped
//! by process id. A broker that somebody else started is never touched.
//!
//! Not here: a client. What a broker does is seen through `rabbitmqctl` ([`RabbitServer::control`]).

mod control;
mod greeting;
mod install;
mod mapper;
mod node;
mod options;
mod prefix;
mod program;
mod server;
mod standing;

pub use install::ensure_program;
pub use options::RabbitOptions;
pub use prefix::{Prefix, URL_VARIABLE};
pub use program::Program;
pub use server::RabbitServer;
pub(crate) use standing::StandingBroker;
