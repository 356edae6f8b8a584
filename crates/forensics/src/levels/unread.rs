//! Why the coefficients of a file were not read.

use thiserror::Error;

use crate::bytes::count;

/// Why there are no levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unread {
    /// No JPEG, which stores no such coefficients.
    #[error("read coefficients: the file is no JPEG")]
    NoJpeg,
    /// A form of JPEG that is not read.
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
    /// The same as a sentence for people who asked for a test and not for coefficients.
    #[must_use]
    pub fn sentence(&self) -> String {
        let unread = "The coefficients of the JPEG were not read";
        match self {
            Self::NoJpeg => "The file is no JPEG, so it stores no coefficients of one.".to_owned(),
            Self::Unsupported { what } => format!("{unread}: {what} is not supported."),
            Self::Damaged { at, why } => format!("{unread}: near byte {at}, {why}."),
            Self::Limit { limit, max } => format!("{unread}: more than {limit} = {max}."),
        }
    }

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
