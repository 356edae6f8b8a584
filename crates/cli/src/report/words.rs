//! Names of the schema in words for people who know nothing of files. A name of a later version is shown as it is
//! written, with blanks.

mod facts;

use facts::FACTS;

/// A word of the schema and what it means.
type Table = &'static [(&'static str, &'static str)];

/// Begins the question that stands for a detector outside of Assay that was not heard.
const DETECTOR: &str = "detector.";

const QUESTIONS: Table = &[
    ("face_swap", "Whether a face was replaced"),
    ("lip_sync", "Whether lips were made to fit other words"),
    ("voice_clone", "Whether a voice is an imitation"),
    ("splice", "Whether parts come from another picture"),
    (
        "ai_generated_pixels",
        "Whether the picture itself, apart from its metadata, looks like a generator's work",
    ),
    (
        "local_manipulation_pixels",
        "Whether some parts of the picture were saved more often than others",
    ),
    (
        "jpeg_grid_origin",
        "Whether parts of the picture come from another JPEG file",
    ),
    ("copy_move", "Whether parts were copied within the picture"),
    (
        "thumbnail_mismatch",
        "Whether the small preview inside the file shows the same picture",
    ),
    (
        "known_watermark",
        "Whether it carries the invisible mark of a known generator",
    ),
    (
        "sensor_noise",
        "Whether its noise is that of a certain camera",
    ),
    (
        "declared_markers",
        "What metadata says of generators and editors",
    ),
    ("file_structure", "How the file is built"),
    (
        "metadata_consistency",
        "Whether metadata contradicts the picture",
    ),
    (
        "perceptual_fingerprint",
        "The fingerprint by which similar pictures are found",
    ),
    (
        "content_credentials",
        "Signed statements about the origin (Content Credentials)",
    ),
];

const SIGNALS: Table = &[
    ("fullyGenAIMedia", "made by a generator as a whole"),
    ("partlyGenAICreation", "a generator made a part of it"),
    ("capturedMedia", "taken by a camera or recorder"),
    (
        "capturedMediaStitched",
        "put together from several recordings",
    ),
    (
        "compositionMayContainGenAI",
        "put together from parts of any origin",
    ),
    ("screenCaptureMayContainGenAI", "a picture of a screen"),
    (
        "nonGenAIDigitalCreation",
        "made by people with software that is no generator",
    ),
    ("blankCanvas", "begun on an empty canvas"),
    (
        "mediaUnknownProvenance",
        "has a part without a signed statement",
    ),
    ("nonEditorial", "changes that leave the content alone"),
    (
        "perceptibleGenAI",
        "a change that can be seen or heard, by a generator",
    ),
    (
        "perceptibleNonGenAI",
        "a change that can be seen or heard, without a generator",
    ),
    (
        "perceptiblePossiblyGenAI",
        "a change that can be seen or heard, perhaps by a generator",
    ),
    (
        "ambiguousActions",
        "the list of changes is not said to be complete",
    ),
];

const IMPLIED: Table = &[
    ("generated", "made by a generator"),
    ("partly_generated", "has parts made by a generator"),
    ("edited", "edited"),
    ("camera", "taken by a camera"),
];

const RELATIONSHIPS: Table = &[
    ("parentOf", "what it was derived from"),
    ("componentOf", "a part of it"),
    ("inputTo", "fed to the process that made it"),
];

const STOPPED: Table = &[
    (
        "resource_limit",
        "it asked for more memory or computing time than one file may",
    ),
    ("timeout", "it took too long"),
    ("crashed", "the test broke down on it"),
    ("output_limit", "it made more output than one file may"),
];

/// What a question of coverage asks.
pub(super) fn question(name: &str) -> String {
    match name.strip_prefix(DETECTOR) {
        Some(detector) => format!("What the detector {detector} would say"),
        None => look_up(QUESTIONS, name),
    }
}

/// What a fact of the history says.
pub(super) fn fact(name: &str) -> String {
    look_up(FACTS, name)
}

/// What a signal of a credential says.
pub(super) fn signal(name: &str) -> String {
    look_up(SIGNALS, name)
}

/// What a mark implies.
pub(super) fn implied(name: &str) -> String {
    look_up(IMPLIED, name)
}

/// What an ingredient is to the media above it.
pub(super) fn relationship(name: &str) -> String {
    look_up(RELATIONSHIPS, name)
}

/// Why a test was stopped.
pub(super) fn stopped(name: &str) -> String {
    look_up(STOPPED, name)
}

/// "1 test", "2 tests".
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    let word = if number == 1 { one } else { many };
    format!("{number} {word}")
}

/// A name with blanks, for what has no better words.
pub(super) fn spaced(name: &str) -> String {
    name.replace('_', " ")
}

fn look_up(table: Table, name: &str) -> String {
    let known = table.iter().find(|(word, _)| *word == name);
    known.map_or_else(|| spaced(name), |(_, words)| (*words).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_shown_as_it_is() {
        assert_eq!(question("face_swap"), "Whether a face was replaced");
        assert_eq!(question("smell_swap"), "smell swap");
        assert_eq!(
            question("detector.acme"),
            "What the detector acme would say"
        );
        assert_eq!(count(1, "test", "tests"), "1 test");
        assert_eq!(count(0, "test", "tests"), "0 tests");
    }
}
