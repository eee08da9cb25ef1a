//! Hours: when a log says that something happened.

use jiff::Timestamp;
use memchr::memmem;

/// The hour of a time stamp, in the zone that the log is in: `2026-11-28 07:00`, or `11-28 07:00` if it names no year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hour {
    octets: [u8; 16],
    start: u8,
}

impl Hour {
    /// Reads the time stamp that a line of a log begins with, in the form of syslog or of ISO 8601.
    pub(crate) fn of(line: &[u8]) -> Option<Hour> {
        iso(line).or_else(|| syslog(line)).or_else(|| journal(line))
    }

    pub(crate) fn as_str(&self) -> &str {
        let octets = self.octets.get(usize::from(self.start)..).unwrap_or_default();
        str::from_utf8(octets).unwrap_or_default()
    }

    fn new(year: [u8; 4], month: [u8; 2], day: [u8; 2], hour: [u8; 2], start: u8) -> Hour {
        let mut octets = *b"0000-00-00 00:00";
        octets[..4].copy_from_slice(&year);
        octets[5..7].copy_from_slice(&month);
        octets[8..10].copy_from_slice(&day);
        octets[11..13].copy_from_slice(&hour);
        Hour { octets, start }
    }
}

/// Sorts what is named by its hour: hours with a year first, then those without one, then what is named otherwise.
///
/// A log without years may go on into the next one. It is taken to begin after the longest time in which it has nothing.
pub(crate) fn sort<T>(named: &mut [(String, T)]) {
    let mut numbers: Vec<u32> = named.iter().filter_map(|(name, _)| number(name)).collect();
    numbers.sort_unstable();
    let mut first = numbers.first().copied().unwrap_or(0);
    let mut longest = first + HOURS - numbers.last().copied().unwrap_or(0);
    for pair in numbers.windows(2) {
        if pair[1] - pair[0] > longest {
            (first, longest) = (pair[1], pair[1] - pair[0]);
        }
    }
    named.sort_by_cached_key(|(name, _)| {
        let since_first = number(name).map(|number| (number + HOURS - first) % HOURS);
        let has_year = name.starts_with(|first: char| first.is_ascii_digit()) && since_first.is_none();
        (!has_year, since_first.is_none(), since_first, name.clone())
    });
}

/// How many hours a year has, if each month has 31 days.
const HOURS: u32 = 12 * 31 * 24;

/// Returns the number of an hour that has no year, `11-28 07:00`, in its year.
fn number(name: &str) -> Option<u32> {
    let &[m1, m2, b'-', d1, d2, b' ', h1, h2, b':', ..] = name.as_bytes() else { return None };
    let two = |tens: u8, ones: u8| Some(char::from(tens).to_digit(10)? * 10 + char::from(ones).to_digit(10)?);
    let (month, day, hour) = (two(m1, m2)?, two(d1, d2)?, two(h1, h2)?);
    Some(((month * 31 + day) * 24 + hour) % HOURS)
}

/// Reads `2026-11-28T07:42:13` or `2026-11-28 07:42:13`, after a bracket or `<34>1 ` (RFC 5424) too.
fn iso(line: &[u8]) -> Option<Hour> {
    let line = line.strip_prefix(b"[").unwrap_or(line);
    let line = match line {
        [b'<', rest @ ..] => rest.splitn(2, |octet| *octet == b' ').nth(1)?,
        line => line,
    };
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T' | b' ', h1, h2, b':', ..] = line else {
        return None;
    };
    let digits = [y1, y2, y3, y4, m1, m2, d1, d2, h1, h2];
    let is_date = digits.iter().all(u8::is_ascii_digit);
    is_date.then(|| Hour::new([y1, y2, y3, y4], [m1, m2], [d1, d2], [h1, h2], 0))
}

