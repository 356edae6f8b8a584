//! Reads what a client wants verified. All that is wrong is named at once. Pure.

use std::collections::BTreeMap;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;

use super::super::field::CONTENT;
use super::super::json::{Members, Node};
use super::super::member::{flag, text};
use super::super::query::shortened;
use crate::convert::Fields;
use crate::status::Refusal;

/// Takes padding or none.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What `content.type` may be besides a media type.
const TYPES: [&str; 4] = ["image", "video", "audio", "document"];

/// The labels of the job that hold what the client says of its content.
const ID_LABEL: &str = "content.id";
const TYPE_LABEL: &str = "content.type";

/// What is to be verified, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) source: Source,
    pub(super) name: String,
    pub(super) declared_mime: String,
    pub(super) options: BTreeMap<String, String>,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) high_priority: bool,
}

/// Where the content is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// It was stored before, under this name.
    Stored(String),
    /// In the request.
    Inline(Bytes),
}

/// Reads the members of a body.
pub(super) fn wanted(mut body: Members) -> Result<Wanted, Refusal> {
    let mut fields = Fields::default();
    let high_priority = flag(&mut fields, "highPriority", body.remove("highPriority"));
    let options = options(&mut fields, body.remove("options"));
    let beside = text(&mut fields, "contentId", body.remove("contentId"));
    let mut content = content(&mut fields, body.remove(CONTENT), beside.is_some());
    for name in body.keys() {
        let must = "is no member here: there are content, contentId, options, highPriority";
        fields.refuse(shortened(name), must);
    }
    let declared = text(&mut fields, "content.type", content.remove("type"));
    let name = text(&mut fields, "content.name", content.remove("name"));
    let id = id(&mut fields, content.remove("id"));
    let source = source(&mut fields, &mut content, beside);
    // Other members of the content are the client's own.
    let (declared_mime, sort) = declared_type(&mut fields, declared);
    fields.finish()?;
    let labels = [(ID_LABEL, id), (TYPE_LABEL, sort)];
    let labels = labels
        .into_iter()
        .filter_map(|(label, value)| Some((label.to_owned(), value?)));
    Ok(Wanted {
        source: source.ok_or_else(lost)?,
        name: name.unwrap_or_default(),
        declared_mime,
        options,
        labels: labels.collect(),
        high_priority,
    })
}

/// Nothing was refused and nothing read: a mistake in this file.
fn lost() -> Refusal {
    Refusal::Internal("the content was neither read nor refused".to_owned())
}

/// What a client of the system before this one calls missing, too.
fn is_nothing(node: &Node) -> bool {
    match node {
        Node::Null | Node::Bool(false) => true,
        Node::Text(text) => text.is_empty(),
        Node::Number(number) | Node::Decimal(number) => number == "0" || number == "-0",
        Node::Bool(true) | Node::Object(_) | Node::Other => false,
    }
}

fn content(fields: &mut Fields, node: Option<Node>, named_beside: bool) -> Members {
    match node {
        Some(Node::Object(members)) => members,
        Some(node) if !is_nothing(&node) => {
            fields.refuse(CONTENT, format!("must be an object, is {}", node.sort()));
            Members::new()
        }
        Some(_) | None => {
            if !named_beside {
                fields.refuse(
                    CONTENT,
                    "must be given: an object with `data` or `contentId`",
                );
            }
            Members::new()
        }
    }
}

fn source(fields: &mut Fields, content: &mut Members, beside: Option<String>) -> Option<Source> {
    let data = content.remove("data").filter(|node| !is_nothing(node));
    let within = text(fields, "content.contentId", content.remove("contentId"));
    let stored = match (within, beside) {
        (Some(_), Some(_)) => {
            fields.refuse(
                "contentId",
                "must be left out where `content.contentId` is given",
            );
            return None;
        }
        (within, beside) => within.or(beside),
    };
    match (data, stored) {
        (Some(_), Some(_)) => {
            fields.refuse(
                "content.data",
                "must be left out where a content id is given",
            );
            None
        }
        (None, Some(stored)) => Some(Source::Stored(stored)),
        (Some(Node::Text(data)), None) => decode(fields, data),
        (Some(other), None) => {
            let must = format!("must be a text, is {}", other.sort());
            fields.refuse("content.data", must);
            None
        }
        (None, None) => {
            let must = "must be given: the file in base64, or `content.contentId` in its place";
            fields.refuse("content.data", must);
            None
        }
    }
}

fn decode(fields: &mut Fields, data: String) -> Option<Source> {
    match BASE64.decode(data) {
        Ok(bytes) => Some(Source::Inline(bytes.into())),
        Err(_) => {
            fields.refuse("content.data", "must be base64 (RFC 4648, section 4)");
            None
        }
    }
}

