//! What the bytes are, whatever they are called, and whether they are within limits.

mod format;
mod magic;
mod polyglot;
mod size;

use serde::{Deserialize, Serialize};

pub use format::{Format, MediaKind};
pub(crate) use magic::detect;
pub use size::Size;

use crate::evidence::Fact;
use crate::limits::Limits;
use crate::refusal::Refusal;

/// What the sender says about a file. Believed in nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hints {
    /// Name of the file, with its extension.
    pub file_name: Option<String>,
    /// Declared media type.
    pub declared_mime: Option<String>,
}

/// What the first look shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sniff {
    /// By magic bytes.
    pub format: Format,
    /// Media type of the format.
    pub mime: String,
    /// Size of the file.
    pub bytes: u64,
    /// Size of the picture as its header declares, if we read such headers.
    pub size: Option<Size>,
    /// Contradictions to the hints, and other formats that the bytes have at once.
    pub facts: Vec<Fact>,
}

/// Looks at magic and header, not at the media.
///
/// # Errors
/// No bytes; more bytes or pixels than the limits allow.
pub fn sniff(bytes: &[u8], hints: &Hints, limits: &Limits) -> Result<Sniff, Refusal> {
    if bytes.is_empty() {
        return Err(Refusal::EmptyInput);
    }
    let format = detect(bytes);
    let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    check_bytes(format.kind(), len, limits)?;
    let size = size::declared(bytes, format, limits);
    if let Some(size) = size {
        check_pixels(size, limits)?;
    }
    let mut facts = mislabelled(format, hints);
    facts.extend(polyglot::find(bytes, format));
    Ok(Sniff {
        format,
        mime: format.mime().to_owned(),
        bytes: len,
        size,
        facts,
    })
}

fn check_bytes(kind: MediaKind, bytes: u64, limits: &Limits) -> Result<(), Refusal> {
    let bytes_max = limits.bytes_max(kind);
    if bytes > bytes_max {
        return Err(Refusal::LimitBytes {
            kind,
            bytes,
            bytes_max,
        });
    }
    Ok(())
}

fn check_pixels(size: Size, limits: &Limits) -> Result<(), Refusal> {
    let Size { width, height } = size;
    let side_pixels_max = limits.side_pixels_max;
    let pixels_max = limits.pixels_max;
    if width > side_pixels_max || height > side_pixels_max || size.pixels() > pixels_max {
        return Err(Refusal::LimitPixels {
            width,
            height,
            pixels_max,
            side_pixels_max,
        });
    }
    Ok(())
}

/// One fact if the name or the declared type says another format than the bytes.
fn mislabelled(format: Format, hints: &Hints) -> Vec<Fact> {
    let extension = hints.file_name.as_deref().and_then(extension);
    let by_name = extension.and_then(|extension| {
        let formats = Format::by_extension(extension)?;
        (!formats.contains(&format)).then(|| format!("the name ends in .{extension}"))
    });
    let by_mime = hints.declared_mime.as_deref().and_then(|mime| {
        let formats = Format::by_mime(mime)?;
        (!formats.contains(&format)).then(|| format!("the declared type is {mime}"))
    });
    let claims: Vec<String> = [by_name, by_mime].into_iter().flatten().collect();
    if claims.is_empty() {
        return Vec::new();
    }
    let claims = claims.join(" and ");
    let mime = format.mime();
    vec![Fact::new(
        "mislabelled",
        format!("{claims}, the bytes are {mime}"),
    )]
}

fn extension(name: &str) -> Option<&str> {
    let (_, extension) = name.rsplit_once('.')?;
    Some(extension)
}

#[cfg(test)]
mod tests;
