//! A panel, its clock, and a file to ask about.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::Duration;

use assay_core::breaker::{Snapshot, State};
use assay_core::clock::{Clock, ManualClock};
use assay_detectors::render::{RenderError, Rendered, render};
use assay_detectors::{
    Ask, External, Meters, Modality, Opinion, Panel, Parked, Renderer, Rendition, Settings, Tools,
};
use assay_forensics::Limits;
use async_trait::async_trait;

use crate::scripted::Scripted;

/// When the clock of every fixture begins, in milliseconds since the epoch.
pub(crate) const BEGIN_MS: u64 = 1_000_000;
/// How long a state may take to come.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Fixture {
    pub(crate) panel: Panel,
    pub(crate) clock: Arc<ManualClock>,
}

/// Renders where it stands, which only a test may.
struct Here;

#[async_trait]
impl Renderer for Here {
    async fn render(
        &self,
        file: &Arc<File>,
        rendition: Rendition,
    ) -> Result<Rendered, RenderError> {
        let file = Arc::clone(file);
        let work = move || {
            let size_bytes = file.metadata().unwrap().len();
            let mut bytes = vec![0; usize::try_from(size_bytes).unwrap()];
            file.read_exact_at(&mut bytes, 0).unwrap();
            render(&bytes, rendition, &Limits::default())
        };
        tokio::task::spawn_blocking(work).await.unwrap()
    }
}

impl Fixture {
    /// A panel of detectors, by name.
    pub(crate) fn of(external: impl IntoIterator<Item = (&'static str, External)>) -> Self {
        let clock = Arc::new(ManualClock::at(BEGIN_MS));
        let tools = Tools {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            renderer: Arc::new(Here),
            chance: || 0.0,
            meters: Meters::default(),
        };
        let external = external.into_iter();
        let settings = Settings {
            external: external.map(|(name, one)| (name.to_owned(), one)).collect(),
        };
        let panel = Panel::open(&settings, &tools).unwrap();
        Self { panel, clock }
    }

    /// A panel of one detector, under the name `acme`.
    pub(crate) fn one(external: External) -> Self {
        Self::of([("acme", external)])
    }

    pub(crate) async fn ask(&self, ask: Ask) -> Result<Vec<Opinion>, Parked> {
        self.panel.ask(ask, &mut |_| {}).await
    }

    /// The opinion of the only detector.
    pub(crate) async fn opinion(&self) -> Opinion {
        let opinions = self.ask(ask(b"bytes")).await.unwrap();
        let [opinion] = opinions.try_into().unwrap();
        opinion
    }

    /// The breaker of the first detector.
    pub(crate) fn breaker(&self) -> Snapshot {
        self.panel.breakers()[0].1
    }

    pub(crate) fn state(&self) -> State {
        self.breaker().state
    }
}

/// How a detector is asked in tests: once, unless they say otherwise.
pub(crate) fn at(scripted: &Scripted) -> External {
    External {
        variants: false,
        ..External::at(format!("http://{}", scripted.address))
    }
}

/// A question about a picture of these bytes.
pub(crate) fn ask(bytes: &[u8]) -> Ask {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    Ask {
        request_id: "job-1".to_owned(),
        file: Arc::new(file),
        sha256: assay_forensics::sha256(bytes),
        bytes: bytes.len() as u64,
        mime: "image/png".to_owned(),
        modality: Modality::Image,
        size: None,
        time_left: Duration::from_secs(60),
        want_map: true,
        hints: BTreeMap::new(),
    }
}

/// Waits for a state, and fails if it does not come.
pub(crate) async fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    assert!(waited.await.is_ok(), "wait until {what}");
}
