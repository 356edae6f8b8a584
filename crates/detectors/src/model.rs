//! What a bare model wants to be shown, and how its numbers are read.

mod tensor;

use std::path::PathBuf;

use serde::Deserialize;

use crate::call::CallError;
use crate::picture::Fit;

pub use tensor::{Colours, Layout};

/// Most pixels along a side of what a model is shown.
pub const MODEL_SIDE_PIXELS_MAX: u32 = 1_024;
/// Most numbers that a model may answer.
pub(crate) const OUTPUTS_MAX: usize = 10_000;

/// A model and its picture: one of `width` by `height`, of numbers `(sample / 255 - mean) / std`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Its name at the server.
    #[serde(default)]
    pub name: String,
    /// Its version: at the server, where an empty one is the server's choice; of a file, what results call it.
    #[serde(default)]
    pub version: String,
    /// The file that it is.
    #[serde(default)]
    pub path: PathBuf,
    /// SHA-256 of the file, as 64 lower-case hexadecimal digits.
    #[serde(default)]
    pub sha256: String,
    /// Name of the tensor that takes the picture.
    pub input: String,
    /// Name of the tensor that holds the score, of a file.
    #[serde(default)]
    pub output: String,
    /// Which of the tensors that come out of a server holds the score, from 0.
    #[serde(default)]
    pub output_index: usize,
    /// Columns of the picture.
    pub width: u32,
    /// Rows of the picture.
    pub height: u32,
    /// Taken from each sample of red, green and blue, in whatever order these are shown.
    #[serde(default)]
    pub mean: [f32; 3],
    /// What the rest is divided by.
    #[serde(default = "ones")]
    pub std: [f32; 3],
    /// How a picture of another shape is made to fit.
    #[serde(default)]
    pub fit: Fit,
    /// How the numbers follow each other.
    #[serde(default)]
    pub layout: Layout,
    /// Which colour comes first.
    #[serde(default)]
    pub colours: Colours,
    /// What makes a score of the numbers.
    #[serde(default)]
    pub activation: Activation,
    /// Which of the numbers stands for fake, from 0.
    #[serde(default)]
    pub positive_class: usize,
}

/// What makes a score, 0 to 1, of a model's numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// They are scores.
    #[default]
    None,
    /// The logistic function of the one that counts.
    Sigmoid,
    /// The share of its exponential in that of all.
    Softmax,
}

fn ones() -> [f32; 3] {
    [1.0; 3]
}

impl Model {
    /// Checks what the types leave open.
    ///
    /// # Errors
    /// The field, and what it must be.
    pub(crate) fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let side = 1..=MODEL_SIDE_PIXELS_MAX;
        if self.input.is_empty() {
            return Err(("input", "name a tensor"));
        }
        for (field, pixels) in [("width", self.width), ("height", self.height)] {
            if !side.contains(&pixels) {
                return Err((field, "be between 1 and 1024"));
            }
        }
        if !self.mean.iter().all(|mean| mean.is_finite()) {
            return Err(("mean", "be three numbers"));
        }
        if !self.std.iter().all(|std| std.is_finite() && *std > 0.0) {
            return Err(("std", "be three numbers above 0"));
        }
        if self.positive_class >= OUTPUTS_MAX {
            return Err(("positive_class", "be below 10000"));
        }
        Ok(())
    }

    /// The score that a model's numbers come to.
    ///
    /// # Errors
    /// There is no number where one must be, or what it comes to is no score.
    pub(crate) fn score(&self, numbers: &[f32]) -> Result<f64, CallError> {
        if numbers.len() > OUTPUTS_MAX {
            return Err(CallError::bad("it has too many numbers"));
        }
        if !numbers.iter().all(|number| number.is_finite()) {
            return Err(CallError::bad("it has a number that is none"));
        }
        let number = numbers.get(self.positive_class).copied().map(f64::from);
        let number = number.ok_or_else(|| CallError::bad("it has no number for positive_class"))?;
        let score = match self.activation {
            Activation::None => number,
            Activation::Sigmoid => 1.0 / (1.0 + (-number).exp()),
            Activation::Softmax => {
                // Taken from the exponents, so that none overflows: the one that counts has the exponent 0.
                let all = numbers
                    .iter()
                    .map(|&other| (f64::from(other) - number).exp());
                1.0 / all.sum::<f64>()
            }
        };
        if (0.0..=1.0).contains(&score) {
            Ok(score)
        } else {
            Err(CallError::bad("its score is not between 0 and 1"))
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A model of 2 by 1 pixels.
    pub(crate) fn tiny() -> Model {
        Model {
            name: "m".to_owned(),
            version: String::new(),
            path: PathBuf::new(),
            sha256: String::new(),
            input: "input".to_owned(),
            output: String::new(),
            output_index: 0,
            width: 2,
            height: 1,
            mean: [0.0, 0.5, 1.0],
            std: [1.0, 0.5, 0.25],
            fit: Fit::Stretch,
            layout: Layout::default(),
            colours: Colours::default(),
            activation: Activation::None,
            positive_class: 0,
        }
    }

    #[test]
    fn numbers_become_scores() {
        let score = |activation, positive_class, numbers: &[f32]| {
            let model = Model {
                activation,
                positive_class,
                ..tiny()
            };
            model.score(numbers)
        };
        assert_eq!(score(Activation::None, 1, &[0.25, 0.75]), Ok(0.75));
        assert_eq!(score(Activation::Sigmoid, 0, &[0.0]), Ok(0.5));
        assert_eq!(score(Activation::Softmax, 1, &[7.0, 7.0]), Ok(0.5));
        // Far apart, and neither overflows.
        assert_eq!(score(Activation::Softmax, 0, &[1e30, -1e30]), Ok(1.0));
        assert_eq!(score(Activation::Softmax, 1, &[1e30, -1e30]), Ok(0.0));
        assert_eq!(score(Activation::Sigmoid, 0, &[-1e30]), Ok(0.0));
    }

    #[test]
    fn numbers_that_are_no_scores_are_refused() {
        for numbers in [&[1.01][..], &[-0.01], &[f32::NAN], &[f32::INFINITY], &[]] {
            assert!(tiny().score(numbers).is_err(), "{numbers:?}");
        }
        assert!(tiny().score(&vec![0.5; OUTPUTS_MAX]).is_ok());
        assert!(tiny().score(&vec![0.5; OUTPUTS_MAX + 1]).is_err());
    }

    #[test]
    fn bounds_hold_at_n_and_not_beyond() {
        let with = |change: fn(&mut Model)| {
            let mut model = tiny();
            change(&mut model);
            model.check().map_err(|(field, _)| field)
        };
        assert_eq!(with(|model| model.width = MODEL_SIDE_PIXELS_MAX), Ok(()));
        assert_eq!(
            with(|model| model.width = MODEL_SIDE_PIXELS_MAX + 1),
            Err("width")
        );
        assert_eq!(with(|model| model.height = 0), Err("height"));
        assert_eq!(with(|model| model.std = [1.0, 0.0, 1.0]), Err("std"));
        assert_eq!(with(|model| model.mean = [f32::NAN; 3]), Err("mean"));
        assert_eq!(with(|model| model.positive_class = OUTPUTS_MAX - 1), Ok(()));
        assert_eq!(
            with(|model| model.positive_class = OUTPUTS_MAX),
            Err("positive_class")
        );
        assert_eq!(with(|model| model.input.clear()), Err("input"));
    }
}
