//! Which values are secret, and how any value is shown.

use config::{Value, ValueKind};

/// Stands for a secret wherever values are shown.
pub(super) const HIDDEN: &str = "\"(hidden)\"";

/// A key with one of these words in its last part is secret.
const SECRET_WORDS: [&str; 7] = [
    "password",
    "token",
    "tokens",
    "secret",
    "secrets",
    "credential",
    "credentials",
];

/// Ends a key that names a file or counts milliseconds: neither is a secret, whatever it is about.
const HARMLESS_ENDINGS: [&str; 2] = ["_file", "_ms"];

pub(super) fn is_secret(key: &str) -> bool {
    let name = last_part(key);
    let is_harmless = HARMLESS_ENDINGS.iter().any(|ending| name.ends_with(ending));
    !is_harmless && name.split('_').any(|word| SECRET_WORDS.contains(&word))
}

pub(super) fn may_be_file(key: &str) -> bool {
    is_secret(key) || last_part(key).split('_').any(|word| word == "url")
}

/// The value as TOML, without what nobody should read.
pub(super) fn show(key: &str, value: &Value) -> String {
    let holds_text = matches!(value.kind, ValueKind::String(_) | ValueKind::Array(_));
    match render(value) {
        empty if empty == "\"\"" || empty == "[]" => empty,
        _ if is_secret(key) && holds_text => HIDDEN.to_owned(),
        shown => shown,
    }
}

/// Hides the password in `scheme://user:password@host`.
pub(super) fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    let Some((userinfo, host)) = authority.rsplit_once('@') else {
        return text.to_owned();
    };
    let user = userinfo.split(':').next().unwrap_or_default();
    format!(
        "{scheme}://{user}:(hidden)@{host}{}",
        &rest[authority.len()..]
    )
}

fn last_part(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

fn render(value: &Value) -> String {
    match &value.kind {
        ValueKind::Nil => "\"\"".to_owned(),
        ValueKind::Boolean(value) => value.to_string(),
        ValueKind::I64(value) => value.to_string(),
        ValueKind::I128(value) => value.to_string(),
        ValueKind::U64(value) => value.to_string(),
        ValueKind::U128(value) => value.to_string(),
        ValueKind::Float(value) => format!("{value:?}"),
        ValueKind::String(text) => format!("{:?}", without_password(text)),
        ValueKind::Array(items) => {
            format!(
                "[{}]",
                items.iter().map(render).collect::<Vec<_>>().join(", ")
            )
        }
        ValueKind::Table(table) => {
            let pairs = table
                .iter()
                .map(|(key, value)| format!("{key} = {}", show(key, value)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_last_part() {
        assert!(is_secret("redis.password"));
        assert!(is_secret("admin.bearer_token"));
        assert!(!is_secret("token.listen"));
        assert!(!is_secret("admin.tokenizer"));
        assert!(!is_secret("gateway.tokens_file") && !is_secret("gateway.tokens_reread_ms"));
        assert!(may_be_file("rabbitmq.url"));
        assert!(!may_be_file("rabbitmq.curl"));
    }

    #[test]
    fn a_password_in_an_address_is_hidden_even_if_it_holds_an_at_sign() {
        assert_eq!(
            without_password("amqp://u:p@ss@host:5672/v?x=1"),
            "amqp://u:(hidden)@host:5672/v?x=1"
        );
        assert_eq!(without_password("amqp://host/a@b"), "amqp://host/a@b");
        assert_eq!(without_password("plain"), "plain");
    }

    #[test]
    fn an_empty_secret_is_shown_as_empty() {
        assert_eq!(show("a.password", &Value::new(None, "")), "\"\"");
        assert_eq!(show("a.password", &Value::new(None, "x")), HIDDEN);
    }
}
