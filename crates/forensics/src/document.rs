//! The pictures of a document: each is looked at like a picture that came alone, and all are reported together.
//!
//! What is found says in which picture; places in it are pixels of that picture. Several pictures are several chances of a
//! false alarm, and must not add up to a certainty that none of them gives: of one family only the strongest finding
//! counts, whichever picture it is of (`fusion`), and each may weigh only as much as with that many chances
//! ([`Gathered`]). What was found nowhere, and facts that several pictures share, are told once: most documents with many
//! pictures are plain scans, whose pages all say the same.
//!
//! Not here: pages as a reader shows them, with their text; pictures that are no JPEG as they are; which pictures are
//! looked at (`structure`).

mod declared;
mod gathered;
mod place;

pub use declared::declared;
pub use place::PicturePlace;

use gathered::Gathered;

use crate::limits::Limits;
use crate::pixels::{Found, Inspection, inspect};
use crate::refusal::Refusal;
use crate::sniff::{Hints, Sniff, sniff};
use crate::structure::{JpegStream, Layout, Structure, structure};

/// The pictures of a document that are looked at; none of any other file.
pub(crate) fn pictures(structure: Option<&Structure>) -> &[JpegStream] {
    match structure.and_then(|structure| structure.layout.as_ref()) {
        Some(Layout::Pdf(layout)) => &layout.pictures,
        Some(
            Layout::Jpeg(_)
            | Layout::Png(_)
            | Layout::Webp(_)
            | Layout::Tiff(_)
            | Layout::Iso(_)
            | Layout::Avi(_)
            | Layout::Wav(_)
            | Layout::Mp3(_)
            | Layout::Flac(_)
            | Layout::Ogg(_),
        )
        | None => &[],
    }
}

/// Runs one analysis over each picture.
pub(crate) fn inspect_pictures(
    inspection: Inspection,
    bytes: &[u8],
    pictures: &[JpegStream],
    limits: &Limits,
) -> Vec<Found> {
    let mut gathered = Gathered::default();
    for picture in pictures {
        let data = picture.span.slice(bytes);
        let found = match walk(data, limits) {
            Ok((sniff, structure)) => inspect(inspection, data, &sniff, &structure, limits),
            Err(refusal) => {
                inspection.unread(&format!("The picture was not looked at: {refusal}."))
            }
        };
        gathered.take(&PicturePlace::of(picture), found);
    }
    gathered.finish()
}

fn walk(data: &[u8], limits: &Limits) -> Result<(Sniff, Structure), Refusal> {
    let sniff = sniff(data, &Hints::default(), limits)?;
    let structure = structure(data, &sniff, limits)?;
    Ok((sniff, structure))
}

#[cfg(test)]
mod tests;
