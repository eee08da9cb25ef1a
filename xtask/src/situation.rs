//! `registry/situations.toml`: which pair a server should send in a situation, and which others are right or wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use anyhow::{Result, bail, ensure};
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::annotation::Annotations;
use crate::code::{Class, Pair, ReplyCode, Status};
use crate::data_file::DataFile;
use crate::registry::Registry;
use crate::reply_code::ReplyCodeEntry;
use crate::tree::{FOLDER, REPLY_CODES, SITUATIONS};

/// The maximum length, in characters, of a title, a reason and a note.
const LONGEST_TEXT: usize = 120;

/// A situation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Situation {
    /// The stable name.
    pub id: String,
    /// What the reply answers.
    pub command: Command,
    /// What happened, as a clause.
    pub title: String,
    /// The pair to send.
    pub send: Suggestion,
    /// The other pairs that are right, best first.
    #[serde(default, rename = "or")]
    pub alternatives: Vec<Suggestion>,
    /// Pairs that servers send and should not.
    #[serde(default)]
    pub avoid: Vec<Mistake>,
    /// What else to do or to know.
    pub note: Option<String>,
    /// The RFCs and sections that define the situation and the enhanced status code.
    pub sources: Vec<String>,
    /// The line of the table in the file.
    #[serde(skip)]
    pub line: usize,
}

/// A pair that is right.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suggestion {
    /// The reply code, with an enhanced status code if the reply needs one.
    #[serde(rename = "pair")]
    pub codes: Codes,
    /// How strongly the reply code is demanded.
    pub level: Level,
    /// The RFC and section that decide the level.
    pub source: String,
}

/// A pair that is wrong.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mistake {
    /// The reply code, and the enhanced status code if there is one.
    #[serde(rename = "pair")]
    pub codes: Codes,
    /// Why it is wrong.
    pub reason: String,
}

/// A reply code, with or without an enhanced status code: `550 5.1.1`, `354`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Codes {
    /// The reply code.
    pub reply_code: ReplyCode,
    /// The class and the row of the enhanced status code.
    pub enhanced: Option<(Class, Status)>,
}

/// What a reply answers.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Command {
    /// The connection: the reply is the greeting.
    Connect,
    /// EHLO, HELO or LHLO.
    Ehlo,
    /// STARTTLS.
    Starttls,
    /// AUTH, and responses to its challenges.
    Auth,
    /// MAIL.
    Mail,
    /// RCPT.
    Rcpt,
    /// DATA.
    Data,
    /// The end of the message.
    Message,
    /// BDAT.
    Bdat,
    /// RSET.
    Rset,
    /// NOOP.
    Noop,
    /// QUIT.
    Quit,
    /// VRFY.
    Vrfy,
    /// EXPN.
    Expn,
    /// HELP.
    Help,
    /// ETRN.
    Etrn,
    /// More than one command.
    Any,
}

/// How strongly a reply code is demanded.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The RFC says MUST, or leaves no other reply code.
    Must,
    /// The RFC says SHOULD, or names the reply code and leaves others possible.
    Should,
    /// The RFC permits the reply code, among others.
    May,
    /// No RFC names the pair for this situation, or the row's text excludes the class; servers send it.
    Seen,
}

impl fmt::Display for Codes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pair() {
            Some(pair) => write!(f, "{pair}"),
            None => write!(f, "{}", self.reply_code),
        }
    }
}

impl<'de> Deserialize<'de> for Codes {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        Codes::parse(&text).ok_or_else(|| {
            D::Error::custom(format!("{text:?} is neither a pair such as \"550 5.1.1\" nor a reply code"))
        })
    }
}

impl Codes {
    /// Parses `550 5.1.1` or `354`.
    pub fn parse(text: &str) -> Option<Codes> {
        match Pair::parse(text) {
            Some(Pair { reply_code, class, status }) => {
                Some(Codes { reply_code, enhanced: Some((class, status)) })
            }
            None => Some(Codes { reply_code: ReplyCode::parse(text)?, enhanced: None }),
        }
    }

    /// Returns the pair, if there is an enhanced status code.
    pub fn pair(self) -> Option<Pair> {
        let (class, status) = self.enhanced?;
        Some(Pair { reply_code: self.reply_code, class, status })
    }
}

impl Situation {
    /// Returns the pairs that are right, best first.
    pub fn suggestions(&self) -> impl Iterator<Item = &Suggestion> {
        std::iter::once(&self.send).chain(&self.alternatives)
    }

    /// Returns whether the registry has the rows of all pairs.
    pub fn is_registered(&self, registry: &Registry) -> bool {
        self.all_codes().all(|codes| codes.enhanced.is_none_or(|(_, row)| registry.status(row).is_some()))
    }

    /// Returns the codes of all pairs, right or wrong.
    fn all_codes(&self) -> impl Iterator<Item = Codes> {
        let wrong = self.avoid.iter().map(|mistake| mistake.codes);
        self.suggestions().map(|suggestion| suggestion.codes).chain(wrong)
    }
}

/// Parses and checks a file that has been read. Whether its codes are known is for [`unknown_reply_codes`] and
/// [`unsound`] to say.
pub fn read(file: &DataFile) -> Result<Vec<Situation>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        situation: Vec<toml::Spanned<Situation>>,
    }
    let mut ids = BTreeSet::new();
    let mut situations = Vec::new();
    for situation in file.parse::<File>()?.situation {
        let line = file.line(situation.span().start);
        let situation = Situation { line, ..situation.into_inner() };
        check(&situation, &mut ids).map_err(|error| file.error(line, &error))?;
        situations.push(situation);
    }
    Ok(situations)
}

