//! A person edits a text in the editor of their choice.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use tempfile::NamedTempFile;

/// Where the name of the editor is looked for, in this order.
const VARIABLES: [&str; 2] = ["VISUAL", "EDITOR"];

/// How the name of the file begins and ends; the end tells the editor what it is.
const NAME: (&str, &str) = ("assay-payload-", ".json");

/// A text that was edited. Its file is gone with it, unless it is kept.
#[derive(Debug)]
pub(crate) struct Edited {
    file: NamedTempFile,
    /// What it says now.
    pub(crate) text: String,
}

impl Edited {
    /// Opens an editor on a text and waits for its end. Nobody else may read the file meanwhile.
    ///
    /// # Errors
    /// When no editor is named, it cannot be started, or it says that it failed.
    pub(crate) fn of(text: &str, variables: &BTreeMap<String, String>) -> anyhow::Result<Self> {
        let editor = named(variables).context(
            "edit the payload: set VISUAL or EDITOR to your editor, or give all of the payload with --payload FILE",
        )?;
        let mut file = tempfile::Builder::new()
            .prefix(NAME.0)
            .suffix(NAME.1)
            .tempfile()
            .context("make a file to edit (set TMPDIR to a folder that can be written)")?;
        file.write_all(text.as_bytes())
            .context("write the file to edit")?;
        run(editor, file.path())?;
        // By its name: many editors put another file in its place.
        let text = std::fs::read_to_string(file.path()).context("read what was edited")?;
        Ok(Self { file, text })
    }

    /// Keeps the file, so that no work is lost, and says where it is and what to do with it.
    pub(crate) fn keep(self) -> String {
        match self.file.keep() {
            Ok((_, path)) => {
                let path = path.display();
                format!(
                    "what you wrote is kept in {path}: mend it and give it with --payload {path}"
                )
            }
            Err(error) => format!("what you wrote could not be kept ({error}): edit it again"),
        }
    }
}

/// The editor that the environment names.
fn named(variables: &BTreeMap<String, String>) -> Option<&str> {
    let mut said = VARIABLES.iter().filter_map(|name| variables.get(*name));
    said.find(|editor| !editor.trim().is_empty())
        .map(String::as_str)
}

/// By way of the shell: what the variable says may have arguments.
fn run(editor: &str, path: &Path) -> anyhow::Result<()> {
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("{editor} \"$1\""));
    let ended = command.arg("sh").arg(path).status();
    let ended = ended.with_context(|| format!("start the editor `{editor}`"))?;
    ensure!(
        ended.success(),
        "the editor `{editor}` ended with {ended}, so nothing was sent: set VISUAL or EDITOR to one that works"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn variables(named: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
        named.iter().map(owned).collect()
    }

    #[test]
    fn visual_goes_before_editor_and_an_empty_one_is_none() {
        let both = variables(&[("EDITOR", "ed"), ("VISUAL", "vi -n")]);
        assert_eq!(named(&both), Some("vi -n"));
        let one = variables(&[("EDITOR", "ed"), ("VISUAL", " ")]);
        assert_eq!(named(&one), Some("ed"));
        let error = Edited::of("x", &variables(&[])).unwrap_err();
        assert!(error.to_string().contains("--payload FILE"), "{error}");
    }

    #[test]
    fn what_the_editor_left_is_read_and_its_file_is_gone() {
        // With an argument of its own, and another file in the place of the one it was given.
        let script = "f() { sed s/a/b/ \"$1\" > \"$1.new\" && mv \"$1.new\" \"$1\"; }; f";
        let edited = Edited::of("a\n", &variables(&[("EDITOR", script)])).unwrap();
        assert_eq!(edited.text, "b\n");
        let path = edited.file.path().to_path_buf();
        assert!(path.extension().is_some_and(|end| end == "json"));
        drop(edited);
        assert!(!path.exists());
    }

    #[test]
    fn the_file_is_for_its_owner_alone_and_can_be_kept() {
        let edited = Edited::of("a", &variables(&[("EDITOR", "true")])).unwrap();
        let path = edited.file.path().to_path_buf();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let said = edited.keep();
        assert!(
            said.contains(&format!("--payload {}", path.display())),
            "{said}"
        );
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn an_editor_that_fails_sends_nothing() {
        let error = Edited::of("a", &variables(&[("EDITOR", "false")])).unwrap_err();
        assert!(error.to_string().contains("so nothing was sent"), "{error}");
    }
}
