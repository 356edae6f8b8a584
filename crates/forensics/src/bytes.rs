//! Numbers at places in bytes that may not be there.

/// Byte order of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Big,
    Little,
}

/// `len` bytes from `at`, if they are there.
pub(crate) fn slice(bytes: &[u8], at: usize, len: usize) -> Option<&[u8]> {
    bytes.get(at..at.checked_add(len)?)
}

pub(crate) fn u16_at(bytes: &[u8], at: usize, order: Order) -> Option<u16> {
    let raw = slice(bytes, at, 2)?.try_into().ok()?;
    Some(match order {
        Order::Big => u16::from_be_bytes(raw),
        Order::Little => u16::from_le_bytes(raw),
    })
}

pub(crate) fn u32_at(bytes: &[u8], at: usize, order: Order) -> Option<u32> {
    let raw = slice(bytes, at, 4)?.try_into().ok()?;
    Some(match order {
        Order::Big => u32::from_be_bytes(raw),
        Order::Little => u32::from_le_bytes(raw),
    })
}

pub(crate) fn u64_at(bytes: &[u8], at: usize, order: Order) -> Option<u64> {
    let raw = slice(bytes, at, 8)?.try_into().ok()?;
    Some(match order {
        Order::Big => u64::from_be_bytes(raw),
        Order::Little => u64::from_le_bytes(raw),
    })
}

/// The first place from `from` on where `needle` stands.
pub(crate) fn find(bytes: &[u8], needle: &[u8], from: usize) -> Option<usize> {
    let first = needle.first()?;
    let at = bytes
        .get(from..)?
        .windows(needle.len())
        .position(|window| window.first() == Some(first) && window == needle)?;
    Some(from + at)
}

/// A number of the file as an index; what does not fit is beyond any file.
pub(crate) fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// A length as a number that serialises.
pub(crate) fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

/// The same for a number of eight bytes.
pub(crate) fn index_u64(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_nothing() {
        let bytes = [0, 0, 0, 1, 0, 0, 0, 2];
        assert_eq!(u64_at(&bytes, 0, Order::Big), Some(0x1_0000_0002));
        assert_eq!(
            u64_at(&bytes, 0, Order::Little),
            Some(0x0200_0000_0100_0000)
        );
        assert_eq!(u64_at(&bytes, 1, Order::Big), None);
        assert_eq!(u64_at(&bytes, usize::MAX, Order::Big), None);
    }

    #[test]
    fn texts_are_found_from_a_place_on() {
        assert_eq!(find(b"abcabc", b"abc", 0), Some(0));
        assert_eq!(find(b"abcabc", b"abc", 1), Some(3));
        assert_eq!(find(b"abcabc", b"abc", 4), None);
        assert_eq!(find(b"abc", b"abc", 9), None);
        assert_eq!(find(b"abc", b"", 0), None);
    }
}
