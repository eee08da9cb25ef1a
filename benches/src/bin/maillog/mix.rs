//! The mix: what the lines say, and how often.
//!
//! In a text, `{user}`, `{domain}`, `{ip}`, `{id}`, `{token}`, `{number}` and `{small}` are placeholders.

/// What to choose from. The first number is how often to choose what comes second.
pub(crate) type Choices<T> = [(u64, T)];

/// After which command a client is lost.
pub(crate) const LOST: &Choices<&str> = &[(3, "CONNECT"), (2, "EHLO"), (3, "AUTH"), (2, "RCPT")];

/// How many recipients a message has.
pub(crate) const RECIPIENTS: &Choices<u64> = &[(85, 1), (10, 2), (5, 3)];

/// Replies to messages that are accepted.
pub(crate) const SENT: &Choices<&str> = &[
    (62, "250 2.0.0 Ok: queued as {id}"),
    (16, "250 2.0.0 OK {number} {token}-{token}.{small} - mx"),
    (
        8,
        "250 2.6.0 <{token}@{domain}> [InternalId={number}, Hostname=store{small}.{domain}] {number} bytes in 0.{small} sec Queued for delivery",
    ),
    (4, "250 2.1.5 Message accepted for {user}@{domain}"),
    (7, "250 OK id={token}-{token}"),
    (3, "250 ok {number} qp {small}"),
];

/// Replies that refuse for good, with the stage that they answer.
pub(crate) const BOUNCED: &Choices<(&str, &str)> = &[
    (
        30,
        (
            "550 5.1.1 <{user}@{domain}>: Recipient address rejected: User unknown in virtual mailbox table",
            RCPT,
        ),
    ),
    (
        12,
        (
            "550-5.1.1 There is no account with the address that you wrote to. Check it for 550-5.1.1 typing errors and \
             blanks, and see 550 5.1.1  https://help.{domain}/no-such-account?p={token} {token} - mx",
            RCPT,
        ),
    ),
    (8, ("550 No such user", RCPT)),
    (5, ("550 5.1.10 Recipient not found: lookup of {user}@{domain} gave nothing", RCPT)),
    (5, ("552 5.2.2 The mailbox of {user} is over its quota", RCPT)),
    (3, ("550 4.2.2 Over quota", RCPT)),
    (
        10,
        (
            "554 5.7.1 Service unavailable; client [{ip}] is listed by list.{domain}, see https://list.{domain}/ask/{ip}",
            RCPT,
        ),
    ),
    (
        8,
        (
            "550-5.7.26 The sender could not be authenticated. 550-5.7.26 SPF [{domain}] with ip: [{ip}] = fail \
             550 5.7.26  DKIM = fail, see https://help.{domain}/authentication {token} - mx",
            END,
        ),
    ),
    (6, ("554 5.7.9 Refused for reasons of policy, see https://postmaster.{domain}/codes", END)),
    (
        4,
        (
            "550 5.7.606 Access denied, the sending address [{ip}] is banned, ask https://sender.{domain}/ AS({number})",
            RCPT,
        ),
    ),
    (4, ("550 Mail from you is blocked here [{token}.mx{small}] (#550)", END)),
    (4, ("550 there is no mailbox of that name. (#5.1.1)", RCPT)),
    (3, ("552 5.3.4 The message is larger than the limit", END)),
    (
        3,
        (
            "554-mx.{domain} 554 Your host has a bad reputation. If you think that this is a mistake, write to the \
             recipient in another way.",
            MAIL,
        ),
    ),
    (
        2,
        (
            "550-Verification of <{user}@{domain}> failed 550-Its server said 550 5.1.1 unknown 550 Sender verify failed",
            RCPT,
        ),
    ),
];

/// Replies that refuse for now, with the stage that they answer.
pub(crate) const DEFERRED: &Choices<(&str, &str)> = &[
    (30, ("450 4.2.0 <{user}@{domain}>: Recipient address rejected: Greylisted for {small} seconds", RCPT)),
    (20, ("451 4.7.1 Greylisting is on, try again in 00:05:00", RCPT)),
    (10, ("452 4.2.2 The mailbox is full", RCPT)),
    (
        10,
        (
            "421-4.7.28 An unusual rate of mail comes from your address. To protect our 421-4.7.28 users, it is slowed down \
             for a while. See 421 4.7.28  https://help.{domain}/rate {token} - mx",
            END,
        ),
    ),
    (8, ("451 4.7.500 The server is busy. Try again later from [{ip}]. (S{number})", MAIL)),
    (6, ("450 [4.7.1] come back later", RCPT)),
    (5, ("451 4.3.0 Lookup failed for now", DATA)),
    (5, ("452 4.3.1 Insufficient system storage", MAIL)),
    (4, ("450 Action not taken: mailbox busy", RCPT)),
    (2, ("451 5.3.0 The mailbox store is being moved", RCPT)),
];

/// Greetings that refuse for now.
pub(crate) const GREETING: &Choices<&str> = &[
    (6, "421 4.3.2 Shutting down, try later"),
    (4, "421 4.7.0 [TS{small}] Messages from {ip} are deferred for now"),
];

/// What we say to a client, for RCPT.
pub(crate) const REFUSED: &Choices<&str> = &[
    (45, "550 5.1.1 <{user}@{domain}>: Recipient address rejected: User unknown in local recipient table"),
    (30, "554 5.7.1 <{user}@{domain}>: Relay access denied"),
    (10, "450 4.7.1 <host{small}.{domain}>: Helo command rejected: Host not found"),
    (
        10,
        "554 5.7.1 Service unavailable; Client host [{ip}] blocked using list.{domain}; listed, see https://list.{domain}/{ip}",
    ),
    (5, "553 5.1.8 <{user}@{domain}>: Sender address rejected: Domain not found"),
];

/// Why a server cannot be reached.
pub(crate) const UNREACHED: &Choices<&str> = &[
    (5, "connect to mx.{domain}[{ip}]:25: Connection timed out"),
    (3, "connect to mx.{domain}[{ip}]:25: Connection refused"),
    (2, "lost connection with mx.{domain}[{ip}] while receiving the initial server greeting"),
];

const MAIL: &str = "MAIL FROM";
const RCPT: &str = "RCPT TO";
const DATA: &str = "DATA";
const END: &str = "end of DATA";
