//! Which list vouches for the signer, and whether it may.

use c2pa::Reader;
use c2pa::validation_results::validation_codes as names;

use super::read;
use crate::code::{self, Code, Level};
use crate::error::Error;
use crate::ingredient::{Ingredient, Walk};
use crate::report::TrustedBy;
use crate::trust::{Anchors, TrustLists};

/// How the validator names the kind of list in its remark on a trusted signer.
const LISTS_BY_NAME: [(&str, TrustedBy); 3] = [
    ("System", TrustedBy::Official),
    ("User", TrustedBy::User),
    ("EndEntity", TrustedBy::Allowed),
];

/// Where signers stand by the lists of signers alone.
pub(super) struct Standing {
    /// The list that the signer of the media is on.
    pub(super) by: Option<TrustedBy>,
    /// An ingredient's signer is on none.
    pub(super) any_ingredient_untrusted: bool,
}

impl Standing {
    /// The validator keeps one set of authorities for signers and time-stamps, so an authority for time-stamps could vouch
    /// for a signer. A second look without the list for time-stamps shows who is trusted as a signer.
    pub(super) fn of(
        bytes: &[u8],
        mime: &str,
        lists: &TrustLists,
        codes: &mut [Code],
    ) -> Result<Self, Error> {
        let by = trusted_by(codes);
        if by.is_none() || !lists.any_time_stamps() {
            return Ok(Self {
                by,
                any_ingredient_untrusted: false,
            });
        }
        let again =
            read(bytes, mime, lists, Anchors::SignersOnly).map_err(super::cause::classify)?;
        let results = again.validation_results();
        let active = results
            .and_then(|results| results.active_manifest())
            .map(code::codes_of)
            .unwrap_or_default();
        let by = trusted_by(&active);
        if by.is_none() {
            distrust(codes);
        }
        Ok(Self {
            by,
            any_ingredient_untrusted: any_ingredient_untrusted(&again),
        })
    }
}

/// Whether the signer of any ingredient is on no list, found now or on record.
fn any_ingredient_untrusted(reader: &Reader) -> bool {
    let walk = Walk::new(reader);
    let found_now = walk.findings().any(is_untrusted);
    let active = reader.active_manifest().zip(reader.active_label());
    found_now
        || active.is_some_and(|(manifest, label)| {
            let ingredients = walk.run(manifest, label).ingredients;
            ingredients.iter().any(Ingredient::any_untrusted)
        })
}

fn trusted_by(codes: &[Code]) -> Option<TrustedBy> {
    let code = codes.iter().find(|code| is_trust(code))?;
    let remark = code.explanation.as_deref().unwrap_or_default();
    let list = LISTS_BY_NAME
        .into_iter()
        .find(|(name, _)| remark.contains(&format!("in {name} ")));
    Some(list.map_or(TrustedBy::Unknown, |(_, by)| by))
}

fn distrust(codes: &mut [Code]) {
    for code in codes.iter_mut().filter(|code| is_trust(code)) {
        code.code = names::SIGNING_CREDENTIAL_UNTRUSTED.to_owned();
        code.level = Level::Failure;
        code.explanation =
            Some("the certificate's authority is listed for time-stamps only".to_owned());
    }
}

/// The signer is on a list.
pub(crate) fn is_trust(code: &Code) -> bool {
    code.level == Level::Success && code.code == names::SIGNING_CREDENTIAL_TRUSTED
}

/// The signer is on none.
pub(crate) fn is_untrusted(code: &Code) -> bool {
    code.level == Level::Failure && code.code == names::SIGNING_CREDENTIAL_UNTRUSTED
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::Failures;

    fn code(name: &str, level: Level, remark: &str) -> Code {
        Code {
            code: name.into(),
            level,
            explanation: Some(remark.into()),
            subject: None,
        }
    }

    #[test]
    fn the_list_is_read_from_the_validators_remark() {
        let by = |remark: &str| {
            trusted_by(&[code(
                names::SIGNING_CREDENTIAL_TRUSTED,
                Level::Success,
                remark,
            )])
        };
        assert_eq!(
            by("signing certificate trusted, found in System trust anchors"),
            Some(TrustedBy::Official)
        );
        assert_eq!(
            by("signing certificate trusted, found in User trust anchors"),
            Some(TrustedBy::User)
        );
        assert_eq!(
            by("signing certificate trusted, found in EndEntity trust anchors"),
            Some(TrustedBy::Allowed)
        );
        assert_eq!(by("trusted for a new reason"), Some(TrustedBy::Unknown));
        assert_eq!(
            trusted_by(&[code(
                names::SIGNING_CREDENTIAL_UNTRUSTED,
                Level::Failure,
                "in User trust"
            )]),
            None
        );
    }

    #[test]
    fn a_withdrawn_trust_is_a_failure_of_the_signer_only() {
        let mut codes = vec![
            code(
                names::SIGNING_CREDENTIAL_TRUSTED,
                Level::Success,
                "found in System trust anchors",
            ),
            code(names::CLAIM_SIGNATURE_VALIDATED, Level::Success, ""),
        ];
        distrust(&mut codes);
        let failures = Failures::of(codes.iter());
        assert!(failures.signer_untrusted && !failures.active_unsound());
        assert_eq!(codes[1].level, Level::Success);
    }
}
