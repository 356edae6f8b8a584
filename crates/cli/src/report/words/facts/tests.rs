//! Every fact that an analysis tells has words: names are read from the sources, as they are listed nowhere else.

use std::fs;
use std::path::{Path, PathBuf};

use super::FACTS;

/// Where facts are told, beside this crate.
const SOURCES: [&str; 2] = ["../forensics/src", "../verification-worker/src"];

/// How a fact is told; its name stands behind.
const CALLS: [&str; 2] = ["fact(", "fact_once("];
const CONSTRUCTOR: &str = "Fact::new(";

/// Names that stand in tables beside their calls, which no pattern finds.
const TOLD_FROM_TABLES: [&str; 10] = [
    "multi_picture",
    "jumbf",
    "ducky_segment",
    "photoshop_segment",
    "adobe_segment",
    "jfif_thumbnail",
    "altered_after_signing",
    "credential_tampered",
    "credential_expired",
    "credential_revoked",
];

/// As few as this would mean that the sources are read wrongly.
const NAMES_MIN: usize = 60;

#[test]
fn every_fact_has_words_and_words_are_there_once() {
    let mut names: Vec<String> = TOLD_FROM_TABLES.map(str::to_owned).to_vec();
    for folder in SOURCES {
        collect(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join(folder),
            &mut names,
        );
    }
    names.sort();
    names.dedup();
    assert!(names.len() >= NAMES_MIN, "{names:?}");
    let has_words = |name: &String| FACTS.iter().any(|(known, _)| known == name);
    let missing: Vec<&String> = names.iter().filter(|name| !has_words(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    for (name, _) in FACTS {
        let same = FACTS.iter().filter(|(other, _)| other == name);
        assert_eq!(same.count(), 1, "{name}");
    }
}

/// The names in the sources of a folder, those of tests left out.
fn collect(folder: &Path, names: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        let name = path.file_stem().unwrap_or_default();
        if name == "tests" || name == "samples" {
            continue;
        }
        if path.is_dir() {
            collect(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let product = text.split("mod tests {").next().unwrap_or_default();
            for call in CALLS.into_iter().chain([CONSTRUCTOR]) {
                names.extend(product.split(call).skip(1).filter_map(literal));
            }
        }
    }
}

/// The text that stands first in a call, if it is written there.
fn literal(arguments: &str) -> Option<String> {
    let (name, _) = arguments.trim_start().strip_prefix('"')?.split_once('"')?;
    Some(name.to_owned())
}
