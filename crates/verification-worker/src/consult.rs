//! Asking detectors outside of Assay what they think of a file, once the analyses are done.
//!
//! Here is decided what becomes of a job whose detectors are away: one that it can do without is an opinion that says
//! so, one that it cannot do without is a [`Failure`]. Which of these is worth an attempt, `failure` knows.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use assay_core::breaker::ConfigError;
use assay_core::id::JobId;
use assay_core::worker::BreakerSeen;
use assay_detectors::{Ask, Modality, Opinion, Panel, Parked, Settings, Told, Tools};
use assay_forensics::Sniff;

use crate::content::Content;
use crate::failure::Failure;
use crate::render::Shared;
use crate::steps::{DETECTORS, Steps};

/// Those who are asked. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Consultants {
    panel: Option<Panel>,
    /// What makes renditions, if there is more than one who may want the same.
    shared: Option<Shared>,
}

/// What they are asked about.
pub(crate) struct Question<'a> {
    pub(crate) job_id: JobId,
    pub(crate) content: &'a Content,
    pub(crate) sniff: &'a Sniff,
    /// For all that is left to do with the file.
    pub(crate) time_left: Duration,
}

impl Consultants {
    /// The detectors that are configured. None of them is spoken to yet.
    ///
    /// # Errors
    /// The times of one are none that a breaker can have.
    pub(crate) fn open(settings: &Settings, tools: &Tools) -> Result<Self, ConfigError> {
        let mut tools = tools.clone();
        let mut shared = None;
        // What is kept takes memory, for nothing if there is only one to look at it.
        if settings.external.len() > 1 {
            let renderer = Shared::new(Arc::clone(&tools.renderer));
            tools.renderer = Arc::new(shared.insert(renderer).clone());
        }
        let panel = Panel::open(settings, &tools)?;
        let panel = Some(panel).filter(|panel| !panel.is_empty());
        Ok(Self { panel, shared })
    }

    /// Whether there is nobody to ask.
    pub(crate) fn is_empty(&self) -> bool {
        self.panel.is_none()
    }

    /// The detectors; nothing if there are none.
    pub(crate) fn panel(&self) -> Option<&Panel> {
        self.panel.as_ref()
    }

    /// How the breakers before them stand.
    pub(crate) fn breakers(&self, now_ms: u64) -> Vec<BreakerSeen> {
        let breakers = self.panel.iter().flat_map(Panel::breakers);
        let seen = breakers.map(|(name, snapshot, held)| {
            let downstream = format!("detector.{name}");
            BreakerSeen::new(downstream, &snapshot, held.as_deref(), now_ms)
        });
        seen.collect()
    }

    /// Whether one is shut off that some jobs cannot do without.
    pub(crate) fn is_shut(&self) -> bool {
        self.panel.as_ref().is_some_and(Panel::is_shut)
    }

    /// Has a job over such a file wait, if one is shut off that it cannot do without.
    ///
    /// # Errors
    /// [`Failure::Parked`].
    pub(crate) fn refuse_while_shut(
        &self,
        job_id: JobId,
        sniff: &Sniff,
        steps: &dyn Steps,
    ) -> Result<(), Failure> {
        let modality = Modality::of(sniff.format.kind());
        let (Some(panel), Some(modality)) = (self.panel.as_ref(), modality) else {
            return Ok(());
        };
        let refused = panel.refuse_while_shut(modality);
        refused.map_err(|parked| tell(job_id, parked, steps))
    }

    /// One opinion of each, whatever became of it; none at all if nobody looks at such files. Dropping the future takes
    /// all calls back.
    ///
    /// # Errors
    /// One that the job cannot do without is shut off, or has said nothing.
    pub(crate) async fn ask(
        &self,
        question: Question<'_>,
        steps: &dyn Steps,
    ) -> Result<Vec<Opinion>, Failure> {
        let Some(panel) = self.panel.as_ref() else {
            return Ok(Vec::new());
        };
        let Some(modality) = Modality::of(question.sniff.format.kind()) else {
            steps.skip(DETECTORS, "no detector looks at such files");
            return Ok(Vec::new());
        };
        steps.start(DETECTORS);
        let mut told = |told: Told<'_>| {
            let [current, total] = [told.current, told.total].map(wide);
            let message = format!("{}: {}", told.opinion.name, told.opinion.status.as_str());
            steps.advance(DETECTORS, current, total, &message);
        };
        let (job_id, id) = (question.job_id, question.content.id);
        let ask = question.of(modality);
        let ask = ask.map_err(|source| Failure::Read { id, source })?;
        let shared = self.shared.as_ref();
        let _kept = shared.map(|shared| shared.keep(&ask.file));
        let opinions = panel.ask(ask, &mut told).await;
        let opinions = opinions.map_err(|parked| tell(job_id, parked, steps))?;
        if let Some(failure) = lacking(&opinions) {
            steps.fail(DETECTORS, &failure.to_string());
            return Err(failure);
        }
        steps.done(DETECTORS);
        Ok(opinions)
    }
}

impl Question<'_> {
    fn of(self, modality: Modality) -> io::Result<Ask> {
        let Self { content, sniff, .. } = self;
        Ok(Ask {
            request_id: self.job_id.to_string(),
            file: Arc::new(content.file.try_clone()?),
            sha256: content.id.hex(),
            bytes: content.bytes,
            mime: sniff.mime.clone(),
            modality,
            size: sniff.size.map(|size| (size.width, size.height)),
            time_left: self.time_left,
            want_map: true,
            // What the sender calls the file is nobody else's business.
            hints: BTreeMap::new(),
        })
    }
}

/// The first that the job cannot do without and that has said nothing.
fn lacking(opinions: &[Opinion]) -> Option<Failure> {
    let mut required = opinions.iter().filter(|opinion| opinion.required);
    let missing = required.find(|opinion| opinion.is_missing())?;
    Some(Failure::Detector {
        name: missing.name.clone(),
        status: missing.status.as_str(),
        why: missing.why.clone(),
    })
}

/// An interruption has no words: the record of a job that waits says in its progress for whom.
fn tell(job_id: JobId, parked: Parked, steps: &dyn Steps) -> Failure {
    let detector = &parked.detector;
    let message =
        format!("waits for detector {detector}, which is required and not asked at present");
    steps.advance(DETECTORS, 0, 0, &message);
    tracing::info!(job.id = %job_id, detector, "job {job_id} has to {parked}");
    Failure::Parked(parked)
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
