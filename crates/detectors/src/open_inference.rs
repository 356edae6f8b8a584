//! A bare model at a server of the Open Inference Protocol, version 2: it is shown samples, and answers numbers.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tonic::transport::Channel;

use crate::answer::{Answer, Said, ScoreKind, TaskAnswer};
use crate::backend::Backend;
use crate::call::CallError;
use crate::caller::Turn;
use crate::description::{Description, label};
use crate::exam::{Body, Exam};
use crate::model::{Model, OUTPUTS_MAX};
use crate::remote::{Line, MESSAGE_BYTES_MAX};
use crate::task::{Modality, Task};

/// The protocol's messages and client.
mod wire {
    #![expect(
        unused_qualifications,
        unreachable_pub,
        clippy::allow_attributes,
        clippy::allow_attributes_without_reason,
        clippy::clone_on_ref_ptr,
        clippy::doc_markdown,
        clippy::excessive_nesting,
        clippy::too_many_lines,
        reason = "generated code: nobody reads or edits it"
    )]
    tonic::include_proto!("inference");
}

use wire::grpc_inference_service_client::GrpcInferenceServiceClient;
use wire::model_infer_request::InferInputTensor;
use wire::model_infer_response::InferOutputTensor;
use wire::model_metadata_response::TensorMetadata;
use wire::{
    ModelInferRequest, ModelInferResponse, ModelMetadataRequest, ModelMetadataResponse,
    ModelReadyRequest,
};

/// The only type of numbers that is spoken here: IEEE 754 in 32 bits.
const FP32: &str = "FP32";
/// What is told of the version of a model whose server does not tell.
const VERSION_UNKNOWN: &str = "unknown";

/// A bare model at a server.
#[derive(Debug)]
pub(crate) struct OpenInference {
    line: Line,
    model: Model,
    task: Task,
}

impl OpenInference {
    pub(crate) fn new(line: Line, model: Model, task: Task) -> Self {
        Self { line, model, task }
    }

    fn client(&self) -> GrpcInferenceServiceClient<Channel> {
        let client = GrpcInferenceServiceClient::new(self.line.channel.clone());
        client.max_decoding_message_size(MESSAGE_BYTES_MAX)
    }
}

#[async_trait]
impl Backend for OpenInference {
    async fn describe(&self, limit: Duration) -> Result<Description, CallError> {
        let message = ModelMetadataRequest {
            name: self.model.name.clone(),
            version: self.model.version.clone(),
        };
        let request = self.line.request(message, limit);
        let response = self.client().model_metadata(request).await?.into_inner();
        describe(&self.model, self.task, &response)
    }

    async fn healthy(&self, limit: Duration) -> Result<(), CallError> {
        let message = ModelReadyRequest {
            name: self.model.name.clone(),
            version: self.model.version.clone(),
        };
        let request = self.line.request(message, limit);
        if self.client().model_ready(request).await?.into_inner().ready {
            return Ok(());
        }
        let why = "its server says that it is not ready".to_owned();
        Err(CallError::Failed { why, again: false })
    }

    async fn analyze(
        &self,
        exam: &Exam,
        described: &Description,
        turn: Turn,
    ) -> Result<Answer, CallError> {
        let message = question(&self.model, exam)?;
        let request = self.line.request(message, turn.limit);
        let response = self.client().model_infer(request).await?.into_inner();
        answer(&self.model, self.task, response, described)
    }
}

/// What the server says of the model, held against what the configuration says.
fn describe(
    model: &Model,
    task: Task,
    response: &ModelMetadataResponse,
) -> Result<Description, CallError> {
    if response.name != model.name {
        return Err(CallError::bad("another model is described"));
    }
    let input = response.inputs.iter().find(|one| one.name == model.input);
    if !input.is_some_and(|input| takes(input, model)) {
        let why = format!(
            "model.input {} takes no FP32 of {:?}",
            model.input,
            model.shape()
        );
        return Err(CallError::Misconfigured(why));
    }
    let output = response.outputs.get(model.output_index);
    if output.is_none_or(|output| output.datatype != FP32) {
        let why = format!("model.output_index {} gives no FP32", model.output_index);
        return Err(CallError::Misconfigured(why));
    }
    let configured = Some(&model.version).filter(|version| !version.is_empty());
    let version = configured.or_else(|| response.versions.last()).cloned();
    Ok(Description {
        name: model.name.clone(),
        version: label(
            "version",
            version.unwrap_or_else(|| VERSION_UNKNOWN.to_owned()),
        )?,
        modalities: vec![Modality::Image],
        tasks: vec![task],
        bytes_max: None,
        pixels_max: None,
        score_kind: ScoreKind::Uncalibrated,
        calibration: None,
    })
}

