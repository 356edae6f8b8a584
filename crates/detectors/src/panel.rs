//! All detectors, asked at the same time.

use std::collections::BTreeMap;
use std::sync::Arc;

use assay_core::breaker::{ConfigError, Snapshot};
use assay_core::clock::Clock;
use tokio::task::{Id, JoinError, JoinSet};
use tracing::Instrument;

use crate::exam::Ask;
use crate::member::Member;
use crate::metric_definitions::Meters;
use crate::opinion::{Opinion, Status};
use crate::render::Renderer;
use crate::settings::Settings;
use crate::task::Modality;

/// All configured detectors. Clones are the same panel.
#[derive(Clone)]
pub struct Panel {
    members: Arc<[Arc<Member>]>,
    clock: Arc<dyn Clock>,
}

/// What a panel works with.
#[derive(Clone)]
pub struct Tools {
    /// Tells the time to the breakers.
    pub clock: Arc<dyn Clock>,
    /// Renders pictures, where strangers' bytes may be parsed.
    pub renderer: Arc<dyn Renderer>,
    /// Draws from 0..1: for pauses and open times, so that many processes do not do the same at once.
    pub chance: fn() -> f64,
    /// Counts what happens.
    pub meters: Meters,
}

/// A required detector is shut off: the job waits, and spends no attempt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("wait {after_ms} ms for detector {detector}, which is required and not asked at present")]
pub struct Parked {
    /// Which detector, by its name in the configuration.
    pub detector: String,
    /// Until when, in milliseconds since the epoch.
    pub until_ms: u64,
    /// How long that is from now, in milliseconds, at least 1.
    pub after_ms: u64,
}

/// How far a question to the panel has come.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// The opinion that has just come in.
    pub opinion: &'a Opinion,
    /// How many are in.
    pub current: usize,
    /// How many there will be.
    pub total: usize,
}

impl Panel {
    /// Opens a panel, within a runtime. No detector is spoken to yet; one that cannot be is `misconfigured`, and the
    /// others work. Models in files are loaded, and this thread waits for that.
    ///
    /// # Errors
    /// The times of a detector are none that a breaker can have; checked settings have none such.
    pub fn open(settings: &Settings, tools: &Tools) -> Result<Self, ConfigError> {
        let open =
            |(name, external): (&String, _)| Member::new(name, external, tools).map(Arc::new);
        let members: Result<Vec<_>, _> = settings.external.iter().map(open).collect();
        Ok(Self {
            members: members?.into(),
            clock: Arc::clone(&tools.clock),
        })
    }

    /// Whether there is nobody to ask.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Whether some required detector is shut off at present. Then it is worth while to learn what a file is, and to
    /// ask [`Panel::refuse_while_shut`], before anything else is done with it.
    #[must_use]
    pub fn is_shut(&self) -> bool {
        let shut = |member: &Arc<Member>| self.refuse_without(member).is_err();
        self.members.iter().any(shut)
    }

    /// Parks a job over such media without a question to anybody, if it could not be brought to an end now.
    ///
    /// # Errors
    /// A required detector that would be asked about such media is shut off.
    pub fn refuse_while_shut(&self, modality: Modality) -> Result<(), Parked> {
        let mut asked = self.members.iter().filter(|one| one.takes(modality));
        asked.try_for_each(|member| self.refuse_without(member))
    }

    /// Puts a file to all detectors at the same time. `told` is called as each opinion comes in; the answer has one
    /// for each detector, in the order of their names. Dropping the future takes all calls back.
    ///
    /// # Errors
    /// A required detector that would be asked about such a file is shut off, or has just been.
    pub async fn ask(
        &self,
        ask: Ask,
        told: &mut (dyn FnMut(Told<'_>) + Send),
    ) -> Result<Vec<Opinion>, Parked> {
        self.refuse_while_shut(ask.modality)?;
        let ask = Arc::new(ask);
        let mut asked = JoinSet::new();
        let mut places: BTreeMap<Id, usize> = BTreeMap::new();
        for (place, member) in self.members.iter().enumerate() {
            let (member, ask) = (Arc::clone(member), Arc::clone(&ask));
            let task = async move { member.ask(&ask).await }.in_current_span();
            places.insert(asked.spawn(task).id(), place);
        }
        let mut opinions: BTreeMap<usize, Opinion> = BTreeMap::new();
        while let Some(ended) = asked.join_next_with_id().await {
            let id = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
            let member = places.get(&id).and_then(|place| {
                let member = self.members.get(*place)?;
                Some((*place, member))
            });
            let Some((place, member)) = member else {
                continue;
            };
            let opinion = ended.map_or_else(|error| lost(member, &error), |(_, opinion)| opinion);
            if opinion.status.is_lacking() {
                self.refuse_without(member)?;
            }
            let opinion = opinions.entry(place).or_insert(opinion).clone();
            told(Told {
                opinion: &opinion,
                current: opinions.len(),
                total: self.members.len(),
            });
        }
        Ok(opinions.into_values().collect())
    }

    /// The breakers by their detectors' names, as people see them, and why one is bolted if it is.
    #[must_use]
    pub fn breakers(&self) -> Vec<(String, Snapshot, Option<String>)> {
        let breaker = |member: &Arc<Member>| {
            let (snapshot, bolt) = member.gate().snapshot();
            (member.name.to_string(), snapshot, bolt)
        };
        self.members.iter().map(breaker).collect()
    }

    /// Holds the breaker before a detector open until [`Panel::automatic`]; false if there is no such detector.
    pub fn force_open(&self, detector: &str) -> bool {
        self.with(detector, |member| member.gate().force_open())
    }

    /// Lets the breaker before a detector decide again, also of one that was misconfigured; false if there is no such
    /// detector.
    pub fn automatic(&self, detector: &str) -> bool {
        self.with(detector, |member| member.gate().automatic())
    }

    fn with(&self, detector: &str, act: impl FnOnce(&Member)) -> bool {
        let member = self.members.iter().find(|one| &*one.name == detector);
        member.map(|member| act(member)).is_some()
    }

    /// Parks the job if the detector is required and shut off.
    fn refuse_without(&self, member: &Member) -> Result<(), Parked> {
        let after_ms = member.gate().retry_after_ms();
        if after_ms == 0 || !member.is_required() {
            return Ok(());
        }
        Err(Parked {
            detector: member.name.to_string(),
            until_ms: self.clock.now_ms().saturating_add(after_ms),
            after_ms,
        })
    }
}

impl std::fmt::Debug for Panel {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.members.iter().map(|member| &*member.name);
        out.debug_list().entries(names).finish()
    }
}

/// The opinion of a detector whose asking was lost to a mistake of ours.
fn lost(member: &Member, error: &JoinError) -> Opinion {
    let detector = &*member.name;
    tracing::error!(detector, %error, "asking detector {detector} was lost: {error}");
    member.silent(Status::Unavailable, "asking it was lost")
}
