//! The form of the arguments of MAIL and RCPT.

use crate::protocol::command::{Command, Verb, split_route};
use crate::rules::observation::Observation;

/// Returns whether only the path of a MAIL or RCPT can be a reason to refuse it: the command follows the grammar
/// exactly, stays within the lengths of RFC 5321 §4.5.3.1, and has no parameters.
pub(super) fn is_clean(command: &Command<'_>) -> bool {
    has_clean_path(command)
        && command.envelope().is_some_and(|envelope| envelope.parameters().next().is_none())
}

/// Returns whether a command is as [`is_clean`] demands, except that it may have well-formed parameters.
pub(super) fn has_clean_path(command: &Command<'_>) -> bool {
    command.is_plain()
        && command.octets().len() <= 512
        && command.envelope().is_some_and(|envelope| {
            envelope.is_well_formed() && !envelope.is_indented() && envelope.path().is_some_and(is_short)
        })
}

/// Returns whether a path is within the lengths that every server must accept.
pub(super) fn is_short(path: &[u8]) -> bool {
    let (_, mailbox) = split_route(path);
    let at = mailbox.iter().rposition(|octet| *octet == b'@');
    let (local, domain) = mailbox.split_at(at.unwrap_or(mailbox.len()));
    // RFC 5321 §4.5.3.1.3 counts the brackets of the path. `domain` includes the at sign.
    path.len() <= 254 && local.len() <= 64 && domain.len() <= 256
}

/// Returns the domain of a path, or an empty slice.
pub(super) fn domain(path: &[u8]) -> &[u8] {
    path.iter().rposition(|octet| *octet == b'@').and_then(|at| path.get(at + 1..)).unwrap_or_default()
}

/// Returns whether a path is the given mailbox. Letter case is ignored, because servers differ in how they treat it.
pub(super) fn is_mailbox(path: &[u8], mailbox: Option<&String>) -> bool {
    mailbox.is_some_and(|mailbox| path.eq_ignore_ascii_case(mailbox.as_bytes()))
}

/// Returns whether a command has an address without angle brackets where a path belongs (RFC 5321 §3.3).
pub(super) fn lacks_brackets(command: &Command<'_>) -> bool {
    let colon = command.argument().iter().position(|octet| *octet == b':');
    let rest = colon.and_then(|colon| command.argument().get(colon + 1..)).unwrap_or_default();
    !rest.trim_ascii().is_empty() && !rest.contains(&b'<') && !rest.contains(&b'>')
}

/// Returns whether any parameters follow the path, well-formed or not.
pub(super) fn has_parameters(command: &Command<'_>) -> bool {
    command.envelope().is_some_and(|envelope| envelope.parameters().next().is_some())
}

/// Returns whether a refusal of a malformed argument says that the server does not know the command or something else
/// about it. 555 does so only if nothing follows the path.
pub(super) fn is_misread(observation: &Observation<'_>, command: &Command<'_>) -> bool {
    let ends = command.envelope().is_some_and(|envelope| {
        envelope.path().is_some_and(|path| command.argument().ends_with(&[path, b">"].concat()))
    });
    !has_parameters(command) && observation.is(&[500, 502, 504, 552]) || ends && observation.is(&[555])
}

/// Returns whether the argument of a MAIL or RCPT has an error that servers do not tolerate. They tolerate an address
/// without brackets, without a domain, or with misplaced dots or hyphens, and blanks around the colon.
pub(super) fn is_broken(command: &Command<'_>) -> bool {
    let word: &[u8] = if command.verb() == Verb::Mail { b"FROM" } else { b"TO" };
    let argument = command.argument();
    let Some((first, rest)) = argument.split_at_checked(word.len()) else { return true };
    let Some(rest) = rest.trim_ascii_start().strip_prefix(b":").filter(|_| first.eq_ignore_ascii_case(word))
    else {
        return true;
    };
    let rest = rest.trim_ascii_start();
    let Some(path) = command.envelope().and_then(|envelope| envelope.path()) else {
        return rest.is_empty() || rest.contains(&b'<') != rest.contains(&b'>');
    };
    is_broken_path(path) || rest.get(path.len() + 2).is_some_and(|octet| *octet != b' ')
}

fn is_broken_path(path: &[u8]) -> bool {
    let (_, mailbox) = split_route(path);
    if mailbox.starts_with(b"\"") {
        return false;
    }
    let mut signs = mailbox.iter().filter(|octet| **octet == b'@').skip(1);
    let strange = mailbox.iter().any(|octet| matches!(octet, b' ' | b'\t' | b'<'));
    strange || signs.next().is_some() || mailbox.starts_with(b"@") || mailbox.ends_with(b"@")
}

#[cfg(test)]
mod tests {
    use super::{is_broken, is_clean};
    use crate::protocol::command::Command;

    #[test]
    fn tolerated_errors_are_not_broken() {
        for argument in [
            "",
            "FROM",
            "FROM:",
            "FROM <a@b.org>",
            "TO:<a@b.org>",
            "FROM:<a@b.org",
            "FROM:a@b.org>",
            "FROM:<a@@b.org>",
            "FROM:<a@b@c.org>",
            "FROM:<@>",
            "FROM:<a@>",
            "FROM:<@b.org>",
            "FROM:<a b@c.org>",
            "FROM:<a@b.org>x",
            "FROM:<<a@b.org>>",
        ] {
            assert!(is_broken(&Command::read(format!("MAIL {argument}\r\n").as_bytes())), "{argument}");
        }
        for argument in [
            "FROM:<>",
            "FROM:<a@b.org>",
            "from: <a@b.org>",
            "FROM :<a@b.org>",
            "FROM:a@b.org",
            "FROM:<a>",
            "FROM:a",
            "FROM:<..a@b.org>",
            "FROM:<a@-b-.org>",
            "FROM:<@c.org,@d.org:a@b.org>",
            "FROM:<\"a@b c\"@b.org>",
            "FROM:<a@b.org> SIZE=",
            "FROM:A B <a@b.org>",
        ] {
            assert!(!is_broken(&Command::read(format!("MAIL {argument}\r\n").as_bytes())), "{argument}");
        }
    }

    #[test]
    fn clean_commands_are_exact_and_have_no_parameters() {
        let clean = |line: &str| is_clean(&Command::read(line.as_bytes()));
        assert!(clean("RCPT TO:<a@b.org>\r\n") && clean("MAIL FROM:<>\r\n"));
        assert!(
            !clean("RCPT TO: <a@b.org>\r\n")
                && !clean("RCPT TO:<a@b.org> X=1\r\n")
                && !clean("RCPT TO:<a@b.org>\n")
        );
        assert!(!clean(&format!("RCPT TO:<{}@b.org>\r\n", "a".repeat(65))));
    }
}
