//! The child process of this crate's tests: the product's stages, and some that misbehave as hostile files make
//! parsers misbehave.

use std::ffi::OsStr;
use std::fs::File;
use std::hint::black_box;
use std::io::{self, Write};
use std::net::{TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::Duration;

use assay_verification_worker::analyst::{ANALYST_WORD, Stage, Work, child_main_with};
use assay_verification_worker::stages;
use serde_json::{Value, json};

/// In a file, it makes the stage on metadata an endless loop.
const BOMB: &[u8] = b"assay-test-bomb";

const STAGES: [Stage; 16] = [
    Stage {
        name: stages::METADATA,
        run: metadata,
    },
    Stage {
        name: "measure",
        run: measure,
    },
    Stage {
        name: "spin",
        run: spin,
    },
    Stage {
        name: "hog",
        run: hog,
    },
    Stage {
        name: "flood",
        run: flood,
    },
    Stage {
        name: "flood-stderr",
        run: flood_stderr,
    },
    Stage {
        name: "sleep",
        run: sleep,
    },
    Stage {
        name: "sleep-with-child",
        run: sleep_with_child,
    },
    Stage {
        name: "exit",
        run: exit,
    },
    Stage {
        name: "panic",
        run: panic,
    },
    Stage {
        name: "overflow",
        run: overflow,
    },
    Stage {
        name: "chatter",
        run: chatter,
    },
    Stage {
        name: "look-around",
        run: look_around,
    },
    Stage {
        name: "open-files",
        run: open_files,
    },
    Stage {
        name: "write-file",
        run: write_file,
    },
    Stage {
        name: "call-out",
        run: call_out,
    },
];

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(ANALYST_WORD) {
        return child_main_with(&STAGES);
    }
    ExitCode::FAILURE
}

fn measure(_: &Work, bytes: &[u8]) -> Value {
    json!(bytes.len())
}

fn spin(_: &Work, bytes: &[u8]) -> Value {
    let mut turns = bytes.len() as u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

fn metadata(work: &Work, bytes: &[u8]) -> Value {
    if bytes.windows(BOMB.len()).any(|window| window == BOMB) {
        return spin(work, bytes);
    }
    let ours = stages::ALL
        .iter()
        .find(|stage| stage.name == stages::METADATA);
    ours.map_or(Value::Null, |stage| (stage.run)(work, bytes))
}

fn hog(_: &Work, _: &[u8]) -> Value {
    let mut hoard = Vec::new();
    loop {
        hoard.push(black_box(vec![1_u8; 16 * 1024 * 1024]));
    }
}

fn flood(_: &Work, _: &[u8]) -> Value {
    let line = vec![b'x'; 64 * 1024];
    loop {
        if io::stdout().write_all(&line).is_err() {
            return Value::Null;
        }
    }
}

fn flood_stderr(_: &Work, _: &[u8]) -> Value {
    for _ in 0..1_000 {
        let written = io::stderr().write_all(&[b'e'; 4096]);
        assert!(written.is_ok());
    }
    json!("said a lot")
}

fn sleep(_: &Work, _: &[u8]) -> Value {
    loop {
        thread::sleep(Duration::from_secs(3600));
    }
}

fn sleep_with_child(work: &Work, bytes: &[u8]) -> Value {
    // It inherits the pipes, so that only the death of the whole group closes them.
    match Command::new("/bin/sleep").arg("7919").spawn() {
        Ok(_) => sleep(work, bytes),
        Err(error) => json!(error.to_string()),
    }
}

fn exit(_: &Work, _: &[u8]) -> Value {
    #[expect(
        clippy::exit,
        reason = "the parent must see a status that is none of ours"
    )]
    std::process::exit(3)
}

#[expect(clippy::panic, reason = "the parent must see a panic")]
fn panic(_: &Work, _: &[u8]) -> Value {
    panic!("as asked")
}

fn overflow(_: &Work, bytes: &[u8]) -> Value {
    fn deeper(depth: u64) -> u64 {
        if depth == u64::MAX {
            return 0;
        }
        let frame = black_box([depth; 64]);
        frame
            .iter()
            .sum::<u64>()
            .wrapping_add(deeper(black_box(depth + 1)))
    }
    json!(deeper(bytes.len() as u64))
}

fn chatter(_: &Work, _: &[u8]) -> Value {
    let said = io::stdout().write_all(b"hello, I am no line of JSON\n");
    json!(said.is_ok())
}

/// What a stage can see and do.
fn look_around(_: &Work, _: &[u8]) -> Value {
    let status = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let group = status
        .rsplit(')')
        .next()
        .and_then(|rest| rest.split_whitespace().nth(2).map(str::to_owned));
    json!({
        "environment": std::env::vars_os().count(),
        "folder": std::env::current_dir().map(|folder| folder.display().to_string()).unwrap_or_default(),
        "limits": std::fs::read_to_string("/proc/self/limits").unwrap_or_default(),
        "process": std::process::id().to_string(),
        "group": group,
    })
}

/// Opens files until it may not, and says how many are open then.
fn open_files(_: &Work, _: &[u8]) -> Value {
    let mut open = Vec::new();
    while let Ok(file) = File::open("/proc/self/stat") {
        open.push(file);
    }
    let last = open.last().map_or(0, AsRawFd::as_raw_fd);
    json!(last + 1)
}

/// Writes the file whose path is what it is given.
fn write_file(_: &Work, bytes: &[u8]) -> Value {
    let written = File::create(OsStr::from_bytes(bytes)).and_then(|mut file| file.write_all(b"x"));
    json!(written.is_ok())
}

/// Tries every way out, to a port where nobody needs to listen.
fn call_out(_: &Work, _: &[u8]) -> Value {
    json!({
        "tcp": refusal(&TcpStream::connect("127.0.0.1:9")),
        "udp": refusal(&UdpSocket::bind("127.0.0.1:0")),
        "unix": refusal(&UnixDatagram::unbound()),
    })
}

/// How the kernel refused it.
fn refusal<T>(tried: &io::Result<T>) -> String {
    match tried {
        Ok(_) => "not refused".to_owned(),
        Err(error) => format!("{:?}", error.kind()),
    }
}
