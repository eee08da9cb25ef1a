//! Replies that the user of `serve` chooses, written as `SELECTOR=REPLY`.

use anyhow::{Context as _, Result, anyhow, bail, ensure};

use super::fault::Way;
use super::replies::check;
use crate::protocol::Protocol;
use crate::protocol::command::Verb;

/// Where in a session a reply is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Greeting,
    Ehlo,
    Helo,
    Mail,
    Rcpt,
    Data,
    Eod,
    Bdat,
    BdatLast,
    Rset,
    Noop,
    Quit,
    Vrfy,
    Expn,
    Help,
    Starttls,
    Auth,
    AuthResponse,
    Other,
    /// The server gives up. No selector names this.
    End,
}

impl Stage {
    const NAMES: [(&'static str, Stage); 19] = [
        ("greeting", Stage::Greeting),
        ("ehlo", Stage::Ehlo),
        ("helo", Stage::Helo),
        ("mail", Stage::Mail),
        ("rcpt", Stage::Rcpt),
        ("data", Stage::Data),
        ("eod", Stage::Eod),
        ("bdat", Stage::Bdat),
        ("bdat-last", Stage::BdatLast),
        ("rset", Stage::Rset),
        ("noop", Stage::Noop),
        ("quit", Stage::Quit),
        ("vrfy", Stage::Vrfy),
        ("expn", Stage::Expn),
        ("help", Stage::Help),
        ("starttls", Stage::Starttls),
        ("auth", Stage::Auth),
        ("auth-response", Stage::AuthResponse),
        ("other", Stage::Other),
    ];

    /// Returns the stage at which the reply to a command is sent. BDAT counts as [`Stage::Bdat`], whether it is the
    /// last one or not.
    pub(super) fn of(verb: Verb) -> Stage {
        match verb {
            Verb::Ehlo | Verb::Lhlo => Stage::Ehlo,
            Verb::Helo => Stage::Helo,
            Verb::Mail => Stage::Mail,
            Verb::Rcpt => Stage::Rcpt,
            Verb::Data => Stage::Data,
            Verb::Bdat => Stage::Bdat,
            Verb::Rset => Stage::Rset,
            Verb::Noop => Stage::Noop,
            Verb::Quit => Stage::Quit,
            Verb::Vrfy => Stage::Vrfy,
            Verb::Expn => Stage::Expn,
            Verb::Help => Stage::Help,
            Verb::Starttls => Stage::Starttls,
            Verb::Auth => Stage::Auth,
            _ => Stage::Other,
        }
    }
}

/// The replies that the user chooses.
///
/// ```
/// use smtp_conformance::reference::Script;
///
/// let script = Script::read(["rcpt[2]=550 5.1.1 No such user", "data=drop"])?;
/// assert_ne!(script, Script::default());
/// let error = Script::read(["rcpt=dorp"]).unwrap_err();
/// assert!(format!("{error:#}").starts_with("rcpt=dorp: \"dorp\" is neither a reply nor an effect"));
/// # Ok::<(), anyhow::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// The most specific ones come first.
    choices: Vec<(Selector, Effect)>,
}

/// What is chosen for one reply.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Choice<'a> {
    /// What is sent instead of the server's own reply, with placeholders.
    pub(super) text: Option<&'a str>,
    pub(super) form: Option<Form>,
    pub(super) way: Option<Way>,
}

/// Another form of the same reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The reply code alone.
    NoText,
    /// At least two lines.
    MultiLine,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Selector {
    protocol: Option<Protocol>,
    /// `None` selects all stages.
    stage: Option<Stage>,
    number: Number,
}

/// Which replies at a stage, counted from 1 on each connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    Every,
    From(u32),
    Only(u32),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Effect {
    Text(String),
    Form(Form),
    Way(Way),
}

const EFFECTS: [(&str, Effect); 15] = [
    ("drop", Effect::Way(Way::Drop)),
    ("close", Effect::Way(Way::DropAfter)),
    ("cut", Effect::Way(Way::Cut)),
    ("stall", Effect::Way(Way::Stall)),
    ("stall-within", Effect::Way(Way::StallWithin)),
    ("silence", Effect::Way(Way::Silence)),
    ("twice", Effect::Way(Way::Twice)),
    ("late", Effect::Way(Way::Late)),
    ("pause", Effect::Way(Way::Pause)),
    ("octets", Effect::Way(Way::OctetByOctet)),
    ("slow", Effect::Way(Way::Slow)),
    ("endless-lines", Effect::Way(Way::EndlessLines)),
    ("endless-text", Effect::Way(Way::EndlessText)),
    ("no-text", Effect::Form(Form::NoText)),
    ("multi-line", Effect::Form(Form::MultiLine)),
];

