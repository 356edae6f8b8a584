use image::imageops::{
    FilterType, flip_horizontal, flip_vertical, resize, rotate90, rotate180, rotate270,
};
use image::{ImageBuffer, RgbImage};

use super::{discs, perceptual};
use crate::fingerprint::{
    Bits, FlatIndex, Hit, MATCH_DISTANCE_MAX, Perceptual, Pose, comparable, distance, variants,
};
use crate::samples;

/// Strangers that are pictures.
const PICTURES: u32 = 8;
/// Strangers that are not even that.
const OTHERS: u64 = 5_000;

fn lying(picture: &RgbImage, pose: Pose) -> RgbImage {
    match pose {
        Pose::Upright => picture.clone(),
        Pose::Mirrored => flip_horizontal(picture),
        Pose::UpsideDown => flip_vertical(picture),
        Pose::HalfTurn => rotate180(picture),
        Pose::Transposed => {
            ImageBuffer::from_fn(picture.height(), picture.width(), |x, y| picture[(y, x)])
        }
        Pose::RightTurn => rotate90(picture),
        Pose::LeftTurn => rotate270(picture),
        Pose::Transverse => lying(&rotate180(picture), Pose::Transposed),
    }
}

/// The pose that undoes `pose`.
fn back(pose: Pose) -> Pose {
    match pose {
        Pose::RightTurn => Pose::LeftTurn,
        Pose::LeftTurn => Pose::RightTurn,
        same @ (Pose::Upright
        | Pose::Mirrored
        | Pose::UpsideDown
        | Pose::HalfTurn
        | Pose::Transposed
        | Pose::Transverse) => same,
    }
}

fn brighter(picture: &RgbImage) -> RgbImage {
    let mut brighter = picture.clone();
    for channel in brighter.iter_mut() {
        *channel = channel.saturating_add(12);
    }
    brighter
}

fn smaller(picture: &RgbImage) -> RgbImage {
    let (width, height) = picture.dimensions();
    resize(picture, width / 2, height / 2, FilterType::Triangle)
}

/// An index of strangers, and the original under `u64::MAX`.
fn archive(original: &Perceptual) -> FlatIndex {
    let mut index = FlatIndex::default();
    let mut take = |bits, id| index.push(bits, id).expect("has room");
    for seed in 0..PICTURES {
        let stranger = perceptual(&samples::png_of(&discs(100 + seed)));
        take(comparable(&stranger).expect("has texture"), seed.into());
    }
    take(comparable(original).expect("has texture"), u64::MAX);
    for number in 0..OTHERS {
        let digest = crate::sha256(&number.to_le_bytes());
        take(Bits::parse(&digest).expect("has 256 bits"), 1_000 + number);
    }
    index
}

/// What was taken from the coefficients is what a turned file would have.
#[test]
fn variants_are_the_fingerprints_of_turned_pictures() {
    let original = discs(1);
    let variants = variants(&perceptual(&samples::png_of(&original)));
    assert_eq!(variants.len(), Pose::ALL.len());
    for pose in Pose::ALL {
        let turned = perceptual(&samples::png_of(&lying(&original, pose)));
        let of_pose: Vec<_> = variants.iter().filter(|one| one.pose == pose).collect();
        let [variant] = of_pose[..] else {
            panic!("{pose:?} is there {} times", of_pose.len());
        };
        let distance = variant
            .bits
            .distance(comparable(&turned).expect("has texture"));
        // Sums are rounded in another order, so a coefficient at the median may fall to its other side.
        assert!(distance <= 2, "{pose:?}: {distance} bits");
    }
}

#[test]
fn copies_are_found_however_they_lie_and_strangers_are_not() {
    let original = discs(1);
    let index = archive(&perceptual(&samples::png_of(&original)));
    for pose in Pose::ALL {
        let turned = lying(&original, pose);
        let copies = [
            ("same", samples::png_of(&turned)),
            ("quality 70", samples::jpeg_of(&turned, 70)),
            ("half the size", samples::png_of(&smaller(&turned))),
            ("brighter", samples::png_of(&brighter(&turned))),
        ];
        for (change, bytes) in copies {
            let hits = index.nearest(&variants(&perceptual(&bytes)), MATCH_DISTANCE_MAX);
            let [
                Hit {
                    id, pose: found, ..
                },
            ] = hits[..]
            else {
                panic!("{change}, {pose:?}: {hits:?}");
            };
            assert_eq!((id, found), (u64::MAX, back(pose)), "{change}, {pose:?}");
        }
    }
    let stranger = perceptual(&samples::png_of(&discs(2)));
    assert_eq!(index.nearest(&variants(&stranger), MATCH_DISTANCE_MAX), []);
}

/// Without the variants a turned copy is a stranger: what they are for.
#[test]
fn a_turned_copy_alone_looks_like_another_picture() {
    let original = discs(1);
    let upright = perceptual(&samples::png_of(&original));
    for pose in Pose::ALL.into_iter().filter(|pose| *pose != Pose::Upright) {
        let turned = perceptual(&samples::png_of(&lying(&original, pose)));
        let bits = distance(&upright, &turned).expect("comparable");
        assert!(bits > 2 * MATCH_DISTANCE_MAX, "{pose:?}: {bits} bits");
    }
}

#[test]
fn what_can_not_be_compared_has_no_variants() {
    let flat = RgbImage::from_pixel(80, 80, image::Rgb([120, 120, 120]));
    assert_eq!(variants(&perceptual(&samples::png_of(&flat))), []);
    let good = perceptual(&samples::png_of(&discs(1)));
    let change = |change: fn(&mut Perceptual)| {
        let mut changed = good.clone();
        change(&mut changed);
        changed
    };
    for wrong in [
        change(|one| one.algorithm = "other".to_owned()),
        change(|one| one.hash.truncate(63)),
        change(|one| one.quality = crate::fingerprint::QUALITY_MIN - 1),
    ] {
        assert_eq!((variants(&wrong), comparable(&wrong)), (Vec::new(), None));
    }
    let just = change(|one| one.quality = crate::fingerprint::QUALITY_MIN);
    assert_eq!(variants(&just).len(), Pose::ALL.len());
}

/// Results that were recorded before have no mirror images.
#[test]
fn an_older_fingerprint_is_read_and_has_two_variants() {
    let good = perceptual(&samples::png_of(&discs(1)));
    let mut older = serde_json::to_value(&good).expect("serialises");
    older.as_object_mut().expect("an object").remove("turned");
    let older: Perceptual = serde_json::from_value(older).expect("is read");
    let poses: Vec<_> = variants(&older).iter().map(|one| one.pose).collect();
    assert_eq!(poses, [Pose::Upright, Pose::Transposed]);
    assert_eq!(distance(&good, &older), Some(0));
}
