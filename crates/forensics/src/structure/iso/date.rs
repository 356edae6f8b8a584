//! Times as QuickTime counts them: seconds since the start of 1904, UTC.

const DAY_S: u64 = 86_400;
/// Days from 1 March of year 0 to 1 January 1904.
const DAYS_BEFORE_1904: u64 = 695_361;

/// `YYYY-MM-DDThh:mm:ssZ`; nothing for zero, which stands for no time, and for years of more than four digits.
pub(super) fn to_text(seconds: u64) -> Option<String> {
    if seconds == 0 {
        return None;
    }
    let (year, month, day) = civil(seconds / DAY_S)?;
    let of_day = seconds % DAY_S;
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    Some(format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
    ))
}

/// Year, month and day of a number of days since 1904. The year is counted from March, so that the leap day is its last
/// (Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`).
fn civil(days_since_1904: u64) -> Option<(u64, u64, u64)> {
    let days = days_since_1904.checked_add(DAYS_BEFORE_1904)?;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year <= 9_999).then_some((year, month, day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_times_are_written_as_dates() {
        assert_eq!(to_text(1).as_deref(), Some("1904-01-01T00:00:01Z"));
        // The start of 1970, and a leap day.
        assert_eq!(
            to_text(2_082_844_800).as_deref(),
            Some("1970-01-01T00:00:00Z")
        );
        assert_eq!(
            to_text(2_082_844_800 + 1_709_210_096).as_deref(),
            Some("2024-02-29T12:34:56Z")
        );
    }

    #[test]
    fn no_time_and_far_times_are_no_dates() {
        assert_eq!(to_text(0), None);
        assert_eq!(to_text(u64::MAX), None);
        assert_eq!(
            to_text(255_485_145_599).as_deref(),
            Some("9999-12-31T23:59:59Z")
        );
        assert_eq!(to_text(255_485_145_600), None);
    }
}
