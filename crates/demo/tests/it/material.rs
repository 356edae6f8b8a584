//! Every file is what its story says, as told by readers that are not this crate's.

use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::sync::LazyLock;

use assay_demo::material::{Error, File, Label, Material, make};
use assay_provenance::{Inception, SignerCheck, State, TrustLists, TrustedBy, inspect};
use exif::{In, Tag};
use image::{GenericImageView, GrayImage};

/// Read into memory, so that no folder is left behind.
struct Made {
    material: Material,
    files: BTreeMap<String, Vec<u8>>,
    lists: TrustLists,
}

static MADE: LazyLock<Made> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let material = make(folder.path(), 7).unwrap();
    let read = |file: &File| (name_of(&file.path), fs::read(&file.path).unwrap());
    let files = material.files.iter().map(read).collect();
    let lists = TrustLists::from_folder(&material.trust_folder).unwrap();
    Made {
        material,
        files,
        lists,
    }
});

fn name_of(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

fn bytes(name: &str) -> Vec<u8> {
    MADE.files[name].clone()
}

fn files_of(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let names = ["camera.jpg", "generated.png", "renamed.jpg"];
    names
        .map(|name| (name.to_owned(), fs::read(folder.join(name)).unwrap()))
        .into()
}

#[test]
fn the_same_seed_makes_the_same_files_and_another_makes_others() {
    let again = tempfile::tempdir().unwrap();
    make(again.path(), 7).unwrap();
    let again = files_of(again.path());
    assert!(again.iter().all(|(name, file)| *file == bytes(name)));
    let other = tempfile::tempdir().unwrap();
    make(other.path(), 8).unwrap();
    assert!(files_of(other.path())["camera.jpg"] != bytes("camera.jpg"));
    assert!(files_of(other.path())["generated.png"] != bytes("generated.png"));
}

#[test]
fn every_file_is_described_and_expected_labels_are_those_of_the_issue() {
    let told: Vec<_> = MADE
        .material
        .files
        .iter()
        .map(|file| {
            assert!(!file.story.is_empty());
            let name = name_of(&file.path);
            (
                name,
                file.expected.name(),
                file.expected_with_trust == file.expected,
            )
        })
        .collect();
    let expected = [
        ("camera.jpg", "inconclusive", true),
        ("signed.jpg", "inconclusive", false),
        ("signed-altered.jpg", "altered_after_signing", true),
        ("copied.jpg", "manipulated", true),
        ("generated.png", "synthetic", true),
        ("renamed.jpg", "inconclusive", true),
    ];
    let expected = expected.map(|(name, label, same)| (name.to_owned(), label, same));
    assert_eq!(told, expected);
    assert_eq!(MADE.material.files[1].expected_with_trust, Label::Authentic);
}

#[test]
fn the_photograph_reads_as_a_cameras() {
    let photograph = bytes("camera.jpg");
    let picture = image::load_from_memory(&photograph).unwrap();
    assert_eq!(picture.dimensions(), (1600, 1200));
    let exif = exif::Reader::new()
        .read_from_container(&mut Cursor::new(&photograph))
        .unwrap();
    let text = |tag| {
        exif.get_field(tag, In::PRIMARY)
            .unwrap()
            .display_value()
            .to_string()
    };
    assert_eq!(text(Tag::Make), "\"Assay Simulated Optics\"");
    assert_eq!(text(Tag::Model), "\"Dead Leaves 2\"");
    assert_eq!(text(Tag::DateTimeOriginal), "2026-05-17 10:21:44");
    assert_eq!(
        (text(Tag::PixelXDimension), text(Tag::PixelYDimension)),
        ("1600".into(), "1200".into())
    );

    let flat = picture.to_luma8();
    let same = |x: u32, y: u32| {
        let here = flat.get_pixel(x, y);
        here == flat.get_pixel(x + 1, y) && here == flat.get_pixel(x, y + 1)
    };
    let places = (0..1599).flat_map(|x| (0..1199).map(move |y| (x, y)));
    let flat_share = places.filter(|(x, y)| same(*x, *y)).count() as f64 / (1599.0 * 1199.0);
    assert!(
        flat_share < 0.3,
        "noise everywhere, as in photographs: {flat_share}"
    );
}

/// Levels apart, on average.
fn distance(one: &GrayImage, other: &GrayImage) -> f64 {
    let levels = one
        .pixels()
        .zip(other.pixels())
        .map(|(a, b)| u64::from(a.0[0].abs_diff(b.0[0])));
    levels.sum::<u64>() as f64 / f64::from(one.width() * one.height())
}

#[test]
fn the_thumbnail_shows_the_photograph() {
    let photograph = bytes("camera.jpg");
    let exif = exif::Reader::new()
        .read_from_container(&mut Cursor::new(&photograph))
        .unwrap();
    let number = |tag| {
        exif.get_field(tag, In::THUMBNAIL)
            .unwrap()
            .value
            .get_uint(0)
            .unwrap() as usize
    };
    let start = number(Tag::JPEGInterchangeFormat);
    let thumbnail = &exif.buf()[start..start + number(Tag::JPEGInterchangeFormatLength)];
    let thumbnail = image::load_from_memory(thumbnail).unwrap().to_luma8();
    assert_eq!(thumbnail.dimensions(), (160, 120));
    let whole = image::load_from_memory(&photograph).unwrap().to_luma8();
    let small = image::imageops::thumbnail(&whole, 160, 120);
    let mirrored = image::imageops::flip_horizontal(&small);
    let (here, elsewhere) = (
        distance(&thumbnail, &small),
        distance(&thumbnail, &mirrored),
    );
    assert!(here < 8.0 && elsewhere > 4.0 * here, "{here} {elsewhere}");
}

#[test]
fn the_signed_photograph_is_a_capture_that_only_its_own_list_trusts() {
    let signed = bytes("signed.jpg");
    let report = inspect(&signed, "image/jpeg", &TrustLists::default()).unwrap();
    assert_eq!(
        report.state,
        State::Valid {
            signer: SignerCheck::NotChecked
        }
    );
    assert!(report.signals.inception.contains(&Inception::CapturedMedia));
    let report = inspect(&signed, "image/jpeg", &MADE.lists).unwrap();
    assert_eq!(
        report.state,
        State::Trusted {
            by: TrustedBy::User
        }
    );
    assert!(report.claim_thumbnail.is_some() && report.is_trusted_throughout());
}

#[test]
fn the_altered_photograph_decodes_and_breaks_its_credential() {
    let (signed, altered) = (bytes("signed.jpg"), bytes("signed-altered.jpg"));
    let changed: Vec<usize> = (0..signed.len())
        .filter(|at| signed[*at] != altered[*at])
        .collect();
    assert!((1..=3).contains(&changed.len()));
    let place = changed[0] as f64 / signed.len() as f64;
    assert!((0.4..0.6).contains(&place), "around the middle: {place}");
    assert_eq!(
        image::load_from_memory(&altered).unwrap().dimensions(),
        (1600, 1200)
    );
    let report = inspect(&altered, "image/jpeg", &TrustLists::default()).unwrap();
    assert_eq!(report.state, State::Invalid);
    assert!(report.failures.hash_mismatch && !report.failures.claim_signature);
}

#[test]
fn the_generated_picture_carries_its_settings() {
    let generated = bytes("generated.png");
    assert_eq!(
        image::load_from_memory(&generated).unwrap().dimensions(),
        (512, 512)
    );
    let text = String::from_utf8_lossy(&generated);
    assert!(text.contains("tEXtparameters\0") && text.contains("Steps: 28, Sampler: "));
}

#[test]
fn the_renamed_file_is_no_picture() {
    assert!(image::load_from_memory(&bytes("renamed.jpg")).is_err());
    assert!(String::from_utf8(bytes("renamed.jpg")).is_ok());
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("camera.jpg");
    fs::write(&file, "in the way").unwrap();
    let error = make(&file.join("inside"), 7).unwrap_err();
    assert!(
        matches!(error, Error::Write { .. }) && error.to_string().contains("camera.jpg"),
        "{error}"
    );
}
