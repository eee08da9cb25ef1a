//! A row of the registry, with every column both raw and parsed.

use crate::generated::entries::{CLASSES, ENTRIES, SUBJECTS};
use crate::{Class, Classes, EnhancedStatusCode, ReplyCode, Status};

/// Returns the rows of the registry's table "Enumerated Status Codes", in the registry's order.
///
/// ```
/// use smtp_enhanced_status::{Status, entries};
///
/// let deprecated: Vec<Status> =
///     entries().iter().filter(|entry| entry.deprecated.is_some()).map(|entry| entry.status).collect();
/// assert!(deprecated.contains(&Status::from_bytes(b"X.6.10")?));
/// # Ok::<(), smtp_enhanced_status::ParseError>(())
/// ```
#[must_use]
pub const fn entries() -> &'static [Entry] {
    ENTRIES
}

/// Returns the rows of the registry's table "Class Sub-Codes".
///
/// ```
/// assert_eq!(smtp_enhanced_status::class_entries().len(), 3);
/// ```
#[must_use]
pub const fn class_entries() -> &'static [ClassEntry] {
    CLASSES
}

/// Returns the rows of the registry's table "Subject Sub-Codes".
///
/// ```
/// let security = smtp_enhanced_status::subject_entries().iter().find(|entry| entry.subject == 7);
/// assert_eq!(security.map(|entry| entry.summary), Some("Security or Policy Status"));
/// ```
#[must_use]
pub const fn subject_entries() -> &'static [SubjectEntry] {
    SUBJECTS
}

/// A row of the registry: IANA's columns, and what this project adds to them.
///
/// White space in texts is collapsed, and references are in brackets: `[RFC3463]`. For the registry's exact
/// characters, see [`raw`](Entry::raw).
///
/// ```
/// use smtp_enhanced_status::{Class, Status};
///
/// let entry = Status::SEC_SPF_ERROR.entry().expect("the row is registered");
/// assert_eq!(entry.identifier, "SEC_SPF_ERROR");
/// assert_eq!(entry.raw.associated, "451/550");
/// assert!(entry.classes.contains(Class::Transient));
/// assert_eq!(entry.references[0].name, "RFC7372");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The row's code: `X.7.24`.
    pub status: Status,
    /// The name of the row's constant, which never changes.
    pub identifier: &'static str,
    /// Column "Sample Text"; empty if the row is deprecated.
    pub sample_text: &'static str,
    /// Column "Associated Basic Status Code".
    pub associated: AssociatedCodes,
    /// Column "Description", as text.
    pub description: &'static str,
    /// Column "Description", split into text and references.
    pub rich_description: &'static [Piece],
    /// Column "Reference", as text.
    pub reference: &'static str,
    /// Column "Reference", as a list.
    pub references: &'static [Reference],
    /// Column "Submitter"; it may name several people, or none.
    pub submitter: &'static str,
    /// Column "Change Controller"; it may be empty.
    pub change_controller: &'static str,
    /// When the row was registered, `YYYY-MM-DD`. IANA records this for newer rows only.
    pub date: Option<&'static str>,
    /// When the row was last changed, `YYYY-MM-DD`. IANA records this for newer rows only.
    pub updated: Option<&'static str>,
    /// The classes that the row's text or its defining RFC allows, as this project reads them. IANA has no such
    /// column.
    pub classes: Classes,
    /// Why the row has those classes.
    pub classes_basis: &'static str,
    /// The RFC and section that define the row.
    pub source: &'static str,
    /// The row to use instead, if the registry deprecates this one.
    pub deprecated: Option<Deprecation>,
    /// Known contradictions between the row's list of reply codes and a text.
    pub conflicts: &'static [Conflict],
    /// The columns as the registry has them, with line breaks and blanks.
    pub raw: RawColumns,
}

/// The columns of a row as the registry's file has them, with references in brackets.
///
/// ```
/// # use smtp_enhanced_status::Status;
/// let entry = Status::OTHER.entry().expect("the row is registered");
/// assert_eq!((entry.raw.code, entry.raw.associated), ("X.0.0", "Any"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RawColumns {
    /// `<code>`.
    pub code: &'static str,
    /// `<sample>`.
    pub sample_text: &'static str,
    /// `<basic_code>`.
    pub associated: &'static str,
    /// `<description>`.
    pub description: &'static str,
    /// `<reference>`.
    pub reference: &'static str,
    /// `<submitter>`.
    pub submitter: &'static str,
    /// `<change_controller>`.
    pub change_controller: &'static str,
}