impl Script {
    /// Reads choices of the form `SELECTOR=REPLY`, which `docs/testing-a-client.md` describes.
    ///
    /// # Errors
    ///
    /// If one does not follow the form, or if two choose the same thing, with that choice and what is allowed.
    pub fn read<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Script> {
        let mut choices: Vec<(Selector, Effect)> = Vec::new();
        for text in texts {
            let (selector, effect) = choice(text).with_context(|| text.to_owned())?;
            if choices.iter().any(|(other, before)| *other == selector && before.is_of_kind(&effect)) {
                bail!("{text}: another --reply chooses the same for this selector: leave one out");
            }
            choices.push((selector, effect));
        }
        choices.sort_by_key(|(selector, _)| selector.breadth());
        Ok(Script { choices })
    }

    /// Returns the protocol that a selector names.
    ///
    /// # Errors
    ///
    /// If selectors name different protocols.
    pub fn protocol(&self) -> Result<Option<Protocol>> {
        let mut named = self.choices.iter().filter_map(|(selector, _)| selector.protocol);
        let first = named.next();
        ensure!(
            named.all(|protocol| Some(protocol) == first),
            "the selectors name different protocols, but a server speaks one: start one server for each"
        );
        Ok(first)
    }

    /// Returns whether some replies come only after a pause.
    pub(crate) fn pauses(&self) -> bool {
        self.choices.iter().any(|(_, effect)| *effect == Effect::Way(Way::Pause))
    }

    /// Returns what is chosen for a reply, given how many replies the connection has had at the stage, with this one.
    pub(super) fn choice(&self, stage: Stage, number: u32) -> Choice<'_> {
        let mut choice = Choice::default();
        for (selector, effect) in &self.choices {
            if !selector.selects(stage, number) {
                continue;
            }
            match effect {
                Effect::Text(text) => choice.text = choice.text.or(Some(text)),
                Effect::Form(_) if selector.stage.is_none() && stage.needs_text() => {}
                Effect::Form(form) => choice.form = choice.form.or(Some(*form)),
                Effect::Way(way) => choice.way = choice.way.or(Some(*way)),
            }
        }
        choice
    }
}

impl Stage {
    /// Returns whether clients read the text of the replies: the list in the reply to EHLO, and challenges.
    fn needs_text(self) -> bool {
        matches!(self, Stage::Ehlo | Stage::Auth | Stage::AuthResponse)
    }
}

impl Selector {
    fn selects(&self, stage: Stage, number: u32) -> bool {
        let fits = match self.number {
            Number::Every => true,
            Number::From(first) => number >= first,
            Number::Only(only) => number == only,
        };
        fits && self.stage.is_none_or(|own| own == stage)
    }

    /// Returns how much it selects: the least comes first.
    fn breadth(&self) -> (bool, u8) {
        let number = match self.number {
            Number::Only(_) => 0,
            Number::From(_) => 1,
            Number::Every => 2,
        };
        (self.stage.is_none(), number)
    }
}

