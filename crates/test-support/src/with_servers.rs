//! `with-servers -- COMMAND`: a private Redis and a private RabbitMQ around one command.
//!
//! The command finds them in [`ADDRESS_VARIABLE`] and [`URL_VARIABLE`]; its exit code is passed on. The servers are
//! stopped by their process ids when the command has ended, on Ctrl-C, and also when this program is killed.
//! `with-servers --redis-only -- COMMAND` saves the seconds that RabbitMQ takes. Without it, what tests of other people's
//! clients need is installed, too; where that fails it is told, and those tests fail.
//! Exit codes of its own: 64 for a wrong command line, 70 when a server can't be had or died on the way, 127 when
//! there is no such command, 128 + n when signal n ended the command.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};

use anyhow::{Context, bail};
use tokio::process::{Child, Command};
use tokio::signal::unix::{self, SignalKind};

use crate::clients;
use crate::leash::{Signal, send};
use crate::rabbit::{self, RabbitOptions, RabbitServer, URL_VARIABLE};
use crate::redis::{self, ADDRESS_VARIABLE, Appendfsync, DATABASES, RedisOptions, RedisServer};

const USAGE: &str = "say what to run: with-servers [--redis-only] -- COMMAND [ARGUMENT ...]";
/// Leaves RabbitMQ out.
const REDIS_ONLY: &str = "--redis-only";

/// Exit code of a wrong command line (`EX_USAGE` of sysexits.h).
const EXIT_USAGE: u8 = 64;
/// Exit code when a server is the problem (`EX_SOFTWARE` of sysexits.h).
const EXIT_SERVER: u8 = 70;
/// Exit code of a shell that finds no such command.
const EXIT_NO_COMMAND: u8 = 127;
/// Added to the number of a signal that ended the command, as a shell does.
const EXIT_SIGNAL: i32 = 128;

/// The whole program.
pub async fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let (redis_only, words) = without(&words, REDIS_ONLY);
    let (_, words) = without(words, "--");
    let code = match words.split_first() {
        Some((program, arguments)) => run(program, arguments, redis_only).await,
        None => complain(USAGE, EXIT_USAGE),
    };
    ExitCode::from(code)
}

/// Whether `word` comes first, and what follows it.
fn without<'a>(words: &'a [OsString], word: &str) -> (bool, &'a [OsString]) {
    match words.split_first() {
        Some((first, rest)) if first == word => (true, rest),
        _ => (false, words),
    }
}

async fn run(program: &OsString, arguments: &[OsString], redis_only: bool) -> u8 {
    let (mut servers, signals) = match start(redis_only).await {
        Ok(started) => started,
        Err(error) => return complain(&format!("{error:#}"), EXIT_SERVER),
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env(ADDRESS_VARIABLE, servers.redis.address().to_string())
        .env_remove(URL_VARIABLE);
    if let Some(rabbit) = &servers.rabbit {
        command.env(URL_VARIABLE, rabbit.url());
    }
    let child = command.spawn();
    let child = match child {
        Ok(child) => child,
        Err(error) => {
            let program = program.to_string_lossy();
            return complain(&format!("run {program}: {error}"), EXIT_NO_COMMAND);
        }
    };
    let ended = signals.accompany(child).await;
    match ended.and_then(|status| servers.check().map(|()| status)) {
        Ok(status) => code(status),
        Err(error) => complain(&format!("{error:#}"), EXIT_SERVER),
    }
}

/// What stands beside the command.
struct Servers {
    redis: RedisServer,
    rabbit: Option<RabbitServer>,
}

impl Servers {
    /// Fails if one has ended: what the command reports is then not to be believed.
    fn check(&mut self) -> anyhow::Result<()> {
        let redis = ("Redis", self.redis.ended_with()?);
        let rabbit = self.rabbit.as_mut().map(RabbitServer::ended_with);
        let rabbit = ("RabbitMQ", rabbit.transpose()?.flatten());
        for (name, ended) in [redis, rabbit] {
            if let Some(status) = ended {
                bail!("the {name} of this run ended on its way with {status}");
            }
        }
        Ok(())
    }
}

/// Both at once: RabbitMQ takes seconds.
async fn start(redis_only: bool) -> anyhow::Result<(Servers, Signals)> {
    let redis = start_redis(redis::ensure_program()?);
    // Not beside each other: only one apt can run at a time.
    let rabbit = if redis_only {
        None
    } else {
        if let Err(error) = clients::ensure() {
            note(&format!("{error:#}"));
        }
        Some(rabbit::ensure_program()?)
    };
    let (redis, rabbit) = tokio::try_join!(redis, start_rabbit(rabbit))?;
    Ok((Servers { redis, rabbit }, Signals::listen()?))
}

/// Syncs once a second: no test on the shared server asks what a power cut leaves, and a sync before each answer
/// would make every test wait for the disk. Tests that do ask start a [`RedisServer`] of their own.
async fn start_redis(program: redis::Program) -> anyhow::Result<RedisServer> {
    let options = RedisOptions::new(Appendfsync::EverySec);
    let options = options.set("databases", &DATABASES.to_string());
    RedisServer::start_with(program, options).await
}

async fn start_rabbit(program: Option<rabbit::Program>) -> anyhow::Result<Option<RabbitServer>> {
    let Some(program) = program else {
        return Ok(None);
    };
    let started = RabbitServer::start_with(program, RabbitOptions::new()).await;
    started.map(Some)
}

/// What may be asked of this program while the command runs.
struct Signals {
    interrupt: unix::Signal,
    terminate: unix::Signal,
    hang_up: unix::Signal,
}

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        let listen = |kind| unix::signal(kind).context("listen for signals");
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hang_up: listen(SignalKind::hangup())?,
        })
    }

    /// Waits for the command. Ctrl-C goes to every process of the terminal, so the command ends by itself; other
    /// signals come to this process alone and are passed on.
    async fn accompany(mut self, mut child: Child) -> anyhow::Result<ExitStatus> {
        loop {
            let heard = tokio::select! {
                status = child.wait() => return status.context("wait for the command"),
                _ = self.interrupt.recv() => continue,
                _ = self.terminate.recv() => Signal::TERM,
                _ = self.hang_up.recv() => Signal::HUP,
            };
            if let Some(pid) = child.id() {
                send(pid, heard)?;
            }
        }
    }
}

fn code(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| EXIT_SIGNAL + signal));
    code.and_then(|code| u8::try_from(code).ok())
        .unwrap_or(EXIT_SERVER)
}

fn complain(sentence: &str, code: u8) -> u8 {
    note(sentence);
    code
}

#[expect(
    clippy::print_stderr,
    reason = "a program tells the person who started it what went wrong"
)]
fn note(sentence: &str) {
    eprintln!("with-servers: {sentence}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_a_signal_ended_has_the_code_of_a_shell() {
        assert_eq!(code(ExitStatus::from_raw(3 << 8)), 3);
        assert_eq!(code(ExitStatus::from_raw(0)), 0);
        assert_eq!(code(ExitStatus::from_raw(9)), 137);
    }
}