/// The reply codes that a row is usually associated with. The list is not exclusive (RFC 5248 §2.1).
///
/// ```
/// use smtp_enhanced_status::{AssociatedForm, Listing, ReplyCode, Status};
///
/// let associated = Status::ADDR_DEST_NULL_MX.entry().expect("the row is registered").associated;
/// assert_eq!(associated.form, AssociatedForm::List);
/// assert_eq!(associated.listing(ReplyCode::DOMAIN_NO_MAIL), Some(Listing::Exact));
/// assert_eq!(associated.listing(ReplyCode::MAILBOX_UNAVAIL), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AssociatedCodes {
    /// The form of the cell.
    pub form: AssociatedForm,
    /// The codes that the cell lists, in its order.
    pub codes: &'static [ReplyCode],
    /// The whole classes that the cell lists: `5XX`, or `(other 4XX or 5XX codes are allowed)`.
    pub class_wildcards: Classes,
}

impl AssociatedCodes {
    /// Returns how the list covers a reply code, or `None` if it does not.
    ///
    /// ```
    /// # use smtp_enhanced_status::{Listing, ReplyCode, Status};
    /// let any = Status::OTHER.entry().expect("the row is registered").associated;
    /// assert_eq!(any.listing(ReplyCode::OK), Some(Listing::Any));
    /// assert_eq!(any.listing(ReplyCode::START_MAIL_INPUT), None);
    /// ```
    #[must_use]
    pub const fn listing(&self, code: ReplyCode) -> Option<Listing> {
        let Some(class) = code.class() else { return None };
        if matches!(self.form, AssociatedForm::Any) {
            return Some(Listing::Any);
        }
        let mut index = 0;
        while index < self.codes.len() {
            if self.codes[index].as_u16() == code.as_u16() {
                return Some(Listing::Exact);
            }
            index += 1;
        }
        if self.class_wildcards.contains(class) { Some(Listing::ClassWildcard) } else { None }
    }

    /// Returns whether the cell lists anything: `Any`, codes or classes.
    ///
    /// ```
    /// # use smtp_enhanced_status::Status;
    /// assert!(!Status::ADDR_OTHER.entry().expect("the row is registered").associated.has_list());
    /// ```
    #[must_use]
    pub const fn has_list(&self) -> bool {
        !matches!(self.form, AssociatedForm::NotGiven | AssociatedForm::NoData)
    }
}

/// The forms of a cell of the column "Associated Basic Status Code".
///
/// ```
/// use smtp_enhanced_status::{AssociatedForm, Status};
///
/// let form = |status: Status| status.entry().map(|entry| entry.associated.form);
/// assert_eq!(form(Status::OTHER), Some(AssociatedForm::Any));
/// assert_eq!(form(Status::ADDR_DEST_SYSTEM), Some(AssociatedForm::NotGiven));
/// assert_eq!(form(Status::SEC_PRIORITY_TOO_LOW), Some(AssociatedForm::OpenList));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AssociatedForm {
    /// `Any`: every reply code with the same first digit (RFC 5248 §2.1).
    Any,
    /// `Not given`: not known yet (RFC 5248 §2.1). It does not mean "none".
    NotGiven,
    /// The cell is empty, or says nothing that can be parsed.
    NoData,
    /// Codes or class wildcards.
    List,
    /// Codes, with a note that other codes are allowed.
    OpenList,
}

/// How a row lists a reply code.
///
/// ```
/// use smtp_enhanced_status::{Listing, ReplyCode, Status};
///
/// let entry = Status::SEC_MBOX_OWNER_CHANGED.entry().expect("the row is registered");
/// assert_eq!(entry.raw.associated, "5XX");
/// assert_eq!(entry.associated.listing(ReplyCode::FAILED), Some(Listing::ClassWildcard));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Listing {
    /// It lists the code itself.
    Exact,
    /// It lists the code's class: `5XX`.
    ClassWildcard,
    /// It lists `Any`.
    Any,
}

/// A piece of a description.
///
/// ```
/// use smtp_enhanced_status::{Piece, Status};
///
/// let entry = Status::SEC_DKIM_NO_PASS.entry().expect("the row is registered");
/// let named = entry.rich_description.iter().find_map(|piece| match piece {
///     Piece::Reference(reference) => Some(reference.name),
///     Piece::Text(_) => None,
/// });
/// assert_eq!(named, Some("RFC6376"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text.
    Text(&'static str),
    /// A reference within the text.
    Reference(Reference),
}

