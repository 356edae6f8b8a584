//! Names of generators and editors in the fields where software signs. Free text (a description that mentions a
//! generator) is not looked at: people write about generators, too.

use super::{Hit, Implies, NAME_LOG10};
use crate::metadata::{Place, Text};

/// Fields that software fills in with its own name.
const SOFTWARE_FIELDS: [&str; 4] = ["Software", "ProcessingSoftware", "CreatorTool", AGENT_FIELD];
/// Names one of all programs in a history of edits.
const AGENT_FIELD: &str = "softwareAgent";
/// Whom to credit. People write it: a photo of the makers of a generator is credited to them, too.
const CREDIT_FIELD: &str = "Credit";
/// Fields that some editors sign, but people write into as well.
const COMMENT_FIELDS: [&str; 2] = ["COM", "Comment"];

const GENERATORS: [&str; 21] = [
    "midjourney",
    "dall-e",
    "dall·e",
    "stable diffusion",
    "stablediffusion",
    "automatic1111",
    "comfyui",
    "invokeai",
    "novelai",
    "fooocus",
    "adobe firefly",
    "bing image creator",
    "leonardo.ai",
    "ideogram",
    "dreamstudio",
    "draw things",
    "nightcafe",
    "gpt-4o",
    "google gemini",
    "flux.1",
    "recraft",
];

const EDITORS: [&str; 33] = [
    "photoshop",
    "lightroom",
    "camera raw",
    "adobe express",
    "microsoft designer",
    "gimp",
    "affinity photo",
    "pixelmator",
    "paint.net",
    "paintshop",
    "snapseed",
    "picsart",
    "canva",
    "capture one",
    "darktable",
    "rawtherapee",
    "imagemagick",
    "graphicsmagick",
    "krita",
    "photopea",
    "luminar",
    "acdsee",
    "meitu",
    "facetune",
    "faceapp",
    "vsco",
    "remini",
    "topaz",
    "dxo photolab",
    "acorn",
    "gd-jpeg",
    "picasa",
    "photoscape",
];

/// The first name that the field holds as a word of its own.
pub(super) fn find(text: &Text) -> Option<Hit> {
    let key = text.key.as_str();
    let signs = SOFTWARE_FIELDS.contains(&key);
    let may_sign = text.place == Place::JpegComment || COMMENT_FIELDS.contains(&key);
    if !signs && !may_sign && key != CREDIT_FIELD {
        return None;
    }
    let value = text.value.to_lowercase();
    let mut generators = GENERATORS.iter();
    let is_generator = if key == CREDIT_FIELD {
        generators.any(|name| value.trim() == *name)
    } else {
        signs && generators.any(|name| has_word(&value, name))
    };
    if is_generator {
        // Before and after it, others may have had the media in hand.
        let implies = if key == AGENT_FIELD {
            Implies::PartlyGenerated
        } else {
            Implies::Generated
        };
        return Some(Hit {
            rule_id: "generator_name",
            implies,
            log10_lr: NAME_LOG10,
        });
    }
    if key == CREDIT_FIELD {
        return None;
    }
    EDITORS
        .iter()
        .any(|name| has_word(&value, name))
        .then_some(Hit {
            rule_id: "editor_name",
            implies: Implies::Edited,
            log10_lr: 0.0,
        })
}

/// Whether `word` stands in `text` with no letter right before or after it.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, found)| {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let after = text
            .get(at + found.len()..)
            .and_then(|text| text.chars().next());
        ![before, after]
            .into_iter()
            .flatten()
            .any(char::is_alphabetic)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_words_count() {
        assert!(has_word("adobe photoshop 24.1", "photoshop"));
        assert!(has_word("gimp", "gimp"));
        assert!(has_word("gimp2.10", "gimp"));
        assert!(!has_word("gimpy photo", "gimp"));
        assert!(!has_word("recrafted", "recraft"));
    }
}
