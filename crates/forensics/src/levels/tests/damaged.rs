//! What is damaged, hostile or beyond a bound.

use proptest::prelude::*;

use super::writer::{GREY_PASSES, USUAL_PASSES, jpeg, whole};
use super::{BASELINE, PROGRESSIVE, QUARTERED, drawing, read};
use crate::levels::{Levels, Unread};
use crate::limits::Limits;
use crate::samples;

#[test]
fn missing_restart_is_damage() {
    let mut drawing = drawing(64, 64, &[(1, 1)], 20);
    drawing.interval = 4;
    let mut bytes = jpeg(&drawing, BASELINE, &[whole(&[0])]);
    let restart = bytes.windows(2).position(|pair| pair == [0xff, 0xd1]);
    bytes[restart.expect("has restarts") + 1] = 0xd2;
    assert!(matches!(read(&bytes), Err(Unread::Damaged { .. })));
}

/// Nothing is guessed: a file that is cut off yields what the whole one does, or nothing.
#[test]
fn cut_files_are_damaged_or_whole() {
    let drawing = drawing(33, 18, &QUARTERED, 20);
    let baseline = jpeg(&drawing, BASELINE, &[whole(&[0, 1, 2])]);
    let passes = jpeg(&drawing, PROGRESSIVE, &USUAL_PASSES);
    for bytes in [baseline, passes] {
        let all = read(&bytes);
        assert!(all.is_ok());
        for len in 2..bytes.len() {
            match read(&bytes[..len]) {
                Err(Unread::Damaged { at, .. }) => assert!(at <= len as u64, "{at} of {len}"),
                Err(other) => panic!("{len}: {other}"),
                Ok(levels) => assert_eq!(Ok(levels), all, "{len}"),
            }
        }
        assert!(
            read(&bytes[..bytes.len() - 2]).is_ok(),
            "only the end marker is missing"
        );
        assert!(read(&bytes[..bytes.len() - 4]).is_err());
    }
}

#[test]
fn passes_that_leave_bits_out_need_an_end() {
    let drawing = drawing(24, 24, &[(1, 1)], 20);
    let bytes = jpeg(&drawing, PROGRESSIVE, &GREY_PASSES[..3]);
    let levels = read(&bytes).expect("an encoder may stop early");
    assert!(levels.blocks().iter().flatten().all(|level| level % 2 == 0));
    let unread = read(&bytes[..bytes.len() - 2]).expect_err("more may have been lost");
    assert!(matches!(unread, Unread::Damaged { .. }), "{unread}");
}

#[test]
fn passes_in_no_order_are_damage() {
    let drawing = drawing(24, 24, &[(1, 1)], 20);
    let [mean, low, high, refine, mean_bit, last] = GREY_PASSES;
    for scans in [
        vec![mean, mean],
        vec![mean, low, low],
        vec![mean, refine],
        vec![mean_bit],
        vec![mean, low, high, last],
    ] {
        let unread = read(&jpeg(&drawing, PROGRESSIVE, &scans)).expect_err("no order");
        assert!(matches!(unread, Unread::Damaged { .. }), "{unread}");
    }
    let twice = jpeg(&drawing, BASELINE, &[whole(&[0]), whole(&[0])]);
    assert!(read(&twice).is_err());
}

/// The file without the first segment of this kind.
fn without(bytes: &[u8], marker: u8) -> Vec<u8> {
    let at = bytes.windows(2).position(|pair| pair == [0xff, marker]);
    let at = at.expect("is there");
    let len = usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
    [&bytes[..at], &bytes[at + 2 + len..]].concat()
}

