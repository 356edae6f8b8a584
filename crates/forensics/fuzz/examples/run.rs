//! Runs fuzz targets one after another, each for a bounded time, and ends with a sentence that names the file if one
//! fails. What it builds, learns and finds lies in `target/fuzz`; started from the top of the project, as `make fuzz` does.
//!
//! The fuzzer is libFuzzer by way of cargo-fuzz, which is installed there if it is missing. No sanitizer: there is no
//! unsafe code to watch, and so the compiler is the project's own.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::{env, io};

use assay_forensics_fuzz::seed;

/// The version that is installed if there is none.
const CARGO_FUZZ_VERSION: &str = "0.13.2";
/// Where everything lies.
const HOME: &str = "target/fuzz";
const CRATE: &str = "crates/forensics/fuzz";
/// How long each target runs unless told otherwise.
const SECONDS: u64 = 30;
/// Bytes of a file that the fuzzer makes.
const FILE_BYTES_MAX: usize = 32 * 1024;
/// Time for one file, much more than any takes even on a busy machine.
const FILE_S_MAX: u64 = 20;
/// Memory, as much as a child process of the worker has.
const MEMORY_MIB_MAX: u64 = 1536;

/// What is asked for.
struct Asked {
    seconds: u64,
    targets: Vec<String>,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("fuzz: {sentence}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let asked = Asked::read(env::args().skip(1))?;
    let path = path_with_tools()?;
    install(&path)?;
    build(&path)?;
    for target in &asked.targets {
        fuzz(target, asked.seconds)?;
    }
    Ok(())
}

impl Asked {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let known = known_targets()?;
        let mut asked = Self {
            seconds: SECONDS,
            targets: Vec::new(),
        };
        while let Some(word) = words.next() {
            if word == "--seconds" {
                let number = words.next().and_then(|word| word.parse().ok());
                asked.seconds = number.ok_or("give --seconds a whole number")?;
            } else if known.contains(&word) {
                asked.targets.push(word);
            } else {
                let known = known.join(", ");
                return Err(format!("there is no target {word}; there are {known}"));
            }
        }
        if asked.targets.is_empty() {
            asked.targets = known;
        }
        Ok(asked)
    }
}

/// The names of all targets, which are those of their files.
fn known_targets() -> Result<Vec<String>, String> {
    let folder = Path::new(CRATE).join("fuzz_targets");
    let files = fs::read_dir(&folder).map_err(|error| {
        format!(
            "start me at the top of the project: read {}: {error}",
            folder.display()
        )
    })?;
    let mut names: Vec<String> = files
        .flatten()
        .filter_map(|file| Some(file.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}

fn path_with_tools() -> Result<OsString, String> {
    let here = env::current_dir().map_err(|error| format!("find the project: {error}"))?;
    let tools = here.join(HOME).join("tools/bin");
    let path = env::var_os("PATH").unwrap_or_default();
    env::join_paths([tools].into_iter().chain(env::split_paths(&path)))
        .map_err(|error| format!("add {HOME}/tools/bin to PATH: {error}"))
}

fn install(path: &OsStr) -> Result<(), String> {
    let has_it = Command::new("cargo")
        .args(["fuzz", "--version"])
        .env("PATH", path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if has_it.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    let root = format!("{HOME}/tools");
    let words = [
        "install",
        "--locked",
        "--quiet",
        "cargo-fuzz",
        "--version",
        CARGO_FUZZ_VERSION,
        "--root",
        &root,
    ];
    let status = Command::new("cargo").args(words).status();
    succeeded(status, "install cargo-fuzz")
}

fn build(path: &OsStr) -> Result<(), String> {
    let status = Command::new("cargo")
        .args([
            "fuzz",
            "build",
            "--sanitizer",
            "none",
            "--fuzz-dir",
            CRATE,
            "--target-dir",
            HOME,
        ])
        .env("PATH", path)
        .status();
    succeeded(
        status,
        "build the fuzz targets, for which a C++ compiler is needed",
    )
}

fn succeeded(status: io::Result<std::process::ExitStatus>, what: &str) -> Result<(), String> {
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("could not {what}: {status}")),
        Err(error) => Err(format!("could not {what}: {error}")),
    }
}

/// Runs one target and prints how far it came.
fn fuzz(target: &str, seconds: u64) -> Result<(), String> {
    let corpus = Path::new(HOME).join("corpus").join(target);
    let found = Path::new(HOME).join("found").join(target);
    let log = Path::new(HOME).join("log").join(target);
    let prepared = prepare(target, &corpus, &found, &log)
        .map_err(|error| format!("prepare {target} in {HOME}: {error}"))?;
    let status = Command::new(program(target)?)
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={FILE_BYTES_MAX}"))
        .arg(format!("-timeout={FILE_S_MAX}"))
        .arg(format!("-rss_limit_mb={MEMORY_MIB_MAX}"))
        .arg(format!("-artifact_prefix={}/", found.display()))
        .args(["-print_final_stats=1", "-verbosity=1"])
        .arg(&corpus)
        .stdout(Stdio::null())
        .stderr(prepared)
        .status()
        .map_err(|error| format!("start {target}: {error}"))?;
    let said = fs::read_to_string(&log).unwrap_or_default();
    if status.success() {
        println!("{target:16} {}", progress(&said));
        return Ok(());
    }
    Err(failure(target, &said))
}

/// Writes the files that the target begins with, and opens its log.
fn prepare(target: &str, corpus: &Path, found: &Path, log: &Path) -> io::Result<File> {
    fs::create_dir_all(corpus)?;
    fs::create_dir_all(found)?;
    for (number, bytes) in seed::of(target).into_iter().enumerate() {
        fs::write(corpus.join(format!("seed-{number}")), bytes)?;
    }
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder)?;
    }
    File::create(log)
}

/// Where cargo-fuzz puts a target: the folder on the way has the name of this machine's kind.
fn program(target: &str) -> Result<PathBuf, String> {
    let kinds = fs::read_dir(HOME).map_err(|error| format!("read {HOME}: {error}"))?;
    kinds
        .flatten()
        .map(|kind| kind.path().join("release").join(target))
        .find(|program| program.is_file())
        .ok_or_else(|| format!("{target} was not built"))
}

fn progress(said: &str) -> String {
    let figure = |name: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or("?").trim().to_owned()
    };
    let runs = figure("stat::number_of_executed_units:");
    let peak = figure("stat::peak_rss_mb:");
    let last = said.lines().rfind(|line| line.contains(" cov: "));
    let covered = last.and_then(|line| line.split(" cov: ").nth(1)?.split_whitespace().next());
    let covered = covered.unwrap_or("?");
    format!("{runs:>9} files, {covered:>5} branches seen, {peak:>4} MiB")
}

/// Which file the target fails on, and with which words.
fn failure(target: &str, said: &str) -> String {
    let file = said.lines().find_map(|line| {
        let (_, file) = line.split_once("Test unit written to ")?;
        Some(file.trim().to_owned())
    });
    let mut lines = said.lines();
    let why = lines
        .find(|line| line.contains("panicked at") || line.contains("ERROR: libFuzzer"))
        .unwrap_or("it ended without a word");
    let words = lines.next().unwrap_or_default();
    let log = format!("{HOME}/log/{target}");
    match file {
        Some(file) => format!("{target} fails on {file}: {} {words}", why.trim()),
        None => format!("{target} ended early, see {log}: {} {words}", why.trim()),
    }
}
