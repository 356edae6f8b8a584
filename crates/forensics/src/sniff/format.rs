//! The formats that are told apart, with their names.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A file format, known by its magic bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Format {
    Jpeg,
    Png,
    Gif,
    Webp,
    Tiff,
    Bmp,
    Heif,
    Avif,
    JpegXl,
    Mp4,
    Mov,
    M4a,
    Matroska,
    Avi,
    Wav,
    Mp3,
    Flac,
    Ogg,
    Pdf,
    Zip,
    /// UTF-8 without control characters.
    Text,
    Unknown,
}

/// What a format carries. Decides which bound on bytes holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// A picture.
    Image,
    /// Sound.
    Audio,
    /// Moving pictures.
    Video,
    /// Pages.
    Document,
    /// Anything else.
    Other,
}

/// (format, media type, kind, extensions, other media types)
type Row = (
    Format,
    &'static str,
    MediaKind,
    &'static [&'static str],
    &'static [&'static str],
);

const TABLE: [Row; 22] = [
    (
        Format::Jpeg,
        "image/jpeg",
        MediaKind::Image,
        &["jpg", "jpeg", "jpe", "jfif"],
        &["image/jpg", "image/pjpeg"],
    ),
    (
        Format::Png,
        "image/png",
        MediaKind::Image,
        &["png", "apng"],
        &["image/apng", "image/x-png"],
    ),
    (Format::Gif, "image/gif", MediaKind::Image, &["gif"], &[]),
    (Format::Webp, "image/webp", MediaKind::Image, &["webp"], &[]),
    (
        Format::Tiff,
        "image/tiff",
        MediaKind::Image,
        &["tif", "tiff", "dng"],
        &["image/x-adobe-dng"],
    ),
    (
        Format::Bmp,
        "image/bmp",
        MediaKind::Image,
        &["bmp", "dib"],
        &["image/x-ms-bmp"],
    ),
    (
        Format::Heif,
        "image/heif",
        MediaKind::Image,
        &["heic", "heif", "hif"],
        &["image/heic"],
    ),
    (Format::Avif, "image/avif", MediaKind::Image, &["avif"], &[]),
    (Format::JpegXl, "image/jxl", MediaKind::Image, &["jxl"], &[]),
    (
        Format::Mp4,
        "video/mp4",
        MediaKind::Video,
        &["mp4", "m4v"],
        &["video/x-m4v"],
    ),
    (
        Format::Mov,
        "video/quicktime",
        MediaKind::Video,
        &["mov", "qt"],
        &[],
    ),
    (
        Format::M4a,
        "audio/mp4",
        MediaKind::Audio,
        &["m4a", "m4b"],
        &["audio/x-m4a", "audio/m4a"],
    ),
    (
        Format::Matroska,
        "video/x-matroska",
        MediaKind::Video,
        &["mkv", "webm"],
        &["video/webm", "audio/webm"],
    ),
    (
        Format::Avi,
        "video/x-msvideo",
        MediaKind::Video,
        &["avi"],
        &["video/avi", "video/msvideo"],
    ),
    (
        Format::Wav,
        "audio/wav",
        MediaKind::Audio,
        &["wav", "wave"],
        &["audio/x-wav", "audio/wave", "audio/vnd.wave"],
    ),
    (
        Format::Mp3,
        "audio/mpeg",
        MediaKind::Audio,
        &["mp3"],
        &["audio/mp3"],
    ),
    (
        Format::Flac,
        "audio/flac",
        MediaKind::Audio,
        &["flac"],
        &["audio/x-flac"],
    ),
    (
        Format::Ogg,
        "audio/ogg",
        MediaKind::Audio,
        &["ogg", "oga", "opus", "ogv"],
        &["application/ogg", "video/ogg", "audio/opus"],
    ),
    (
        Format::Pdf,
        "application/pdf",
        MediaKind::Document,
        &["pdf"],
        &[],
    ),
    (
        Format::Zip,
        "application/zip",
        MediaKind::Other,
        &["zip", "docx", "xlsx", "pptx", "odt", "jar", "epub"],
        &["application/x-zip-compressed"],
    ),
    (
        Format::Text,
        "text/plain",
        MediaKind::Other,
        &["txt", "md", "log", "csv"],
        &[],
    ),
    (
        Format::Unknown,
        "application/octet-stream",
        MediaKind::Other,
        &[],
        &[],
    ),
];

/// Formats that share an extension or a media type, as their magic does not always tell them apart.
const FAMILIES: [&[Format]; 2] = [
    &[Format::Mp4, Format::Mov, Format::M4a],
    &[Format::Heif, Format::Avif],
];

impl Format {
    /// The media type.
    #[must_use]
    pub fn mime(self) -> &'static str {
        self.row().1
    }

    /// What it carries.
    #[must_use]
    pub fn kind(self) -> MediaKind {
        self.row().2
    }

    /// Whether its pictures are decoded, so that their pixels can be looked at.
    #[must_use]
    pub const fn is_decoded(self) -> bool {
        matches!(self, Self::Jpeg | Self::Png)
    }

    /// The formats that an extension may stand for; nothing if it is not in the table.
    pub(super) fn by_extension(extension: &str) -> Option<Vec<Self>> {
        Self::find(|row| {
            row.3
                .iter()
                .any(|known| extension.eq_ignore_ascii_case(known))
        })
    }

    /// The formats that a media type may stand for; nothing if it is not in the table or says nothing.
    pub(super) fn by_mime(mime: &str) -> Option<Vec<Self>> {
        let mime = mime.split(';').next().unwrap_or(mime).trim();
        if mime.eq_ignore_ascii_case(Self::Unknown.mime()) {
            return None;
        }
        Self::find(|row| {
            mime.eq_ignore_ascii_case(row.1)
                || row.4.iter().any(|known| mime.eq_ignore_ascii_case(known))
        })
    }

    fn find(matches: impl Fn(&Row) -> bool) -> Option<Vec<Self>> {
        let format = TABLE.iter().find(|row| matches(row))?.0;
        let family = FAMILIES.iter().find(|family| family.contains(&format));
        Some(family.map_or_else(|| vec![format], |family| family.to_vec()))
    }

    fn row(self) -> &'static Row {
        // The last row is for what is unknown; a test holds that every format has its own.
        let [.., last] = &TABLE;
        TABLE.iter().find(|row| row.0 == self).unwrap_or(last)
    }
}

impl fmt::Display for MediaKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Image => "image",
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Document => "document",
            Self::Other => "file",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_format_has_its_own_row() {
        let formats: HashSet<Format> = TABLE.iter().map(|row| row.0).collect();
        let mimes: HashSet<&str> = TABLE.iter().map(|row| row.1).collect();
        assert_eq!(formats.len(), TABLE.len());
        assert_eq!(mimes.len(), TABLE.len());
    }

    #[test]
    fn names_are_found_without_regard_to_case() {
        assert_eq!(Format::by_extension("JPG"), Some(vec![Format::Jpeg]));
        assert_eq!(Format::by_mime("Image/PNG; q=1"), Some(vec![Format::Png]));
        assert_eq!(Format::by_extension("xyz"), None);
        assert_eq!(Format::by_mime("application/octet-stream"), None);
        assert!(Format::by_extension("mov").is_some_and(|found| found.contains(&Format::Mp4)));
    }
}
