//! What a reply means, who meant it, and what to do about it.
//!
//! The registry alone cannot say what a reply means: providers use many codes otherwise, and many replies have no
//! enhanced status code. [`explain`] reads the whole reply, and says what decided: see [`Evidence`].
//!
//! ```
//! use smtp_enhanced_status::explain::{Category, Evidence, explain};
//!
//! // The registry's row is about a null MX. Google means SPF.
//! let answer = explain(b"550-5.7.27 The sender did not pass SPF\r\n550 5.7.27 see the help - gsmtp\r\n");
//! assert_eq!(answer.category(), Category::SenderUnauthenticated);
//! assert_eq!(answer.vendor().map(|vendor| vendor.name()), Some("Google"));
//! assert_eq!(answer.evidence(), Evidence::VendorCode);
//! assert_eq!(answer.entry().map(|entry| entry.sample_text), Some("Sender address has null MX"));
//! ```
//!
//! A [`Question`] may say more: the command that was answered, and the host that sent the reply.
//!
//! ```
//! use smtp_enhanced_status::explain::{Category, Question, Stage};
//!
//! let answer = Question::new(b"550 Requested action not taken").at(Stage::Connect).explain();
//! assert_eq!(answer.category(), Category::BadReputation);
//! ```
//!
//! Anybody can write anything into a reply. A vendor is what a reply looks like, unless the host is known.

pub(crate) mod advice;
pub(crate) mod category;
pub(crate) mod code;
pub(crate) mod pattern;
pub(crate) mod phrase;
mod text;
pub(crate) mod vendor;

use crate::generated::explain::{ASIDES, COMMANDS, ENDS, OUTCOMES, QUOTATIONS};
use crate::{Class, EnhancedStatusCode, Entry, Pairing, ReplyCode, Status, judge};
use advice::Advice;
use category::named;
use code::Codes;
use pattern::{Match, Matches};
use phrase::Phrase;
use text::{LONG_SIZE, SHORT, SHORT_SIZE, Text};
use vendor::{Recognized, VendorReply};

pub use category::{Action, Category, ListAction, Matter, Retry, TAXONOMIES};
pub use code::CodePlace;
pub use vendor::Vendor;

/// Explains a reply, of which nothing else is known: its octets, with or without line ends, on one line or several.
/// Without a reply code, it may begin with an enhanced status code, or have none.
///
/// It takes a bounded time, whatever the reply has: of a long reply, the first 1,024 and the last 512 octets are read.
///
/// ```
/// use smtp_enhanced_status::explain::{Category, ListAction, Retry, explain};
///
/// let answer = explain(b"452 4.2.2 Mailbox full");
/// assert_eq!(answer.category(), Category::MailboxFull);
/// assert_eq!((answer.retry(), answer.list()), (Some(Retry::Later), ListAction::Pause));
/// ```
#[must_use]
pub fn explain(reply: &[u8]) -> Explanation {
    Question::new(reply).explain()
}

named! {
    /// The command that a reply answers.
    ///
    /// ```
    /// use smtp_enhanced_status::explain::Stage;
    ///
    /// assert_eq!(Stage::Message.as_str(), "message");
    /// ```
    Stage {
        /// None: the reply comes instead of the greeting, or is the greeting.
        Connect = "connect",
        /// EHLO, HELO or LHLO.
        Hello = "hello",
        /// STARTTLS.
        StartTls = "starttls",
        /// AUTH, and responses to its challenges.
        Auth = "auth",
        /// MAIL.
        Mail = "mail",
        /// RCPT.
        Rcpt = "rcpt",
        /// DATA or BDAT.
        Data = "data",
        /// The end of the message.
        Message = "message",
    }
}

named! {
    /// What decided about an answer, from the best evidence to the least.
    ///
    /// ```
    /// use smtp_enhanced_status::explain::{Evidence, explain};
    ///
    /// assert_eq!(explain(b"550 5.1.1 No such user").evidence(), Evidence::EnhancedCode);
    /// assert_eq!(explain(b"550 No such user").evidence(), Evidence::Text);
    /// assert_eq!(explain(b"550 No").evidence(), Evidence::ReplyCode);
    /// ```
    Evidence {
        /// A token in the text, of which it is known what the vendor means by it.
        VendorText = "vendor-text",
        /// A pair of reply code and enhanced status code, of which it is known what the vendor means by it.
        VendorPair = "vendor-pair",
        /// A reply code or an enhanced status code, of which it is known what the vendor means by it.
        VendorCode = "vendor-code",
        /// A pair that is commonly used otherwise than the row.
        Pair = "pair",
        /// The registry's row.
        EnhancedCode = "enhanced-code",
        /// Words in the text.
        Text = "text",
        /// The reply code, and the command that it answers.
        Stage = "stage",
        /// The subject of an enhanced status code that is not registered.
        Subject = "subject",
        /// A reply code that no RFC has, read as an enhanced status code without dots.
        WithoutDots = "without-dots",
        /// The reply code alone.
        ReplyCode = "reply-code",
        /// The first digit alone.
        FirstDigit = "first-digit",
        /// Nothing: there is no code, and the text tells nothing.
        Nothing = "nothing",
    }
}

