//! Bits of compressed data (ITU-T T.81, F.2.2.5): stuffed bytes are taken out, and a marker ends them.
//!
//! Behind the end come zeros, so that no reading fails; whoever reads asks [`Bits::is_overdrawn`] now and then.

use super::huffman::Huffman;
use super::unread::Fault;
use crate::structure::jpeg::segments::RST0;

/// Bits that are ready before any reading: a code (16) and what may follow it (15).
const READY_BITS: u32 = 32;
const WINDOW_BITS: u32 = u64::BITS;

pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Bits to be read, the next one uppermost; zeros below them.
    window: u64,
    /// How many they are.
    ready: u32,
    /// How many zeros were put behind the end.
    padding: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            window: 0,
            ready: 0,
            padding: 0,
        }
    }

    /// Bytes that were taken out so far, some of them not yet read.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Whether more bits were read than there are.
    pub(super) fn is_overdrawn(&self) -> bool {
        self.ready < self.padding
    }

    /// The next symbol; nothing if no code of the table is there.
    #[inline]
    pub(super) fn symbol(&mut self, table: &Huffman) -> Option<u8> {
        self.refill();
        let (symbol, bits) = table.look_up(self.peek(16))?;
        self.skip(bits);
        Some(symbol)
    }

    /// The next `bits`, at most 16, as a number.
    #[inline]
    pub(super) fn take(&mut self, bits: u32) -> u32 {
        self.refill();
        let taken = self.peek(bits);
        self.skip(bits);
        taken
    }

    /// The next bit.
    #[inline]
    pub(super) fn bit(&mut self) -> bool {
        self.take(1) == 1
    }

    /// The value of a magnitude category, at most 15 (figure F.12): its lower half stands for negative numbers.
    #[inline]
    pub(super) fn value(&mut self, category: u32) -> i32 {
        let raw = self.take(category).cast_signed();
        let range = 1i32 << category;
        if raw < range >> 1 {
            raw - range + 1
        } else {
            raw
        }
    }

    /// Goes over the restart marker with this number, 0 to 7.
    pub(super) fn restart(&mut self, number: u8) -> Result<(), Fault> {
        // Up to seven bits fill the last byte.
        if self.is_overdrawn() || self.ready - self.padding >= 8 {
            return Err("a restart interval does not end where it should");
        }
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let fill = rest.iter().take_while(|&&byte| byte == 0xff).count();
        if fill == 0 || rest.get(fill) != Some(&(RST0 + (number & 7))) {
            return Err("a restart marker is missing");
        }
        *self = Self {
            at: self.at + fill + 1,
            ..Self::new(self.bytes)
        };
        Ok(())
    }

    #[expect(clippy::cast_possible_truncation, reason = "at most 32 bits are left")]
    fn peek(&self, bits: u32) -> u32 {
        // In two steps, for none of them may be as long as the window.
        (self.window >> 1 >> (WINDOW_BITS - 1 - bits)) as u32
    }

    fn skip(&mut self, bits: u32) {
        self.window <<= bits;
        self.ready -= bits;
    }

    #[inline]
    fn refill(&mut self) {
        if self.ready >= READY_BITS {
            return;
        }
        if let Some(word) = self.plain_word() {
            self.window |= u64::from(word) << (READY_BITS - self.ready);
            self.ready += 32;
            self.at += 4;
        } else {
            self.refill_by_bytes();
        }
    }

    /// The next four bytes, if none of them is special.
    fn plain_word(&self) -> Option<u32> {
        let word = u32::from_be_bytes(*self.bytes.get(self.at..)?.first_chunk()?);
        // The usual test for a zero byte, of the complement.
        let special = (!word).wrapping_sub(0x0101_0101) & word & 0x8080_8080;
        (special == 0).then_some(word)
    }

    #[cold]
    fn refill_by_bytes(&mut self) {
        while self.ready < READY_BITS {
            let byte = self.byte().unwrap_or_else(|| {
                self.padding += 8;
                0
            });
            self.window |= u64::from(byte) << (WINDOW_BITS - 8 - self.ready);
            self.ready += 8;
        }
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        if byte == 0xff {
            if self.bytes.get(self.at + 1) != Some(&0) {
                return None;
            }
            self.at += 1;
        }
        self.at += 1;
        Some(byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stuffed_bytes_are_taken_out() {
        let mut bits = Bits::new(b"\xff\x00\x12\xff\x00\x34\x56\x78\x9a\xbc\xde\xf0\xff\xd9");
        let bytes: Vec<u32> = (0..10).map(|_| bits.take(8)).collect();
        assert_eq!(
            bytes,
            [0xff, 0x12, 0xff, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0]
        );
        assert!(!bits.is_overdrawn());
        assert_eq!(bits.take(1), 0);
        assert!(bits.is_overdrawn());
        assert_eq!(bits.at(), 12);
    }

    #[test]
    fn none_of_the_ends_fails() {
        for end in [b"".as_slice(), b"\xff", b"\xff\xff", b"\xff\xd0"] {
            let mut bits = Bits::new(end);
            for _ in 0..1_000 {
                assert_eq!(bits.take(16), 0);
            }
            assert!(bits.is_overdrawn());
        }
    }

    #[test]
    fn lower_half_of_a_category_is_negative() {
        let value = |byte: u8, category| Bits::new(&[byte]).value(category);
        assert_eq!(value(0, 0), 0);
        assert_eq!((value(0, 1), value(0x80, 1)), (-1, 1));
        assert_eq!(
            [0x00, 0x20, 0x80, 0xe0].map(|byte| value(byte, 3)),
            [-7, -6, 4, 7]
        );
        assert_eq!(Bits::new(&[0; 2]).value(15), -32_767);
        assert_eq!(Bits::new(&[0xff, 0, 0xff, 0]).value(15), 32_767);
    }

    #[test]
    fn only_the_expected_restart_is_gone_over() {
        let data = b"\xab\xff\xff\xd3\xcd";
        let mut bits = Bits::new(data);
        assert_eq!(bits.take(4), 0xa);
        assert!(bits.restart(2).is_err());
        assert!(bits.restart(3).is_ok());
        assert_eq!(bits.take(8), 0xcd);

        assert!(Bits::new(data).restart(3).is_err(), "a byte was not read");
        assert!(Bits::new(b"").restart(0).is_err());
        let mut overdrawn = Bits::new(b"\xff\xd0");
        let _beyond = overdrawn.take(1);
        assert!(overdrawn.restart(0).is_err());
    }
}
