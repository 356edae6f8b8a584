//! Pictures that were saved again or made smaller: a detector means what it says of all of them, or it says nothing.

use std::io::Cursor;

use assay_detectors::{External, Modality, Opinion, Status};
use image::{ImageFormat, Rgb, RgbImage};

use crate::fixture::{Fixture, ask, at};
use crate::scripted::{Act, Scripted, scores};

fn picture() -> Vec<u8> {
    let level = |of: u32| u8::try_from(of).unwrap();
    let picture = RgbImage::from_fn(40, 20, |x, y| Rgb([level(x * 6), level(y * 12), 128]));
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// The opinion on a file, of a detector that scores the original and each variant so.
async fn opinion(detector: &Scripted, bytes: &[u8], modality: Modality, all: [f64; 3]) -> Opinion {
    detector.state.acts(move |seen| {
        let key = &seen.header.idempotency_key;
        let variants = ["/original", "/saved_again", "/smaller"];
        let place = variants.iter().position(|variant| key.ends_with(variant));
        Act::Answer(scores(seen, all[place.unwrap()]))
    });
    let fixture = Fixture::one(External {
        variants: true,
        ..at(detector)
    });
    let mut ask = ask(bytes);
    ask.modality = modality;
    let opinions = fixture.ask(ask).await.unwrap();
    let [opinion] = opinions.try_into().unwrap();
    opinion
}

#[tokio::test]
async fn a_picture_is_shown_three_times() {
    let detector = Scripted::start();
    let bytes = picture();
    let opinion = opinion(&detector, &bytes, Modality::Image, [0.8, 0.7, 0.9]).await;
    assert_eq!((opinion.status, opinion.score), (Status::Ok, Some(0.8)));
    assert!(opinion.findings[0].warnings.is_empty());
    let mut seen = detector.state.seen();
    seen.sort_by(|one, other| {
        let key = |seen: &crate::scripted::Seen| seen.header.idempotency_key.clone();
        key(one).cmp(&key(other))
    });
    let [original, saved_again, smaller] = seen.try_into().ok().unwrap();
    assert!(original.bytes == bytes && original.header.want_map);
    for (variant, size) in [(saved_again, (40, 20)), (smaller, (30, 15))] {
        assert_eq!(variant.header.mime, "image/jpeg");
        assert_eq!(
            variant.header.content_sha256,
            assay_forensics::sha256(&variant.bytes)
        );
        assert!(!variant.header.want_map);
        let shown = image::load_from_memory_with_format(&variant.bytes, ImageFormat::Jpeg);
        let shown = shown.unwrap();
        assert_eq!((shown.width(), shown.height()), size);
    }
}

#[tokio::test]
async fn a_detector_that_changes_its_mind_says_nothing() {
    let detector = Scripted::start();
    for all in [[0.9, 0.55, 0.9], [0.55, 0.9, 0.55], [0.55, 0.6, 0.45]] {
        let opinion = opinion(&detector, &picture(), Modality::Image, all).await;
        assert_eq!(
            (opinion.status, opinion.log10_lr),
            (Status::Unstable, None),
            "{all:?}"
        );
        assert!(!opinion.evidence().unwrap().applicable);
    }
}

#[tokio::test]
async fn what_cannot_be_shown_otherwise_is_said_to_be_untried() {
    let detector = Scripted::start();
    let opinion = opinion(&detector, b"no picture of ours", Modality::Image, [0.8; 3]).await;
    assert_eq!(opinion.status, Status::Ok);
    assert_eq!(detector.state.seen().len(), 1);
    assert_eq!(
        opinion.findings[0].warnings.len(),
        2,
        "{:?}",
        opinion.findings
    );
}

#[tokio::test]
async fn a_film_is_shown_once() {
    let detector = Scripted::start();
    let opinion = opinion(&detector, b"a film", Modality::Video, [0.8; 3]).await;
    assert_eq!(opinion.status, Status::Ok);
    assert_eq!(detector.state.seen().len(), 1);
    assert!(opinion.findings[0].warnings.is_empty());
}