named! {
    /// How sure an answer is.
    ///
    /// ```
    /// use smtp_enhanced_status::explain::{Certainty, explain};
    ///
    /// assert_eq!(explain(b"550 No").certainty(), Certainty::Guess);
    /// ```
    Certainty {
        /// The codes say it and no vendor is known to mean something else, or a vendor that was recognized for sure
        /// says it.
        Sure = "sure",
        /// It is the usual meaning, but other servers mean something else.
        Likely = "likely",
        /// There was little to go by.
        Guess = "guess",
    }
}

/// A reply, and what is known of it.
///
/// ```
/// use smtp_enhanced_status::explain::{Category, Question, Stage};
///
/// let question = Question::new(b"554 5.7.1 Denied").at(Stage::Message).from_host("mx1.example.net");
/// assert_eq!(question.explain().category(), Category::Policy);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    reply: &'a [u8],
    stage: Option<Stage>,
    host: Option<&'a [u8]>,
}

impl<'a> Question<'a> {
    /// Asks about a reply.
    ///
    /// ```
    /// # use smtp_enhanced_status::explain::{Category, Question};
    /// assert_eq!(Question::new(b"250 ok").explain().category(), Category::Accepted);
    /// ```
    #[must_use]
    pub const fn new(reply: &'a [u8]) -> Question<'a> {
        Question { reply, stage: None, host: None }
    }

    /// Says which command the reply answers.
    ///
    /// ```
    /// # use smtp_enhanced_status::explain::{Category, Question, Stage};
    /// let question = Question::new(b"452 No");
    /// assert_eq!(question.at(Stage::Rcpt).explain().category(), Category::TooManyRecipients);
    /// assert_eq!(question.at(Stage::Mail).explain().category(), Category::ReceiverFault);
    /// ```
    #[must_use]
    pub const fn at(self, stage: Stage) -> Question<'a> {
        Question { stage: Some(stage), ..self }
    }

    /// Says which host sent the reply: its name, in any case.
    ///
    /// ```
    /// # use smtp_enhanced_status::explain::{Category, Question};
    /// let question = Question::new(b"550 5.4.1 No").from_host("example-org.mail.protection.outlook.com");
    /// assert_eq!(question.explain().category(), Category::NoSuchRecipient);
    /// ```
    #[must_use]
    pub const fn from_host(self, host: &'a str) -> Question<'a> {
        Question { host: Some(host.as_bytes()), ..self }
    }

    /// Answers.
    ///
    /// ```
    /// # use smtp_enhanced_status::explain::{Matter, Question};
    /// let answer = Question::new(b"552 5.3.4 Message too big").explain();
    /// assert_eq!(answer.category().matter(), Matter::SenderContent);
    /// ```
    #[must_use]
    pub fn explain(&self) -> Explanation {
        if self.reply.len() <= SHORT {
            self.answer(&Text::<SHORT_SIZE>::new(self.reply))
        } else {
            self.answer(&Text::<LONG_SIZE>::new(self.reply))
        }
    }

    fn answer<const SIZE: usize>(&self, text: &Text<SIZE>) -> Explanation {
        let matches = Matches::find(text.octets());
        let stage = stage_in(&matches).or(self.stage);
        match quotation(text.octets(), &matches) {
            None => Explanation::new(
                text.octets(),
                text.codes,
                &matches,
                Circumstances { stage, host: self.host, outer: None },
            ),
            Some(quoted) => {
                let host = host_before(text.octets(), quoted.start).or(self.host);
                let outer = Some(Outer { codes: text.codes, outcome: outcome(&matches) });
                let inner = Text::<SIZE>::new(quoted.reply);
                let matches = Matches::find(inner.octets());
                Explanation::new(inner.octets(), inner.codes, &matches, Circumstances { stage, host, outer })
            }
        }
    }
}

/// What is known of a reply, beside its text.
#[derive(Clone, Copy)]
struct Circumstances<'a> {
    stage: Option<Stage>,
    host: Option<&'a [u8]>,
    outer: Option<Outer>,
}

/// What quotes a reply: another reply, or a line of a log.
#[derive(Clone, Copy, Debug)]
struct Outer {
    codes: Codes,
    /// The class that a log says the server made of the reply.
    outcome: Option<Class>,
}

