//! The credential as a result shows it: shorter than the report, and bounded.

use assay_provenance::{
    Action, Ingredient, Level, ListSummary, Report, SignerCheck, State, TrustedBy,
};

use super::implied_by;
use crate::result::{C2paSummary, Declaration, IngredientSummary, TrustListSummary};
use crate::stages::CredentialFound;

/// Most ingredients shown in one result.
pub(crate) const INGREDIENTS_SHOWN_MAX: usize = 200;
/// Most failed checks shown of one ingredient.
pub(crate) const FAILURES_SHOWN_MAX: usize = 16;

/// The state in a result where a credential could not be read.
const UNREAD: &str = "unread";

pub(super) fn summarise(credential: Option<CredentialFound>, now_s: i64) -> C2paSummary {
    match credential {
        Some(CredentialFound::Report(report)) => of_report(*report, now_s),
        Some(CredentialFound::Unread(unread)) => C2paSummary {
            state: Some(UNREAD.to_owned()),
            reason: Some(unread.why),
            ..C2paSummary::default()
        },
        None => C2paSummary::default(),
    }
}

fn of_report(report: Report, now_s: i64) -> C2paSummary {
    let (state, reason) = words_of(&report.state);
    let mut ingredients = Vec::new();
    let all_shown = flatten(&report.ingredients, 1, &mut ingredients);
    C2paSummary {
        present: report.present,
        state: Some(state.to_owned()),
        reason,
        trust_lists: report
            .trust_lists
            .iter()
            .map(|list| trust_list(list, now_s))
            .collect(),
        signer: report.signer,
        claim_generator: report.claim_generator,
        title: report.title,
        signals: report.present.then_some(report.signals),
        actions: report.actions,
        ingredients,
        codes: report.codes,
        cut: report.cut || !all_shown,
    }
}

/// The word for a state, and what there is to say about it.
fn words_of(state: &State) -> (&'static str, Option<String>) {
    match state {
        State::Absent => ("absent", None),
        State::NotApplicable { reason } => ("not_applicable", Some(reason.clone())),
        State::Skipped { reason } => ("skipped", Some(reason.clone())),
        State::RemoteNotFetched { url } => {
            ("remote_not_fetched", Some(format!("said to be at {url}")))
        }
        State::Invalid => ("invalid", None),
        State::Valid { signer } => ("valid", Some(check_words(*signer).to_owned())),
        State::Trusted { by } => ("trusted", Some(trust_words(*by).to_owned())),
        _ => ("unknown", None),
    }
}

fn check_words(check: SignerCheck) -> &'static str {
    match check {
        SignerCheck::NotChecked => "signer not checked: no trust list is loaded",
        SignerCheck::Untrusted => "the signer is on none of the loaded trust lists",
        SignerCheck::IngredientUntrusted => {
            "the signer of an ingredient is on none of the loaded trust lists"
        }
    }
}

fn trust_words(by: TrustedBy) -> &'static str {
    match by {
        TrustedBy::Official => "by the official list",
        TrustedBy::User => "by the operator's list",
        TrustedBy::Allowed => "by the operator's list of single signers",
        TrustedBy::Unknown => "by a loaded list",
    }
}

fn trust_list(list: &ListSummary, now_s: i64) -> TrustListSummary {
    TrustListSummary {
        label: list.label(),
        certificates: list.certificates,
        sha256: list.sha256.clone(),
        warning: list.warning(now_s),
    }
}

/// Parents before what they were made from. False if the bound left something out.
fn flatten(ingredients: &[Ingredient], depth: u32, shown: &mut Vec<IngredientSummary>) -> bool {
    for ingredient in ingredients {
        if shown.len() == INGREDIENTS_SHOWN_MAX {
            return false;
        }
        shown.push(summary_of(ingredient, depth));
        if !flatten(&ingredient.ingredients, depth + 1, shown) {
            return false;
        }
    }
    true
}

