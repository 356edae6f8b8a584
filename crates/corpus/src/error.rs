//! Why a picture could not be made, or a photograph not be taken in.

use std::path::PathBuf;

/// Why material could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A picture cannot be encoded.
    #[error("encode a picture")]
    Encode {
        /// The encoder's words.
        #[source]
        source: image::ImageError,
    },
    /// A picture of ours, or one that was given, cannot be decoded.
    #[error("decode a picture")]
    Decode {
        /// The decoder's words.
        #[source]
        source: image::ImageError,
    },
    /// A picture has other dimensions than its pixels.
    #[error("develop a picture: its size is not the sensor's")]
    Geometry,
    /// Metadata does not fit.
    #[error(
        "write {bytes} bytes of metadata: a segment holds {bytes_max}; make the thumbnail or the text smaller"
    )]
    SegmentTooLong {
        /// What was to be written.
        bytes: usize,
        /// What fits.
        bytes_max: usize,
    },
    /// The picture is smaller than what is to be done with it.
    #[error(
        "{what}: the picture has {width} x {height} pixels, and {side_min} are needed each way"
    )]
    TooSmall {
        /// What was to be done.
        what: &'static str,
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
        /// The least of both.
        side_min: u32,
    },
    /// A folder or file of photographs cannot be read.
    #[error("read {}", path.display())]
    Read {
        /// The folder or file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A folder was named that holds no photograph.
    #[error("find photographs in {}: it has no .jpg, .jpeg or .png file", path.display())]
    NoPhotos {
        /// The folder.
        path: PathBuf,
    },
    /// A file cannot be looked at.
    #[error("look at a file: {why}")]
    Unseen {
        /// The analysis' words.
        why: String,
    },
}
