//! Runs cases on a connection.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use super::attempt::{Attempt, Attempted, Readiness};
use super::offers::Offers;
use super::requirements;
use super::runner::{Driven, Runner};
use crate::case::template::Template;
use crate::case::{Action, Case, Expectation, Happened, Safety, Start, Step, fits};
use crate::client::Connection;
use crate::dialogue::{Act, End, Exchange};
use crate::limits::SENT_OCTETS;
use crate::protocol::Protocol;
use crate::protocol::command::Verb;
use crate::protocol::reply::Reply;
use crate::record::outcome::Reason;
use crate::target::CLIENT;

use smtp_enhanced_status::Class;
use tokio::time::{Instant, sleep};

/// The number of refusals after which the next case gets a new connection, because servers close after a few or slow
/// down.
const TIRED: usize = 3;

/// The reason of a case whose connection the client ended.
const TOO_MUCH: &str = "the server sent more octets than one connection may take";

/// The name of a connection that several cases share.
const SESSION: &str = "session";

/// Words of servers that want a login first.
const LOGIN: [&str; 4] = ["authenticat", "auth first", "log in", "login"];

/// How a case stops: what that means, and the reason.
type Stop = (Happened, Option<Reason>);

const EXPECTED: Stop = (Happened::Expected, None);

fn stop(happened: Happened, reason: impl Into<Reason>) -> Stop {
    (happened, Some(reason.into()))
}

