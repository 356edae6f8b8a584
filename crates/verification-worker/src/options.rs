//! The switches of a job.
//!
//! `without`: stages to leave out, separated by commas; any but `sniff` and `structure`. What is left out stands in the
//! coverage as not tested.

use std::collections::BTreeMap;

use crate::failure::Failure;
use crate::stages;

/// The option that leaves stages out.
pub const WITHOUT: &str = "without";
/// The stages that no job may do without: others stand on them.
const NEEDED: [&str; 2] = [stages::SNIFF, stages::STRUCTURE];

/// What a job asks for besides the usual.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Options {
    without: Vec<&'static str>,
}

impl Options {
    /// Reads the options of a payload.
    ///
    /// # Errors
    /// An option that does not exist, or a value that it cannot have.
    pub(crate) fn read(options: &BTreeMap<String, String>) -> Result<Self, Failure> {
        let mut read = Self::default();
        for (name, value) in options {
            if name != WITHOUT {
                return Err(refuse(name, "leave it out: the only option is 'without'"));
            }
            for stage in value
                .split(',')
                .map(str::trim)
                .filter(|stage| !stage.is_empty())
            {
                let known = optional().find(|known| *known == stage);
                read.without
                    .push(known.ok_or_else(|| refuse(name, &name_stages()))?);
            }
        }
        Ok(read)
    }

    /// Whether the job does without this stage.
    pub(crate) fn leave_out(&self, stage: &str) -> bool {
        self.without.contains(&stage)
    }

    /// The stages that are left out, each once.
    pub(crate) fn left_out(&self) -> impl Iterator<Item = &'static str> {
        stages::ALL
            .iter()
            .map(|stage| stage.name)
            .filter(|stage| self.leave_out(stage))
    }

    /// The stages that are to run, in their order.
    pub(crate) fn stages(&self) -> Vec<&'static str> {
        stages::ALL
            .iter()
            .map(|stage| stage.name)
            .filter(|stage| !self.leave_out(stage))
            .collect()
    }
}

/// The stages that a job may do without.
fn optional() -> impl Iterator<Item = &'static str> {
    let all = stages::ALL.iter().map(|stage| stage.name);
    all.filter(|stage| !NEEDED.contains(stage))
}

fn name_stages() -> String {
    let all: Vec<&str> = optional().collect();
    format!("name stages out of {}, separated by commas", all.join(", "))
}

fn refuse(name: &str, must: &str) -> Failure {
    Failure::Option {
        name: name.to_owned(),
        must: must.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, value: &str) -> Result<Options, String> {
        let options = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        Options::read(&options).map_err(|failure| failure.to_string())
    }

    #[test]
    fn without_options_every_stage_runs() {
        let all: Vec<&str> = stages::ALL.iter().map(|stage| stage.name).collect();
        assert_eq!(Options::default().stages(), all);
        assert_eq!(read(WITHOUT, "").unwrap().stages(), all);
    }

    #[test]
    fn optional_stages_can_be_left_out() {
        let options = read(WITHOUT, "provenance, fingerprint, copy_move").unwrap();
        let rest = ["sniff", "structure", "metadata", "double_quantisation"];
        assert_eq!(options.stages()[..4], rest);
        assert!(options.leave_out("copy_move") && !options.leave_out("grid"));
    }

    #[test]
    fn what_does_not_exist_is_refused_in_one_sentence() {
        let error = read("fast", "yes").unwrap_err();
        assert_eq!(
            error,
            "read option 'fast' of the payload: leave it out: the only option is 'without'"
        );
        assert!(
            read(WITHOUT, "sniff")
                .unwrap_err()
                .contains("name stages out of metadata")
        );
        assert!(read(WITHOUT, "metadata;fingerprint").is_err());
    }
}
