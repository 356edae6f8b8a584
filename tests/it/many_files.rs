//! Files as the world has them, and noise: each gets an honest answer, and the worker lives on.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use e2e::Sandbox;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use tokio::process::Command;

/// Files of each sort in the ordinary run. `ASSAY_E2E_FILES` asks for another number.
const FILES: usize = 40;
/// Larger files are passed over.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Most files of one kind, so that the kinds are mixed.
const FILES_OF_KIND_MAX: usize = 30;
/// Where a system keeps files of many kinds.
const FOLDERS: [&str; 4] = ["/usr/share", "/usr/lib", "/etc", "/usr/include"];
const SCHEMA: &str =
    include_str!("../../crates/verification-worker/schema/verification.result.v1.json");

#[expect(
    clippy::disallowed_methods,
    reason = "a long run is asked for from outside, no code depends on it"
)]
fn files_wanted() -> usize {
    std::env::var("ASSAY_E2E_FILES")
        .ok()
        .map_or(FILES, |number| number.parse().unwrap())
}

/// Files below `folder`, at most a few of each extension.
fn find(folder: &Path, wanted: usize, found: &mut BTreeMap<String, Vec<PathBuf>>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    let mut paths: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    for path in paths {
        if found.values().map(Vec::len).sum::<usize>() >= wanted {
            return;
        }
        let Ok(about) = path.symlink_metadata() else {
            continue;
        };
        if about.is_dir() {
            find(&path, wanted, found);
        } else if about.is_file() && about.len() <= FILE_BYTES_MAX {
            let kind = path
                .extension()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let of_kind = found.entry(kind).or_default();
            if of_kind.len() < FILES_OF_KIND_MAX.min(wanted / 8 + 1) {
                of_kind.push(path);
            }
        }
    }
}

fn system_files(wanted: usize) -> Vec<PathBuf> {
    let mut found = BTreeMap::new();
    for (index, folder) in FOLDERS.iter().enumerate() {
        find(
            Path::new(folder),
            wanted * (index + 1) / FOLDERS.len(),
            &mut found,
        );
    }
    found.into_values().flatten().collect()
}

/// Random bytes, a third of them behind the first bytes of a format that has a parser.
fn noise(folder: &Path, wanted: usize) -> Vec<PathBuf> {
    let mut chance = StdRng::seed_from_u64(11);
    let heads: [&[u8]; 6] = [
        b"\xff\xd8\xff\xe0",
        b"\x89PNG\r\n\x1a\n",
        b"II*\0",
        b"RIFF",
        b"%PDF-1.7\n",
        b"GIF89a",
    ];
    let write = |index: usize| {
        let mut bytes = vec![0_u8; chance.random_range(0..20_000)];
        chance.fill(bytes.as_mut_slice());
        if index.is_multiple_of(3) {
            let head = heads[(index / 3) % heads.len()];
            bytes.splice(0..head.len().min(bytes.len()), head.iter().copied());
        }
        let path = folder.join(format!("noise-{index}.jpg"));
        fs::write(&path, bytes).unwrap();
        path
    };
    (0..wanted).map(write).collect()
}

/// Whether anything in the result could carry a verdict: a credential, a marker, a proof in the structure.
fn has_ground(result: &Value) -> bool {
    let speaks = |evidence: &Value| {
        evidence["log10_lr"]
            .as_object()
            .is_some_and(|ratios| ratios.values().any(|ratio| ratio.as_f64() != Some(0.0)))
    };
    let credential = result["provenance"]["c2pa"]["present"] == Value::Bool(true);
    let declared = result["provenance"]["declared"]
        .as_array()
        .is_some_and(|declared| !declared.is_empty());
    credential || declared || result["evidence"].as_array().unwrap().iter().any(speaks)
}

fn check(document: &Value, schema: &jsonschema::Validator) {
    let path = &document["path"];
    match document["outcome"].as_str().unwrap() {
        "verified" => {
            let result = &document["result"];
            let errors: Vec<_> = schema
                .iter_errors(result)
                .map(|error| error.to_string())
                .collect();
            assert!(errors.is_empty(), "{path}: {errors:?}");
            assert!(
                !result["coverage"].as_array().unwrap().is_empty(),
                "{path}: something is never tested"
            );
            if !has_ground(result) {
                assert_eq!(result["verdict"]["label"], "inconclusive", "{path}");
            }
        }
        "failed" => assert!(
            document["failure"]["code"].is_string(),
            "{path}: {document}"
        ),
        // A file that this user may not read, or an empty one that no job can be made of.
        other => assert_eq!(other, "error", "{path}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_file_gets_an_honest_answer() {
    let wanted = files_wanted();
    let folder = tempfile::tempdir().unwrap();
    let mut paths = system_files(wanted);
    assert!(
        paths.len() >= wanted / 2,
        "only {} files found on this system",
        paths.len()
    );
    paths.extend(noise(folder.path(), wanted));

    let sandbox = Sandbox::assay().unwrap();
    let mut server = sandbox.start().await.unwrap();
    let pid = server.pid();
    let mut command = Command::new(e2e::program("assay").unwrap());
    command
        .args(["verify", "--json", "--quiet", "--server"])
        .arg(format!("http://{}", server.gateway));
    let output = command.args(&paths).output().await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let documents: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        documents.len(),
        paths.len(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );

    let schema = jsonschema::validator_for(&serde_json::from_str(SCHEMA).unwrap()).unwrap();
    documents
        .iter()
        .for_each(|document| check(document, &schema));
    let verified = documents
        .iter()
        .filter(|document| document["outcome"] == "verified")
        .count();
    assert!(
        verified * 2 > documents.len(),
        "{verified} of {} verified",
        documents.len()
    );
    assert_eq!(
        (server.pid(), server.is_running().unwrap()),
        (pid, true),
        "the worker is the one it was"
    );
    assert_eq!(children_of(pid), Vec::<u32>::new(), "no child is left");
}

/// Processes whose parent is `pid`.
fn children_of(pid: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let pids = entries.filter_map(|entry| entry.file_name().to_string_lossy().parse::<u32>().ok());
    pids.filter(|child| parent_of(*child) == Some(pid))
        .collect()
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(')')
        .next()?
        .split_whitespace()
        .nth(1)?
        .parse()
        .ok()
}
