//! PDF: objects, revisions, and what signatures cover.
//!
//! Objects are found by going through the file, not by its tables. Of their streams only those that hold objects are
//! unpacked; nothing is decrypted, run, or fetched.

mod chain;
mod changes;
mod class;
mod evidence;
mod look;
mod object_stream;
mod parser;
mod pictures;
mod scan;
mod signature;
mod survey;
mod tell;
mod text;
mod value;

use serde::{Deserialize, Serialize};

pub use changes::Added;
pub(crate) use evidence::after_signature;
pub use evidence::{PAGE_CONTENT_LOG10, RESOURCES_LOG10};
pub use pictures::PICTURES_MAX;
pub use signature::Signature;

use self::chain::Chain;
use self::parser::is_space;
use self::survey::Survey;
use super::{Block, BlockKind, Span, Structure, Tag};
use crate::bytes::{count, find, index_u64};
use crate::limits::Limits;
use crate::refusal::Refusal;
use crate::sniff::Format;

/// The header may stand behind other bytes up to here.
const HEADER_BYTES_MAX: usize = 1024;
const HEADER: &[u8] = b"%PDF-";

/// How a PDF is built.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PdfLayout {
    /// The version in the header, e.g. `1.7`.
    pub version: String,
    /// Bytes before the header.
    pub header_at: u64,
    /// Objects found, every definition counted, those in object streams included.
    pub objects: u64,
    /// How often the document was saved into this file.
    pub revisions: u32,
    /// Whether it is written so that its first page can be shown before the rest is there.
    pub is_linearised: bool,
    /// Whether it is encrypted. Its texts and object streams were not read then.
    pub is_encrypted: bool,
    /// Whether the cross-reference sections run in a circle.
    pub has_loop: bool,
    /// Whether a cross-reference section is not where it should be.
    pub is_broken: bool,
    /// Signatures in the order of the file, cut after 64.
    pub signatures: Vec<Signature>,
    /// How many were cut off.
    pub signatures_left_out: u32,
    /// What came behind the first signature that covers everything before it.
    pub added: Option<Added>,
    /// Bytes that no signature of these covers, if there is one.
    pub uncovered_bytes: u64,
    /// Software that made the file.
    pub producer: Option<String>,
    /// Software that the document was written in.
    pub creator: Option<String>,
    /// When it was made, as it says.
    pub created: Option<String>,
    /// When it was changed last, as it says.
    pub modified: Option<String>,
    /// Pictures that are JPEG files as they are, cut after 256.
    pub jpeg_streams: Vec<JpegStream>,
    /// How many were cut off.
    pub jpeg_streams_left_out: u32,
    /// Those that are looked at like pictures that came alone, the largest first, with sizes by their own headers.
    pub pictures: Vec<JpegStream>,
    /// Those that are not, as they are beyond a bound, or as their headers cannot be read.
    pub pictures_left_out: u32,
    /// Bytes after the last end mark.
    pub trailing_bytes: u64,
}

/// A picture in a document that is a JPEG file as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct JpegStream {
    /// Number of its object.
    pub object: u32,
    /// Where the JPEG file lies.
    pub span: Span,
    /// Width that the document declares; 0 if it does not say it here.
    pub width: u32,
    /// Height that the document declares; 0 if it does not say it here.
    pub height: u32,
}

pub(super) fn walk(
    bytes: &[u8],
    limits: &Limits,
    structure: &mut Structure,
) -> Result<PdfLayout, Refusal> {
    let head = bytes
        .get(..HEADER_BYTES_MAX + HEADER.len())
        .unwrap_or(bytes);
    let header_at = find(head, HEADER, 0).unwrap_or_default();
    let chain = chain::follow(bytes, header_at, limits);
    let survey = survey::survey(bytes, chain.info, chain.is_encrypted, limits);
    if survey.entries.is_empty() {
        return Err(Refusal::CorruptMedia {
            mime: Format::Pdf.mime().to_owned(),
            reason: "there is no object behind the header".to_owned(),
        });
    }
    note(bytes, &chain, &survey, structure);
    let mut layout = describe(bytes, header_at, &chain, survey);
    let chosen = pictures::choose(bytes, &layout.jpeg_streams, limits);
    layout.pictures = chosen.pictures;
    layout.pictures_left_out = chosen.left_out.saturating_add(layout.jpeg_streams_left_out);
    match chain.ends.last() {
        Some(&end) => {
            let rest = bytes.get(end..).unwrap_or_default();
            let spaces = rest.iter().take_while(|&&byte| is_space(byte)).count();
            layout.trailing_bytes = structure.trailing_after("document", bytes, end + spaces);
        }
        None => structure.truncated("the document: there is no end mark"),
    }
    tell::tell(&layout, structure);
    Ok(layout)
}

/// Notes metadata, what does something, and the bounds that were hit.
fn note(bytes: &[u8], chain: &Chain, survey: &Survey, structure: &mut Structure) {
    let described = survey
        .xmp
        .iter()
        .filter(|(number, _)| survey.catalog_metadata.contains(number));
    for (_, span) in described {
        let (offset, len) = (index_u64(span.offset), span.slice(bytes).len());
        structure.block(Block::new(BlockKind::Xmp, offset, len));
    }
    let info = &survey.info;
    for text in [&info.creator, &info.producer].into_iter().flatten() {
        structure.tag(Tag::of("Software", text.as_bytes(), None));
    }
    if survey.has_credentials {
        structure.content_credentials();
    }
    tell::active_content(&survey.active, structure);
    tell::unread(survey, structure);
    structure.limits.extend(survey.hits.iter().cloned());
    structure.limits.extend(chain.hit.clone());
}

fn describe(bytes: &[u8], header_at: usize, chain: &Chain, survey: Survey) -> PdfLayout {
    let first = survey
        .signatures
        .iter()
        .filter(|signature| signature.is_whole)
        .map(|signature| signature.covered_bytes)
        .min();
    let added = first.map(|covered| changes::added(&survey, index_u64(covered), bytes.len()));
    let covered = survey
        .signatures
        .iter()
        .map(|signature| signature.covered_bytes)
        .max();
    let Survey {
        entries,
        signatures,
        signatures_left_out,
        jpeg_streams,
        jpeg_streams_left_out,
        info,
        is_linearised,
        ..
    } = survey;
    PdfLayout {
        version: version(bytes, header_at),
        header_at: count(header_at),
        objects: count(entries.len()),
        revisions: u32::try_from(chain.ends.len()).unwrap_or(u32::MAX),
        is_linearised,
        is_encrypted: chain.is_encrypted,
        has_loop: chain.has_loop,
        is_broken: chain.is_broken,
        uncovered_bytes: covered.map_or(0, |covered| count(bytes.len()).saturating_sub(covered)),
        signatures,
        signatures_left_out,
        added,
        producer: info.producer,
        creator: info.creator,
        created: info.created,
        modified: info.modified,
        jpeg_streams,
        jpeg_streams_left_out,
        pictures: Vec::new(),
        pictures_left_out: 0,
        trailing_bytes: 0,
    }
}

/// What stands behind the word of the header, as far as it can be a version.
fn version(bytes: &[u8], header_at: usize) -> String {
    const VERSION_BYTES_MAX: usize = 8;
    let rest = bytes.get(header_at + HEADER.len()..).unwrap_or_default();
    rest.iter()
        .take(VERSION_BYTES_MAX)
        .take_while(|byte| byte.is_ascii_digit() || **byte == b'.')
        .map(|&byte| char::from(byte))
        .collect()
}

#[cfg(test)]
mod tests;