/// Whether a tensor takes what the model is shown. Servers that batch leave the first size open, or out.
fn takes(input: &TensorMetadata, model: &Model) -> bool {
    let shown = model.shape().map(i64::from);
    let fits = |shape: &[i64], shown: &[i64]| {
        let pairs = shape.iter().zip(shown);
        shape.len() == shown.len() && pairs.into_iter().all(|(one, of)| one == of || *one == -1)
    };
    let unbatched = shown.get(1..).unwrap_or_default();
    input.datatype == FP32 && (fits(&input.shape, &shown) || fits(&input.shape, unbatched))
}

fn question(model: &Model, exam: &Exam) -> Result<ModelInferRequest, CallError> {
    let Body::Pixels(pixels) = &exam.body else {
        return Err(CallError::Ours("there are no samples to show".to_owned()));
    };
    let numbers = model.tensor(pixels);
    let raw: Vec<u8> = numbers.into_iter().flat_map(f32::to_le_bytes).collect();
    Ok(ModelInferRequest {
        model_name: model.name.clone(),
        model_version: model.version.clone(),
        id: exam.idempotency_key.clone(),
        inputs: vec![InferInputTensor {
            name: model.input.clone(),
            datatype: FP32.to_owned(),
            shape: model.shape().map(i64::from).to_vec(),
        }],
        raw_input_contents: vec![raw.into()],
    })
}

fn answer(
    model: &Model,
    task: Task,
    response: ModelInferResponse,
    described: &Description,
) -> Result<Answer, CallError> {
    if response.model_name != model.name {
        return Err(CallError::bad("another model has answered"));
    }
    let output = response.outputs.get(model.output_index);
    let output = output.ok_or_else(|| CallError::bad("it has no output of the index"))?;
    let raw = response.raw_output_contents.get(model.output_index);
    let score = model.score(&numbers(output, raw)?)?;
    let version = Some(response.model_version).filter(|version| !version.is_empty());
    let version = version.unwrap_or_else(|| described.version.clone());
    let said = Said::Score {
        score,
        log10_lr: None,
        kind: ScoreKind::Uncalibrated,
    };
    let result = TaskAnswer {
        said,
        ..TaskAnswer::default()
    };
    Ok(Answer {
        version: label("version", version)?,
        model_sha256: None,
        results: [(task, result)].into(),
    })
}

/// The numbers of an output, wherever they stand. There are as many as its shape says.
fn numbers(output: &InferOutputTensor, raw: Option<&Bytes>) -> Result<Vec<f32>, CallError> {
    if output.datatype != FP32 {
        return Err(CallError::bad("its numbers are not FP32"));
    }
    let sizes = output.shape.iter();
    let mut sizes = sizes.map(|size| usize::try_from(*size).ok());
    let count = sizes.try_fold(1_usize, |count, size| count.checked_mul(size?));
    let count = count.filter(|count| (1..=OUTPUTS_MAX).contains(count));
    let count = count.ok_or_else(|| CallError::bad("its shape is not that of numbers"))?;
    let numbers = match (raw, &output.contents) {
        (Some(raw), _) => {
            let (numbers, rest) = raw.as_chunks();
            if !rest.is_empty() {
                return Err(CallError::bad("its last number is cut off"));
            }
            numbers
                .iter()
                .map(|bytes| f32::from_le_bytes(*bytes))
                .collect()
        }
        (None, Some(contents)) => contents.fp32_contents.clone(),
        (None, None) => Vec::new(),
    };
    if numbers.len() == count {
        Ok(numbers)
    } else {
        Err(CallError::bad(
            "it has not as many numbers as its shape says",
        ))
    }
}

#[cfg(test)]
mod tests;
