//! What an inspection says: facts, to be read by the one who judges.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use c2pa::Manifest;
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::clip;
use crate::code::{Code, Failures};
use crate::ingredient::Ingredient;
use crate::rubric::Signals;
use crate::trust::ListSummary;

/// All that is known about the credential of some media.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Whether a credential was in the bytes and could be read.
    pub present: bool,
    /// How it stands.
    pub state: State,
    /// The trust lists that were in force, with their dates. Empty means that signers were not checked.
    pub trust_lists: Vec<ListSummary>,
    /// Who signed, as the certificate says. To be believed only if `state` is `trusted`.
    pub signer: Option<Signer>,
    /// Title given by the signer.
    pub title: Option<String>,
    /// Software or device that made the credential, as it says itself.
    pub claim_generator: Option<String>,
    /// Label of the active manifest.
    pub manifest: Option<String>,
    /// Signals of the active manifest.
    pub signals: Signals,
    /// Actions of the active manifest, in their order.
    pub actions: Vec<Action>,
    /// Validation results of the active manifest, failures first, and those about ingredients that have no place in
    /// `ingredients`.
    pub codes: Vec<Code>,
    /// The same, as yes or no.
    pub failures: Failures,
    /// What the media was made from.
    pub ingredients: Vec<Ingredient>,
    /// The picture that the signer put in for comparison, if the credential still vouches for it.
    pub claim_thumbnail: Option<Thumbnail>,
    /// Whether a bound left something out of a list. Never true of `state` and `failures`.
    pub cut: bool,
}

/// How a credential stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
#[non_exhaustive]
pub enum State {
    /// The media carries none. This says nothing about the media: most platforms remove credentials.
    Absent,
    /// This kind of media cannot carry one, or not one that we read.
    NotApplicable {
        /// Why.
        reason: String,
    },
    /// Not parsed on purpose.
    Skipped {
        /// Why.
        reason: String,
    },
    /// The media points to a credential elsewhere, which is never fetched.
    RemoteNotFetched {
        /// Where it is said to be. Written by a stranger: do not open.
        url: String,
    },
    /// A check failed: see `failures`.
    Invalid,
    /// All checks hold, but that is somebody's signature, no more.
    Valid {
        /// Why it is not trusted.
        signer: SignerCheck,
    },
    /// All checks hold, and the signers are on a list.
    Trusted {
        /// On which list the signer of the media is.
        by: TrustedBy,
    },
}

/// Why a valid credential is not a trusted one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignerCheck {
    /// No list of signers is loaded.
    NotChecked,
    /// The signer is on none of the loaded lists.
    Untrusted,
    /// The signer is on a list, the signer of an ingredient is not.
    IngredientUntrusted,
}

/// What makes a signer trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrustedBy {
    /// An authority of the official list.
    Official,
    /// An authority that the operator added.
    User,
    /// The operator allowed this very certificate.
    Allowed,
    /// The validator did not say.
    Unknown,
}

/// The name on a signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signer {
    /// Organisation in the certificate.
    pub issuer: Option<String>,
    /// Common name in the certificate.
    pub common_name: Option<String>,
    /// Serial number of the certificate.
    pub serial_number: Option<String>,
    /// Signature algorithm.
    pub algorithm: Option<String>,
    /// Time of the time-stamp (RFC 3339), if there is one.
    pub time: Option<String>,
}

/// A small picture from inside the credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thumbnail {
    /// Media type.
    pub format: String,
    /// The picture, in base64.
    pub data: String,
}

impl Report {
    /// A report on media of which no credential was read.
    pub(crate) fn without_credential(state: State, trust_lists: Vec<ListSummary>) -> Self {
        Self {
            present: false,
            state,
            trust_lists,
            signer: None,
            title: None,
            claim_generator: None,
            manifest: None,
            signals: Signals::default(),
            actions: Vec::new(),
            codes: Vec::new(),
            failures: Failures::default(),
            ingredients: Vec::new(),
            claim_thumbnail: None,
            cut: false,
        }
    }

    /// Whether the signers are trusted and no ingredient, at any depth, is broken or has a failure on record.
    #[must_use]
    pub fn is_trusted_throughout(&self) -> bool {
        matches!(self.state, State::Trusted { .. }) && !self.failures.ingredient
    }
}

impl Signer {
    /// The signer of one manifest.
    pub(crate) fn of(manifest: &Manifest) -> Option<Self> {
        let info = manifest.signature_info()?;
        Some(Self {
            issuer: info.issuer.as_deref().map(clip),
            common_name: info.common_name.as_deref().map(clip),
            serial_number: info.cert_serial_number.as_deref().map(clip),
            algorithm: info.alg.map(|algorithm| algorithm.to_string()),
            time: info.time.as_deref().map(clip),
        })
    }
}

impl Thumbnail {
    pub(crate) fn new(format: &str, picture: &[u8]) -> Self {
        Self {
            format: clip(format),
            data: STANDARD.encode(picture),
        }
    }

    /// The picture's bytes.
    ///
    /// # Errors
    /// If `data` is not base64, which a report of ours never holds.
    pub fn bytes(&self) -> Result<Vec<u8>, base64::DecodeError> {
        STANDARD.decode(&self.data)
    }
}
