//! The 256 bits of a perceptual fingerprint.

use std::fmt;

/// Frequencies per direction that become bits.
pub(super) const FREQUENCIES: usize = 16;
/// Bits of a fingerprint.
pub(super) const BITS: usize = FREQUENCIES * FREQUENCIES;
/// Bytes of a fingerprint.
pub const FINGERPRINT_BYTES: usize = BITS / 8;
const WORDS: usize = BITS / WORD_BITS;
const WORD_BITS: usize = 64;
const HEX_DIGITS: usize = BITS / 4;
const WORD_HEX_DIGITS: usize = WORD_BITS / 4;

/// A fingerprint as it is compared: lowest frequencies first. The bit of vertical frequency `v` and horizontal frequency
/// `u`, both counted from 0, is number `16 v + u` from the highest of the first word on. Printed as 64 digits in hex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bits([u64; WORDS]);

impl Bits {
    /// Reads 64 digits in hex; nothing if the text is anything else.
    #[must_use]
    pub fn parse(hex: &str) -> Option<Self> {
        // The parser of numbers takes signs, too.
        if hex.len() != HEX_DIGITS || !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let mut words = [0; WORDS];
        let (parts, _) = hex.as_bytes().as_chunks::<WORD_HEX_DIGITS>();
        for (word, digits) in words.iter_mut().zip(parts) {
            *word = u64::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
        }
        Some(Self(words))
    }

    /// The fingerprint of these bytes, of which the first holds the first eight bits.
    #[must_use]
    pub fn from_bytes(bytes: [u8; FINGERPRINT_BYTES]) -> Self {
        let mut words = [0; WORDS];
        for (word, part) in words.iter_mut().zip(bytes.as_chunks().0) {
            *word = u64::from_be_bytes(*part);
        }
        Self(words)
    }

    /// The bytes of the fingerprint, of which the first holds the first eight bits.
    #[must_use]
    pub fn to_bytes(self) -> [u8; FINGERPRINT_BYTES] {
        let mut bytes = [0; FINGERPRINT_BYTES];
        for (part, word) in bytes.as_chunks_mut().0.iter_mut().zip(self.0) {
            *part = word.to_be_bytes();
        }
        bytes
    }

    /// Bits in which two fingerprints differ, 0 to 256.
    #[must_use]
    pub fn distance(self, other: Self) -> u32 {
        let words = self.0.iter().zip(other.0);
        words.map(|(word, other)| (word ^ other).count_ones()).sum()
    }

    /// The distance of two fingerprints, if it is `distance_max` or less. Quicker than [`Bits::distance`]: half of the
    /// bits show of most strangers that they are too far.
    #[must_use]
    pub fn within(self, other: Self, distance_max: u32) -> Option<u32> {
        let ones = |place: usize| (self.0[place] ^ other.0[place]).count_ones();
        let half = ones(0) + ones(1);
        if half > distance_max {
            return None;
        }
        let distance = half + ones(2) + ones(3);
        (distance <= distance_max).then_some(distance)
    }

    /// The fingerprint of the picture whose columns are the rows of this one's.
    #[must_use]
    pub fn transposed(self) -> Self {
        let number = |place: usize| FREQUENCIES * (place % FREQUENCIES) + place / FREQUENCIES;
        Self::collect((0..BITS).map(|place| self.get(number(place))))
    }

    /// The first 256 of these bits; what is missing is 0.
    pub(super) fn collect(bits: impl Iterator<Item = bool>) -> Self {
        let mut words = [0; WORDS];
        for (number, bit) in bits.take(BITS).enumerate() {
            words[number / WORD_BITS] |= u64::from(bit) << (WORD_BITS - 1 - number % WORD_BITS);
        }
        Self(words)
    }

    fn get(self, number: usize) -> bool {
        self.0[number / WORD_BITS] >> (WORD_BITS - 1 - number % WORD_BITS) & 1 == 1
    }
}

impl fmt::Display for Bits {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|word| write!(out, "{word:0WORD_HEX_DIGITS$x}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_bit_is_the_highest_of_the_first_digit() {
        let bits = Bits::collect([true, false, false, true].into_iter());
        let hex = format!("9{}", "0".repeat(63));
        assert_eq!(bits.to_string(), hex);
        assert_eq!(Bits::parse(&hex), Some(bits));
        assert_eq!(bits.to_bytes()[0], 0x90);
    }

    #[test]
    fn only_64_digits_are_a_fingerprint() {
        let digits = |count: usize| "a".repeat(count);
        assert!(Bits::parse(&digits(64)).is_some());
        assert!(Bits::parse(&digits(64).to_uppercase()).is_some());
        for wrong in [
            String::new(),
            digits(63),
            digits(65),
            format!("+{}", digits(63)),
            format!("{}é", digits(62)),
            format!("{}g", digits(63)),
        ] {
            assert_eq!(Bits::parse(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn transposing_exchanges_the_directions() {
        // Horizontal frequency 2, vertical frequency 0.
        let bits = Bits::collect((0..BITS).map(|number| number == 2));
        let other = Bits::collect((0..BITS).map(|number| number == 2 * FREQUENCIES));
        assert_eq!(bits.transposed(), other);
    }

    proptest! {
        #[test]
        fn every_form_gives_the_bits_back(bytes in any::<[u8; FINGERPRINT_BYTES]>()) {
            let bits = Bits::from_bytes(bytes);
            prop_assert_eq!(bits.to_bytes(), bytes);
            prop_assert_eq!(Bits::parse(&bits.to_string()), Some(bits));
            prop_assert_eq!(bits.transposed().transposed(), bits);
            let ones: u32 = bytes.iter().map(|byte| byte.count_ones()).sum();
            let none = Bits::from_bytes([0; FINGERPRINT_BYTES]);
            prop_assert_eq!(bits.distance(none), ones);
            prop_assert_eq!(bits.within(none, ones), Some(ones));
            prop_assert_eq!(bits.within(none, ones.saturating_sub(1)), (ones == 0).then_some(0));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,70}") {
            let _parsed = Bits::parse(&text);
        }
    }
}
