//! `conformance/requirements.toml`: every requirement of the RFCs about mail transport, and what the suite does about it.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde::Deserialize;
use toml::Spanned;

use crate::data_file::DataFile;
use crate::file::{self, MAX_DATA};
use crate::statement::{Splitter, Statement, section_of};
use crate::suite::Suite;

/// The register, relative to the project's root.
pub const PATH: &str = "conformance/requirements.toml";
/// The maximum length, in characters, of what a row says.
const LONGEST: usize = 200;

/// The register of requirements.
#[derive(Debug)]
pub struct Register {
    file: DataFile,
    /// The RFCs, in the order of the file.
    pub documents: Vec<Document>,
    /// The reasons why something cannot be seen.
    pub reasons: Vec<Reason>,
    /// The rows, in the order of the file.
    pub requirements: Vec<Requirement>,
    lines: Vec<usize>,
}

/// An RFC.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The RFC's number.
    pub rfc: u32,
    /// What it is about, in a few words.
    pub title: String,
    /// Whether each of its statements has a row. Of the others, only what the suite judges does.
    #[serde(default)]
    pub complete: bool,
}

/// A reason why nobody at the other end of a connection can see whether a requirement is met.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// A slug.
    pub id: String,
    /// The reason, as a sentence.
    pub text: String,
}

/// A row of the register.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Requirement {
    /// The RFC, the section, and which statement of the section it is: `5321#4.1.1.4/3`. What has no requirement word
    /// is called `grammar`, `table` or `prose` instead.
    pub id: String,
    /// The hash of the statement. `None` for what has no requirement word.
    hash: Option<String>,
    /// The requirement words of the statement.
    #[serde(default)]
    words: Vec<String>,
    /// How strongly something without a requirement word binds.
    strength: Option<Strength>,
    /// Why it binds that strongly.
    pub strength_reason: Option<String>,
    /// Whom it binds.
    pub binds: Vec<Party>,
    /// What it asks of them, in this project's own words.
    pub asks: String,
    #[serde(default)]
    rules: Vec<String>,
    /// The cases that provoke it, if not all cases that name its rules do.
    cases: Option<Vec<String>>,
    unseen: Option<String>,
    same_as: Option<String>,
    not_yet: Option<String>,
    /// What a reader has to know about the answer.
    pub note: Option<String>,
    /// What the successor of RFC 5321 will change.
    pub bis: Option<String>,
}

/// How strongly a requirement binds.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "UPPERCASE")]
pub enum Strength {
    /// It permits something.
    May,
    /// It demands something that there may be good reasons not to do.
    Should,
    /// It demands something.
    Must,
}

impl Strength {
    /// Returns the word of RFC 2119.
    pub fn word(self) -> &'static str {
        match self {
            Strength::May => "MAY",
            Strength::Should => "SHOULD",
            Strength::Must => "MUST",
        }
    }

    /// Returns the strength of a requirement word, if it is one.
    fn of(word: &str) -> Option<Strength> {
        match word.to_uppercase().as_str() {
            "MUST" | "MUST NOT" | "SHALL" | "SHALL NOT" | "REQUIRED" => Some(Strength::Must),
            "SHOULD" | "SHOULD NOT" | "RECOMMENDED" => Some(Strength::Should),
            "MAY" | "MAY NOT" | "OPTIONAL" => Some(Strength::May),
            _ => None,
        }
    }
}

/// Whom a requirement binds.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum Party {
    /// The server of a connection.
    Server,
    /// The client of a connection.
    Client,
    /// Whoever writes a message or a report.
    Message,
    /// The people who run a site.
    Operator,
    /// IANA, or the authors of an extension.
    Registry,
}