impl Outer {
    fn class(self) -> Option<Class> {
        self.codes.class().or(self.outcome)
    }
}

/// A reply that the text of another one quotes.
struct Quoted<'a> {
    /// Where the words that announce it begin.
    start: usize,
    reply: &'a [u8],
}

/// Finds the last reply that a text quotes, unless it is about something else than the delivery.
fn quotation<'a>(text: &'a [u8], matches: &Matches) -> Option<Quoted<'a>> {
    let words = matches.iter().filter(|found| QUOTATIONS.contains(&found.pattern));
    let mut last: Option<(Match, usize)> = None;
    for found in words {
        if let Some(start) = code_after(text, usize::from(found.end)) {
            last = Some((found, start));
        }
    }
    let (words, start) = last?;
    if matches.iter().any(|found| ASIDES.contains(&found.pattern) && found.start < words.start) {
        return None;
    }
    let is_end = |found: &Match| {
        ENDS.contains(&found.pattern) || COMMANDS.iter().any(|(pattern, _)| *pattern == found.pattern)
    };
    let end = matches.iter().filter(is_end).map(|found| usize::from(found.start)).find(|end| *end > start);
    let reply = text.get(start..end.unwrap_or(text.len()))?;
    Some(Quoted { start: usize::from(words.start), reply: reply.strip_suffix(b"(").unwrap_or(reply) })
}

/// How far from the words that announce a reply its code may be: the words may name a command with an address.
const DISTANCE: usize = 320;

/// Returns where the first code begins after a position: at once, or after a colon.
fn code_after(text: &[u8], position: usize) -> Option<usize> {
    let end = text.len().min(position + DISTANCE);
    (position..end).find(|&start| {
        if !matches!(text[start], b'2' | b'4' | b'5') || text[start - 1].is_ascii_alphanumeric() {
            return false;
        }
        let before = text[..start].trim_ascii_end();
        let before = before.strip_suffix(b"\"").or(before.strip_suffix(b"'")).unwrap_or(before);
        if before.len() > position && !before.ends_with(b":") {
            return false;
        }
        let (codes, _) = Codes::read(&text[start..]);
        codes.reply_code.is_some() || codes.enhanced.is_some()
    })
}

/// Returns the name of the host that a log or a report names before it quotes a reply: `host mx.example.net[192.0.2.1]`.
fn host_before(text: &[u8], position: usize) -> Option<&[u8]> {
    let before = text.get(..position)?;
    let word = before.windows(6).rposition(|window| window == b" host ")?;
    let name = before.get(word + 6..)?;
    let is_part = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_');
    let length = name.iter().take_while(|octet| is_part(octet)).count();
    (length > 0).then(|| &name[..length])
}

/// Returns the stage of the command that a text names last.
fn stage_in(matches: &Matches) -> Option<Stage> {
    let mut stage = None;
    for found in matches.iter() {
        if let Some((_, named)) = COMMANDS.iter().find(|(pattern, _)| *pattern == found.pattern) {
            stage = Some(*named);
        }
    }
    stage
}

/// Returns the class of the failure that a line of a log reports, by the first of its words: `status=bounced`.
fn outcome(matches: &Matches) -> Option<Class> {
    matches.iter().find_map(|found| {
        OUTCOMES.iter().find(|(pattern, _)| *pattern == found.pattern).map(|(_, class)| *class)
    })
}

/// The answer to a [`Question`].
///
/// If the reply quotes that of another server, as in `host mx.example.net said: 550 5.1.1 No such user`, the answer is
/// about the quoted one. Whether to try again depends on the first digit of the outer one, because the server that sent
/// it decides that.
#[derive(Clone, Copy, Debug)]
pub struct Explanation {
    reply_code: Option<ReplyCode>,
    enhanced: Option<(EnhancedStatusCode, CodePlace)>,
    outer: Option<Outer>,
    stage: Option<Stage>,
    vendor: Option<Recognized>,
    verdict: Verdict,
    action: Option<Action>,
}

/// What was decided, and by what.
#[derive(Clone, Copy, Debug)]
struct Verdict {
    category: Category,
    evidence: Evidence,
    certainty: Certainty,
    happened: &'static str,
    advice: Option<&'static Advice>,
    reply: Option<&'static VendorReply>,
}

