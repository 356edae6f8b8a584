use proptest::prelude::*;

use super::*;
use crate::samples::{full_box, hdlr, iso_box, movie, mvhd};
use crate::structure::BlockKind;

fn look_within(bytes: &[u8], limits: &Limits) -> (IsoLayout, Structure) {
    let mut structure = Structure::default();
    let layout = walk(bytes, "video/mp4", limits, &mut structure).expect("has media");
    (layout, structure)
}

fn look(bytes: &[u8]) -> (IsoLayout, Structure) {
    look_within(bytes, &Limits::default())
}

fn facts(structure: &Structure) -> Vec<&str> {
    structure.facts.iter().map(|f| f.fact.as_str()).collect()
}

fn tags(structure: &Structure) -> Vec<(&str, &str)> {
    let tags = structure.tags.iter();
    tags.map(|tag| (tag.key.as_str(), tag.value.as_str()))
        .collect()
}

/// A text as QuickTime writes it.
fn text(kind: &[u8; 4], text: &str) -> Vec<u8> {
    let len = u16::try_from(text.len()).expect("short").to_be_bytes();
    iso_box(kind, &[&len, [0; 2].as_slice(), text.as_bytes()].concat())
}

/// A text as iTunes writes it.
fn value(kind: &[u8; 4], text: &str) -> Vec<u8> {
    let data = [b"\0\0\0\x01\0\0\0\0".as_slice(), text.as_bytes()].concat();
    iso_box(kind, &iso_box(b"data", &data))
}

#[test]
fn tree_index_and_track_are_read() {
    let (layout, structure) = look(&movie("Core Media Video", &[]));
    assert_eq!(layout.major_brand, "isom");
    assert_eq!(layout.minor_version, 512);
    assert_eq!(layout.compatible_brands, ["isom", "iso2", "avc1", "mp41"]);
    assert_eq!(
        layout.tree,
        "ftyp moov(mvhd trak(tkhd mdia(hdlr minf(stbl(stsd)))) udta()) mdat"
    );
    assert_eq!((layout.boxes, layout.depth), (12, 6));
    assert_eq!(layout.is_index_first, Some(true));
    let movie = layout.movie.expect("read");
    assert_eq!(movie.created.as_deref(), Some("2018-01-28T16:00:00Z"));
    assert_eq!(movie.duration_ms, 2_000);
    let track = &movie.tracks[0];
    assert_eq!(
        (track.kind.as_str(), track.codec.as_str()),
        ("vide", "avc1")
    );
    assert_eq!(track.handler, "Core Media Video");
    assert_eq!(track.compressor.as_deref(), Some("AVC encoder"));
    let size = track.size.expect("shown");
    assert_eq!((size.width, size.height), (640, 480));
    assert_eq!(facts(&structure), ["fast_start", "container_dates"]);
}

#[test]
fn ffmpeg_shows_by_writer_and_handler() {
    let list = iso_box(b"ilst", &value(b"\xa9too", "Lavf58.76.100"));
    let meta = full_box(b"meta", 0, 0, &[hdlr(b"mdir", ""), list].concat());
    let (_, structure) = look(&movie("VideoHandler", &meta));
    assert_eq!(tags(&structure), [("Software", "Lavf58.76.100")]);
    let fact = structure
        .facts
        .iter()
        .find(|fact| fact.fact == "written_by_ffmpeg");
    let detail = &fact.expect("told").detail;
    assert!(
        detail.starts_with("the writer \"Lavf58.76.100\", the handler \"VideoHandler\": as ffmpeg"),
        "{detail}"
    );
}

