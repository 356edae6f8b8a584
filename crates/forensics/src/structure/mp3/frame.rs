//! Headers of MPEG audio frames, layer III (ISO/IEC 11172-3 section 2.4.1.3, 13818-3 section 2.4.2.3).

use crate::bytes::slice;

const BIT_RATES_1_KBPS: [u32; 15] = [
    0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
];
const BIT_RATES_2_KBPS: [u32; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
const SAMPLE_RATES_HZ: [u32; 3] = [44_100, 48_000, 32_000];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// Whether it is of MPEG 1, whose frames are twice as long as those of MPEG 2 and 2.5.
    is_first: bool,
    pub(super) bit_rate_kbps: u32,
    pub(super) sample_rate: u32,
    pub(super) channels: u16,
    /// Length of the frame with this header.
    pub(super) bytes: usize,
}

impl Header {
    /// The header at this place, if there is one whose values exist.
    pub(super) fn at(bytes: &[u8], at: usize) -> Option<Self> {
        let &[0xff, second, third, fourth] = slice(bytes, at, 4)? else {
            return None;
        };
        let is_layer_three = second & 0xe6 == 0xe2;
        let (is_first, halvings) = match second >> 3 & 3 {
            3 => (true, 0),
            2 => (false, 1),
            0 => (false, 2),
            _ => return None,
        };
        if !is_layer_three {
            return None;
        }
        let bit_rates = if is_first {
            &BIT_RATES_1_KBPS
        } else {
            &BIT_RATES_2_KBPS
        };
        let bit_rate_kbps = *bit_rates
            .get(usize::from(third >> 4))
            .filter(|&&rate| rate > 0)?;
        let sample_rate = *SAMPLE_RATES_HZ.get(usize::from(third >> 2 & 3))? >> halvings;
        let slots = if is_first { 144_000 } else { 72_000 };
        let padding = u32::from(third >> 1 & 1);
        let bytes = slots * bit_rate_kbps / sample_rate + padding;
        Some(Self {
            is_first,
            bit_rate_kbps,
            sample_rate,
            channels: if fourth >> 6 == 3 { 1 } else { 2 },
            bytes: crate::bytes::index(bytes),
        })
    }

    /// Bytes of side information between the header and the sound.
    pub(super) fn side_bytes(&self) -> usize {
        match (self.is_first, self.channels) {
            (true, 1) | (false, 2..) => 17,
            (true, _) => 32,
            (false, _) => 9,
        }
    }

    pub(super) fn duration_us(&self) -> u64 {
        let samples = if self.is_first { 1_152 } else { 576 };
        samples * 1_000_000 / u64::from(self.sample_rate)
    }

    /// Whether both may belong to one recording.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        (self.is_first, self.sample_rate, self.channels)
            == (other.is_first, other.sample_rate, other.channels)
    }
}

/// The next place from `from` on where a frame begins that another follows, or that ends the sound.
pub(super) fn next(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while at < bytes.len() {
        let header = Header::at(bytes, at);
        let is_frame = header.is_some_and(|header| {
            let end = at + header.bytes;
            end == bytes.len()
                || Header::at(bytes, end).is_some_and(|follower| header.is_like(&follower))
        });
        if is_frame {
            return Some(at);
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_header_are_read() {
        let header = Header::at(b"\xff\xfb\x90\x64", 0).expect("a header");
        assert_eq!((header.bit_rate_kbps, header.sample_rate), (128, 44_100));
        assert_eq!((header.channels, header.bytes), (2, 417));
        assert_eq!(header.side_bytes(), 32);
        let padded = Header::at(b"\xff\xfb\x92\xc4", 0).expect("a header");
        assert_eq!(
            (padded.channels, padded.bytes, padded.side_bytes()),
            (1, 418, 17)
        );
        let second = Header::at(b"\xff\xf3\x80\xc4", 0).expect("a header");
        assert_eq!((second.bit_rate_kbps, second.sample_rate), (64, 22_050));
        assert_eq!((second.bytes, second.side_bytes()), (208, 9));
        let slow = Header::at(b"\xff\xe3\x80\x44", 0).expect("a header");
        assert_eq!((slow.sample_rate, slow.side_bytes()), (11_025, 17));
    }

    #[test]
    fn values_that_do_not_exist_are_no_header() {
        for bytes in [
            b"\xff\xfb\xf0\x64", // bit rate
            b"\xff\xfb\x00\x64",
            b"\xff\xfb\x9c\x64", // sample rate
            b"\xff\xfd\x90\x64", // layer
            b"\xff\xeb\x90\x64", // version
            b"\xfe\xfb\x90\x64", // sync
        ] {
            assert_eq!(Header::at(bytes, 0), None, "{}", bytes.escape_ascii());
        }
    }
}