/// What the suite does about a requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<'r> {
    /// These rules judge it, and these cases provoke it.
    Judged {
        /// The ids of the rules.
        rules: &'r [String],
        /// The ids of the cases; none if the suite only judges what it happens to see.
        cases: BTreeSet<&'r str>,
    },
    /// Nobody can see it, for the reason with this id.
    Unseen(&'r str),
    /// It is permitted, and not judged yet. This is what a test would do.
    NotYet(&'r str),
}

impl Requirement {
    /// Returns the number of the RFC.
    pub fn rfc(&self) -> u32 {
        let number = self.id.split('#').next().unwrap_or_default();
        number.parse().unwrap_or_default()
    }

    /// Returns the section: `4.1.1.4`.
    pub fn section(&self) -> &str {
        section_of(&self.id)
    }

    /// Returns how strongly it binds: the strongest of its words.
    pub fn strength(&self) -> Strength {
        let words = self.words.iter().filter_map(|word| Strength::of(word));
        words.max().or(self.strength).unwrap_or(Strength::May)
    }

    /// Returns whether it binds a party.
    pub fn binds(&self, party: Party) -> bool {
        self.binds.contains(&party)
    }

    /// Returns the id of the row that asks the same and has the answer.
    pub fn same_as(&self) -> Option<&str> {
        self.same_as.as_deref()
    }
}

impl Register {
    /// Reads the register below a project's root.
    pub fn load(root: &Path) -> Result<Register> {
        Register::read(DataFile::read(&root.join(PATH))?)
    }

    /// Parses a register, and checks the form of its rows.
    pub fn read(file: DataFile) -> Result<Register> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            document: Vec<Document>,
            reason: Vec<Reason>,
            requirement: Vec<Spanned<Requirement>>,
        }
        let File { document: documents, reason: reasons, requirement: rows } = file.parse()?;
        let lines = rows.iter().map(|row| file.line(row.span().start)).collect();
        let requirements = rows.into_iter().map(Spanned::into_inner).collect();
        let register = Register { file, documents, reasons, requirements, lines };
        register.check_rows()?;
        Ok(register)
    }

    /// Returns what the suite does about a requirement.
    pub fn answer<'r>(&'r self, requirement: &'r Requirement, suite: &'r Suite) -> Answer<'r> {
        let original = requirement.same_as().and_then(|id| self.find(id));
        let row = original.unwrap_or(requirement);
        if let Some(reason) = &row.unseen {
            return Answer::Unseen(reason);
        }
        if let Some(test) = &row.not_yet {
            return Answer::NotYet(test);
        }
        let cases = match &row.cases {
            Some(cases) => cases.iter().map(String::as_str).collect(),
            None => row.rules.iter().flat_map(|rule| suite.cases_of(rule)).collect(),
        };
        Answer::Judged { rules: &row.rules, cases }
    }

    fn find(&self, id: &str) -> Option<&Requirement> {
        self.requirements.iter().find(|row| row.id == id)
    }

    fn rows(&self) -> impl Iterator<Item = (usize, &Requirement)> {
        self.lines.iter().copied().zip(&self.requirements)
    }

    fn check_rows(&self) -> Result<()> {
        let mut seen = HashMap::new();
        for (line, row) in self.rows() {
            let fail = |error| self.file.error(line, &error);
            row.check().map_err(fail)?;
            if let Some(first) = seen.insert(row.id.as_str(), line) {
                return Err(fail(anyhow!("{} is on line {first} already: remove one of them", row.id)));
            }
            if !self.documents.iter().any(|document| document.rfc == row.rfc()) {
                return Err(fail(anyhow!("{}: add a [[document]] with rfc = {}", row.id, row.rfc())));
            }
            if let Some(reason) = &row.unseen
                && !self.reasons.iter().any(|known| known.id == *reason)
            {
                let known: Vec<&str> = self.reasons.iter().map(|known| known.id.as_str()).collect();
                let known = known.join(", ");
                return Err(fail(anyhow!("unseen = {reason:?}: write the id of a [[reason]]: {known}")));
            }
        }
        for (line, row) in self.rows() {
            let Some(id) = row.same_as() else { continue };
            let fail = |error| self.file.error(line, &error);
            let Some(original) = self.find(id) else {
                return Err(fail(anyhow!("same-as = {id:?}: write the id of another row")));
            };
            if let Some(further) = original.same_as() {
                return Err(fail(anyhow!(
                    "same-as = {id:?}: that row refers to another: write same-as = {further:?}"
                )));
            }
        }
        Ok(())
    }

    /// Checks that rules and cases exist, that each case provokes a rule of its row, and that every rule that an RFC
    /// demands has a row.
    pub fn check_suite(&self, suite: &Suite) -> Result<()> {
        let judged: BTreeSet<&str> =
            suite.rules.iter().filter(|rule| rule.is_judged()).map(|rule| rule.id.as_str()).collect();
        for (line, row) in self.rows() {
            let fail = |error| self.file.error(line, &error);
            for rule in &row.rules {
                if !judged.contains(rule.as_str()) {
                    return Err(fail(anyhow!(
                        "rules = [{rule:?}]: no such rule is judged; `smtp-conformance rules` lists the rules"
                    )));
                }
            }
            for case in row.cases.iter().flatten() {
                let Some(rules) = suite.cases.get(case) else {
                    return Err(fail(anyhow!("cases = [{case:?}]: there is no such case")));
                };
                if !row.rules.iter().any(|rule| rules.contains(rule)) {
                    return Err(fail(anyhow!(
                        "cases = [{case:?}]: the case names none of the row's rules; add the rule to the case, or remove \
                         the case from the row"
                    )));
                }
            }
        }
        let cited: BTreeSet<&String> = self.requirements.iter().flat_map(|row| &row.rules).collect();
        for rule in suite.rules.iter().filter(|rule| rule.is_judged() && rule.has_source()) {
            ensure!(
                cited.contains(&rule.id),
                "{}: no row cites the rule {}; add it to the rules of the requirement that it judges",
                self.file.path().display(),
                rule.id
            );
        }
        Ok(())
    }

    /// Compares the rows with the RFCs' plain texts, which are in a folder as `rfc5321.txt`. Returns the number of
    /// statements.
    pub fn check_texts(&self, folder: &Path) -> Result<usize> {
        let splitter = Splitter::new()?;
        let mut count = 0;
        for document in self.documents.iter().filter(|document| document.complete) {
            let path = path_of(folder, document.rfc);
            let statements = splitter.statements(document.rfc, &text_of(&path)?);
            self.check_document(document.rfc, &statements)?;
            count += statements.len();
        }
        Ok(count)
    }

    /// A row keeps its identifier for as long as its section has a statement with its hash, whatever its number is now.
    fn check_document(&self, rfc: u32, statements: &[Statement]) -> Result<()> {
        let mut unmatched: Vec<&Statement> = statements.iter().collect();
        for (line, row) in self.rows().filter(|(_, row)| row.rfc() == rfc) {
            let Some(hash) = &row.hash else { continue };
            let fail = |error| self.file.error(line, &error);
            let found = unmatched
                .iter()
                .position(|statement| statement.section() == row.section() && statement.hash() == *hash);
            let Some(position) = found else {
                let there = statements.iter().find(|statement| statement.id == row.id);
                let problem = match there {
                    Some(statement) => format!(
                        "{}: the text has another sentence there; read it, and write hash = {:?} if the row is still true: {}",
                        row.id,
                        statement.hash(),
                        statement.sentence
                    ),
                    None => {
                        format!("{}: section {} has no such statement; remove the row", row.id, row.section())
                    }
                };
                return Err(fail(anyhow!(problem)));
            };
            let statement = unmatched.remove(position);
            if statement.words != row.words {
                return Err(fail(anyhow!("{}: write words = {:?}", row.id, statement.words)));
            }
        }
        if let Some(statement) = unmatched.first() {
            bail!(
                "{}: a statement has no row; add one with id = {:?}, hash = {:?} and words = {:?}: {}",
                self.file.path().display(),
                self.free_id(rfc, statement.section()),
                statement.hash(),
                statement.words,
                statement.sentence
            );
        }
        Ok(())
    }
}

