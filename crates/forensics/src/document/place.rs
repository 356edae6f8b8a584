//! Where in a document a picture is.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::structure::JpegStream;

/// A picture of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PicturePlace {
    /// Number of its object. Several versions of an object may stand in one file.
    pub object: u32,
    /// Where its file begins in the document, in bytes.
    pub offset: u64,
}

impl PicturePlace {
    pub(super) fn of(picture: &JpegStream) -> Self {
        Self {
            object: picture.object,
            offset: picture.span.offset,
        }
    }
}

impl fmt::Display for PicturePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the picture of object {}", self.object)
    }
}
