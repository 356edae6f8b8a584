//! Writes JPEGs from levels: what is written is known to the bit. From the figures of ITU-T T.81, annexes F and G.

use crate::samples::segment;
use crate::structure::jpeg::tables::{COEFFICIENTS, ZIGZAG};

type Block = [i16; COEFFICIENTS];

/// Levels of a component, units filled up.
#[derive(Debug, Clone)]
pub(super) struct Component {
    pub(super) across: usize,
    pub(super) down: usize,
    /// Blocks of a row, those that only fill up included.
    pub(super) stride: usize,
    pub(super) blocks: Vec<Block>,
}

/// What is to be written.
#[derive(Debug, Clone)]
pub(super) struct Drawing {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) components: Vec<Component>,
    /// Row by row, for all components.
    pub(super) steps: [u16; COEFFICIENTS],
    /// Units between restarts; 0 for none.
    pub(super) interval: usize,
}

/// One scan: components, first and last coefficient, bits missing before and after.
pub(super) type ScanScript = (&'static [usize], usize, usize, u8, u8);

/// What comes whole, in one scan of these components.
pub(super) const fn whole(components: &'static [usize]) -> ScanScript {
    (components, 0, 63, 0, 0)
}

/// Passes as encoders usually make them, for three components.
pub(super) const USUAL_PASSES: [ScanScript; 10] = [
    (&[0, 1, 2], 0, 0, 0, 1),
    (&[0], 1, 5, 0, 2),
    (&[2], 1, 63, 0, 1),
    (&[1], 1, 63, 0, 1),
    (&[0], 6, 63, 0, 2),
    (&[0], 1, 63, 2, 1),
    (&[0, 1, 2], 0, 0, 1, 0),
    (&[2], 1, 63, 1, 0),
    (&[1], 1, 63, 1, 0),
    (&[0], 1, 63, 1, 0),
];

/// The same for one component.
pub(super) const GREY_PASSES: [ScanScript; 6] = [
    (&[0], 0, 0, 0, 1),
    (&[0], 1, 5, 0, 2),
    (&[0], 6, 63, 0, 2),
    (&[0], 1, 63, 2, 1),
    (&[0], 0, 0, 1, 0),
    (&[0], 1, 63, 1, 0),
];

/// A whole file with these scans.
pub(super) fn jpeg(drawing: &Drawing, sof: u8, scans: &[ScanScript]) -> Vec<u8> {
    let mut bytes = b"\xff\xd8".to_vec();
    bytes.extend(segment(0xdb, &step_table(&drawing.steps)));
    bytes.extend(segment(sof, &frame_header(drawing)));
    bytes.extend(segment(0xc4, &dc_table()));
    bytes.extend(segment(0xc4, &ac_table()));
    if drawing.interval > 0 {
        let interval = u16::try_from(drawing.interval).expect("fits");
        bytes.extend(segment(0xdd, &interval.to_be_bytes()));
    }
    for &script in scans {
        bytes.extend(segment(0xda, &scan_header(script)));
        let mut scan = Scan::new(script, sof == 0xc2);
        scan.write(drawing);
        bytes.extend(scan.bits.bytes);
    }
    bytes.extend(b"\xff\xd9");
    bytes
}

fn byte(value: usize) -> u8 {
    u8::try_from(value).expect("a byte")
}

fn step_table(steps: &[u16; COEFFICIENTS]) -> Vec<u8> {
    let wide = ZIGZAG
        .iter()
        .flat_map(|&place| steps[usize::from(place)].to_be_bytes());
    [0x10].into_iter().chain(wide).collect()
}

fn frame_header(drawing: &Drawing) -> Vec<u8> {
    let side = |side: usize| u16::try_from(side).expect("fits").to_be_bytes();
    let mut data = vec![8];
    data.extend(side(drawing.height));
    data.extend(side(drawing.width));
    data.push(byte(drawing.components.len()));
    for (number, component) in drawing.components.iter().enumerate() {
        data.extend([
            byte(number + 1),
            byte(component.across << 4 | component.down),
            0,
        ]);
    }
    data
}

fn scan_header((components, from, to, high, low): ScanScript) -> Vec<u8> {
    let mut data = vec![byte(components.len())];
    data.extend(components.iter().flat_map(|&number| [byte(number + 1), 0]));
    data.extend([byte(from), byte(to), high << 4 | low]);
    data
}

/// Twelve symbols of four bits.
fn dc_table() -> Vec<u8> {
    let mut data = vec![0; 17];
    data[4] = 12;
    data.extend(0..12);
    data
}

/// Symbols below 128 have eight bits, the others twelve, so that both ways of decoding are gone.
fn ac_table() -> Vec<u8> {
    let mut data = vec![0; 17];
    data[0] = 0x10;
    (data[8], data[12]) = (128, 128);
    data.extend(0..=255);
    data
}

fn ac_code(symbol: u8) -> (u32, u32) {
    let symbol = u32::from(symbol);
    if symbol < 128 {
        (symbol, 8)
    } else {
        ((128 << 4) + symbol - 128, 12)
    }
}

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    pending: u32,
    count: u32,
}

