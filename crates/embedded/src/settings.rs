//! Section `[embedded]` of the configuration.

use std::path::PathBuf;

use assay_service::config::{self, Config};
use serde::Deserialize;

/// Where everything is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The data folder.
    pub data_dir: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    data_dir: String,
}

impl Settings {
    /// Reads the section.
    ///
    /// # Errors
    /// When the folder has no name.
    pub fn read(config: &Config) -> Result<Self, config::Error> {
        let section: Section = config.section("embedded")?;
        if section.data_dir.is_empty() {
            return Err(config.refuse("embedded.data_dir", "name a folder"));
        }
        Ok(Self {
            data_dir: section.data_dir.into(),
        })
    }
}