#[test]
fn keys_of_apple_are_read_and_positions_left_out() {
    let names = [
        "com.apple.quicktime.make",
        "com.apple.quicktime.location.ISO6709",
        "com.android.version",
    ];
    let keys: Vec<u8> = names
        .iter()
        .flat_map(|name| iso_box(b"mdta", name.as_bytes()))
        .collect();
    let keys = full_box(b"keys", 0, 0, &[b"\0\0\0\x03".as_slice(), &keys].concat());
    let values = [
        value(b"\0\0\0\x01", "Apple"),
        value(b"\0\0\0\x02", "+48.1+011.5/"),
        value(b"\0\0\0\x03", "12"),
        value(b"\0\0\0\x04", "no key"),
    ];
    let list = iso_box(b"ilst", &values.concat());
    let meta = iso_box(b"meta", &[hdlr(b"mdta", ""), keys, list].concat());
    let file = [
        iso_box(b"ftyp", b"qt  \0\0\0\0qt  "),
        iso_box(b"mdat", b"x"),
        iso_box(b"moov", &[mvhd(0, 0), meta].concat()),
    ];
    let (layout, structure) = look(&file.concat());
    assert_eq!(
        tags(&structure),
        [("Make", "Apple"), ("com.android.version", "12")]
    );
    assert_eq!(layout.is_index_first, Some(false));
    assert_eq!(
        facts(&structure),
        ["no_creation_time", "make_without_vendor_boxes"]
    );
}

#[test]
fn a_claimed_make_is_held_against_the_boxes() {
    let told = |handler: &str, user_data: &[Vec<u8>]| {
        let (_, structure) = look(&movie(handler, &user_data.concat()));
        facts(&structure).contains(&"make_without_vendor_boxes")
    };
    let make = |make: &str| text(b"\xa9mak", make);
    assert!(told("VideoHandler", &[make("GoPro")]));
    assert!(!told("GoPro AVC", &[make("GoPro"), iso_box(b"GPMF", b"")]));
    assert!(told("VideoHandler", &[make("Apple")]));
    assert!(!told("Core Media Video", &[make("Apple")]));
    assert!(!told("VideoHandler", &[make("A maker we do not know")]));
}

#[test]
fn cuts_without_encoding_leave_an_edit_list() {
    let edits = |entries: &[(u32, u32)]| {
        let body: Vec<u8> = entries
            .iter()
            .flat_map(|(len, at)| [len.to_be_bytes(), at.to_be_bytes(), [0, 1, 0, 0]].concat())
            .collect();
        let count = u32::try_from(entries.len()).expect("few").to_be_bytes();
        let list = full_box(b"elst", 0, 0, &[count.as_slice(), &body].concat());
        let units = full_box(
            b"mdhd",
            0,
            0,
            b"\0\0\0\x01\0\0\0\x01\0\0\x03\xe8\0\0\0\0\0\0\0\0",
        );
        let parts = [iso_box(b"edts", &list), iso_box(b"mdia", &units)];
        let track = iso_box(b"trak", &parts.concat());
        let file = [
            iso_box(b"ftyp", b"isom\0\0\0\0"),
            iso_box(b"moov", &[mvhd(9, 9), track].concat()),
        ];
        let (_, structure) = look(&file.concat());
        facts(&structure).contains(&"edit_list")
    };
    assert!(!edits(&[(100, 0)]));
    assert!(!edits(&[(100, u32::MAX)]));
    assert!(!edits(&[(100, 249)]));
    assert!(edits(&[(100, 250)]));
    assert!(edits(&[(100, 0), (100, 700)]));
}

#[test]
fn what_follows_the_last_box_is_told() {
    let jpeg = b"\xff\xd8\xff\xe0\0\x10JFIF";
    let (layout, structure) = look(&[movie("", &[]), jpeg.to_vec()].concat());
    assert_eq!(layout.trailing_bytes, 10);
    assert!(structure.facts[0].detail.ends_with("image/jpeg"));
    let (layout, _) = look(&[movie("", &[]), b"PK\x03\x04\x14\0\0\0".to_vec()].concat());
    assert_eq!(layout.trailing_bytes, 8);
    let words = b"words that are no box".to_vec();
    let (layout, _) = look(&[movie("", &[]), words].concat());
    assert_eq!((layout.trailing_bytes, layout.truncated), (21, false));
}

