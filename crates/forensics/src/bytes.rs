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

/// A number of the file as an index; what does not fit is beyond any file.
pub(crate) fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// A length as a number that serialises.
pub(crate) fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
