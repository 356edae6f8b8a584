//! What can go wrong with blobs.

use std::io::ErrorKind;

/// Any error from below.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why blobs were not read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No room to write; nothing was stored.
    #[error("{action} {what}: the disk that holds the blobs is full, make room there")]
    Full {
        /// What was tried.
        action: &'static str,
        /// With which content or folder.
        what: String,
        /// What the system said.
        source: Cause,
    },
    /// The content is over the caller's bound.
    #[error("take content of more than {limit} bytes: that is the bound")]
    TooLarge {
        /// The bound, in bytes.
        limit: u64,
    },
    /// The folder did not do as asked.
    #[error("{action} {what}: check that the blob folder exists and may be read and written")]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which content or folder.
        what: String,
        /// What the system said.
        source: Cause,
    },
}

/// Says what was tried when an error comes up.
pub(crate) fn attempt<E: Into<Cause>>(
    action: &'static str,
    what: String,
) -> impl FnOnce(E) -> Error {
    move |error| {
        let source = error.into();
        if is_full(source.as_ref()) {
            Error::Full {
                action,
                what,
                source,
            }
        } else {
            Error::Io {
                action,
                what,
                source,
            }
        }
    }
}

/// Absence is an answer, not an error.
pub(crate) fn missing_is_none<T>(
    answer: Result<T, object_store::Error>,
) -> Result<Option<T>, object_store::Error> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// `object_store` buries what the system said several sources deep.
fn is_full(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source())
        .filter_map(|error| error.downcast_ref::<std::io::Error>())
        .any(|error| {
            matches!(
                error.kind(),
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_other_trouble() {
        let of = |code| {
            let source = Box::new(std::io::Error::from_raw_os_error(code));
            let error = object_store::Error::Generic {
                store: "LocalFileSystem",
                source,
            };
            attempt("store content", "x".to_owned())(error)
        };
        assert!(
            matches!(of(28), Error::Full { .. }),
            "no space left on device"
        );
        assert!(matches!(of(122), Error::Full { .. }), "disk quota exceeded");
        assert!(matches!(of(5), Error::Io { .. }), "input/output error");
    }
}
