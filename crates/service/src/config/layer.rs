//! Where settings come from: files, variables, code.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use config::{ConfigError, File, FileFormat, Source, Value, ValueKind};

use super::schema::Schema;
use super::{CONFIG_FILE_BYTES_MAX, Error};

/// Our variables start with this; `__` also divides section and key.
pub const VARIABLE_PREFIX: &str = "ASSAY__";

/// Variables of other names that set a key too. They yield to ours, an empty one counts as absent, and
/// one whose key this process does not have is passed over: processes share an environment.
pub const ALIASES: [(&str, &str); 8] = [
    ("REDIS_HOST", "redis.host"),
    ("REDIS_PORT", "redis.port"),
    ("REDIS_PASSWORD", "redis.password"),
    ("REDIS_DB", "redis.db"),
    ("REDIS_TLS", "redis.tls"),
    ("RABBITMQ_URL", "rabbitmq.url"),
    ("WORKER_CONCURRENCY", "worker.concurrency"),
    ("WORKER_TIMEOUT", "worker.attempt_timeout_ms"),
];

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Compiled in.
    Default,
    /// The file of `--config`.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
    /// The program itself, for example a command line option.
    Code,
    /// A file that holds a secret.
    SecretFile {
        /// The file.
        path: PathBuf,
        /// What named the file.
        named_by: Box<Origin>,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => write!(out, "the default"),
            Self::File(path) => write!(out, "file {}", path.display()),
            Self::Variable(name) => write!(out, "environment variable {name}"),
            Self::Code => write!(out, "the program"),
            Self::SecretFile { path, named_by } => {
                write!(out, "secret file {} (named by {named_by})", path.display())
            }
        }
    }
}

/// One key as a layer gives it.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) key: String,
    pub(super) given: Given,
    pub(super) origin: Origin,
}

/// A value as a layer gives it.
#[derive(Debug)]
pub(super) enum Given {
    /// TOML knows types.
    Typed(Value),
    /// Variables are text; the default says what it means.
    Text(String),
}

/// Reads the environment of this process. The one place that does.
#[must_use]
pub fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .map(|(name, value)| {
            (
                name.to_string_lossy().into_owned(),
                value.to_string_lossy().into_owned(),
            )
        })
        .collect()
}

/// Reads at most `bytes_max` bytes of text.
///
/// # Errors
/// A sentence when the file cannot be read, is too large or is not UTF-8.
pub(super) fn read_text(path: &Path, bytes_max: u64) -> Result<String, String> {
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let mut text = String::new();
    let read = file.take(bytes_max + 1).read_to_string(&mut text);
    let bytes = read.map_err(|error| error.to_string())?;
    if u64::try_from(bytes).is_ok_and(|bytes| bytes > bytes_max) {
        return Err(format!("it is larger than {bytes_max} bytes"));
    }
    Ok(text)
}

pub(super) fn from_file(path: &Path) -> Result<Vec<Setting>, Error> {
    let text = read_text(path, CONFIG_FILE_BYTES_MAX).map_err(|reason| Error::File {
        path: path.to_path_buf(),
        reason,
    })?;
    let leaves = parse(&text).map_err(|reason| Error::Syntax {
        path: path.to_path_buf(),
        reason,
    })?;
    let setting = |(key, value)| Setting {
        key,
        given: Given::Typed(value),
        origin: Origin::File(path.to_path_buf()),
    };
    Ok(leaves.into_iter().map(setting).collect())
}

pub(super) fn from_aliases(
    environment: &BTreeMap<String, String>,
    schema: &Schema,
) -> Vec<Setting> {
    let mut settings = Vec::new();
    for (name, key) in ALIASES {
        let text = environment.get(name).filter(|text| !text.is_empty());
        if let Some(text) = text.filter(|_| schema.has(key)) {
            settings.push(variable(name, key.to_owned(), text));
        }
    }
    settings
}

pub(super) fn from_variables(environment: &BTreeMap<String, String>) -> Vec<Setting> {
    let mut settings = Vec::new();
    for (name, text) in environment {
        if let Some(rest) = name.strip_prefix(VARIABLE_PREFIX) {
            settings.push(variable(name, rest.to_lowercase().replace("__", "."), text));
        }
    }
    settings
}

pub(super) fn from_code(set: Vec<(String, String)>) -> Vec<Setting> {
    let setting = |(key, text)| Setting {
        key,
        given: Given::Text(text),
        origin: Origin::Code,
    };
    set.into_iter().map(setting).collect()
}

fn variable(name: &str, key: String, text: &str) -> Setting {
    Setting {
        key,
        given: Given::Text(text.to_owned()),
        origin: Origin::Variable(name.to_owned()),
    }
}

/// Parses TOML into dotted keys.
pub(super) fn parse(text: &str) -> Result<Vec<(String, Value)>, String> {
    let table = File::from_str(text, FileFormat::Toml)
        .collect()
        .map_err(|error| one_line(&error))?;
    let mut leaves = Vec::new();
    for (key, value) in table {
        flatten(key, value, &mut leaves);
    }
    Ok(leaves)
}

fn flatten(key: String, value: Value, leaves: &mut Vec<(String, Value)>) {
    if let ValueKind::Table(table) = &value.kind
        && !table.is_empty()
    {
        for (name, value) in table {
            flatten(format!("{key}.{name}"), value.clone(), leaves);
        }
        return;
    }
    leaves.push((key, value));
}

/// A parser draws its errors over several lines; the drawing is left out.
fn one_line(error: &ConfigError) -> String {
    let text = if let ConfigError::FileParse { cause, .. } = error {
        cause.to_string()
    } else {
        error.to_string()
    };
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.contains('|'))
        .collect();
    lines.join(": ")
}
