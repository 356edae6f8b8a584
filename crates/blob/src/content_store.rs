//! Blobs as the workers' place for large results.

use assay_core::id::Tenant;
use assay_core::port::{ContentError, ContentStore};
use async_trait::async_trait;
use bytes::Bytes;

use crate::Blobs;

#[async_trait]
impl ContentStore for Blobs {
    async fn put(&self, tenant: &Tenant, bytes: Vec<u8>) -> Result<String, ContentError> {
        match Self::put(self, tenant, Bytes::from(bytes)).await {
            Ok(id) => Ok(id.to_string()),
            Err(error) => Err(ContentError {
                why: error.to_string(),
            }),
        }
    }
}
