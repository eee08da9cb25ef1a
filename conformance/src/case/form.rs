//! Reads files of cases and refuses cases that are invalid.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, anyhow, bail};
use serde::Deserialize;
use toml::Spanned;

use super::definition::{Action, Case, Expectation, Need, Safety, Start, Step, fits};
use super::placeholder::{Piece, Placeholder, pieces};
use crate::data_file::{self, did_you_mean, line_of};
use crate::limits::STEP_OCTETS;
use crate::rules::catalogue::RuleId;

/// The maximum number of repetitions of a step.
const REPEATS: usize = 1100;

/// Reads a file of cases.
///
/// # Errors
///
/// Returns an error with the file, the line and what to write instead, if a case is invalid.
pub fn read(name: &str, text: &str) -> Result<Vec<Case>> {
    let file: File = data_file::parse(name, text)?;
    let case = |raw: RawCase| {
        let line = line_of(text.as_bytes(), raw.id.span().start);
        let place = format!("{name}:{line}");
        raw.check(&place).with_context(|| place)
    };
    file.case.into_iter().map(case).collect()
}

/// Checks cases against each other.
///
/// # Errors
///
/// Returns an error if two cases have the same id, or if `after` names an unknown case, a case whose kind of safety
/// runs later, or, through other cases, the case itself.
pub(crate) fn check(cases: &[Case]) -> Result<()> {
    let mut ids = BTreeMap::new();
    for case in cases {
        if let Some(other) = ids.insert(case.id.as_str(), case) {
            let Case { place, id, .. } = case;
            bail!("{place}: duplicate id {id:?}, first used at {}: write another", other.place);
        }
    }
    for case in cases {
        let Case { place, safety, .. } = case;
        for id in &case.after {
            let Some(other) = ids.get(id.as_str()) else {
                let meant = did_you_mean(id, ids.keys().copied());
                bail!("{place}: after: unknown case {id:?}{meant}");
            };
            if other.safety > *safety {
                bail!(
                    "{place}: after: {id:?} has safety = \"{}\", and {safety} cases run earlier: write safety = \"{}\"",
                    other.safety,
                    other.safety
                );
            }
        }
        if comes_after_itself(case, &ids) {
            bail!("{place}: after: the case depends on itself: break the cycle");
        }
    }
    Ok(())
}

fn comes_after_itself(case: &Case, cases: &BTreeMap<&str, &Case>) -> bool {
    let mut seen = BTreeSet::new();
    let mut before: Vec<&str> = case.after.iter().map(String::as_str).collect();
    while let Some(id) = before.pop() {
        if seen.insert(id) {
            before.extend(cases.get(id).iter().flat_map(|case| &case.after).map(String::as_str));
        }
    }
    seen.contains(case.id.as_str())
}

/// Returns whether the text is a reply code or a class such as `2yz`.
fn is_pattern(text: &str) -> bool {
    text.len() == 3
        && text.starts_with(|first: char| first.is_ascii_digit())
        && (200..600).any(|number| fits(number, text))
}

