//! A digest in a record: one string of bytes, because a list of 32 numbers takes far longer to write.

use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserializer, Serializer};

const BYTES: usize = 32;

pub(super) fn serialize<S: Serializer>(
    digest: &[u8; BYTES],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(digest)
}

/// Reads both forms: text formats have no bytes and write the list.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<[u8; BYTES], D::Error> {
    deserializer.deserialize_bytes(Digest)
}

struct Digest;

impl<'de> Visitor<'de> for Digest {
    type Value = [u8; BYTES];

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{BYTES} bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
        let wrong = |_| E::invalid_length(bytes.len(), &self);
        bytes.try_into().map_err(wrong)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut digest = [0; BYTES];
        for (index, byte) in digest.iter_mut().enumerate() {
            let next = list.next_element()?;
            *byte = next.ok_or_else(|| A::Error::invalid_length(index, &self))?;
        }
        Ok(digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<[u8; BYTES], serde_json::Error> {
        deserialize(&mut serde_json::Deserializer::from_str(text))
    }

    #[test]
    fn the_list_of_a_text_format_is_read_and_no_shorter_one() {
        let mut text = Vec::new();
        let digest = std::array::from_fn(|index| u8::try_from(index).unwrap());
        serialize(&digest, &mut serde_json::Serializer::new(&mut text)).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(read(&text).unwrap(), digest);
        assert!(read(&text.replace(",31]", "]")).is_err());
    }
}
