//! Forms that only generators write: settings, graphs, schemes.

use serde_json::{Map, Value};

use super::{FORM_LOG10, Hit, Implies};
use crate::metadata::{Place, Text};

/// Names of settings in the text of Stable Diffusion front ends (A1111, Forge, SD.Next), and whether a number follows.
const SETTINGS: [(&str, bool); 5] = [
    ("Steps:", true),
    ("Sampler:", false),
    ("CFG scale:", true),
    ("Seed:", true),
    ("Model hash:", false),
];
/// So many of them are no accident.
const SETTINGS_MIN: usize = 3;
/// Graphs larger than this are not parsed.
const GRAPH_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The first form that the text has.
pub(super) fn find(text: &Text) -> Option<Hit> {
    let rule_id = if has_settings(&text.value) {
        "sd_parameters"
    } else if is_comfy_graph(text) {
        "comfyui_graph"
    } else if is_invoke(text) {
        "invokeai_metadata"
    } else if is_novel(text) {
        "novelai"
    } else if is_fooocus(text) {
        "fooocus_scheme"
    } else if is_midjourney_job(&text.value) {
        "midjourney_job"
    } else if text.key == "Credit" && text.value.trim() == "Made with Google AI" {
        "google_ai_credit"
    } else {
        return None;
    };
    Some(Hit {
        rule_id,
        implies: Implies::Generated,
        log10_lr: FORM_LOG10,
    })
}

fn has_settings(value: &str) -> bool {
    let is_set = |name: &str, is_number: bool| {
        value.match_indices(name).any(|(at, _)| {
            let rest = value.get(at + name.len()..).unwrap_or_default();
            let first = rest.trim_start_matches(' ').chars().next();
            first.is_some_and(|c| c.is_ascii_digit() || !is_number && c.is_alphanumeric())
        })
    };
    let set = SETTINGS
        .iter()
        .filter(|(name, is_number)| is_set(name, *is_number));
    set.count() >= SETTINGS_MIN
}

/// `prompt`: nodes with a `class_type`. `workflow`: nodes and links. In EXIF the name stands before the JSON.
fn is_comfy_graph(text: &Text) -> bool {
    let (key, json) = match text.place {
        Place::Png | Place::Container => (text.key.as_str(), text.value.as_str()),
        Place::Exif | Place::JpegComment | Place::Xmp => match text.value.split_once(':') {
            Some((key, json)) => (key.trim(), json),
            None => return false,
        },
    };
    match key.to_ascii_lowercase().as_str() {
        "prompt" => object(json).is_some_and(|graph| {
            let mut nodes = graph.values();
            nodes.any(|node| node.get("class_type").is_some_and(Value::is_string))
        }),
        "workflow" => object(json).is_some_and(|graph| {
            let nodes = graph.get("nodes").and_then(Value::as_array);
            let typed = nodes.is_some_and(|nodes| {
                nodes
                    .iter()
                    .any(|node| node.get("type").is_some_and(Value::is_string))
            });
            typed && graph.get("links").is_some_and(Value::is_array)
        }),
        _ => false,
    }
}

fn is_invoke(text: &Text) -> bool {
    match text.key.as_str() {
        "invokeai_metadata" | "invokeai_graph" | "sd-metadata" => object(&text.value).is_some(),
        // A command line: the prompt in quotes, then steps and seed.
        "Dream" => text.value.contains(" -s ") && text.value.contains(" -S "),
        _ => false,
    }
}

fn is_novel(text: &Text) -> bool {
    text.place == Place::Png && text.key == "Software" && text.value.trim() == "NovelAI"
}

fn is_fooocus(text: &Text) -> bool {
    text.key == "fooocus_scheme"
        || (text.key == "Comment" || text.key == "UserComment" || text.key == "parameters")
            && object(&text.value).is_some_and(|fields| {
                fields.contains_key("metadata_scheme") && fields.contains_key("base_model")
            })
}

/// A prompt with parameters (`--ar 3:2 --v 6`), then `Job ID: <uuid>`, as Midjourney ends its descriptions. The id alone
/// is no sign: scanners and printers number their jobs as well.
fn is_midjourney_job(value: &str) -> bool {
    const MARK: &str = "Job ID: ";
    const UUID: &str = "00000000-0000-0000-0000-000000000000";
    let Some((prompt, after)) = value.rsplit_once(MARK) else {
        return false;
    };
    let has_parameter = prompt.match_indices(" --").any(|(at, mark)| {
        let name = prompt.get(at + mark.len()..).unwrap_or_default();
        name.starts_with(|c: char| c.is_ascii_alphabetic())
    });
    let id = after.trim_end();
    if !has_parameter || id.len() != UUID.len() {
        return false;
    }
    id.chars()
        .zip(UUID.chars())
        .all(|(c, pattern)| match pattern {
            '-' => c == '-',
            _ => c.is_ascii_hexdigit(),
        })
}

fn object(json: &str) -> Option<Map<String, Value>> {
    let json = json.trim();
    if json.len() > GRAPH_BYTES_MAX || !json.starts_with('{') {
        return None;
    }
    match serde_json::from_str(json) {
        Ok(Value::Object(fields)) => Some(fields),
        _ => None,
    }
}