/// Reads the time of an entry of systemd's journal as JSON, in UTC: `"__REALTIME_TIMESTAMP":"1764315733000000"`.
fn journal(line: &[u8]) -> Option<Hour> {
    const NAME: &[u8] = b"\"__REALTIME_TIMESTAMP\"";
    let rest =
        line.strip_prefix(b"{").and(memmem::find(line, NAME)).map(|start| &line[start + NAME.len()..])?;
    let start = rest.iter().take(4).position(u8::is_ascii_digit)?;
    let digits = rest[start..].iter().take(20).take_while(|octet| octet.is_ascii_digit()).count();
    let micros = str::from_utf8(&rest[start..start + digits]).ok()?.parse().ok()?;
    let time = Timestamp::from_microsecond(micros).ok()?.to_string();
    iso(time.as_bytes())
}

/// Reads `Nov 28 07:42:13` (RFC 3164), after `<34>` too.
fn syslog(line: &[u8]) -> Option<Hour> {
    const MONTHS: [(&[u8; 3], [u8; 2]); 12] = [
        (b"Jan", *b"01"),
        (b"Feb", *b"02"),
        (b"Mar", *b"03"),
        (b"Apr", *b"04"),
        (b"May", *b"05"),
        (b"Jun", *b"06"),
        (b"Jul", *b"07"),
        (b"Aug", *b"08"),
        (b"Sep", *b"09"),
        (b"Oct", *b"10"),
        (b"Nov", *b"11"),
        (b"Dec", *b"12"),
    ];
    let line = match line {
        [b'<', rest @ ..] => rest.splitn(2, |octet| *octet == b'>').nth(1)?,
        line => line,
    };
    let &[a, b, c, b' ', d1, d2, b' ', h1, h2, b':', ..] = line else { return None };
    let (_, month) = MONTHS.iter().find(|(name, _)| **name == [a, b, c])?;
    let d1 = if d1 == b' ' { b'0' } else { d1 };
    if ![d1, d2, h1, h2].iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(Hour::new(*b"0000", *month, [d1, d2], [h1, h2], 5))
}

#[cfg(test)]
mod tests {
    use super::{Hour, sort};

    #[test]
    fn a_log_may_go_on_into_the_next_year() {
        let sorted = |names: &[&str]| {
            let mut named: Vec<(String, ())> = names.iter().map(|name| ((*name).to_owned(), ())).collect();
            sort(&mut named);
            named.into_iter().map(|(name, ())| name).collect::<Vec<_>>()
        };
        for hours in [
            &["12-30 22:00", "12-31 23:00", "01-01 00:00", "01-03 05:00"][..],
            &["03-01 00:00", "06-30 05:00", "08-31 23:00"],
            &["2025-12-31 23:00", "2026-01-01 00:00", "11-28 07:00", "(unknown)"],
            &["11-28 07:00"],
            &[],
        ] {
            let mut names = hours.to_vec();
            names.sort_unstable();
            assert_eq!(sorted(&names), hours);
            names.reverse();
            assert_eq!(sorted(&names), hours);
        }
    }

    #[test]
    fn the_stamps_of_logs_are_read() {
        for (line, hour) in [
            ("Nov 28 07:42:13 mx postfix/smtp[1]: x", Some("11-28 07:00")),
            ("Jan  3 23:42:13 mx", Some("01-03 23:00")),
            ("<22>Dec 31 00:00:00 mx", Some("12-31 00:00")),
            ("2026-11-28T07:42:13.123456+00:00 mx", Some("2026-11-28 07:00")),
            ("2026-11-28 07:42:13 1vOx", Some("2026-11-28 07:00")),
            ("<22>1 2026-11-28T07:42:13Z mx", Some("2026-11-28 07:00")),
            ("[2026-11-28T07:42:13Z] mx", Some("2026-11-28 07:00")),
            ("{\"MESSAGE\":\"x\",\"__REALTIME_TIMESTAMP\":\"1764315733000000\"}", Some("2025-11-28 07:00")),
            ("{\"__REALTIME_TIMESTAMP\" : \"99999999999999999999999\"}", None),
            ("no stamp", None),
            ("Nov xx 07:42:13", None),
            ("<", None),
            ("", None),
        ] {
            assert_eq!(Hour::of(line.as_bytes()).as_ref().map(Hour::as_str), hour, "{line}");
        }
    }
}
