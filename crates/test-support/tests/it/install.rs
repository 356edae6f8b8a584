//! A machine without Redis, played by a folder of programs that is all the wrapper gets to see.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output};

use assay_test_support::redis::ensure_program;
use tempfile::TempDir;

/// A folder of programs with the few that any machine has.
struct Machine(TempDir);

impl Machine {
    fn bare() -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        for name in ["env", "ln", "sh"] {
            symlink(
                Path::new("/usr/bin").join(name),
                machine.0.path().join(name),
            )
            .unwrap();
        }
        machine
    }

    fn with(self, name: &str, script: &str) -> Self {
        let path = self.0.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    /// An `apt-get` that notes what it is asked, and knows one package: this machine's real server.
    fn with_apt(self, package: &str) -> Self {
        let real = ensure_program().unwrap().path().display().to_string();
        let here = self.0.path().display().to_string();
        let script = format!(
            "echo \"$*\" >>{here}/asked\n\
             echo 'unpacking'\n\
             case \"$*\" in\n\
             *'install '*' {package}') ln -s {real} {here}/redis-check-rdb ;;\n\
             *' install '*) exit 100 ;;\n\
             esac"
        );
        self.with("apt-get", &script)
            .with("sudo", "[ \"$1\" = -n ] || exit 1\nshift\nexec \"$@\"")
    }

    fn run(&self) -> Output {
        Command::new(env!("CARGO_BIN_EXE_with-servers"))
            .args(["--redis-only", "--", "sh", "-c", "echo ran"])
            .env("PATH", self.0.path())
            .output()
            .unwrap()
    }

    fn asked(&self) -> String {
        fs::read_to_string(self.0.path().join("asked")).unwrap_or_default()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_missing_server_is_installed_and_used() {
    let machine = Machine::bare().with_apt("redis-tools");
    let output = machine.run();
    assert_eq!(text(&output.stdout), "ran\n", "{}", text(&output.stderr));
    assert_eq!(output.status.code(), Some(0));
    let asked = machine.asked();
    assert!(
        asked.contains("install --yes --no-install-recommends redis-tools"),
        "{asked}"
    );
    // The second run finds it and asks for nothing.
    machine.run();
    assert_eq!(machine.asked(), asked);
}

#[test]
fn where_debian_has_valkey_that_is_taken() {
    let machine = Machine::bare().with_apt("valkey-tools");
    let output = machine.run();
    assert_eq!(text(&output.stdout), "ran\n", "{}", text(&output.stderr));
}

#[test]
fn what_cannot_be_installed_is_told_in_one_sentence() {
    let said = |machine: Machine| {
        let output = machine.run();
        assert_eq!(output.status.code(), Some(70));
        assert_eq!(text(&output.stdout), "");
        let said = text(&output.stderr);
        said.lines().last().unwrap_or_default().to_owned()
    };
    assert_eq!(
        said(Machine::bare()),
        "with-servers: this machine has no Redis and no apt-get: install Redis 7 or newer, or Valkey (on Debian: `apt-get install redis-tools`)"
    );
    assert_eq!(
        said(Machine::bare().with_apt("neither")),
        "with-servers: apt-get has neither redis-tools nor valkey-tools: install Redis 7 or newer by hand"
    );
    let old = said(Machine::bare().with("redis-server", "echo 'Redis server v=6.0.16 sha=0'"));
    assert!(
        old.contains("redis-server is version 6: install Redis 7 or newer"),
        "{old}"
    );
}