/// Returns whether the text is a pattern of replies, or says that there is none.
fn is_expected(text: &str) -> bool {
    is_pattern(text) || matches!(text, "none" | "closed")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    case: Vec<RawCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCase {
    id: Spanned<String>,
    title: String,
    #[serde(default)]
    situations: Vec<String>,
    safety: Safety,
    #[serde(default)]
    needs: Vec<String>,
    #[serde(default)]
    after: Vec<String>,
    #[serde(default)]
    start: Start,
    #[serde(default)]
    opening: bool,
    rules: Vec<String>,
    steps: Vec<RawStep>,
    #[serde(default)]
    outcomes: Vec<Expectation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawStep {
    send: Option<String>,
    raw: Option<String>,
    replies: Option<usize>,
    pipeline: Option<Vec<String>>,
    message: Option<String>,
    #[serde(default)]
    then: Vec<String>,
    raw_message: Option<String>,
    response: Option<String>,
    chunk: Option<String>,
    last: Option<bool>,
    starttls: Option<bool>,
    pause: Option<f64>,
    listen: Option<f64>,
    repeat: Option<usize>,
    #[serde(rename = "while")]
    while_reply: Option<String>,
    #[serde(rename = "if")]
    only_after: Option<String>,
    #[serde(default)]
    expect: Vec<String>,
    quiet: Option<f64>,
    early: Option<usize>,
}

impl RawCase {
    fn check(self, place: &str) -> Result<Case> {
        let id = self.id.into_inner();
        if id.is_empty() || !id.bytes().all(|octet| matches!(octet, b'a'..=b'z' | b'0'..=b'9' | b'-')) {
            bail!("id {id:?}: write lower case letters, digits and hyphens");
        }
        let rule = |name: &String| RuleId::find(name).ok_or_else(|| anyhow!(RuleId::unknown(name)));
        if self.steps.is_empty() {
            bail!("steps is empty: write what the client does, for example steps = [{{ send = \"NOOP\" }}]");
        }
        for outcome in &self.outcomes {
            if !is_expected(&outcome.reply) {
                bail!(
                    "reply {:?}: write a reply code, a class such as `2yz`, `none` or `closed`",
                    outcome.reply
                );
            }
            if outcome.step.is_some_and(|step| !(1..=self.steps.len()).contains(&step)) {
                bail!("step of an outcome: write 1 to {}, or leave it out for any step", self.steps.len());
            }
        }
        let steps = self.steps.into_iter().map(RawStep::check).collect::<Result<Vec<_>>>()?;
        check_early(&steps)?;
        let mut needs = self.needs.iter().map(|need| Need::read(need)).collect::<Result<Vec<_>>>()?;
        for text in steps.iter().flat_map(|step| step.action.texts()) {
            for piece in pieces(text)? {
                let Piece::Placeholder(placeholder) = piece else { continue };
                if let Some(need) = Need::of(placeholder)
                    && !needs.contains(&need)
                {
                    needs.push(need);
                }
            }
        }
        Ok(Case {
            place: place.to_owned(),
            title: self.title,
            situations: self.situations,
            safety: self.safety,
            needs,
            after: self.after,
            start: self.start,
            opening: self.opening,
            rules: self.rules.iter().map(rule).collect::<Result<_>>()?,
            steps,
            outcomes: self.outcomes,
            id,
        })
    }
}

impl RawStep {
    fn check(self) -> Result<Step> {
        let actions: Vec<Action> = [
            self.send.map(Action::Send),
            self.raw.map(|octets| Action::Raw(octets, self.replies.unwrap_or(1))),
            self.pipeline.map(Action::Pipeline),
            self.message.map(|text| match self.then.as_slice() {
                [] => Action::Message(text),
                lines => Action::MessageThen([&[text], lines].concat()),
            }),
            self.raw_message.map(Action::RawMessage),
            self.response.map(Action::Response),
            self.chunk.map(|octets| Action::Chunk(octets, self.last.unwrap_or(false))),
            self.starttls.map(|_| Action::StartTls),
            self.pause.map(Action::Pause),
            self.listen.map(Action::Listen),
        ]
        .into_iter()
        .flatten()
        .collect();
        let Ok([action]) = <[Action; 1]>::try_from(actions) else {
            bail!(
                "write exactly one of send, raw, pipeline, message, raw-message, response, chunk, starttls, pause, \
                 listen in a step"
            );
        };
        if let Action::Pause(seconds) | Action::Listen(seconds) = action
            && !(0.0..=30.0).contains(&seconds)
        {
            bail!("pause and listen: write 0 to 30 seconds");
        }
        check_texts(&action)?;
        check_length(&action)?;
        for (key, is_there, owner, is_owner) in [
            ("then", !self.then.is_empty(), "message", matches!(action, Action::MessageThen(_))),
            ("early", self.early.is_some(), "send", matches!(action, Action::Send(_))),
            ("replies", self.replies.is_some(), "raw", matches!(action, Action::Raw(..))),
            ("last", self.last.is_some(), "chunk", matches!(action, Action::Chunk(..))),
            (
                "quiet",
                self.quiet.is_some(),
                "raw or raw-message",
                matches!(action, Action::Raw(..) | Action::RawMessage(_)),
            ),
            ("expect", !self.expect.is_empty(), "something that is sent", action.is_answered()),
            ("while", self.while_reply.is_some(), "repeat", self.repeat.is_some()),
        ] {
            if is_there && !is_owner {
                bail!("{key} needs {owner}: add {owner}, or leave {key} out");
            }
        }
        if self.quiet.is_some_and(|seconds| !(0.0..=30.0).contains(&seconds)) {
            bail!("quiet: write 0 to 30 seconds");
        }
        if self.quiet.is_some() && self.replies.is_some() {
            bail!("quiet means that no reply is due: leave replies out");
        }
        if let Some(pattern) = self.expect.iter().find(|pattern| !is_expected(pattern)) {
            bail!("expect {pattern:?}: write a reply code, a class such as `2yz`, `none` or `closed`");
        }
        if self.starttls == Some(false) {
            bail!("starttls = false: write starttls = true, or leave it out");
        }
        let repeat = self.repeat.unwrap_or(1);
        if repeat == 0 || repeat > REPEATS {
            bail!("repeat: write 1 to {REPEATS}");
        }
        for pattern in self.only_after.iter().chain(&self.while_reply) {
            if !is_pattern(pattern) {
                bail!("{pattern:?}: write a reply code or a class such as `2yz`");
            }
        }
        let takes_credentials = takes_credentials(&action)?;
        Ok(Step {
            action,
            repeat,
            while_reply: self.while_reply,
            only_after: self.only_after,
            expect: self.expect,
            quiet: self.quiet,
            early: self.early.unwrap_or_default(),
            takes_credentials,
        })
    }
}

fn takes_credentials(action: &Action) -> Result<bool> {
    for text in action.texts() {
        for piece in pieces(text)? {
            if matches!(piece, Piece::Placeholder(placeholder) if Need::of(placeholder) == Some(Need::Credentials))
            {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Refuses texts that are not what the kind of step says, because replies would then be matched to the wrong acts.
fn check_texts(action: &Action) -> Result<()> {
    match action {
        Action::Send(line) if !is_line(line)? => {
            bail!("send: write one line without its end, or use raw with replies, or pipeline")
        }
        Action::Response(line) if !is_line(line)? => bail!("response: write one line without its end"),
        Action::Pipeline(lines) => {
            let lines = lines.iter().map(|line| is_line(line)).collect::<Result<Vec<_>>>()?;
            if lines.is_empty() || lines.contains(&false) {
                bail!("pipeline: write at least one line, each without its end");
            }
            Ok(())
        }
        Action::MessageThen(texts) => {
            let (message, lines) = texts.split_at(1);
            message.iter().try_for_each(|text| check_texts(&Action::Message(text.clone())))?;
            for line in lines {
                if !is_line(line)? {
                    bail!("then: write lines without their ends");
                }
            }
            Ok(())
        }
        Action::Raw(_, replies) if !(1..=REPEATS).contains(replies) => bail!("replies: write 1 to {REPEATS}"),
        Action::Message(text) if !text.is_empty() && !text.ends_with("\r\n") && !ends_with_lines(text)? => {
            bail!("message: end the text with \\r\\n, to which the final dot is added, or use raw-message")
        }
        _ => Ok(()),
    }
}

/// Refuses a step whose first octets cannot be sent with those of the step before. They are the same for every target and
/// repetition.
fn check_early(steps: &[Step]) -> Result<()> {
    for (index, step) in steps.iter().enumerate().filter(|(_, step)| step.early > 0) {
        let Some(before) = index.checked_sub(1).and_then(|before| steps.get(before)) else {
            bail!("early needs a step before, with which the octets are sent: add one, or leave early out");
        };
        if !before.action.is_command() || before.repeat > 1 || step.repeat > 1 || step.is_guarded() {
            bail!(
                "early: write it after a step with send or pipeline, both steps without repeat, and without if"
            );
        }
        let text = step.action.texts().first().map_or("", String::as_str);
        let plain = text.find(['{', '}']).unwrap_or(text.len());
        if !text.is_ascii() || step.early > plain {
            bail!("early: write at most {plain}, the octets of the line before its end or its first brace");
        }
    }
    Ok(())
}

/// Refuses a step that would send more than [`STEP_OCTETS`].
fn check_length(action: &Action) -> Result<()> {
    let mut octets = 0usize;
    for text in action.texts() {
        for piece in pieces(text)? {
            octets = octets.saturating_add(match piece {
                Piece::Text(text) => text.len(),
                Piece::Placeholder(Placeholder::Filler { count, text, end }) => {
                    count * (text.len() + end.len())
                }
                Piece::Placeholder(_) => 0,
            });
        }
    }
    if octets > STEP_OCTETS {
        bail!("the step would send {octets} octets; a step may send at most {STEP_OCTETS}");
    }
    Ok(())
}

/// Returns whether a text is one line without its end.
fn is_line(text: &str) -> Result<bool> {
    let breaks = |piece: &Piece<'_>| match piece {
        Piece::Text(text) => text.contains(['\r', '\n']),
        Piece::Placeholder(Placeholder::Filler { text, end, .. }) => {
            !end.is_empty() || text.contains(['\r', '\n'])
        }
        Piece::Placeholder(_) => false,
    };
    Ok(!pieces(text)?.iter().any(breaks))
}

fn ends_with_lines(text: &str) -> Result<bool> {
    let pieces = pieces(text)?;
    let last = pieces.iter().rfind(|piece| **piece != Piece::Text(""));
    Ok(matches!(last, Some(Piece::Placeholder(Placeholder::Filler { count: 1.., end: "\r\n", .. }))))
}

#[cfg(test)]
mod tests {
    use super::{Need, check, read};
    use crate::case::built_in;

    #[test]
    fn built_in_cases_are_valid() {
        let cases = built_in().unwrap_or_else(|error| panic!("{error:#}"));
        assert!(cases.iter().any(|case| case.id == "canary"));
    }

    #[test]
    fn examples_in_the_documentation_are_valid() {
        for text in [include_str!("../../cases/README.md")] {
            let blocks = text.split("```toml\n").skip(1).filter_map(|block| block.split("```").next());
            let mut cases = blocks.filter(|block| block.contains("[[case]]")).peekable();
            assert!(cases.peek().is_some());
            for block in cases {
                read("README.md", block).unwrap_or_else(|error| panic!("{error:#}"));
            }
        }
    }

    #[test]
    fn placeholders_add_needs() {
        let text = "[[case]]\nid = \"a\"\ntitle = \"\"\nsafety = \"safe\"\nneeds = [\"known:valid\"]\nrules = []\n\
                    steps = [{ send = \"RCPT TO:<{valid}>\" }, { send = \"MAIL FROM:<{full}> SIZE={size+1}\" }]\n";
        let cases = read("x.toml", text).expect("the cases are valid");
        let known = |name: &str| Need::Known(name.to_owned());
        assert_eq!(cases[0].needs, [known("valid"), known("full"), Need::SizeLimit]);
    }

    #[test]
    fn after_is_checked() {
        let case = |id: &str, safety: &str, after: &str| {
            format!(
                "[[case]]\nid = \"{id}\"\ntitle = \"\"\nsituations = []\nsafety = \"{safety}\"\n\
                 after = [{after}]\nrules = []\nsteps = [{{ send = \"NOOP\" }}]\n"
            )
        };
        let checked =
            |cases: &[String]| check(&read("x.toml", &cases.concat()).expect("the cases are valid"));
        let refused = |cases: &[String]| checked(cases).expect_err("it is refused").to_string();
        assert!(checked(&[case("a", "safe", ""), case("b", "auth", "\"a\"")]).is_ok());
        assert_eq!(
            refused(&[case("first", "safe", ""), case("b", "safe", "\"firts\"")]),
            "x.toml:10: after: unknown case \"firts\" (did you mean first?)"
        );
        assert_eq!(
            refused(&[case("a", "safe", "\"b\""), case("b", "auth", "")]),
            "x.toml:2: after: \"b\" has safety = \"auth\", and safe cases run earlier: write safety = \"auth\""
        );
        let cycle = [case("a", "safe", "\"b\""), case("b", "safe", "\"c\""), case("c", "safe", "\"a\"")];
        assert!(refused(&cycle).starts_with("x.toml:2: after: the case depends on itself"));
        assert_eq!(
            refused(&[case("a", "safe", ""), case("a", "safe", "")]),
            "x.toml:10: duplicate id \"a\", first used at x.toml:2: write another"
        );
    }

    #[test]
    fn an_invalid_case_is_refused_with_its_line() {
        let refused = |text: &str| format!("{:#}", read("x.toml", text).expect_err("it is refused"));
        let case = |rest: &str| {
            format!(
                "\n[[case]]\nid = \"a\"\ntitle = \"A\"\nsituations = []\nsafety = \"safe\"\nrules = []\n{rest}\n"
            )
        };
        let steps = "steps = [{ send = \"NOOP\" }]";
        assert!(refused(&case(&format!("colour = 1\n{steps}"))).starts_with("x.toml:8: unknown field"));
        let luck = refused(&case(&format!("needs = [\"luck\"]\n{steps}")));
        assert!(luck.starts_with("x.toml:3: unknown need \"luck\"; write smtp,"), "{luck}");
        assert!(refused(&case("steps = []")).starts_with("x.toml:3: steps is empty"));
        for (step, message) in [
            ("send = \"NOOP\\r\\nRSET\"", "send: write one line"),
            ("send = \"{lines:2:a}\"", "send: write one line"),
            ("response = \"a\\n\"", "response: write one line"),
            ("pipeline = []", "pipeline: write at least one line"),
            ("pipeline = [\"NOOP\\r\\n\"]", "pipeline: write at least one line"),
            ("raw = \"a\", replies = 0", "replies: write 1 to"),
            ("message = \"a: b\\r\\n\\r\\nc\"", "message: end the text with"),
            ("send = \"A\", replies = 2", "replies needs raw"),
            ("send = \"A\", last = true", "last needs chunk"),
            ("send = \"A\", while = \"2yz\"", "while needs repeat"),
            ("send = \"A\", if = \"closed\"", "write a reply code or a class"),
            ("send = \"A\", if = \"0250\"", "write a reply code or a class"),
            ("starttls = false", "starttls = false: write"),
            ("send = \"A\", then = [\"B\"]", "then needs message"),
            ("message = \"\", then = [\"B\\r\\n\"]", "then: write lines without their ends"),
            ("message = \"A\", then = [\"B\"]", "message: end the text with"),
            ("pipeline = [\"NOOP\"], early = 1", "early needs send"),
            ("send = \"NOOP\", early = 1", "early needs a step before"),
        ] {
            let error = refused(&case(&format!("steps = [{{ {step} }}]")));
            assert!(error.starts_with("x.toml:3: ") && error.contains(message), "{step}: {error}");
        }
        let long = refused(&case(&format!("steps = [{{ send = \"{}\" }}]", "{pad:1048576}".repeat(17))));
        assert!(long.contains("a step may send at most 16777216"), "{long}");
        let braces = case("steps = [{ send = \"NOOP {{lines:2:a}}\" }, { message = \"{lines:2:a}\" }]");
        assert!(read("x.toml", &braces).is_ok());
        let early = |before: &str, step: &str| {
            refused(&case(&format!("steps = [{{ {before} }}, {{ send = \"{step} }}]")))
        };
        assert!(
            early("raw = \"A\"", "NOOP\", early = 1")
                .contains("early: write it after a step with send or pipeline")
        );
        assert!(early("send = \"A\", repeat = 2", "NOOP\", early = 1").contains("both steps without repeat"));
        assert!(early("send = \"A\"", "NOOP\", if = \"2yz\", early = 1").contains("and without if"));
        assert!(early("send = \"A\"", "NOOP\", early = 5").contains("early: write at most 4,"));
        assert!(early("send = \"A\"", "MAIL {me}\", early = 6").contains("early: write at most 5,"));
        let outcome = |outcome: &str| {
            refused(&case(&format!("{steps}\noutcomes = [{{ {outcome}, is = \"blocked\" }}]")))
        };
        assert!(outcome("step = 2, reply = \"2yz\"").contains("step of an outcome: write 1 to 1"));
        assert!(outcome("reply = \"+2yz\"").contains("write a reply code, a class such as `2yz`, `none`"));
        let unknown = refused(&case("steps = [{ pipeline = [\"NOOP\", \"RCPT TO:<{vaild}>\"] }]"));
        assert!(unknown.contains("unknown placeholder {vaild}"), "{unknown}");
        assert!(
            refused(&case("steps = [{ send = \"A\", pause = 1 }]"))
                .starts_with("x.toml:3: write exactly one of send")
        );
    }
}
