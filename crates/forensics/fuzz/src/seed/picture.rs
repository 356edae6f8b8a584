//! Pictures, and videos: both are files of boxes.

use crate::samples::{self, Field, full_box, iso_box, movie};

const SOF0: [u8; 2] = [0xff, 0xc0];
const SOS: [u8; 2] = [0xff, 0xda];
/// Where the first and the last coefficient of a scan stand behind the marker, by its number of components.
const BAND_AT: usize = 5;

pub(super) fn jpeg() -> Vec<Vec<u8>> {
    let plain = samples::jpeg(90);
    let exif = samples::exif_segment(&directories());
    let xmp = samples::xmp_segment(&samples::xmp("xmp:CreatorTool='x'", ""));
    let photoshop = samples::segment(0xed, b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\0");
    let segments = [
        samples::segment(0xe0, b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0"),
        exif,
        xmp,
        photoshop,
        samples::segment(0xee, b"Adobe\0\x64\0\0\0\0\x01"),
        samples::segment(0xfe, b"made by hand"),
    ];
    let whole = samples::with_segments(&plain, &segments);
    vec![whole, plain, samples::jpeg_of(&samples::picture(8, 8), 30)]
}

/// JPEGs whose coded data matter: one that is whole, and the same said to be coded in passes.
pub(super) fn coded() -> Vec<Vec<u8>> {
    let sizes = [(8, 8), (24, 16), (96, 64)];
    let plain = sizes.map(|(width, height)| samples::jpeg_of(&samples::picture(width, height), 50));
    let grey: Vec<u8> = {
        let mut bytes = Vec::new();
        let picture = image::DynamicImage::from(samples::picture(24, 24)).into_luma8();
        image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 80)
            .encode_image(&picture)
            .expect("encode");
        bytes
    };
    let passes = [
        (0, 0, 0x00),
        (0, 0, 0x01),
        (1, 63, 0x00),
        (1, 5, 0x02),
        (1, 63, 0x21),
    ];
    let in_passes = passes.map(|(first, last, bits)| {
        let band = [first, last, bits];
        in_one_pass(&grey, band).unwrap_or_default()
    });
    plain
        .into_iter()
        .chain([grey.clone()])
        .chain(in_passes)
        .collect()
}

/// The JPEG of one component with its scan declared as a pass over these coefficients.
fn in_one_pass(jpeg: &[u8], band: [u8; 3]) -> Option<Vec<u8>> {
    let place = |marker: [u8; 2]| jpeg.windows(2).position(|pair| pair == marker);
    let (frame, scan) = (place(SOF0)?, place(SOS)?);
    let mut bytes = jpeg.to_vec();
    *bytes.get_mut(frame + 1)? = 0xc2;
    bytes
        .get_mut(scan + 2 + BAND_AT..scan + 2 + BAND_AT + 3)?
        .copy_from_slice(&band);
    Some(bytes)
}

pub(super) fn png() -> Vec<Vec<u8>> {
    let plain = samples::png_of(&samples::picture(16, 12));
    let chunks = [
        samples::chunk(b"eXIf", &directories()),
        samples::text_chunk("Software", "GIMP"),
        samples::compressed_text_chunk("Comment", b"packed words"),
        samples::chunk(b"tIME", &[7, 0xe8, 1, 2, 3, 4, 5]),
        samples::chunk(b"pHYs", &[0, 0, 0x0b, 0x13, 0, 0, 0x0b, 0x13, 1]),
        samples::chunk(b"caBX", b"\0\0\0\x08jumb"),
    ];
    let whole = samples::with_chunks(&plain, &chunks);
    vec![whole, plain, samples::png_header(60_000, 60_000)]
}

pub(super) fn webp() -> Vec<Vec<u8>> {
    let key_frame = b"\x30\x01\0\x9d\x01\x2a\x10\0\x10\0\x02\0\x34\x25\xa4\0";
    let exif = [b"Exif\0\0".as_slice(), &directories()].concat();
    let xmp = samples::xmp("xmp:CreatorTool='x'", "");
    let extended: [(&[u8; 4], &[u8]); 4] = [
        (b"VP8X", &[0x2c, 0, 0, 0, 15, 0, 0, 15, 0, 0]),
        (b"VP8 ", key_frame),
        (b"EXIF", &exif),
        (b"XMP ", xmp.as_bytes()),
    ];
    vec![
        samples::riff(b"WEBP", &extended),
        samples::riff(b"WEBP", &[(b"VP8 ", key_frame)]),
        samples::riff(b"WEBP", &[(b"VP8L", b"\x2f\x0f\xc0\x03\0\0\0\0")]),
    ]
}

/// A TIFF with texts, numbers, a directory behind another, and one below it.
fn directories() -> Vec<u8> {
    let first = [
        Field::Long(0x0100, 96),
        Field::Long(0x0101, 64),
        Field::Text(0x010f, "Maker"),
        Field::Text(0x0110, "Camera 1"),
        Field::Short(0x0112, 6),
        Field::Text(0x0131, "GIMP 2.10"),
        Field::Text(0x0132, "2024:01:02 03:04:05"),
    ];
    let below = [
        Field::Text(0x9003, "2024:01:02 03:04:05"),
        Field::Raw(0x927c, b"a note of the maker".to_vec()),
        Field::Raw(0x9286, b"ASCII\0\0\0words".to_vec()),
        Field::Long(0xa002, 96),
        Field::Long(0xa003, 64),
    ];
    samples::exif(&first, &below)
}

pub(super) fn tiff() -> Vec<Vec<u8>> {
    vec![
        directories(),
        samples::tiff(&[Field::Longs(0x014a, vec![8; 20])]),
        b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x01\0\0\0\0\0\0".to_vec(),
        b"II*\0\x08\0\0\0\0\0\x08\0\0\0".to_vec(),
    ]
}

/// TIFFs whose second directory holds a small JPEG.
pub(super) fn thumbnails() -> Vec<Vec<u8>> {
    [(96, 64), (40, 30), (48, 32)]
        .map(|(width, height)| {
            let small = samples::jpeg_of(&samples::picture(width, height), 60);
            let start = 14 + 2 + 2 * 12 + 4_u32;
            let len = u32::try_from(small.len()).expect("small");
            let entry = |tag: u16, value: u32| {
                [
                    tag.to_be_bytes().as_slice(),
                    &[0, 4, 0, 0, 0, 1],
                    &value.to_be_bytes(),
                ]
                .concat()
            };
            [
                b"MM\0\x2a\0\0\0\x08\0\0\0\0\0\x0e\0\x02".to_vec(),
                entry(0x0201, start),
                entry(0x0202, len),
                vec![0; 4],
                small,
            ]
            .concat()
        })
        .into()
}

pub(super) fn boxes() -> Vec<Vec<u8>> {
    let tool = iso_box(b"data", b"\0\0\0\x01\0\0\0\0Lavf60.3.100");
    let list = iso_box(b"ilst", &iso_box(b"\xa9too", &tool));
    let tags = [samples::hdlr(b"mdir", ""), list].concat();
    let user_data = full_box(b"meta", 0, 0, &tags);
    let fragment = iso_box(b"moof", &full_box(b"mfhd", 0, 0, &[0, 0, 0, 1]));
    vec![
        movie("VideoHandler", &user_data),
        [
            movie("Core Media Video", b""),
            fragment,
            iso_box(b"uuid", &[7; 24]),
        ]
        .concat(),
        still(),
    ]
}

/// A HEIF with one picture, its size, and an item of EXIF.
fn still() -> Vec<u8> {
    let size = [96_u32, 64].map(u32::to_be_bytes).concat();
    let properties = [
        iso_box(b"ipco", &full_box(b"ispe", 0, 0, &size)),
        full_box(b"ipma", 0, 0, b"\0\0\0\x01\0\x01\x01\x01"),
    ];
    let items = [
        full_box(b"infe", 2, 0, b"\0\x01\0\0hvc1\0"),
        full_box(b"infe", 2, 0, b"\0\x02\0\0Exif\0"),
    ];
    let places = b"\x44\x40\0\x02\0\x01\0\0\0\0\0\0\0\x01\0\0\0\x20\0\0\0\x08\0\x02\0\0\0\0\0\0\0\x01\0\0\0\x28\0\0\0\x10";
    let meta = [
        samples::hdlr(b"pict", ""),
        full_box(b"pitm", 0, 0, b"\0\x01"),
        full_box(
            b"iinf",
            0,
            0,
            &[b"\0\x02".as_slice(), &items.concat()].concat(),
        ),
        full_box(b"iloc", 0, 0, places),
        iso_box(b"iprp", &properties.concat()),
    ];
    [
        iso_box(b"ftyp", b"heic\0\0\0\0mif1heic"),
        full_box(b"meta", 0, 0, &meta.concat()),
        iso_box(b"mdat", &directories()),
    ]
    .concat()
}