#[test]
fn missing_tables_are_damage() {
    let bytes = jpeg(&drawing(24, 24, &[(1, 1)], 20), BASELINE, &[whole(&[0])]);
    for marker in [0xdb, 0xc0, 0xc4] {
        let unread = read(&without(&bytes, marker)).expect_err("missing");
        assert!(matches!(unread, Unread::Damaged { .. }), "{unread}");
    }
    let unread = read(&without(&bytes, 0xda)).expect_err("no scan");
    assert!(matches!(unread, Unread::Damaged { .. }), "{unread}");
    let mut zero_step = drawing(24, 24, &[(1, 1)], 20);
    zero_step.steps[5] = 0;
    assert!(read(&jpeg(&zero_step, BASELINE, &[whole(&[0])])).is_err());
}

#[test]
fn scans_are_bounded() {
    let drawing = drawing(24, 24, &QUARTERED, 20);
    let bytes = jpeg(&drawing, PROGRESSIVE, &USUAL_PASSES);
    let within = |jpeg_scans_max| {
        let limits = Limits {
            jpeg_scans_max,
            ..Limits::default()
        };
        Levels::read(&bytes, &limits)
    };
    assert!(within(10).is_ok());
    assert_eq!(within(9), Err(Unread::limit("jpeg_scans_max", 9u32)));
}

/// A picture of `blocks` blocks side by side, and a file of `len` bytes.
fn long_file(blocks: u16, len: usize) -> Vec<u8> {
    let width = (8 * blocks).to_be_bytes();
    let header = [[8, 0, 8].as_slice(), &width, &[1, 1, 0x11, 0]].concat();
    let mut bytes = [b"\xff\xd8".to_vec(), samples::segment(0xc0, &header)].concat();
    bytes.resize(len, 0);
    bytes
}

#[test]
fn nothing_is_set_aside_for_what_cannot_be_there() {
    let why = |bytes: &[u8]| match read(bytes) {
        Err(Unread::Damaged { why, .. }) => why,
        other => panic!("{other:?}"),
    };
    assert!(why(&long_file(8 * 100 + 1, 100)).contains("too short"));
    assert!(!why(&long_file(8 * 100, 100)).contains("too short"));
}

#[test]
fn what_is_no_jpeg_is_not_read() {
    for bytes in [b"".as_slice(), b"\xff", b"\x89PNG"] {
        assert_eq!(read(bytes), Err(Unread::NoJpeg));
    }
}

proptest! {
    #[test]
    fn no_mutation_makes_it_panic(
        seed in 0usize..3,
        changes in prop::collection::vec((0usize..4_000, any::<u8>()), 1..12),
        cut in 0usize..4_000,
    ) {
        let mut drawing = drawing(40, 24, &QUARTERED, 30);
        drawing.interval = seed;
        let mut bytes = if seed == 0 {
            jpeg(&drawing, PROGRESSIVE, &USUAL_PASSES)
        } else {
            jpeg(&drawing, BASELINE, &[whole(&[0, 1, 2])])
        };
        for (at, byte) in changes {
            let len = bytes.len();
            bytes[at % len] = byte;
        }
        bytes.truncate(cut.max(300));
        let _read = read(&bytes);
    }

    #[test]
    fn no_compressed_data_makes_it_panic(
        data in prop::collection::vec(any::<u8>(), 0..400),
        passes in 1usize..7,
    ) {
        let drawing = drawing(40, 24, &[(1, 1)], 30);
        let whole = jpeg(&drawing, PROGRESSIVE, &GREY_PASSES[..passes]);
        let mut scans = whole.windows(2).enumerate().filter(|(_, pair)| *pair == [0xff, 0xda]);
        let last = scans.next_back().expect("has scans").0 + 10;
        let bytes = [&whole[..last], &data, b"\xff\xd9"].concat();
        let _read = read(&bytes);
    }

    #[test]
    fn no_bytes_make_it_panic(
        body in prop::collection::vec(prop_oneof![Just(0xffu8), 0xc0u8..=0xff, 0u8..8, any::<u8>()], 0..100),
    ) {
        let _read = read(&[b"\xff\xd8\xff".as_slice(), &body].concat());
    }
}
