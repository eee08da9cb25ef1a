//! A row of the registry, with every column raw and read.

use crate::generated::entries::{CLASSES, ENTRIES, SUBJECTS};
use crate::{Class, Classes, EnhancedStatusCode, ReplyCode, Status};

/// The rows of the registry's table "Enumerated Status Codes", in its order.
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

/// The rows of the registry's table "Class Sub-Codes".
///
/// ```
/// assert_eq!(smtp_enhanced_status::class_entries().len(), 3);
/// ```
#[must_use]
pub const fn class_entries() -> &'static [ClassEntry] {
    CLASSES
}

/// The rows of the registry's table "Subject Sub-Codes".
///
/// ```
/// let security = smtp_enhanced_status::subject_entries().iter().find(|entry| entry.subject == 7);
/// assert_eq!(security.map(|entry| entry.summary), Some("Security or Policy Status"));
/// ```
#[must_use]
pub const fn subject_entries() -> &'static [SubjectEntry] {
    SUBJECTS
}

/// A row of the registry: IANA's columns, and what is pinned beside them.
///
/// Texts have white space collapsed and references in brackets, `[RFC3463]`; the characters as they stand in
/// the registry are in [`raw`](Entry::raw).
///
/// ```
/// use smtp_enhanced_status::{Class, Status};
///
/// let entry = Status::SEC_SPF_ERROR.entry().expect("the row is registered");
/// assert_eq!(entry.identifier, "SEC_SPF_ERROR");
/// assert_eq!(entry.raw.associated, "451/550");
/// assert!(entry.classes.contains(Class::PersistentTransientFailure));
/// assert_eq!(entry.references[0].name, "RFC7372");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The row's code: `X.7.24`.
    pub status: Status,
    /// The name of its constant; it never changes.
    pub identifier: &'static str,
    /// Column "Sample Text"; empty in a deprecated row.
    pub sample_text: &'static str,
    /// Column "Associated Basic Status Code".
    pub associated: AssociatedCodes,
    /// Column "Description" as text.
    pub description: &'static str,
    /// Column "Description" in pieces, references kept apart.
    pub rich_description: &'static [Piece],
    /// Column "Reference" as text.
    pub reference: &'static str,
    /// Column "Reference", one by one.
    pub references: &'static [Reference],
    /// Column "Submitter"; it may name several people, or none.
    pub submitter: &'static str,
    /// Column "Change Controller"; it may be empty.
    pub change_controller: &'static str,
    /// When the row was registered, `YYYY-MM-DD`; IANA gives it for newer rows only.
    pub date: Option<&'static str>,
    /// When the row was last changed, likewise.
    pub updated: Option<&'static str>,
    /// The classes that the row's text or its defining RFC allows. Pinned by this project, not by IANA.
    pub classes: Classes,
    /// Why those classes.
    pub classes_basis: &'static str,
    /// The RFC and section that define the row.
    pub source: &'static str,
    /// Set if the registry deprecates the row.
    pub deprecated: Option<Deprecation>,
    /// Where the registry's list and a text contradict each other.
    pub conflicts: &'static [Conflict],
    /// The columns as they stand in the registry, line breaks and blanks kept.
    pub raw: RawColumns,
}

/// The columns of a row as they stand in the registry's file, references in brackets.
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

/// The reply codes with which a row is usually associated. The list is not exclusive (RFC 5248 §2.1).
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
    /// Codes named one by one, in the cell's order.
    pub codes: &'static [ReplyCode],
    /// Classes named as a whole: `5XX`, or `(other 4XX or 5XX codes are allowed)`.
    pub class_wildcards: Classes,
}

impl AssociatedCodes {
    /// How the list covers a reply code; `None` if it does not.
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
            if self.codes[index].get() == code.get() {
                return Some(Listing::Exact);
            }
            index += 1;
        }
        if self.class_wildcards.contains(class) { Some(Listing::ClassWildcard) } else { None }
    }

    /// Whether there is anything to judge a pair by: `Any`, codes or classes.
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

/// The forms that the column "Associated Basic Status Code" has.
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
    /// `Any`: every reply code whose first digit agrees (RFC 5248 §2.1).
    Any,
    /// `Not given`: unknown, to be filled in later (RFC 5248 §2.1); it does not mean none.
    NotGiven,
    /// The cell is empty, or holds nothing that can be read.
    NoData,
    /// Codes or class wildcards.
    List,
    /// Codes, with a remark that other codes are allowed.
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
    /// By the code itself.
    Exact,
    /// By its class: `5XX`.
    ClassWildcard,
    /// By `Any`.
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
    /// Words.
    Text(&'static str),
    /// A reference that stands between them.
    Reference(Reference),
}

/// A document that the registry refers to.
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
    /// IANA's type: `rfc`, `draft`, `uri` and others.
    pub kind: &'static str,
    /// `RFC3463`, or what else IANA prints.
    pub name: &'static str,
    /// What the registry says behind it: a section, a track; may be empty.
    pub remark: &'static str,
    /// Where it can be read.
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
    /// Who says so.
    pub source: &'static str,
}

/// A contradiction between the registry's list and a text, known and named so that nobody is blamed for either.
///
/// ```
/// use smtp_enhanced_status::{ConflictKind, ReplyCode, Status, known_conflict};
///
/// // RFC 5321 §4.5.3.1.10 demands 452 for too many recipients; the row lists 451 only.
/// let conflict = known_conflict(ReplyCode::NO_STORAGE, Status::PROTO_TOO_MANY_RCPTS.transient());
/// assert_eq!(conflict.map(|conflict| conflict.kind), Some(ConflictKind::RfcAgainstRow));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Conflict {
    /// Between what and what.
    pub kind: ConflictKind,
    /// The pairs it is about; may be empty for [`ConflictKind::TextExceedsList`].
    pub pairs: &'static [(ReplyCode, EnhancedStatusCode)],
    /// For [`ConflictKind::TextExceedsList`]: the classes that the list lacks.
    pub classes: Classes,
    /// The text on the other side.
    pub source: &'static str,
    /// Who says what.
    pub summary: &'static str,
}

/// The kinds of [`Conflict`].
///
/// ```
/// use smtp_enhanced_status::{ConflictKind, ReplyCode, Status, known_conflict};
///
/// // The row's text is about permanent failures; its list has 451 all the same.
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
    /// An RFC says otherwise than the row.
    RfcAgainstRow,
}

/// The conflict that is known about a pair.
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

/// A row of the table of classes.
///
/// ```
/// use smtp_enhanced_status::{Class, class_entries};
///
/// let row = class_entries().iter().find(|entry| entry.class == Class::PermanentFailure);
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

/// A row of the table of subjects.
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
