//! One detector of the panel: what stands between a question and its answer.

use std::sync::Arc;
use std::time::Duration;

use assay_core::breaker::{BreakerConfig, ConfigError};
use futures::future::join_all;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use crate::answer::{Answer, Said, TaskAnswer};
use crate::backend::{self, Backend};
use crate::call::CallError;
use crate::caller::{Caller, Missed, Turn};
use crate::description::Description;
use crate::exam::{Ask, Body, Exam};
use crate::gate::{Barred, Gate};
use crate::metric_definitions::Meter;
use crate::opinion::{Finding, FindingStatus, Opinion, Status};
use crate::panel::Tools;
use crate::render::{Form, RENDERED_MIME, RenderError, Rendered, Renderer, Rendition, Variant};
use crate::robust;
use crate::settings::External;
use crate::task::{Modality, Task};
use crate::weigh::Scale;

/// How long a description is taken to hold, in milliseconds.
const DESCRIPTION_MS_MAX: u64 = 600_000;
/// How long describing itself may take a detector, in milliseconds.
const DESCRIBE_MS_MAX: u64 = 5_000;

/// One detector.
pub(crate) struct Member {
    pub(crate) name: Arc<str>,
    external: External,
    /// Why it cannot be spoken to at all, if so: then the gate is bolted.
    backend: Result<Box<dyn Backend>, String>,
    caller: Caller,
    renderer: Arc<dyn Renderer>,
    meter: Arc<Meter>,
    known: Mutex<Option<Known>>,
}

/// What is known of a detector, and since when.
struct Known {
    description: Arc<Description>,
    since: Instant,
}

impl Member {
    /// Makes a detector. It is not spoken to yet.
    ///
    /// # Errors
    /// Its times are none that a breaker can have.
    pub(crate) fn new(name: &str, external: &External, tools: &Tools) -> Result<Self, ConfigError> {
        let name: Arc<str> = name.into();
        let meter = tools.meters.meter(&name);
        let gate = Gate::new(
            Arc::clone(&name),
            BreakerConfig::detector(external.longest_ms()),
            Arc::clone(&tools.clock),
            tools.chance,
            Arc::clone(&meter),
        )?;
        let backend = backend::open(external);
        if let Err(why) = &backend {
            gate.bolt(why);
        }
        Ok(Self {
            name,
            external: external.clone(),
            backend,
            caller: Caller::new(gate, external.concurrency, tools.chance, Arc::clone(&meter)),
            renderer: Arc::clone(&tools.renderer),
            meter,
            known: Mutex::default(),
        })
    }

    pub(crate) fn gate(&self) -> &Gate {
        self.caller.gate()
    }

    pub(crate) fn is_required(&self) -> bool {
        self.external.required
    }

    /// Whether it is to be asked about such media, as far as the configuration says.
    pub(crate) fn takes(&self, modality: Modality) -> bool {
        self.external.takes(modality)
    }

    /// No opinion, for a reason.
    pub(crate) fn silent(&self, status: Status, why: &str) -> Opinion {
        Opinion::none(&self.name, self.external.required, status, why)
    }

    /// Asks for an opinion, and has one in the end.
    pub(crate) async fn ask(&self, ask: &Ask) -> Opinion {
        let begun = Instant::now();
        let mut opinion = match self.opinion(ask, begun).await {
            Ok(opinion) => opinion,
            Err(missed) => {
                let (status, why) = silence(&missed);
                self.silent(status, &why)
            }
        };
        opinion.latency_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.meter.opinion(opinion.status);
        opinion
    }

