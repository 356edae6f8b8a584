//! Configuration: documented defaults, then a file, then the environment, then code.
//!
//! The defaults are the schema. A key that they do not hold is an error with a suggestion, and a value
//! of another type than the default's is an error that names the key, where the value came from and
//! what to write instead. All problems are reported at once.
//!
//! - An empty table in the defaults (`limits = {}`) takes keys of any name.
//! - A secret, and any key called `url`, may be named as a file: `redis.password_file`.
//! - `ASSAY__REDIS__PORT` is `redis.port`. The variables of [`ALIASES`] work too and yield to ours.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use ::config::{ConfigError, Value, ValueKind};
use serde::de::DeserializeOwned;

mod layer;
mod merge;
mod schema;
mod secret;

pub use layer::{ALIASES, Origin, VARIABLE_PREFIX, environment};

/// Defaults of the sections that every process has.
pub const DEFAULTS: &str = include_str!("defaults.toml");

/// The largest configuration file that is read, in bytes.
pub const CONFIG_FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The numbers of the 32-bit FNV-1a hash: quick, and the same in every build.
const FNV_OFFSET: u32 = 0x811c_9dc5;
const FNV_PRIME: u32 = 0x0100_0193;

/// Why a configuration cannot be used. Every message is for a person and says how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file of `--config` cannot be read.
    #[error("cannot read configuration file {}: {reason}; give --config a readable TOML file", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The file of `--config` is not TOML.
    #[error("cannot parse configuration file {}: {reason}", path.display())]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        reason: String,
    },
    /// Keys or values are wrong; one sentence each.
    #[error("{}", .0.join("\n"))]
    Invalid(Vec<String>),
    /// The compiled-in defaults are wrong: a mistake in this program.
    #[error("compiled-in defaults are wrong: {0}")]
    Defaults(String),
}

/// All settings of a process, each with where it came from.
#[derive(Clone, Debug)]
pub struct Config {
    entries: BTreeMap<String, Entry>,
    is_for_check: bool,
}

/// One effective setting.
#[derive(Clone, Debug)]
struct Entry {
    value: Value,
    default: Option<Value>,
    origin: Origin,
}

impl Config {
    /// Starts from the sections of every process, followed by `defaults`. A later document may give
    /// another default to a key of an earlier one.
    pub fn loader(defaults: &[&str]) -> Loader {
        let documents = std::iter::once(DEFAULTS);
        #[cfg(feature = "failpoints")]
        let documents = documents.chain([crate::failpoints::DEFAULTS]);
        let documents = documents.chain(defaults.iter().copied());
        Loader {
            defaults: documents.map(str::to_owned).collect(),
            ..Loader::default()
        }
    }

    /// The same, for somebody who only wants to know what is wrong with it.
    #[must_use]
    pub fn for_check(mut self) -> Self {
        self.is_for_check = true;
        self
    }

    /// Whether nothing but a check follows: then also what a service could start without is looked at.
    #[must_use]
    pub fn is_for_check(&self) -> bool {
        self.is_for_check
    }