impl Effect {
    fn is_of_kind(&self, other: &Effect) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

fn choice(text: &str) -> Result<(Selector, Effect)> {
    let (selector, reply) = text
        .split_once('=')
        .ok_or_else(|| anyhow!("expected SELECTOR=REPLY, such as 'rcpt[2]=550 5.1.1 No such user'"))?;
    let selector = selector_of(selector.trim())?;
    Ok((selector, effect(selector.stage, reply)?))
}

fn selector_of(text: &str) -> Result<Selector> {
    let (protocol, rest) = match text.split_once('.') {
        Some((name, rest)) => (Some(protocol(name)?), rest),
        None => (None, text),
    };
    let (name, number) = match rest.find('[') {
        Some(start) => (&rest[..start], number(&rest[start..])?),
        None => (rest, Number::Every),
    };
    let known = Stage::NAMES.iter().find(|(known, _)| *known == name).map(|(_, stage)| *stage);
    let stage = match known {
        Some(stage) => Some(stage),
        None if name == "all" => None,
        None => {
            let names: Vec<&str> = Stage::NAMES.iter().map(|(name, _)| *name).collect();
            bail!("there is no stage {name:?}: use all, {}", or(&names));
        }
    };
    ensure!(
        stage.is_some() || number == Number::Every,
        "\"all\" takes no number: name a stage, such as rcpt[2]"
    );
    Ok(Selector { protocol, stage, number })
}

fn protocol(name: &str) -> Result<Protocol> {
    Ok(match name {
        "smtp" => Protocol::Smtp,
        "submission" => Protocol::Submission,
        "lmtp" => Protocol::Lmtp,
        _ => bail!("there is no protocol {name:?}: use smtp, submission or lmtp before the dot"),
    })
}

/// Reads a number in brackets.
fn number(text: &str) -> Result<Number> {
    let inside = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or_default();
    let (digits, is_open) = match inside.strip_suffix('+') {
        Some(digits) => (digits, true),
        None => (inside, false),
    };
    let number = if digits.bytes().all(|octet| octet.is_ascii_digit()) { digits.parse().ok() } else { None };
    match number.filter(|number| *number > 0) {
        Some(number) if is_open => Ok(Number::From(number)),
        Some(number) => Ok(Number::Only(number)),
        None => bail!(
            "expected a number from 1 on in brackets, such as [2], or [2+] for the second and all later ones, not {text:?}"
        ),
    }
}

fn effect(stage: Option<Stage>, text: &str) -> Result<Effect> {
    if let Some((_, effect)) = EFFECTS.iter().find(|(name, _)| *name == text) {
        return Ok(effect.clone());
    }
    ensure!(!text.is_empty(), "the reply is empty: to send nothing, use silence, stall or drop");
    if !text.starts_with(|first: char| first.is_ascii_digit() || first == '\\') {
        let names = EFFECTS.map(|(name, _)| name);
        bail!(
            "{text:?} is neither a reply nor an effect: a reply begins with a digit or a backslash, and the effects are {}",
            or(&names).replace(" or ", " and ")
        );
    }
    let is_code = text.len() == 3 && text.bytes().all(|octet| octet.is_ascii_digit());
    let text = if is_code { reply_with(text, stage) } else { unescaped(text)? };
    check(&text)?;
    Ok(Effect::Text(text))
}

/// Returns a whole reply with a reply code.
fn reply_with(code: &str, stage: Option<Stage>) -> String {
    match (&code[..1], stage) {
        (_, Some(Stage::Greeting | Stage::Ehlo | Stage::Helo)) => {
            format!("{code} {{domain}} Chosen by --reply\r\n")
        }
        // The text of a challenge is base64 (RFC 4954 §4).
        _ if code == "334" => "334 \r\n".to_owned(),
        (class @ ("2" | "4" | "5"), _) => format!("{code} {class}.0.0 Chosen by --reply\r\n"),
        _ => format!("{code} Chosen by --reply\r\n"),
    }
}

/// Returns a text with its escapes replaced, but for `\xHH`, which is replaced when the reply is sent. It ends in CR LF,
/// unless it already ends in LF or in `\+`.
fn unescaped(text: &str) -> Result<String> {
    let mut plain = String::with_capacity(text.len() + 2);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let is_octet = |digits: &str| digits.bytes().all(|octet| octet.is_ascii_hexdigit());
        match after.as_bytes() {
            [b'n', ..] => plain.push('\n'),
            [b'r', ..] => plain.push('\r'),
            [b'\\', ..] => plain.push_str("\\x5c"),
            [b'+'] => return Ok(plain),
            [b'x', ..] if after.get(1..3).is_some_and(is_octet) => plain.push_str("\\x"),
            _ => bail!(
                "expected n, r, xHH or a backslash after the backslash before {after:?}, or + at the end"
            ),
        }
        rest = &after[1..];
    }
    plain.push_str(rest);
    if !plain.ends_with('\n') {
        plain.push_str("\r\n");
    }
    Ok(plain)
}

