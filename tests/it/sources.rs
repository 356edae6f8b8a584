//! The project's own Rust files.

use std::fs;
use std::path::{Path, PathBuf};

/// One file.
pub(crate) struct Source {
    /// Where it is, from the top of the project.
    pub(crate) path: String,
    /// What is in it.
    pub(crate) text: String,
}

impl Source {
    /// Whether it is part of the product: not of a test, an example or a development crate.
    pub(crate) fn is_product(&self) -> bool {
        let development = [
            "crates/test-support/",
            "crates/probe/",
            "crates/bench/",
            "crates/corpus/",
            "crates/demo/",
            "crates/faulty/",
            "crates/forensics/fuzz/",
            "tests/",
        ];
        let aside = [
            "/tests/",
            "/examples/",
            "/tests.rs",
            "/scenarios.rs",
            "/test_signer.rs",
        ];
        !development
            .iter()
            .any(|folder| self.path.starts_with(folder))
            && !aside.iter().any(|part| self.path.contains(part))
    }

    /// Its lines before the first test module, numbered from 1.
    pub(crate) fn product_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self
            .text
            .lines()
            .take_while(|line| !line.starts_with("#[cfg(test)]"));
        lines.enumerate().map(|(index, line)| (index + 1, line))
    }
}

/// The top folder of the project.
pub(crate) fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .expect("find the project")
}

/// Every Rust file of the project, in order.
pub(crate) fn all() -> Vec<Source> {
    let top = top();
    let mut sources = Vec::new();
    for folder in ["crates", "tests"] {
        collect(&top.join(folder), &top, &mut sources);
    }
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(
        sources.len() > 50,
        "the project has more files than {}",
        sources.len()
    );
    sources
}

fn collect(folder: &Path, top: &Path, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("list a folder") {
        let path = entry.expect("list a folder").path();
        if path.is_dir() && !path.ends_with("target") {
            collect(&path, top, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("read a source file");
            let path = path
                .strip_prefix(top)
                .expect("stay inside")
                .display()
                .to_string();
            sources.push(Source { path, text });
        }
    }
}