#[test]
fn cuts_and_damage_are_told() {
    let file = movie("", &[]);
    let (layout, structure) = look(&file[..file.len() - 1]);
    assert!(layout.truncated && facts(&structure).contains(&"truncated"));
    let mut inner = iso_box(b"free", &[]);
    inner[3] = 200;
    let (layout, structure) = look(&movie("", &inner));
    assert!(layout.is_broken && !layout.truncated);
    assert!(facts(&structure).contains(&"damaged_boxes"));
    // Zeros at the end of user data are usual.
    assert!(!look(&movie("", &[0; 4])).0.is_broken);
    assert!(!look(&movie("", &[0; 12])).0.is_broken);
}

#[test]
fn a_header_without_media_is_damaged() {
    let header = iso_box(b"ftyp", b"isom\0\0\0\0");
    let refusal = walk(
        &header,
        "video/mp4",
        &Limits::default(),
        &mut Structure::default(),
    );
    assert_eq!(
        refusal.expect_err("nothing behind").class(),
        "corrupt_media"
    );
}

fn nested(depth: usize) -> Vec<u8> {
    (1..depth).fold(iso_box(b"moov", &[]), |inner, _| iso_box(b"moov", &inner))
}

#[test]
fn nesting_is_bounded() {
    let limits = Limits::default();
    let depth_max = usize::try_from(limits.box_depth_max).expect("small");
    let (layout, structure) = look(&nested(depth_max));
    assert_eq!(layout.depth, limits.box_depth_max);
    assert!(structure.limits.is_empty());
    for depth in [depth_max + 1, 1_000] {
        let (_, structure) = look(&nested(depth));
        assert_eq!(structure.limits.len(), 1);
        assert_eq!(structure.limits[0].limit, "box_depth_max");
    }
}

#[test]
fn boxes_are_bounded() {
    let boxes = |n: usize| [nested(1), iso_box(b"free", &[]).repeat(n - 1)].concat();
    let boxes_max = usize::try_from(Limits::default().boxes_max).expect("small");
    let (layout, structure) = look(&boxes(boxes_max));
    assert_eq!(layout.boxes, Limits::default().boxes_max);
    assert_eq!(layout.tree, "moov() free");
    assert!(structure.limits.is_empty());
    let (_, structure) = look(&boxes(boxes_max + 1));
    assert_eq!(structure.limits[0].limit, "boxes_max");
    assert_eq!(structure.limits[0].class, "limit_structure");
}

#[test]
fn lists_are_bounded() {
    let index =
        |parts: &[u8]| [iso_box(b"ftyp", b"isom\0\0\0\0"), iso_box(b"moov", parts)].concat();
    let tracks = |n: usize| {
        let layout = look(&index(&iso_box(b"trak", &[]).repeat(n))).0;
        layout.movie.expect("read").tracks.len()
    };
    assert_eq!((tracks(32), tracks(33)), (32, 32));
    let brands = |n: usize| {
        let header = [b"isom\0\0\0\0".as_slice(), &b"iso2".repeat(n)].concat();
        let file = [iso_box(b"ftyp", &header), iso_box(b"moov", &[])].concat();
        look(&file).0.compatible_brands.len()
    };
    assert_eq!((brands(32), brands(33)), (32, 32));
    let named = |n: usize| {
        let keys: Vec<u8> = (0..n)
            .flat_map(|key| iso_box(b"mdta", format!("key{key}").as_bytes()))
            .collect();
        let number = u32::try_from(n).expect("few").to_be_bytes();
        let meta = [
            hdlr(b"mdta", ""),
            full_box(b"keys", 0, 0, &[[0; 4].as_slice(), &keys].concat()),
            iso_box(b"ilst", &value(&number, "text")),
        ];
        let (_, structure) = look(&index(&iso_box(b"meta", &meta.concat())));
        structure.tags.len()
    };
    assert_eq!((named(256), named(257)), (1, 0));
    // Boxes that differ, so that no run is cut short.
    let tree = look(&index(
        &[iso_box(b"free", &[]), iso_box(b"skip", &[])]
            .concat()
            .repeat(500),
    ));
    assert!((2_000..2_010).contains(&tree.0.tree.len()));
}