/// Returns names as an enumeration.
fn or(names: &[&str]) -> String {
    match names {
        [before @ .., last] if !before.is_empty() => format!("{} or {last}", before.join(", ")),
        names => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(texts: &[&str]) -> Script {
        Script::read(texts.iter().copied()).expect("the choices are well-formed")
    }

    fn text(choice: &str) -> String {
        match script(&[choice]).choices.remove(0).1 {
            Effect::Text(text) => text,
            effect => panic!("{choice} is no text, but {effect:?}"),
        }
    }

    #[test]
    fn texts_are_whole_replies() {
        for (choice, expected) in [
            ("rcpt=550 5.1.1 No such user", "550 5.1.1 No such user\r\n"),
            ("eod=299", "299 2.0.0 Chosen by --reply\r\n"),
            ("data=650", "650 Chosen by --reply\r\n"),
            ("auth=334", "334 \r\n"),
            ("ehlo=500", "500 {domain} Chosen by --reply\r\n"),
            ("eod=25", "25\r\n"),
            ("eod=250 ", "250 \r\n"),
            (r"ehlo=250-a\r\n250 SIZE", "250-a\r\n250 SIZE\r\n"),
            (r"eod=250 Ok\n", "250 Ok\n"),
            (r"eod=250 Ok\+", "250 Ok"),
            (r"eod=\x48ello \\ there", "\\x48ello \\x5c there\r\n"),
            ("mail=250 2.1.0 <{client}> = {domain}", "250 2.1.0 <{client}> = {domain}\r\n"),
        ] {
            assert_eq!(text(choice), expected, "{choice}");
        }
    }

    #[test]
    fn the_narrowest_selector_decides() {
        let script =
            script(&["all=multi-line", "all=550", "rcpt=250", "rcpt[3+]=450", "rcpt[4]=552", "rcpt[4]=drop"]);
        let code = |number| script.choice(Stage::Rcpt, number).text.map(|text| text[..3].to_owned());
        let codes: Vec<String> = (1..=5).filter_map(code).collect();
        assert_eq!(codes, ["250", "250", "450", "552", "450"]);
        assert_eq!(script.choice(Stage::Rcpt, 4).way, Some(Way::Drop));
        assert_eq!(script.choice(Stage::Rcpt, 5).way, None);
        assert_eq!(script.choice(Stage::Rcpt, 5).form, Some(Form::MultiLine));
        assert_eq!(script.choice(Stage::Ehlo, 1).form, None);
        assert!(script.choice(Stage::End, 1).text.is_some_and(|text| text.starts_with("550")));
    }

    #[test]
    fn every_name_is_read() {
        for (name, stage) in Stage::NAMES {
            assert_eq!(selector_of(name).expect("it is read").stage, Some(stage));
        }
        for (name, effect) in EFFECTS {
            assert_eq!(script(&[&format!("all={name}")]).choices[0].1, effect);
        }
    }

    #[test]
    fn a_selector_may_name_the_protocol() {
        assert_eq!(script(&["lmtp.eod[2]=close"]).protocol().expect("one protocol"), Some(Protocol::Lmtp));
        assert_eq!(script(&["eod=close"]).protocol().expect("no protocol"), None);
        script(&["lmtp.eod=close", "smtp.eod=close"]).protocol().expect_err("a server speaks one protocol");
    }

    #[test]
    fn errors_say_what_is_allowed() {
        for (choice, expected) in [
            ("rcpt", "rcpt: expected SELECTOR=REPLY, such as 'rcpt[2]=550 5.1.1 No such user'"),
            (
                "rpct=550",
                "rpct=550: there is no stage \"rpct\": use all, greeting, ehlo, helo, mail, rcpt, data, eod, bdat, bdat-last, rset, noop, quit, vrfy, expn, help, starttls, auth, auth-response or other",
            ),
            (
                "rcpt[0]=550",
                "rcpt[0]=550: expected a number from 1 on in brackets, such as [2], or [2+] for the second and all later ones, not \"[0]\"",
            ),
            ("all[2]=550", "all[2]=550: \"all\" takes no number: name a stage, such as rcpt[2]"),
            (
                "imap.eod=550",
                "imap.eod=550: there is no protocol \"imap\": use smtp, submission or lmtp before the dot",
            ),
            (
                "data=dorp",
                "data=dorp: \"dorp\" is neither a reply nor an effect: a reply begins with a digit or a backslash, and the effects are drop, close, cut, stall, stall-within, silence, twice, late, pause, octets, slow, endless-lines, endless-text, no-text and multi-line",
            ),
            ("data=", "data=: the reply is empty: to send nothing, use silence, stall or drop"),
            (
                r"data=250 \q",
                r#"data=250 \q: expected n, r, xHH or a backslash after the backslash before "q", or + at the end"#,
            ),
            ("data=250 {nobody}", "data=250 {nobody}: there is no placeholder {nobody}"),
        ] {
            let error = Script::read([choice]).expect_err(choice);
            assert_eq!(format!("{error:#}"), expected);
        }
        for number in [
            "rcpt[]=550",
            "rcpt[2=550",
            "rcpt[+]=550",
            "rcpt[+2]=550",
            "rcpt[99999999999]=550",
            "rcpt[1]x=550",
        ] {
            Script::read([number]).expect_err(number);
        }
        for text in [r"data=250 \x", r"data=250 \xg0", r"data=250 \+ Ok", "data=250 \\", r"data=250 \xé"] {
            Script::read([text]).expect_err(text);
        }
    }

    #[test]
    fn nothing_is_chosen_twice() {
        let error = Script::read(["eod=drop", "eod=stall"]).expect_err("two effects");
        assert_eq!(
            format!("{error:#}"),
            "eod=stall: another --reply chooses the same for this selector: leave one out"
        );
        script(&["eod=drop", "eod=250", "eod=no-text", "eod[1]=stall"]);
    }
}
