use std::fs::File;
use std::io::Cursor;
use std::net::SocketAddr;
use std::sync::Arc;

use assay_core::clock::SystemClock;
use assay_forensics::Limits;
use image::{ImageFormat, Rgb, RgbImage};
use parking_lot::Mutex;
use proptest::prelude::*;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

use super::wire::grpc_inference_service_server::{
    GrpcInferenceService, GrpcInferenceServiceServer,
};
use super::wire::{InferTensorContents, ModelReadyResponse};
use super::*;
use crate::bulkhead::Bulkhead;
use crate::exam::Ask;
use crate::metric_definitions::Meters;
use crate::model::tests::tiny;
use crate::opinion::Status as Outcome;
use crate::panel::{Panel, Tools};
use crate::picture::Pixels;
use crate::render::{RenderError, Rendered, Renderer, Rendition, render};
use crate::settings::{External, Protocol, Settings};

fn tensor(name: &str, datatype: &str, shape: &[i64]) -> TensorMetadata {
    TensorMetadata {
        name: name.to_owned(),
        datatype: datatype.to_owned(),
        shape: shape.to_vec(),
    }
}

fn metadata() -> ModelMetadataResponse {
    ModelMetadataResponse {
        name: "m".to_owned(),
        versions: vec!["1".to_owned(), "2".to_owned()],
        inputs: vec![tensor("input", FP32, &[-1, 3, 1, 2])],
        outputs: vec![tensor("output", FP32, &[-1, 2])],
    }
}

fn output(shape: &[i64], numbers: Option<Vec<f32>>) -> InferOutputTensor {
    InferOutputTensor {
        name: "output".to_owned(),
        datatype: FP32.to_owned(),
        shape: shape.to_vec(),
        contents: numbers.map(|fp32_contents| InferTensorContents { fp32_contents }),
    }
}

fn exam() -> Exam {
    Exam {
        request_id: "job".to_owned(),
        idempotency_key: "key".to_owned(),
        body: Body::Pixels(Pixels::new(2, 1, vec![0, 0, 0, 255, 255, 255]).unwrap()),
        mime: String::new(),
        modality: Modality::Image,
        size: None,
        tasks: vec![Task::AiGenerated],
        want_map: false,
        hints: std::collections::BTreeMap::new(),
    }
}

/// A server of one model that answers always the same, and keeps the questions.
#[derive(Clone, Default)]
struct Scripted {
    asked: Arc<Mutex<Vec<ModelInferRequest>>>,
}

#[tonic::async_trait]
impl GrpcInferenceService for Scripted {
    async fn model_ready(
        &self,
        request: Request<ModelReadyRequest>,
    ) -> Result<Response<ModelReadyResponse>, Status> {
        let ready = request.into_inner().name == "m";
        Ok(Response::new(ModelReadyResponse { ready }))
    }

    async fn model_metadata(
        &self,
        _: Request<ModelMetadataRequest>,
    ) -> Result<Response<ModelMetadataResponse>, Status> {
        Ok(Response::new(metadata()))
    }

    async fn model_infer(
        &self,
        request: Request<ModelInferRequest>,
    ) -> Result<Response<ModelInferResponse>, Status> {
        self.asked.lock().push(request.into_inner());
        Ok(Response::new(ModelInferResponse {
            model_name: "m".to_owned(),
            model_version: "2".to_owned(),
            id: "key".to_owned(),
            outputs: vec![output(&[1, 2], None)],
            raw_output_contents: vec![[0.25_f32, 0.75].map(f32::to_le_bytes).concat().into()],
        }))
    }
}

async fn serve(scripted: Scripted, serving: &mut JoinSet<()>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    serving.spawn(async move {
        Server::builder()
            .add_service(GrpcInferenceServiceServer::new(scripted))
            .serve_with_incoming(TcpListenerStream::new(listener))
            .await
            .unwrap();
    });
    address
}

#[tokio::test]
async fn a_model_at_a_server_is_shown_samples_and_answers_numbers() {
    let scripted = Scripted::default();
    let mut serving = JoinSet::new();
    let address = serve(scripted.clone(), &mut serving).await;
    let external = External::at(format!("http://{address}"));
    let model = Model {
        positive_class: 1,
        ..tiny()
    };
    let backend = OpenInference::new(Line::to(&external).unwrap(), model, Task::AiGenerated);
    let limit = Duration::from_secs(10);
    backend.healthy(limit).await.unwrap();
    let described = backend.describe(limit).await.unwrap();
    assert_eq!(described.version, "2");
    let place = Bulkhead::new(1).enter().await.place();
    let turn = Turn { limit, place };
    let answer = backend.analyze(&exam(), &described, turn).await.unwrap();
    let kind = ScoreKind::Uncalibrated;
    assert_eq!(
        answer.results[&Task::AiGenerated].said,
        Said::Score {
            score: 0.75,
            log10_lr: None,
            kind
        }
    );
    let asked = scripted.asked.lock().pop().unwrap();
    assert_eq!(asked.inputs[0].shape, [1, 3, 1, 2]);
    let shown = [0.0_f32, 1.0, -1.0, 1.0, -4.0, 0.0].map(f32::to_le_bytes);
    assert_eq!(asked.raw_input_contents[0], shown.concat());
}

