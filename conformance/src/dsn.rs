//! Bounces: what a delivery status notification (RFC 3464), or a text in its place, says about a message.

use smtp_enhanced_status::explain::Stage;
use smtp_enhanced_status::{EnhancedStatusCode, ReplyCode};

/// What a bounce says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The part with the fields. `None` if the bounce has only a text.
    pub status_part: Option<StatusPart>,
    /// The fields about the message.
    pub message: Group,
    /// The fields about each recipient.
    pub recipients: Vec<Group>,
    /// The number of recipients that were not kept, because [there are too many](crate::limits::BOUNCE_RECIPIENTS).
    pub left_out: usize,
    /// The replies that it shows. Each is here once, although the fields and the text may both show it.
    pub replies: Vec<Reply>,
}

/// The part of a bounce that has the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusPart {
    /// The number of its first line.
    pub line: usize,
    /// Whether its type is message/global-delivery-status (RFC 6533), which may have UTF-8.
    pub is_global: bool,
    /// The number of its first line with an octet above 127.
    pub eight_bit: Option<usize>,
    /// The type of the multipart that it is in, in lower case: `multipart/report`.
    pub container: Option<String>,
    /// The parameter report-type of that multipart, in lower case.
    pub report_type: Option<String>,
}

/// Fields that belong together: those about the message, or those about a recipient.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// The number of its first line, from 1; 0 if there is no such group.
    pub line: usize,
    /// The first field of each name.
    pub fields: Vec<Field>,
    /// The number of the first line that is neither a field nor the indented continuation of one.
    pub stray: Option<usize>,
}

impl Group {
    /// Returns the field of a name.
    #[must_use]
    pub fn get(&self, name: Name) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Returns the code of the field Status, if it is well-formed.
    #[must_use]
    pub fn status(&self) -> Option<EnhancedStatusCode> {
        EnhancedStatusCode::from_bytes(self.get(Name::Status)?.without_comment().as_bytes()).ok()
    }
}

/// A field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: Name,
    /// The number of its line, from 1.
    pub line: usize,
    /// Where it begins, in octets from the start of the message.
    pub offset: usize,
    /// Its value, without the white space at both ends of each line. LF separates the lines of a folded field.
    pub value: Vec<u8>,
}

impl Field {
    /// Returns the value on one line.
    #[must_use]
    pub fn unfolded(&self) -> String {
        String::from_utf8_lossy(&self.value).replace('\n', " ").trim().to_owned()
    }

    /// Returns the value on one line, without a comment in parentheses at its end.
    #[must_use]
    pub fn without_comment(&self) -> String {
        let value = self.unfolded();
        match value.split_once('(') {
            Some((code, comment)) if comment.trim_end().ends_with(')') => code.trim_end().to_owned(),
            _ => value,
        }
    }

    /// Splits the value into a type in lower case and the rest: `rfc822; a@example.org`. `None` if it has no type.
    #[must_use]
    pub fn typed(&self) -> Option<(String, &[u8])> {
        let semicolon = self.value.iter().position(|&octet| octet == b';')?;
        let (kind, rest) = self.value.split_at(semicolon);
        let kind = kind.trim_ascii();
        let is_atom = |octet: &u8| octet.is_ascii_graphic() && !b"()<>@,:\\\"[]".contains(octet);
        let is_type = kind.first().is_some_and(u8::is_ascii_alphabetic) && kind.iter().all(is_atom);
        let rest = rest.get(1..).unwrap_or_default().trim_ascii();
        is_type.then(|| (String::from_utf8_lossy(kind).to_ascii_lowercase(), rest))
    }

    /// Returns the value without its type, if it has one.
    #[must_use]
    pub fn untyped(&self) -> &[u8] {
        self.typed().map_or(&self.value, |(_, rest)| rest)
    }
}

/// The fields that are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Name {
    /// Reporting-MTA (RFC 3464 §2.2.2).
    ReportingMta,
    /// Original-Recipient (§2.3.1).
    OriginalRecipient,
    /// Final-Recipient (§2.3.2).
    FinalRecipient,
    /// Action (§2.3.3).
    Action,
    /// Status (§2.3.4).
    Status,
    /// Remote-MTA (§2.3.5).
    RemoteMta,
    /// Diagnostic-Code (§2.3.6).
    DiagnosticCode,
    /// Last-Attempt-Date (§2.3.7).
    LastAttemptDate,
    /// Will-Retry-Until (§2.3.9).
    WillRetryUntil,
}

impl Name {
    const ALL: [Name; 9] = [
        Name::ReportingMta,
        Name::OriginalRecipient,
        Name::FinalRecipient,
        Name::Action,
        Name::Status,
        Name::RemoteMta,
        Name::DiagnosticCode,
        Name::LastAttemptDate,
        Name::WillRetryUntil,
    ];

    /// Finds the name, in any letter case.
    #[must_use]
    pub fn find(text: &[u8]) -> Option<Name> {
        Name::ALL.into_iter().find(|name| name.as_str().as_bytes().eq_ignore_ascii_case(text))
    }

    /// Returns the name as RFC 3464 writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Name::ReportingMta => "Reporting-MTA",
            Name::OriginalRecipient => "Original-Recipient",
            Name::FinalRecipient => "Final-Recipient",
            Name::Action => "Action",
            Name::Status => "Status",
            Name::RemoteMta => "Remote-MTA",
            Name::DiagnosticCode => "Diagnostic-Code",
            Name::LastAttemptDate => "Last-Attempt-Date",
            Name::WillRetryUntil => "Will-Retry-Until",
        }
    }

    /// Returns whether the field is about a recipient.
    #[must_use]
    pub fn is_about_recipient(self) -> bool {
        self != Name::ReportingMta
    }
}

/// A reply that a bounce shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Its text, from its code on. LF separates the lines that the bounce tells apart.
    pub text: Vec<u8>,
    /// Who wrote it.
    pub origin: Origin,
    /// The index of the recipient's group, if the bounce has one.
    pub group: Option<usize>,
    /// The address of the recipient. Empty if the bounce does not say.
    pub recipient: Vec<u8>,
    /// What it answers, if the bounce says so.
    pub stage: Option<Stage>,
    /// The name of the host that sent it, if the bounce says so.
    pub host: Option<Vec<u8>>,
    /// The number of the line that shows it, from 1.
    pub line: usize,
    /// Where that line or its field begins, in octets from the start of the message.
    pub offset: usize,
}

impl Reply {
    /// Returns the codes of its last line. If that has no enhanced status code, that of an earlier line is returned. `None`
    /// if there is no reply code.
    #[must_use]
    pub fn codes(&self) -> Option<(ReplyCode, Option<EnhancedStatusCode>)> {
        let lines = || self.text.split(|&octet| octet == b'\n').rev();
        let code = ReplyCode::from_bytes(lines().next()?.get(..3)?).ok()?;
        let enhanced = lines().find_map(|line| {
            let mut words = line.get(4..)?.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            EnhancedStatusCode::from_bytes(words.next()?).ok()
        });
        Some((code, enhanced))
    }
}

/// Who wrote a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A server that the program that bounced the message had a connection with.
    Remote,
    /// The program that bounced the message.
    Reporter,
}
