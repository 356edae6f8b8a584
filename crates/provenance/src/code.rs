//! The validation codes of the C2PA specification, and the questions a verdict asks of them.

use std::collections::BTreeSet;

use c2pa::validation_results::{StatusCodes, validation_codes as names};
use c2pa::validation_status::ValidationStatus;
use serde::{Deserialize, Serialize};

use crate::clip;

/// Most codes kept in one list. Failures come first, so they are the last to be cut.
pub(crate) const CODES_MAX: usize = 256;

/// How a code is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// A check that did not hold.
    Failure,
    /// A remark that changes nothing.
    Informational,
    /// A check that held.
    Success,
}

/// One validation result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// The specification's name, such as `assertion.dataHash.mismatch`.
    pub code: String,
    /// How it is meant.
    pub level: Level,
    /// The validator's words, cut to [`crate::TEXT_CHARS_MAX`].
    pub explanation: Option<String>,
    /// The part of the credential that it is about, as an internal address.
    pub subject: Option<String>,
}

impl Code {
    pub(crate) fn new(status: &ValidationStatus, level: Level) -> Self {
        // The specification lists this code as a failure; the library's own table has it as a success.
        let level = if status.code() == names::INGREDIENT_MANIFEST_MISSING {
            Level::Failure
        } else {
            level
        };
        Self {
            code: clip(status.code()),
            level,
            explanation: status.explanation().map(clip),
            subject: status.url().map(clip),
        }
    }

    /// Whether this is a failure other than "the signer is on no list", which says nothing about soundness.
    pub(crate) fn is_unsound(&self) -> bool {
        self.level == Level::Failure && self.code != names::SIGNING_CREDENTIAL_UNTRUSTED
    }
}

/// All codes of one manifest, failures first.
pub(crate) fn codes_of(statuses: &StatusCodes) -> Vec<Code> {
    let of = |list: &[ValidationStatus], level| {
        list.iter().map(|s| Code::new(s, level)).collect::<Vec<_>>()
    };
    let mut codes = of(statuses.failure(), Level::Failure);
    codes.extend(of(statuses.informational(), Level::Informational));
    codes.extend(of(statuses.success(), Level::Success));
    codes
}

/// The codes of an old-style list, which carries no levels: they follow from the names, and an unknown name is a failure.
pub(crate) fn codes_by_name(statuses: &[ValidationStatus]) -> Vec<Code> {
    statuses
        .iter()
        .map(|status| Code::new(status, level_of(status.code())))
        .collect()
}

fn level_of(code: &str) -> Level {
    use c2pa::status_tracker::LogKind;
    match names::log_kind(code) {
        LogKind::Success => Level::Success,
        LogKind::Informational => Level::Informational,
        LogKind::Failure => Level::Failure,
    }
}

/// Sorts failures to the front, drops repetitions and cuts at [`CODES_MAX`]. True if something was cut.
pub(crate) fn bound(codes: &mut Vec<Code>) -> bool {
    codes.sort_by_key(|code| code.level);
    let mut seen = BTreeSet::new();
    codes.retain(|code| {
        seen.insert((
            code.code.clone(),
            code.subject.clone(),
            code.explanation.clone(),
        ))
    });
    let cut = codes.len() > CODES_MAX;
    codes.truncate(CODES_MAX);
    cut
}

/// Which kinds of check failed, for a verdict that must not compare strings. All are about the active manifest
/// except `ingredient`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failures {
    /// The media bytes are not the ones that were signed (data, box, BMFF or collection hash).
    pub hash_mismatch: bool,
    /// The signature does not fit the claim, or is missing.
    pub claim_signature: bool,
    /// A part of the credential is not the one the claim points to, or is missing.
    pub hashed_uri: bool,
    /// The certificate was not valid when it signed, or when checked if there is no trusted time-stamp.
    pub credential_expired: bool,
    /// The certificate is revoked, by a proof that is inside the file.
    pub credential_revoked: bool,
    /// The signer is on none of the loaded lists (also when none is loaded).
    pub signer_untrusted: bool,
    /// Any failure that has no field of its own.
    pub other: bool,
    /// An ingredient's credential failed: found now, or on record from when it was taken in.
    pub ingredient: bool,
}