    /// Reads a section, or one key, into `T`.
    ///
    /// # Errors
    /// When a value does not fit `T` (out of range, not one of the choices, not an address).
    pub fn section<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        let value = match self.entries.get(path) {
            Some(entry) if !matches!(entry.value.kind, ValueKind::Table(_)) => entry.value.clone(),
            Some(_) | None => nest(self.below(path)),
        };
        value
            .try_deserialize()
            .map_err(|error| self.misfit(path, &error))
    }

    /// The error for a value that a component cannot work with. `must` completes "`key` must ...".
    #[must_use]
    pub fn refuse(&self, key: &str, must: &str) -> Error {
        let Some(entry) = self.entries.get(key) else {
            return Error::Invalid(vec![format!("`{key}` must {must}")]);
        };
        let shown = secret::show(key, &entry.value);
        Error::Invalid(vec![format!(
            "`{key}` must {must}, but {} holds {shown}",
            entry.origin
        )])
    }

    /// Every key in order, with its value (secrets hidden) and origin. Each line is valid TOML.
    #[must_use]
    pub fn explain(&self) -> Vec<Explained> {
        let explain = |(key, entry): (&String, &Entry)| Explained {
            key: key.clone(),
            value: secret::show(key, &entry.value),
            origin: entry.origin.clone(),
        };
        // A table that was filled is described by its keys; both together would not be TOML.
        let shown = |(key, _): &(&String, &Entry)| self.below(key).is_empty();
        self.entries.iter().filter(shown).map(explain).collect()
    }

    /// A number that is the same for two processes with the same settings, wherever each came from.
    /// Secrets are left out: nobody shall guess at one by this number.
    #[must_use]
    pub fn hash(&self) -> u32 {
        let settings = self
            .entries
            .iter()
            .filter(|(key, _)| !secret::is_secret(key));
        settings.fold(FNV_OFFSET, |hash, (key, entry)| {
            let line = format!("{key}={}\n", secret::show(key, &entry.value));
            line.bytes().fold(hash, |hash, byte| {
                (hash ^ u32::from(byte)).wrapping_mul(FNV_PRIME)
            })
        })
    }

    /// Where the value of `key` came from.
    #[must_use]
    pub fn origin(&self, key: &str) -> Option<&Origin> {
        self.entries.get(key).map(|entry| &entry.origin)
    }

    fn below(&self, section: &str) -> Vec<(&str, &Value)> {
        let prefix = format!("{section}.");
        let mut leaves = Vec::new();
        for (key, entry) in &self.entries {
            if let Some(rest) = key.strip_prefix(&prefix) {
                leaves.push((rest, &entry.value));
            }
        }
        leaves
    }

    fn misfit(&self, path: &str, error: &ConfigError) -> Error {
        let (key, reason) = locate(error);
        let key = match key {
            Some(key) if key != path => format!("{path}.{key}"),
            Some(_) | None => path.to_owned(),
        };
        let Some(entry) = self.entries.get(&key) else {
            return Error::Invalid(vec![format!("cannot use `{key}`: {reason}")]);
        };
        let reason = if secret::is_secret(&key) {
            "it has the wrong form"
        } else {
            &reason
        };
        let example = entry
            .default
            .as_ref()
            .map(|default| schema::example(&key, default));
        let example = example.unwrap_or_default();
        Error::Invalid(vec![format!(
            "cannot use `{key}` from {}: {reason}{example}",
            entry.origin
        )])
    }
}

/// Collects the layers of a configuration.
#[derive(Debug, Default)]
#[must_use]
pub struct Loader {
    defaults: Vec<String>,
    file: Option<PathBuf>,
    environment: BTreeMap<String, String>,
    set: Vec<(String, String)>,
}

impl Loader {
    /// Adds the file of `--config`, if there is one.
    pub fn file(mut self, path: Option<&Path>) -> Self {
        self.file = path.map(Path::to_path_buf);
        self
    }

    /// Adds variables; a process passes [`environment`], a test passes a map.
    pub fn environment(mut self, variables: BTreeMap<String, String>) -> Self {
        self.environment = variables;
        self
    }

    /// Sets one key from code. It wins over all else; the text is read like that of a variable.
    pub fn set(mut self, key: &str, value: impl Into<String>) -> Self {
        self.set.push((key.to_owned(), value.into()));
        self
    }

    /// Puts the layers on top of each other.
    ///
    /// # Errors
    /// When the file cannot be read, or any key or value is wrong.
    pub fn load(self) -> Result<Config, Error> {
        let schema = schema::Schema::parse(&self.defaults).map_err(Error::Defaults)?;
        let file = match &self.file {
            Some(path) => layer::from_file(path)?,
            None => Vec::new(),
        };
        let layers = [
            file,
            layer::from_aliases(&self.environment, &schema),
            layer::from_variables(&self.environment),
            layer::from_code(self.set),
        ];
        merge::merge(&schema, layers).map(|entries| Config {
            entries,
            is_for_check: false,
        })
    }
}

/// A setting as shown to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Which key.
    pub key: String,
    /// Its value as TOML; secrets are hidden.
    pub value: String,
    /// Where the value came from.
    pub origin: Origin,
}

impl fmt::Display for Explained {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} = {}  # {}", self.key, self.value, self.origin)
    }
}

/// Builds the table that dotted paths describe.
fn nest(leaves: Vec<(&str, &Value)>) -> Value {
    let mut tables: BTreeMap<&str, Vec<(&str, &Value)>> = BTreeMap::new();
    let mut table = ::config::Map::new();
    for (path, value) in leaves {
        match path.split_once('.') {
            Some((head, tail)) => tables.entry(head).or_default().push((tail, value)),
            None => drop(table.insert(path.to_owned(), value.clone())),
        }
    }
    for (head, leaves) in tables {
        table.insert(head.to_owned(), nest(leaves));
    }
    Value::new(None, table)
}

/// Digs out which key an error is about, and the bare reason.
fn locate(error: &ConfigError) -> (Option<String>, String) {
    if let ConfigError::At { error, key, .. } = error {
        let (inner, reason) = locate(error);
        return (key.clone().or(inner), reason);
    }
    if let ConfigError::Type {
        unexpected,
        expected,
        key,
        ..
    } = error
    {
        return (key.clone(), format!("it is {unexpected}, not {expected}"));
    }
    (None, error.to_string())
}
