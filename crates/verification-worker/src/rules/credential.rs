//! From a checked credential to evidence: who vouches for what, and how much that weighs.
//!
//! | credential | synthetic | manipulated |
//! |---|---|---|
//! | trusted: made by a generator as a whole | +4 | 0 |
//! | trusted: a generator made or changed a part | +1 | +3 |
//! | trusted: captured, nothing visible changed | -3 | -2 |
//! | trusted: captured, visibly edited without a generator | -3 | 0 |
//! | trusted: captured, but only parts of the file are signed, or an ingredient is broken | 0 | 0 |
//! | valid, signer not trusted: says a generator took part | +1.5 | 0 |
//! | valid, signer not trusted: says captured | 0 | 0 |
//! | signed for other bytes | 0 | +0.7 |
//! | signature or parts do not fit | 0 | +1 |
//!
//! The figures are log10 likelihood ratios. Absence is no evidence: most platforms remove credentials.

use assay_forensics::{CoverageItem, CoverageStatus, Evidence, Fact, Family, LogRatios};
use assay_provenance::{Code, Report, State};

use super::Findings;
use super::claim::{Claim, claim_of};
use crate::stages::{Unread, UnreadClass};

/// The question of coverage that credentials answer.
pub(crate) const CONTENT_CREDENTIALS: &str = "content_credentials";
/// The validator's remark on a hash that passes over further ranges of bytes.
const ADDITIONAL_EXCLUSIONS: &str = "assertion.dataHash.additionalExclusionsPresent";
/// The evidence's id.
const ID: &str = "c2pa.credential";

const GENERATED: LogRatios = LogRatios {
    synthetic: 4.0,
    manipulated: 0.0,
};
const PARTLY_GENERATED: LogRatios = LogRatios {
    synthetic: 1.0,
    manipulated: 3.0,
};
const CAPTURED: LogRatios = LogRatios {
    synthetic: -3.0,
    manipulated: -2.0,
};
const CAPTURED_AND_EDITED: LogRatios = LogRatios {
    synthetic: -3.0,
    manipulated: 0.0,
};
const SAYS_GENERATED: LogRatios = LogRatios {
    synthetic: 1.5,
    manipulated: 0.0,
};
const ALTERED_AFTER_SIGNING: LogRatios = LogRatios {
    synthetic: 0.0,
    manipulated: 0.7,
};
const CREDENTIAL_TAMPERED: LogRatios = LogRatios {
    synthetic: 0.0,
    manipulated: 1.0,
};

const SIGNER_CAVEAT: &str = "A signature proves who speaks, not that it is so: keys get stolen, and a camera can be held at a screen.";
const STRANGER_CAVEAT: &str =
    "No trust list vouches for all who signed; anybody can sign such a claim.";
const REWRITE_CAVEAT: &str =
    "Software that rewrites metadata after signing has the same effect as a changed picture.";

/// What a report on credentials means.
pub(crate) fn findings(report: &Report) -> Findings {
    let mut findings = match &report.state {
        State::Absent => none(
            "absent",
            "The file carries no credential. Most platforms remove them.",
        ),
        State::NotApplicable { reason } => {
            silent("not_applicable", reason, CoverageStatus::NotApplicable)
        }
        State::Skipped { reason } => silent("skipped", reason, CoverageStatus::NotTested),
        State::RemoteNotFetched { url } => remote(url),
        State::Invalid => invalid(report),
        State::Valid { .. } => valid(report),
        State::Trusted { .. } => trusted(report),
        // A state of a later version of the crate says nothing until a rule is written for it.
        _ => silent(
            "unknown",
            "no rule for this state of a credential",
            CoverageStatus::NotTested,
        ),
    };
    findings.history.extend(ingredient_facts(report));
    findings
}

/// What it means that a credential could not be read.
pub(crate) fn unread(unread: &Unread) -> Findings {
    let mut findings = silent("unread", &unread.why, CoverageStatus::Aborted);
    if unread.class == UnreadClass::Credential {
        findings
            .history
            .push(Fact::new("credential_unreadable", &unread.why));
    }
    findings
}

fn none(finding: &str, explain: &str) -> Findings {
    silent(finding, explain, CoverageStatus::Tested)
}

/// Findings that say nothing, and how the question stands.
pub(crate) fn silent(finding: &str, why: &str, status: CoverageStatus) -> Findings {
    let mut evidence = Evidence::not_applicable(ID, Family::ProvenanceCrypto, why);
    evidence.finding = finding.to_owned();
    Findings::of(
        evidence,
        CoverageItem::new(CONTENT_CREDENTIALS, status, why),
    )
}

fn remote(url: &str) -> Findings {
    let why = "the file points to a credential elsewhere, and none is ever fetched";
    let mut findings = silent("remote_not_fetched", why, CoverageStatus::NotTested);
    findings.history.push(Fact::new(
        "credential_elsewhere",
        format!("said to be at {url}"),
    ));
    findings
}

fn tested(report: &Report, evidence: Evidence) -> Findings {
    let why = if report.cut {
        "the credential was checked as a whole; its longest lists are not shown in full"
    } else {
        "the credential was read and its signatures and hashes were checked"
    };
    Findings::of(
        evidence,
        CoverageItem::new(CONTENT_CREDENTIALS, CoverageStatus::Tested, why),
    )
}

