//! The token that calls show.
//!
//! It comes from a file or from the environment, never from the command line, which every user of the machine can
//! read. A process shows one token, so it is chosen once, at its start, like its terminal.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::OnceLock;

use anyhow::{Context as _, ensure};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::{Request, Status};

use crate::terminal::plain;

/// The variable that holds a token.
pub(crate) const VARIABLE: &str = "ASSAY_TOKEN";

/// The longest token, in bytes.
const TOKEN_BYTES_MAX: usize = 4096;

static OURS: OnceLock<Credential> = OnceLock::new();

/// What is shown to servers with each call: a token, or nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Credential {
    header: Option<MetadataValue<Ascii>>,
}

impl Credential {
    /// Has all calls of this process show the token of `file`, else that of the environment. The first choice stays.
    ///
    /// # Errors
    /// When it can't be read, or is no token.
    pub(crate) fn choose(
        file: Option<&Path>,
        variables: &BTreeMap<String, String>,
    ) -> anyhow::Result<()> {
        let chosen = Self::find(file, variables)?;
        OURS.get_or_init(|| chosen);
        Ok(())
    }

    /// What this process shows.
    pub(super) fn of_process() -> Self {
        OURS.get().cloned().unwrap_or_default()
    }

    fn find(file: Option<&Path>, variables: &BTreeMap<String, String>) -> anyhow::Result<Self> {
        if let Some(path) = file {
            let name = plain(&path.display().to_string());
            let token = read(path).with_context(|| {
                format!(
                    "read the token in {name} (name a file that you may read, with --token-file)"
                )
            })?;
            return Self::of(token.trim(), &format!("the file {name}"));
        }
        match variables.get(VARIABLE).map(|token| token.trim()) {
            None | Some("") => Ok(Self::default()),
            Some(token) => Self::of(token, VARIABLE),
        }
    }

    fn of(token: &str, place: &str) -> anyhow::Result<Self> {
        let is_token = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        ensure!(
            is_token && token.len() <= TOKEN_BYTES_MAX,
            "{place} holds no token: it must be the one word that `assay token new` printed first"
        );
        let mut header: MetadataValue<Ascii> = format!("Bearer {token}").parse()?;
        // So that nothing on the way keeps or prints it.
        header.set_sensitive(true);
        Ok(Self {
            header: Some(header),
        })
    }
}

impl Interceptor for Credential {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(header) = &self.header {
            let metadata = request.metadata_mut();
            metadata.insert("authorization", header.clone());
        }
        Ok(request)
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let limit = u64::try_from(TOKEN_BYTES_MAX).unwrap_or(u64::MAX);
    // A little more, so that what is too long is seen to be.
    File::open(path)?
        .take(limit.saturating_add(2))
        .read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(file: Option<&str>, variable: Option<&str>) -> Result<Option<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        if let Some(text) = file {
            std::fs::write(&path, text).unwrap();
        }
        let variables = variable.map(|token| (VARIABLE.to_owned(), token.to_owned()));
        let file = file.map(|_| path.as_path());
        let found = Credential::find(file, &variables.into_iter().collect());
        let mut found = found.map_err(|error| format!("{error:#}"))?;
        let request = found.call(Request::new(())).unwrap();
        let shown = request.metadata().get("authorization");
        Ok(shown.map(|shown| {
            assert!(shown.is_sensitive());
            shown.to_str().unwrap().to_owned()
        }))
    }

    #[test]
    fn a_file_wins_over_the_environment() {
        let shown = |token: &str| Ok(Some(format!("Bearer {token}")));
        assert_eq!(found(None, None), Ok(None));
        assert_eq!(found(None, Some("")), Ok(None));
        assert_eq!(found(None, Some("assay_b")), shown("assay_b"));
        assert_eq!(found(Some("assay_a\n"), None), shown("assay_a"));
        assert_eq!(found(Some("assay_a"), Some("assay_b")), shown("assay_a"));
    }

    #[test]
    fn what_is_no_token_is_refused_and_not_repeated() {
        for text in ["", "\n", "two words", "secret\u{7f}", "sécret"] {
            let error = found(Some(text), None).unwrap_err();
            assert!(error.contains("holds no token"), "{error}");
            assert!(!error.contains("cret"), "{error}");
        }
        let error = found(None, Some("two words")).unwrap_err();
        assert!(error.starts_with("ASSAY_TOKEN holds no token"), "{error}");
    }

    #[test]
    fn a_token_is_as_long_as_the_bound_and_no_longer() {
        let of = |bytes: usize| found(Some(&format!("{}\n", "t".repeat(bytes))), None);
        assert!(of(TOKEN_BYTES_MAX).is_ok());
        assert!(of(TOKEN_BYTES_MAX + 1).is_err());
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = Credential::find(Some(Path::new("/nonexistent/t")), &BTreeMap::new());
        let error = format!("{:#}", error.unwrap_err());
        assert!(
            error.starts_with("read the token in /nonexistent/t"),
            "{error}"
        );
    }
}
