//! ISO media files, box by box.

/// A box of this kind.
pub(crate) fn iso_box(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len() + 8).expect("small");
    [len.to_be_bytes().as_slice(), kind, body].concat()
}

/// A box with version and flags.
pub(crate) fn full_box(kind: &[u8; 4], version: u8, flags: u32, body: &[u8]) -> Vec<u8> {
    let head = (u32::from(version) << 24 | flags).to_be_bytes();
    iso_box(kind, &[head.as_slice(), body].concat())
}

/// A handler with its name.
pub(crate) fn hdlr(kind: &[u8; 4], name: &str) -> Vec<u8> {
    let body = [&[0; 4], kind.as_slice(), &[0; 12], name.as_bytes(), b"\0"].concat();
    full_box(b"hdlr", 0, 0, &body)
}

/// The header of the index, made and changed at these times, two seconds long.
pub(crate) fn mvhd(created_s: u32, modified_s: u32) -> Vec<u8> {
    let times = [created_s, modified_s, 1_000, 2_000].map(u32::to_be_bytes);
    full_box(b"mvhd", 0, 0, &[times.concat(), vec![0; 80]].concat())
}

/// A video file: index before media, one track of pictures with this handler, and user data.
pub(crate) fn movie(handler: &str, user_data: &[u8]) -> Vec<u8> {
    let mut entry = vec![0; 86];
    entry[..8].copy_from_slice(b"\0\0\0\x56avc1");
    entry[50..62].copy_from_slice(b"\x0bAVC encoder");
    let description = full_box(b"stsd", 0, 0, &[b"\0\0\0\x01".as_slice(), &entry].concat());
    let media = [
        hdlr(b"vide", handler),
        iso_box(b"minf", &iso_box(b"stbl", &description)),
    ]
    .concat();
    let mut shown = vec![0; 80];
    shown[72..].copy_from_slice(&[2, 0x80, 0, 0, 1, 0xe0, 0, 0]);
    let track = [full_box(b"tkhd", 0, 3, &shown), iso_box(b"mdia", &media)].concat();
    let index = [
        mvhd(3_600_000_000, 3_600_000_000),
        iso_box(b"trak", &track),
        iso_box(b"udta", user_data),
    ]
    .concat();
    [
        iso_box(b"ftyp", b"isom\0\0\x02\0isomiso2avc1mp41"),
        iso_box(b"moov", &index),
        iso_box(b"mdat", &[7; 64]),
    ]
    .concat()
}