impl Runner<'_> {
    pub(super) fn template(&self, offers: Option<&Offers>) -> Template<'_> {
        Template {
            target: self.target,
            size_limit: self.requirements().size_limit(offers),
            solicitation: offers.and_then(|offers| {
                requirements::solicitation(&offers.clear)
                    .or_else(|| requirements::solicitation(offers.tls.as_ref()?))
            }),
            markers: Some(&self.markers),
        }
    }

    /// Runs cases one after the other on one connection, as long as it stays usable. An interruption drops it.
    pub(super) async fn drive<'c>(&self, batch: &[Attempt<'c>], offers: &Offers) -> Driven<'c> {
        tokio::select! {
            driven = self.drive_through(batch, offers) => driven,
            () = self.plan.interruption.happened() => Driven::none(batch, Reason::Interrupted),
        }
    }

    async fn drive_through<'c>(&self, batch: &[Attempt<'c>], offers: &Offers) -> Driven<'c> {
        let Some(first) = batch.first() else { return Driven::none(batch, Reason::Interrupted) };
        if !self.politeness.between.is_zero() {
            sleep(self.politeness.between).await;
        }
        let name = if first.alone { &first.case.id } else { SESSION };
        let mut connection = match self.connect(name).await {
            Ok(connection) => connection,
            Err(_) if self.is_out_of_time() => return Driven::none(batch, Reason::OutOfTime),
            Err(error) => return Driven::none(batch, format!("no connection: {error}")),
        };
        let template = self.template(Some(offers));
        let (mut attempted, mut left) = (Vec::new(), Vec::new());
        for attempt in batch {
            let used = !attempted.is_empty();
            if used && !self.tidy(&mut connection).await {
                left.push(*attempt);
                continue;
            }
            let mut answers = Answers::default();
            let before = connection.exchanges().len();
            let (happened, reason) =
                self.attempt(attempt, used, &mut connection, &template, offers, &mut answers).await;
            let own = connection.exchanges().get(before..).unwrap_or_default();
            let last = own.last().and_then(Exchange::number);
            let denied = answers.outcomes.is_empty()
                && answers.subjects.is_empty()
                && !connection.session().authenticated
                && own.iter().any(|exchange| is_denied(exchange, self.target.protocol));
            let unready = denied || happened == Happened::Blocked && last == Some(530);
            let Answers { outcomes, subjects } = answers;
            let subjects = subjects.into_values().collect();
            attempted.push(Attempted {
                attempt: *attempt,
                happened,
                reason,
                unready,
                used,
                outcomes,
                subjects,
            });
        }
        Driven { attempted, left, dialogue: Some(self.finish(connection).await) }
    }

    async fn attempt(
        &self,
        attempt: &Attempt<'_>,
        used: bool,
        connection: &mut Connection,
        template: &Template<'_>,
        offers: &Offers,
        answers: &mut Answers,
    ) -> Stop {
        let before = connection.exchanges().len();
        let mut opening = 0..0;
        let driving = async {
            // On a shared connection, the exchanges of the opening belong to no case.
            if attempt.alone {
                connection.mark(&attempt.case.id);
            }
            if !used {
                self.open(attempt, connection, template, offers).await?;
            }
            if !attempt.alone {
                connection.mark(&attempt.case.id);
            }
            begin(attempt.case.start, connection, template).await?;
            if attempt.case.opening {
                opening = before..connection.exchanges().len();
            }
            let refusals = self.politeness.refusals;
            let case = attempt.case;
            let mut driver = Driver { runner: self, offers, case, connection, template, refusals, answers };
            Ok(driver.steps(self.until).await)
        };
        let stopped = driving.await.unwrap_or_else(|stopped: Stop| stopped);
        // If our own time limit ran out, or something could not be sent, silence says nothing about the server.
        let reason = if connection.is_silent() && connection.is_over() {
            self.stop_reason_of_connection()
        } else if connection.is_stuck() {
            "the server did not read what was sent".into()
        } else if connection.is_overflowed() {
            TOO_MUCH.into()
        } else {
            if !opening.is_empty() {
                answers.subjects.insert(usize::MAX, opening);
            }
            return stopped;
        };
        *answers = Answers::default();
        stop(Happened::Inconclusive, reason)
    }

    /// Makes a used connection ready for another case. Returns whether it is ready.
    async fn tidy(&self, connection: &mut Connection) -> bool {
        let session = connection.session();
        if !connection.is_orderly() || session.shut_down || session.refusals >= TIRED {
            return false;
        }
        let clear = session.transaction.is_none() || connection.command("RSET").await == Some(250);
        clear && connection.is_orderly() && connection.session().transaction.is_none()
    }

    /// Reads the greeting and opens the session to the state that the case and the attempt demand.
    async fn open(
        &self,
        attempt: &Attempt<'_>,
        connection: &mut Connection,
        template: &Template<'_>,
        offers: &Offers,
    ) -> Result<(), Stop> {
        let start = attempt.case.start;
        if start == Start::Early {
            return Ok(());
        }
        let greeting = connection.greet().await;
        if connection.is_silent() {
            return Err(stop(Happened::Inconclusive, self.silence()));
        }
        if matches!(greeting, Some(200 | 201)) {
            // The replies to EHLO and HELO distinguish an NNTP server from a broken mail server.
            connection.hello().await;
        }
        wanted(greeting, "220", connection, "the greeting")?;
        let hello = match (start, self.target.protocol) {
            (Start::Connect, _) => return Ok(()),
            (Start::Helo, _) => {
                let number = connection.command(&format!("HELO {CLIENT}")).await;
                return wanted(number, "250", connection, "HELO");
            }
            (_, Protocol::Lmtp) => "LHLO",
            _ => "EHLO",
        };
        wanted(connection.hello().await, "250", connection, hello)?;
        let readiness = match start {
            Start::Tls => Readiness::Tls,
            Start::Authenticated => Readiness::Login,
            _ => attempt.readiness,
        };
        // If the handshake failed before, only a case about TLS tries it again.
        let begins_tls = offers.clear.has("STARTTLS") && (offers.tls.is_some() || start == Start::Tls);
        if readiness >= Readiness::Tls && !connection.session().tls && begins_tls {
            wanted(connection.command("STARTTLS").await, "220", connection, "STARTTLS")?;
            if !connection.begin_tls().await {
                let why = connection.failure().unwrap_or("the server closed the connection");
                return Err(stop(Happened::Inconclusive, format!("the TLS handshake failed: {why}")));
            }
            wanted(connection.hello().await, "250", connection, hello)?;
        }
        if readiness == Readiness::Login {
            if let Some(objection) = self.secrecy.objection(connection, offers) {
                return Err(stop(Happened::Withheld, objection.to_owned()));
            }
            let line = template.fill("AUTH PLAIN {plain}", 1).map_err(|error| ours(&error))?;
            wanted(connection.command(&line).await, "235", connection, "AUTH")?;
        }
        Ok(())
    }
}

