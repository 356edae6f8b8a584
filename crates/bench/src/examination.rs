//! What it costs a real worker to look at photographs: `assay dev` as people start it, children and all.
//!
//! Contract: a [`photo`] of 24 megapixels shows what a child needs of its bounds; many photos on one core and on two
//! ([`cores`]) show what the second core adds. The photos are made up (`assay_corpus`), and no two show the same scene.

pub mod cores;
mod job;
pub mod photo;

use std::path::Path;

use crate::server::Plan;

/// One mebibyte.
const MIB: u64 = 1024 * 1024;

/// `assay dev` with its data in `folder`.
fn plan(programs: &Path, folder: &Path) -> Plan {
    Plan {
        program: programs.join("assay"),
        words: vec!["dev".to_owned()],
        data_dir: folder.join("data"),
        settings: Vec::new(),
        log: folder.join("server.log"),
    }
}

/// Whether a target was met, in a word.
fn verdict(is_met: bool) -> &'static str {
    if is_met { "reached" } else { "missed" }
}