impl Failures {
    /// Sorts the failures of the active manifest into kinds.
    pub(crate) fn of<'a>(codes: impl Iterator<Item = &'a Code>) -> Self {
        let mut failures = Self::default();
        for code in codes.filter(|code| code.level == Level::Failure) {
            failures.note(&code.code);
        }
        failures
    }

    /// Whether a check of the active manifest failed that concerns its soundness, not only its signer's standing.
    #[must_use]
    pub fn active_unsound(&self) -> bool {
        self.hash_mismatch
            || self.claim_signature
            || self.hashed_uri
            || self.credential_expired
            || self.credential_revoked
            || self.other
    }

    fn note(&mut self, code: &str) {
        match code {
            names::ASSERTION_DATAHASH_MISMATCH
            | names::ASSERTION_BMFFHASH_MISMATCH
            | names::ASSERTION_BOXHASH_MISMATCH
            | names::ASSERTION_COLLECTIONHASH_MISMATCH => self.hash_mismatch = true,
            names::CLAIM_SIGNATURE_MISMATCH | names::CLAIM_SIGNATURE_MISSING => {
                self.claim_signature = true
            }
            names::ASSERTION_HASHEDURI_MISMATCH
            | names::ASSERTION_MISSING
            | names::HASHED_URI_MISMATCH
            | names::HASHED_URI_MISSING => self.hashed_uri = true,
            names::SIGNING_CREDENTIAL_EXPIRED | names::CLAIM_SIGNATURE_OUTSIDE_VALIDITY => {
                self.credential_expired = true;
            }
            names::SIGNING_CREDENTIAL_REVOKED => self.credential_revoked = true,
            names::SIGNING_CREDENTIAL_UNTRUSTED => self.signer_untrusted = true,
            _ => self.other = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(name: &str, level: Level) -> Code {
        Code {
            code: name.into(),
            level,
            explanation: None,
            subject: None,
        }
    }

    #[test]
    fn every_kind_of_failure_has_its_flag() {
        let flag = |name: &str| Failures::of([code(name, Level::Failure)].iter());
        assert!(flag("assertion.dataHash.mismatch").hash_mismatch);
        assert!(flag("assertion.bmffHash.mismatch").hash_mismatch);
        assert!(flag("assertion.boxesHash.mismatch").hash_mismatch);
        assert!(flag("claimSignature.mismatch").claim_signature);
        assert!(flag("assertion.hashedURI.mismatch").hashed_uri);
        assert!(flag("signingCredential.expired").credential_expired);
        assert!(flag("signingCredential.ocsp.revoked").credential_revoked);
        assert!(flag("something.new").other);
        assert!(flag("something.new").active_unsound());
        assert!(flag("signingCredential.untrusted").signer_untrusted);
        assert!(!flag("signingCredential.untrusted").active_unsound());
    }

    #[test]
    fn successes_raise_no_flag() {
        let codes = [
            code("assertion.dataHash.match", Level::Success),
            code("timeStamp.untrusted", Level::Informational),
        ];
        assert_eq!(Failures::of(codes.iter()), Failures::default());
    }

    #[test]
    fn names_without_levels_are_read_by_the_specification() {
        assert_eq!(level_of("claimSignature.validated"), Level::Success);
        assert_eq!(level_of("timeStamp.untrusted"), Level::Informational);
        assert_eq!(level_of("claimSignature.mismatch"), Level::Failure);
        assert_eq!(level_of("org.example.unheard"), Level::Failure);
    }

    #[test]
    fn a_missing_ingredient_manifest_is_a_failure_whatever_the_library_says() {
        let statuses: Vec<ValidationStatus> =
            serde_json::from_str(r#"[{"code":"ingredient.manifest.missing"}]"#).unwrap();
        assert!(codes_by_name(&statuses)[0].is_unsound());
    }

    #[test]
    fn the_bound_keeps_failures_and_tells_when_it_cut() {
        let mut codes: Vec<Code> = (0..CODES_MAX)
            .map(|i| code(&format!("s{i}"), Level::Success))
            .collect();
        assert!(!bound(&mut codes));
        assert_eq!(codes.len(), CODES_MAX);
        codes.push(code("claimSignature.mismatch", Level::Failure));
        assert!(bound(&mut codes));
        assert_eq!(codes.len(), CODES_MAX);
        assert_eq!(codes[0].code, "claimSignature.mismatch");
    }
}
