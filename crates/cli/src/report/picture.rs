//! The file itself as the page shows it.
//!
//! This process decodes no bytes of strangers, not even to make a smaller picture of them: the file stands in the page
//! as it is, and the reader's browser, which is built for such bytes, decodes it. So a page with a picture holds the
//! file with all its metadata, and says so.

use sha2::{Digest as _, Sha256};

use super::result::ResultView;

/// Largest file that is put into a page, in bytes; in the page it takes a third more.
pub(crate) const PICTURE_BYTES_MAX: u64 = 8 * MIB;

const MIB: u64 = 1024 * 1024;

/// Most pixels that a reader's browser is asked to decode; at four bytes each, a quarter of a gigabyte.
const PICTURE_PIXELS_MAX: u64 = 64_000_000;

/// What every browser shows and what cannot hold scripts.
const SHOWN: [&str; 3] = ["image/jpeg", "image/png", "image/webp"];

/// The file, or why it is not in the page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Picture {
    /// The whole file.
    Whole {
        /// Media type by its bytes.
        mime: &'static str,
        /// All of it.
        bytes: Vec<u8>,
    },
    /// Left out.
    Withheld(Withheld),
}

/// Why a picture is not in the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Withheld {
    /// Whoever had the page written did not want it.
    #[error("The picture was left out of this page as asked.")]
    NotWanted,
    /// It is no picture, or none for browsers.
    #[error("Not every browser shows a file of this kind, so it is left out of this page.")]
    NotShown,
    /// The header does not say how large the picture is.
    #[error("The file does not say how large its picture is, so it is left out of this page.")]
    NoSize,
    /// More than [`PICTURE_BYTES_MAX`].
    #[error(
        "The file is larger than {} MiB, so it is left out of this page.",
        PICTURE_BYTES_MAX / MIB
    )]
    Bytes,
    /// More than [`PICTURE_PIXELS_MAX`].
    #[error(
        "The picture has more than {} million pixels. It could keep a browser busy, so it is left out of this page.",
        PICTURE_PIXELS_MAX / 1_000_000
    )]
    Pixels,
    /// It could not be read a second time.
    #[error(
        "The file could not be read again after it was verified, so it is left out of this page."
    )]
    Unread,
    /// It is not the file any more that was verified.
    #[error("The file changed after it was verified, so it is left out of this page.")]
    Changed,
}

impl Picture {
    /// Whether the file of a result may be shown: its media type, or why not. Before it is read.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn allowed(result: &ResultView) -> Result<&'static str, Withheld> {
        let mime = SHOWN.into_iter().find(|mime| *mime == result.mime());
        let mime = mime.ok_or(Withheld::NotShown)?;
        let (width, height) = result.size().ok_or(Withheld::NoSize)?;
        if u64::from(width) * u64::from(height) > PICTURE_PIXELS_MAX {
            return Err(Withheld::Pixels);
        }
        if result.content.bytes > PICTURE_BYTES_MAX {
            return Err(Withheld::Bytes);
        }
        Ok(mime)
    }

    /// The file, as it was read; only if it is what was verified.
    pub(crate) fn of(result: &ResultView, mime: &'static str, bytes: Vec<u8>) -> Self {
        if hex(&Sha256::digest(&bytes)) != result.sha256() {
            return Self::Withheld(Withheld::Changed);
        }
        Self::Whole { mime, bytes }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn result(mime: &str, width: u32, height: u32, bytes: u64) -> ResultView {
        // SHA-256 of "abc" (FIPS 180-2, B.1).
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let content = json!({ "mime": mime, "width": width, "height": height, "bytes": bytes, "sha256": sha256 });
        ResultView::read(&json!({ "content": content })).unwrap()
    }

    #[test]
    fn only_what_every_browser_shows_is_put_into_a_page() {
        let allowed = |mime| Picture::allowed(&result(mime, 1, 1, 1));
        assert_eq!(allowed("image/jpeg"), Ok("image/jpeg"));
        for mime in [
            "image/svg+xml",
            "image/tiff",
            "application/pdf",
            "",
            "image/jpeg\" x",
        ] {
            assert_eq!(allowed(mime), Err(Withheld::NotShown), "{mime}");
        }
    }

    #[test]
    fn size_is_bounded_in_bytes_and_in_pixels() {
        let allowed = |width, height, bytes| {
            Picture::allowed(&result("image/png", width, height, bytes)).err()
        };
        assert_eq!(allowed(1, 1, PICTURE_BYTES_MAX), None);
        assert_eq!(allowed(1, 1, PICTURE_BYTES_MAX + 1), Some(Withheld::Bytes));
        assert_eq!(allowed(8_000, 8_000, 1), None);
        assert_eq!(allowed(8_000, 8_001, 1), Some(Withheld::Pixels));
        assert_eq!(allowed(u32::MAX, u32::MAX, 1), Some(Withheld::Pixels));
        assert_eq!(allowed(0, 1, 1), Some(Withheld::NoSize));
    }

    #[test]
    fn another_file_is_not_shown_in_place_of_the_one_verified() {
        let result = result("image/png", 1, 1, 3);
        let of = |bytes: &[u8]| Picture::of(&result, "image/png", bytes.to_vec());
        assert_eq!(
            of(b"abc"),
            Picture::Whole {
                mime: "image/png",
                bytes: b"abc".to_vec()
            }
        );
        assert_eq!(of(b"abd"), Picture::Withheld(Withheld::Changed));
    }
}
