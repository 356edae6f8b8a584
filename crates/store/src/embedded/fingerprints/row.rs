//! How an entry of a log looks on disk. Every part has its size; the name of the algorithm is the rest.

use assay_core::id::{FingerprintAlgorithm, JobId, Tenant};
use assay_core::port::{ContentFingerprint, Logged};

use crate::form::Malformed;

/// The version of rows that this code writes, and the newest that it reads.
const ROW_VERSION: u8 = 1;
/// Between two texts of a key; can't occur in either.
const SEPARATOR: u8 = 0;

pub(super) const MISSING: Malformed = Malformed("a fingerprint is missing from its log");
const SHORT: Malformed = Malformed("a fingerprint is cut short");

/// Where a log has a position: `tenant 0 position`.
pub(super) fn position_key(tenant: &Tenant, position: u64) -> Vec<u8> {
    let tenant = tenant.as_str().as_bytes();
    [tenant, &[SEPARATOR], &position.to_be_bytes()].concat()
}

/// The position that a key of a log ends with.
pub(super) fn position_of(key: &[u8]) -> Result<u64, Malformed> {
    let position = key.last_chunk().ok_or(SHORT)?;
    Ok(u64::from_be_bytes(*position))
}

/// What a content is found by: `tenant 0 algorithm 0 content`.
pub(super) fn content_key(tenant: &Tenant, fingerprint: &ContentFingerprint) -> Vec<u8> {
    let (tenant, algorithm) = (tenant.as_str(), fingerprint.algorithm.as_str());
    [
        tenant.as_bytes(),
        &[SEPARATOR],
        algorithm.as_bytes(),
        &[SEPARATOR],
        &fingerprint.content,
    ]
    .concat()
}

/// The entry without its position, which is in its key.
pub(super) fn write(logged: &Logged) -> Vec<u8> {
    let fingerprint = &logged.fingerprint;
    [
        [ROW_VERSION].as_slice(),
        &logged.appended_at_ms.to_le_bytes(),
        fingerprint.job_id.as_bytes(),
        &fingerprint.content,
        &fingerprint.bits,
        fingerprint.algorithm.as_str().as_bytes(),
    ]
    .concat()
}

/// The entry at a position.
pub(super) fn read(position: u64, row: &[u8]) -> Result<Logged, Malformed> {
    let (version, row) = row.split_first().ok_or(SHORT)?;
    if *version != ROW_VERSION {
        return Err(Malformed("a fingerprint was written by a newer version"));
    }
    let (at_ms, row) = row.split_first_chunk().ok_or(SHORT)?;
    let (job_id, row) = row.split_first_chunk().ok_or(SHORT)?;
    let (content, row) = row.split_first_chunk().ok_or(SHORT)?;
    let (bits, row) = row.split_first_chunk().ok_or(SHORT)?;
    let algorithm = std::str::from_utf8(row).ok();
    let algorithm = algorithm.and_then(|name| FingerprintAlgorithm::new(name).ok());
    Ok(Logged {
        position,
        appended_at_ms: u64::from_le_bytes(*at_ms),
        fingerprint: ContentFingerprint {
            content: *content,
            algorithm: algorithm.ok_or(Malformed("the algorithm of a fingerprint has no name"))?,
            bits: *bits,
            job_id: JobId::from_bytes(*job_id),
        },
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn logged() -> Logged {
        Logged {
            position: 7,
            appended_at_ms: 1_700_000_000_000,
            fingerprint: ContentFingerprint {
                content: [1; 32],
                algorithm: FingerprintAlgorithm::new("dct256.1").unwrap(),
                bits: [2; 32],
                job_id: JobId::from_bytes([3; 16]),
            },
        }
    }

    #[test]
    fn a_row_gives_its_entry_back() {
        assert_eq!(read(7, &write(&logged())), Ok(logged()));
    }

    #[test]
    fn a_row_that_is_cut_or_newer_is_told() {
        let row = write(&logged());
        let shortest = row.len() - "dct256.1".len();
        for length in 0..=shortest {
            assert!(read(7, &row[..length]).is_err(), "{length}");
        }
        let newer = [[ROW_VERSION + 1].as_slice(), &row[1..]].concat();
        assert!(read(7, &newer).is_err());
        assert!(position_of(&[0; 7]).is_err());
    }

    #[test]
    fn positions_sort_as_numbers_and_tenants_do_not_run_into_each_other() {
        let tenant = |name: &str| Tenant::new(name).unwrap();
        let (a, ab) = (tenant("a"), tenant("ab"));
        assert!(position_key(&a, 255) < position_key(&a, 256));
        assert!(position_key(&a, u64::MAX) < position_key(&ab, 0));
        assert_eq!(position_of(&position_key(&ab, 256)), Ok(256));
    }

    proptest! {
        #[test]
        fn no_row_makes_it_panic(row in prop::collection::vec(any::<u8>(), 0..140)) {
            let _read = read(1, &row);
        }
    }
}
