//! TIFF directories, little-endian.

/// A directory entry.
#[derive(Debug, Clone)]
pub(crate) enum Field {
    Text(u16, &'static str),
    Short(u16, u16),
    Long(u16, u32),
    Longs(u16, Vec<u32>),
    Raw(u16, Vec<u8>),
}

const HEADER_BYTES: usize = 8;

/// A TIFF whose only directory has these entries.
pub(crate) fn tiff(fields: &[Field]) -> Vec<u8> {
    let mut bytes = b"II\x2a\0\x08\0\0\0".to_vec();
    directory(&mut bytes, fields);
    bytes
}

/// A TIFF whose first directory points to an EXIF directory.
pub(crate) fn exif(first: &[Field], exif: &[Field]) -> Vec<u8> {
    // Entries have a fixed size, so the length of what comes before does not depend on the pointer.
    let with_pointer = |offset| [first, &[Field::Long(0x8769, offset)]].concat();
    let offset = tiff(&with_pointer(0)).len();
    let mut bytes = tiff(&with_pointer(u32::try_from(offset).expect("small")));
    directory(&mut bytes, exif);
    bytes
}

/// Appends a directory and the values that do not fit into its entries.
fn directory(bytes: &mut Vec<u8>, fields: &[Field]) {
    assert!(bytes.len() >= HEADER_BYTES);
    let count = u16::try_from(fields.len()).expect("few entries");
    let mut values_at = bytes.len() + 2 + 12 * fields.len() + 4;
    let mut values = Vec::new();
    bytes.extend(count.to_le_bytes());
    for field in fields {
        let (tag, kind, count, data) = field.parts();
        bytes.extend(tag.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(u32::try_from(count).expect("few values").to_le_bytes());
        if data.len() <= 4 {
            let mut inline = data;
            inline.resize(4, 0);
            bytes.extend(inline);
        } else {
            bytes.extend(u32::try_from(values_at).expect("small").to_le_bytes());
            values_at += data.len();
            values.extend(data);
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(values);
}

impl Field {
    /// Tag, type, number of values, bytes.
    fn parts(&self) -> (u16, u16, usize, Vec<u8>) {
        match self {
            Self::Text(tag, text) => (*tag, 2, text.len() + 1, [text.as_bytes(), b"\0"].concat()),
            Self::Short(tag, value) => (*tag, 3, 1, value.to_le_bytes().to_vec()),
            Self::Long(tag, value) => (*tag, 4, 1, value.to_le_bytes().to_vec()),
            Self::Longs(tag, values) => {
                let raw = values
                    .iter()
                    .flat_map(|value| value.to_le_bytes())
                    .collect();
                (*tag, 4, values.len(), raw)
            }
            Self::Raw(tag, raw) => (*tag, 7, raw.len(), raw.clone()),
        }
    }
}