impl Explanation {
    fn new(text: &[u8], codes: Codes, matches: &Matches, circumstances: Circumstances<'_>) -> Explanation {
        let Circumstances { stage, host, outer } = circumstances;
        let reply_code = codes.reply_code;
        let class = reply_code.and_then(ReplyCode::class);
        let enhanced = match codes.enhanced {
            Some(code) => Some((code, CodePlace::Start)),
            None => code::find(text, class),
        };
        let code = enhanced.map(|(code, _)| code);
        let vendor = vendor::recognize(matches, host, code);
        let facts = Facts { reply_code, enhanced: code, class, stage, text, matches };
        let (verdict, vendor) = facts.decide(vendor);
        let class = class.or(code.map(EnhancedStatusCode::class)).or_else(|| outcome(matches));
        // If the reply quotes another, the class of the outer one decides what to do.
        let decisive = outer.and_then(Outer::class).or(class).unwrap_or(Class::Transient);
        // The advice is about its own class.
        let advice = verdict.advice.filter(|_| class == Some(decisive));
        let verdict = Verdict { advice, ..verdict };
        let mut explanation =
            Explanation { reply_code, enhanced, outer, stage, vendor, verdict, action: None };
        explanation.action = explanation.choose_action(decisive);
        explanation
    }

    /// Returns what to do after a reply of this class.
    fn choose_action(&self, class: Class) -> Option<Action> {
        if self.verdict.evidence == Evidence::Nothing {
            return None;
        }
        let Verdict { category, advice, .. } = self.verdict;
        let mut action = category.action(class)?;
        if let Some(advice) = advice {
            action.retry = advice.retry.unwrap_or(action.retry);
            action.list = advice.list.unwrap_or(action.list);
        }
        // Neither a guess nor the words of a vendor that somebody else may have written are evidence about the recipient.
        let is_weak = self.verdict.certainty == Certainty::Guess
            || (self.verdict.reply.is_some() && !self.is_vendor_sure());
        if is_weak && action.list == ListAction::Remove {
            action.list = ListAction::Pause;
        }
        Some(action)
    }

    /// Returns the reply code; that of the quoted reply, if there is one.
    ///
    /// ```
    /// # use smtp_enhanced_status::explain::explain;
    /// assert!(explain(b"550 5.1.1 No such user").reply_code().is_some_and(|code| code == 550));
    /// assert_eq!(explain(b"5.1.1 No such user").reply_code(), None);
    /// ```
    #[must_use]
    pub const fn reply_code(&self) -> Option<ReplyCode> {
        self.reply_code
    }

    /// Returns the enhanced status code; that of the quoted reply, if there is one. It may be in the wrong place: see
    /// [`place`](Self::place).
    ///
    /// ```
    /// # use smtp_enhanced_status::{Status, explain::explain};
    /// let code = Status::ADDR_DEST_MAILBOX.permanent();
    /// assert_eq!(explain(b"550 No such user (#5.1.1)").enhanced(), Some(code));
    /// ```
    #[must_use]
    pub fn enhanced(&self) -> Option<EnhancedStatusCode> {
        self.enhanced.map(|(code, _)| code)
    }

    /// Returns where the enhanced status code is, or `None` if there is none.
    ///
    /// ```
    /// # use smtp_enhanced_status::explain::{CodePlace, explain};
    /// assert_eq!(explain(b"550 cuda_nsu 5.1.1 No such user").place(), Some(CodePlace::AfterTag));
    /// ```
    #[must_use]
    pub fn place(&self) -> Option<CodePlace> {
        self.enhanced.map(|(_, place)| place)
    }

    /// Returns the codes of the reply that quotes the one that is explained, or `None` if nothing is quoted.
    ///
    /// ```
    /// # use smtp_enhanced_status::explain::{Retry, explain};
    /// let answer = explain(b"451 4.0.0 host mx.example.net[192.0.2.1] said: 550 5.1.1 No such user");
    /// assert!(answer.outer().is_some_and(|(code, _)| code.is_some_and(|code| code == 451)));
    /// assert_eq!(answer.retry(), Some(Retry::Later));
    /// ```
    #[must_use]
    pub fn outer(&self) -> Option<(Option<ReplyCode>, Option<EnhancedStatusCode>)> {
        self.outer.map(|outer| (outer.codes.reply_code, outer.codes.enhanced))
    }

    /// Returns the command that was answered, if it is known: the text of a report may name it.
    ///
    /// ```
    /// # use smtp_enhanced_status::explain::{Stage, explain};
    /// let answer = explain(b"host mx.example.net said: 550 No (in reply to RCPT TO command)");
    /// assert_eq!(answer.stage(), Some(Stage::Rcpt));
    /// ```
    #[must_use]
    pub const fn stage(&self) -> Option<Stage> {
        self.stage
    }