#[test]
fn metadata_of_pictures_is_bounded() {
    let blocks = |n: usize| {
        let places = vec![(b"Exif", "", 8_u32, 20_u32); n];
        // The first bytes of what is found there say how much to skip: nothing.
        let mut file = heif(&places);
        file[8..12].fill(0);
        look(&file).1.blocks.len()
    };
    assert_eq!((blocks(16), blocks(17)), (16, 16));
    let kinds = |n: usize| {
        let properties: Vec<u8> = (0..n)
            .flat_map(|kind| full_box(b"auxC", 0, 0, format!("urn:{kind}\0").as_bytes()))
            .collect();
        let meta = [
            full_box(b"iinf", 0, 0, b"\0\0"),
            iso_box(b"iprp", &iso_box(b"ipco", &properties)),
        ];
        let file = full_box(b"meta", 0, 0, &meta.concat());
        look(&file).0.items.expect("read").auxiliary.len()
    };
    assert_eq!((kinds(16), kinds(17)), (16, 16));
}

#[test]
fn sizes_of_zero_one_and_beyond_do_no_harm() {
    let index = iso_box(b"moov", &mvhd(9, 9));
    let open = [index.as_slice(), b"\0\0\0\0mdatmedia"].concat();
    let (layout, _) = look(&open);
    assert_eq!(layout.tree, "moov(mvhd) mdat");
    assert!(!layout.truncated && layout.trailing_bytes == 0);
    let long = [index.as_slice(), b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x15media"].concat();
    assert!(!look(&long).0.truncated);
    let huge = [
        index.as_slice(),
        b"\0\0\0\x01mdat\xff\xff\xff\xff\xff\xff\xff\xffmedia",
    ]
    .concat();
    assert!(look(&huge).0.truncated);
    let tiny = [index.as_slice(), b"\0\0\0\x02mdatmedia"].concat();
    assert_eq!(look(&tiny).0.trailing_bytes, 13);
}

/// A HEIF with a main picture of 4032 x 3024 and these pieces of metadata, each found where `places` says.
fn heif(places: &[(&[u8; 4], &str, u32, u32)]) -> Vec<u8> {
    let mut infos = full_box(b"infe", 2, 0, b"\0\x01\0\0hvc1\0");
    let mut locations = Vec::new();
    for (number, (kind, content_type, at, len)) in (2_u16..).zip(places) {
        let body = [
            number.to_be_bytes().as_slice(),
            &[0; 2],
            kind.as_slice(),
            b"\0",
            content_type.as_bytes(),
            b"\0",
        ]
        .concat();
        infos.extend(full_box(b"infe", 2, 0, &body));
        let place = [
            number.to_be_bytes().as_slice(),
            b"\0\0\0\x01",
            &at.to_be_bytes(),
            &len.to_be_bytes(),
        ]
        .concat();
        locations.extend(place);
    }
    let count = u16::try_from(places.len()).expect("few");
    let size = [4_032_u32, 3_024].map(u32::to_be_bytes).concat();
    let properties = [iso_box(b"hvcC", b"x"), full_box(b"ispe", 0, 0, &size)].concat();
    let properties = [
        iso_box(b"ipco", &properties),
        full_box(b"ipma", 0, 0, b"\0\0\0\x01\0\x01\x02\x81\x02"),
    ];
    let meta = [
        hdlr(b"pict", ""),
        full_box(b"pitm", 0, 0, b"\0\x01"),
        full_box(
            b"iinf",
            0,
            0,
            &[(count + 1).to_be_bytes().as_slice(), &infos].concat(),
        ),
        full_box(
            b"iloc",
            0,
            0,
            &[b"\x44\0".as_slice(), &count.to_be_bytes(), &locations].concat(),
        ),
        iso_box(b"iprp", &properties.concat()),
    ];
    [
        iso_box(b"ftyp", b"heic\0\0\0\0mif1heic"),
        full_box(b"meta", 0, 0, &meta.concat()),
    ]
    .concat()
}

#[test]
fn metadata_of_pictures_is_located() {
    let exif = crate::samples::exif(&[crate::samples::Field::Text(0x010f, "Acme")], &[]);
    let packet = crate::samples::xmp("xmp:CreatorTool='T'", "");
    let len = |bytes: &[u8]| u32::try_from(bytes.len()).expect("small");
    let media = [b"\0\0\0\x06Exif\0\0".as_slice(), &exif, packet.as_bytes()].concat();
    let places = |start: u32| {
        heif(&[
            (b"Exif", "", start, len(&exif) + 10),
            (
                b"mime",
                "application/rdf+xml",
                start + 10 + len(&exif),
                len(packet.as_bytes()),
            ),
        ])
    };
    let start = len(&places(0)) + 8;
    let file = [places(start), iso_box(b"mdat", &media)].concat();
    let (layout, structure) = look(&file);
    let items = layout.items.expect("read");
    assert_eq!((items.count, items.main_kind.as_deref()), (3, Some("hvc1")));
    let size = items.size.expect("declared");
    assert_eq!((size.width, size.height), (4_032, 3_024));
    assert_eq!(declared_size(&file, &Limits::default()), Some(size));
    let kinds: Vec<BlockKind> = structure.blocks.iter().map(|block| block.kind).collect();
    assert_eq!(kinds, [BlockKind::Exif, BlockKind::Xmp]);
    assert_eq!(structure.blocks[0].slice(&file), exif);
    assert_eq!(structure.blocks[1].slice(&file), packet.as_bytes());
    assert!(structure.facts.is_empty(), "{:?}", structure.facts);
}

#[test]
fn places_outside_the_file_are_told_and_not_followed() {
    for (at, len) in [(u32::MAX, 8), (0, u32::MAX), (10_000, 10_000)] {
        let (_, structure) = look(&heif(&[(b"Exif", "", at, len)]));
        assert_eq!(facts(&structure), ["item_outside_file"]);
        assert!(structure.blocks.is_empty());
    }
    // Within the file, but its header of directories is not.
    let (_, structure) = look(&heif(&[(b"Exif", "", 4, 8)]));
    assert!(structure.blocks.is_empty());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        start in prop::sample::select(vec![
            b"\0\0\0\x10ftypisom\0\0\0\0".to_vec(), movie("VideoHandler", &[]), heif(&[(b"Exif", "", 40, 40)]),
        ]),
        at in 0usize..600,
        body in prop::collection::vec(prop_oneof![0u8..8, any::<u8>()], 0..40),
    ) {
        let mut bytes = start;
        let at = at.min(bytes.len());
        let end = (at + body.len()).min(bytes.len());
        bytes.splice(at..end, body);
        let _walked = walk(&bytes, "video/mp4", &Limits::default(), &mut Structure::default());
        let _size = declared_size(&bytes, &Limits::default());
    }

    #[test]
    fn no_boxes_make_it_panic(kinds in prop::collection::vec((0usize..14, 0u32..40, any::<u64>()), 0..20)) {
        const NAMES: [&[u8; 4]; 14] = [
            b"moov", b"trak", b"mdia", b"hdlr", b"stsd", b"elst", b"mvhd", b"tkhd", b"meta", b"iloc", b"iinf", b"ipma",
            b"ilst", b"uuid",
        ];
        let bytes: Vec<u8> = kinds
            .iter()
            .flat_map(|(kind, len, body)| [&len.to_be_bytes(), NAMES[*kind].as_slice(), &body.to_be_bytes()].concat())
            .collect();
        let _walked = walk(&bytes, "video/mp4", &Limits::default(), &mut Structure::default());
        let inside = iso_box(b"moov", &bytes);
        let _walked = walk(&inside, "video/mp4", &Limits::default(), &mut Structure::default());
        let inside = full_box(b"meta", 0, 0, &bytes);
        let _walked = walk(&inside, "video/mp4", &Limits::default(), &mut Structure::default());
    }
}
