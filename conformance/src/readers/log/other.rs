//! Programs that write into the same syslog and are no mail servers: the numbers in their lines are no replies.

/// Their tags, in lower case. None is a word that may be in front of a colon in another program's sentence.
const PROGRAMS: [&[u8]; 40] = [
    b"anacron",
    b"apt",
    b"apt-get",
    b"apt.systemd.daily",
    b"atd",
    b"auditd",
    b"chronyd",
    b"clamd",
    b"containerd",
    b"cron",
    b"crond",
    b"dbus-daemon",
    b"dhclient",
    b"dhcpcd",
    b"dockerd",
    b"dpkg",
    b"fail2ban",
    b"fail2ban-server",
    b"fail2ban.actions",
    b"fail2ban.filter",
    b"freshclam",
    b"fwupd",
    b"kernel",
    b"logrotate",
    b"multipathd",
    b"networkmanager",
    b"ntpd",
    b"polkitd",
    b"rsyslogd",
    b"snapd",
    b"spamd",
    b"sshd",
    b"sshd-auth",
    b"sshd-session",
    b"sudo",
    b"syslog-ng",
    b"systemd",
    b"systemd-logind",
    b"systemd-resolved",
    b"unattended-upgrade",
];

/// Returns whether a line is one of these programs, by its tag and its message.
pub(super) fn is_other(tag: &[u8], message: &[u8]) -> bool {
    if tag.eq_ignore_ascii_case(b"dovecot") {
        return !is_of_mail_server(message);
    }
    // systemd has brackets around its name before it runs a program, cron may have its path.
    let name = tag.strip_prefix(b"(").and_then(|tag| tag.strip_suffix(b")")).unwrap_or(tag);
    let name = name.iter().rposition(|&octet| octet == b'/').map_or(name, |slash| &name[slash + 1..]);
    PROGRAMS.iter().any(|program| name.eq_ignore_ascii_case(program))
}

/// Returns whether the part of Dovecot that wrote a message speaks SMTP or LMTP: `lmtp(u)<12><x>: ..`.
fn is_of_mail_server(message: &[u8]) -> bool {
    [&b"lmtp"[..], b"submission", b"lda", b"deliver"].iter().any(|service| message.starts_with(service))
}

#[cfg(test)]
mod tests {
    use crate::readers::log::testing::check;

    #[test]
    fn lines_of_other_programs_show_no_replies() {
        for line in [
            "CRON[1]: (root) CMD (run 250 5.0.0)",
            "/usr/sbin/cron[1]: 250 5.0.0 x",
            "sshd[1]: error: 550 5.1.1 x",
            "sshd-session[1]: said: 550 x",
            "sudo: root : COMMAND=/bin/say 550 5.1.1 x",
            "kernel: [12.3] usb 250 2.0.0 x",
            "systemd[1]: Started 250 2.0.0 x",
            "(systemd)[1]: Started 250 2.0.0 x",
            "apt[1]: got 500 5.0.1 x",
            "spamd[1]: spamd: bayes: 552 5.0.0 tokens",
            "dovecot: auth: sql said: 421 rows",
        ] {
            check(&[(&format!("Nov 28 14:41:09 mx {line}"), &[])]);
        }
        check(&[
            ("<78>1 2026-11-28T14:41:09Z mx CRON 12 - - (root) CMD (run 250 5.0.0 x)", &[]),
            ("{\"MESSAGE\":\"run 250 5.0.0 x\",\"SYSLOG_IDENTIFIER\":\"CRON\"}", &[]),
        ]);
    }

    #[test]
    fn lines_of_unknown_programs_do() {
        for tag in ["app[1]", "dovecot: lmtp(u)<12><x>", "cronmail[1]", "dovecot: submission(u)"] {
            check(&[(
                &format!("Nov 28 14:41:09 mx {tag}: failed: 550 5.1.1 no"),
                &["unknown | 550 5.1.1 no"],
            )]);
        }
    }
}