impl Register {
    /// Returns the first identifier after those that the statements of a section have.
    fn free_id(&self, rfc: u32, section: &str) -> String {
        let taken = self.requirements.iter().filter(|row| row.rfc() == rfc && row.section() == section);
        let numbers = taken.filter_map(|row| row.id.rsplit('/').next()?.parse::<usize>().ok());
        format!("{rfc}#{section}/{}", numbers.max().unwrap_or_default() + 1)
    }
}

impl Requirement {
    fn check(&self) -> Result<()> {
        let id = &self.id;
        let which = id.split_once('/').map_or("", |(_, which)| which);
        let is_statement = !which.is_empty() && which.bytes().all(|octet| octet.is_ascii_digit());
        let kind = which.split('-').next().unwrap_or_default();
        ensure!(
            self.rfc() > 0 && (is_statement || matches!(kind, "grammar" | "table" | "prose")),
            "id = {id:?}: write it as 5321#4.1.1.4/3, or with grammar, table or prose for the number"
        );
        if is_statement {
            ensure!(
                self.hash.is_some() && !self.words.is_empty() && self.strength.is_none(),
                "{id}: a statement has a hash and words, and no strength of its own"
            );
        } else {
            ensure!(
                self.hash.is_none() && self.words.is_empty(),
                "{id}: what has no requirement word has neither hash nor words"
            );
            ensure!(
                self.strength.is_some() && self.strength_reason.is_some(),
                "{id}: add strength = \"MUST\", \"SHOULD\" or \"MAY\", and strength-reason = \"...\""
            );
        }
        if let Some(word) = self.words.iter().find(|word| Strength::of(word).is_none()) {
            bail!("{id}: {word:?} is not a requirement word");
        }
        ensure!(!self.binds.is_empty(), "{id}: binds says whom: write binds = [\"server\"], for example");
        let length = self.asks.chars().count();
        ensure!((1..=LONGEST).contains(&length), "{id}: asks has {length} characters; write 1 to {LONGEST}");
        let answers = [&self.unseen, &self.same_as, &self.not_yet];
        let count = answers.iter().filter(|answer| answer.is_some()).count();
        ensure!(
            count + usize::from(!self.rules.is_empty()) == 1,
            "{id}: write exactly one of rules, unseen, same-as and not-yet"
        );
        ensure!(self.cases.is_none() || !self.rules.is_empty(), "{id}: cases need rules that judge them");
        let is_may = self.strength() == Strength::May;
        ensure!(
            self.not_yet.is_none() || is_may,
            "{id}: not-yet is for MAY only: add a rule for what is {}, or write unseen and the reason",
            self.strength().word()
        );
        Ok(())
    }
}