/// Renders where it stands, which only a test may.
struct Here(Vec<u8>);

#[async_trait]
impl Renderer for Here {
    async fn render(&self, _: &Arc<File>, rendition: Rendition) -> Result<Rendered, RenderError> {
        render(&self.0, rendition, &Limits::default())
    }
}

#[tokio::test]
async fn a_panel_has_samples_made_for_a_model() {
    let scripted = Scripted::default();
    let mut serving = JoinSet::new();
    let address = serve(scripted.clone(), &mut serving).await;
    let model = Model {
        positive_class: 1,
        ..tiny()
    };
    let external = External {
        protocol: Protocol::OpenInference,
        tasks: vec![Task::AiGenerated],
        model: Some(model),
        ..External::at(format!("http://{address}"))
    };
    let mut png = Cursor::new(Vec::new());
    let picture = RgbImage::from_pixel(8, 4, Rgb([255; 3]));
    picture.write_to(&mut png, ImageFormat::Png).unwrap();
    let tools = Tools {
        clock: Arc::new(SystemClock),
        renderer: Arc::new(Here(png.into_inner())),
        chance: || 0.0,
        meters: Meters::default(),
    };
    let settings = Settings {
        external: [("clip".to_owned(), external)].into(),
    };
    let panel = Panel::open(&settings, &tools).unwrap();
    let ask = Ask {
        request_id: "job".to_owned(),
        file: Arc::new(tempfile::tempfile().unwrap()),
        sha256: String::new(),
        bytes: 0,
        mime: "image/png".to_owned(),
        modality: Modality::Image,
        size: Some((8, 4)),
        time_left: Duration::from_secs(60),
        want_map: false,
        hints: std::collections::BTreeMap::new(),
    };
    let opinions = panel.ask(ask, &mut |_| {}).await.unwrap();
    let [opinion] = opinions.try_into().unwrap();
    assert_eq!((opinion.status, opinion.score), (Outcome::Ok, Some(0.75)));
    assert!(opinion.findings[0].warnings.is_empty());
    let asked = scripted.asked.lock().clone();
    assert_eq!(asked.len(), 3);
    let white = [1.0_f32, 1.0, 1.0, 1.0, 0.0, 0.0].map(f32::to_le_bytes);
    assert!(
        asked
            .iter()
            .all(|asked| asked.raw_input_contents[0] == white.concat())
    );
}

#[test]
fn a_model_that_is_not_as_configured_is_misconfigured() {
    let with = |change: fn(&mut ModelMetadataResponse)| {
        let mut response = metadata();
        change(&mut response);
        describe(&tiny(), Task::Splice, &response)
    };
    assert!(with(|response| response.inputs[0].shape = vec![3, 1, 2]).is_ok());
    assert!(with(|response| response.inputs[0].shape = vec![-1, -1, -1, -1]).is_ok());
    let wrong: [fn(&mut ModelMetadataResponse); 5] = [
        |response| response.inputs[0].shape = vec![1, 1, 2, 3],
        |response| response.inputs[0].datatype = "UINT8".to_owned(),
        |response| response.inputs.clear(),
        |response| response.outputs.clear(),
        |response| response.outputs[0].datatype = "INT64".to_owned(),
    ];
    for change in wrong {
        assert!(matches!(with(change), Err(CallError::Misconfigured(_))));
    }
    let other = with(|response| response.name = "other".to_owned());
    assert!(matches!(other, Err(CallError::BadSchema(_))));
    let silent = with(|response| response.versions.clear());
    assert_eq!(silent.unwrap().version, VERSION_UNKNOWN);
}

#[test]
fn there_are_as_many_numbers_as_the_shape_says() {
    let typed = |shape: &[i64], count| numbers(&output(shape, Some(vec![0.5; count])), None);
    assert_eq!(typed(&[1, 2], 2).unwrap().len(), 2);
    assert_eq!(typed(&[], 1).unwrap().len(), 1);
    for (shape, count) in [
        (&[1, 2][..], 1),
        (&[-1, 2], 2),
        (&[0], 0),
        (&[i64::MAX, i64::MAX], 1),
    ] {
        assert!(typed(shape, count).is_err(), "{shape:?}");
    }
    let raw = |bytes: usize| numbers(&output(&[1, 2], None), Some(&vec![0; bytes].into()));
    assert!(raw(8).is_ok());
    for bytes in [0, 7, 9, 12] {
        assert!(raw(bytes).is_err(), "{bytes}");
    }
    assert!(numbers(&output(&[1], None), None).is_err());
}

proptest! {
    #[test]
    fn no_answer_makes_it_panic(shape in proptest::collection::vec(any::<i64>(), 0..4),
        raw in proptest::collection::vec(any::<u8>(), 0..64), typed in proptest::collection::vec(any::<f32>(), 0..8)) {
        let response = ModelInferResponse {
            model_name: "m".to_owned(),
            outputs: vec![output(&shape, Some(typed))],
            raw_output_contents: vec![raw.into()],
            ..ModelInferResponse::default()
        };
        let described = describe(&tiny(), Task::Splice, &metadata()).unwrap();
        drop(answer(&tiny(), Task::Splice, response, &described));
    }
}
