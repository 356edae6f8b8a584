//! Which dead letters a command is about.

use assay_api::v1;
use assay_api::v1::DeadLetterReason;
use assay_gateway::json;

use crate::moment::Moment;

/// What a reason must be.
const REASONS: &str =
    "it must be one of attempts_exhausted, crash_loop, deadline_exceeded, undecodable, orphan";

/// Says which; all if nothing is said.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct FilterArgs {
    /// Only of this kind, such as content-verification; may be repeated
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<String>,
    /// Only for this reason, such as orphan or crash-loop; may be repeated
    #[arg(long = "reason", value_name = "REASON", value_parser = reason)]
    reasons: Vec<DeadLetterReason>,
    /// Only of jobs submitted at or after this time, such as 2026-01-31T12:00:00Z, or 12h for so long ago
    #[arg(long, value_name = "TIME")]
    since: Option<Moment>,
    /// Only of jobs submitted before this time
    #[arg(long, value_name = "TIME")]
    until: Option<Moment>,
}

impl FilterArgs {
    /// Whether nothing is said.
    pub(crate) fn is_empty(&self) -> bool {
        let Self {
            kinds,
            reasons,
            since,
            until,
        } = self;
        kinds.is_empty() && reasons.is_empty() && since.is_none() && until.is_none()
    }

    /// The same on the wire, if it is now `now_ms`.
    pub(crate) fn wire(&self, now_ms: u64) -> v1::DeadLetterFilter {
        let reasons = self.reasons.iter();
        v1::DeadLetterFilter {
            kinds: self.kinds.clone(),
            reasons: reasons.map(|reason| i32::from(*reason)).collect(),
            created_from: self.since.map(|moment| moment.time(now_ms)),
            created_before: self.until.map(|moment| moment.time(now_ms)),
        }
    }
}

/// Reads a reason as a person types it.
fn reason(word: &str) -> Result<DeadLetterReason, String> {
    json::dead_letter_reason(&word.replace('-', "_")).ok_or_else(|| REASONS.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::state;

    #[test]
    fn every_reason_of_the_contract_is_named_and_read() {
        let known = (1..).map_while(|number| DeadLetterReason::try_from(number).ok());
        let mut count = 0;
        for one in known {
            let word = state::dead_letter(one.into()).unwrap();
            assert_eq!(reason(&word.replace('_', "-")), Ok(one));
            assert!(REASONS.contains(&word), "{word}");
            count += 1;
        }
        assert_eq!(count, REASONS.split(", ").count());
        assert_eq!(reason("unspecified"), Err(REASONS.to_owned()));
    }

    #[test]
    fn a_filter_counts_from_now() {
        let filter = FilterArgs {
            kinds: vec!["batch".to_owned()],
            reasons: vec![DeadLetterReason::Orphan],
            since: Some(Moment::Ago { ms: 1_000 }),
            until: None,
        };
        let wire = filter.wire(61_000);
        assert_eq!(wire.created_from.unwrap().seconds, 60);
        assert_eq!((wire.kinds.len(), wire.created_before), (1, None));
        assert_eq!(wire.reasons, [i32::from(DeadLetterReason::Orphan)]);
        assert!(!filter.is_empty() && FilterArgs::default().is_empty());
    }
}
