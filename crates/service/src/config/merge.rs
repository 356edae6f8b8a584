//! Puts layers on top of each other and collects what is wrong with them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use config::{Value, ValueKind};

use super::layer::{self, Given, Origin, Setting};
use super::schema::{self, Found, Schema};
use super::{Entry, Error, secret};

/// The largest file that holds a secret, in bytes.
pub(super) const SECRET_FILE_BYTES_MAX: u64 = 64 * 1024;

/// Lays the layers, weakest first, over the defaults.
pub(super) fn merge(
    schema: &Schema,
    layers: impl IntoIterator<Item = Vec<Setting>>,
) -> Result<BTreeMap<String, Entry>, Error> {
    let defaults = schema.defaults().iter().map(|(key, value)| {
        let entry = Entry {
            value: value.clone(),
            default: Some(value.clone()),
            origin: Origin::Default,
        };
        (key.clone(), entry)
    });
    let mut merged = Merged {
        entries: defaults.collect(),
        problems: Vec::new(),
    };
    for settings in layers {
        merged.lay(schema, settings);
    }
    if merged.problems.is_empty() {
        Ok(merged.entries)
    } else {
        Err(Error::Invalid(merged.problems))
    }
}

struct Merged {
    entries: BTreeMap<String, Entry>,
    problems: Vec<String>,
}

impl Merged {
    fn lay(&mut self, schema: &Schema, settings: Vec<Setting>) {
        let mut files = Vec::new();
        for setting in settings {
            match schema.find(&setting.key) {
                Found::Known(default) => self.put(default, &setting),
                Found::Free => self.put_free(setting),
                Found::FileOf(base) => files.push((base.to_owned(), setting)),
                Found::Unknown => self.problems.push(unknown(schema, &setting)),
            }
        }
        for (base, setting) in files {
            self.put_file(base, setting);
        }
    }

    fn put(&mut self, default: &Value, setting: &Setting) {
        match schema::coerce(default, &setting.given) {
            Ok(value) => {
                let entry = Entry {
                    value,
                    default: Some(default.clone()),
                    origin: setting.origin.clone(),
                };
                self.entries.insert(setting.key.clone(), entry);
            }
            Err(wanted) => self.problems.push(mistyped(default, setting, wanted)),
        }
    }

    fn put_free(&mut self, setting: Setting) {
        let value = match setting.given {
            Given::Typed(value) => value,
            Given::Text(text) => Value::new(None, text),
        };
        self.entries.insert(
            setting.key,
            Entry {
                value,
                default: None,
                origin: setting.origin,
            },
        );
    }

    /// Replaces the value of `base` by what the named file holds.
    fn put_file(&mut self, base: String, setting: Setting) {
        let path = match named_path(&setting.given) {
            Some(path) if path.as_os_str().is_empty() => return,
            Some(path) => path,
            None => {
                let problem = format!(
                    "`{}` in {} must be the path of a file",
                    setting.key, setting.origin
                );
                return self.problems.push(problem);
            }
        };
        if self
            .entries
            .get(&base)
            .is_some_and(|entry| same_layer(&entry.origin, &setting.origin))
        {
            let problem = format!(
                "`{base}` and `{}` are both set; keep one of them",
                setting.key
            );
            return self.problems.push(problem);
        }
        match layer::read_text(&path, SECRET_FILE_BYTES_MAX) {
            Ok(text) => {
                let value = Value::new(None, text.trim_end_matches(['\r', '\n']));
                let origin = Origin::SecretFile {
                    path,
                    named_by: Box::new(setting.origin),
                };
                let default = self
                    .entries
                    .get(&base)
                    .and_then(|entry| entry.default.clone());
                self.entries.insert(
                    base,
                    Entry {
                        value,
                        default,
                        origin,
                    },
                );
            }
            Err(reason) => self.problems.push(format!(
                "cannot read {}, named by `{}` in {}: {reason}",
                path.display(),
                setting.key,
                setting.origin
            )),
        }
    }
}

fn named_path(given: &Given) -> Option<PathBuf> {
    match given {
        Given::Text(text) => Some(PathBuf::from(text.trim())),
        Given::Typed(value) => match &value.kind {
            ValueKind::String(text) => Some(PathBuf::from(text)),
            ValueKind::Nil
            | ValueKind::Boolean(_)
            | ValueKind::I64(_)
            | ValueKind::I128(_)
            | ValueKind::U64(_)
            | ValueKind::U128(_)
            | ValueKind::Float(_)
            | ValueKind::Table(_)
            | ValueKind::Array(_) => None,
        },
    }
}

/// An alias and one of our variables both are "the environment", yet ours wins; only two settings of
/// the very same sort contradict each other.
fn same_layer(one: &Origin, other: &Origin) -> bool {
    let alias = |name: &str| layer::ALIASES.iter().any(|(alias, _)| *alias == name);
    match (one, other) {
        (Origin::Variable(one), Origin::Variable(other)) => alias(one) == alias(other),
        (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
    }
}

fn unknown(schema: &Schema, setting: &Setting) -> String {
    let advice = schema.advise(&setting.key);
    format!(
        "there is no key `{}`, set by {}; {advice}",
        setting.key, setting.origin
    )
}

fn mistyped(default: &Value, setting: &Setting, wanted: &str) -> String {
    let shown = match &setting.given {
        Given::Typed(value) => secret::show(&setting.key, value),
        Given::Text(text) => secret::show(&setting.key, &Value::new(None, text.as_str())),
    };
    let Setting { key, origin, .. } = setting;
    let example = schema::example(key, default);
    let cluster = if shown.starts_with("\"tcp://") {
        " (Kubernetes sets such variables for a service of that name: put `enableServiceLinks: false` \
         into the pod)"
    } else {
        ""
    };
    format!("`{key}` must be {wanted}, but {origin} holds {shown}{example}{cluster}")
}
