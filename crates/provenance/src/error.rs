//! Why a credential could not be read, and why a trust list was refused.

use std::path::PathBuf;

/// What stops this crate from answering. A missing or a failed credential is not an error: it is a report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The trust folder or a file in it cannot be opened.
    #[error("read {}: make it readable for this user, or remove it", path.display())]
    ReadTrustFile {
        /// The folder or file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A file of the trust folder is not what its name says.
    #[error("parse {}: {problem}; {mend}", path.display())]
    BrokenTrustFile {
        /// The file, or the name given to the list.
        path: PathBuf,
        /// What is wrong, and where.
        problem: String,
        /// What to do about it.
        mend: &'static str,
    },
    /// The container of the media is damaged or not what it claims to be.
    #[error("read the media container: {reason}")]
    CorruptMedia {
        /// The parser's words.
        reason: String,
    },
    /// There is a credential, and it is too damaged to be validated.
    #[error("read the credential: {reason}")]
    UnreadableCredential {
        /// The parser's words.
        reason: String,
    },
    /// The file asks for more than a bound of the parser.
    #[error("read the credential within bounds: {reason}")]
    OverLimit {
        /// Which bound.
        reason: String,
    },
    /// The validator failed for a reason that is not the file's.
    #[error("validate the credential: {reason}")]
    Validator {
        /// The validator's words.
        reason: String,
    },
    /// The test signer could not sign.
    #[cfg(any(test, feature = "test-signer"))]
    #[error("sign the test media: {reason}")]
    Sign {
        /// The signer's words.
        reason: String,
    },
}
