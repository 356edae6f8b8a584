//! Words for the numbers of the wire.

use assay_api::v1::{DeadLetterReason, FailureClass, JobState, Lane, StepState};

use crate::terminal::Tone;

/// The word for a job's state, such as `dead_lettered`.
pub(crate) fn state(state: i32) -> String {
    let name = JobState::try_from(state).map(|state| state.as_str_name());
    word(name.ok(), "JOB_STATE_")
}

/// The word for a lane.
pub(crate) fn lane(lane: i32) -> String {
    let name = Lane::try_from(lane).map(|lane| lane.as_str_name());
    word(name.ok(), "LANE_")
}

/// The word for a step's state.
pub(crate) fn step(state: i32) -> String {
    let name = StepState::try_from(state).map(|state| state.as_str_name());
    word(name.ok(), "STEP_STATE_")
}

/// The word for a class of failure.
pub(crate) fn failure(class: i32) -> String {
    let name = FailureClass::try_from(class).map(|class| class.as_str_name());
    word(name.ok(), "FAILURE_CLASS_")
}

/// The word for why a job is a dead letter; `None` when it is none.
pub(crate) fn dead_letter(reason: i32) -> Option<String> {
    let reason = DeadLetterReason::try_from(reason).ok()?;
    let name = Some(reason.as_str_name());
    (reason != DeadLetterReason::Unspecified).then(|| word(name, "DEAD_LETTER_REASON_"))
}

/// Reads the word for a state, as a person types it.
///
/// # Errors
/// A sentence with all words.
pub(crate) fn parse(word: &str) -> Result<JobState, String> {
    let typed = word.to_ascii_uppercase().replace('-', "_");
    let parsed = JobState::from_str_name(&format!("JOB_STATE_{typed}"));
    parsed
        .filter(|state| *state != JobState::Unspecified)
        .ok_or_else(|| format!("it must be one of {}", all().join(", ")))
}

/// Whether a job in this state has ended.
pub(crate) fn is_terminal(state: i32) -> bool {
    matches!(
        JobState::try_from(state),
        Ok(JobState::Succeeded | JobState::Failed | JobState::Cancelled | JobState::DeadLettered)
    )
}

/// How a state is set off.
pub(crate) fn tone(state: i32) -> Tone {
    match JobState::try_from(state) {
        Ok(JobState::Succeeded) => Tone::Good,
        Ok(JobState::Failed | JobState::DeadLettered) => Tone::Bad,
        Ok(JobState::Retrying | JobState::Waiting | JobState::Cancelling | JobState::Cancelled) => {
            Tone::Warning
        }
        Ok(
            JobState::Unspecified
            | JobState::Accepted
            | JobState::Scheduled
            | JobState::Queued
            | JobState::Running,
        )
        | Err(_) => Tone::Strong,
    }
}

fn all() -> Vec<String> {
    let known = |number| JobState::try_from(number).is_ok();
    (1..)
        .take_while(|number| known(*number))
        .map(state)
        .collect()
}

fn word(name: Option<&'static str>, prefix: &str) -> String {
    let name = name.unwrap_or("unknown");
    name.strip_prefix(prefix)
        .unwrap_or(name)
        .to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        assert_eq!(all().len(), 11);
        for word in all() {
            assert_eq!(state(parse(&word).unwrap().into()), word);
        }
        assert_eq!(parse("Dead-Lettered"), Ok(JobState::DeadLettered));
    }

    #[test]
    fn a_wrong_word_lists_the_right_ones() {
        assert!(parse("done").unwrap_err().contains("succeeded, failed"));
        assert!(parse("unspecified").is_err());
        assert_eq!(state(99), "unknown");
    }

    #[test]
    fn four_states_are_terminal() {
        let terminal = (0..=11).filter(|state| is_terminal(*state)).count();
        assert_eq!(terminal, 4);
    }
}
