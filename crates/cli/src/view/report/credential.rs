//! The credential of a file: how it stands, who signed, and by which lists that was judged.

use serde::Deserialize;

use super::words;
use crate::terminal::{Terminal, Tone, plain};

/// What a result says about the credential.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Credential {
    state: Option<String>,
    reason: Option<String>,
    trust_lists: Vec<TrustList>,
    signer: Option<Signer>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TrustList {
    label: String,
    certificates: u64,
    warning: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Signer {
    issuer: Option<String>,
    common_name: Option<String>,
}

impl Credential {
    /// Nothing if nobody looked for one.
    pub(super) fn lines(&self, terminal: Terminal) -> Vec<String> {
        let Some(state) = &self.state else {
            return Vec::new();
        };
        let mut text = match state.as_str() {
            "absent" => "none in the file".to_owned(),
            state => words(state),
        };
        if let Some(signer) = self.signer.as_ref().and_then(Signer::name) {
            text.push_str(&format!(", signed in the name of \"{}\"", plain(signer)));
        }
        if let Some(reason) = &self.reason {
            text.push_str(&format!(" ({})", plain(reason)));
        }
        let mut lines = vec![format!("  credential: {text}")];
        // Whose list it was matters where there was a signer to judge.
        if self.signer.is_some() {
            lines.extend(self.lists(terminal));
        }
        lines
    }

    fn lists(&self, terminal: Terminal) -> Vec<String> {
        let labels = self.trust_lists.iter().map(|list| {
            let certificates = list.certificates;
            format!("{} (certificates: {certificates})", plain(&list.label))
        });
        let labels: Vec<String> = labels.collect();
        let mut lines = Vec::new();
        if !labels.is_empty() {
            lines.push(format!("  trust lists: {}", labels.join(", ")));
        }
        let warnings = self
            .trust_lists
            .iter()
            .filter_map(|list| list.warning.as_deref());
        lines.extend(
            warnings.map(|warning| {
                terminal.paint(Tone::Warning, &format!("    but: {}", plain(warning)))
            }),
        );
        lines
    }
}

impl Signer {
    fn name(&self) -> Option<&str> {
        self.common_name.as_deref().or(self.issuer.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn lines(credential: Value) -> Vec<String> {
        let plain = Terminal {
            colours: false,
            bars: false,
        };
        let credential: Credential = serde_json::from_value(credential).unwrap();
        credential.lines(plain)
    }

    #[test]
    fn a_sound_credential_comes_with_its_signer_and_what_is_known_of_him() {
        let lines = lines(json!({
            "state": "valid",
            "reason": "the signer is on none of the loaded trust lists",
            "signer": { "issuer": "Acme", "common_name": "Cam\u{1b}era 7" },
            "trust_lists": [{ "label": "official@2026-01-01", "certificates": 30, "warning": "it is old" }],
        }));
        assert_eq!(
            lines,
            [
                "  credential: valid, signed in the name of \"Cam\\u{1b}era 7\" (the signer is on none of the loaded trust lists)",
                "  trust lists: official@2026-01-01 (certificates: 30)",
                "    but: it is old",
            ]
        );
    }

    #[test]
    fn a_file_without_one_says_so_and_a_stage_that_did_not_end_says_nothing() {
        let lists = json!([{ "label": "user@undated", "certificates": 1 }]);
        assert_eq!(
            lines(json!({ "state": "absent", "trust_lists": lists })),
            ["  credential: none in the file"]
        );
        assert!(lines(json!({ "state": null })).is_empty());
    }
}
