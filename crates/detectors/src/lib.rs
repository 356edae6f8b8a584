//! Asks detectors outside of Assay what they think of a file, and lets none of them hold a job up or lead it astray.
//! They are called over the network, or are models in files of the operator's, which run here.
//!
//! Contract: [`Panel::ask`] puts one file to all configured detectors at the same time and answers one [`Opinion`] for
//! each, whatever became of it. Every call has a deadline, a place among few, at most one repetition out of a small
//! budget, and a circuit breaker before it; every answer is checked, and one that is not as it should be counts as an
//! illness of the detector. What an opinion weighs is capped by how well the detector was tried, and one that changes
//! its mind when a picture is saved again weighs nothing. A detector that is required and shut off parks the job.
//!
//! - [`Settings`]: section `[detectors]`. [`Ask`]: the question. [`coverage()`]: what an answer leaves untested.
//! - [`examine`]: what is wrong with the models in files, for who wants to know before a panel is opened.
//! - [`render::render`] makes what some detectors look at out of a stranger's file. It parses that file, so a service
//!   calls it in a child process only, behind the port [`Renderer`].
//!
//! Not here: the verdict (`assay-forensics`), what becomes of a parked job (`assay-worker-runtime`), child processes.

mod answer;
mod backend;
mod budget;
mod bulkhead;
mod call;
mod caller;
mod chunks;
mod coverage;
mod description;
mod exam;
mod gate;
mod member;
#[expect(
    clippy::disallowed_macros,
    reason = "this is the file that holds the names"
)]
mod metric_definitions;
mod model;
mod onnx;
mod open_inference;
mod opinion;
mod panel;
mod picture;
mod remote;
pub mod render;
mod robust;
mod settings;
mod task;
mod weigh;

pub use answer::{
    CLASSES_MAX, Class, MAP_SIDE_PIXELS_MAX, SEGMENTS_MAX, ScoreKind, Segment, WARNINGS_MAX,
};
pub use budget::RETRY_PERCENT;
pub use call::CONNECT_MS_MAX;
pub use chunks::CHUNK_BYTES_MAX;
pub use coverage::coverage;
pub use exam::{Ask, RESERVE_MS};
pub use metric_definitions::{INSTRUMENTS, Meters};
pub use model::{Activation, Colours, Layout, MODEL_SIDE_PIXELS_MAX, Model};
pub use onnx::{Examined, MODEL_BYTES_MAX, Unfit, examine};
pub use opinion::{Finding, FindingStatus, Opinion, Status};
pub use panel::{Panel, Parked, Told, Tools};
pub use remote::MESSAGE_BYTES_MAX;
pub use render::{Renderer, Rendition};
pub use robust::SCORE_RANGE_MAX;
pub use settings::{
    CONCURRENCY_MAX, DEFAULTS, DETECTORS_MAX, External, OwnCalibration, Protocol, Settings,
    TIMEOUT_MS_LIMIT, TIMEOUT_MS_MIN,
};
pub use task::{Modality, Task};
pub use weigh::CAP_UNTRIED;