impl Bits {
    fn put(&mut self, value: u32, bits: u32) {
        for at in (0..bits).rev() {
            self.pending = self.pending << 1 | (value >> at & 1);
            self.count += 1;
            if self.count == 8 {
                let byte = u8::try_from(self.pending).expect("eight bits");
                self.bytes.push(byte);
                if byte == 0xff {
                    self.bytes.push(0);
                }
                (self.pending, self.count) = (0, 0);
            }
        }
    }

    /// Fills the last byte with ones.
    fn align(&mut self) {
        while self.count > 0 {
            self.put(1, 1);
        }
    }
}

struct Scan {
    script: ScanScript,
    is_progressive: bool,
    bits: Bits,
    predictions: [i32; 4],
    /// Blocks of the run that ends bands, and the bits that follow it.
    run: u32,
    run_bits: Vec<u32>,
}

impl Scan {
    fn new(script: ScanScript, is_progressive: bool) -> Self {
        Self {
            script,
            is_progressive,
            bits: Bits::default(),
            predictions: [0; 4],
            run: 0,
            run_bits: Vec::new(),
        }
    }

    fn write(&mut self, drawing: &Drawing) {
        let factor = |factor: fn(&Component) -> usize| drawing.components.iter().map(factor).max();
        let across = factor(|component| component.across).expect("has components");
        let down = factor(|component| component.down).expect("has components");
        let mut units = 0;
        if let [alone] = *self.script.0 {
            let component = &drawing.components[alone];
            let columns = (drawing.width * component.across)
                .div_ceil(across)
                .div_ceil(8);
            let rows = (drawing.height * component.down).div_ceil(down).div_ceil(8);
            for (row, column) in cells(columns, rows) {
                self.restart(&mut units, drawing.interval);
                self.block(alone, &component.blocks[row * component.stride + column]);
            }
        } else {
            let columns = drawing.width.div_ceil(8 * across);
            for (row, column) in cells(columns, drawing.height.div_ceil(8 * down)) {
                self.restart(&mut units, drawing.interval);
                for &number in self.script.0 {
                    self.unit(number, &drawing.components[number], column, row);
                }
            }
        }
        self.end_run();
        self.bits.align();
    }

    fn unit(&mut self, number: usize, component: &Component, column: usize, row: usize) {
        for y in 0..component.down {
            for x in 0..component.across {
                let at =
                    (row * component.down + y) * component.stride + column * component.across + x;
                self.block(number, &component.blocks[at]);
            }
        }
    }

    fn restart(&mut self, units: &mut usize, interval: usize) {
        if interval > 0 && *units > 0 && units.is_multiple_of(interval) {
            self.end_run();
            self.bits.align();
            self.bits
                .bytes
                .extend([0xff, 0xd0 + byte((*units / interval - 1) % 8)]);
            self.predictions = [0; 4];
        }
        *units += 1;
    }