fn weighing(finding: &str, explain: &str, ratios: LogRatios) -> Evidence {
    // A rule's figure is its cap: it follows from cryptography and from how forgeable the claim is.
    let cap = ratios.synthetic.abs().max(ratios.manipulated.abs());
    Evidence::neutral(ID, Family::ProvenanceCrypto, finding, explain).weighing(ratios, cap)
}

fn invalid(report: &Report) -> Findings {
    let failures = report.failures;
    let tampered = failures.claim_signature || failures.hashed_uri;
    let (finding, explain, ratios) = if tampered {
        let explain = "Parts of the credential do not fit each other or their signature.";
        ("credential_tampered", explain, CREDENTIAL_TAMPERED)
    } else if failures.hash_mismatch {
        let explain = "The credential was signed for other bytes than these.";
        ("altered_after_signing", explain, ALTERED_AFTER_SIGNING)
    } else {
        (
            "invalid",
            "A check of the credential failed; it vouches for nothing.",
            LogRatios::default(),
        )
    };
    let mut evidence = weighing(finding, explain, ratios);
    if failures.hash_mismatch {
        evidence = evidence.caveat(REWRITE_CAVEAT);
    }
    let mut findings = tested(report, evidence);
    // Where the signature itself does not hold, nobody is known to have signed any bytes.
    findings.binding_failed = failures.hash_mismatch && !tampered;
    findings.history = failure_facts(report);
    findings
}

fn failure_facts(report: &Report) -> Vec<Fact> {
    let failures = report.failures;
    let tampered = failures.claim_signature || failures.hashed_uri;
    let table = [
        (
            failures.hash_mismatch,
            "altered_after_signing",
            "the hash in the credential is not that of this file",
        ),
        (
            tampered,
            "credential_tampered",
            "the signature or a part of the credential does not fit",
        ),
        (
            failures.credential_expired,
            "credential_expired",
            "the certificate was not valid at the time",
        ),
        (
            failures.credential_revoked,
            "credential_revoked",
            "the certificate was revoked",
        ),
    ];
    let mut facts: Vec<Fact> = table
        .into_iter()
        .filter(|row| row.0)
        .map(|(_, fact, detail)| Fact::new(fact, detail))
        .collect();
    if failures.other || facts.is_empty() {
        let failed = report
            .codes
            .iter()
            .filter(|code| code.level == assay_provenance::Level::Failure);
        let names: Vec<&str> = failed.map(|code| code.code.as_str()).collect();
        facts.push(Fact::new("credential_invalid", names.join(", ")));
    }
    facts
}

fn valid(report: &Report) -> Findings {
    let evidence = match claim_of(report) {
        Claim::Generated | Claim::PartlyGenerated => weighing(
            "says_generated",
            "A valid credential says that a generator took part, but no list vouches for all who signed it.",
            SAYS_GENERATED,
        ),
        Claim::Captured | Claim::CapturedAndEdited => weighing(
            "says_captured",
            "A valid credential says that this was captured, but no list vouches for all who signed it.",
            LogRatios::default(),
        ),
        Claim::Nothing => weighing(
            "valid",
            "A valid credential that says nothing about how the media came to be.",
            LogRatios::default(),
        ),
    };
    tested(report, evidence.caveat(STRANGER_CAVEAT))
}

fn trusted(report: &Report) -> Findings {
    let (finding, explain, ratios) = match claim_of(report) {
        Claim::Generated => (
            "generated",
            "A trusted signer says that a generator made this.",
            GENERATED,
        ),
        Claim::PartlyGenerated => (
            "partly_generated",
            "A trusted signer says that a generator made or changed a part.",
            PARTLY_GENERATED,
        ),
        Claim::Captured | Claim::CapturedAndEdited if !report.is_trusted_throughout() => {
            let explain = "A trusted signer says that this was captured, but an ingredient's credential is broken.";
            (
                "captured_over_broken_ingredient",
                explain,
                LogRatios::default(),
            )
        }
        Claim::Captured | Claim::CapturedAndEdited if leaves_out_more(report) => {
            let explain = "A trusted signer says that this was captured, but signed only parts of the file: the others \
                           can be changed.";
            ("captured_in_part", explain, LogRatios::default())
        }
        Claim::Captured => (
            "captured",
            "A trusted signer says that this was captured and not visibly changed.",
            CAPTURED,
        ),
        Claim::CapturedAndEdited => {
            let explain =
                "A trusted signer says that this was captured and edited, without a generator.";
            ("captured_and_edited", explain, CAPTURED_AND_EDITED)
        }
        Claim::Nothing => {
            let explain =
                "A trusted signer vouches for these bytes, but not for how they came to be.";
            ("trusted", explain, LogRatios::default())
        }
    };
    tested(
        report,
        weighing(finding, explain, ratios).caveat(SIGNER_CAVEAT),
    )
}

/// Whether the signed hash passes over more of the file than the credential itself.
fn leaves_out_more(report: &Report) -> bool {
    let is_told = |code: &Code| code.code == ADDITIONAL_EXCLUSIONS;
    report.codes.iter().any(is_told)
}

/// One fact for all broken ingredients: the result lists them one by one.
fn ingredient_facts(report: &Report) -> Option<Fact> {
    if !report.failures.ingredient {
        return None;
    }
    let broken = report
        .ingredients
        .iter()
        .filter(|ingredient| ingredient.any_broken())
        .count();
    Some(Fact::new(
        "ingredient_broken",
        format!("{broken} of the media it was made from have a failed credential"),
    ))
}

#[cfg(test)]
mod tests;
