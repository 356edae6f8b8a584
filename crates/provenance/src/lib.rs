//! Reads and checks the Content Credentials (C2PA) of media bytes.
//!
//! [`inspect()`] takes bytes, says what a credential claims, who signed it, whether it still fits the bytes, and what
//! went wrong, as a [`Report`] that serialises. It is synchronous, may take seconds on a large or hostile file and may
//! run out of memory on one, so callers run it in a child process that they can kill. It never opens a connection:
//! remote manifests, revocation look-ups and identity documents are reported or skipped, never fetched.
//!
//! Whom to trust comes from files ([`TrustLists`]). None is built in, so without files a sound credential is
//! "valid, signer not checked".
//!
//! With the feature `test-signer` there is a module `test_signer` that makes a throw-away authority and signs media
//! with it, for the tests of other crates and for the demo. A build without the feature has nothing of it.
//!
//! Not here: verdicts and likelihoods (the verification worker's), unsigned metadata (forensics), fetching of trust
//! lists, limits on time and memory (the process around).

mod action;
mod code;
mod error;
mod ingredient;
mod inspect;
mod report;
mod rubric;
#[cfg(test)]
mod scenarios;
#[cfg(any(test, feature = "test-signer"))]
pub mod test_signer;
mod tiff;
mod trust;

pub use action::Action;
pub use code::{Code, Failures, Level};
pub use error::Error;
pub use ingredient::{Ingredient, Relationship};
pub use inspect::inspect;
pub use report::{Report, Signer, SignerCheck, State, Thumbnail, TrustedBy};
pub use rubric::{Inception, Signals, Transformation};
pub use trust::folder::{
    ALLOWED_FILE, OFFICIAL_FILE, ORIGINS_FILE, Origin, TIME_STAMP_FILE, USER_FILE,
};
pub use trust::{LIST_AGE_DAYS_MAX, ListKind, ListSummary, TRUST_FILE_BYTES_MAX, TrustLists};

/// Longest text taken over from a credential, in characters. Titles and explanations are written by strangers.
pub const TEXT_CHARS_MAX: usize = 500;

/// At most [`TEXT_CHARS_MAX`] characters of `text`, with control characters made visible as spaces.
fn clip(text: &str) -> String {
    text.chars()
        .take(TEXT_CHARS_MAX)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{TEXT_CHARS_MAX, clip};

    #[test]
    fn text_is_cut_after_the_bound_and_not_before() {
        let full = "é".repeat(TEXT_CHARS_MAX);
        assert_eq!(clip(&full), full);
        assert_eq!(clip(&format!("{full}x")), full);
        assert_eq!(clip("a\nb\u{1b}c"), "a b c");
    }
}
