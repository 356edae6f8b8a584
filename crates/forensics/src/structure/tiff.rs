//! TIFF: the directories are surveyed; the file as a whole is an EXIF block.

use super::directory::{Survey, survey};
use super::{Block, BlockKind, Structure};
use crate::bytes::index;
use crate::limits::Limits;
use crate::refusal::Refusal;
use crate::sniff::Format;

pub(super) fn walk(
    bytes: &[u8],
    limits: &Limits,
    structure: &mut Structure,
) -> Result<Survey, Refusal> {
    let survey = survey(bytes, limits);
    if survey.directories == 0 {
        return Err(Refusal::CorruptMedia {
            mime: Format::Tiff.mime().to_owned(),
            reason: "there is no directory behind the header".to_owned(),
        });
    }
    if survey.is_broken {
        structure.truncated("a directory");
    }
    structure.block(Block::new(BlockKind::Exif, 0, bytes.len()));
    if let Some((offset, len)) = survey.xmp {
        structure.block(Block::new(BlockKind::Xmp, index(offset), index(len)));
    }
    Ok(survey)
}