/// Brings a session to the state in which the steps begin.
async fn begin(start: Start, connection: &mut Connection, template: &Template<'_>) -> Result<(), Stop> {
    if matches!(start, Start::Transaction | Start::Recipient) {
        let line = format!("MAIL FROM:<{}>", template.sender());
        wanted(connection.command(&line).await, "250", connection, "MAIL")?;
    }
    if start == Start::Recipient {
        let line = template.fill("RCPT TO:<{valid}>", 1).map_err(|error| ours(&error))?;
        wanted(connection.command(&line).await, "2yz", connection, "RCPT")?;
    }
    Ok(())
}

fn command(line: &str) -> Act {
    Act::Command(format!("{line}\r\n").into_bytes())
}

/// Returns whether a command other than AUTH was refused for want of a login: with words that say so, or, by a submission
/// server, with 5.7.z (RFC 6409 §4.3). Not all servers answer 530.
fn is_denied(exchange: &Exchange, protocol: Protocol) -> bool {
    let is_policy = |reply: &Reply<'_>| {
        let code = reply.enhanced();
        code.is_some_and(|code| code.class() == Class::Permanent && code.subject() == 7)
    };
    let denies = |reply: Reply<'_>| {
        let is_refusal = reply.number().is_some_and(|number| number >= 500);
        is_refusal && (reply.says(&LOGIN) || protocol == Protocol::Submission && is_policy(&reply))
    };
    let other = exchange.command().is_some_and(|command| command.verb() != Verb::Auth);
    other && exchange.replies().any(denies)
}

fn ours(error: &anyhow::Error) -> Stop {
    stop(Happened::Error, format!("{error:#}"))
}

/// Checks the reply to a command of the opening. Any other code than the wanted one stops the case.
fn wanted(number: Option<u16>, pattern: &str, connection: &Connection, what: &str) -> Result<(), Stop> {
    match number {
        Some(number) if fits(number, pattern) => Ok(()),
        Some(number) if number / 100 == 5 => {
            Err(stop(Happened::Blocked, format!("{what} was answered with {number}")))
        }
        Some(number) => Err(stop(Happened::Inconclusive, format!("{what} was answered with {number}"))),
        None if connection.is_open() => Err(stop(Happened::Inconclusive, format!("{what} was not answered"))),
        None => Err(stop(Happened::Inconclusive, format!("the server closed the connection at {what}"))),
    }
}

struct Driver<'a> {
    runner: &'a Runner<'a>,
    offers: &'a Offers,
    case: &'a Case,
    connection: &'a mut Connection,
    template: &'a Template<'a>,
    /// The number of refusals after which the connection is given up.
    refusals: usize,
    answers: &'a mut Answers,
}

/// What a case got in reply.
#[derive(Default)]
struct Answers {
    /// The indexes of the case's outcomes that matched a reply.
    outcomes: Vec<usize>,
    /// For each step that asked something, its exchanges with the last expected reply.
    subjects: BTreeMap<usize, Range<usize>>,
}

/// What became of a step.
enum Done {
    /// It was not done, because the server waits for something else.
    No,
    /// It was done, and no reply is due.
    Silent,
    /// It was done, and the last reply has this code.
    Answered(Option<u16>),
}