fn check(situation: &Situation, ids: &mut BTreeSet<String>) -> Result<()> {
    let Situation { id, title, note, sources, avoid, .. } = situation;
    ensure!(
        !id.is_empty()
            && id.bytes().all(|octet| octet.is_ascii_lowercase() || b"-0123456789".contains(&octet)),
        "id {id:?}: write lower case letters, digits and hyphens"
    );
    ensure!(ids.insert(id.clone()), "{id} is there already: remove one of them");
    check_length(id, "title", title)?;
    ensure!(!title.ends_with('.'), "{id}: title has to be a clause without a full stop");
    for (key, text) in avoid
        .iter()
        .map(|mistake| ("reason", &mistake.reason))
        .chain(note.as_ref().map(|note| ("note", note)))
    {
        check_length(id, key, text)?;
        ensure!(text.ends_with('.'), "{id}: {key} has to be a sentence");
    }
    ensure!(!sources.is_empty(), "{id}: write sources = [\"RFC 5321 §4.3.2\"]");
    for source in sources.iter().chain(situation.suggestions().map(|suggestion| &suggestion.source)) {
        ensure!(
            source.strip_prefix("RFC ").is_some_and(|rest| rest.contains(" §"))
                || source.starts_with("IANA registry, row X."),
            "{id}: {source:?} is not a source: write \"RFC 5321 §4.3.2\" or \"IANA registry, row X.1.1\""
        );
    }
    let mut seen = Vec::new();
    for codes in situation.all_codes() {
        ensure!(!seen.contains(&codes), "{id}: {codes} is there already: remove one of them");
        seen.push(codes);
    }
    situation.suggestions().try_for_each(|suggestion| check_suggestion(situation, suggestion.codes))
}

fn check_length(id: &str, key: &str, text: &str) -> Result<()> {
    let length = text.chars().count();
    ensure!(
        (1..=LONGEST_TEXT).contains(&length),
        "{id}: {key} has {length} characters; write 1 to {LONGEST_TEXT}"
    );
    Ok(())
}

/// Fails if a pair breaks RFC 2034: §4 demands that the first digits agree, and only the greeting, replies to EHLO and
/// 3yz replies may lack an enhanced status code.
fn check_suggestion(situation: &Situation, codes: Codes) -> Result<()> {
    let Situation { id, command, .. } = situation;
    match (codes.enhanced, codes.reply_code.class()) {
        (Some((class, _)), Some(digit)) if class == digit => Ok(()),
        (Some((_, status)), Some(digit)) => bail!(
            "{id}: the first digits of {codes} differ: write {} {digit}.{}.{}",
            codes.reply_code,
            status.subject,
            status.detail
        ),
        (Some(_), None) => {
            bail!("{id}: a 3yz reply has no enhanced status code: write \"{}\"", codes.reply_code)
        }
        (None, Some(digit)) if !matches!(command, Command::Connect | Command::Ehlo) => bail!(
            "{id}: {codes} needs an enhanced status code, as only the greeting, replies to EHLO and 3yz replies have \
             none: write \"{codes} {digit}.0.0\", or a code that says more"
        ),
        (None, _) => Ok(()),
    }
}

/// Returns each reply code that the table of reply codes lacks, with the line of a situation that has it.
pub fn unknown_reply_codes(situations: &[Situation], reply_codes: &[ReplyCodeEntry]) -> Vec<String> {
    let mut unknown = BTreeMap::new();
    for situation in situations {
        for Codes { reply_code, .. } in situation.all_codes() {
            if !reply_codes.iter().any(|entry| entry.code == reply_code) {
                unknown.entry(reply_code).or_insert(situation);
            }
        }
    }
    let in_words = |(reply_code, Situation { id, line, .. }): (ReplyCode, &Situation)| {
        format!(
            "{FOLDER}/{SITUATIONS}:{line}: {id} has the reply code {reply_code}, which {FOLDER}/{REPLY_CODES} does not \
             have: add it there, or write another one"
        )
    };
    unknown.into_iter().map(in_words).collect()
}

/// Returns what is wrong with pairs that are suggested: their row is not registered, or its text excludes the class
/// and the level is not `seen`. Each text names the line.
pub fn unsound(
    file: &DataFile,
    situations: &[Situation],
    registry: &Registry,
    annotations: &Annotations,
) -> Vec<String> {
    let mut wrong = Vec::new();
    for situation in situations {
        let mut report = |error: anyhow::Error| wrong.push(file.error(situation.line, &error).to_string());
        let Situation { id, .. } = situation;
        for codes in situation.all_codes() {
            if let Some((_, row)) = codes.enhanced
                && registry.status(row).is_none()
            {
                report(anyhow::anyhow!(
                    "{id}: the registry has no {row}: write a pair with another row than {codes}"
                ));
            }
        }
        for Suggestion { codes, level, .. } in situation.suggestions() {
            let Some((class, row)) = codes.enhanced else { continue };
            let is_allowed = annotations.rows.get(&row).is_none_or(|row| row.classes.contains(&class));
            if !is_allowed && *level != Level::Seen {
                report(anyhow::anyhow!(
                    "{id}: the text of {row} excludes class {class}: write another pair than {codes}, or level = \"seen\""
                ));
            }
        }
    }
    wrong
}
