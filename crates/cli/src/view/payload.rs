//! What a job works on, as people edit it: JSON in the shape of the API over HTTP.

use std::collections::BTreeMap;

use assay_api::v1;
use serde::{Deserialize, Serialize};

/// The payload of a verification. A member that is not known is refused, so that a slip of the pen is noticed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Payload {
    content: Content,
    #[serde(default)]
    options: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    #[serde(rename = "contentId")]
    content_id: String,
    #[serde(default)]
    name: String,
    #[serde(default, rename = "type")]
    declared_mime: String,
}

impl Payload {
    /// Reads one.
    ///
    /// # Errors
    /// Where it is no JSON, or which member is wrong.
    pub(crate) fn read(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }

    /// The text that a person edits.
    ///
    /// # Errors
    /// Never, as texts have a JSON; the signature is that of the library.
    pub(crate) fn text(&self) -> serde_json::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

impl From<v1::ContentVerification> for Payload {
    fn from(payload: v1::ContentVerification) -> Self {
        let content = Content {
            content_id: payload.content_id,
            name: payload.file_name,
            declared_mime: payload.declared_mime,
        };
        Self {
            content,
            options: payload.options,
        }
    }
}

impl From<Payload> for v1::ContentVerification {
    fn from(payload: Payload) -> Self {
        let Payload { content, options } = payload;
        Self {
            content_id: content.content_id,
            file_name: content.name,
            declared_mime: content.declared_mime,
            options,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload() -> v1::ContentVerification {
        v1::ContentVerification {
            content_id: "sha256:00".to_owned(),
            file_name: "a \"b\".png".to_owned(),
            declared_mime: "image/png".to_owned(),
            options: BTreeMap::from([("depth".to_owned(), "full".to_owned())]),
        }
    }

    #[test]
    fn what_nobody_touched_reads_back_as_it_was() {
        let text = Payload::from(payload()).text().unwrap();
        let wanted = r#"{
  "content": {
    "contentId": "sha256:00",
    "name": "a \"b\".png",
    "type": "image/png"
  },
  "options": {
    "depth": "full"
  }
}
"#;
        assert_eq!(text, wanted);
        let read = Payload::read(&text).unwrap();
        assert_eq!(v1::ContentVerification::from(read), payload());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, said) in [
            ("", "EOF while parsing"),
            (
                r#"{"content": {"contentId": "a",}}"#,
                "trailing comma at line 1",
            ),
            ("{}", "missing field `content`"),
            (r#"{"content": {}}"#, "missing field `contentId`"),
            (
                r#"{"content": {"contentId": 7}}"#,
                "expected a string at line 1",
            ),
            (
                r#"{"content": {"contentId": "a", "nam": "b"}}"#,
                "unknown field `nam`",
            ),
            (
                r#"{"content": {"contentId": "a"}} {}"#,
                "trailing characters",
            ),
            (
                r#"{"content": {"contentId": "a"}, "options": {"b": 1}}"#,
                "expected a string",
            ),
        ] {
            let error = Payload::read(text).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
        let least = Payload::read(r#"{"content": {"contentId": "a"}}"#).unwrap();
        assert_eq!(least.content.name, "");
    }
}
