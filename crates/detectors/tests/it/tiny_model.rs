//! Models of a few hundred bytes, written by hand: they show that models run, and detect nothing.
//!
//! What is written is `ModelProto` of onnx.proto, as Protocol Buffers.

/// Rows and columns of what the models are shown.
pub(crate) const SIDE: u32 = 8;
/// Name of the tensor that takes the picture.
pub(crate) const INPUT: &str = "pixels";
/// Name of the tensor that holds the score.
pub(crate) const OUTPUT: &str = "score";
/// What the mean of the edges is multiplied by, before [`BIAS`] is added.
pub(crate) const SCALE: f32 = 0.125;
pub(crate) const BIAS: f32 = -0.25;

/// The tensor of one number that each model makes first: the mean of the edges.
const EDGES: &str = "edges";
const IR_VERSION: u64 = 8;
const OPSET: u64 = 17;
/// The type of tensors of 32-bit floats.
const FLOAT: u64 = 1;
/// The type of attributes of whole numbers.
const INTS: u64 = 7;

/// Scores a picture by its edges: the mean over the picture of |the sum of its colours' Laplacians|, scaled, through the
/// logistic function.
pub(crate) fn edges() -> Vec<u8> {
    model(&[
        node("Mul", &[EDGES, "scale"], "scaled"),
        node("Add", &["scaled", "bias"], "logit"),
        node("Sigmoid", &["logit"], OUTPUT),
    ])
}

/// Answers what is no number, whatever it is shown.
pub(crate) fn no_number() -> Vec<u8> {
    model(&[
        node("Sub", &[EDGES, EDGES], "zero"),
        node("Div", &["zero", "zero"], OUTPUT),
    ])
}

/// Has an operator that nobody knows.
pub(crate) fn unknown_operator() -> Vec<u8> {
    model(&[node("Crystallise", &[EDGES], OUTPUT)])
}

/// What [`edges`] scores a picture: samples of rows of red, green and blue, taken as shares of 255.
pub(crate) fn score_of(rgb: &[u8]) -> f64 {
    let side = SIDE as usize;
    let at = |x: usize, y: usize| {
        let samples = rgb[3 * (y * side + x)..].iter().take(3);
        samples.map(|&one| f64::from(one) / 255.0).sum::<f64>()
    };
    let inner = 1..side - 1;
    let laplacians = inner.clone().flat_map(|y| {
        let row = inner.clone();
        row.map(move |x| {
            let around = at(x - 1, y) + at(x + 1, y) + at(x, y - 1) + at(x, y + 1);
            (4.0 * at(x, y) - around).abs()
        })
    });
    let count = inner.len() * inner.len();
    let logit = f64::from(SCALE) * laplacians.sum::<f64>() / count as f64 + f64::from(BIAS);
    1.0 / (1.0 + (-logit).exp())
}

/// A model that makes [`OUTPUT`] of [`EDGES`] by these nodes.
fn model(tail: &[Vec<u8>]) -> Vec<u8> {
    let mut convolution = node("Conv", &[INPUT, "laplacian"], "convolved");
    convolution.extend(bytes(5, &attribute("kernel_shape", &[3, 3])));
    let head = [
        convolution,
        node("Abs", &["convolved"], "absolute"),
        node("GlobalAveragePool", &["absolute"], "pooled"),
        node("Flatten", &["pooled"], EDGES),
    ];
    let mut graph: Vec<u8> = head
        .iter()
        .chain(tail)
        .flat_map(|node| bytes(1, node))
        .collect();
    graph.extend(bytes(2, b"a test model, not a detector"));
    let plane = [0.0, -1.0, 0.0, -1.0, 4.0, -1.0, 0.0, -1.0, 0.0];
    graph.extend(bytes(
        5,
        &constant("laplacian", &[1, 3, 3, 3], &plane.repeat(3)),
    ));
    graph.extend(bytes(5, &constant("scale", &[1], &[SCALE])));
    graph.extend(bytes(5, &constant("bias", &[1], &[BIAS])));
    let side = u64::from(SIDE);
    graph.extend(bytes(11, &value(INPUT, &[1, 3, side, side])));
    graph.extend(bytes(12, &value(OUTPUT, &[1, 1])));
    [
        number(1, IR_VERSION),
        bytes(7, &graph),
        bytes(8, &number(2, OPSET)),
    ]
    .concat()
}

/// `NodeProto`.
fn node(operator: &str, inputs: &[&str], output: &str) -> Vec<u8> {
    let mut node: Vec<u8> = inputs
        .iter()
        .flat_map(|input| bytes(1, input.as_bytes()))
        .collect();
    node.extend(bytes(2, output.as_bytes()));
    node.extend(bytes(3, output.as_bytes()));
    node.extend(bytes(4, operator.as_bytes()));
    node
}

/// `AttributeProto` of whole numbers.
fn attribute(name: &str, numbers: &[u64]) -> Vec<u8> {
    let mut attribute = bytes(1, name.as_bytes());
    attribute.extend(numbers.iter().flat_map(|one| number(8, *one)));
    attribute.extend(number(20, INTS));
    attribute
}

/// `TensorProto` of 32-bit floats.
fn constant(name: &str, sizes: &[u64], numbers: &[f32]) -> Vec<u8> {
    let mut tensor: Vec<u8> = sizes.iter().flat_map(|size| number(1, *size)).collect();
    tensor.extend(number(2, FLOAT));
    tensor.extend(bytes(8, name.as_bytes()));
    let raw: Vec<u8> = numbers
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();
    tensor.extend(bytes(9, &raw));
    tensor
}

/// `ValueInfoProto` of a tensor of 32-bit floats.
fn value(name: &str, sizes: &[u64]) -> Vec<u8> {
    let dimensions = sizes.iter().flat_map(|size| bytes(1, &number(1, *size)));
    let shape: Vec<u8> = dimensions.collect();
    let tensor = [number(1, FLOAT), bytes(2, &shape)].concat();
    [bytes(1, name.as_bytes()), bytes(2, &bytes(1, &tensor))].concat()
}

/// A field of variable length: wire type 2.
fn bytes(field: u64, content: &[u8]) -> Vec<u8> {
    let mut written = varint(field << 3 | 2);
    written.extend(varint(content.len() as u64));
    written.extend(content);
    written
}

/// A field of a number: wire type 0.
fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut written = Vec::new();
    loop {
        let low = u8::try_from(value & 0x7f).unwrap();
        value >>= 7;
        if value == 0 {
            written.push(low);
            return written;
        }
        written.push(low | 0x80);
    }
}
