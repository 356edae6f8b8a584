//! What README.md and ARCHITECTURE.md name is there: files, settings, metrics, commands of `make`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::sources;

const README: &str = "README.md";
const DOCUMENTS: [&str; 2] = [README, "ARCHITECTURE.md"];
const README_LINES_MAX: usize = 320;

/// Begins a variable that sets a key.
const VARIABLE: &str = "ASSAY__";
/// What stands for a variable, and is none.
const ANY_VARIABLE: &str = "ASSAY__SECTION__KEY";
/// Below this key operators choose names.
const NAMED_BY_OPERATORS: &str = "detectors.external.";
/// Ends a key that names a file which holds the value.
const IN_A_FILE: &str = "_file";

fn read(path: &str) -> String {
    fs::read_to_string(sources::top().join(path)).unwrap()
}

/// What stands between backticks, but for blocks.
fn spans(text: &str) -> Vec<String> {
    let mut is_block = false;
    let prose: String = text
        .lines()
        .filter(|line| {
            let is_fence = line.starts_with("```");
            is_block ^= is_fence;
            !is_fence && !is_block
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    let parts = prose.split('`').skip(1).step_by(2);
    parts.map(|part| part.replace('\n', " ")).collect()
}

/// Every file below a folder, by its path from the top of the project, which begins with a slash.
fn files(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_dir() {
            let path = path.strip_prefix(sources::top()).unwrap();
            found.push(format!("/{}", path.display()));
        } else if !path.ends_with("target") && !path.ends_with("node_modules") {
            files(&path, found);
        }
    }
}

fn all_files() -> Vec<String> {
    let mut found = Vec::new();
    for folder in ["crates", "proto", "tests"] {
        files(&sources::top().join(folder), &mut found);
    }
    found
}

/// Every key that can be set, from the documented defaults.
fn keys() -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for path in all_files() {
        if !path.ends_with("/defaults.toml") {
            continue;
        }
        let mut section = String::new();
        for line in read(path.trim_start_matches('/')).lines() {
            if let Some(name) = line.strip_prefix('[') {
                section = name.trim_end_matches(']').to_owned();
            } else if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#'))
            {
                keys.insert(format!("{section}.{key}"));
            }
        }
    }
    assert!(keys.len() > 50, "{keys:?}");
    keys
}

fn is_key(keys: &BTreeSet<String>, key: &str) -> bool {
    let held = key.strip_suffix(IN_A_FILE).unwrap_or(key);
    keys.contains(key) || keys.contains(held) || key.starts_with(NAMED_BY_OPERATORS)
}

fn is_made_of(text: &str, others: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    !text.is_empty() && text.chars().all(fits)
}

fn expect_none(what: &str, missing: &[String]) {
    assert!(missing.is_empty(), "{what}:\n{}", missing.join("\n"));
}

#[test]
fn files_and_folders_are_there() {
    let files = all_files();
    let mut missing = Vec::new();
    for document in DOCUMENTS {
        for span in spans(&read(document)) {
            let path = span.trim_end_matches("/*");
            let is_file = path.ends_with(".rs") || path.ends_with(".lua");
            let is_folder = path.contains("/src/") || path.ends_with("/tests");
            if !is_made_of(path, "_-./") || !(is_file || is_folder) {
                continue;
            }
            let (end, inside) = (format!("/{path}"), format!("/{path}/"));
            if !files
                .iter()
                .any(|file| file.ends_with(&end) || file.contains(&inside))
            {
                missing.push(format!("{document}: {span}"));
            }
        }
    }
    expect_none("documents name files that are not there", &missing);
}

#[test]
fn settings_can_be_set() {
    let keys = keys();
    let sections: BTreeSet<&str> = keys
        .iter()
        .filter_map(|key| key.split('.').next())
        .collect();
    let mut missing = Vec::new();
    for document in DOCUMENTS {
        let text = read(document);
        for span in spans(&text) {
            let key = span.split(" = ").next().unwrap_or_default();
            let section = key.split_once('.').map(|(section, _)| section);
            let is_setting = section.is_some_and(|section| sections.contains(section));
            let is_file = key.ends_with(".rs") || key.ends_with(".md");
            if is_setting && !is_file && is_made_of(key, "_.") && !is_key(&keys, key) {
                missing.push(format!("{document}: {span}"));
            }
        }
        let after_prefix = text.split(VARIABLE).skip(1);
        for rest in after_prefix {
            let other = |c: char| !c.is_ascii_uppercase() && c != '_';
            let name = rest.split(other).next().unwrap_or_default();
            let key = name.to_lowercase().replace("__", ".");
            let is_whole = !name.ends_with('_') && !ANY_VARIABLE.ends_with(name);
            if is_whole && !is_key(&keys, &key) {
                missing.push(format!("{document}: {VARIABLE}{name}"));
            }
        }
    }
    expect_none("documents name settings that do not exist", &missing);
}

#[test]
fn metrics_are_measured() {
    let list = read("crates/service/metrics.md");
    let mut missing = Vec::new();
    for document in DOCUMENTS {
        for span in spans(&read(document)) {
            let is_metric = span.starts_with("assay_") && is_made_of(&span, "_");
            if is_metric && !list.contains(&format!("| `{span}` |")) {
                missing.push(format!("{document}: {span}"));
            }
        }
    }
    expect_none("documents name metrics that do not exist", &missing);
}

#[test]
fn make_can_do_what_prose_says() {
    let makefile = read("Makefile");
    let mut missing = Vec::new();
    for document in DOCUMENTS {
        for span in spans(&read(document)) {
            let target = span
                .strip_prefix("make ")
                .and_then(|rest| rest.split(' ').next());
            if target.is_some_and(|target| !makefile.contains(&format!("\n{target}: "))) {
                missing.push(format!("{document}: {span}"));
            }
        }
    }
    expect_none("documents name commands that make does not know", &missing);
}

#[test]
fn the_readme_begins_with_two_commands_and_ends_soon() {
    let readme = read(README);
    let lines = readme.lines().count();
    assert!(lines <= README_LINES_MAX, "README.md has {lines} lines");
    let first = readme.split("```console\n").nth(1).unwrap();
    let first: Vec<&str> = first.lines().take_while(|line| *line != "```").collect();
    assert_eq!(first.len(), 2, "{first:?}");
    assert!(first[0].starts_with("$ make demo"), "{first:?}");
    assert!(first[1].starts_with("$ make test"), "{first:?}");
}

#[test]
fn spans_are_found_in_prose_alone() {
    let text = "a `b` c\n```console\n`d`\n```\n`e\nf`\n";
    assert_eq!(spans(text), ["b", "e f"]);
}
