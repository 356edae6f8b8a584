//! Goes from marker to marker. Compressed data is skipped, not read.

use std::borrow::Cow;

use crate::limits::Limits;

pub(crate) const DHT: u8 = 0xc4;
pub(crate) const SOI: u8 = 0xd8;
pub(crate) const EOI: u8 = 0xd9;
pub(crate) const SOS: u8 = 0xda;
pub(crate) const DQT: u8 = 0xdb;
pub(crate) const APP0: u8 = 0xe0;
pub(crate) const APP12: u8 = 0xec;
pub(crate) const APP14: u8 = 0xee;
pub(crate) const APP15: u8 = 0xef;
pub(crate) const COM: u8 = 0xfe;
/// Restart interval.
pub(crate) const DRI: u8 = 0xdd;
/// The first of eight restart markers.
pub(crate) const RST0: u8 = 0xd0;
const TEM: u8 = 0x01;
const RST7: u8 = 0xd7;

/// A marker with the data that it announces.
pub(crate) struct Segment<'a> {
    pub(crate) marker: u8,
    /// Where `data` begins in the file.
    pub(crate) offset: usize,
    pub(crate) data: &'a [u8],
    /// Behind the header of a scan: its compressed data, restart markers included. Else empty.
    pub(crate) compressed: &'a [u8],
}

/// Why there are no more segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The end marker; the index is that of the byte after it.
    Marker(usize),
    /// The bytes ran out.
    Missing,
    ScansMax,
    MarkersMax,
}

/// All segments from the second marker on.
pub(crate) struct Segments<'a> {
    bytes: &'a [u8],
    at: usize,
    end: Option<End>,
    markers: u32,
    markers_max: u32,
    scans: u32,
    scans_max: u32,
    skipped: usize,
}

impl<'a> Segments<'a> {
    pub(crate) fn new(bytes: &'a [u8], limits: &Limits) -> Self {
        Self {
            bytes,
            // The first marker is what the format was known by.
            at: 2,
            end: None,
            markers: 0,
            markers_max: limits.jpeg_markers_max,
            scans: 0,
            scans_max: limits.jpeg_scans_max,
            skipped: 0,
        }
    }

    pub(crate) fn scans(&self) -> u32 {
        self.scans
    }

    /// Bytes that lie between segments and are no filling.
    pub(crate) fn skipped(&self) -> usize {
        self.skipped
    }

    pub(crate) fn end(&self) -> End {
        self.end.unwrap_or(End::Missing)
    }

    /// The next marker; the position is then behind it.
    fn marker(&mut self) -> Option<u8> {
        loop {
            let rest = self.bytes.get(self.at..)?;
            let stray = rest.iter().position(|&byte| byte == 0xff)?;
            self.skipped += stray;
            let fill = rest.iter().skip(stray).position(|&byte| byte != 0xff)?;
            self.at += stray + fill;
            let marker = *self.bytes.get(self.at)?;
            self.at += 1;
            if marker != 0 {
                return Some(marker);
            }
            self.skipped += 2;
        }
    }

    fn segment(&mut self) -> Option<Segment<'a>> {
        let marker = self.marker()?;
        if marker == EOI {
            self.end = Some(End::Marker(self.at));
            return None;
        }
        let stands_alone = marker == TEM || marker == SOI || (RST0..=RST7).contains(&marker);
        let mut data: &[u8] = &[];
        let mut offset = self.at;
        if !stands_alone {
            let len = self.bytes.get(self.at..)?.first_chunk::<2>()?;
            let len = usize::from(u16::from_be_bytes(*len)).checked_sub(2)?;
            offset += 2;
            data = self.bytes.get(offset..)?.get(..len)?;
            self.at = offset + len;
        }
        let mut compressed: &[u8] = &[];
        if marker == SOS {
            let rest = self.bytes.get(self.at..)?;
            compressed = rest.get(..compressed_len(rest))?;
            self.at += compressed.len();
        }
        Some(Segment {
            marker,
            offset,
            data,
            compressed,
        })
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        if self.end.is_some() {
            return None;
        }
        let Some(segment) = self.segment() else {
            self.end.get_or_insert(End::Missing);
            return None;
        };
        self.markers += 1;
        self.scans += u32::from(segment.marker == SOS);
        if self.scans > self.scans_max {
            self.end = Some(End::ScansMax);
            return None;
        }
        if self.markers > self.markers_max {
            self.end = Some(End::MarkersMax);
            return None;
        }
        Some(segment)
    }
}

/// Bytes up to the first marker that is neither a stuffed byte nor a restart.
fn compressed_len(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = bytes
        .get(at..)
        .and_then(|rest| rest.iter().position(|&b| b == 0xff))
    {
        at += found;
        match bytes.get(at + 1) {
            Some(0 | RST0..=RST7) => at += 2,
            Some(0xff) => at += 1,
            Some(_) => return at,
            None => return bytes.len(),
        }
    }
    bytes.len()
}

pub(crate) fn is_frame(marker: u8) -> bool {
    matches!(marker, 0xc0..=0xcf) && !matches!(marker, DHT | 0xc8 | 0xcc)
}

pub(crate) fn is_progressive(marker: u8) -> bool {
    matches!(marker, 0xc2 | 0xc6 | 0xca | 0xce)
}

pub(crate) fn is_application(marker: u8) -> bool {
    (APP0..=APP15).contains(&marker)
}

/// The marker's name in the standard.
pub(crate) fn name(marker: u8) -> Cow<'static, str> {
    match marker {
        DHT => "DHT".into(),
        SOI => "SOI".into(),
        SOS => "SOS".into(),
        DQT => "DQT".into(),
        COM => "COM".into(),
        0xcc => "DAC".into(),
        0xdc => "DNL".into(),
        DRI => "DRI".into(),
        marker if is_frame(marker) => format!("SOF{}", marker - 0xc0).into(),
        marker if is_application(marker) => format!("APP{}", marker - APP0).into(),
        marker => format!("{marker:02X}").into(),
    }
}
