//! One page of an Ogg file.

use crate::bytes::{Order, slice, u32_at};

pub(super) const MAGIC: &[u8] = b"OggS";
const HEADER_BYTES: usize = 27;
const CHECKSUM_AT: usize = 22;

const FLAG_FIRST: u8 = 2;
const FLAG_LAST: u8 = 4;

pub(super) struct Page<'a> {
    pub(super) serial: u32,
    pub(super) number: u32,
    pub(super) is_first: bool,
    pub(super) is_last: bool,
    pub(super) checksum_holds: bool,
    /// Where `body` begins in the file.
    pub(super) body_at: usize,
    pub(super) body: &'a [u8],
    /// Where the page ends in the file.
    pub(super) end: usize,
}

impl<'a> Page<'a> {
    pub(super) fn at(bytes: &'a [u8], at: usize) -> Option<Self> {
        let head = slice(bytes, at, HEADER_BYTES)?;
        if !head.starts_with(MAGIC) {
            return None;
        }
        let (&segments, flags) = (head.get(26)?, head.get(5)?);
        let table = slice(bytes, at + HEADER_BYTES, usize::from(segments))?;
        let len: usize = table.iter().map(|&len| usize::from(len)).sum();
        let body_at = at + HEADER_BYTES + table.len();
        let body = slice(bytes, body_at, len)?;
        let end = body_at + len;
        let checksum = u32_at(head, CHECKSUM_AT, Order::Little)?;
        Some(Self {
            serial: u32_at(head, 14, Order::Little)?,
            number: u32_at(head, 18, Order::Little)?,
            is_first: flags & FLAG_FIRST != 0,
            is_last: flags & FLAG_LAST != 0,
            checksum_holds: sum(bytes.get(at..end)?) == checksum,
            body_at,
            body,
            end,
        })
    }
}

/// The checksum of a page, with its own field as zeros: polynomial `04c11db7`, most significant bit first, no inversion.
pub(super) fn sum(page: &[u8]) -> u32 {
    let mut sum = 0_u32;
    for (at, &byte) in page.iter().enumerate() {
        let byte = if (CHECKSUM_AT..CHECKSUM_AT + 4).contains(&at) {
            0
        } else {
            byte
        };
        let [high, ..] = sum.to_be_bytes();
        sum = sum << 8 ^ TABLE[usize::from(high ^ byte)];
    }
    sum
}

const TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut entry = 0;
    let mut start = 0_u32;
    while entry < table.len() {
        let mut value = start << 24;
        let mut bit = 0;
        while bit < 8 {
            let carry = value >> 31;
            value = (value << 1) ^ (carry * 0x04c1_1db7);
            bit += 1;
        }
        table[entry] = value;
        entry += 1;
        start += 1;
    }
    table
}