    async fn opinion(&self, ask: &Ask, now: Instant) -> Result<Opinion, Missed> {
        if !self.takes(ask.modality) {
            let why = format!("it is not asked about {}", ask.modality.as_str());
            return Ok(self.silent(Status::NotApplicable, &why));
        }
        let until = ask.until(now).ok_or(Missed::Late)?;
        let described = self.description(until).await?;
        let tasks = match described.tasks_for(&self.external, ask) {
            Ok(tasks) => tasks,
            Err(why) => return Ok(self.silent(Status::NotApplicable, &why)),
        };
        let original = self
            .examine(ask, &tasks, Variant::Original, &described, until)
            .await?;
        if original.version != described.version {
            *self.known.lock().await = None;
        }
        let changed = self
            .changed(ask, &tasks, &original, &described, until)
            .await;
        let scale = Scale::of(&self.external, described.calibration);
        let mut opinion = self.silent(Status::Unavailable, "");
        opinion.version = original.version;
        opinion.model_sha256 = original.model_sha256;
        opinion.cap = scale.cap();
        opinion.calibration = scale.calibration();
        let findings = original.results.into_iter();
        let findings = findings.map(|(task, answer)| finding(task, answer, &changed, scale));
        Ok(opinion.with(findings.collect()))
    }

    /// What the detector is: asked again only after a while. One asks for all who want to know.
    async fn description(&self, until: Instant) -> Result<Arc<Description>, Missed> {
        let known = timeout_at(until, self.known.lock()).await;
        let mut known = known.map_err(|_| Missed::Late)?;
        let holds = Duration::from_millis(DESCRIPTION_MS_MAX);
        if let Some(known) = known.as_ref().filter(|known| known.since.elapsed() < holds) {
            return Ok(Arc::clone(&known.description));
        }
        let backend = self.backend()?;
        let limit = Duration::from_millis(DESCRIBE_MS_MAX.min(self.external.timeout_ms));
        let call = |turn: Turn| backend.describe(turn.limit);
        let description = Arc::new(self.caller.call(backend, until, limit, call).await?);
        *known = Some(Known {
            description: Arc::clone(&description),
            since: Instant::now(),
        });
        Ok(description)
    }

    fn backend(&self) -> Result<&dyn Backend, Missed> {
        match &self.backend {
            Ok(backend) => Ok(backend.as_ref()),
            Err(why) => Err(Missed::Barred(Barred::Bolted(why.clone()))),
        }
    }

    /// What it says of the variants; of each nothing, and why, if it could not be asked.
    async fn changed(
        &self,
        ask: &Ask,
        tasks: &[Task],
        original: &Answer,
        described: &Description,
        until: Instant,
    ) -> Vec<(Variant, Result<Answer, String>)> {
        let scored = |answer: &TaskAnswer| matches!(answer.said, Said::Score { .. });
        let of_use = original.results.values().any(scored);
        if !(self.external.variants && of_use && ask.modality == Modality::Image) {
            return Vec::new();
        }
        let examined = Variant::CHANGED.map(|variant| async move {
            let examined = self.examine(ask, tasks, variant, described, until).await;
            (variant, examined.map_err(|missed| silence(&missed).1))
        });
        join_all(examined).await
    }

    async fn examine(
        &self,
        ask: &Ask,
        tasks: &[Task],
        variant: Variant,
        described: &Description,
        until: Instant,
    ) -> Result<Answer, Missed> {
        let exam = self.exam(ask, tasks, variant, until).await?;
        let backend = self.backend()?;
        let limit = Duration::from_millis(self.external.call_ms(ask.modality));
        let call = |turn| backend.analyze(&exam, described, turn);
        self.caller.call(backend, until, limit, call).await
    }

    async fn exam(
        &self,
        ask: &Ask,
        tasks: &[Task],
        variant: Variant,
        until: Instant,
    ) -> Result<Exam, Missed> {
        let form = backend::form(&self.external);
        let is_original = variant == Variant::Original && form == Form::File;
        let body = if is_original {
            Body::File {
                file: Arc::clone(&ask.file),
                bytes: ask.bytes,
                sha256: ask.sha256.clone(),
            }
        } else {
            self.rendered(ask, Rendition { variant, form }, until)
                .await?
        };
        let mime = if is_original {
            &ask.mime
        } else {
            RENDERED_MIME
        };
        Ok(Exam {
            request_id: ask.request_id.clone(),
            idempotency_key: format!("{}/{}/{}", ask.request_id, self.name, variant.as_str()),
            body,
            mime: mime.to_owned(),
            modality: ask.modality,
            size: ask.size.filter(|_| is_original),
            tasks: tasks.to_vec(),
            want_map: ask.want_map && variant == Variant::Original,
            hints: ask.hints.clone(),
        })
    }

