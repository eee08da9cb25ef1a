//! The current date, by this machine's clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// Returns the date this many days from now, in UTC: `2024-12-06`.
pub fn in_days(days: u64) -> String {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    date(since_1970.as_secs() / (24 * 3600) + days)
}

/// Returns the date of a day, counted from 1970-01-01.
// In the calculation, years begin in March, so that a leap day is the last day of a year.
fn date(day: u64) -> String {
    const DAYS_BEFORE_1970: u64 = 719_468;
    const DAYS_OF_400_YEARS: u64 = 146_097;
    let day = day + DAYS_BEFORE_1970;
    let (centuries, day) = (day / DAYS_OF_400_YEARS * 400, day % DAYS_OF_400_YEARS);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // The five months from March have 153 days, and so have the next five.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    format!("{:04}-{month:02}-{day:02}", centuries + year)
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn every_date_follows_the_previous_one() {
        let mut expected = (1970, 1, 1);
        for day in 0..400_000 {
            let (year, month, in_month) = expected;
            assert_eq!(date(day), format!("{year:04}-{month:02}-{in_month:02}"));
            let is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
            let length = match month {
                2 if is_leap => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            expected = match (month, in_month) {
                (12, 31) => (year + 1, 1, 1),
                (_, last) if last == length => (year, month + 1, 1),
                _ => (year, month, in_month + 1),
            };
        }
        assert_eq!(expected, (3065, 3, 1));
    }

    #[test]
    fn a_clock_may_be_far_in_the_future() {
        assert_eq!(date(u64::MAX / (24 * 3600)), "584554051223-11-09");
    }
}
