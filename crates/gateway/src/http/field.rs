//! What the fields of calls are called in requests over HTTP. Pure.

/// What is to be verified.
pub(super) const CONTENT: &str = "content";

/// Fields that are not simply in another spelling.
const RENAMED: [(&str, &str); 11] = [
    ("content_verification.content_id", "content.contentId"),
    ("content_verification.file_name", "content.name"),
    ("content_verification.declared_mime", "content.type"),
    ("content_verification.options", "options"),
    ("content_verification", "content"),
    ("metadata.file_name", "name"),
    ("metadata.sha256", "sha256"),
    ("metadata.declared_mime", "Content-Type"),
    ("request_id", "Idempotency-Key"),
    ("after_event_id", "Last-Event-ID"),
    ("content_id", "id"),
];

/// The name over HTTP of a field of a call, such as `content_verification.options[without]`.
pub(super) fn over_http(field: &str) -> String {
    if let Some(label) = field.strip_prefix("metadata[content.") {
        // What a client says of its content is kept as labels.
        return format!("content.{}", label.trim_end_matches(']'));
    }
    let field = field.strip_prefix("filter.").unwrap_or(field);
    let (name, index) = match field.find('[') {
        Some(at) => field.split_at(at),
        None => (field, ""),
    };
    if let Some((_, renamed)) = RENAMED.iter().find(|(known, _)| *known == name) {
        return format!("{renamed}{index}");
    }
    match name {
        // Parameters that are given several times.
        "kinds" => "kind".to_owned(),
        "states" => "state".to_owned(),
        "reasons" => "reason".to_owned(),
        "lanes" => "lane".to_owned(),
        _ => format!("{}{index}", camel_case(name)),
    }
}

/// `page_size` as `pageSize`.
pub(super) fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let mut text = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        if let Some(first) = letters.next() {
            text.extend(first.to_uppercase());
            text.push_str(letters.as_str());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_request() {
        for (field, name) in [
            ("content_verification.options[without]", "options[without]"),
            ("page_size", "pageSize"),
            ("created_before", "createdBefore"),
            ("states[1]", "state"),
            ("filter.kinds[0]", "kind"),
            ("filter.created_from", "createdFrom"),
            ("lanes[0]", "lane"),
            ("metadata[content.id]", "content.id"),
            ("after_event_id", "Last-Event-ID"),
            ("content.data", "content.data"),
            ("Idempotency-Key", "Idempotency-Key"),
        ] {
            assert_eq!(over_http(field), name);
        }
    }
}
