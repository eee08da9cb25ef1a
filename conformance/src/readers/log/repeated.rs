//! What syslog writes for a message that a program wrote several times.

use super::envelope::Envelope;

/// How often a line counts at most.
const TIMES: usize = 10_000;

/// A line that syslog wrapped: `postfix/smtpd[1]: message repeated 3 times: [ NOQUEUE: reject: ..]`.
pub(super) struct Repeated<'l, 'e> {
    /// The line without the bracket at its end.
    pub(super) line: &'l [u8],
    /// The envelope of the message in the brackets.
    pub(super) envelope: Envelope<'e>,
    /// How often the program wrote the message after the first time, up to [`TIMES`].
    pub(super) times: usize,
}

impl<'l, 'e> Repeated<'l, 'e> {
    /// Reads a line. `None` if syslog did not wrap it.
    pub(super) fn read(line: &'l [u8], envelope: Envelope<'e>) -> Option<Repeated<'l, 'e>> {
        let rest = line[envelope.message..].strip_prefix(b"message repeated ")?;
        let digits = rest.iter().take_while(|octet| octet.is_ascii_digit()).count();
        let message = rest[digits..].strip_prefix(b" times: [")?;
        let message = message.strip_prefix(b" ").unwrap_or(message);
        let times =
            rest[..digits].iter().fold(0, |times, digit| TIMES.min(times * 10 + usize::from(digit - b'0')));
        let envelope = Envelope { message: line.len() - message.len(), ..envelope };
        // A logger that cuts lines cuts the bracket off.
        let end = line.len() - usize::from(message.ends_with(b"]"));
        Some(Repeated { line: &line[..end], envelope, times })
    }
}

#[cfg(test)]
mod tests {
    use crate::readers::log::read;
    use crate::readers::log::testing::{check, mentions};

    const HEAD: &str = "Nov 28 14:41:09 mx postfix/smtpd[1]: message repeated";
    const REJECT: &str = "NOQUEUE: reject: RCPT from a[192.0.2.1]: 550 5.1.1 no; from=<a@example.org>";

    #[test]
    fn a_repeated_message_counts_as_often_as_it_was_written() {
        let reply = "sent rcpt | 550 5.1.1 no";
        check(&[
            (&format!("{HEAD} 3 times: [ {REJECT}]"), &[reply; 3]),
            (&format!("{HEAD} 2 times: [{REJECT}]\n"), &[reply; 2]),
            (&format!("{HEAD} 1 times: [ {REJECT}"), &[reply]),
            (&format!("{HEAD} times: [ {REJECT}]"), &[]),
            (
                "Nov 28 14:41:09 mx app[1]: message repeated 2 times: [ failed: 550 5.1.1 no]",
                &["unknown | 550 5.1.1 no"; 2],
            ),
            (
                "{\"MESSAGE\":\"message repeated 2 times: [ failed: 550 5.1.1 no]\",\"SYSLOG_IDENTIFIER\":\"app\"}",
                &["unknown | 550 5.1.1 no"; 2],
            ),
        ]);
    }

    #[test]
    fn the_line_after_a_repeated_one_is_read_on_its_own() {
        let text = "Nov 28 14:41:09 mx app[1]: message repeated 2 times: [ failed: 550-5.1.1 no]\n\
                    Nov 28 14:41:09 mx app[1]: failed: 451 4.3.0 later\n";
        check(&[(text, &["unknown | 550-5.1.1 no", "unknown | 550-5.1.1 no", "unknown | 451 4.3.0 later"])]);
    }

    #[test]
    fn a_hostile_number_is_bounded() {
        for number in ["10001", "99999999999999999999999999"] {
            let inner = format!("message repeated {number} times: [ {REJECT}]");
            let line = format!("{HEAD} {number} times: [ {REJECT}]");
            assert_eq!(mentions(line.as_bytes()).len(), 10_000);
            let mut count = 0;
            read(format!("{HEAD} {number} times: [ {inner}]").as_bytes(), &mut |_| count += 1);
            assert!(count <= 10_000, "{count}");
        }
        check(&[(&format!("{HEAD} 0 times: [ {REJECT}]"), &[])]);
    }
}
