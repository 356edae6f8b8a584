//! What detectors are asked: the words, and which of our questions each answers.

use std::fmt;

use assay_api::v1 as pb;
use assay_forensics::{LogRatios, MediaKind};
use serde::{Deserialize, Serialize};

/// Something that a detector can look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// A face that was put in another's place.
    FaceSwap,
    /// Media that a generator made.
    AiGenerated,
    /// Parts that come from elsewhere.
    Splice,
    /// A voice that was imitated.
    VoiceClone,
    /// Lips that were made to fit other words.
    LipSync,
}

impl Task {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::FaceSwap,
        Self::AiGenerated,
        Self::Splice,
        Self::VoiceClone,
        Self::LipSync,
    ];

    /// The word of the interface.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FaceSwap => "face_swap",
            Self::AiGenerated => "ai_generated",
            Self::Splice => "splice",
            Self::VoiceClone => "voice_clone",
            Self::LipSync => "lip_sync",
        }
    }

    /// The task of a word, if it is one.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|task| task.as_str() == word)
    }

    /// The question of the coverage that an answer answers.
    #[must_use]
    pub const fn question(self) -> &'static str {
        match self {
            Self::AiGenerated => "ai_generated_pixels",
            Self::FaceSwap | Self::Splice | Self::VoiceClone | Self::LipSync => self.as_str(),
        }
    }

    /// What is looked for, for people.
    #[must_use]
    pub const fn sought(self) -> &'static str {
        match self {
            Self::FaceSwap => "a face that was replaced",
            Self::AiGenerated => "the work of a generator",
            Self::Splice => "parts from elsewhere",
            Self::VoiceClone => "an imitated voice",
            Self::LipSync => "lips that were made to fit other words",
        }
    }

    /// Which hypothesis a ratio speaks to. A swapped face, imitated lips and an imitated voice are made by generators:
    /// media with one is partly synthetic. What is spliced may come from another photograph.
    #[must_use]
    pub fn ratios(self, log10_lr: f64) -> LogRatios {
        match self {
            Self::FaceSwap | Self::AiGenerated | Self::VoiceClone | Self::LipSync => {
                LogRatios::synthetic(log10_lr)
            }
            Self::Splice => LogRatios::manipulated(log10_lr),
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a detector looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Modality {
    /// A picture.
    Image,
    /// A sound.
    Audio,
    /// A film.
    Video,
    /// A document.
    Document,
}

impl Modality {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Image, Self::Audio, Self::Video, Self::Document];

    /// The word of the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Document => "document",
        }
    }

    /// What media of a kind is to a detector; nothing if it is none.
    #[must_use]
    pub const fn of(kind: MediaKind) -> Option<Self> {
        match kind {
            MediaKind::Image => Some(Self::Image),
            MediaKind::Audio => Some(Self::Audio),
            MediaKind::Video => Some(Self::Video),
            MediaKind::Document => Some(Self::Document),
            MediaKind::Other => None,
        }
    }

    pub(crate) const fn to_wire(self) -> pb::Modality {
        match self {
            Self::Image => pb::Modality::Image,
            Self::Audio => pb::Modality::Audio,
            Self::Video => pb::Modality::Video,
            Self::Document => pb::Modality::Document,
        }
    }

    pub(crate) const fn from_wire(modality: pb::Modality) -> Option<Self> {
        match modality {
            pb::Modality::Unspecified => None,
            pb::Modality::Image => Some(Self::Image),
            pb::Modality::Audio => Some(Self::Audio),
            pb::Modality::Video => Some(Self::Video),
            pb::Modality::Document => Some(Self::Document),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_written() {
        for task in Task::ALL {
            assert_eq!(Task::of(task.as_str()), Some(task));
            assert_eq!(serde_json::json!(task), task.as_str());
        }
        assert_eq!(Task::of("palmistry"), None);
        for modality in Modality::ALL {
            assert_eq!(serde_json::json!(modality), modality.as_str());
            assert_eq!(Modality::from_wire(modality.to_wire()), Some(modality));
        }
    }

    #[test]
    fn what_needs_a_detector_is_what_tasks_answer() {
        let unanswered = assay_forensics::coverage::unanswered();
        let unanswered: Vec<&str> = unanswered
            .iter()
            .map(|item| item.question.as_str())
            .collect();
        for task in [
            Task::FaceSwap,
            Task::AiGenerated,
            Task::VoiceClone,
            Task::LipSync,
        ] {
            assert!(unanswered.contains(&task.question()), "{task}");
        }
    }
}
