//! Observations: one reply and everything that a reply rule may look at.

use smtp_enhanced_status::{EnhancedStatusCode, ReplyCode};

use crate::dialogue::content::lines;
use crate::dialogue::matching::Match;
use crate::dialogue::octets::is_shortened;
use crate::dialogue::session::{Session, Step};
use crate::dialogue::{Act, Exchange};
use crate::knowledge::Knowledge;
use crate::protocol::Protocol;
use crate::protocol::command::{Command, Verb};
use crate::protocol::reply::Reply;

/// One reply, the act it answers, and the session before that act.
#[derive(Clone, Copy, Debug)]
pub struct Observation<'a> {
    /// The reply.
    pub reply: Reply<'a>,
    /// The index of the reply in its exchange, from 0.
    pub nth: usize,
    /// The exchange.
    pub exchange: &'a Exchange,
    /// The command that the reply answers. `None` after connecting, a response to a challenge, or a message.
    pub command: Option<Command<'a>>,
    /// The session before the act.
    pub session: &'a Session,
    /// How surely the replies of the exchange answer the act.
    matched: Match,
    /// What the target's file says about the server.
    pub knowledge: &'a Knowledge,
}

impl<'a> Observation<'a> {
    /// Returns an observation for each reply of a step, in order.
    pub(crate) fn all(
        step: &'a Step<'a>,
        matched: Match,
        knowledge: &'a Knowledge,
    ) -> impl Iterator<Item = Observation<'a>> {
        let Step { exchange, command, replies, session } = step;
        let observation = move |(nth, reply): (usize, &Reply<'a>)| Observation {
            reply: *reply,
            nth,
            exchange,
            command: *command,
            session,
            matched,
            knowledge,
        };
        replies.iter().enumerate().map(observation)
    }

    /// Returns whether the reply certainly answers the act.
    #[must_use]
    pub fn is_sure(&self) -> bool {
        self.exchange.sure && !self.is_taken_for_response() && self.is_due()
    }

    /// Returns whether the reply is one that is due to the act: the first one, or after an LMTP message any, because
    /// each recipient gets one. If replies to earlier acts came first, it is the last one.
    #[must_use]
    pub(crate) fn is_due(&self) -> bool {
        match self.matched {
            Match::Certain | Match::Assumed => self.nth == 0 || self.is_lmtp() && self.is_end_of_data(),
            Match::Last => self.nth + 1 == self.exchange.answers.len(),
            Match::Lost => false,
        }
    }

    /// Returns whether it is known that replies are missing, or that more came than were due, and not which one answers
    /// the act. Such a reply may not be an answer at all.
    #[must_use]
    pub(crate) fn is_lost(&self) -> bool {
        self.matched == Match::Lost || self.matched == Match::Last && !self.is_due()
    }

    /// Returns whether a command was sent during an AUTH exchange, so that the server reads it as a response
    /// (RFC 4954 §4).
    fn is_taken_for_response(&self) -> bool {
        self.session.authenticating.is_some() && self.command.is_some()
    }

    /// The verb of the command.
    #[must_use]
    pub fn verb(&self) -> Option<Verb> {
        self.command.map(|command| command.verb())
    }

    /// The reply code as a number, 200 to 599.
    #[must_use]
    pub fn number(&self) -> Option<u16> {
        self.reply.code().map(ReplyCode::as_u16)
    }

    /// The first digit of the reply code.
    #[must_use]
    pub fn digit(&self) -> Option<u16> {
        self.number().map(|number| number / 100)
    }

    /// Returns whether the reply code is one of `numbers`.
    #[must_use]
    pub fn is(&self, numbers: &[u16]) -> bool {
        self.number().is_some_and(|number| numbers.contains(&number))
    }

    /// The enhanced status code, if it is where it belongs.
    #[must_use]
    pub fn enhanced(&self) -> Option<EnhancedStatusCode> {
        self.reply.enhanced()
    }

    /// Returns whether the enhanced status code has one of these subjects and details, of any class.
    #[must_use]
    pub fn has_detail(&self, details: &[(u16, u16)]) -> bool {
        self.enhanced().is_some_and(|code| details.contains(&(code.subject(), code.detail())))
    }

    /// The codes of the reply, for a finding's detail: `550 5.1.1`.
    #[must_use]
    pub fn codes(&self) -> String {
        let number = self.number().unwrap_or_default();
        match self.enhanced() {
            Some(code) => format!("{number} {code}"),
            None => number.to_string(),
        }
    }

    /// Returns whether the text of the reply contains one of `words`, which are in lower case.
    #[must_use]
    pub fn says(&self, words: &[&str]) -> bool {
        self.reply.says(words)
    }

    /// Returns whether the reply is 2yz.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.digit() == Some(2)
    }

    /// Returns whether the reply is 5yz.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.digit() == Some(5)
    }

    /// Returns whether the reply is 4yz or 5yz.
    #[must_use]
    pub fn is_turned_down(&self) -> bool {
        matches!(self.digit(), Some(4 | 5))
    }

    /// Returns whether the reply is the greeting, or another one after XCLIENT.
    #[must_use]
    pub fn is_greeting(&self) -> bool {
        let again = self.is(&[220]) && self.command.is_some_and(|command| command.is_proxying());
        self.exchange.act == Act::Connect || again
    }

    /// Returns whether the reply answers EHLO, HELO or LHLO.
    #[must_use]
    pub fn is_hello(&self) -> bool {
        self.verb().is_some_and(Verb::is_hello)
    }

    /// Returns whether the reply answers a whole message: after the final dot, or to the last chunk.
    #[must_use]
    pub fn is_end_of_data(&self) -> bool {
        match &self.exchange.act {
            act @ Act::Message(_) => !self.session.leaves_message_open(act),
            Act::Chunk { .. } => self.command.is_some_and(|command| command.is_last_chunk()),
            _ => false,
        }
    }

    /// Returns the octets of the message that the reply answers, if they were sent in one part and the recording has them
    /// all.
    pub(crate) fn whole_message(&self) -> Option<&'a [u8]> {
        let (octets, is_first) = match &self.exchange.act {
            Act::Message(octets) => (octets, self.session.text().is_empty()),
            Act::Chunk { octets, .. } => {
                let begun = self.session.transaction.as_ref();
                (octets, begun.is_some_and(|transaction| transaction.chunked.is_none()))
            }
            _ => return None,
        };
        let is_whole = is_first && self.is_end_of_data() && !lines(octets).any(is_shortened);
        is_whole.then_some(octets.as_slice())
    }

    /// Returns whether the reply belongs to an AUTH exchange.
    #[must_use]
    pub fn is_authentication(&self) -> bool {
        self.verb() == Some(Verb::Auth) || matches!(self.exchange.act, Act::Response(_))
    }

    /// Returns whether RFC 2034 §4 exempts the reply from enhanced status codes: the greeting, replies to EHLO, HELO
    /// and LHLO, and 3yz replies.
    #[must_use]
    pub fn is_exempt(&self) -> bool {
        self.is_greeting() || self.is_hello() || self.digit() == Some(3)
    }

    /// Returns whether the server announced enhanced status codes before this reply.
    #[must_use]
    pub fn promises_code(&self) -> bool {
        self.session.promises_codes()
    }

    /// Returns whether a server with enhanced status codes must send one here: it announced them in this session, or the
    /// client has not said EHLO in it and the server announced them elsewhere in the run. RFC 2034 §4 demands them
    /// whether or not the client employs EHLO.
    #[must_use]
    pub fn owes_code(&self) -> bool {
        let unextended = matches!(self.session.hello, None | Some(Verb::Helo));
        self.promises_code() || (unextended && self.session.run_promises_codes)
    }

    /// Returns whether the server speaks LMTP.
    #[must_use]
    pub fn is_lmtp(&self) -> bool {
        self.session.protocol == Protocol::Lmtp
    }

    /// Returns whether the server is a submission server.
    #[must_use]
    pub fn is_submission(&self) -> bool {
        self.session.protocol == Protocol::Submission
    }

    /// Returns whether the reply refuses because the client has not logged in, as its text shows. X.7.20 to X.7.29 are
    /// about the authentication of messages, not of clients.
    #[must_use]
    pub fn demands_login(&self) -> bool {
        const DEMANDS: [&str; 14] = [
            "authentication required",
            "authentication is required",
            "authentication needed",
            "requires authentication",
            "must authenticate",
            "must be authenticated",
            "need to authenticate",
            "please authenticate",
            "authenticate first",
            "not authenticated",
            "must issue an auth",
            "log in first",
            "login first",
            "login required",
        ];
        let of_message = self.enhanced().is_some_and(|code| code.subject() == 7 && code.detail() >= 20);
        self.is_refused() && !self.is_authentication() && !of_message && self.says(&DEMANDS)
    }

    /// Returns whether the reply says that the negotiated TLS is too weak, for which RFC 3207 §4.1 has 554 to every
    /// command but QUIT.
    #[must_use]
    pub fn refuses_weak_tls(&self) -> bool {
        const WORDS: [&str; 4] = ["lack of security", "cipher", "encryption", "tls"];
        self.session.tls && self.is(&[554]) && (self.says(&WORDS) || self.has_detail(&[(7, 10)]))
    }

    /// Returns whether the reply is about the command. 421 is not, nor is 530, which asks for TLS or authentication
    /// first, nor a reply that may belong to another act.
    #[must_use]
    pub fn is_about_command(&self) -> bool {
        self.exchange.sure && !self.is(&[421, 530])
    }
}