/// A media type, or one of the sorts that the system before this one knew.
fn declared_type(fields: &mut Fields, declared: Option<String>) -> (String, Option<String>) {
    match declared {
        Some(media) if media.contains('/') => (media, None),
        Some(sort) if TYPES.contains(&sort.as_str()) => (String::new(), Some(sort)),
        Some(_) => {
            let sorts = TYPES.join(", ");
            let must = format!("must be {sorts}, or a media type such as image/jpeg");
            fields.refuse("content.type", must);
            (String::new(), None)
        }
        None => (String::new(), None),
    }
}

/// Clients have numbers for names, too: such as are the same number wherever they are read.
fn id(fields: &mut Fields, node: Option<Node>) -> Option<String> {
    match node {
        Some(Node::Number(number)) => Some(number),
        other => text(fields, "content.id", other),
    }
}

fn options(fields: &mut Fields, node: Option<Node>) -> BTreeMap<String, String> {
    let members = match node {
        Some(Node::Object(members)) => members,
        Some(Node::Null) | None => return BTreeMap::new(),
        Some(other) => {
            fields.refuse("options", format!("must be an object, is {}", other.sort()));
            return BTreeMap::new();
        }
    };
    let mut options = BTreeMap::new();
    for (name, node) in members {
        match node {
            Node::Text(value) | Node::Number(value) | Node::Decimal(value) => {
                options.insert(name, value);
            }
            Node::Bool(value) => {
                options.insert(name, value.to_string());
            }
            Node::Null => {}
            Node::Object(_) | Node::Other => {
                let field = format!("options[{}]", shortened(&name));
                fields.refuse(field, "must be a text, a number, true or false");
            }
        }
    }
    options
}

#[cfg(test)]
mod tests {
    use super::super::super::json;
    use super::*;

    fn read(body: &str) -> Result<Wanted, Refusal> {
        let Node::Object(members) = json::read(body.as_bytes()).unwrap() else {
            panic!("{body} is an object");
        };
        wanted(members)
    }

    fn wrong(body: &str) -> Vec<String> {
        let refusal = read(body).unwrap_err();
        let named = refusal.violations().iter();
        named.map(|violation| violation.field.clone()).collect()
    }

    #[test]
    fn the_shape_of_the_system_before_is_read() {
        let read = read(
            r#"{"content":{"id":"c-1","type":"image","data":"YWJj","width":[3]},
                "options":{"without":"pixels","level":2,"deep":true,"none":null},
                "highPriority":true}"#,
        );
        let options = [("without", "pixels"), ("level", "2"), ("deep", "true")];
        let labels = [("content.id", "c-1"), ("content.type", "image")];
        let owned = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter();
            pairs
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        };
        let expected = Wanted {
            source: Source::Inline("abc".into()),
            name: String::new(),
            declared_mime: String::new(),
            options: owned(&options),
            labels: owned(&labels),
            high_priority: true,
        };
        assert_eq!(read.unwrap(), expected);
    }

    #[test]
    fn stored_content_is_named_in_either_place() {
        for body in [
            r#"{"content":{"contentId":"sha256:00","type":"image/png","id":7}}"#,
            r#"{"contentId":"sha256:00"}"#,
        ] {
            let source = read(body).unwrap().source;
            assert_eq!(source, Source::Stored("sha256:00".to_owned()));
        }
        assert_eq!(
            wrong(r#"{"contentId":"a","content":{"contentId":"b"}}"#),
            ["contentId"]
        );
        assert_eq!(
            wrong(r#"{"content":{"contentId":"a","data":"YWJj"}}"#),
            ["content.data"]
        );
    }

    #[test]
    fn base64_is_taken_with_padding_or_without_and_nothing_else_is() {
        let source = |data: &str| read(&format!(r#"{{"content":{{"data":"{data}"}}}}"#));
        for data in ["YQ==", "YQ"] {
            assert_eq!(source(data).unwrap().source, Source::Inline("a".into()));
        }
        for data in ["Y", "a b", "-_-_", "data:image/png;base64,YQ=="] {
            assert_eq!(
                source(data).unwrap_err().violations()[0].field,
                "content.data"
            );
        }
    }

    #[test]
    fn everything_that_is_missing_or_wrong_is_named() {
        for body in [
            "{}",
            r#"{"content":null}"#,
            r#"{"content":""}"#,
            r#"{"content":0}"#,
        ] {
            assert_eq!(wrong(body)[0], "content", "{body}");
        }
        assert_eq!(wrong(r#"{"content":{}}"#), ["content.data"]);
        assert_eq!(wrong(r#"{"content":[]}"#)[0], "content");
        let all = r#"{"content":{"type":"smell","data":1,"name":[],"id":{}},
                      "options":{"a":[]},"highPriority":"yes","urgent":true}"#;
        let mut fields = wrong(all);
        fields.sort_unstable();
        let expected = [
            "content.data",
            "content.id",
            "content.name",
            "content.type",
            "highPriority",
            "options[a]",
            "urgent",
        ];
        assert_eq!(fields, expected);
    }
}
