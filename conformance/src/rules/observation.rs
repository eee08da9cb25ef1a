//! One reply and everything a rule may look at to judge it.

use smtp_enhanced_status::{EnhancedStatusCode, ReplyCode};

use crate::dialogue::session::{Session, Step};
use crate::dialogue::{Act, Exchange};
use crate::knowledge::Knowledge;
use crate::protocol::Protocol;
use crate::protocol::command::{Command, Verb};
use crate::protocol::reply::Reply;

/// One reply, the act it answers, and the session before that.
#[derive(Clone, Copy, Debug)]
pub struct Observation<'a> {
    /// The reply.
    pub reply: Reply<'a>,
    /// Which of the exchange's replies it is, from 0.
    pub nth: usize,
    /// The exchange.
    pub exchange: &'a Exchange,
    /// The command that the reply answers; `None` for a greeting, a response to a challenge, a message.
    pub command: Option<Command<'a>>,
    /// The session before the act.
    pub session: &'a Session,
    /// What the tester was told about the server.
    pub knowledge: &'a Knowledge,
}

impl<'a> Observation<'a> {
    /// The replies of a step, in their order.
    pub fn all(step: &'a Step<'a>, knowledge: &'a Knowledge) -> impl Iterator<Item = Observation<'a>> {
        let Step { exchange, command, replies, session } = step;
        let observation = move |(nth, reply): (usize, &Reply<'a>)| Observation {
            reply: *reply,
            nth,
            exchange,
            command: *command,
            session,
            knowledge,
        };
        replies.iter().enumerate().map(observation)
    }

    /// Whether it surely answers the act: a reply too many may belong to anything. After a message to several LMTP
    /// recipients there is one for each.
    #[must_use]
    pub fn is_sure(&self) -> bool {
        self.exchange.sure
            && !self.is_taken_for_response()
            && (self.nth == 0 || (self.is_lmtp() && self.is_end_of_data()))
    }

    /// Whether a command was sent within an AUTH exchange, so that the server takes it for a response (RFC 4954 §4).
    fn is_taken_for_response(&self) -> bool {
        self.session.authenticating.is_some() && self.command.is_some()
    }

    /// The verb of its command.
    #[must_use]
    pub fn verb(&self) -> Option<Verb> {
        self.command.map(|command| command.verb())
    }

    /// The reply code as a number, 200 to 599.
    #[must_use]
    pub fn number(&self) -> Option<u16> {
        self.reply.code().map(ReplyCode::get)
    }

    /// The first digit of the reply code.
    #[must_use]
    pub fn digit(&self) -> Option<u16> {
        self.number().map(|number| number / 100)
    }

    /// Whether the reply code is one of these.
    #[must_use]
    pub fn is(&self, numbers: &[u16]) -> bool {
        self.number().is_some_and(|number| numbers.contains(&number))
    }

    /// The enhanced status code, if it stands where it should.
    #[must_use]
    pub fn enhanced(&self) -> Option<EnhancedStatusCode> {
        self.reply.enhanced()
    }

    /// Whether it is the greeting.
    #[must_use]
    pub fn is_greeting(&self) -> bool {
        self.exchange.act == Act::Connect
    }

    /// Whether it answers EHLO, HELO or LHLO.
    #[must_use]
    pub fn is_hello(&self) -> bool {
        self.verb().is_some_and(Verb::is_hello)
    }

    /// Whether it is the reply after the final dot, or to the last chunk.
    #[must_use]
    pub fn is_end_of_data(&self) -> bool {
        match &self.exchange.act {
            Act::Message(_) => true,
            Act::Chunk { .. } => self.command.is_some_and(|command| command.is_last_chunk()),
            _ => false,
        }
    }

    /// Whether it belongs to an AUTH exchange.
    #[must_use]
    pub fn is_authentication(&self) -> bool {
        self.verb() == Some(Verb::Auth) || matches!(self.exchange.act, Act::Response(_))
    }

    /// Whether RFC 2034 §4 wants no enhanced status code here: the greeting, any reply to EHLO, HELO or LHLO, 3yz.
    #[must_use]
    pub fn is_exempt(&self) -> bool {
        self.is_greeting() || self.is_hello() || self.digit() == Some(3)
    }

    /// Whether the server promised enhanced status codes for this reply.
    #[must_use]
    pub fn promises_code(&self) -> bool {
        self.session.promises_codes()
    }

    /// Whether a mail server speaks LMTP here.
    #[must_use]
    pub fn is_lmtp(&self) -> bool {
        self.session.protocol == Protocol::Lmtp
    }

    /// Whether it is a submission server.
    #[must_use]
    pub fn is_submission(&self) -> bool {
        self.session.protocol == Protocol::Submission
    }

    /// Whether the session stood as the command needs it and the server asks for nothing first: no 421, and no 530 for
    /// want of TLS or of authentication. A reply that is such an answer says nothing about the command.
    #[must_use]
    pub fn is_about_command(&self) -> bool {
        self.exchange.sure && !self.is(&[421, 530])
    }
}
