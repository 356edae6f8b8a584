//! From segment to segment: tables, the frame, scans (ITU-T T.81, annexes B, F and G).

use super::Levels;
use super::frame::Frame;
use super::header::Header;
use super::huffman::Huffman;
use super::progressive::Progress;
use super::scan::{Part, Pass, Scan, Target};
use super::unread::{Fault, Unread};
use crate::bytes::{Order, u16_at};
use crate::limits::Limits;
use crate::structure::jpeg::segments::{DHT, DQT, DRI, End, SOI, SOS, Segment, Segments, is_frame};
use crate::structure::jpeg::tables::{COEFFICIENTS, Class, Codes, ZIGZAG, huffman, quantisation};

/// Tables of each sort that may be there at a time.
const TABLES_MAX: usize = 4;
/// Each block of each scan that brings mean values takes a bit, so a byte brings no more blocks than this.
const BLOCKS_PER_BYTE_MAX: usize = 8;
/// Hierarchical progression.
const DHP: u8 = 0xde;

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Levels, Unread> {
    if !bytes.starts_with(&[0xff, SOI]) {
        return Err(Unread::NoJpeg);
    }
    let mut reader = Reader {
        file_bytes: bytes.len(),
        limits,
        tables: Tables::default(),
        interval: 0,
        picture: None,
    };
    let mut segments = Segments::new(bytes, limits);
    for segment in segments.by_ref() {
        reader.segment(&segment)?;
    }
    let has_end = match segments.end() {
        End::Marker(_) => true,
        End::Missing => false,
        End::ScansMax => return Err(Unread::limit("jpeg_scans_max", limits.jpeg_scans_max)),
        End::MarkersMax => return Err(Unread::limit("jpeg_markers_max", limits.jpeg_markers_max)),
    };
    reader
        .finish(has_end)
        .map_err(|why| Unread::damaged(bytes.len(), why))
}

struct Reader<'a> {
    file_bytes: usize,
    limits: &'a Limits,
    tables: Tables<'a>,
    interval: usize,
    picture: Option<Picture>,
}

