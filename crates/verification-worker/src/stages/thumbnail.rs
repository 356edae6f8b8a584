//! The small pictures in a file against the picture: the one of its metadata, and the one that a signer put in.

use assay_forensics::{Found, Inspection, Sniff, Structure, inspect_signed_thumbnail};

use super::{CredentialFound, PixelFinding, PixelOutput, check_credential, look_at_pixels, walk};
use crate::analyst::Work;

pub(super) fn compare(work: &Work, bytes: &[u8]) -> PixelOutput {
    let mut found = look_at_pixels(Inspection::Thumbnail, work, bytes)?;
    let (sniff, structure) = walk(work, bytes).ok()?;
    if let Some(signed) = against_credential(work, bytes, &sniff, &structure) {
        // That metadata holds no small picture is no answer any more: the file has one.
        found.retain(|other| other.evidence.applicable);
        found.push(PixelFinding::from(signed));
    }
    Some(found)
}

/// The credential is checked once more, as no stage hears of another. The signer's picture counts only while signature
/// and hashes of the credential hold; that the bytes around it were changed is what it is there to show.
fn against_credential(
    work: &Work,
    bytes: &[u8],
    sniff: &Sniff,
    structure: &Structure,
) -> Option<Found> {
    if !sniff.format.is_decoded() {
        return None;
    }
    let CredentialFound::Report(report) = check_credential(work, bytes)? else {
        return None;
    };
    let signed = report.claim_thumbnail?.bytes().ok()?;
    inspect_signed_thumbnail(&signed, bytes, sniff, structure, &work.limits)
}

#[cfg(test)]
mod tests {
    use assay_corpus::{camera, jpeg};
    use assay_provenance::test_signer::{Declaration, Media, TestAuthority};
    use image::RgbImage;
    use image::imageops::{FilterType, crop_imm, resize};

    use super::*;

    fn photograph(seed: u64) -> RgbImage {
        let taken = camera::FIRST.develop(seed).unwrap();
        crop_imm(&taken, 320, 160, 400, 320).to_image()
    }

    fn media(picture: &RgbImage) -> Media {
        Media {
            mime: "image/jpeg".to_owned(),
            bytes: jpeg::encode(picture, 90).unwrap(),
        }
    }

    /// A picture with a credential that holds a small version of `small`.
    fn signed(picture: &RgbImage, small: &RgbImage) -> Vec<u8> {
        let small = resize(small, 160, 128, FilterType::Triangle);
        let declaration = Declaration {
            title: Some("Harbour".to_owned()),
            thumbnail: Some(media(&small)),
            ..Declaration::capture()
        };
        let authority = TestAuthority::new("camera.test").unwrap();
        authority.sign(&media(picture), &declaration).unwrap()
    }

    /// Id, finding and weight of what applies.
    fn compared(bytes: &[u8]) -> Vec<(String, String, f64)> {
        let found = compare(&Work::default(), bytes).unwrap();
        let evidence = found.into_iter().map(|found| found.evidence);
        let applicable = evidence.filter(|evidence| evidence.applicable);
        applicable
            .map(|it| (it.id.clone(), it.finding.clone(), it.log10_lr().manipulated))
            .collect()
    }

    #[test]
    fn the_signers_picture_is_compared_with_the_picture() {
        let (picture, other) = (photograph(3), photograph(4));
        let id = || "thumbnail.credential".to_owned();
        assert_eq!(
            compared(&signed(&picture, &picture)),
            [(id(), "none".to_owned(), 0.0)]
        );
        let unlike = compared(&signed(&picture, &other));
        assert_eq!(unlike.len(), 1);
        assert_eq!((&unlike[0].0, unlike[0].1.as_str()), (&id(), "unlike"));
        assert!(unlike[0].2 > 0.0);
    }

    #[test]
    fn it_outlives_changed_bytes_and_not_a_changed_claim() {
        let picture = photograph(3);
        let whole = signed(&picture, &picture);
        let mut changed = whole.clone();
        // In the picture's data: near the end, but before the end marker.
        let at = changed.len() - 200;
        changed[at] ^= 1;
        assert_eq!(compared(&changed)[0].0, "thumbnail.credential");
        let mut forged = whole;
        let title = forged.windows(7).position(|text| text == b"Harbour");
        forged[title.unwrap()] = b'L';
        assert!(compared(&forged).is_empty());
    }

    #[test]
    fn without_one_metadata_is_asked_alone() {
        let plain = compare(&Work::default(), &media(&photograph(3)).bytes).unwrap();
        assert_eq!(plain.len(), 1);
        assert!(!plain[0].evidence.applicable);
    }
}
