//! What a handshake that failed means.

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;

use rustls::{AlertDescription, CertificateError, Error};

/// Names of a certificate that are told; some have hundreds.
const NAMES_TOLD_MAX: usize = 3;
/// Wrappings of an error that are looked through.
const WRAPPINGS_MAX: usize = 8;

/// Why there is no encrypted connection to who answers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nobody who is trusted has signed its certificate.
    #[error(
        "its certificate is signed by nobody who is trusted here; name the file of its CA in ca_file"
    )]
    Stranger,
    /// Its certificate is another server's.
    #[error(
        "its certificate is not for this name, but for {names}; connect to a name that it holds"
    )]
    OtherName {
        /// The names that it holds.
        names: String,
    },
    /// Its certificate was good once.
    #[error("its certificate has expired; give it a new one")]
    Expired,
    /// Its certificate is not good yet.
    #[error("its certificate is not valid yet; compare its clock with this one")]
    TooEarly,
    /// Its certificate is of no use for another reason.
    #[error("its certificate cannot be used: {why}")]
    Useless {
        /// Which.
        why: String,
    },
    /// Something else is spoken there.
    #[error("no TLS is spoken there; name a port where it is")]
    NotTls,
    /// It wants to know clients by their certificates.
    #[error(
        "it asks for a certificate of this client, and there is none; have it take clients without"
    )]
    WantsCertificate,
    /// It or this client does not speak as the other wants.
    #[error("no way to speak TLS with it was found: {why}")]
    NoAgreement {
        /// Why not.
        why: String,
    },
}

impl Refusal {
    /// What `error` means, if a handshake is what failed. Looks through what it is wrapped in.
    #[must_use]
    pub fn of(error: &(dyn StdError + 'static)) -> Option<Self> {
        let mut error = error;
        for _ in 0..WRAPPINGS_MAX {
            if let Some(error) = error.downcast_ref::<Error>() {
                return Self::of_handshake(error);
            }
            error = inner(error)?;
        }
        None
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "what is left has nothing to do with who the server is"
    )]
    fn of_handshake(error: &Error) -> Option<Self> {
        match error {
            Error::InvalidCertificate(error) => Some(Self::of_certificate(error)),
            Error::InvalidMessage(_) => Some(Self::NotTls),
            Error::AlertReceived(AlertDescription::CertificateRequired) => {
                Some(Self::WantsCertificate)
            }
            Error::AlertReceived(_) | Error::PeerIncompatible(_) => Some(Self::NoAgreement {
                why: error.to_string(),
            }),
            _ => None,
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the library tells the others in its own words"
    )]
    fn of_certificate(error: &CertificateError) -> Self {
        match error {
            CertificateError::UnknownIssuer => Self::Stranger,
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::TooEarly
            }
            CertificateError::NotValidForName => Self::OtherName { names: told(&[]) },
            CertificateError::NotValidForNameContext { presented, .. } => Self::OtherName {
                names: told(presented),
            },
            other => Self::Useless {
                why: other.to_string(),
            },
        }
    }
}

/// The first of the names that a certificate holds, as the library writes them: `DnsName("a.example")`.
fn told(presented: &[String]) -> String {
    let name = |presented: &String| {
        let name = presented.split_once('(').map_or("", |(_, name)| name);
        let name = name.trim_end_matches(')').trim_matches('"');
        name.escape_debug().to_string()
    };
    let names: Vec<String> = presented.iter().take(NAMES_TOLD_MAX).map(name).collect();
    match presented.len() {
        0 => "none".to_owned(),
        1..=NAMES_TOLD_MAX => names.join(", "),
        more => format!("{} and {} more", names.join(", "), more - NAMES_TOLD_MAX),
    }
}

/// What an error wraps. Those of input and output, and shared ones, do not call it their source.
fn inner<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    if let Some(error) = error.downcast_ref::<io::Error>() {
        let inner = error.get_ref()?;
        return Some(inner);
    }
    if let Some(error) = error.downcast_ref::<Arc<dyn StdError + Send + Sync>>() {
        let inner: &(dyn StdError + Send + Sync + 'static) = error.as_ref();
        return Some(inner);
    }
    error.source()
}

#[cfg(test)]
mod tests {
    use rustls::InvalidMessage;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("wrapped")]
    struct Wrapped(#[source] Arc<dyn StdError + Send + Sync>);

    fn in_io(error: Error) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, error)
    }

    #[test]
    fn a_refusal_is_found_in_what_it_is_wrapped_in() {
        let error = || in_io(CertificateError::UnknownIssuer.into());
        assert_eq!(Refusal::of(&error()), Some(Refusal::Stranger));
        let shared = Wrapped(Arc::new(error()));
        assert_eq!(Refusal::of(&shared), Some(Refusal::Stranger));
        let reset = io::Error::from(io::ErrorKind::ConnectionReset);
        assert_eq!(Refusal::of(&reset), None);
        assert_eq!(Refusal::of(&io::Error::other("no")), None);
    }

    #[test]
    fn as_many_wrappings_are_looked_through_and_no_more() {
        let wrapped = |times: usize| {
            let first = in_io(CertificateError::Expired.into());
            (1..times).fold(first, |error, _| io::Error::other(error))
        };
        assert_eq!(
            Refusal::of(&wrapped(WRAPPINGS_MAX - 1)),
            Some(Refusal::Expired)
        );
        assert_eq!(Refusal::of(&wrapped(WRAPPINGS_MAX)), None);
    }

    #[test]
    fn each_reason_has_a_sentence_of_its_own() {
        let name = |presented: &[&str]| {
            let presented = presented.iter().map(ToString::to_string).collect();
            Error::from(CertificateError::NotValidForNameContext {
                expected: "mq".try_into().unwrap(),
                presented,
            })
        };
        let dns = |name: &str| format!("DnsName(\"{name}\")");
        for (error, said) in [
            (name(&[&dns("a.test")]), "for a.test; connect"),
            (name(&[]), "but for none;"),
            (name(&[&dns("a"), "IpAddress(10.0.0.7)"]), "a, 10.0.0.7;"),
            (name(&[&dns("\u{1b}[2J")]), "\\u{1b}[2J"),
            (
                name(&[&dns("a"), &dns("b"), &dns("c"), &dns("d")]),
                "a, b, c and 1 more;",
            ),
            (CertificateError::NotValidYet.into(), "not valid yet"),
            (CertificateError::Revoked.into(), "Revoked"),
            (
                InvalidMessage::InvalidContentType.into(),
                "no TLS is spoken there",
            ),
            (
                Error::AlertReceived(AlertDescription::CertificateRequired),
                "certificate of this client",
            ),
            (
                Error::AlertReceived(AlertDescription::ProtocolVersion),
                "no way to speak TLS",
            ),
        ] {
            let refusal = Refusal::of(&in_io(error)).unwrap().to_string();
            assert!(refusal.contains(said), "{refusal}");
        }
        assert_eq!(Refusal::of(&in_io(Error::EncryptError)), None);
    }
}
