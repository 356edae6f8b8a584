//! Whether a detector means what it says: what it says of a picture that was saved again or made smaller must be what it
//! said of the picture.

/// How far scores of one picture's variants may lie apart.
pub const SCORE_RANGE_MAX: f64 = 0.3;
/// Differences of scores are taken to be equal within so much.
const ROUNDING: f64 = 1e-9;

/// What a detector said of one variant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Said {
    /// 0 to 1.
    pub(crate) score: f64,
    /// What that weighs.
    pub(crate) log10_lr: f64,
}

/// Why what was said of the variants does not agree, for people; nothing if it does.
pub(crate) fn disagreement(said: &[Said]) -> Option<String> {
    let scores = said.iter().map(|said| said.score);
    let (least, most) = scores.fold((1.0_f64, 0.0_f64), |(least, most), score| {
        (least.min(score), most.max(score))
    });
    if most - least > SCORE_RANGE_MAX + ROUNDING {
        return Some(format!(
            "saved again or made smaller, the picture scores from {least:.2} to {most:.2}"
        ));
    }
    let for_it = said.iter().any(|said| said.log10_lr > 0.0);
    let against_it = said.iter().any(|said| said.log10_lr < 0.0);
    (for_it && against_it)
        .then(|| "saved again or made smaller, the picture speaks for the other side".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(scores: &[f64]) -> bool {
        let said = |&score: &f64| Said {
            score,
            log10_lr: (score / (1.0 - score)).log10(),
        };
        disagreement(&scores.iter().map(said).collect::<Vec<_>>()).is_some()
    }

    #[test]
    fn scores_may_lie_apart_as_far_as_the_bound_and_not_farther() {
        assert!(!of(&[0.6, 0.9, 0.75]));
        assert!(of(&[0.599, 0.9]));
        assert!(!of(&[0.1, 0.4]));
        assert!(!of(&[0.7]));
        assert!(!of(&[]));
    }

    #[test]
    fn a_side_is_not_changed() {
        assert!(of(&[0.49, 0.51]));
        // Neither side is not the other side.
        assert!(!of(&[0.5, 0.51]));
        assert!(!of(&[0.5, 0.49]));
    }
}
