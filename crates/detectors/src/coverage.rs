//! What detectors have tested, and what they have not.

use std::collections::BTreeMap;

use assay_forensics::{CoverageItem, CoverageStatus};

use crate::opinion::{Finding, FindingStatus, Opinion, Status};

/// How each question stands after the detectors were asked: once each, and as the detector says that got farthest with it.
/// They replace what the coverage of the analyses says of these questions. A detector that was not heard, so that nobody
/// knows which questions it would have answered, stands there under its own name.
#[must_use]
pub fn coverage(opinions: &[Opinion]) -> Vec<CoverageItem> {
    let mut items: BTreeMap<String, CoverageItem> = BTreeMap::new();
    for item in opinions.iter().flat_map(of_one) {
        let better = items
            .get(&item.question)
            .is_none_or(|known| rank(item.status) < rank(known.status));
        if better {
            items.insert(item.question.clone(), item);
        }
    }
    items.into_values().collect()
}

fn of_one(opinion: &Opinion) -> Vec<CoverageItem> {
    let Opinion {
        name, version, why, ..
    } = opinion;
    if opinion.findings.is_empty() {
        let status = match opinion.status {
            Status::NotApplicable => CoverageStatus::NotApplicable,
            Status::Ok
            | Status::Unstable
            | Status::Unavailable
            | Status::Timeout
            | Status::CircuitOpen
            | Status::Misconfigured => CoverageStatus::NotTested,
        };
        let why = format!("detector {name}: {} ({why})", opinion.status.as_str());
        let question = format!("detector.{name}");
        return vec![CoverageItem::new(&question, status, why)];
    }
    let item = |finding: &Finding| {
        let (status, said) = match finding.status {
            FindingStatus::Ok => (CoverageStatus::Tested, "has a score"),
            FindingStatus::Unstable => (CoverageStatus::NotTested, "cannot make up its mind"),
            FindingStatus::NotApplicable => {
                (CoverageStatus::NotApplicable, "finds nothing to look at")
            }
            FindingStatus::Abstained => (CoverageStatus::NotTested, "does not want to say"),
        };
        let why = format!("detector {name} {version} {said}");
        CoverageItem::new(finding.task.question(), status, why)
    };
    opinion.findings.iter().map(item).collect()
}

/// How far a test got, the farthest first.
fn rank(status: CoverageStatus) -> u8 {
    match status {
        CoverageStatus::Tested => 0,
        CoverageStatus::Aborted => 1,
        CoverageStatus::NotTested => 2,
        CoverageStatus::NotApplicable => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::opinion::tests::{finding, opinion};
    use crate::task::Task;

    #[test]
    fn a_question_stands_as_who_got_farthest_says() {
        let heard = opinion(vec![
            finding(Task::AiGenerated, FindingStatus::Ok, Some(0.5)),
            finding(Task::FaceSwap, FindingStatus::NotApplicable, None),
        ]);
        let other = opinion(vec![
            finding(Task::AiGenerated, FindingStatus::Unstable, None),
            finding(Task::FaceSwap, FindingStatus::Abstained, None),
        ]);
        for opinions in [[heard.clone(), other.clone()], [other, heard]] {
            let items = coverage(&opinions);
            let stands: Vec<_> = items
                .iter()
                .map(|item| (item.question.as_str(), item.status))
                .collect();
            assert_eq!(
                stands,
                [
                    ("ai_generated_pixels", CoverageStatus::Tested),
                    ("face_swap", CoverageStatus::NotTested)
                ]
            );
        }
    }

    #[test]
    fn who_was_not_heard_stands_there_by_name() {
        let away = Opinion::none(
            "acme",
            false,
            Status::CircuitOpen,
            "it is tried again later",
        );
        let [item] = coverage(&[away]).try_into().unwrap();
        assert_eq!(item.question, "detector.acme");
        assert_eq!(item.status, CoverageStatus::NotTested);
        assert_eq!(
            item.why,
            "detector acme: circuit_open (it is tried again later)"
        );
    }
}
