//! What people do to photographs without lying.

use image::RgbImage;

use super::Save;
use crate::edit::overlay::{branded, captioned, date_stamped};
use crate::edit::screen::{page, window};
use crate::edit::{cropped, scaled, toned, turned, within};
use crate::error::Error;
use crate::jpeg;
use crate::original::Original;

/// The longer side of what messengers send.
const MESSENGER_SIDE_MAX: u32 = 1600;
/// In hundredths: pictures of the corpus are small, and a messenger makes its pictures smaller.
const MESSENGER_PERCENT_MAX: u32 = 75;
/// Quality at which messengers send.
pub const MESSENGER_QUALITY: u8 = 80;

/// One harmless story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Benign {
    /// The file as the camera wrote it.
    AsTaken,
    /// That file without its metadata; the picture is the same bit for bit. Of a PNG: the same file.
    Stripped,
    /// That file, opened and written without loss.
    PngCopy,
    /// Saved in these qualities, one after the other.
    Saved(&'static [u8]),
    /// Saved, then edited, then saved again.
    Edited {
        /// Quality of the file that was edited.
        first: u8,
        /// What was done.
        edit: Edit,
        /// How it was saved.
        save: Save,
    },
}

/// One harmless thing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit {
    /// So many columns and rows are cut off at the left and at the top.
    Cropped(u32, u32),
    /// Made smaller or larger, in hundredths.
    Scaled(u32),
    /// Made as small as messengers make it.
    Messenger,
    /// A quarter turned.
    Turned,
    /// More contrast (hundredths), and lighter (levels).
    Toned(i32, i32),
    /// A caption over the lower edge.
    Captioned,
    /// The date in a corner.
    DateStamped,
    /// A logo in a corner.
    Branded,
    /// Shown in a window, and that taken from the screen.
    Screenshot,
    /// Shown on a page with another photograph, and that taken from the screen.
    Page,
}

impl Benign {
    /// Makes the file.
    ///
    /// # Errors
    /// What encoders and decoders say.
    pub fn make(&self, original: &Original) -> Result<Vec<u8>, Error> {
        match *self {
            Self::AsTaken => Ok(original.file.clone()),
            Self::Stripped => Ok(jpeg::stripped(&original.file)),
            Self::PngCopy => Save::Png.write(&jpeg::decode(&original.file)?, &original.camera),
            Self::Saved(qualities) => saved(&original.picture, qualities),
            Self::Edited { first, edit, save } => {
                let picture = jpeg::through(&original.picture, first)?;
                save.write(&edit.apply(&picture, original)?, &original.camera)
            }
        }
    }
}

fn saved(picture: &RgbImage, qualities: &[u8]) -> Result<Vec<u8>, Error> {
    let (last, before) = qualities.split_last().unwrap_or((&MESSENGER_QUALITY, &[]));
    let mut picture = picture.clone();
    for quality in before {
        picture = jpeg::through(&picture, *quality)?;
    }
    jpeg::encode(&picture, *last)
}

impl Edit {
    fn apply(self, picture: &RgbImage, original: &Original) -> Result<RgbImage, Error> {
        Ok(match self {
            Self::Cropped(x, y) => cropped(picture, x, y),
            Self::Scaled(percent) => scaled(picture, percent),
            Self::Messenger => within(picture, messenger_side(picture)),
            Self::Turned => turned(picture),
            Self::Toned(contrast_percent, brighter) => toned(picture, contrast_percent, brighter),
            Self::Captioned => captioned(picture),
            Self::DateStamped => date_stamped(picture),
            Self::Branded => branded(picture),
            Self::Screenshot => window(picture),
            Self::Page => {
                let other = jpeg::through(&original.donor, MESSENGER_QUALITY)?;
                page(&[picture, &other])
            }
        })
    }

    /// How much of it, in front of a cell's name; empty if there is one way only.
    #[must_use]
    pub fn detail(self) -> String {
        match self {
            Self::Cropped(x, y) => format!("{x} and {y}, "),
            Self::Scaled(percent) => format!("{percent} %, "),
            Self::Toned(contrast_percent, brighter) => {
                format!("{contrast_percent} % {brighter:+}, ")
            }
            Self::Messenger
            | Self::Turned
            | Self::Captioned
            | Self::DateStamped
            | Self::Branded
            | Self::Screenshot
            | Self::Page => String::new(),
        }
    }

    /// In words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cropped(..) => "cropped",
            Self::Scaled(_) => "resized",
            Self::Messenger => "sent by messenger",
            Self::Turned => "turned",
            Self::Toned(..) => "brightened",
            Self::Captioned => "caption",
            Self::DateStamped => "date stamp",
            Self::Branded => "logo",
            Self::Screenshot => "screenshot",
            Self::Page => "page of photos",
        }
    }
}

fn messenger_side(picture: &RgbImage) -> u32 {
    let longer = picture.width().max(picture.height());
    MESSENGER_SIDE_MAX.min(longer * MESSENGER_PERCENT_MAX / 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::FIRST;

    fn original() -> Original {
        Original::taken(&FIRST.sized(96, 64), 2).unwrap()
    }

    fn size(bytes: &[u8]) -> (u32, u32) {
        jpeg::decode(bytes).unwrap().dimensions()
    }

    #[test]
    fn files_that_were_only_copied_show_the_same_pixels() {
        let original = original();
        let pixels = jpeg::decode(&original.file).unwrap();
        for benign in [Benign::AsTaken, Benign::Stripped, Benign::PngCopy] {
            let bytes = benign.make(&original).unwrap();
            assert_eq!(jpeg::decode(&bytes).unwrap(), pixels, "{benign:?}");
        }
        let stripped = Benign::Stripped.make(&original).unwrap();
        assert!(stripped.len() < original.file.len());
    }

    #[test]
    fn saving_again_changes_pixels() {
        let original = original();
        let once = Benign::Saved(&[90]).make(&original).unwrap();
        let twice = Benign::Saved(&[60, 90]).make(&original).unwrap();
        assert_eq!(once, jpeg::encode(&original.picture, 90).unwrap());
        assert_ne!(once, twice);
    }

    #[test]
    fn edits_have_the_size_that_they_say() {
        let original = original();
        let made = |edit| {
            let story = Benign::Edited {
                first: 75,
                edit,
                save: Save::Jpeg(90),
            };
            size(&story.make(&original).unwrap())
        };
        assert_eq!(made(Edit::Cropped(3, 5)), (93, 59));
        assert_eq!(made(Edit::Scaled(50)), (48, 32));
        assert_eq!(made(Edit::Messenger), (72, 48));
        assert_eq!(made(Edit::Turned), (64, 96));
        for edit in [
            Edit::Toned(120, 10),
            Edit::Captioned,
            Edit::DateStamped,
            Edit::Branded,
        ] {
            assert_eq!(made(edit), (96, 64), "{edit:?}");
        }
        assert!(made(Edit::Screenshot).1 > 64 && made(Edit::Page).1 > 64 + 32);
    }

    #[test]
    fn large_pictures_are_sent_in_the_messengers_size() {
        let side = |width| messenger_side(&RgbImage::new(width, 1));
        assert_eq!(side(2133), 1599);
        assert_eq!(side(2134), MESSENGER_SIDE_MAX);
        assert_eq!(side(9000), MESSENGER_SIDE_MAX);
    }
}
