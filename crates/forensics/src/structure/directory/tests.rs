use proptest::prelude::*;

use super::*;
use crate::samples::{Field, exif, tiff};

fn look(tiff: &[u8]) -> Survey {
    survey(tiff, &Limits::default())
}

fn hit(survey: &Survey) -> Option<&str> {
    survey.hit.as_ref().map(|hit| hit.limit.as_str())
}

#[test]
fn directories_are_counted() {
    let first = [
        Field::Text(0x010f, "Maker"),
        Field::Short(0x0100, 96),
        Field::Short(0x0101, 64),
    ];
    let second = [Field::Raw(0x927c, vec![1; 40]), Field::Short(0xa002, 96)];
    let survey = look(&exif(&first, &second));
    assert_eq!(survey.directories, 2);
    assert_eq!(survey.entries, 6);
    assert_eq!(survey.depth, 1);
    assert_eq!(survey.maker_note_bytes, 40);
    assert_eq!(
        survey.size,
        Some(Size {
            width: 96,
            height: 64
        })
    );
    assert!(!survey.has_loop && !survey.is_broken && survey.hit.is_none());
}

#[test]
fn self_reference_ends_at_once() {
    // Fourteen bytes: a directory without entries whose successor is itself.
    let survey = look(b"II\x2a\0\x08\0\0\0\0\0\x08\0\0\0");
    assert!(survey.has_loop);
    assert_eq!(survey.directories, 1);
    let to_itself = look(&tiff(&[Field::Long(TAG_EXIF, 8)]));
    assert!(to_itself.has_loop);
}

#[test]
fn sub_directories_are_bounded() {
    let offsets = |n| vec![Field::Longs(TAG_SUB_DIRECTORIES, vec![8; n])];
    assert_eq!(hit(&look(&tiff(&offsets(1_000)))), None);
    assert_eq!(
        hit(&look(&tiff(&offsets(1_001)))),
        Some("sub_directories_max")
    );
    // A count alone, with nothing behind it.
    let mut claim = tiff(&offsets(2));
    claim[14..18].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(hit(&look(&claim)), Some("sub_directories_max"));
}

#[test]
fn bomb_of_sub_directories_that_name_each_other_is_defused() {
    // Each of the directories names all of them: without a bound, a walk without end.
    let count = 60u32;
    let list: Vec<u32> = (0..count).map(|number| 8 + number * 18).collect();
    let list_at = 8 + count * 18;
    let mut bytes = b"II\x2a\0\x08\0\0\0".to_vec();
    for _ in 0..count {
        bytes.extend(1u16.to_le_bytes());
        bytes.extend(TAG_SUB_DIRECTORIES.to_le_bytes());
        bytes.extend(4u16.to_le_bytes());
        bytes.extend(count.to_le_bytes());
        bytes.extend(list_at.to_le_bytes());
        bytes.extend(0u32.to_le_bytes());
    }
    bytes.extend(list.iter().flat_map(|offset| offset.to_le_bytes()));
    let survey = look(&bytes);
    assert!(hit(&survey).is_some());
    assert!(survey.directories <= 17);
}

#[test]
fn entries_are_bounded() {
    let entries = |n| vec![Field::Short(0x9000, 1); n];
    assert_eq!(hit(&look(&tiff(&entries(1_000)))), None);
    assert_eq!(hit(&look(&tiff(&entries(1_001)))), Some("exif_entries_max"));
}

#[test]
fn chain_of_empty_directories_is_bounded() {
    let chain = |n: u32| {
        let mut bytes = b"II\x2a\0\x08\0\0\0".to_vec();
        for number in 1..=n {
            let next = if number == n { 0 } else { 8 + number * 6 };
            bytes.extend(0u16.to_le_bytes());
            bytes.extend(next.to_le_bytes());
        }
        look(&bytes)
    };
    assert_eq!(hit(&chain(1_000)), None);
    assert_eq!(hit(&chain(1_001)), Some("sub_directories_max"));
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: u32| {
        let mut bytes = b"II\x2a\0\x08\0\0\0".to_vec();
        for level in 0..=depth {
            let next = 8 + (level + 1) * 18;
            let tag = if level == depth { 0x9000 } else { TAG_EXIF };
            bytes.extend(1u16.to_le_bytes());
            bytes.extend(tag.to_le_bytes());
            bytes.extend(4u16.to_le_bytes());
            bytes.extend(1u32.to_le_bytes());
            bytes.extend(next.to_le_bytes());
            bytes.extend(0u32.to_le_bytes());
        }
        look(&bytes)
    };
    assert_eq!(hit(&nested(4)), None);
    assert_eq!(nested(4).depth, 4);
    assert_eq!(hit(&nested(5)), Some("exif_depth_max"));
}

#[test]
fn texts_are_bounded() {
    let mut bytes = tiff(&[Field::Text(0x0131, "some software")]);
    let mut claim = |count: u32| {
        bytes[14..18].copy_from_slice(&count.to_le_bytes());
        look(&bytes)
    };
    assert_eq!(hit(&claim(256 * 1024)), None);
    assert_eq!(hit(&claim(256 * 1024 + 1)), Some("exif_text_bytes_max"));
}

#[test]
fn what_points_beyond_the_end_is_broken() {
    for bytes in [
        b"II".as_slice(),
        b"II\x2a\0",
        b"II\x2a\0\xff\xff\xff\xff",
        b"XX\x2a\0\x08\0\0\0",
    ] {
        assert!(look(bytes).is_broken, "{}", bytes.escape_ascii());
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_or_run_away(
        body in prop::collection::vec(prop_oneof![0u8..32, any::<u8>()], 0..400),
        little in any::<bool>(),
    ) {
        let head: &[u8] = if little { b"II\x2a\0\x08\0\0\0" } else { b"MM\0\x2a\0\0\0\x08" };
        let survey = look(&[head, &body].concat());
        prop_assert!(survey.entries <= 1_001);
        prop_assert!(survey.directories <= 1_000);
    }
}
