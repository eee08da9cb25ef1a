//! Reads a unit: observes its replies, judges, and counts.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use memchr::memchr_iter;
use smtp_enhanced_status::explain::{Category, Stage};
use smtp_enhanced_status::{EnhancedStatusCode, ReplyCode};

use super::Settings;
use super::counts::{Counts, Located, Place, Sample};
use super::head::Head;
use super::judged::{self, HeadFinding};
use super::key::{Basis, RuleKey};
use super::kind::Kind;
use super::mask::masked;
use super::observed::{Observed, observe_log};
use super::units::Unit;
use crate::dialogue::{Act, Dialogue, Exchange};
use crate::knowledge::Knowledge;
use crate::protocol::command::Verb;
use crate::readers::mention::{Direction, Mention};
use crate::readers::{self, dsn, source};
use crate::rules::judge;
use crate::rules::report::judge_report;

/// A unit that is read, and where what is found goes.
pub(crate) struct Reading<'r> {
    pub(crate) unit: &'r Unit,
    pub(crate) settings: &'r Settings,
    pub(crate) counts: &'r mut Counts,
    pub(crate) known: &'r mut Known,
    /// Called with each reply.
    pub(crate) each: Option<&'r mut dyn FnMut(&Seen<'_>)>,
}

/// What is known of codes that were judged before.
pub(crate) type Known = HashMap<(Head, Basis, bool), Arc<[HeadFinding]>, RandomState>;

/// How many recipients are looked at for what is personal in the fields of a bounce.
const RECIPIENTS: usize = 4;

/// How many codes are known at most.
const KNOWN: usize = 1000;

/// A reply that was seen, and where.
#[derive(Clone, Debug)]
pub struct Seen<'a> {
    pub(crate) observed: &'a Observed<'a>,
    pub(crate) place: Place,
}

impl Seen<'_> {
    /// What the text says: the reply, who sent it, what it answers. It has personal data.
    #[must_use]
    pub fn mention(&self) -> &Mention<'_> {
        &self.observed.mention
    }

    /// The reply code, as the last line has it.
    #[must_use]
    pub fn reply_code(&self) -> Option<ReplyCode> {
        self.observed.key.head.reply_code()
    }

    /// The enhanced status code at its place, as the last line has it.
    #[must_use]
    pub fn enhanced(&self) -> Option<EnhancedStatusCode> {
        self.observed.key.head.enhanced()
    }

    /// What the reply is about.
    #[must_use]
    pub fn category(&self) -> Category {
        self.observed.key.category
    }

    /// The number of the line that shows it, from 1.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.place.line
    }
}