    /// Returns the registry's row, or `None` if there is no enhanced status code or it is not registered.
    ///
    /// ```
    /// # use smtp_enhanced_status::explain::explain;
    /// let answer = explain(b"550 5.1.1 No such user");
    /// assert_eq!(answer.entry().map(|entry| entry.identifier), Some("ADDR_DEST_MAILBOX"));
    /// ```
    #[must_use]
    pub fn entry(&self) -> Option<&'static Entry> {
        self.enhanced().and_then(EnhancedStatusCode::entry)
    }

    /// Returns the category that the registry's row has by itself, for the class of the reply; `None` without a row. If
    /// it is not [`category`](Self::category), the reply means something else than the row.
    ///
    /// ```
    /// # use smtp_enhanced_status::explain::{Category, explain};
    /// let answer = explain(b"550 5.7.27 SPF did not pass - gsmtp");
    /// assert_eq!(answer.category_of_row(), Some(Category::SenderIdentity));
    /// ```
    #[must_use]
    pub fn category_of_row(&self) -> Option<Category> {
        self.advice_of_row().map(|advice| advice.category)
    }

    /// Returns whether some vendor uses the enhanced status code for something else than the registry's row.
    ///
    /// ```
    /// # use smtp_enhanced_status::explain::explain;
    /// assert!(explain(b"450 4.2.1 No").is_disputed());
    /// ```
    #[must_use]
    pub fn is_disputed(&self) -> bool {
        self.advice_of_row().is_some_and(|advice| advice.is_disputed)
    }

    fn advice_of_row(&self) -> Option<&'static Advice> {
        let code = self.enhanced()?;
        let class = self.reply_code.and_then(ReplyCode::class).unwrap_or(code.class());
        Advice::of_row(code.status(), class)
    }

    /// Returns what the registry says of the pair, or `None` if one of the codes is missing.
    ///
    /// ```
    /// # use smtp_enhanced_status::{Pairing, explain::explain};
    /// assert_eq!(explain(b"550 5.1.1 No such user").pairing(), Some(Pairing::Listed));
    /// assert_eq!(explain(b"550 4.1.1 No such user").pairing(), Some(Pairing::ClassMismatch));
    /// ```
    #[must_use]
    pub fn pairing(&self) -> Option<Pairing> {
        Some(judge(self.reply_code?, self.enhanced()?))
    }

    /// Returns the enhanced status code that a reply code looks like without its dots, if no RFC has the reply code.
    ///
    /// ```
    /// # use smtp_enhanced_status::explain::explain;
    /// assert_eq!(explain(b"441 Not responding").without_dots().map(|code| code.to_string()).as_deref(), Some("4.4.1"));
    /// assert_eq!(explain(b"550 No").without_dots(), None);
    /// ```
    #[must_use]
    pub fn without_dots(&self) -> Option<EnhancedStatusCode> {
        self.reply_code.and_then(without_dots)
    }

    /// Returns the vendor that the reply looks like.
    ///
    /// ```
    /// # use smtp_enhanced_status::explain::explain;
    /// let answer = explain(b"421 4.7.0 [TSS04] Deferred");
    /// assert_eq!(answer.vendor().map(|vendor| vendor.id()), Some("yahoo"));
    /// ```
    #[must_use]
    pub fn vendor(&self) -> Option<&'static Vendor> {
        self.vendor.map(|recognized| recognized.vendor)
    }

    /// Returns whether the host or a sure mark shows the vendor.
    ///
    /// ```
    /// # use smtp_enhanced_status::explain::explain;
    /// assert!(explain(b"421 4.7.0 [TSS04] Deferred").is_vendor_sure());
    /// ```
    #[must_use]
    pub fn is_vendor_sure(&self) -> bool {
        self.vendor.is_some_and(|recognized| recognized.is_sure)
    }

    /// Returns where it is known from what the vendor means, and the month in which that was last seen. It is `None` if
    /// no vendor's use decided.
    ///
    /// ```
    /// # use smtp_enhanced_status::explain::explain;
    /// let (source, seen) = explain(b"421 4.7.0 [TSS04] Deferred").source().expect("Yahoo says so");
    /// assert!(source.contains("Yahoo") && seen >= "2026-11");
    /// ```
    #[must_use]
    pub fn source(&self) -> Option<(&'static str, &'static str)> {
        self.verdict.reply.map(|reply| (reply.source, reply.seen))
    }

    /// Returns what happened, in one sentence.
    ///
    /// ```
    /// # use smtp_enhanced_status::explain::explain;
    /// assert_eq!(
    ///     explain(b"550 5.1.1 No such user").happened(),
    ///     "No mailbox has this local part at the recipient's domain.",
    /// );
    /// ```
    #[must_use]
    pub const fn happened(&self) -> &'static str {
        self.verdict.happened
    }

    /// Returns what the sender does, in a few sentences.
    ///
    /// ```
    /// # use smtp_enhanced_status::explain::explain;
    /// assert!(explain(b"550 5.1.1 No such user").sender().starts_with("Check the address"));
    /// ```
    #[must_use]
    pub fn sender(&self) -> &'static str {
        self.verdict.advice.map_or(self.verdict.category.sender(), |advice| advice.sender)
    }

    /// Returns what the administrator of the receiving server does, in a few sentences.
    ///
    /// ```
    /// # use smtp_enhanced_status::explain::explain;
    /// assert!(explain(b"550 5.1.1 No such user").administrator().contains("alias"));
    /// ```
    #[must_use]
    pub fn administrator(&self) -> &'static str {
        self.verdict.advice.map_or(self.verdict.category.administrator(), |advice| advice.administrator)
    }

    /// Returns the category.
    ///
    /// ```
    /// # use smtp_enhanced_status::explain::{Category, explain};
    /// assert_eq!(explain(b"550 5.1.1 No such user").category(), Category::NoSuchRecipient);
    /// ```
    #[must_use]
    pub const fn category(&self) -> Category {
        self.verdict.category
    }

    /// Returns whether to try again, or `None` if nothing failed.
    ///
    /// ```
    /// # use smtp_enhanced_status::explain::{Retry, explain};
    /// assert_eq!(explain(b"550 5.1.1 No such user").retry(), Some(Retry::Never));
    /// assert_eq!(explain(b"250 2.1.5 ok").retry(), None);
    /// ```
    #[must_use]
    pub fn retry(&self) -> Option<Retry> {
        self.action.map(|action| action.retry)
    }

    /// Returns what the owner of a list does with the address. It is never [`ListAction::Remove`] without evidence about
    /// the recipient.
    ///
    /// ```
    /// # use smtp_enhanced_status::explain::{ListAction, explain};
    /// assert_eq!(explain(b"550 5.1.1 No such user").list(), ListAction::Remove);
    /// assert_eq!(explain(b"550 5.7.1 Your IP address is blocked").list(), ListAction::Keep);
    /// ```
    #[must_use]
    pub fn list(&self) -> ListAction {
        self.action.map_or(ListAction::Keep, |action| action.list)
    }

    /// Returns what decided.
    ///
    /// ```
    /// # use smtp_enhanced_status::explain::{Evidence, explain};
    /// assert_eq!(explain(b"552 5.1.1 Mailbox full").evidence(), Evidence::Pair);
    /// ```
    #[must_use]
    pub const fn evidence(&self) -> Evidence {
        self.verdict.evidence
    }

    /// Returns how sure the answer is.
    ///
    /// ```
    /// # use smtp_enhanced_status::explain::{Certainty, explain};
    /// assert_eq!(explain(b"452 4.3.1 Disk full").certainty(), Certainty::Sure);
    /// assert_eq!(explain(b"550 Spam score too high").certainty(), Certainty::Likely);
    /// ```
    #[must_use]
    pub const fn certainty(&self) -> Certainty {
        self.verdict.certainty
    }
}