/// The tables that are in force, by their number.
#[derive(Default)]
struct Tables<'a> {
    steps: [Option<[u16; COEFFICIENTS]>; TABLES_MAX],
    dc: [Option<Codes<'a>>; TABLES_MAX],
    ac: [Option<Codes<'a>>; TABLES_MAX],
}

/// What has come of the picture.
struct Picture {
    frame: Frame,
    target: Target,
    progress: Progress,
    /// Those in force when the first component began to come, row by row.
    steps: Option<[u16; COEFFICIENTS]>,
}

impl<'a> Reader<'a> {
    fn segment(&mut self, segment: &Segment<'a>) -> Result<(), Unread> {
        match segment.marker {
            DQT => self.tables.quantisation(segment.data),
            DHT => self.tables.huffman(segment.data),
            DRI => {
                let interval = u16_at(segment.data, 0, Order::Big);
                self.interval = interval.map_or(0, usize::from);
            }
            DHP => {
                let what = "hierarchical JPEG";
                return Err(Unread::Unsupported { what });
            }
            SOS => return self.scan(segment),
            marker if is_frame(marker) => return self.frame(segment),
            _ => {}
        }
        Ok(())
    }

    fn frame(&mut self, segment: &Segment<'_>) -> Result<(), Unread> {
        let damaged = |why| Err(Unread::damaged(segment.offset, why));
        if self.picture.is_some() {
            return damaged("there is a second frame");
        }
        let frame = Frame::read(segment, self.limits)?;
        let (columns, rows) = frame.blocks();
        let blocks = columns.saturating_mul(rows);
        if blocks > self.file_bytes.saturating_mul(BLOCKS_PER_BYTE_MAX) {
            return damaged("the file is too short for a picture of this size");
        }
        self.picture = Some(Picture {
            frame,
            target: Target {
                columns,
                blocks: vec![[0; COEFFICIENTS]; blocks],
            },
            progress: Progress::new(),
            steps: None,
        });
        Ok(())
    }

    fn scan(&mut self, segment: &Segment<'_>) -> Result<(), Unread> {
        let damaged = |why| Unread::damaged(segment.offset, why);
        let Some(picture) = &mut self.picture else {
            return Err(damaged("a scan comes before the frame"));
        };
        let header = Header::read(segment.data, &picture.frame).map_err(damaged)?;
        if !header.has_first() {
            return Ok(());
        }
        picture.prepare(&header, &self.tables).map_err(damaged)?;
        let parts = self
            .tables
            .parts(&header, &Pass::of(&header, &picture.frame))
            .map_err(damaged)?;
        let mut scan = Scan::new(
            segment.compressed,
            &header,
            &picture.frame,
            parts,
            self.interval,
        );
        let result = scan.read(&mut picture.target);
        let at = segment.offset + segment.data.len() + scan.at();
        result.map_err(|why| Unread::damaged(at, why))
    }

    /// The levels, if all that is needed has come.
    fn finish(self, has_end: bool) -> Result<Levels, Fault> {
        let picture = self.picture.ok_or("there is no frame")?;
        if !picture.progress.has_means() {
            return Err("no scan brings the first component");
        }
        // Without its end nobody knows whether more was to come, unless nothing is missing.
        if !has_end && !picture.progress.is_complete() {
            return Err("the file ends before the picture is complete");
        }
        let steps = picture.steps.ok_or(NO_STEPS)?;
        Levels::new(picture.target.columns, steps, picture.target.blocks)
            .ok_or("a quantisation step is zero")
    }
}

const NO_STEPS: Fault = "the first component has no quantisation table";

impl Picture {
    /// Before a scan that brings the first component.
    fn prepare(&mut self, header: &Header, tables: &Tables<'_>) -> Result<(), Fault> {
        if self.steps.is_none() {
            let number = self.frame.components.first().map(|first| first.table);
            self.steps = number.and_then(|number| tables.steps_by_rows(number));
            if self.steps.is_none() {
                return Err(NO_STEPS);
            }
        }
        self.progress
            .pass(header.from..=header.to, header.high, header.low)
    }
}

impl<'a> Tables<'a> {
    fn quantisation(&mut self, data: &[u8]) {
        for (id, steps) in quantisation(data) {
            if let Some(slot) = self.steps.get_mut(usize::from(id)) {
                *slot = Some(steps);
            }
        }
    }

    fn huffman(&mut self, data: &'a [u8]) {
        for codes in huffman(data) {
            let tables = match codes.class {
                Class::Dc => &mut self.dc,
                Class::Ac => &mut self.ac,
            };
            if let Some(slot) = tables.get_mut(usize::from(codes.id)) {
                *slot = Some(codes);
            }
        }
    }

    fn steps_by_rows(&self, id: u8) -> Option<[u16; COEFFICIENTS]> {
        let zigzag = self.steps.get(usize::from(id)).copied().flatten()?;
        let mut steps = [0; COEFFICIENTS];
        for (step, place) in zigzag.into_iter().zip(ZIGZAG) {
            steps[usize::from(place)] = step;
        }
        Some(steps)
    }

    /// What each member of the scan is read with, in the pass that it makes.
    fn parts(&self, header: &Header, pass: &Pass) -> Result<Vec<Part>, Fault> {
        let (needs_dc, needs_ac) = pass.tables();
        let members = header.members.iter();
        members
            .map(|member| {
                let dc = table(&self.dc, member.dc, needs_dc)?;
                let ac = table(&self.ac, member.ac, needs_ac)?;
                Ok(Part::new(dc, ac))
            })
            .collect()
    }
}

fn table(known: &[Option<Codes<'_>>], id: u8, is_needed: bool) -> Result<Huffman, Fault> {
    if !is_needed {
        return Ok(Huffman::default());
    }
    match known.get(usize::from(id)) {
        Some(Some(codes)) => Huffman::new(codes),
        _ => Err("a scan needs a Huffman table that is not there"),
    }
}
