//! The demo from beginning to end.
//!
//! First act: a server that trusts nobody. Second act: the same data folder under a server that trusts the camera's
//! authority, and the signed photograph once more.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use futures::future::try_join_all;

use crate::args::Args;
use crate::client::Client;
use crate::material::{self, File, Label, Material};
use crate::progress::Progress;
use crate::server::Server;
use crate::table::{self, Row};

/// Shows everything.
///
/// # Errors
/// When a part does not work, or a verdict is not the expected one.
pub(crate) async fn run(args: &Args) -> anyhow::Result<()> {
    let assay = args
        .assay()
        .context("find the program `assay`: name it with --assay")?;
    let temporary = tempfile::tempdir().context("make a temporary folder")?;
    // The server is told of a folder inside, and takes no path that depends on where it was started.
    let folder = match &args.keep {
        Some(kept) => std::path::absolute(kept).context("find the folder of --keep")?,
        None => temporary.path().join("media"),
    };
    say(&format!(
        "Making {} from seed {} ...",
        folder.display(),
        args.seed
    ))?;
    let material = material::make(&folder, args.seed)?;
    let data_folder = temporary.path().join("data");

    say("\n1. Verifying them as jobs; nobody's signature is trusted yet.")?;
    let whole: Vec<_> = material
        .files
        .iter()
        .map(|file| (file, file.expected))
        .collect();
    let mut rows = act(&assay, &data_folder, None, &whole).await?;

    say("\n2. The operator trusts the camera's authority; what that changes:")?;
    let trust = Some(material.trust_folder.as_path());
    rows.extend(act(&assay, &data_folder, trust, &changed_by_trust(&material)).await?);

    let surprises: Vec<String> = rows.iter().filter_map(Row::surprise).collect();
    if !surprises.is_empty() {
        bail!("show the expected verdicts: {}", surprises.join("; "));
    }
    say(&epilogue(&assay, rows.len(), args.keep.as_deref()))
}

/// Starts a server, verifies the files beside each other, shows the verdicts, stops the server.
async fn act(
    assay: &Path,
    data_folder: &Path,
    trust_folder: Option<&Path>,
    files: &[(&File, Label)],
) -> anyhow::Result<Vec<Row>> {
    let server = Server::start(assay, data_folder, trust_folder).await?;
    let client = Client::connect(server.url()).await?;
    let progress = Progress::new();
    let verified = files.iter().map(|(file, expected)| {
        let (client, name) = (client.clone(), name_of(&file.path));
        let progress = progress.file(&name);
        async move {
            let outcome = client.verify(&file.path, progress).await?;
            anyhow::Ok(Row {
                name,
                story: file.story,
                expected: *expected,
                outcome,
            })
        }
    });
    let rows = try_join_all(verified).await?;
    say("")?;
    for line in table::lines(&rows) {
        say(&line)?;
    }
    server.stop().await?;
    Ok(rows)
}

fn changed_by_trust(material: &Material) -> Vec<(&File, Label)> {
    let changed = material
        .files
        .iter()
        .filter(|file| file.expected != file.expected_with_trust);
    changed
        .map(|file| (file, file.expected_with_trust))
        .collect()
}

fn epilogue(assay: &Path, verdicts: usize, kept: Option<&Path>) -> String {
    let assay = shown(assay, std::env::current_dir().ok());
    let mut text = format!("\nAll {verdicts} verdicts are as expected.");
    if let Some(kept) = kept {
        text.push_str(&format!(" The files are in {}.", kept.display()));
    }
    text.push_str(&format!(
        "\nNext, with files of your own:\n  {0} verify PATH...\nor leave a server running and watch it work:\n  {0} dev",
        assay.display()
    ));
    text
}

/// The path as it is shortest to type from `here`.
fn shown(path: &Path, here: Option<PathBuf>) -> PathBuf {
    let inside = here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_path_buf));
    inside.unwrap_or_else(|| path.to_path_buf())
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn say(text: &str) -> anyhow::Result<()> {
    writeln!(io::stdout().lock(), "{text}").context("write to standard output")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_act_is_about_what_trust_changes() {
        let file = |name: &str, expected_with_trust| File {
            path: name.into(),
            story: "",
            expected: Label::Inconclusive,
            expected_with_trust,
        };
        let files = vec![file("a", Label::Inconclusive), file("b", Label::Authentic)];
        let material = Material {
            files,
            trust_folder: "trust".into(),
        };
        let changed = changed_by_trust(&material);
        assert_eq!(changed, [(&material.files[1], Label::Authentic)]);
    }

    #[test]
    fn the_end_says_what_to_type_next() {
        let text = epilogue(Path::new("/else/assay"), 6, Some(Path::new("/kept")));
        assert!(text.contains("All 6 verdicts") && text.contains("in /kept."));
        assert!(text.contains("  /else/assay verify PATH...\n"));
    }

    #[test]
    fn a_path_inside_the_current_folder_is_shortened() {
        let here = || Some(PathBuf::from("/home/x"));
        assert_eq!(
            shown(Path::new("/home/x/target/assay"), here()),
            PathBuf::from("target/assay")
        );
        assert_eq!(
            shown(Path::new("/opt/assay"), here()),
            PathBuf::from("/opt/assay")
        );
        assert_eq!(
            shown(Path::new("/opt/assay"), None),
            PathBuf::from("/opt/assay")
        );
    }
}
