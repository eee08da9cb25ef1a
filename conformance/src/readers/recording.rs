//! Recordings that mail clients make of their sessions, each form in a file named after the client.

mod curl;
mod curl_trace;
mod jakarta_mail;
mod literal;
mod mailkit;
mod msmtp;
mod net_smtp;
mod nodemailer;
mod phpmailer;
mod ruby;
mod s_nail;
mod smtplib;
mod swaks;
mod tape;
#[cfg(test)]
mod testing;
mod unmarked;

use anyhow::Result;

use crate::dialogue::Dialogue;
use crate::protocol::Protocol;
use crate::protocol::command::{Command, Verb};

/// A form of recordings.
pub(super) struct Form {
    /// Returns whether a text has the form. It needs only the beginning of the text.
    pub is_log: fn(&str) -> bool,
    /// Reads a text, given its name and the protocol of the server.
    pub read: fn(&str, Protocol, &str) -> Result<Vec<Dialogue>>,
}

/// The forms. A text has the first one that recognizes it.
const FORMS: [Form; 13] = [
    Form { is_log: mailkit::is_log, read: mailkit::read },
    Form { is_log: swaks::is_log, read: swaks::read },
    Form { is_log: curl::is_log, read: curl::read },
    Form { is_log: curl_trace::is_log, read: curl_trace::read },
    Form { is_log: smtplib::is_log, read: smtplib::read },
    Form { is_log: msmtp::is_log, read: msmtp::read },
    Form { is_log: nodemailer::is_log, read: nodemailer::read },
    Form { is_log: phpmailer::is_log, read: phpmailer::read },
    Form { is_log: ruby::is_log, read: ruby::read },
    Form { is_log: net_smtp::is_log, read: net_smtp::read },
    Form { is_log: s_nail::is_log, read: s_nail::read },
    Form { is_log: jakarta_mail::is_log, read: jakarta_mail::read },
    Form { is_log: unmarked::is_log, read: unmarked::read },
];

/// Returns the form of a text, of which the beginning is enough.
pub(super) fn find(text: &str) -> Option<&'static Form> {
    FORMS.iter().find(|form| (form.is_log)(text))
}

/// Returns the lines of a text with their numbers, from 1, and without LF at their ends. A CR is kept.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let text = text.trim_start_matches('\u{feff}');
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.split('\n').enumerate().map(|(index, line)| (index + 1, line))
}

/// Returns whether a line has a reply code, followed by a space, a hyphen or nothing.
fn is_reply(line: &str) -> bool {
    tape::has_code(line.as_bytes())
}

/// Returns whether a line begins with a verb of SMTP.
fn is_command(line: &str) -> bool {
    Command::read(line.trim_end_matches('\r').as_bytes()).verb() != Verb::Other
}

