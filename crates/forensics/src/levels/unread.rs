//! Why the coefficients of a file were not read.

use thiserror::Error;

use crate::bytes::count;

/// Why there are no levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unread {
    /// A form of JPEG that is not read, or none.
    #[error("read coefficients: {what} is not supported")]
    Unsupported {
        /// Which.
        what: &'static str,
    },
    /// The file contradicts the standard, or ends early. A decoder may show a picture of it all the same.
    #[error("read coefficients near byte {at}: {why}")]
    Damaged {
        /// About where, in bytes from the start of the file.
        at: u64,
        /// What is wrong.
        why: &'static str,
    },
    /// A bound of [`crate::Limits`] was hit.
    #[error("read coefficients: more than {limit} = {max}")]
    Limit {
        /// Its name there.
        limit: &'static str,
        /// Its value.
        max: u64,
    },
}

/// What is wrong at a place that the caller knows.
pub(super) type Fault = &'static str;

impl Unread {
    pub(super) fn damaged(at: usize, why: Fault) -> Self {
        Self::Damaged { at: count(at), why }
    }

    pub(super) fn limit(limit: &'static str, max: impl Into<u64>) -> Self {
        Self::Limit {
            limit,
            max: max.into(),
        }
    }
}
