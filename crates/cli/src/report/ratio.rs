//! Likelihood ratios in words, as the ENFSI guideline for evaluative reporting (2015) has them said: how probable the
//! findings are under either assumption, never how probable an assumption is.

use assay_forensics::fusion::{LOG10_SAID_MIN, times};

use super::result::{Evidence, Score, Verdict};

/// The two questions that evidence speaks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    Synthetic,
    Manipulated,
}

/// Which way something speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    For,
    Against,
    Neither,
}

impl Question {
    pub(super) const ALL: [Self; 2] = [Self::Synthetic, Self::Manipulated];

    /// As it is put to the reader.
    pub(super) fn asked(self) -> &'static str {
        match self {
            Self::Synthetic => "Was it made by an AI generator, wholly or in part?",
            Self::Manipulated => "Was it changed in places after it was recorded?",
        }
    }

    /// What the score of a verdict says to it.
    pub(super) fn score(self, verdict: &Verdict) -> &Score {
        match self {
            Self::Synthetic => &verdict.synthetic,
            Self::Manipulated => &verdict.manipulated,
        }
    }

    /// What a finding says to it, as log10.
    pub(super) fn weight(self, evidence: &Evidence) -> f64 {
        match self {
            Self::Synthetic => evidence.log10_lr.synthetic,
            Self::Manipulated => evidence.log10_lr.manipulated,
        }
    }

    /// If it is so, and if it is not.
    fn assumptions(self) -> (&'static str, &'static str) {
        match self {
            Self::Synthetic => (
                "the file is wholly or partly synthetic",
                "the file is not synthetic",
            ),
            Self::Manipulated => (
                "the file was changed in places",
                "the file was not changed in places",
            ),
        }
    }
}

/// Which way a log10 likelihood ratio speaks.
pub(super) fn side(log10_lr: f64) -> Side {
    if log10_lr >= LOG10_SAID_MIN {
        Side::For
    } else if log10_lr <= -LOG10_SAID_MIN {
        Side::Against
    } else {
        Side::Neither
    }
}

/// "The findings are X times more probable if … than if …."
pub(super) fn sentence(subject: &str, question: Question, log10_lr: f64) -> String {
    let (so, not) = question.assumptions();
    let (more, less) = match side(log10_lr) {
        Side::For => (so, not),
        Side::Against => (not, so),
        Side::Neither => {
            return format!("{subject} about as probable if {so} as if not.");
        }
    };
    let times = times(log10_lr.abs());
    format!("{subject} {times} more probable if {more} than if {less}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_side_is_said_as_more_probable_findings() {
        assert_eq!(
            sentence("The findings are", Question::Synthetic, 2.0),
            "The findings are about 100 times more probable if the file is wholly or partly synthetic than if the \
             file is not synthetic."
        );
        assert_eq!(
            sentence("This is", Question::Manipulated, -1.0),
            "This is about 10 times more probable if the file was not changed in places than if the file was \
             changed in places."
        );
        assert_eq!(
            sentence("This is", Question::Manipulated, 0.0),
            "This is about as probable if the file was changed in places as if not."
        );
    }

    #[test]
    fn what_says_little_is_on_no_side() {
        assert_eq!(side(LOG10_SAID_MIN), Side::For);
        assert_eq!(side(0.049), Side::Neither);
        assert_eq!(side(-LOG10_SAID_MIN), Side::Against);
        assert_eq!(side(f64::NAN), Side::Neither);
    }
}
