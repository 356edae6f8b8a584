//! Bytes that are too large for a record.

use async_trait::async_trait;

use crate::id::Tenant;

/// Keeps bytes under the name of their content.
///
/// Contract: what was answered is durable. Equal bytes of one tenant have one name, so putting them
/// again changes nothing and is always safe.
#[async_trait]
pub trait ContentStore: Send + Sync {
    /// Keeps `bytes` and answers their content id.
    ///
    /// # Errors
    /// [`ContentError`]: they may or may not be kept; putting them again may succeed.
    async fn put(&self, tenant: &Tenant, bytes: Vec<u8>) -> Result<String, ContentError>;
}

/// Why bytes could not be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("keep content: {why}")]
pub struct ContentError {
    /// What went wrong.
    pub why: String,
}