impl Driver<'_> {
    async fn steps(&mut self, until: Instant) -> Stop {
        let mut number = self.connection.last().and_then(Exchange::number);
        for (index, step) in self.case.steps.iter().enumerate() {
            if let Some(pattern) = &step.only_after
                && !number.is_some_and(|number| fits(number, pattern))
            {
                let answered =
                    index.checked_sub(1).is_some_and(|before| self.answers.subjects.contains_key(&before));
                return if answered { EXPECTED } else { self.leave_out(index, number) };
            }
            for n in 1..=step.repeat {
                if !self.connection.is_open() && index > 0 {
                    return self.decide(index, None, End::Closed).unwrap_or(EXPECTED);
                }
                if Instant::now() >= until {
                    return stop(Happened::Inconclusive, Reason::OutOfTime);
                }
                if self.connection.sent() > SENT_OCTETS {
                    let reason = format!("a case may send at most {SENT_OCTETS} octets on one connection");
                    return stop(Happened::Inconclusive, reason);
                }
                if self.connection.session().refusals >= self.refusals {
                    let reason = format!("the connection was given up after {} refusals", self.refusals);
                    return stop(Happened::Inconclusive, reason);
                }
                if let Some(objection) = self.objection(step) {
                    return stop(Happened::Withheld, objection.to_owned());
                }
                if self.is_out_of_step(&step.action) {
                    self.connection.abandon();
                    return self.leave_out(index, number);
                }
                let ahead = self.case.steps.get(index + 1).map_or(&[][..], Step::early_octets);
                match self.step(step, n, ahead).await {
                    Err(error) => return ours(&error),
                    Ok(Done::No) => return self.leave_out(index, number),
                    Ok(Done::Silent) => {}
                    Ok(Done::Answered(answer)) => {
                        number = answer;
                        let end = self.connection.last().map_or(End::Answered, |exchange| exchange.end);
                        if let Some(decided) = self.decide(index, number, end) {
                            return decided;
                        }
                        let fit = |pattern: &String| number.is_some_and(|number| fits(number, pattern));
                        if !step.while_reply.as_ref().is_none_or(fit) {
                            break;
                        }
                    }
                }
            }
        }
        EXPECTED
    }

    /// Returns whether the server would take a step for something else: for lines of a message, or for TLS.
    fn is_out_of_step(&self, action: &Action) -> bool {
        let session = self.connection.session();
        let waits = matches!(action, Action::StartTls | Action::Pause(_) | Action::Listen(_));
        session.is_in_data() && action.is_command() || session.awaits_handshake && !waits
    }

    /// Ends a case whose other steps are not done because of a reply. It went as expected if the replies so far answer all
    /// that it asks.
    fn leave_out(&self, index: usize, number: Option<u16>) -> Stop {
        let asks = self.case.steps.iter().skip(index).any(|step| !step.expect.is_empty());
        if !self.case.asks() || !self.answers.subjects.is_empty() && !asks {
            return EXPECTED;
        }
        let reason = match number {
            Some(number) => format!("step {} was not done after {number}", index + 1),
            None => format!("step {} was not done", index + 1),
        };
        stop(Happened::Inconclusive, reason)
    }

    /// Returns why a step may not be done, if so. If a message must not be completed, the connection is dropped.
    fn objection(&mut self, step: &Step) -> Option<&'static str> {
        if step.takes_credentials {
            return self.runner.secrecy.objection(self.connection, self.offers);
        }
        if !self.completes_a_message(step) || self.may_deliver() {
            return None;
        }
        self.connection.abandon();
        Some("completing the message, which the server may deliver, needs --allow delivers")
    }

    /// Returns whether a step sends the end of a message to a server that waits for it.
    fn completes_a_message(&self, step: &Step) -> bool {
        match step.action {
            Action::Message(_) | Action::MessageThen(_) | Action::RawMessage(_) => {
                self.connection.last().and_then(Exchange::number) == Some(354)
            }
            Action::Chunk(_, last) => last,
            _ => false,
        }
    }

    /// Returns whether a message may be completed: deliveries are allowed, or the server has refused every recipient.
    fn may_deliver(&self) -> bool {
        let is_sure = self.connection.last().is_some_and(|exchange| exchange.sure);
        self.runner.plan.allowed.contains(&Safety::Delivers)
            || is_sure && self.connection.session().has_only_refused_recipients()
    }

    /// Performs a step. `ahead` is what is sent with it of the next step.
    async fn step(&mut self, step: &Step, n: usize, ahead: &[u8]) -> anyhow::Result<Done> {
        let last = self.connection.last().and_then(Exchange::number);
        let is_in_data = self.connection.session().is_in_data() || last == Some(354);
        let quiet = Duration::from_secs_f64(step.quiet.unwrap_or_default());
        let fill = |text: &str| self.template.fill(text, n);
        let connection = &mut *self.connection;
        let number = match &step.action {
            Action::Send(line) if connection.last().is_none() => connection.command_early(&fill(line)?).await,
            Action::Send(line) if ahead.is_empty() => connection.command(&fill(line)?).await,
            Action::Send(line) => connection.group(vec![command(&fill(line)?)], ahead).await,
            Action::Raw(octets, replies) if step.quiet.is_none() => {
                connection.act_raw(fill(octets)?.as_bytes(), *replies).await
            }
            Action::Raw(octets, _) => connection.raw_part(fill(octets)?.as_bytes(), quiet).await,
            Action::Pipeline(lines) => {
                let acts = lines.iter().map(|line| Ok(command(&fill(line)?)));
                connection.group(acts.collect::<anyhow::Result<_>>()?, ahead).await
            }
            Action::Message(_) | Action::MessageThen(_) | Action::RawMessage(_) if !is_in_data => {
                return Ok(Done::No);
            }
            Action::MessageThen(texts) => {
                let act = |(index, text): (usize, &String)| match index {
                    0 => Ok(Act::Message(format!("{}.\r\n", fill(text)?).into_bytes())),
                    _ => Ok(command(&fill(text)?)),
                };
                let acts = texts.iter().enumerate().map(act);
                connection.group(acts.collect::<anyhow::Result<_>>()?, ahead).await
            }
            Action::Message(octets) => connection.message(format!("{}.\r\n", fill(octets)?).as_bytes()).await,
            Action::RawMessage(octets) if step.quiet.is_none() => {
                connection.message(fill(octets)?.as_bytes()).await
            }
            Action::RawMessage(octets) => connection.message_part(fill(octets)?.as_bytes(), quiet).await,
            Action::Response(_) if last != Some(334) => return Ok(Done::No),
            Action::Response(text) => {
                let octets = format!("{}\r\n", fill(text)?).into_bytes();
                connection.act(Act::Response(octets.clone()), &octets, 1).await
            }
            Action::Chunk(octets, last) => connection.chunk(fill(octets)?.as_bytes(), *last).await,
            Action::StartTls if !connection.session().awaits_handshake => return Ok(Done::No),
            Action::StartTls => {
                connection.begin_tls().await;
                return Ok(Done::Silent);
            }
            Action::Pause(seconds) => {
                sleep(Duration::from_secs_f64(*seconds)).await;
                return Ok(Done::Silent);
            }
            Action::Listen(seconds) => connection.listen(Duration::from_secs_f64(*seconds)).await,
        };
        Ok(Done::Answered(number))
    }

    /// Returns how the reply to a step ends the case, or `None` to continue.
    fn decide(&mut self, index: usize, number: Option<u16>, end: End) -> Option<Stop> {
        let case = self.case;
        let step = case.steps.get(index)?;
        let last = self.connection.exchanges().len().checked_sub(1)?;
        let first = (last + 1).saturating_sub(step.action.acts());
        let seen = Seen {
            number,
            is_closed: end == End::Closed,
            is_silent: match step.action {
                Action::Listen(_) => number.is_none(),
                _ => self.connection.last().is_some_and(|exchange| exchange.received() == 0),
            },
        };
        let what = match (number, end) {
            (Some(number), _) => format!("step {} was answered with {number}", index + 1),
            (None, End::Closed | End::Failed) => {
                format!("the server closed the connection at step {}", index + 1)
            }
            (None, _) => format!("step {} was not answered", index + 1),
        };
        let fit = |outcome: &Expectation| {
            outcome.step.is_none_or(|step| step == index + 1) && seen.is(&outcome.reply)
        };
        if let Some((place, outcome)) = case.outcomes.iter().enumerate().find(|(_, outcome)| fit(outcome)) {
            self.answers.outcomes.push(place);
            return Some(stop(outcome.is, what));
        }
        if step.expect.iter().any(|pattern| seen.is(pattern)) {
            self.answers.subjects.insert(index, first..last + 1);
            return None;
        }
        match number {
            Some(530) => Some(stop(Happened::Blocked, what)),
            Some(200..400) if step.expect.is_empty() => None,
            Some(500..) if !case.asks() => None,
            // The next step says which reply it needs.
            Some(_) if step.expect.is_empty() && case.steps.get(index + 1).is_some_and(Step::is_guarded) => {
                None
            }
            None if step.may_be_silent() && end != End::Closed => None,
            Some(200..400 | 500..) => Some(stop(Happened::Otherwise, what)),
            Some(_) | None => Some(stop(Happened::Inconclusive, what)),
        }
    }
}

/// What came in reply to a step.
struct Seen {
    number: Option<u16>,
    is_closed: bool,
    is_silent: bool,
}

impl Seen {
    fn is(&self, pattern: &str) -> bool {
        match pattern {
            "none" => self.is_silent && !self.is_closed,
            "closed" => self.is_closed,
            pattern => self.number.is_some_and(|number| fits(number, pattern)),
        }
    }
}
