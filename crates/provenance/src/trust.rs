//! Whom to trust: lists of certificates, each with its origin and date.
//!
//! The official list and the operator's own are kept apart, so that a result can say which one vouched for a signer.
//! Loading checks every certificate's form and stops at the first broken one: a list that is silently half empty
//! would turn trusted media into untrusted media.

pub(crate) mod folder;
pub(crate) mod pem;

use std::collections::BTreeMap;
use std::path::Path;

use c2pa::Settings;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::trust::folder::Origin;

/// Age from which on a list should be renewed, in days.
pub const LIST_AGE_DAYS_MAX: i64 = 90;

/// Largest file in the trust folder, in bytes.
pub const TRUST_FILE_BYTES_MAX: usize = 1024 * 1024;

const SECONDS_PER_DAY: i64 = 86_400;

/// What a list is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListKind {
    /// Authorities for signers, published by the C2PA.
    Official,
    /// Authorities for signers, added by the operator.
    User,
    /// Single signers, allowed by the operator.
    Allowed,
    /// Authorities for time-stamps.
    TimeStamp,
}

impl ListKind {
    /// The name in results and in the origins file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Official => "official",
            Self::User => "user",
            Self::Allowed => "allowed",
            Self::TimeStamp => "time_stamp",
        }
    }

    /// The operator's own lists do not age: only their owner knows whether they are up to date.
    const fn is_published(self) -> bool {
        matches!(self, Self::Official | Self::TimeStamp)
    }
}

/// One loaded list, as results tell of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListSummary {
    /// What the list is for.
    pub kind: ListKind,
    /// How many certificates are on it.
    pub certificates: usize,
    /// SHA-256 of the certificates, in hexadecimal: the version of the list, whatever its date says.
    pub sha256: String,
    /// Where it came from and when, if the folder says so.
    pub origin: Option<Origin>,
}

impl ListSummary {
    /// Name and date, such as `official@2026-08-21`.
    #[must_use]
    pub fn label(&self) -> String {
        let date = self
            .origin
            .as_ref()
            .map_or("undated", |origin| origin.date.as_str());
        format!("{}@{date}", self.kind.name())
    }

    /// Whole days since the list's date, at `now_s` (Unix time, seconds). `None` without a date.
    #[must_use]
    pub fn age_days(&self, now_s: i64) -> Option<i64> {
        let day = folder::day_of(&self.origin.as_ref()?.date)?;
        Some(now_s.div_euclid(SECONDS_PER_DAY) - day)
    }

    /// What the operator should know about the list's age at `now_s` (Unix time, seconds).
    #[must_use]
    pub fn warning(&self, now_s: i64) -> Option<String> {
        let name = self.kind.name();
        match self.age_days(now_s) {
            Some(days) if days > LIST_AGE_DAYS_MAX => Some(format!(
                "the {name} trust list is {days} days old, more than {LIST_AGE_DAYS_MAX}: replace it and its date"
            )),
            None if self.kind.is_published() => {
                let file = folder::ORIGINS_FILE;
                Some(format!(
                    "the {name} trust list has no date: put its source and date into {file}"
                ))
            }
            _ => None,
        }
    }
}

/// All lists in force. Empty by default: nobody is trusted, and signers count as not checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustLists {
    lists: BTreeMap<ListKind, List>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct List {
    /// Only certificate blocks, in one form, whatever stood between them in the file.
    pem: String,
    summary: ListSummary,
}

/// Which authorities the validator is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchors {
    /// For signers and for time-stamps: the validator keeps them in one set.
    WithTimeStamps,
    /// For signers alone.
    SignersOnly,
}

impl TrustLists {
    /// Adds a list of PEM certificates, in place of one of the same kind. `name` stands for the file in errors.
    ///
    /// # Errors
    /// [`Error::BrokenTrustFile`] if it holds anything but certificates in text, or none.
    pub fn insert(
        &mut self,
        kind: ListKind,
        name: &Path,
        pem: &[u8],
        origin: Option<Origin>,
    ) -> Result<(), Error> {
        let certificates = pem::certificates(pem).map_err(|broken| broken.at(name))?;
        let pem: String = certificates.iter().map(|der| pem::block(der)).collect();
        let digest = Sha256::digest(pem.as_bytes());
        let sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let summary = ListSummary {
            kind,
            certificates: certificates.len(),
            sha256,
            origin,
        };
        self.lists.insert(kind, List { pem, summary });
        Ok(())
    }

    /// What is loaded, in a fixed order.
    #[must_use]
    pub fn summaries(&self) -> Vec<ListSummary> {
        self.lists
            .values()
            .map(|list| list.summary.clone())
            .collect()
    }

    /// What the operator should know about the lists' ages at `now_s` (Unix time, seconds).
    #[must_use]
    pub fn warnings(&self, now_s: i64) -> Vec<String> {
        self.lists
            .values()
            .filter_map(|list| list.summary.warning(now_s))
            .collect()
    }

    /// Whether any list says whom to trust as a signer.
    #[must_use]
    pub fn any_signers(&self) -> bool {
        self.lists.keys().any(|kind| *kind != ListKind::TimeStamp)
    }

    pub(crate) fn any_time_stamps(&self) -> bool {
        self.lists.contains_key(&ListKind::TimeStamp)
    }

    /// The validator's settings: these lists and nothing else, and no connection to anywhere.
    pub(crate) fn settings(&self, anchors: Anchors) -> Settings {
        let pem = |kind: ListKind| self.lists.get(&kind).map(|list| list.pem.clone());
        let time_stamps = match anchors {
            Anchors::WithTimeStamps => pem(ListKind::TimeStamp),
            Anchors::SignersOnly => None,
        };
        let mut settings = Settings::default();
        settings.trust.trust_anchors = match (pem(ListKind::Official), time_stamps) {
            (Some(official), Some(time_stamps)) => Some(official + &time_stamps),
            (official, time_stamps) => official.or(time_stamps),
        };
        settings.trust.user_anchors = pem(ListKind::User);
        settings.trust.allowed_list = pem(ListKind::Allowed);
        settings.verify.remote_manifest_fetch = false;
        settings.verify.ocsp_fetch = false;
        settings.core.allowed_network_hosts = Some(Vec::new());
        // Identity documents would be looked up by address.
        settings.core.decode_identity_assertions = false;
        settings
    }
}

#[cfg(test)]
mod tests;
