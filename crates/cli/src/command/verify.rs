//! `assay verify`: files and folders, each with its verdict and the reasons for it.

mod file;
mod host;
mod print;
mod report;
pub(crate) mod walk;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::future::ready;
use std::io;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use assay_service::signals::Signals;
use futures::{StreamExt as _, stream};

use crate::exit::Tally;
use crate::output::{Format, OutputArgs};
use crate::server::Server;
use crate::terminal::Terminal;
use crate::view::progress::Progress;

use file::File;
use host::Host;
use print::Printer;
use report::{ReportArgs, Target};
use walk::{Bounds, Found};

/// Files that are under way at once.
const PARALLEL_MAX: usize = 8;

/// Threads of the runtime: one may be busy with the store, another must still see a signal.
const THREADS: usize = 2;

const SERVER_HELP: &str = "Server that does the work [default: http://127.0.0.1:7400 if one answers there, \
                           else this process itself, in a private folder that is removed at the end]";

/// Options of `assay verify`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files, and folders with everything in them but hidden files and links
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
    /// The same as --output jsonl: one JSON object per file and line
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Show no progress
    #[arg(long, short)]
    quiet: bool,
    #[arg(long, value_name = "URL", help = SERVER_HELP)]
    server: Option<Server>,
    /// Do the work in this process, and look for no server
    #[arg(long, conflicts_with = "server")]
    in_process: bool,
    /// Have findings weigh what `assay calibrate` wrote into this file; the work is done in this process then
    #[arg(long, value_name = "FILE", conflicts_with = "server")]
    calibration: Option<PathBuf>,
    #[command(flatten)]
    report: ReportArgs,
}

/// Verifies; answers the code that the help promises.
pub(crate) fn run(
    args: Args,
    variables: BTreeMap<String, String>,
    terminal: Terminal,
) -> anyhow::Result<u8> {
    let found = walk::collect(&args.paths, Bounds::default())?;
    ensure!(
        !found.files.is_empty() || !found.unreadable.is_empty(),
        "find files: there are none; hidden files and links are only taken if they are named"
    );
    let target = Target::of(&args.report, &found)?;
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(THREADS).enable_all().build();
    let runtime = runtime.context("start the async runtime")?;
    let code = runtime.block_on(verify(args, target, found, variables, terminal));
    // A read that blocks for ever must not keep the program from ending.
    runtime.shutdown_background();
    code
}

async fn verify(
    args: Args,
    target: Option<Target>,
    found: Found,
    variables: BTreeMap<String, String>,
    terminal: Terminal,
) -> anyhow::Result<u8> {
    let mut signals = Signals::of_process().context("listen for signals")?;
    let host = Host::find(
        args.server.as_ref(),
        args.in_process,
        args.calibration.as_deref(),
        variables,
    )
    .await?;
    let work = verify_all(&args, target.as_ref(), found, &host, terminal);
    let code = tokio::select! {
        code = work => code.map(Tally::code),
        signal = signals.next() => {
            terminal.note(&format!("assay: stopped by {}{}", signal.name(), host.left_behind()));
            Ok(signal.exit_code())
        }
    };
    tokio::select! {
        () = host.close() => code,
        signal = signals.next() => Ok(signal.exit_code()),
    }
}

async fn verify_all(
    args: &Args,
    target: Option<&Target>,
    found: Found,
    host: &Host,
    terminal: Terminal,
) -> anyhow::Result<Tally> {
    let mut printer = Printer::new(terminal, args.format());
    match print_all(args, target, found, host, &mut printer).await {
        Ok(()) => Ok(printer.finish()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(printer.abandon()),
        Err(error) => Err(error).context("write the results"),
    }
}

async fn print_all(
    args: &Args,
    target: Option<&Target>,
    found: Found,
    host: &Host,
    printer: &mut Printer,
) -> io::Result<()> {
    let terminal = printer.terminal();
    let progress = Progress::new(terminal, args.quiet);
    for unreadable in found.unreadable {
        printer.print(&File::unreadable(unreadable), &progress)?;
    }
    let mut left = found.files.len();
    // What is begun is told, whatever became of the server since; nothing more is begun without one.
    let is_gone = Cell::new(false);
    let files = stream::iter(found.files).take_while(|_| ready(!is_gone.get()));
    let files = files.map(|path| file::verify(host.client(), path, &progress));
    let mut files = std::pin::pin!(files.buffered(PARALLEL_MAX));
    while let Some(file) = files.next().await {
        is_gone.set(is_gone.get() || file.server_is_gone());
        // Before anything is printed: who reads only the first line gets the report too.
        let written = match target {
            Some(target) => {
                let maps = report::maps(&file, host.client()).await;
                Some(target.write(&file, &maps).await)
            }
            None => None,
        };
        printer.print(&file, &progress)?;
        if let (Some(target), Some(written)) = (target, written) {
            progress.pause(|| {
                printer.report(target, written);
                Ok(())
            })?;
        }
        left -= 1;
    }
    if left > 0 {
        printer.skip(left);
        terminal.note("assay: the server is gone, so the files after this one were not tried");
    }
    printer.close()
}

impl Args {
    fn format(&self) -> Format {
        if self.json {
            Format::Jsonl
        } else {
            self.output.format
        }
    }
}
