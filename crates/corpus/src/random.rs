//! Numbers from a seed: `SplitMix64`, so that a seed gives the same files on every machine and for ever.

/// A stream of numbers.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The stream that belongs to a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Evenly spread over `0.0..1.0`.
    pub fn unit(&mut self) -> f32 {
        let bytes = self.bits().to_be_bytes();
        f32::from(u16::from_be_bytes([bytes[0], bytes[1]])) / 65_536.0
    }

    /// Evenly spread between two values.
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// One of the numbers `0..end`; 0 if there is none.
    pub fn below(&mut self, end: u32) -> u32 {
        let high = self.bits() >> 32;
        // Below `end`, for `high` is below 2^32.
        u32::try_from((high * u64::from(end)) >> 32).unwrap_or(0)
    }

    /// Mean 0, deviation 1, by the sum of four even numbers: close enough to a bell curve for a sensor, and without
    /// functions that differ between machines.
    pub fn normal(&mut self) -> f32 {
        let b = self.bits().to_be_bytes();
        let pairs = [[b[0], b[1]], [b[2], b[3]], [b[4], b[5]], [b[6], b[7]]];
        let sum: f32 = pairs
            .map(|pair| f32::from(u16::from_be_bytes(pair)))
            .iter()
            .sum();
        (sum / 65_536.0 - 2.0) * SQRT_3
    }
}

/// The sum of four has a variance of a third.
const SQRT_3: f32 = 1.732_050_8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_numbers_of_a_seed_never_change() {
        let mut random = Random::new(1_234_567);
        let first = [random.bits(), random.bits(), random.bits()];
        assert_eq!(
            first,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn numbers_below_a_bound_reach_both_ends_and_no_further() {
        let mut random = Random::new(3);
        let numbers: Vec<u32> = (0..200).map(|_| random.below(8)).collect();
        assert_eq!(numbers.iter().min(), Some(&0));
        assert_eq!(numbers.iter().max(), Some(&7));
        assert_eq!(random.below(0), 0);
    }

    #[test]
    fn normal_numbers_have_mean_nought_and_deviation_one() {
        let mut random = Random::new(7);
        let numbers: Vec<f32> = (0..20_000).map(|_| random.normal()).collect();
        let mean = numbers.iter().sum::<f32>() / 20_000.0;
        let variance = numbers.iter().map(|n| (n - mean) * (n - mean)).sum::<f32>() / 20_000.0;
        assert!(
            mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03,
            "{mean} {variance}"
        );
    }
}
