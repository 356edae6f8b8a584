//! Likelihood ratios as figures for people.

/// What says less than this (log10) is told as nothing.
pub const LOG10_SAID_MIN: f64 = 0.05;
/// Above this log10 the figure says no more than "more than a million".
const LOG10_SAID_MAX: f64 = 6.0;

/// How many times more probable findings of a log10 likelihood ratio of at least 0 are: "about 100 times", with two digits
/// that count, as the ratio is not known better.
#[must_use]
pub fn times(log10_lr: f64) -> String {
    if log10_lr > LOG10_SAID_MAX {
        return "more than a million times".to_owned();
    }
    let ratio = 10f64.powf(log10_lr);
    if ratio < 9.95 {
        return format!("about {ratio:.1} times");
    }
    let unit = 10f64.powf(ratio.log10().floor() - 1.0);
    let rounded = (ratio / unit).round() * unit;
    format!("about {} times", grouped(&format!("{rounded:.0}")))
}

/// Digits in groups of three.
#[must_use]
pub fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_said_with_two_digits() {
        for (log10_lr, words) in [
            (0.05, "about 1.1 times"),
            (0.3, "about 2.0 times"),
            (0.7, "about 5.0 times"),
            (0.999, "about 10 times"),
            (1.0, "about 10 times"),
            (1.1, "about 13 times"),
            (2.0, "about 100 times"),
            (2.5, "about 320 times"),
            (4.0, "about 10,000 times"),
            (6.0, "about 1,000,000 times"),
            (6.1, "more than a million times"),
        ] {
            assert_eq!(times(log10_lr), words, "{log10_lr}");
        }
    }

    #[test]
    fn digits_are_in_groups_of_three() {
        for (digits, groups) in [("", ""), ("123", "123"), ("1234", "1,234")] {
            assert_eq!(grouped(digits), groups);
        }
    }
}