/// What is known of a reply.
struct Facts<'a> {
    reply_code: Option<ReplyCode>,
    enhanced: Option<EnhancedStatusCode>,
    class: Option<Class>,
    stage: Option<Stage>,
    text: &'a [u8],
    matches: &'a Matches,
}

/// The evidence after that of the vendor, from the best to the least.
const STEPS: [fn(&Facts<'_>) -> Option<Verdict>; 10] = [
    |facts| facts.by_pair(),
    |facts| facts.by_row(false),
    |facts| facts.by_text(),
    |facts| facts.by_stage(),
    |facts| facts.by_reply_code_of_undefined(),
    |facts| facts.by_row(true),
    |facts| facts.by_subject(),
    |facts| facts.by_missing_dots(),
    |facts| facts.by_reply_code(),
    |facts| facts.by_class(),
];

impl Facts<'_> {
    /// Goes through the evidence, from the best to the least. Returns the vendor too, if it can be told.
    fn decide(&self, vendor: Option<Recognized>) -> (Verdict, Option<Recognized>) {
        if self.is_positive() {
            return (Verdict::of_category(Category::Accepted, Evidence::FirstDigit, Certainty::Sure), vendor);
        }
        let (by_vendor, vendor) = self.by_vendor(vendor);
        let is_possible =
            |verdict: &Verdict| !self.is_before_recipients() || !is_about_recipient(verdict.category);
        let verdict = match by_vendor.filter(is_possible) {
            Some(verdict) => Some(verdict),
            None => STEPS.iter().find_map(|step| step(self).filter(is_possible)),
        };
        (verdict.unwrap_or(Verdict::NOTHING), vendor)
    }

    /// Returns whether the server knows no recipient yet, so that the reply can only be about the sender.
    fn is_before_recipients(&self) -> bool {
        let before = [Stage::Connect, Stage::Hello, Stage::StartTls, Stage::Auth, Stage::Mail];
        self.stage.is_some_and(|stage| before.contains(&stage))
    }

    fn is_positive(&self) -> bool {
        match (self.reply_code, self.enhanced) {
            (Some(code), _) => code.is_positive(),
            (None, Some(code)) => code.is_success(),
            (None, None) => false,
        }
    }

    /// Decides by what the vendor is known to mean. A vendor with one unsure mark counts only for a text or a code of its
    /// own.
    fn by_vendor(&self, vendor: Option<Recognized>) -> (Option<Verdict>, Option<Recognized>) {
        let Some(recognized) = vendor else { return (None, None) };
        let reply = recognized.vendor.reply(self.matches, self.reply_code, self.enhanced);
        let has_text = reply.is_some_and(|reply| reply.pattern.is_some());
        let has_code = reply.is_some_and(|reply| reply.status.is_some()) && !self.is_registered();
        if !recognized.is_sure && recognized.marks < 2 && !has_text && !has_code {
            return (None, None);
        }
        // A vendor known by its host may quote another one, and one known by a mark may be imitated.
        let is_doubtful = recognized.is_contradicted && (recognized.marks > 0 || !has_text);
        let is_sure = recognized.is_sure && !is_doubtful;
        let recognized = Recognized { is_sure, ..recognized };
        let vendor = Some(recognized);
        let Some(reply) = reply else { return (None, vendor) };
        // Codes are no evidence about the recipient if the words are about the sender.
        let has_other_words = self.by_text().is_some_and(|words| is_about_sender(words.category));
        if !has_text && is_about_recipient(reply.category) && has_other_words {
            return (None, vendor);
        }
        let evidence = match (reply.pattern, reply.reply_code, reply.status) {
            (Some(_), ..) => Evidence::VendorText,
            (None, Some(_), Some(_)) => Evidence::VendorPair,
            (None, ..) => Evidence::VendorCode,
        };
        let certainty = if is_sure { Certainty::Sure } else { Certainty::Likely };
        let verdict = Verdict {
            happened: reply.meaning,
            reply: Some(reply),
            ..Verdict::of_category(reply.category, evidence, certainty)
        };
        (Some(verdict), vendor)
    }

    /// Returns whether the registry has a row of the enhanced status code.
    fn is_registered(&self) -> bool {
        self.enhanced.is_some_and(|code| code.entry().is_some())
    }

    /// Decides by a pair that is commonly used otherwise than its row.
    fn by_pair(&self) -> Option<Verdict> {
        let advice = Advice::of_pair(self.reply_code?, self.enhanced?)?;
        if self.by_text().is_some_and(|words| words.category != advice.category) {
            return None;
        }
        let certainty = if advice.is_disputed { Certainty::Likely } else { Certainty::Sure };
        (!says_little(advice.category)).then(|| Verdict::of_advice(advice, Evidence::Pair, certainty))
    }

    /// Decides by the registry's row. If the row says little, or vendors use it otherwise and the text says something,
    /// better evidence follows.
    fn by_row(&self, even_if_little: bool) -> Option<Verdict> {
        let code = self.enhanced?;
        let of_pair = self.reply_code.and_then(|reply_code| Advice::of_pair(reply_code, code));
        let advice = match of_pair {
            Some(advice) => advice,
            None => Advice::of_row(code.status(), self.class.unwrap_or(code.class()))?,
        };
        let words = self.by_text();
        let yields = advice.is_disputed || of_pair.is_some();
        let is_contradicted = words.is_some_and(|words| {
            let is_other = words.category != advice.category;
            is_other && (yields || is_about_recipient(advice.category) && is_about_sender(words.category))
        });
        if !even_if_little && (says_little(advice.category) || is_contradicted) {
            return None;
        }
        let is_allowed = code.entry().is_none_or(|entry| entry.classes.contains(code.class()));
        let is_open = says_little(advice.category) || !is_allowed || (advice.is_disputed && words.is_none());
        let agrees = self.class.is_none_or(|class| class == code.class());
        let certainty = match (agrees, is_open) {
            (true, false) => Certainty::Sure,
            (true, true) => Certainty::Likely,
            (false, _) => Certainty::Guess,
        };
        Some(Verdict::of_advice(advice, Evidence::EnhancedCode, certainty))
    }

    /// Decides by words in the text.
    fn by_text(&self) -> Option<Verdict> {
        let class = self.class.or(self.enhanced.map(EnhancedStatusCode::class));
        let phrase = Phrase::first(self.text, self.matches, class, self.stage)?;
        // The row is more precise than a mere word for a policy.
        if says_little(phrase.category) && self.enhanced.is_some() {
            return None;
        }
        Some(Verdict::of_category(phrase.category, Evidence::Text, Certainty::Likely))
    }

    /// Decides by the command that was answered, if there is no enhanced status code or one that leaves it open.
    fn by_stage(&self) -> Option<Verdict> {
        const OPEN: [Option<Status>; 3] = [Status::new(0, 0), Status::new(1, 0), Status::new(7, 0)];
        let is_open = self.enhanced.is_none_or(|code| OPEN.contains(&Some(code.status())));
        if !is_open && !self.is_before_recipients() {
            return None;
        }
        let by_code = Advice::of_reply_code(self.reply_code?, self.stage);
        let (advice, is_of_stage) = match by_code {
            Some(found) => found,
            None => Advice::of_class(self.class?, self.stage)?,
        };
        is_of_stage.then(|| Verdict::of_advice(advice, Evidence::Stage, Certainty::Likely))
    }

    /// Decides by the reply code if the enhanced status code is X.0.0, which only repeats the class (RFC 3463 §3.1).
    fn by_reply_code_of_undefined(&self) -> Option<Verdict> {
        let code = self.enhanced?;
        if Status::new(0, 0) != Some(code.status()) || self.class != Some(code.class()) {
            return None;
        }
        self.by_reply_code().filter(|verdict| !says_little(verdict.category))
    }

    /// Decides by the subject of a code that is not registered.
    fn by_subject(&self) -> Option<Verdict> {
        let code = self.enhanced?;
        let status = Status::new(code.subject(), 0)?;
        let advice = Advice::of_row(status, self.class.unwrap_or(code.class()))?;
        Some(Verdict::of_advice(advice, Evidence::Subject, Certainty::Guess))
    }

    /// Decides by an enhanced status code that lost its dots.
    fn by_missing_dots(&self) -> Option<Verdict> {
        let reply_code = self.reply_code?;
        let code = without_dots(reply_code)?;
        let advice = match Advice::of_reply_code(reply_code, None) {
            Some((advice, _)) => advice,
            None => Advice::of_row(code.status(), code.class())?,
        };
        Some(Verdict::of_advice(advice, Evidence::WithoutDots, Certainty::Guess))
    }

    fn by_reply_code(&self) -> Option<Verdict> {
        let (advice, _) = Advice::of_reply_code(self.reply_code?, None)?;
        // At another stage it may mean something else.
        let certainty = if self.stage.is_some() { Certainty::Likely } else { Certainty::Guess };
        Some(Verdict::of_advice(advice, Evidence::ReplyCode, certainty))
    }

    fn by_class(&self) -> Option<Verdict> {
        let (advice, _) = Advice::of_class(self.class?, None)?;
        Some(Verdict::of_advice(advice, Evidence::FirstDigit, Certainty::Guess))
    }
}

