//! The numbers that a model is shown of a picture, and their order.

use serde::Deserialize;

use super::Model;
use crate::picture::Pixels;

/// How the numbers of a picture follow each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// A plane for each colour: a tensor of `[1, 3, height, width]`.
    #[default]
    Nchw,
    /// The colours of a pixel together: a tensor of `[1, height, width, 3]`.
    Nhwc,
}

/// Which colour comes first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Colours {
    /// Red, green, blue.
    #[default]
    Rgb,
    /// Blue, green, red.
    Bgr,
}

impl Model {
    /// Sizes of the tensor that takes a picture.
    pub(crate) fn shape(&self) -> [u32; 4] {
        match self.layout {
            Layout::Nchw => [1, 3, self.height, self.width],
            Layout::Nhwc => [1, self.height, self.width, 3],
        }
    }

    /// What the model is shown of a picture of its size.
    pub(crate) fn tensor(&self, pixels: &Pixels) -> Vec<f32> {
        let (triples, _) = pixels.rgb().as_chunks::<3>();
        let order = match self.colours {
            Colours::Rgb => [0, 1, 2],
            Colours::Bgr => [2, 1, 0],
        };
        let number = |triple: &[u8; 3], colour: usize| {
            (f32::from(triple[colour]) / 255.0 - self.mean[colour]) / self.std[colour]
        };
        let mut tensor = Vec::with_capacity(triples.len() * order.len());
        match self.layout {
            Layout::Nchw => {
                for colour in order {
                    tensor.extend(triples.iter().map(|triple| number(triple, colour)));
                }
            }
            Layout::Nhwc => {
                for triple in triples {
                    tensor.extend(order.map(|colour| number(triple, colour)));
                }
            }
        }
        tensor
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tests::tiny;

    /// What a model of 2 by 1 pixels is shown of a black pixel and one of three colours.
    fn shown(layout: Layout, colours: Colours) -> Vec<f32> {
        let pixels = Pixels::new(2, 1, vec![0, 0, 0, 255, 51, 255]).unwrap();
        let model = Model {
            layout,
            colours,
            mean: [0.0, 0.5, 1.0],
            std: [1.0, 0.5, 0.25],
            ..tiny()
        };
        let numbers = model.tensor(&pixels);
        let shape = model.shape().map(|size| size as usize);
        assert_eq!(numbers.len(), shape.into_iter().product::<usize>());
        numbers
    }

    #[test]
    fn colours_follow_each_other_as_they_are_to() {
        let (black, other) = ([0.0, -1.0, -4.0], [1.0, -0.6, 0.0]);
        let near = |found: Vec<f32>, expected: [f32; 6]| {
            let pairs = found.iter().zip(expected);
            let all = pairs.into_iter().all(|(one, of)| (one - of).abs() < 1e-6);
            assert!(all && found.len() == 6, "{found:?}, not {expected:?}");
        };
        let [r, g, b] = black;
        let [red, green, blue] = other;
        near(
            shown(Layout::Nchw, Colours::Rgb),
            [r, red, g, green, b, blue],
        );
        near(
            shown(Layout::Nchw, Colours::Bgr),
            [b, blue, g, green, r, red],
        );
        near(
            shown(Layout::Nhwc, Colours::Rgb),
            [r, g, b, red, green, blue],
        );
        near(
            shown(Layout::Nhwc, Colours::Bgr),
            [b, g, r, blue, green, red],
        );
    }
}
