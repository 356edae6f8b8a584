//! From bytes to a report.

mod cause;
pub(crate) mod standing;

use std::io::Cursor;

use c2pa::{Context, Manifest, Reader, ValidationState};

use crate::action::Declared;
use crate::code::{self, Code, Failures};
use crate::error::Error;
use crate::ingredient::{self, Ingredient, Walk};
use crate::inspect::standing::Standing;
use crate::report::{Report, Signer, SignerCheck, State, Thumbnail, TrustedBy};
use crate::rubric::Signals;
use crate::trust::{Anchors, TrustLists};
use crate::{clip, tiff};

/// Largest picture taken out of a credential, in bytes.
const THUMBNAIL_BYTES_MAX: usize = 256 * 1024;

/// Reads and validates the credential of `bytes`.
///
/// `mime` is a hint: where the first bytes name a container, they win. Certificates are checked at the time of a
/// trusted time-stamp, else at the machine's time of day.
///
/// # Errors
/// [`Error::CorruptMedia`] if the container cannot be walked, [`Error::UnreadableCredential`] if there is a credential
/// that cannot be parsed, [`Error::OverLimit`] if a bound of the parser was hit, [`Error::Validator`] for anything
/// that is not the file's doing. A credential that fails validation is a report, not an error.
pub fn inspect(bytes: &[u8], mime: &str, lists: &TrustLists) -> Result<Report, Error> {
    if let Some(reason) = tiff::reason_to_skip(bytes) {
        return Ok(Report::without_credential(
            State::Skipped { reason },
            lists.summaries(),
        ));
    }
    match read(bytes, mime, lists, Anchors::WithTimeStamps) {
        Ok(reader) => describe(&reader, bytes, mime, lists),
        Err(error) => Ok(Report::without_credential(
            cause::state_without_credential(error)?,
            lists.summaries(),
        )),
    }
}

fn read(
    bytes: &[u8],
    mime: &str,
    lists: &TrustLists,
    anchors: Anchors,
) -> Result<Reader, c2pa::Error> {
    let context = Context::new().with_settings(lists.settings(anchors))?;
    Reader::from_context(context).with_stream(mime, Cursor::new(bytes))
}

fn describe(
    reader: &Reader,
    bytes: &[u8],
    mime: &str,
    lists: &TrustLists,
) -> Result<Report, Error> {
    let walk = Walk::new(reader);
    let mut codes = reader
        .validation_results()
        .and_then(|results| results.active_manifest())
        .map(code::codes_of)
        .unwrap_or_default();
    let any_ingredient_unsound = walk.findings().any(Code::is_unsound);
    let signers = Standing::of(bytes, mime, lists, &mut codes)?;
    let mut any_ingredient_untrusted =
        signers.any_ingredient_untrusted || walk.findings().any(standing::is_untrusted);
    let mut failures = Failures::of(codes.iter());
    failures.ingredient = any_ingredient_unsound;

    let state = state_of(reader, lists, &codes, signers.by);
    let mut report = Report::without_credential(state, lists.summaries());
    report.present = true;
    report.claim_thumbnail = thumbnail_of(reader, failures);
    report.failures = failures;
    if let (Some(manifest), Some(label)) = (reader.active_manifest(), reader.active_label()) {
        fill(&mut report, manifest, label);
        let walked = walk.run(manifest, label);
        report.failures.ingredient |= walked.ingredients.iter().any(Ingredient::any_broken);
        any_ingredient_untrusted |= walked.ingredients.iter().any(Ingredient::any_untrusted);
        report.ingredients = walked.ingredients;
        codes.extend(walked.unplaced);
        report.cut |= walked.cut;
    }
    if any_ingredient_untrusted && !failures.signer_untrusted {
        report.state = over_untrusted_ingredient(report.state);
    }
    report.cut |= code::bound(&mut codes);
    report.codes = codes;
    Ok(report)
}

/// How a credential stands whose signer is on a list, if that of an ingredient is on none.
fn over_untrusted_ingredient(state: State) -> State {
    let signer = SignerCheck::IngredientUntrusted;
    match state {
        State::Trusted { .. }
        | State::Valid {
            signer: SignerCheck::Untrusted | SignerCheck::IngredientUntrusted,
        } => State::Valid { signer },
        State::Absent
        | State::NotApplicable { .. }
        | State::Skipped { .. }
        | State::RemoteNotFetched { .. }
        | State::Invalid
        | State::Valid {
            signer: SignerCheck::NotChecked,
        } => state,
    }
}

fn fill(report: &mut Report, manifest: &Manifest, label: &str) {
    let declared = Declared::of(manifest);
    report.manifest = Some(clip(label));
    report.title = manifest.title().map(clip);
    report.signer = Signer::of(manifest);
    report.claim_generator = claim_generator_of(manifest);
    report.signals = Signals::of(&declared, ingredient::any_without_credential(manifest));
    report.cut |= declared.cut;
    report.actions = declared.actions;
}

fn state_of(reader: &Reader, lists: &TrustLists, codes: &[Code], by: Option<TrustedBy>) -> State {
    if reader.validation_state() == ValidationState::Invalid || codes.iter().any(Code::is_unsound) {
        return State::Invalid;
    }
    if !lists.any_signers() {
        return State::Valid {
            signer: SignerCheck::NotChecked,
        };
    }
    match (reader.validation_state(), by) {
        (ValidationState::Trusted, Some(by)) => State::Trusted { by },
        _ => State::Valid {
            signer: SignerCheck::Untrusted,
        },
    }
}

/// The picture for comparison outlives a changed picture around it, not a doubt about the credential itself.
fn thumbnail_of(reader: &Reader, failures: Failures) -> Option<Thumbnail> {
    if failures.claim_signature
        || failures.hashed_uri
        || failures.credential_revoked
        || failures.other
    {
        return None;
    }
    let (format, picture) = reader.active_manifest()?.thumbnail()?;
    (picture.len() <= THUMBNAIL_BYTES_MAX).then(|| Thumbnail::new(format, &picture))
}

fn claim_generator_of(manifest: &Manifest) -> Option<String> {
    let listed = manifest
        .claim_generator_info
        .as_ref()
        .and_then(|list| list.first());
    let name = listed.map(|info| match &info.version {
        Some(version) => format!("{} {version}", info.name),
        None => info.name.clone(),
    });
    name.or_else(|| manifest.claim_generator().map(str::to_owned))
        .map(|name| clip(&name))
}