impl Reading<'_> {
    pub(crate) fn read(&mut self, octets: &[u8]) {
        match self.unit.kind {
            Kind::Log => self.read_log(octets),
            Kind::Message | Kind::Mailbox => self.read_message(octets),
            Kind::Recording => self.read_recording(octets),
            Kind::Source => self.read_source(octets),
        }
    }

    fn read_log(&mut self, octets: &[u8]) {
        let mut lines = Lines::new(self.unit, octets);
        let with_hours = self.settings.by == Some(super::By::Hour);
        observe_log(octets, with_hours, &mut |observed| self.add(&observed, &mut lines));
    }

    /// Counts a reply, and lists it.
    fn add(&mut self, observed: &Observed<'_>, lines: &mut Lines<'_>) {
        let offset = observed.mention.offset;
        self.counts.add(observed, self.unit.number, || lines.place(offset));
        if self.counts.located.is_some() && !observed.mention.is_repeat {
            self.locate(observed, &lines.place(offset));
        }
        if let Some(each) = &mut self.each
            && !observed.mention.is_repeat
        {
            each(&Seen { observed, place: lines.place(offset) });
        }
    }

    /// Keeps the places of what the codes of a reply break.
    fn locate(&mut self, observed: &Observed<'_>, place: &Place) {
        let key = (observed.key.head, observed.key.basis, observed.key.is_opening);
        if self.known.len() >= KNOWN {
            self.known.clear();
        }
        let judged = || judged::findings(&key.0, key.1, key.2, self.settings.strictness).into();
        let findings = Arc::clone(self.known.entry(key).or_insert_with(judged));
        for HeadFinding { key, detail } in findings.iter() {
            let sample = Sample::new(&observed.mention.reply, observed.context, place.clone());
            let head = Some(observed.key.head);
            self.located(Located {
                place: place.clone(),
                key: *key,
                head,
                detail: detail.clone(),
                sample: Some(sample),
            });
        }
    }

    fn located(&mut self, one: Located) {
        if let Some(located) = &mut self.counts.located {
            located.add(one);
        }
    }

    fn read_message(&mut self, octets: &[u8]) {
        self.counts.totals.reports += 1;
        let Some(report) = dsn::read(octets) else { return };
        for (reply, mention) in report.replies.iter().zip(dsn::mentions(&report)) {
            let place = self.line_of_message(reply.line);
            self.add_at(&Observed::new(mention, &reply.recipient), &place);
        }
        let findings = judge_report(&report);
        if findings.is_empty() {
            return;
        }
        let lines: Vec<&[u8]> = octets.split(|octet| *octet == b'\n').collect();
        // What a field says may repeat an address, or a part of it.
        let fields = report.recipients.iter().take(RECIPIENTS).flat_map(|group| &group.fields);
        let context: Vec<u8> = fields.flat_map(|field| [field.untyped(), b" "]).flatten().copied().collect();
        for finding in findings {
            let key = RuleKey { rule: finding.rule, level: finding.level };
            let place = self.line_of_message(finding.line);
            let shown =
                lines.get(finding.line.saturating_sub(1)).map_or(&[][..], |line| line.trim_ascii_end());
            self.counts.find(key, shown, &context, self.unit.number, place.clone());
            let sample = Some(Sample::new(shown, &context, place.clone()));
            self.located(Located { place, key, head: None, detail: finding.detail, sample });
        }
    }

    /// Returns the place of a line of the message, whose first line is 1.
    fn line_of_message(&self, line: usize) -> Place {
        let line = self.unit.first_line + line.max(1) as u64 - 1;
        Place { file: Arc::clone(&self.unit.file), line, column: None }
    }

    /// Counts a reply at a place that is known, and lists it.
    fn add_at(&mut self, observed: &Observed<'_>, place: &Place) {
        self.counts.add(observed, self.unit.number, || place.clone());
        if self.counts.located.is_some() && observed.key.basis != Basis::Dialogue {
            self.locate(observed, place);
        }
        if let Some(each) = &mut self.each {
            each(&Seen { observed, place: place.clone() });
        }
    }

    fn read_recording(&mut self, octets: &[u8]) {
        let text = String::from_utf8_lossy(octets);
        let dialogues = match readers::read(&self.unit.file, self.settings.protocol, &text) {
            Ok(dialogues) => dialogues,
            Err(error) => {
                let what = format!("{error:#}");
                // The error names the file, as the place does.
                let what =
                    what.strip_prefix(&*self.unit.file).map_or(&*what, |rest| rest.trim_start_matches(':'));
                // It may quote a word of the line.
                let what = masked(what.as_bytes(), &[]);
                self.counts.troubles.add((Place::of_file(&self.unit.file), what));
                return;
            }
        };
        let judgement = judge(&dialogues, &Knowledge::default(), self.settings.strictness);
        for finding in &judgement.findings {
            let exchange = dialogues.get(finding.location.dialogue);
            let exchange = exchange.and_then(|dialogue| dialogue.exchanges.get(finding.location.exchange));
            let Some(exchange) = exchange else { continue };
            let reply = exchange.answers.get(finding.location.reply.unwrap_or(0));
            let shown = reply.map_or(&[][..], |answer| &answer.octets);
            let key = RuleKey { rule: finding.rule, level: finding.level };
            let place = self.place_of(exchange);
            for _ in 0..finding.times() {
                self.counts.find(key, shown, b"", self.unit.number, place.clone());
            }
            let sample = Some(Sample::new(shown, b"", place.clone()));
            self.located(Located { place, key, head: None, detail: finding.detail.clone(), sample });
        }
        for dialogue in &dialogues {
            self.count_dialogue(dialogue);
        }
    }

    fn count_dialogue(&mut self, dialogue: &Dialogue) {
        self.counts.totals.connections += 1;
        for exchange in &dialogue.exchanges {
            for answer in &exchange.answers {
                let mention = Mention {
                    reply: Cow::Borrowed(answer.octets.trim_ascii_end()),
                    direction: Direction::Received,
                    stage: stage(exchange),
                    host: None,
                    status: None,
                    offset: 0,
                    is_repeat: false,
                };
                let mut observed = Observed::new(mention, b"");
                observed.key.basis = Basis::Dialogue;
                let place = self.place_of(exchange);
                self.add_at(&observed, &place);
            }
        }
    }

    fn place_of(&self, exchange: &Exchange) -> Place {
        let line = exchange.line.unwrap_or(1) as u64;
        Place { file: Arc::clone(&self.unit.file), line, column: None }
    }

    fn read_source(&mut self, octets: &[u8]) {
        let mut lines = Lines::new(self.unit, octets);
        source::read(octets, &mut |mention| {
            let mut observed = Observed::new(mention, b"");
            observed.key.basis = Basis::OwnCodes;
            self.add(&observed, &mut lines);
        });
    }
}

/// Returns the stage of an exchange, as `explain` names it.
fn stage(exchange: &Exchange) -> Option<Stage> {
    match &exchange.act {
        Act::Connect => Some(Stage::Connect),
        Act::Message(_) => Some(Stage::Message),
        Act::Command(_) => match exchange.command()?.verb() {
            Verb::Ehlo | Verb::Helo | Verb::Lhlo => Some(Stage::Hello),
            Verb::Starttls => Some(Stage::StartTls),
            Verb::Auth => Some(Stage::Auth),
            Verb::Mail => Some(Stage::Mail),
            Verb::Rcpt => Some(Stage::Rcpt),
            Verb::Data | Verb::Bdat => Some(Stage::Data),
            _ => None,
        },
        _ => None,
    }
}

/// Finds the lines of places in a unit. It is fast if places are asked for in their order.
struct Lines<'a> {
    unit: &'a Unit,
    octets: &'a [u8],
    offset: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    fn new(unit: &'a Unit, octets: &'a [u8]) -> Lines<'a> {
        Lines { unit, octets, offset: 0, line: unit.first_line }
    }

    fn place(&mut self, offset: usize) -> Place {
        if offset < self.offset {
            (self.offset, self.line) = (0, self.unit.first_line);
        }
        let passed = self.octets.get(self.offset..offset).unwrap_or_default();
        self.line += memchr_iter(b'\n', passed).count() as u64;
        self.offset = offset;
        let before = self.octets.get(..offset).unwrap_or_default();
        let start = memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
        let column = Some(String::from_utf8_lossy(&before[start..]).chars().count() as u64 + 1);
        Place { file: Arc::clone(&self.unit.file), line: self.line, column }
    }
}
