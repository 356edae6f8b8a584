//! Identifiers: newtypes, so that one can't be taken for another.
//!
//! The last byte of every [`JobId`] is its *shard byte*: it tells where the record lives, so an id
//! alone finds its job. The id's source sets it: a keyed submit hashes tenant and key, a child takes
//! its parent's, everything else is random.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};
use uuid::{Builder, Uuid};

/// Longest tenant name in bytes.
pub const TENANT_BYTES_MAX: usize = 64;
/// Longest client-given idempotency key in bytes.
pub const REQUEST_KEY_BYTES_MAX: usize = 128;
/// Longest worker identity in bytes.
pub const WORKER_ID_BYTES_MAX: usize = 128;
/// Longest name of a fingerprint's algorithm in bytes.
pub const FINGERPRINT_ALGORITHM_BYTES_MAX: usize = 32;

/// Namespace of ids that derive from (tenant, request key). Never changes: old keys must find their jobs.
const KEYED_NAMESPACE: Uuid = Uuid::from_u128(0x6173_7361_792e_6a6f_622e_6b65_7965_6430);

/// Identifies one job for ever. Sixteen bytes, printed as a UUID.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(Uuid);

impl JobId {
    /// An id for a submit without a key: UUID version 7, sorted by time.
    ///
    /// `random` supplies the 74 random bits; its last byte becomes the shard byte.
    #[must_use]
    pub fn random(now_ms: u64, random: [u8; 10]) -> Self {
        Self(Builder::from_unix_timestamp_millis(now_ms, &random).into_uuid())
    }

    /// The id of the job that `tenant` submits under `key`: the same pair is always the same job.
    #[must_use]
    pub fn keyed(tenant: &Tenant, key: &RequestKey) -> Self {
        // The separator can't occur in a tenant, so ("a", "bc") and ("ab", "c") differ.
        let name = [tenant.as_str().as_bytes(), b"\0", key.as_str().as_bytes()].concat();
        Self(Uuid::new_v5(&KEYED_NAMESPACE, &name))
    }

    /// The id of what `self` brings forth at `index` (a batch item, a follow-up), in the parent's shard.
    #[must_use]
    pub fn child(self, role: &str, index: u64) -> Self {
        let name = [role.as_bytes(), b"\0", &index.to_be_bytes()].concat();
        let mut bytes = *Uuid::new_v5(&self.0, &name).as_bytes();
        bytes[15] = self.shard();
        Self(Uuid::from_bytes(bytes))
    }

    /// The last byte: decides the group of keys that hold this job.
    #[must_use]
    pub fn shard(self) -> u8 {
        self.0.as_bytes()[15]
    }

    /// The sixteen bytes of the id.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The id made of these sixteen bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl fmt::Debug for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JobId({self})")
    }
}

impl FromStr for JobId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Uuid::try_parse(text).map(Self).map_err(|_| InvalidId {
            what: "job id",
            rule: "a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057",
        })
    }
}

/// A text that is not the identifier it should be; the message says what would be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} must be {rule}")]
pub struct InvalidId {
    what: &'static str,
    rule: &'static str,
}

impl InvalidId {
    pub(crate) fn new(what: &'static str, rule: &'static str) -> Self {
        Self { what, rule }
    }
}

/// Declares a text newtype that can only be made of valid text.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $valid:expr) => {
        $(#[$doc])*
        ///
        /// Cloning shares the text.
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks the text.
            ///
            /// # Errors
            /// [`InvalidId`] says what the text must be.
            pub fn new(text: impl Into<String>) -> Result<Self, InvalidId> {
                let text = text.into();
                let valid: fn(&str) -> bool = $valid;
                if valid(&text) { Ok(Self(text.into())) } else { Err(InvalidId { what: $what, rule: $rule }) }
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.as_str().to_owned()
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    };
}

text_id!(
    /// Whose job it is. Part of every key and every look-up: another tenant's id looks absent.
    Tenant,
    "tenant",
    "1 to 64 characters of a-z, 0-9, '-' and '_'",
    |text| {
        (1..=TENANT_BYTES_MAX).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
    }
);