/// A document that the registry cites.
///
/// ```
/// # use smtp_enhanced_status::Status;
/// let entry = Status::SEC_REVERSE_DNS.entry().expect("the row is registered");
/// let reference = entry.references[0];
/// assert_eq!((reference.kind, reference.name), ("rfc", "RFC7372"));
/// assert_eq!(reference.remark, "Section 3.3 (Standards Track)");
/// assert_eq!(reference.link, Some("https://www.rfc-editor.org/rfc/rfc7372#section-3.3"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reference {
    /// IANA's type of the reference: `rfc`, `draft`, `uri` and others.
    pub kind: &'static str,
    /// `RFC3463`, or whatever else IANA prints.
    pub name: &'static str,
    /// What the registry says after the name, such as a section or a track; may be empty.
    pub remark: &'static str,
    /// The URL of the document.
    pub link: Option<&'static str>,
}

/// What replaces a deprecated row.
///
/// ```
/// use smtp_enhanced_status::Status;
///
/// let row: Status = "X.6.10".parse()?;
/// let deprecation = row.entry().and_then(|entry| entry.deprecated);
/// assert_eq!(deprecation.map(|deprecation| deprecation.successor), Some(Status::MEDIA_UTF8_REPLY));
/// # Ok::<(), smtp_enhanced_status::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deprecation {
    /// The row to use instead.
    pub successor: Status,
    /// The document that says so.
    pub source: &'static str,
}

/// A known contradiction between the registry's list and a text. A server that follows either side is not at
/// fault.
///
/// ```
/// use smtp_enhanced_status::{ConflictKind, ReplyCode, Status, known_conflict};
///
/// // RFC 5321 §4.5.3.1.10 requires 452 for too many recipients, but the row lists only 451.
/// let conflict = known_conflict(ReplyCode::NO_STORAGE, Status::PROTO_TOO_MANY_RCPTS.transient());
/// assert_eq!(conflict.map(|conflict| conflict.kind), Some(ConflictKind::RfcAgainstRow));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Conflict {
    /// What contradicts what.
    pub kind: ConflictKind,
    /// The pairs concerned; may be empty for [`ConflictKind::TextExceedsList`].
    pub pairs: &'static [(ReplyCode, EnhancedStatusCode)],
    /// For [`ConflictKind::TextExceedsList`]: the classes that the list lacks.
    pub classes: Classes,
    /// The text that contradicts the list.
    pub source: &'static str,
    /// What each side says.
    pub summary: &'static str,
}

/// The kinds of [`Conflict`].
///
/// ```
/// use smtp_enhanced_status::{ConflictKind, ReplyCode, Status, known_conflict};
///
/// // The row's text is about permanent failures, yet its list has 451.
/// let conflict = known_conflict(ReplyCode::LOCAL_ERROR, Status::ADDR_DEST_MAILBOX.transient());
/// assert_eq!(conflict.map(|conflict| conflict.kind), Some(ConflictKind::ListExceedsText));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConflictKind {
    /// The list has a code of a class that the row's text excludes.
    ListExceedsText,
    /// The list lacks a class that the row's text allows.
    TextExceedsList,
    /// An RFC contradicts the row.
    RfcAgainstRow,
}

/// Returns the known conflict about a pair, if there is one.
///
/// ```
/// use smtp_enhanced_status::{ReplyCode, Status, known_conflict};
///
/// assert!(known_conflict(ReplyCode::MAILBOX_UNAVAIL, Status::ADDR_DEST_MAILBOX.permanent()).is_none());
/// ```
#[must_use]
pub fn known_conflict(reply_code: ReplyCode, code: EnhancedStatusCode) -> Option<&'static Conflict> {
    code.entry()?.conflicts.iter().find(|conflict| conflict.pairs.contains(&(reply_code, code)))
}

/// A row of the table "Class Sub-Codes".
///
/// ```
/// use smtp_enhanced_status::{Class, class_entries};
///
/// let row = class_entries().iter().find(|entry| entry.class == Class::Permanent);
/// assert_eq!(row.map(|entry| entry.summary), Some("Permanent Failure"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClassEntry {
    /// The class.
    pub class: Class,
    /// Column "Summary".
    pub summary: &'static str,
    /// Column "Description".
    pub description: &'static str,
    /// Column "Reference".
    pub reference: &'static str,
}

/// A row of the table "Subject Sub-Codes".
///
/// ```
/// use smtp_enhanced_status::subject_entries;
///
/// let row = subject_entries().iter().find(|entry| entry.subject == 2);
/// assert_eq!(row.map(|entry| entry.summary), Some("Mailbox Status"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubjectEntry {
    /// The subject sub-code.
    pub subject: u16,
    /// Column "Summary".
    pub summary: &'static str,
    /// Column "Description".
    pub description: &'static str,
    /// Column "Reference".
    pub reference: &'static str,
}
