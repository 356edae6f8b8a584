//! Signals of the operating system, or of a test.

use tokio::sync::mpsc;

/// A request to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM: the platform asks.
    Terminate,
    /// SIGINT: a person pressed Ctrl-C.
    Interrupt,
}

impl Signal {
    /// The exit code of a process that this signal ended: 128 plus its number.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        }
    }
}

/// Where signals come from.
#[derive(Debug)]
pub struct Signals {
    source: Source,
}

#[derive(Debug)]
enum Source {
    System {
        terminate: tokio::signal::unix::Signal,
        interrupt: tokio::signal::unix::Signal,
    },
    Channel(mpsc::Receiver<Signal>),
}

impl Signals {
    /// Takes over SIGTERM and SIGINT of this process. Only a program's outermost part does this.
    ///
    /// # Errors
    /// When the system refuses a handler.
    pub fn of_process() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let terminate = signal(SignalKind::terminate())?;
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self {
            source: Source::System {
                terminate,
                interrupt,
            },
        })
    }

    /// Signals as a test sends them. A closed channel never signals again.
    #[must_use]
    pub fn from_channel(receiver: mpsc::Receiver<Signal>) -> Self {
        Self {
            source: Source::Channel(receiver),
        }
    }

    /// Waits for the next signal. May be cancelled without losing one.
    pub async fn next(&mut self) -> Signal {
        let signal = match &mut self.source {
            Source::System {
                terminate,
                interrupt,
            } => tokio::select! {
                _ = terminate.recv() => Some(Signal::Terminate),
                _ = interrupt.recv() => Some(Signal::Interrupt),
            },
            Source::Channel(receiver) => receiver.recv().await,
        };
        match signal {
            Some(signal) => signal,
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_signal_of_the_system_arrives() {
        let mut signals = Signals::of_process().unwrap();
        let kill = std::process::Command::new("kill")
            .args(["-TERM", &std::process::id().to_string()])
            .status()
            .unwrap();
        assert!(kill.success());
        assert_eq!(signals.next().await, Signal::Terminate);
    }

    #[test]
    fn exit_codes_are_those_that_a_shell_shows() {
        assert_eq!(Signal::Terminate.exit_code(), 128 + 15);
        assert_eq!(Signal::Interrupt.exit_code(), 128 + 2);
    }
}