impl Default for Tenant {
    /// The tenant of every request while no tokens name one.
    fn default() -> Self {
        Self("default".into())
    }
}

text_id!(
    /// The client's idempotency key: a repeated submit with the same key is the same job.
    RequestKey,
    "request id",
    "1 to 128 bytes without control characters",
    |text| (1..=REQUEST_KEY_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control)
);

text_id!(
    /// One worker process start. A restarted process is another worker.
    WorkerId,
    "worker id",
    "1 to 128 bytes without control characters",
    |text| (1..=WORKER_ID_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control)
);

text_id!(
    /// How a fingerprint was made. Only those of one algorithm compare.
    FingerprintAlgorithm,
    "fingerprint algorithm",
    "1 to 32 characters of a-z, 0-9, '.', '-' and '_'",
    |text| {
        (1..=FINGERPRINT_ALGORITHM_BYTES_MAX).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-_".contains(&b))
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> RequestKey {
        RequestKey::new(text).unwrap()
    }

    #[test]
    fn golden_vectors_never_change() {
        let tenant = Tenant::default();
        let keyed = JobId::keyed(&tenant, &key("order-1"));
        let random = JobId::random(1_700_000_000_000, [7; 10]);
        let child = random.child("item", 41);
        assert_eq!(
            keyed.to_string(),
            include_str!("../tests/golden/id-keyed.txt").trim()
        );
        assert_eq!(
            random.to_string(),
            include_str!("../tests/golden/id-random.txt").trim()
        );
        assert_eq!(
            child.to_string(),
            include_str!("../tests/golden/id-child.txt").trim()
        );
    }

    #[test]
    fn a_child_lives_in_its_parents_shard() {
        for byte in [0, 1, 127, 255] {
            let parent = JobId::random(1, [byte; 10]);
            assert_eq!(parent.shard(), byte);
            assert_eq!(parent.child("item", 9).shard(), byte);
            assert_ne!(parent.child("item", 9), parent.child("item", 10));
            assert_ne!(parent.child("item", 9), parent.child("follow-up", 9));
        }
    }

    #[test]
    fn tenant_and_key_do_not_run_into_each_other() {
        let one = JobId::keyed(&Tenant::new("a").unwrap(), &key("bc"));
        let other = JobId::keyed(&Tenant::new("ab").unwrap(), &key("c"));
        assert_ne!(one, other);
    }

    #[test]
    fn text_ids_hold_their_bounds() {
        assert!(Tenant::new("a".repeat(TENANT_BYTES_MAX)).is_ok());
        assert!(Tenant::new("a".repeat(TENANT_BYTES_MAX + 1)).is_err());
        assert!(Tenant::new("").is_err());
        assert!(Tenant::new("Upper").is_err());
        assert!(RequestKey::new("k".repeat(REQUEST_KEY_BYTES_MAX)).is_ok());
        assert!(RequestKey::new("k".repeat(REQUEST_KEY_BYTES_MAX + 1)).is_err());
        assert!(RequestKey::new("line\nbreak").is_err());
        assert!(WorkerId::new("w".repeat(WORKER_ID_BYTES_MAX + 1)).is_err());
        let algorithm = |text: String| FingerprintAlgorithm::new(text);
        assert!(algorithm("a".repeat(FINGERPRINT_ALGORITHM_BYTES_MAX)).is_ok());
        assert!(algorithm("a".repeat(FINGERPRINT_ALGORITHM_BYTES_MAX + 1)).is_err());
        assert!(algorithm("dct256.1".into()).is_ok());
        assert!(algorithm("a\0b".into()).is_err() && algorithm(String::new()).is_err());
    }

    #[test]
    fn a_bad_job_id_says_what_a_good_one_looks_like() {
        let error = "nonsense".parse::<JobId>().unwrap_err();
        assert!(error.to_string().starts_with("job id must be a UUID"));
    }
}
