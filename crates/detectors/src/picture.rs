//! A small picture, as models are shown it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Rows of red, green and blue samples.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Pixels {
    width: u32,
    height: u32,
    #[serde(serialize_with = "to_text")]
    rgb: Vec<u8>,
}

#[derive(Deserialize)]
struct Unchecked {
    width: u32,
    height: u32,
    #[serde(deserialize_with = "from_text")]
    rgb: Vec<u8>,
}

/// How a picture of another shape is made to fit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// All of it, in another shape.
    Stretch,
    /// The largest part in the middle that has the shape.
    #[default]
    Crop,
}

impl Pixels {
    /// A picture of these samples; nothing if they do not fill it.
    #[must_use]
    pub fn new(width: u32, height: u32, rgb: Vec<u8>) -> Option<Self> {
        let samples = u64::from(width) * u64::from(height);
        let fills = samples.checked_mul(3) == u64::try_from(rgb.len()).ok();
        (fills && samples > 0).then_some(Self { width, height, rgb })
    }

    /// Columns.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The samples, row by row.
    #[must_use]
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }
}

impl TryFrom<Unchecked> for Pixels {
    type Error = &'static str;

    fn try_from(raw: Unchecked) -> Result<Self, Self::Error> {
        Self::new(raw.width, raw.height, raw.rgb).ok_or("a picture's samples must fill it")
    }
}

/// Bytes as text, for outputs of child processes.
pub(crate) fn to_text<S: Serializer>(bytes: &[u8], out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(&STANDARD.encode(bytes))
}

/// The bytes of such a text.
pub(crate) fn from_text<'de, D: Deserializer<'de>>(text: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(text)?;
    STANDARD.decode(text).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_full_or_none() {
        assert!(Pixels::new(2, 1, vec![0; 6]).is_some());
        assert!(Pixels::new(2, 1, vec![0; 5]).is_none());
        assert!(Pixels::new(0, 1, Vec::new()).is_none());
        assert!(Pixels::new(u32::MAX, u32::MAX, Vec::new()).is_none());
    }

    #[test]
    fn a_picture_comes_through_text_and_a_wrong_one_does_not() {
        let pixels = Pixels::new(1, 1, vec![1, 2, 3]).unwrap();
        let text = serde_json::to_string(&pixels).unwrap();
        assert_eq!(serde_json::from_str::<Pixels>(&text).unwrap(), pixels);
        let wrong = text.replace("\"width\":1", "\"width\":2");
        assert!(serde_json::from_str::<Pixels>(&wrong).is_err());
    }
}
