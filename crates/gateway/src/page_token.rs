//! The place in a list, as text that clients hand back. Opaque to them, versioned, and bound to the
//! query: with other filters it would skip or repeat jobs.
//!
//! It is checked, not secret: whoever makes one up sees no more than the query shows.

use assay_core::id::JobId;
use assay_core::port::{Cursor, ListRequest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

const VERSION: u8 = 1;
const CHECK_BYTES: usize = 8;
const TOKEN_BYTES: usize = 1 + 8 + 16 + CHECK_BYTES;

/// A text that is no page token of this query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be the next_page_token of the page before, with the same filters; leave it empty for the first page"
)]
pub(crate) struct InvalidToken;

/// Writes the place behind which the next page of `query` begins. `beside` are filters that the query does not hold.
pub(crate) fn write(cursor: Cursor, query: &ListRequest, beside: &str) -> String {
    let mut token = Vec::with_capacity(TOKEN_BYTES);
    token.push(VERSION);
    token.extend(cursor.created_at_ms.to_be_bytes());
    token.extend(cursor.job_id.as_bytes());
    let check = check(&token, query, beside);
    token.extend(check);
    URL_SAFE_NO_PAD.encode(token)
}

/// Reads what [`write()`] wrote for the same query and the same filters beside it.
pub(crate) fn read(text: &str, query: &ListRequest, beside: &str) -> Result<Cursor, InvalidToken> {
    let token = URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidToken)?;
    let (place, checked) = token
        .split_at_checked(TOKEN_BYTES - CHECK_BYTES)
        .ok_or(InvalidToken)?;
    if checked != check(place, query, beside) {
        return Err(InvalidToken);
    }
    let (version, place) = place.split_first().ok_or(InvalidToken)?;
    let (created, id) = place.split_at_checked(8).ok_or(InvalidToken)?;
    if *version != VERSION {
        return Err(InvalidToken);
    }
    Ok(Cursor {
        created_at_ms: u64::from_be_bytes(created.try_into().map_err(|_| InvalidToken)?),
        job_id: JobId::from_bytes(id.try_into().map_err(|_| InvalidToken)?),
    })
}

/// Depends on the place and on everything of the query but the page size.
fn check(place: &[u8], query: &ListRequest, beside: &str) -> [u8; CHECK_BYTES] {
    let mut kinds: Vec<_> = query.kinds.iter().map(|kind| kind.as_str()).collect();
    let mut states: Vec<_> = query.states.iter().map(|state| state.as_str()).collect();
    // The order and number of equal filters do not change the list.
    kinds.sort_unstable();
    kinds.dedup();
    states.sort_unstable();
    states.dedup();
    let mut hash = Sha256::new();
    let mut field = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    field(place);
    field(query.tenant.as_str().as_bytes());
    field(kinds.join(",").as_bytes());
    field(states.join(",").as_bytes());
    for bound in [query.created_from_ms, query.created_before_ms] {
        field(&bound.map_or_else(Vec::new, |ms| ms.to_be_bytes().to_vec()));
    }
    if !beside.is_empty() {
        field(beside.as_bytes());
    }
    let mut check = [0; CHECK_BYTES];
    check.copy_from_slice(&hash.finalize()[..CHECK_BYTES]);
    check
}

#[cfg(test)]
mod tests {
    use assay_core::id::Tenant;
    use assay_core::kind::JobKind;
    use assay_core::state::JobState;

    use super::*;

    fn cursor() -> Cursor {
        Cursor {
            created_at_ms: 1_700_000_000_000,
            job_id: JobId::from_bytes([9; 16]),
        }
    }

    fn query() -> ListRequest {
        ListRequest {
            tenant: Tenant::default(),
            kinds: vec![JobKind::Batch, JobKind::RuvProfile],
            states: vec![JobState::Failed],
            created_from_ms: Some(5),
            created_before_ms: None,
            page_size: 50,
            cursor: None,
        }
    }

    #[test]
    fn a_token_comes_back_with_its_own_query() {
        let token = write(cursor(), &query(), "");
        assert_eq!(read(&token, &query(), ""), Ok(cursor()));
        let same: [fn(&mut ListRequest); 2] =
            [|query| query.page_size = 7, |query| query.kinds.reverse()];
        for change in same {
            let mut query = query();
            change(&mut query);
            assert_eq!(read(&token, &query, ""), Ok(cursor()));
        }
    }

    #[test]
    fn a_token_of_another_query_is_refused() {
        let token = write(cursor(), &query(), "");
        let others: [fn(&mut ListRequest); 5] = [
            |query| query.tenant = Tenant::new("other").unwrap(),
            |query| query.kinds.clear(),
            |query| query.states.push(JobState::Queued),
            |query| query.created_from_ms = None,
            |query| query.created_before_ms = Some(5),
        ];
        for change in others {
            let mut query = query();
            change(&mut query);
            assert_eq!(read(&token, &query, ""), Err(InvalidToken));
        }
    }

    #[test]
    fn a_token_of_other_filters_beside_the_query_is_refused() {
        for (written, others) in [("", ["orphan", "a,b"]), ("orphan", ["", "orphans"])] {
            let token = write(cursor(), &query(), written);
            assert_eq!(read(&token, &query(), written), Ok(cursor()));
            for other in others {
                assert_eq!(read(&token, &query(), other), Err(InvalidToken));
            }
        }
    }

    #[test]
    fn a_damaged_token_is_refused() {
        let token = write(cursor(), &query(), "");
        for index in 0..token.len() {
            let mut damaged = token.clone().into_bytes();
            damaged[index] = if damaged[index] == b'A' { b'B' } else { b'A' };
            let damaged = String::from_utf8(damaged).unwrap();
            assert_eq!(read(&damaged, &query(), ""), Err(InvalidToken), "{damaged}");
        }
        for text in [
            "",
            "AAAA",
            &token[..token.len() - 4],
            &format!("{token}AAAA"),
        ] {
            assert_eq!(read(text, &query(), ""), Err(InvalidToken), "{text}");
        }
    }
}