fn summary_of(ingredient: &Ingredient, depth: u32) -> IngredientSummary {
    let codes = ingredient.recorded.iter().chain(&ingredient.found_now);
    let failed = codes
        .filter(|code| code.level == Level::Failure)
        .map(|code| code.code.clone());
    let signer = ingredient.signer.as_ref();
    IngredientSummary {
        depth,
        title: ingredient.title.clone(),
        format: ingredient.format.clone(),
        relationship: ingredient.relationship,
        has_credential: ingredient.manifest.is_some(),
        signer: signer
            .and_then(|signer| signer.common_name.clone().or_else(|| signer.issuer.clone())),
        broken: ingredient.broken,
        failures: failed.take(FAILURES_SHOWN_MAX).collect(),
        signals: ingredient.signals.clone(),
    }
}

/// What the active manifest declares as sources. Signed if the signature holds, whoever signed.
pub(super) fn declarations(credential: Option<&CredentialFound>) -> Vec<Declaration> {
    let Some(CredentialFound::Report(report)) = credential else {
        return Vec::new();
    };
    let signed = matches!(report.state, State::Valid { .. } | State::Trusted { .. });
    report
        .actions
        .iter()
        .filter_map(|action| declaration_of(action, signed))
        .collect()
}

fn declaration_of(action: &Action, signed: bool) -> Option<Declaration> {
    let source_type = action.digital_source_type.as_ref()?;
    Some(Declaration {
        rule: "c2pa_source_type".to_owned(),
        location: format!("c2pa.actions.{}", action.action),
        value: source_type.clone(),
        implies: implied_by(source_type),
        signed,
    })
}

#[cfg(test)]
mod tests {
    use assay_provenance::{Relationship, Signals};

    use super::*;

    fn ingredient(ingredients: Vec<Ingredient>) -> Ingredient {
        Ingredient {
            title: None,
            format: None,
            relationship: Relationship::ParentOf,
            manifest: None,
            signer: None,
            recorded: Vec::new(),
            found_now: Vec::new(),
            broken: false,
            signals: Signals::default(),
            actions: Vec::new(),
            ingredients,
        }
    }

    #[test]
    fn ingredients_are_flat_in_depth_first_order() {
        let tree = [
            ingredient(vec![ingredient(Vec::new())]),
            ingredient(Vec::new()),
        ];
        let mut shown = Vec::new();
        assert!(flatten(&tree, 1, &mut shown));
        let depths: Vec<u32> = shown.iter().map(|ingredient| ingredient.depth).collect();
        assert_eq!(depths, [1, 2, 1]);
    }

    #[test]
    fn ingredients_are_shown_up_to_the_bound_and_the_cut_is_told() {
        for (count, all) in [
            (INGREDIENTS_SHOWN_MAX, true),
            (INGREDIENTS_SHOWN_MAX + 1, false),
        ] {
            let mut shown = Vec::new();
            assert_eq!(
                flatten(&vec![ingredient(Vec::new()); count], 1, &mut shown),
                all
            );
            assert_eq!(shown.len(), INGREDIENTS_SHOWN_MAX);
        }
    }

    #[test]
    fn failed_checks_are_shown_up_to_the_bound() {
        let failed = |name: String| assay_provenance::Code {
            code: name,
            level: Level::Failure,
            explanation: None,
            subject: None,
        };
        let mut broken = ingredient(Vec::new());
        broken.recorded = (0..=FAILURES_SHOWN_MAX)
            .map(|index| failed(index.to_string()))
            .collect();
        assert_eq!(summary_of(&broken, 1).failures.len(), FAILURES_SHOWN_MAX);
        broken.recorded.pop();
        assert_eq!(summary_of(&broken, 1).failures.len(), FAILURES_SHOWN_MAX);
        broken.recorded.pop();
        assert_eq!(
            summary_of(&broken, 1).failures.len(),
            FAILURES_SHOWN_MAX - 1
        );
    }
}
