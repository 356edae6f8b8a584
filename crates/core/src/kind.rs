//! What kinds of work there are, and how urgent a job is: the closed lists.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a job does. One worker serves one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobKind {
    /// Verify one piece of media.
    ContentVerification,
    /// Fan a list of items out into jobs and fold their results in.
    Batch,
    /// Update a reputation, uniqueness and verification profile.
    RuvProfile,
}

impl JobKind {
    /// Every kind, in the order people see them.
    pub const ALL: [Self; 3] = [Self::ContentVerification, Self::Batch, Self::RuvProfile];

    /// The name in the API, in labels and in configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ContentVerification => "content-verification",
            Self::Batch => "batch",
            Self::RuvProfile => "ruv-profile",
        }
    }
}

/// How urgent a job is. Each kind has one queue per lane.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Lane {
    /// Waits for the others; never fills a worker's last slot.
    Low,
    /// The default.
    #[default]
    Normal,
    /// Served first, but not only.
    High,
}

impl Lane {
    /// Every lane, least urgent first.
    pub const ALL: [Self; 3] = [Self::Low, Self::Normal, Self::High];

    /// The name in the API, in labels and in configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
        }
    }
}

/// A name that is in none of the closed lists; the message gives the list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} '{name}': it must be one of {known}")]
pub struct UnknownName {
    what: &'static str,
    name: String,
    known: String,
}

impl UnknownName {
    pub(crate) fn new(what: &'static str, name: &str, known: &[&str]) -> Self {
        Self {
            what,
            name: name.to_owned(),
            known: known.join(", "),
        }
    }
}

impl fmt::Display for JobKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for JobKind {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == name)
            .ok_or_else(|| UnknownName::new("job kind", name, &Self::ALL.map(Self::as_str)))
    }
}

impl FromStr for Lane {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|lane| lane.as_str() == name)
            .ok_or_else(|| UnknownName::new("lane", name, &Self::ALL.map(Self::as_str)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for kind in JobKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{kind}\""));
        }
        for lane in Lane::ALL {
            assert_eq!(lane.as_str().parse(), Ok(lane));
        }
    }

    #[test]
    fn an_unknown_kind_lists_the_known_ones() {
        let error = "virus-scan".parse::<JobKind>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown job kind 'virus-scan': it must be one of content-verification, batch, ruv-profile"
        );
    }
}