/// Returns the digits at the beginning of a text as a port.
fn port(text: &str) -> Option<u16> {
    let digits = text.len() - text.trim_start_matches(|character: char| character.is_ascii_digit()).len();
    text[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{FORMS, find};
    use crate::protocol::Protocol;

    /// A recording in each form, in the order of [`FORMS`].
    const SAMPLES: [&str; 13] = [
        "Connected to smtp://mx:25/\nS: 220 mx\nC: STARTTLS\nS: 220 Go\nC: AUTH PLAIN ****\nS: 235 2.7.0 Ok\n",
        "=== Connected to mx.\n<-  220 mx\n -> STARTTLS\n<-  220 Go\n=== TLS started with\n ~> DATA\n<~  354 Go\n ~> 3 lines \
         sent\n<~* 550-5.7.1 N\u{f6}\n<~* 550 5.7.1 No\n*** Remote host closed connection unexpectedly.\n",
        "* Connected to mx (192.0.2.1) port 465 (#0)\n< 220 mx\r\n> DATA\r\n< 354 Go\r\n} [9 bytes data]\n\r 0 0 --:--:-- 0< 250 \
         2.0.0\n",
        "== Info: Connected to mx (192.0.2.1) port 25\n<= Recv header, 8 bytes (0x8)\n0000: 220 mx\n=> Send header, 6 bytes \
         (0x6)\n0000: DATA\n<= Recv header, 8 bytes (0x8)\n0000: 33 35 34 20 47 6f 0d 0a                         354 Go..\n",
        "00:00:01.5 connect: to ('mx', 25) None\nreply: b'220 m\\xe4\\r\\n'\nreply: retcode (220); Msg: b'm'\nsend: 'data\\r\\n'\n\
         reply: b\"354 \\u{1F600}\\r\\n\"\nsend: b'a\\r\\n.\\r\\n'\nreply: b'250\\r\\n'\n",
        "host = mx\nport = 25\ntls = on\ntls_starttls = off\n<-- 220 mx\r\n--> DATA\r\n<-- 354 Go\r\n--> a\r\n--> .\r\n<-- 250\n",
        "[1] INFO  [#1] [a] Connection established to 192.0.2.1:25\n[1] DEBUG [#1] [a] S: 220 mx\n[1] DEBUG [#1] [a] C: DATA\n[1] \
         DEBUG [#1] [a] S: 354 Go\n[1] DEBUG [#1] [a] .\n[1] DEBUG [#1] [a] S: 250 Ok\n",
        "2026-11-29 09:01:46\tConnection: opening to ssl://mx:465, timeout=300\n2026-11-29 09:01:46\tSERVER -> CLIENT: 220-mx\n    \
         \t  220 mx\n2026-11-29 09:01:46\tCLIENT -> SERVER: QUIT\n2026-11-29 09:01:46\tSERVER -> CLIENT: 221\n",
        "Connection opened: mx:25\n-> \"220 m\\u00e4\\r\\n\"\n<- \"DATA\\r\\n\"\n-> \"354 \\e\\r\\n\"\nwrote 35 bytes\n-> \"250 \
         Ok\\r\\n\"\n",
        "Net::SMTP=GLOB(0x1)<<< 220 mx\nNet::SMTP=GLOB(0x1)>>> DATA\r\nNet::SMTP=GLOB(0x1)<<< 354 Go\nNet::SMTP=GLOB(0x1)>>> \
         .\nNet::SMTP=GLOB(0x1)>>> .\nNet::SMTP=GLOB(0x1)<<< 250\n",
        "s-nail: Connecting to mx:25 ... connected.\ns-nail: >>> SERVER: 220 mx\ns-nail: >>> AUTH PLAIN\ns-nail: >>> SERVER: \
         334\ns-nail: >>> AGEAYg==\ns-nail: >>> SERVER: 535 5.7.8\n",
        "DEBUG SMTP: trying to connect to host \"mx\", port 465, isSSL true\n220 mx\nEHLO me\n250 mx\nDEBUG SMTP: \
         MessagingException, THROW:\n550 5.1.1 No\nDATA\n354 Go\n.\n250 Ok\n",
        "CONNECTED(00000003)\n---\n250 HELP\n---\nEHLO me\u{8}\u{8}\n250-mx\n250 HELP\nRCPT\nRENEGOTIATING\nDATA\n354 \
         Go\n.\n250\nclosed\n",
    ];

    #[test]
    fn each_form_is_recognized() {
        for (index, (form, sample)) in FORMS.iter().zip(SAMPLES).enumerate() {
            let found = find(sample).unwrap_or_else(|| panic!("no form recognizes this:\n{sample}"));
            assert!(std::ptr::fn_addr_eq(found.is_log, form.is_log), "not form {index}:\n{sample}");
            let dialogues = (form.read)("test", Protocol::Smtp, sample).expect("it can be read");
            assert!(!dialogues.is_empty(), "{sample}");
        }
    }

    /// Whatever part of a recording a file has, all forms can read it or refuse it, and those that recognize it read it.
    /// MailKit's log has no lines of another form.
    #[test]
    fn a_part_of_a_recording_crashes_nothing() {
        for sample in SAMPLES {
            for (place, _) in sample.char_indices() {
                for part in [&sample[..place], &sample[place..]] {
                    for (index, form) in FORMS.iter().enumerate() {
                        let read = [Protocol::Smtp, Protocol::Lmtp]
                            .map(|protocol| (form.read)("test", protocol, part));
                        let is_read = read.iter().all(Result::is_ok);
                        assert!(
                            is_read || index == 0 || !(form.is_log)(part),
                            "form {index}: {read:?}\n{part}"
                        );
                    }
                }
            }
        }
    }
}
