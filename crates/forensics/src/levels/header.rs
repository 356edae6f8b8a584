//! The header of a scan (ITU-T T.81, B.2.3): which components it brings, and how much of them.

use super::frame::Frame;
use super::unread::Fault;
use crate::structure::jpeg::tables::COEFFICIENTS;

/// Blocks of one unit of a scan, of all its components.
pub(super) const UNIT_BLOCKS_MAX: usize = 10;
/// Bits that a progressive scan may leave to later ones.
pub(super) const LOW_BITS_MAX: u8 = 13;

/// A scan header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) members: Vec<Member>,
    /// The first and the last coefficient that it brings, by their place in the file.
    pub(super) from: usize,
    pub(super) to: usize,
    /// How many bits of them were missing before it; 0 if it is the first to bring them.
    pub(super) high: u8,
    /// How many bits are missing after it.
    pub(super) low: u8,
}

/// A component of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Member {
    /// Which of the frame.
    pub(super) component: usize,
    /// Number of its table for mean values.
    pub(super) dc: u8,
    /// Number of its table for the others.
    pub(super) ac: u8,
}

impl Header {
    pub(super) fn read(data: &[u8], frame: &Frame) -> Result<Self, Fault> {
        let cut_off = "a scan header is cut off";
        let (&declared, rest) = data.split_first().ok_or(cut_off)?;
        let (raw, rest) = rest
            .split_at_checked(2 * usize::from(declared))
            .ok_or(cut_off)?;
        let members = members(raw, frame)?;
        let [from, to, bits, ..] = *rest else {
            return Err(cut_off);
        };
        let header = Self {
            members,
            from: usize::from(from),
            to: usize::from(to),
            high: bits >> 4,
            low: bits & 0x0f,
        };
        if !frame.is_progressive {
            // Some encoders leave these fields empty, and no decoder looks at them.
            return Ok(Self {
                from: 0,
                to: COEFFICIENTS - 1,
                high: 0,
                low: 0,
                ..header
            });
        }
        header.check_pass()?;
        Ok(header)
    }

    /// Whether the first component of the frame is among those of the scan.
    pub(super) fn has_first(&self) -> bool {
        self.members.iter().any(|member| member.component == 0)
    }

    /// G.1.1.1.
    fn check_pass(&self) -> Result<(), Fault> {
        let is_band = if self.from == 0 {
            self.to == 0
        } else {
            self.from <= self.to && self.to < COEFFICIENTS && self.members.len() == 1
        };
        if !is_band {
            return Err("a progressive scan brings coefficients that cannot come together");
        }
        let is_next = self.high == 0 || self.high == self.low + 1;
        if self.low > LOW_BITS_MAX || !is_next {
            return Err("a progressive scan brings bits that cannot come together");
        }
        Ok(())
    }
}

fn members(raw: &[u8], frame: &Frame) -> Result<Vec<Member>, Fault> {
    let mut members: Vec<Member> = Vec::new();
    let mut blocks = 0;
    for pair in raw.chunks_exact(2) {
        let [id, tables] = *pair else { continue };
        let found = frame
            .components
            .iter()
            .enumerate()
            .find(|(_, component)| component.id == id);
        let Some((component, factors)) = found else {
            return Err("a scan brings a component that the frame has not");
        };
        if members.iter().any(|known| known.component == component) {
            return Err("a scan brings a component twice");
        }
        blocks += factors.across * factors.down;
        members.push(Member {
            component,
            dc: tables >> 4,
            ac: tables & 0x0f,
        });
    }
    if members.is_empty() {
        return Err("a scan brings no component");
    }
    if members.len() > 1 && blocks > UNIT_BLOCKS_MAX {
        return Err("a unit of a scan has too many blocks");
    }
    Ok(members)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;
    use crate::structure::jpeg::segments::Segment;

    fn frame(marker: u8, components: &[[u8; 3]]) -> Frame {
        let declared = u8::try_from(components.len()).expect("few");
        let data = [vec![8, 0, 8, 0, 8, declared], components.concat()].concat();
        let segment = Segment {
            marker,
            offset: 0,
            data: &data,
            compressed: &[],
        };
        Frame::read(&segment, &Limits::default()).expect("a frame")
    }

    fn progressive() -> Frame {
        frame(0xc2, &[[1, 0x11, 0], [2, 0x11, 0], [3, 0x11, 0]])
    }

    #[test]
    fn sequential_scans_bring_all() {
        let frame = frame(0xc0, &[[7, 0x11, 0]]);
        let header = Header::read(&[1, 7, 0x12, 5, 3, 0x21], &frame).expect("a scan");
        assert_eq!(
            (header.from, header.to, header.high, header.low),
            (0, 63, 0, 0)
        );
        assert_eq!(
            header.members,
            [Member {
                component: 0,
                dc: 1,
                ac: 2
            }]
        );
    }

    #[test]
    fn passes_are_bounded() {
        let is_pass =
            |from, to, bits| Header::read(&[1, 1, 0, from, to, bits], &progressive()).is_ok();
        assert!(is_pass(0, 0, 0x0d) && !is_pass(0, 0, 0x0e));
        assert!(!is_pass(0, 1, 0), "mean values come alone");
        assert!(is_pass(1, 63, 0) && !is_pass(1, 64, 0));
        assert!(is_pass(63, 63, 0) && !is_pass(63, 62, 0));
        assert!(is_pass(1, 5, 0x21) && !is_pass(1, 5, 0x20) && !is_pass(1, 5, 0x11));
        let two = |from, to| Header::read(&[2, 1, 0, 2, 0, from, to, 0], &progressive()).is_ok();
        assert!(two(0, 0) && !two(1, 5), "bands come one by one");
    }

    #[test]
    fn members_are_those_of_the_frame() {
        let read =
            |data: &[u8]| Header::read(data, &progressive()).map(|header| header.has_first());
        assert_eq!(read(&[2, 3, 0, 1, 0, 0, 0, 0]), Ok(true));
        assert_eq!(read(&[1, 3, 0, 0, 0, 0]), Ok(false));
        for data in [
            [2, 1, 0, 1, 0, 0, 0, 0].as_slice(),
            &[1, 9, 0, 0, 0, 0],
            &[0, 0, 0, 0],
            &[2, 1, 0, 2, 0, 0, 0],
            &[1, 1],
            &[],
        ] {
            assert!(read(data).is_err(), "{data:?}");
        }
    }

    #[test]
    fn blocks_of_a_unit_are_bounded() {
        let within = |second, third| {
            let components = [[1, 0x42, 0], [2, second, 0], [3, third, 0]];
            Header::read(&[3, 1, 0, 2, 0, 3, 0, 0, 63, 0], &frame(0xc0, &components)).is_ok()
        };
        assert!(within(0x11, 0x11));
        assert!(!within(0x12, 0x11));
        let alone = frame(0xc0, &[[1, 0x44, 0]]);
        assert!(Header::read(&[1, 1, 0, 0, 63, 0], &alone).is_ok());
    }
}