    async fn rendered(
        &self,
        ask: &Ask,
        rendition: Rendition,
        until: Instant,
    ) -> Result<Body, Missed> {
        let rendered = timeout_at(until, self.renderer.render(&ask.file, rendition)).await;
        match rendered.map_err(|_| Missed::Late)? {
            Ok(Rendered::File(bytes)) => Ok(Body::Rendered(bytes.into())),
            Ok(Rendered::Pixels(pixels)) => Ok(Body::Pixels(pixels)),
            Err(RenderError::Undecodable(why)) => {
                let why = format!("the picture cannot be shown to it: {why}");
                Err(Missed::Failed(CallError::Refused(why)))
            }
            Err(error @ RenderError::Machine(_)) => {
                Err(Missed::Failed(CallError::Ours(error.to_string())))
            }
        }
    }
}

/// How a miss stands in a result, and what people are told.
fn silence(missed: &Missed) -> (Status, String) {
    let status = match missed {
        Missed::Late => Status::Timeout,
        Missed::Barred(Barred::Open { .. }) => Status::CircuitOpen,
        Missed::Barred(Barred::Bolted(_)) => Status::Misconfigured,
        Missed::Failed(error) => match error {
            CallError::TimedOut => Status::Timeout,
            CallError::Refused(_) => Status::NotApplicable,
            CallError::Misconfigured(_) => Status::Misconfigured,
            CallError::Failed { .. }
            | CallError::BadSchema(_)
            | CallError::Absent(_)
            | CallError::Ours(_) => Status::Unavailable,
        },
    };
    (status, missed.to_string())
}

/// What is found of a task: what was said of the original, if the variants do not contradict it.
fn finding(
    task: Task,
    answer: TaskAnswer,
    changed: &[(Variant, Result<Answer, String>)],
    scale: Scale,
) -> Finding {
    let mut finding = Finding {
        task,
        status: FindingStatus::Abstained,
        score: None,
        log10_lr: None,
        classes: answer.classes,
        segments: answer.segments,
        map_png: answer.map_png,
        confidence_png: answer.confidence_png,
        explanation: answer.explanation,
        warnings: answer.warnings,
    };
    let Some(said) = weighed(answer.said, scale) else {
        if answer.said == Said::NotApplicable {
            finding.status = FindingStatus::NotApplicable;
        }
        return finding;
    };
    finding.status = FindingStatus::Ok;
    finding.score = Some(said.score);
    finding.log10_lr = Some(said.log10_lr);
    let mut all = vec![said];
    for (variant, answer) in changed {
        let of_variant = answer.as_ref().map(|answer| {
            let answer = answer.results.get(&task);
            answer.and_then(|answer| weighed(answer.said, scale))
        });
        let untried = match of_variant {
            Ok(Some(said)) => {
                all.push(said);
                continue;
            }
            Ok(None) => "it does not want to say",
            Err(why) => why.as_str(),
        };
        let warning = format!("not tried on the picture {}: {untried}", variant.as_str());
        finding.warnings.push(warning);
    }
    if let Some(why) = robust::disagreement(&all) {
        finding.status = FindingStatus::Unstable;
        finding.log10_lr = None;
        finding.warnings.push(why);
    }
    finding
}

fn weighed(said: Said, scale: Scale) -> Option<robust::Said> {
    match said {
        Said::Score {
            score,
            log10_lr,
            kind,
        } => Some(robust::Said {
            score,
            log10_lr: scale.weigh(score, log10_lr, kind),
        }),
        Said::NotApplicable | Said::Abstained => None,
    }
}

#[cfg(test)]
mod tests;
