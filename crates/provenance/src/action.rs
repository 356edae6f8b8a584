//! What a manifest says was done to the media.

use c2pa::Manifest;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clip;

/// Most actions kept of one manifest.
pub(crate) const ACTIONS_MAX: usize = 256;

/// All labels of actions assertions begin so, in every version.
const ACTIONS_LABEL: &str = "c2pa.actions";

/// One declared action.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// The name, such as `c2pa.created`.
    pub action: String,
    /// The declared source of the pixels or samples: an IPTC or C2PA address.
    pub digital_source_type: Option<String>,
    /// When, in the signer's words (RFC 3339).
    pub when: Option<String>,
    /// The software or device that did it.
    pub software_agent: Option<String>,
    /// The signer's description.
    pub description: Option<String>,
}

/// The actions of one manifest, and how complete the signer says they are.
#[derive(Debug, Default)]
pub(crate) struct Declared {
    pub(crate) actions: Vec<Action>,
    /// Every actions assertion says that nothing is left out.
    pub(crate) complete: bool,
    /// An actions assertion came from elsewhere: the signer passed it on without vouching for it.
    pub(crate) gathered: bool,
    pub(crate) cut: bool,
}

impl Declared {
    /// Reads all actions assertions, of the old version too.
    pub(crate) fn of(manifest: &Manifest) -> Self {
        let mut declared = Self {
            complete: true,
            ..Self::default()
        };
        let mut assertions_seen = 0_usize;
        // Version 1 claims know no gathered assertions.
        let knows_gathered = manifest.claim_version().is_some_and(|version| version >= 2);
        for assertion in manifest
            .assertions()
            .iter()
            .filter(|a| a.label().starts_with(ACTIONS_LABEL))
        {
            assertions_seen += 1;
            declared.gathered |= knows_gathered && !assertion.created();
            match assertion.value() {
                Ok(value) => declared.add(value),
                Err(_) => declared.complete = false,
            }
        }
        declared.complete &= assertions_seen > 0;
        declared
    }

    fn add(&mut self, assertion: &Value) {
        self.complete &= assertion.get("allActionsIncluded") == Some(&Value::Bool(true));
        let agents = assertion.get("softwareAgents");
        for action in assertion
            .get("actions")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            if self.actions.len() == ACTIONS_MAX {
                self.cut = true;
                return;
            }
            self.actions.push(action_of(action, agents));
        }
    }
}

fn action_of(action: &Value, agents: Option<&Value>) -> Action {
    let text = |key: &str| action.get(key).and_then(Value::as_str).map(clip);
    let listed_agent = || {
        let index = usize::try_from(action.get("softwareAgentIndex")?.as_u64()?).ok()?;
        agents?.get(index).and_then(agent_of)
    };
    Action {
        action: text("action").unwrap_or_default(),
        digital_source_type: text("digitalSourceType"),
        when: text("when"),
        software_agent: action
            .get("softwareAgent")
            .and_then(agent_of)
            .or_else(listed_agent),
        description: text("description"),
    }
}

/// Old manifests name the agent in a string, new ones in an object.
fn agent_of(agent: &Value) -> Option<String> {
    if let Some(name) = agent.as_str() {
        return Some(clip(name));
    }
    let name = agent.get("name")?.as_str()?;
    match agent.get("version").and_then(Value::as_str) {
        Some(version) => Some(clip(&format!("{name} {version}"))),
        None => Some(clip(name)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn agents_are_named_in_all_three_ways() {
        let agents = json!([{ "name": "Cam", "version": "2" }]);
        let agent = |action: Value| action_of(&action, Some(&agents)).software_agent;
        assert_eq!(
            agent(json!({ "softwareAgent": "Paint 1" })),
            Some("Paint 1".into())
        );
        assert_eq!(
            agent(json!({ "softwareAgent": { "name": "Paint" } })),
            Some("Paint".into())
        );
        assert_eq!(
            agent(json!({ "softwareAgentIndex": 0 })),
            Some("Cam 2".into())
        );
        assert_eq!(agent(json!({ "softwareAgentIndex": 1 })), None);
    }

    #[test]
    fn actions_are_cut_after_the_bound_and_not_before() {
        let mut declared = Declared {
            complete: true,
            ..Declared::default()
        };
        declared.add(&json!({ "allActionsIncluded": true, "actions": vec![json!({ "action": "c2pa.edited" }); ACTIONS_MAX] }));
        assert!(!declared.cut && declared.complete);
        declared.add(&json!({ "actions": [{ "action": "c2pa.edited" }] }));
        assert!(declared.cut && !declared.complete);
        assert_eq!(declared.actions.len(), ACTIONS_MAX);
    }
}
