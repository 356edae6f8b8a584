//! Which keys there are and what each may hold. The defaults say both.

use std::collections::BTreeMap;

use config::{Value, ValueKind};

use super::layer::{self, Given};
use super::secret;

/// How many edits a mistyped key may be away from the one that is suggested.
pub(super) const SUGGESTION_EDITS_MAX: usize = 3;

/// The defaults of all components, by dotted key.
#[derive(Debug)]
pub(super) struct Schema {
    defaults: BTreeMap<String, Value>,
}

/// What a key is to the schema.
#[derive(Debug)]
pub(super) enum Found<'a> {
    /// A key with this default.
    Known(&'a Value),
    /// A key of free choice inside an open table.
    Free,
    /// The name of a file that holds the value of this key.
    FileOf(&'a str),
    /// Nothing.
    Unknown,
}

/// What a value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Integer,
    Number,
    Boolean,
    Text,
    List,
    OpenTable,
}

impl Schema {
    /// Reads the documents in order; a later one may change the value of a default, not its type.
    pub(super) fn parse(documents: &[String]) -> Result<Self, String> {
        let mut defaults: BTreeMap<String, Value> = BTreeMap::new();
        for document in documents {
            for (key, value) in layer::parse(document)? {
                if key != key.to_lowercase() || key.contains("__") || !key.contains('.') {
                    return Err(format!(
                        "`{key}` must be section.key in lower case without __"
                    ));
                }
                let former = defaults.get(&key).map(Kind::of);
                if former.is_some_and(|former| former != Kind::of(&value)) {
                    return Err(format!("`{key}` has two defaults of different types"));
                }
                defaults.insert(key, value);
            }
        }
        Ok(Self { defaults })
    }

    pub(super) fn defaults(&self) -> &BTreeMap<String, Value> {
        &self.defaults
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.defaults.contains_key(key)
    }

    pub(super) fn find<'a>(&'a self, key: &'a str) -> Found<'a> {
        if let Some(default) = self.defaults.get(key) {
            return Found::Known(default);
        }
        if let Some(base) = key.strip_suffix("_file")
            && secret::may_be_file(base)
            && self.has(base)
        {
            return Found::FileOf(base);
        }
        let mut parent = key;
        while let Some((shorter, _)) = parent.rsplit_once('.') {
            parent = shorter;
            if self
                .defaults
                .get(parent)
                .is_some_and(|value| Kind::of(value) == Kind::OpenTable)
            {
                return Found::Free;
            }
        }
        Found::Unknown
    }

    /// What to do about a key that does not exist.
    pub(super) fn advise(&self, key: &str) -> String {
        let inside = format!("{key}.");
        if self.defaults.keys().any(|known| known.starts_with(&inside)) {
            return format!("it is a section: set one of {}", self.keys_of(key));
        }
        if let Some(near) = self.nearest(key) {
            return format!("did you mean `{near}`?");
        }
        let section = key.split('.').next().unwrap_or(key);
        match self.keys_of(section) {
            keys if keys.is_empty() => format!("the sections are {}", self.sections()),
            keys => format!("section `{section}` has {keys}"),
        }
    }

    fn nearest(&self, key: &str) -> Option<String> {
        let files = self
            .defaults
            .keys()
            .filter(|known| secret::may_be_file(known));
        let files = files.map(|known| format!("{known}_file"));
        self.defaults
            .keys()
            .cloned()
            .chain(files)
            .map(|known| (strsim::damerau_levenshtein(key, &known), known))
            .filter(|(edits, _)| *edits <= SUGGESTION_EDITS_MAX)
            .min()
            .map(|(_, known)| known)
    }

    fn keys_of(&self, section: &str) -> String {
        let inside = format!("{section}.");
        let keys = self
            .defaults
            .keys()
            .filter(|known| known.starts_with(&inside));
        keys.map(|key| format!("`{key}`"))
            .collect::<Vec<_>>()
            .join(", ")
    }

    fn sections(&self) -> String {
        let mut names: Vec<&str> = self
            .defaults
            .keys()
            .filter_map(|key| key.split('.').next())
            .collect();
        names.dedup();
        names
            .iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", ")
    }
}

impl Kind {
    fn of(value: &Value) -> Self {
        match &value.kind {
            ValueKind::Boolean(_) => Self::Boolean,
            ValueKind::I64(_) | ValueKind::I128(_) | ValueKind::U64(_) | ValueKind::U128(_) => {
                Self::Integer
            }
            ValueKind::Float(_) => Self::Number,
            ValueKind::Nil | ValueKind::String(_) => Self::Text,
            ValueKind::Array(_) => Self::List,
            ValueKind::Table(_) => Self::OpenTable,
        }
    }

    fn wanted(self) -> &'static str {
        match self {
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::Boolean => "true or false",
            Self::Text => "text",
            Self::List => "a list",
            Self::OpenTable => "a table in a file",
        }
    }
}

/// Reads a given value as the type of the default.
///
/// # Errors
/// What the key must be: "a whole number".
pub(super) fn coerce(default: &Value, given: &Given) -> Result<Value, &'static str> {
    let kind = Kind::of(default);
    let value = match given {
        // A space at the end of a password is part of it.
        Given::Text(text) if kind == Kind::Text => Some(Value::new(None, text.as_str())),
        Given::Text(text) => from_text(kind, text.trim()),
        Given::Typed(value) => from_typed(kind, value),
    };
    value.ok_or_else(|| kind.wanted())
}

fn from_text(kind: Kind, text: &str) -> Option<Value> {
    match kind {
        Kind::Text => Some(Value::new(None, text)),
        Kind::Integer => text
            .parse::<i64>()
            .ok()
            .map(|value| Value::new(None, value)),
        Kind::Number => text
            .parse::<f64>()
            .ok()
            .filter(|value| value.is_finite())
            .map(|value| Value::new(None, value)),
        Kind::Boolean => text
            .parse::<bool>()
            .ok()
            .map(|value| Value::new(None, value)),
        Kind::List => {
            let items = text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty());
            Some(Value::new(
                None,
                items.map(str::to_owned).collect::<Vec<String>>(),
            ))
        }
        Kind::OpenTable => None,
    }
}

fn from_typed(kind: Kind, value: &Value) -> Option<Value> {
    if kind == Kind::Number && Kind::of(value) == Kind::Integer {
        return value
            .clone()
            .into_float()
            .ok()
            .map(|value| Value::new(None, value));
    }
    (Kind::of(value) == kind).then(|| value.clone())
}

/// "; write for example 6379", or nothing when the default shows nothing.
pub(super) fn example(key: &str, default: &Value) -> String {
    let shown = secret::show(key, default);
    let says_nothing = matches!(shown.as_str(), "\"\"" | "[]" | "{}" | secret::HIDDEN);
    if says_nothing {
        String::new()
    } else {
        format!("; write for example {shown}")
    }
}
