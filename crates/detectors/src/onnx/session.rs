//! A model in memory, and a run of it. No other file names the library that runs it.

use std::sync::Arc;

use assay_forensics::clip;
use rten::{DataType, Dimension, NodeId, NodeInfo, RunOptions, ThreadPool, Value, ValueType};

use super::{Engine, Unfit};
use crate::call::CallError;
use crate::model::{Model, OUTPUTS_MAX};

/// Most names of tensors that a person is told of.
const NAMES_SHOWN_MAX: usize = 8;

/// A model that has run once.
pub(super) struct Session {
    model: rten::Model,
    input: NodeId,
    output: NodeId,
    /// Of what it is shown.
    shape: [usize; 4],
    /// Its own, as many as it has runs at once.
    threads: Arc<ThreadPool>,
}

impl Session {
    /// Makes a model of the bytes of a file, and has it look at an empty picture.
    ///
    /// # Errors
    /// The bytes are no model that runs here, or it is not as `wanted` says.
    pub(super) fn open(bytes: Vec<u8>, wanted: &Model, runs: usize) -> Result<Self, Unfit> {
        let no_model = |error: &dyn std::fmt::Display| {
            let path = wanted.path.display();
            let must = format!("name an ONNX model that runs here, which {path} is not: {error}");
            Unfit::new("path", must)
        };
        let model = rten::Model::load(bytes).map_err(|error| no_model(&error))?;
        let session = Self {
            input: input(&model, wanted)?,
            output: output(&model, wanted)?,
            shape: wanted.shape().map(|size| size as usize),
            threads: Arc::new(ThreadPool::with_num_threads(runs)),
            model,
        };
        let numbers = vec![0.0; session.shape.iter().product()];
        let answered = session.run(numbers).map_err(|error| no_model(&error))?;
        let count = answered.len();
        if count > OUTPUTS_MAX {
            let must = format!("name a tensor of at most {OUTPUTS_MAX} numbers, not of {count}");
            return Err(Unfit::new("output", must));
        }
        if wanted.positive_class >= count {
            let must = format!("be below {count}: so many numbers come out");
            return Err(Unfit::new("positive_class", must));
        }
        Ok(session)
    }
}

impl Engine for Session {
    fn run(&self, numbers: Vec<f32>) -> Result<Vec<f32>, CallError> {
        let shown = Value::from_shape(self.shape, numbers)
            .map_err(|_| CallError::Ours("the samples are not those of its picture".to_owned()))?;
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(&self.threads)));
        let inputs = vec![(self.input, shown.into())];
        let ran = self.model.run(inputs, &[self.output], Some(options));
        let ran = ran.map_err(|error| CallError::Failed {
            why: clip(&format!("it does not run: {error}")),
            again: false,
        })?;
        let Some(Value::FloatTensor(numbers)) = ran.into_iter().next() else {
            return Err(CallError::bad("its numbers are not FP32"));
        };
        Ok(numbers.into_data())
    }
}

/// The tensor that takes the picture.
fn input(model: &rten::Model, wanted: &Model) -> Result<NodeId, Unfit> {
    let id = named(model, model.input_ids(), &wanted.input);
    let id = id.map_err(|names| Unfit::new("input", format!("be one of {names}")))?;
    let info = model.node_info(id);
    let shape = info.as_ref().and_then(NodeInfo::shape);
    let shown = wanted.shape();
    let fits = shape.as_ref().is_none_or(|shape| {
        let mut pairs = shape.iter().zip(shown);
        // A size that has a name instead of a number is as large as one likes.
        shape.len() == shown.len()
            && pairs.all(|(one, of)| !matches!(one, Dimension::Fixed(size) if *size != of as usize))
    });
    if fits && has_floats(info.as_ref()) {
        return Ok(id);
    }
    let takes = shape.map_or_else(|| "something else".to_owned(), |shape| sizes(&shape));
    let must = format!(
        "name a tensor that takes FP32 of {shown:?}, as width, height and layout have it; this one takes {takes}"
    );
    Err(Unfit::new("input", must))
}

/// The tensor that holds the score.
fn output(model: &rten::Model, wanted: &Model) -> Result<NodeId, Unfit> {
    let id = named(model, model.output_ids(), &wanted.output);
    let id = id.map_err(|names| Unfit::new("output", format!("be one of {names}")))?;
    if has_floats(model.node_info(id).as_ref()) {
        Ok(id)
    } else {
        Err(Unfit::new("output", "name a tensor of FP32"))
    }
}

/// The tensor of this name, or the names that there are.
fn named(model: &rten::Model, ids: &[NodeId], name: &str) -> Result<NodeId, String> {
    let name_of = |id: NodeId| model.node_info(id)?.name().map(str::to_owned);
    let mut all = ids.iter().copied();
    let found = all.find(|id| name_of(*id).as_deref() == Some(name));
    found.ok_or_else(|| {
        let names = ids.iter().filter_map(|id| name_of(*id));
        let names: Vec<String> = names.take(NAMES_SHOWN_MAX).collect();
        format!("{names:?}")
    })
}

/// Whether a tensor holds FP32, as far as the model says.
fn has_floats(info: Option<&NodeInfo<'_>>) -> bool {
    let kind = info.and_then(NodeInfo::dtype);
    kind.is_none_or(|kind| kind == ValueType::Tensor(DataType::Float))
}

fn sizes(shape: &[Dimension]) -> String {
    let size = |one: &Dimension| match one {
        Dimension::Fixed(size) => size.to_string(),
        Dimension::Symbolic(name) => name.clone(),
    };
    let sizes: Vec<String> = shape.iter().take(NAMES_SHOWN_MAX).map(size).collect();
    format!("[{}]", sizes.join(", "))
}