/// Returns whether a category leaves open what is wrong, so that words in the text say more.
fn says_little(category: Category) -> bool {
    matches!(category, Category::Unknown | Category::Policy)
}

fn is_about_recipient(category: Category) -> bool {
    matches!(category.matter(), Matter::RecipientAddress | Matter::RecipientMailbox)
}

fn is_about_sender(category: Category) -> bool {
    matches!(
        category.matter(),
        Matter::SenderAuthentication
            | Matter::SenderConfiguration
            | Matter::SenderContent
            | Matter::SenderReputation
    )
}

/// Returns the enhanced status code that a reply code looks like without its dots, if no RFC has the reply code.
fn without_dots(reply_code: ReplyCode) -> Option<EnhancedStatusCode> {
    if reply_code.entry().is_some() {
        return None;
    }
    let number = reply_code.as_u16();
    let status = Status::new(number / 10 % 10, number % 10)?;
    status.entry()?;
    Some(status.with_class(reply_code.class()?))
}

impl Verdict {
    const NOTHING: Verdict = Verdict {
        category: Category::Unknown,
        evidence: Evidence::Nothing,
        certainty: Certainty::Guess,
        happened: "The text has no code, and its words are not known.",
        advice: None,
        reply: None,
    };

    fn of_category(category: Category, evidence: Evidence, certainty: Certainty) -> Verdict {
        Verdict { category, evidence, certainty, happened: category.meaning(), advice: None, reply: None }
    }

    fn of_advice(advice: &'static Advice, evidence: Evidence, certainty: Certainty) -> Verdict {
        let Advice { category, happened, .. } = *advice;
        Verdict { category, evidence, certainty, happened, advice: Some(advice), reply: None }
    }
}
