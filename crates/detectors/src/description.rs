//! What a detector says of itself, checked.

use assay_api::v1 as pb;
use assay_forensics::Calibration;

use crate::answer::ScoreKind;
use crate::call::CallError;
use crate::exam::Ask;
use crate::settings::External;
use crate::task::{Modality, Task};

/// Longest name or version of a detector, in bytes.
pub(crate) const LABEL_BYTES_MAX: usize = 128;
/// Most tasks or modalities that are read; there are not nearly so many.
const WORDS_MAX: usize = 64;

/// What a detector is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Description {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) modalities: Vec<Modality>,
    pub(crate) tasks: Vec<Task>,
    pub(crate) bytes_max: Option<u64>,
    pub(crate) pixels_max: Option<u64>,
    pub(crate) score_kind: ScoreKind,
    pub(crate) calibration: Option<Calibration>,
}

impl Description {
    /// Checks what came.
    ///
    /// # Errors
    /// It is not as the interface says.
    pub(crate) fn check(response: pb::DescribeResponse) -> Result<Self, CallError> {
        let tasks = response.tasks.iter().take(WORDS_MAX);
        let tasks: Vec<Task> = once_each(tasks.filter_map(|word| Task::of(word)));
        let modalities = response.modalities().take(WORDS_MAX);
        let modalities = once_each(modalities.filter_map(Modality::from_wire));
        if tasks.is_empty() {
            return Err(CallError::bad("it describes no task that is known here"));
        }
        if modalities.is_empty() {
            return Err(CallError::bad("it describes nothing that it looks at"));
        }
        let calibration = response.calibration.map(|calibration| Calibration {
            n_clean: calibration.clean_files,
            fp: calibration.false_alarms,
        });
        Ok(Self {
            score_kind: ScoreKind::from_wire(response.score_kind)?.unwrap_or_default(),
            name: label("name", response.name)?,
            version: label("version", response.version)?,
            modalities,
            tasks,
            bytes_max: (response.bytes_max > 0).then_some(response.bytes_max),
            pixels_max: (response.pixels_max > 0).then_some(response.pixels_max),
            calibration,
        })
    }

    /// What it is to be asked about a file.
    ///
    /// # Errors
    /// Why it is not to be asked at all, for people.
    pub(crate) fn tasks_for(&self, external: &External, ask: &Ask) -> Result<Vec<Task>, String> {
        let modality = ask.modality;
        if !self.modalities.contains(&modality) {
            return Err(format!("it does not look at {}", modality.as_str()));
        }
        if self
            .bytes_max
            .is_some_and(|bytes_max| ask.bytes > bytes_max)
        {
            return Err("the file is larger than it takes".to_owned());
        }
        let pixels = ask.pixels().unwrap_or_default();
        if self
            .pixels_max
            .is_some_and(|pixels_max| pixels > pixels_max)
        {
            return Err("the picture is larger than it takes".to_owned());
        }
        let wanted = |task: &Task| external.tasks.is_empty() || external.tasks.contains(task);
        let tasks: Vec<Task> = self.tasks.iter().copied().filter(wanted).collect();
        if tasks.is_empty() {
            return Err("it does none of the tasks that it is to be asked".to_owned());
        }
        Ok(tasks)
    }
}

/// Reads a name or a version.
///
/// # Errors
/// It is empty, too long, or holds what steers terminals.
pub(crate) fn label(what: &str, text: String) -> Result<String, CallError> {
    let fits = (1..=LABEL_BYTES_MAX).contains(&text.len());
    if fits && assay_forensics::clip(&text) == text {
        Ok(text)
    } else {
        Err(CallError::bad(format!("its {what} is not as it must be")))
    }
}

fn once_each<T: Ord>(words: impl Iterator<Item = T>) -> Vec<T> {
    let mut words: Vec<T> = words.collect();
    words.sort_unstable();
    words.dedup();
    words
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A detector of pictures that knows two tasks.
    pub(crate) fn wire() -> pb::DescribeResponse {
        pb::DescribeResponse {
            name: "acme".to_owned(),
            version: "3".to_owned(),
            modalities: vec![pb::Modality::Image.into()],
            tasks: vec!["ai_generated".to_owned(), "splice".to_owned()],
            ..pb::DescribeResponse::default()
        }
    }

    fn with(change: impl FnOnce(&mut pb::DescribeResponse)) -> Result<Description, CallError> {
        let mut response = wire();
        change(&mut response);
        Description::check(response)
    }

    #[test]
    fn words_that_are_not_known_are_passed_over() {
        let described = with(|response| {
            response
                .tasks
                .extend(["palmistry", "splice"].map(str::to_owned));
            response.modalities.extend([0, 99]);
        });
        let described = described.unwrap();
        assert_eq!(described.tasks, [Task::AiGenerated, Task::Splice]);
        assert_eq!(described.modalities, [Modality::Image]);
        assert_eq!(described.score_kind, ScoreKind::Uncalibrated);
    }

    #[test]
    fn a_description_that_says_nothing_is_none() {
        let broken: [fn(&mut pb::DescribeResponse); 6] = [
            |response| response.name.clear(),
            |response| response.version.clear(),
            |response| response.version = "a\nb".to_owned(),
            |response| response.tasks = vec!["palmistry".to_owned()],
            |response| response.modalities.clear(),
            |response| response.score_kind = 99,
        ];
        for change in broken {
            assert!(matches!(with(change), Err(CallError::BadSchema(_))));
        }
        assert!(with(|response| response.name = "n".repeat(LABEL_BYTES_MAX)).is_ok());
        assert!(with(|response| response.name = "n".repeat(LABEL_BYTES_MAX + 1)).is_err());
    }

    #[test]
    fn a_detector_is_asked_what_it_can_and_what_it_is_to_be_asked() {
        let described = with(|response| {
            response.bytes_max = 10;
            response.pixels_max = 6;
        })
        .unwrap();
        let ask = |modality, bytes, size| Ask {
            request_id: String::new(),
            file: std::sync::Arc::new(tempfile::tempfile().unwrap()),
            sha256: String::new(),
            bytes,
            mime: String::new(),
            modality,
            size,
            time_left: std::time::Duration::ZERO,
            want_map: false,
            hints: std::collections::BTreeMap::new(),
        };
        let mut external = External::at("");
        let fits = ask(Modality::Image, 10, Some((3, 2)));
        let asked = |external: &External, ask: &Ask| described.tasks_for(external, ask).ok();
        assert_eq!(
            asked(&external, &fits),
            Some(vec![Task::AiGenerated, Task::Splice])
        );
        assert_eq!(asked(&external, &ask(Modality::Image, 11, None)), None);
        assert_eq!(
            asked(&external, &ask(Modality::Image, 1, Some((7, 1)))),
            None
        );
        assert_eq!(asked(&external, &ask(Modality::Video, 1, None)), None);
        external.tasks = vec![Task::Splice, Task::LipSync];
        assert_eq!(asked(&external, &fits), Some(vec![Task::Splice]));
        external.tasks = vec![Task::LipSync];
        assert_eq!(asked(&external, &fits), None);
    }
}