    fn block(&mut self, number: usize, block: &Block) {
        let (_, from, _, high, low) = self.script;
        if !self.is_progressive {
            self.mean(number, block[0].into());
            self.band(block, 1, 63, 0);
            // A band that does not reach its end is ended for this block alone.
            self.end_run();
        } else if from > 0 && high > 0 {
            self.refine_band(block);
        } else if from > 0 {
            self.band(block, from, self.script.2, low);
        } else if high > 0 {
            self.bits.put(u32::from(block[0] >> low & 1 != 0), 1);
        } else {
            self.mean(number, i32::from(block[0]) >> low);
        }
    }

    fn mean(&mut self, number: usize, value: i32) {
        let difference = value - self.predictions[number];
        self.predictions[number] = value;
        let category = category(difference);
        self.bits.put(category, 4);
        self.magnitude(difference, category);
    }

    /// The bits that follow a category (F.1.2.1.1).
    fn magnitude(&mut self, value: i32, category: u32) {
        let bits = if value < 0 { value - 1 } else { value };
        self.bits
            .put(bits.cast_unsigned() & ((1 << category) - 1), category);
    }

    fn symbol(&mut self, symbol: usize) {
        let (code, bits) = ac_code(byte(symbol));
        self.bits.put(code, bits);
    }

    fn band(&mut self, block: &Block, from: usize, to: usize, low: u8) {
        let mut zeros = 0;
        for number in from..=to {
            let value = coefficient(block, number, low);
            if value == 0 {
                zeros += 1;
                continue;
            }
            self.end_run();
            while zeros > 15 {
                self.symbol(0xf0);
                zeros -= 16;
            }
            let category = category(value);
            self.symbol(zeros << 4 | usize::try_from(category).expect("small"));
            self.magnitude(value, category);
            zeros = 0;
        }
        if zeros > 0 {
            self.lengthen_run(Vec::new());
        }
    }

    /// Figures G.7 to G.9.
    fn refine_band(&mut self, block: &Block) {
        let (_, from, to, _, low) = self.script;
        let last_new = (from..=to).rfind(|&number| coefficient(block, number, low).abs() == 1);
        let mut zeros = 0;
        let mut corrections: Vec<u32> = Vec::new();
        for number in from..=to {
            let value = coefficient(block, number, low);
            if value == 0 {
                zeros += 1;
                continue;
            }
            while zeros > 15 && last_new.is_some_and(|last| number <= last) {
                self.end_run();
                self.symbol(0xf0);
                zeros -= 16;
                self.corrections(&mut corrections);
            }
            if value.abs() > 1 {
                corrections.push(value.unsigned_abs() & 1);
                continue;
            }
            self.end_run();
            self.symbol(zeros << 4 | 1);
            self.bits.put(u32::from(value > 0), 1);
            self.corrections(&mut corrections);
            zeros = 0;
        }
        if zeros > 0 || !corrections.is_empty() {
            self.lengthen_run(corrections);
        }
    }

    fn corrections(&mut self, corrections: &mut Vec<u32>) {
        for bit in corrections.drain(..) {
            self.bits.put(bit, 1);
        }
    }

    fn lengthen_run(&mut self, corrections: Vec<u32>) {
        self.run += 1;
        self.run_bits.extend(corrections);
        if self.run == 0x7fff {
            self.end_run();
        }
    }

    fn end_run(&mut self) {
        if self.run == 0 {
            return;
        }
        let bits = self.run.ilog2();
        self.symbol(usize::try_from(bits << 4).expect("small"));
        self.bits.put(self.run & ((1 << bits) - 1), bits);
        self.run = 0;
        let mut corrections = std::mem::take(&mut self.run_bits);
        self.corrections(&mut corrections);
    }
}

/// Row and column of each cell, row by row.
fn cells(columns: usize, rows: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..rows).flat_map(move |row| (0..columns).map(move |column| (row, column)))
}

/// Without its last bits, rounded towards zero (G.1.2.2).
fn coefficient(block: &Block, number: usize, low: u8) -> i32 {
    let value = i32::from(block[usize::from(ZIGZAG[number])]);
    value.signum() * (value.abs() >> low)
}

/// Bits of the magnitude.
fn category(value: i32) -> u32 {
    32 - value.unsigned_abs().leading_zeros()
}
