//! `assay token`: makes tokens for a server's file of tokens. Asks no server.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use assay_gateway::{ENTROPY_BYTES, NewToken, check_tokens, new_token};
use clap::Subcommand;
use rand::TryRng as _;
use rand::rngs::SysRng;

use crate::exit;
use crate::terminal::{Terminal, plain};

/// A new file of tokens is its owner's alone: who can write it lets people in.
const FILE_MODE: u32 = 0o600;
/// The largest file of tokens that is looked through, in bytes; a gateway reads no larger one.
const FILE_BYTES_MAX: u64 = 512 * 1024;

/// What `assay token new --help` says besides.
const NEW_HELP: &str = "\
The first line that is printed is the token, for whoever is to call: it is kept nowhere, so keep it. The second is
the line that lets it in, for the file that `gateway.tokens_file` names; it holds no secret. A server takes the file
over within seconds of a change. Take the line out to take the token back.";

/// Options of `assay token`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a token, and the line of the server's file that lets it in
    #[command(after_help = NEW_HELP)]
    New(New),
}

/// Options of `assay token new`.
#[derive(Debug, clap::Args)]
struct New {
    /// Whose jobs and contents it sees: a-z, 0-9, '-' and '_'
    #[arg(long)]
    tenant: String,
    /// What it allows, of read, submit and admin; several with commas between
    #[arg(long, value_name = "SCOPES")]
    scope: String,
    /// From when on it is good no more, such as 2027-01-31 or 2027-01-31T12:00:00Z [default: never]
    #[arg(long, value_name = "DATE")]
    expires: Option<String>,
    /// What it is called in logs and limits [default: one of its own]
    #[arg(long)]
    name: Option<String>,
    /// Put the line into this file, and print the token alone
    #[arg(long, value_name = "FILE")]
    add_to: Option<PathBuf>,
}

/// Makes what was asked for.
pub(crate) fn run(args: Args, terminal: Terminal) -> anyhow::Result<u8> {
    let Command::New(new) = args.command;
    let mut entropy = [0; ENTROPY_BYTES];
    let mut label = [0; 4];
    for bytes in [&mut entropy[..], &mut label[..]] {
        SysRng
            .try_fill_bytes(bytes)
            .context("ask the system for random bytes")?;
    }
    let NewToken { token, line } = new.make(&entropy, u32::from_be_bytes(label))?;
    match &new.add_to {
        Some(file) => {
            let name = plain(&file.display().to_string());
            add(file, &line).with_context(|| format!("add the line to {name}"))?;
        }
        None => terminal.note("the token, which is shown once, and the line that lets it in:"),
    }
    terminal.say(&token)?;
    if new.add_to.is_none() {
        terminal.say(&line)?;
    }
    Ok(exit::OK)
}

impl New {
    fn make(&self, entropy: &[u8; ENTROPY_BYTES], label: u32) -> anyhow::Result<NewToken> {
        let name = self.name.clone();
        let name = name.unwrap_or_else(|| format!("token-{label:08x}"));
        let expires = self.expires.as_deref();
        let made = new_token(&name, &self.tenant, &self.scope, expires, entropy);
        made.context("make a token")
    }
}

/// Adds a line to a file of tokens, unless no gateway would read the file then.
fn add(path: &Path, line: &str) -> anyhow::Result<()> {
    let before = text(path)?;
    let divider = if before.is_empty() || before.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    let added = format!("{divider}{line}\n");
    let after = format!("{before}{added}");
    ensure!(
        after.len() as u64 <= FILE_BYTES_MAX,
        "it would have more than {FILE_BYTES_MAX} bytes, which no gateway reads: take lines out that nobody needs"
    );
    check_tokens(&after)?;
    let mut options = OpenOptions::new();
    let file = options.append(true).create(true).mode(FILE_MODE).open(path);
    let mut file =
        file.context("open it (name a file that you may write, in a folder that there is)")?;
    file.write_all(added.as_bytes())?;
    file.sync_all()?;
    Ok(())
}

/// What the file holds; nothing if there is none.
fn text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    match File::open(path) {
        Ok(file) => {
            file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn new(name: Option<&str>, scope: &str) -> New {
        New {
            tenant: "acme".to_owned(),
            scope: scope.to_owned(),
            expires: None,
            name: name.map(str::to_owned),
            add_to: None,
        }
    }

    fn made(name: Option<&str>, byte: u8) -> NewToken {
        let new = new(name, "read,submit");
        new.make(&[byte; ENTROPY_BYTES], 0xab).unwrap()
    }

    #[test]
    fn a_token_has_a_line_that_does_not_hold_it() {
        let NewToken { token, line } = made(None, 7);
        assert!(token.starts_with("assay_"));
        let begin = "name=token-000000ab tenant=acme scopes=read,submit sha256=";
        assert!(line.starts_with(begin), "{line}");
        assert!(!line.contains(&token));
        assert!(made(Some("ci"), 7).line.starts_with("name=ci "));
    }

    #[test]
    fn what_is_wrong_is_said_before_anything_is_made() {
        let wrong = new(None, "write").make(&[7; ENTROPY_BYTES], 0);
        let Err(error) = wrong else {
            panic!("it is no scope")
        };
        let said = format!("{error:#}");
        assert_eq!(
            said,
            "make a token: `scopes` must be one or more of read, submit and admin, with commas between"
        );
    }

    #[test]
    fn lines_are_added_to_a_file_that_a_gateway_reads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        let [one, two] = [made(Some("one"), 1), made(Some("two"), 2)];
        add(&path, &one.line).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, FILE_MODE);
        // As an editor may leave it.
        std::fs::write(&path, format!("# ours\n{}", one.line)).unwrap();
        add(&path, &two.line).unwrap();
        let expected = format!("# ours\n{}\n{}\n", one.line, two.line);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
        let error = add(&path, &made(Some("two"), 3).line).unwrap_err();
        assert!(error.to_string().starts_with("line 4: the name"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
    }
    #[test]
    fn no_file_is_made_larger_than_a_gateway_reads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        let line = made(Some("one"), 1).line;
        let bytes = usize::try_from(FILE_BYTES_MAX).unwrap() - line.len() - 1;
        let filled = |bytes: usize| format!("#{}\n", "-".repeat(bytes - 2));
        std::fs::write(&path, filled(bytes + 1)).unwrap();
        let error = add(&path, &line).unwrap_err().to_string();
        assert!(error.contains("which no gateway reads"), "{error}");
        std::fs::write(&path, filled(bytes)).unwrap();
        add(&path, &line).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().len(), FILE_BYTES_MAX);
    }

    #[test]
    fn a_file_that_cannot_be_made_is_told_with_a_way_out() {
        let error = add(Path::new("/nonexistent/tokens"), &made(None, 1).line);
        let said = format!("{:#}", error.unwrap_err());
        assert!(said.contains("in a folder that there is"), "{said}");
    }
}
