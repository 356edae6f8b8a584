//! `assay calibrate`: counts, over files whose story is known, how often findings are right, into a file that workers weigh by.
//!
//! Files are looked at in child processes, as by a worker; no job is made of them and no server is asked.

mod folder;
mod look;
mod show;
mod target;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use assay_core::clock::{Clock as _, SystemClock};
use assay_forensics::calibration::{Class, Record, Tally};
use assay_service::prometheus::Metrics;
use assay_service::signals::Signals;
use assay_verification_worker::analyst::ChildCommand;
use assay_verification_worker::examine::Examiner;
use assay_verification_worker::result::RULESET;
use assay_verification_worker::{CALIBRATION_KEY, Meters, Settings};
use prost_types::Timestamp;

use super::dev::local::{CONFIG_HELP, SERVICE, load};
use super::verify::walk::Bounds;
use crate::exit;
use crate::terminal::Terminal;
use crate::view::progress::Progress;

use folder::Labelled;
use target::Target;

/// Threads of the runtime: one may be busy with a file, another must still see a signal.
const THREADS: usize = 2;

/// Options of `assay calibrate`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder with a folder `authentic` in it, and `manipulated` or `synthetic` or both beside that
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// File to write
    #[arg(long, value_name = "FILE", default_value = "calibration.json")]
    output: PathBuf,
    /// Replace a file that is there already
    #[arg(long)]
    force: bool,
    /// What results call the calibration [default: the folder's name]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Show no progress
    #[arg(long, short)]
    quiet: bool,
    #[arg(long, value_name = "FILE", help = CONFIG_HELP)]
    config: Option<PathBuf>,
}

/// Counts; answers the code that the help promises.
pub(crate) fn run(
    args: Args,
    variables: BTreeMap<String, String>,
    terminal: Terminal,
) -> anyhow::Result<u8> {
    let target = Target::of(&args.output, args.force)?;
    let files = folder::find(&args.folder, Bounds::default())?;
    // One that is in force has no say in the next one, and may be why a next one is wanted.
    let given = [(CALIBRATION_KEY, String::new())];
    let config = load(args.config.as_deref(), given, variables)?;
    let settings = Settings::read(&config)?;
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(THREADS).enable_all().build();
    let runtime = runtime.context("start the async runtime")?;
    let code = runtime.block_on(until_a_signal(&args, &target, files, &settings, terminal));
    // A read that blocks for ever must not keep the program from ending.
    runtime.shutdown_background();
    code
}

async fn until_a_signal(
    args: &Args,
    target: &Target,
    files: Labelled,
    settings: &Settings,
    terminal: Terminal,
) -> anyhow::Result<u8> {
    let mut signals = Signals::of_process().context("listen for signals")?;
    tokio::select! {
        done = calibrate(args, target, files, settings, terminal) => done.map(|()| exit::OK),
        signal = signals.next() => {
            terminal.note(&format!("assay: stopped by {}; nothing was written", signal.name()));
            Ok(signal.exit_code())
        }
    }
}

async fn calibrate(
    args: &Args,
    target: &Target,
    files: Labelled,
    settings: &Settings,
    terminal: Terminal,
) -> anyhow::Result<()> {
    let metrics = Metrics::new(SERVICE.name, SERVICE.version, SERVICE.instruments)?;
    let examiner = Examiner::new(settings, ChildCommand::this_binary(), Meters::of(&metrics));
    let progress = Progress::new(terminal, args.quiet);
    let looked = look::look(files, &examiner, &progress, terminal).await?;
    let record = record(args, &looked.tally)?;
    // Before it is written: a reader that had enough is no reason to have counted for nothing.
    let lines = show::lines(&looked, terminal);
    target.save(&record.document().context("write the calibration")?)?;
    drop(terminal.say(&lines.join("\n")));
    for line in show::notes(&looked, &target.shown()) {
        terminal.note(&line);
    }
    Ok(())
}

fn record(args: &Args, tally: &Tally) -> anyhow::Result<Record> {
    let folder = args.folder.display();
    ensure!(
        tally.files(Class::Authentic) > 0,
        "calibrate: no file in {folder}/authentic could be looked at; put photographs there"
    );
    let record = tally.record(RULESET, &name(args), &now());
    ensure!(
        !record.findings.is_empty(),
        "calibrate: no analysis applies to the files in {folder}/authentic; put photographs there, as JPEG or PNG"
    );
    Ok(record)
}

fn name(args: &Args) -> String {
    if let Some(name) = &args.name {
        return name.clone();
    }
    let folder = std::fs::canonicalize(&args.folder);
    let folder = folder.as_deref().unwrap_or(&args.folder);
    let name = folder.file_name().map(Path::new).unwrap_or(folder);
    name.display().to_string()
}

fn now() -> String {
    let seconds = i64::try_from(SystemClock.now_ms() / 1_000).unwrap_or(i64::MAX);
    Timestamp { seconds, nanos: 0 }.to_string()
}
