//! Section `[failpoints]`, in builds that have them. Every other build refuses the key, as it does any that it lacks.

use assay_failpoint::Plan;

use crate::config::{self, Config};

/// Documented defaults of the section.
pub(crate) const DEFAULTS: &str = "\
[failpoints]
# What chaos does to this process: \"submit.recorded=pause@20,settle.record-first=skip\". Empty: nothing.
armed = \"\"
";

/// Reads and checks the section.
///
/// # Errors
/// Names what is no failpoint, and what is.
pub(crate) fn read(config: &Config) -> Result<Plan, config::Error> {
    let armed: String = config.section("failpoints.armed")?;
    let plan = armed.parse::<Plan>();
    plan.map_err(|error| config.refuse("failpoints.armed", &format!("be a plan: {error}")))
}
