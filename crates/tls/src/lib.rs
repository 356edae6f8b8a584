//! Encrypted connections to the servers that the configuration names: who is believed to be such a server, and what it
//! means when nobody is.
//!
//! - [`Roots`]: the certificates that are trusted, from a file of the operator's or from the system, and the connection
//!   made with them.
//! - [`Refusal`]: why a server is not believed, in a sentence that says what to do.
//!
//! The name of a server is always held against its certificate; there is no way to switch any check off.
//!
//! Not here: certificates of ours. Servers know clients by their passwords.

mod refusal;
mod roots;

pub use refusal::Refusal;
pub use roots::{CA_FILE_BYTES_MAX, Roots, RootsError};
pub use tokio_rustls::client::TlsStream;
