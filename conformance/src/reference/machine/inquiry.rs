//! The commands that ask for something: VRFY, EXPN, HELP, ETRN and ATRN.

use super::{Command, Key, Machine, Mailbox, Verb, is_domain, mailbox};

impl Machine {
    pub(super) fn vrfy(&mut self, command: &Command<'_>) {
        let words: Vec<&[u8]> = command.words().collect();
        let Some(first) = words.first() else { return self.settle(Key::VrfyArgument) };
        if words.iter().skip(1).any(|word| has_value(word)) {
            return self.settle(Key::VrfyParameter);
        }
        let utf8 = words.len() > 1 && words.last().is_some_and(|word| word.eq_ignore_ascii_case(b"SMTPUTF8"));
        let mailbox =
            words.iter().find_map(|word| word.strip_prefix(b"<")?.strip_suffix(b">")).unwrap_or(first);
        let name = String::from_utf8_lossy(mailbox).into_owned();
        if !name.is_ascii() && !utf8 {
            return self.settle(Key::VrfyUtf8);
        }
        match Mailbox::of(&name) {
            Mailbox::Forwarded => self.settle(Key::VrfyForwarded),
            Mailbox::Foreign => self.settle(Key::VrfyForeign),
            Mailbox::Unknown => self.settle(Key::VrfyUnknown),
            _ => {
                let (local, _) = name.split_once('@').unwrap_or((&name, ""));
                let full = format!("{}@{}", local.to_lowercase(), mailbox::DOMAIN);
                let key = if name.contains('@') { Key::Vrfy } else { Key::VrfyLocal };
                self.say_of(key, &full);
            }
        }
    }

    pub(super) fn expn(&mut self, command: &Command<'_>) {
        let key = match command.argument() {
            b"" => Key::ExpnArgument,
            list if list.eq_ignore_ascii_case(b"staff") => Key::Expn,
            _ => Key::ExpnUnknown,
        };
        self.settle(key);
    }

    pub(super) fn help(&mut self, command: &Command<'_>) {
        let key = match command.argument() {
            b"" => Key::Help,
            topic if Command::read(topic).verb() != Verb::Other => Key::HelpTopic,
            _ => Key::HelpUnknown,
        };
        self.settle(key);
    }

    /// RFC 1985 §5.
    pub(super) fn etrn(&mut self, command: &Command<'_>) {
        let node = command.argument();
        let name = node.strip_prefix(b"@").unwrap_or(node);
        let key = match name {
            _ if self.hello.is_none() => Key::EtrnBeforeHello,
            _ if self.transaction.is_some() => Key::EtrnInTransaction,
            name if !is_domain(name) => Key::EtrnSyntax,
            name if name.eq_ignore_ascii_case(mailbox::DOMAIN.as_bytes()) => Key::Etrn,
            _ => Key::EtrnForeign,
        };
        self.settle(key);
    }

    /// ATRN needs a login (RFC 2645 §5.2.1). The server keeps no mail for any domain of its user.
    pub(super) fn atrn(&mut self) {
        let key = match &self.transaction {
            Some(_) => Key::AtrnInTransaction,
            None if self.logged_in => Key::AtrnForeign,
            None => Key::AtrnWithoutLogin,
        };
        self.settle(key);
    }
}

/// Returns whether a word is SMTPUTF8 with a value, which it does not accept (RFC 6531 §3.7.4.2).
fn has_value(word: &[u8]) -> bool {
    let keyword = word.get(..b"SMTPUTF8=".len());
    keyword.is_some_and(|keyword| keyword.eq_ignore_ascii_case(b"SMTPUTF8="))
}