/// Returns the path of an RFC's plain text.
pub fn path_of(folder: &Path, rfc: u32) -> PathBuf {
    folder.join(format!("rfc{rfc}.txt"))
}

/// Reads an RFC's plain text. Octets that are not UTF-8 are replaced.
pub fn text_of(path: &Path) -> Result<String> {
    let octets = file::read(path, MAX_DATA).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(String::from_utf8_lossy(&octets).into_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{Answer, Register};
    use crate::data_file::DataFile;
    use crate::suite::Suite;

    const HEAD: &str = "\
[[document]]
rfc = 9999
title = \"cats\"
complete = true

[[reason]]
id = \"inside\"
text = \"It happens inside.\"

";
    /// The row of the statement in [`TEXT`].
    const ROW: &str = "\
[[requirement]]
id = \"9999#1/1\"
hash = \"4d5f134ce7611507\"
words = [\"MUST\"]
binds = [\"server\"]
asks = \"Purrs.\"
rules = [\"cat-purrs\"]
";
    const TEXT: &str = "1. Cats\n\n   A cat MUST purr.\n";

    fn read(text: &str) -> anyhow::Result<Register> {
        Register::read(DataFile::new(Path::new("r.toml"), text))
    }

    /// Returns a suite with a rule and a case that names it, below a folder.
    fn suite(folder: &Path) -> Suite {
        let cases = folder.join("conformance/cases");
        fs::create_dir_all(&cases).unwrap();
        let rules = "[[rule]]\nid = \"cat-purrs\"\nkeyword = \"MUST\"\nkind = \"reply\"\n\
                     [[rule]]\nid = \"cat-sleeps\"\nkeyword = \"MAY\"\nkind = \"none\"\n";
        fs::write(folder.join("conformance/rules.toml"), rules).unwrap();
        let text = "[[case]]\nid = \"pet\"\nrules = [\"cat-purrs\"]\n[[case]]\nid = \"feed\"\n";
        fs::write(cases.join("cats.toml"), text).unwrap();
        Suite::load(folder).unwrap()
    }

    #[test]
    fn a_row_is_answered_by_rules_and_cases() {
        let folder = tempfile::tempdir().unwrap();
        let suite = suite(folder.path());
        let same = "[[requirement]]\nid = \"9999#2/prose\"\nstrength = \"SHOULD\"\nstrength-reason = \"It says so.\"\n\
                    binds = [\"client\"]\nasks = \"Purrs.\"\nsame-as = \"9999#1/1\"\n";
        let register = read(&format!("{HEAD}{ROW}{same}")).unwrap();
        register.check_suite(&suite).unwrap();
        for row in &register.requirements {
            let Answer::Judged { rules, cases } = register.answer(row, &suite) else { panic!("{row:?}") };
            assert_eq!((rules, cases), (&["cat-purrs".to_owned()][..], ["pet"].into()));
        }
    }

    #[test]
    fn errors_name_the_line_and_what_to_write() {
        for (from, to, error) in [
            ("9999#1/1", "9999#1", "r.toml:10: id = \"9999#1\": write it as 5321#4.1.1.4/3"),
            ("9999#1/1", "9998#1/1", "add a [[document]] with rfc = 9998"),
            ("hash = \"4d5f134ce7611507\"\n", "", "a statement has a hash and words"),
            ("words = [\"MUST\"]", "words = [\"MIGHT\"]", "\"MIGHT\" is not a requirement word"),
            ("binds = [\"server\"]", "binds = []", "write binds = [\"server\"]"),
            ("asks = \"Purrs.\"", "asks = \"\"", "asks has 0 characters; write 1 to 200"),
            ("rules = [\"cat-purrs\"]", "", "write exactly one of rules, unseen, same-as and not-yet"),
            ("rules = [\"cat-purrs\"]", "not-yet = \"Pet it.\"", "add a rule for what is MUST"),
            ("rules = [\"cat-purrs\"]", "unseen = \"outside\"", "write the id of a [[reason]]: inside"),
            ("rules = [\"cat-purrs\"]", "same-as = \"9999#3/1\"", "write the id of another row"),
        ] {
            let found = read(&format!("{HEAD}{}", ROW.replace(from, to))).unwrap_err().to_string();
            assert!(found.contains(error), "{to}: {found}");
        }
        let twice = read(&format!("{HEAD}{ROW}{ROW}")).unwrap_err().to_string();
        assert!(twice.contains("9999#1/1 is on line 10 already"), "{twice}");
    }

    #[test]
    fn rules_and_cases_have_to_exist_and_fit() {
        let folder = tempfile::tempdir().unwrap();
        let suite = suite(folder.path());
        for (to, error) in [
            ("rules = [\"cat-sleeps\"]", "rules = [\"cat-sleeps\"]: no such rule is judged"),
            ("rules = [\"cat-purrs\"]\ncases = [\"play\"]", "there is no such case"),
            ("rules = [\"cat-purrs\"]\ncases = [\"feed\"]", "the case names none of the row's rules"),
            ("unseen = \"inside\"", "no row cites the rule cat-purrs"),
        ] {
            let register = read(&format!("{HEAD}{}", ROW.replace("rules = [\"cat-purrs\"]", to))).unwrap();
            let found = register.check_suite(&suite).unwrap_err().to_string();
            assert!(found.contains(error), "{to}: {found}");
        }
    }

    #[test]
    fn the_texts_have_to_agree() {
        let folder = tempfile::tempdir().unwrap();
        let check = |row: &str, text: &str| {
            fs::write(folder.path().join("rfc9999.txt"), text).unwrap();
            read(&format!("{HEAD}{row}"))
                .unwrap()
                .check_texts(folder.path())
                .map_err(|error| error.to_string())
        };
        assert_eq!(check(ROW, TEXT), Ok(1));
        // The identifier stays with its sentence.
        let more = TEXT.replace("A cat", "A dog MUST bark.  A cat");
        let missing = check(ROW, &more).unwrap_err();
        assert!(
            missing.contains("add one with id = \"9999#1/2\", hash = ") && missing.contains("bark"),
            "{missing}"
        );
        let changed = check(ROW, &TEXT.replace("purr", "purr loudly")).unwrap_err();
        assert!(changed.contains("the text has another sentence there"), "{changed}");
        let words = check(&ROW.replace("[\"MUST\"]", "[\"SHOULD\"]"), TEXT).unwrap_err();
        assert!(words.contains("write words = [\"MUST\"]"), "{words}");
        let gone = check(ROW, "1. Cats\n\n   A cat purrs.\n").unwrap_err();
        assert!(gone.contains("section 1 has no such statement; remove the row"), "{gone}");
    }
}
