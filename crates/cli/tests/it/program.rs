//! Runs `assay` in an environment of its own, and never waits without a bound.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// For anything that a program does once; generous, because machines are slow and tests run in parallel.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// Standard output as one JSON document.
    pub(crate) fn document(&self) -> serde_json::Value {
        let mut documents = self.documents();
        assert_eq!(documents.len(), 1, "{self:?}");
        documents.remove(0)
    }

    /// Standard output as one JSON document per line.
    pub(crate) fn documents(&self) -> Vec<serde_json::Value> {
        let parse = |line: &str| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
        };
        self.out.lines().map(parse).collect()
    }
}

/// A home of its own for the programs of one test.
pub(crate) struct Home {
    folder: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["home", "tmp", "media"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    }

    /// `assay`, with nothing of the tester's environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
        command.args(arguments).env_clear();
        command.env("HOME", self.path("home"));
        command.env("TMPDIR", self.path("tmp"));
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs to the end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, &[])
    }

    /// Runs to the end, with these variables.
    pub(crate) fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied());
        wait(command.spawn().unwrap())
    }

    /// Starts `assay dev` on free ports over `<home>/data`, and waits until it is ready.
    pub(crate) fn dev(&self, variables: &[(&str, &str)]) -> Dev {
        let data = self.path("data").display().to_string();
        let arguments = [
            "dev",
            "--data-dir",
            &data,
            "--listen",
            "127.0.0.1:0",
            "--admin",
            "127.0.0.1:0",
        ];
        let mut command = self.command(&arguments);
        command.envs(variables.iter().copied());
        Dev::start(command)
    }
}

/// A running `assay dev`. Killed when dropped.
pub(crate) struct Dev {
    child: Option<Child>,
    lines: Receiver<String>,
    pub(crate) banner: Vec<String>,
}

impl Dev {
    fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut dev = Self {
            child: Some(child),
            lines,
            banner: Vec::new(),
        };
        while !dev
            .banner
            .last()
            .is_some_and(|line| line.contains("Ctrl-C"))
        {
            match dev.lines.recv_timeout(PATIENCE) {
                Ok(line) => dev.banner.push(line),
                Err(_) => panic!("no banner: {:?}", dev.end()),
            }
        }
        dev
    }

    pub(crate) fn server(&self) -> String {
        self.banner_value("API")
    }

    pub(crate) fn admin(&self) -> SocketAddr {
        let url = self.banner_value("admin port");
        url.strip_prefix("http://").unwrap().parse().unwrap()
    }

    fn banner_value(&self, name: &str) -> String {
        let line = self
            .banner
            .iter()
            .find_map(|line| line.trim().strip_prefix(name));
        let value = line.and_then(|line| line.split_whitespace().next());
        value
            .unwrap_or_else(|| panic!("{name}: {:?}", self.banner))
            .to_owned()
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.process_id().to_string();
        assert!(
            Command::new("kill")
                .args([name, &id])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Waits for the end.
    pub(crate) fn ended(mut self) -> Ended {
        wait(self.child.take().unwrap())
    }

    /// Sends SIGTERM and waits for the end.
    pub(crate) fn stop(self) -> Ended {
        self.signal("-TERM");
        self.ended()
    }

    fn end(&mut self) -> Ended {
        let mut child = self.child.take().unwrap();
        drop(child.kill());
        wait(child)
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// Waits for a program with a bound; kills it when it takes too long.
fn wait(child: Child) -> Ended {
    let id = child.id().to_string();
    let (sender, ended) = mpsc::channel();
    std::thread::spawn(move || drop(sender.send(child.wait_with_output())));
    let output = ended.recv_timeout(PATIENCE).unwrap_or_else(|_| {
        drop(Command::new("kill").args(["-KILL", &id]).status());
        panic!("process {id} does not end")
    });
    let output = output.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended {
        code: output.status.code(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// The status of a GET to the admin port.
pub(crate) fn status(admin: SocketAddr, path: &str) -> u16 {
    let mut stream = TcpStream::connect(admin).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

/// Asks again until the admin port answers so, within a bound.
pub(crate) fn await_status(admin: SocketAddr, path: &str, wanted: u16) {
    let began = Instant::now();
    while status(admin, path) != wanted {
        assert!(began.elapsed() < PATIENCE, "{path} never answered {wanted}");
        std::thread::yield_now();
    }
}

/// Whether nothing is in a folder.
pub(crate) fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}
