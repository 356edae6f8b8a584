//! How a process starts and ends, top to bottom.
//!
//! Start: arguments, configuration, runtime, telemetry, metrics, admin port, signals, program.
//! End: not ready, stop intake, drain, hand back, background tasks, flush, exit code.
//!
//! Exit codes: 0 after an orderly end, 1 after a failure, 64 for a wrong command line, 78 for a wrong
//! configuration, 130 and 143 when a second signal cut the shutdown short.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use serde::Deserialize;

use crate::admin;
use crate::args::{Action, Args, USAGE};
use crate::config::{self, Config};
use crate::context::{BoxError, Context, Service};
use crate::shutdown::Pace;
use crate::signals::Signals;
use crate::tasks::chain;
use crate::telemetry;

mod exit;
mod process;

pub use exit::{Error, Exit};
pub use process::{END_TARGET, Globals, Process};

/// Exit code of a wrong command line (`EX_USAGE` of sysexits.h).
pub const EXIT_USAGE: u8 = 64;
/// Exit code of a wrong configuration (`EX_CONFIG` of sysexits.h).
pub const EXIT_CONFIG: u8 = 78;

/// Runtime threads when none are configured: one may be stuck, another must still see a signal.
const THREADS_MIN: usize = 2;

/// The whole `main` of a service binary.
pub fn main<R, F, E>(service: &Service, run: R) -> ExitCode
where
    R: FnOnce(Context) -> F + Send + 'static,
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<BoxError> + Send + 'static,
{
    let arguments = std::env::args_os().skip(1);
    let mut terminal = Terminal {
        out: &mut std::io::stdout(),
        err: &mut std::io::stderr(),
    };
    ExitCode::from(launch(
        service,
        arguments,
        config::environment(),
        &mut terminal,
        run,
    ))
}

/// Where a process speaks to the person who started it.
pub struct Terminal<'a> {
    /// What was asked for.
    pub out: &'a mut dyn Write,
    /// What went wrong.
    pub err: &'a mut dyn Write,
}

/// [`main`] with everything that it takes from outside as an argument. Returns the exit code.
pub fn launch<R, F, E>(
    service: &Service,
    arguments: impl IntoIterator<Item = OsString>,
    environment: BTreeMap<String, String>,
    terminal: &mut Terminal<'_>,
    run: R,
) -> u8
where
    R: FnOnce(Context) -> F + Send + 'static,
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<BoxError> + Send + 'static,
{
    let args = match Args::parse(arguments) {
        Ok(args) => args,
        Err(sentence) => return terminal.fail(service, &sentence, EXIT_USAGE),
    };
    match args.action {
        Action::Help => return terminal.print(&format!("{}\n{USAGE}", service.name)),
        Action::Version => {
            return terminal.print(&format!("{} {}\n", service.name, service.version));
        }
        Action::Run | Action::CheckConfig | Action::PrintConfig => {}
    }
    let loader = Config::loader(service.defaults).file(args.config.as_deref());
    let config = match loader.environment(environment).load() {
        Ok(config) => config,
        Err(error) => return terminal.fail(service, &error.to_string(), EXIT_CONFIG),
    };
    if args.action == Action::PrintConfig {
        return terminal.print(&explain(&config));
    }
    let config = if args.action == Action::CheckConfig {
        config.for_check()
    } else {
        config
    };
    if let Err(error) = check(service, &config) {
        return terminal.fail(service, &error.to_string(), EXIT_CONFIG);
    }
    if args.action == Action::CheckConfig {
        return terminal.print("the configuration is usable\n");
    }
    match run_configured(service, config, run) {
        Ok(exit) => exit.code(),
        Err(error) => terminal.fail(service, &chain(&error), error.code()),
    }
}

/// Reads every section of a service once.
///
/// # Errors
/// What is wrong, and how to mend it.
pub fn check(service: &Service, config: &Config) -> Result<(), config::Error> {
    Settings::read(config)?;
    #[cfg(feature = "failpoints")]
    crate::failpoints::read(config)?;
    (service.check)(config)
}

/// The settings of every process.
#[derive(Debug)]
struct Settings {
    admin: admin::Settings,
    telemetry: telemetry::Settings,
    pace: Pace,
    threads: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuntimeSection {
    threads: usize,
}

impl Settings {
    fn read(config: &Config) -> Result<Self, config::Error> {
        let runtime: RuntimeSection = config.section("runtime")?;
        Ok(Self {
            admin: admin::Settings::read(config)?,
            telemetry: telemetry::Settings::read(config)?,
            pace: config.section("shutdown")?,
            threads: runtime.threads,
        })
    }
}

/// The part of [`launch`] behind the command line, for a program that has one of its own.
///
/// # Errors
/// When the process cannot start.
pub fn run_configured<R, F, E>(service: &Service, config: Config, run: R) -> Result<Exit, Error>
where
    R: FnOnce(Context) -> F + Send + 'static,
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<BoxError> + Send + 'static,
{
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(threads(Settings::read(&config)?.threads));
    let runtime = builder.enable_all().build().map_err(Error::Runtime)?;
    let exit = runtime.block_on(async {
        let signals = Signals::of_process().map_err(Error::Signals)?;
        let process = Process::start(service, config, Globals::Install).await?;
        Ok(process.run(signals, run).await)
    });
    // A thread that blocks for ever must not keep the process from exiting.
    runtime.shutdown_background();
    exit
}

/// Threads of the runtime for the number that is configured.
fn threads(configured: usize) -> usize {
    let cpus = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    if configured > 0 {
        configured
    } else {
        cpus().max(THREADS_MIN)
    }
}

fn explain(config: &Config) -> String {
    config
        .explain()
        .iter()
        .map(|line| format!("{line}\n"))
        .collect()
}

impl Terminal<'_> {
    fn print(&mut self, text: &str) -> u8 {
        // A closed pipe (`--print-config | head`) is not a failure.
        drop(
            self.out
                .write_all(text.as_bytes())
                .and_then(|()| self.out.flush()),
        );
        0
    }

    fn fail(&mut self, service: &Service, sentences: &str, code: u8) -> u8 {
        for sentence in sentences.lines() {
            drop(writeln!(self.err, "{}: {sentence}", service.name));
        }
        code
    }
}
