//! What changed between two registries, fact by fact.
//!
//! A registry is flattened to [`Facts`]: the text of each field of each row, each table, and the registry itself, with
//! white space collapsed. Facts do not include the order of rows, white space or markup, so a change of these is not a
//! change of the registry.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::associated::{Associated, Form};
use crate::code::{Class, Status};
use crate::registry::{Record, Registry, Table};
use crate::text::RichText;

/// What a fact is about, in the registry's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The registry as a whole.
    Registry,
    /// One of its tables, 1 to 3.
    Table(u8),
    /// A row of the first table.
    Class(Class),
    /// A row of the second table.
    Subject(u16),
    /// A row of the third table.
    Status(Status),
}

/// A field of a row, a table or the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Field {
    /// The title of a table or the registry.
    Title,
    /// When the registry was created.
    Created,
    /// When the row was registered.
    Date,
    /// When the row or the registry was changed.
    Updated,
    /// The sample text, or the summary of a class or subject.
    SampleText,
    /// The associated basic status codes.
    AssociatedCodes,
    /// The description.
    Description,
    /// The references.
    Reference,
    /// The submitters.
    Submitter,
    /// Who may change the row.
    ChangeController,
    /// How rows are registered.
    RegistrationRule,
    /// The designated expert.
    Expert,
    /// The notes of a table or the registry.
    Notes,
}

impl Field {
    /// Returns whether the field is prose, whose wording may change without a change of meaning.
    pub fn is_wording(self) -> bool {
        matches!(self, Field::Description | Field::Notes)
    }

    /// Returns the field's name, for reports.
    pub fn name(self) -> &'static str {
        match self {
            Field::Title => "title",
            Field::Created => "created",
            Field::Date => "date",
            Field::Updated => "updated",
            Field::SampleText => "sample text",
            Field::AssociatedCodes => "associated codes",
            Field::Description => "description",
            Field::Reference => "reference",
            Field::Submitter => "submitter",
            Field::ChangeController => "change controller",
            Field::RegistrationRule => "registration rule",
            Field::Expert => "expert",
            Field::Notes => "notes",
        }
    }
}

/// The fields that are not empty.
pub type Fields = BTreeMap<Field, String>;

/// A registry as facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts(pub BTreeMap<Subject, Fields>);

impl Facts {
    /// Flattens a registry.
    pub fn of(registry: &Registry) -> Facts {
        let mut facts = Facts::default();
        facts.insert(
            Subject::Registry,
            [
                (Field::Title, registry.title.as_str()),
                (Field::Created, &registry.created),
                (Field::Updated, &registry.updated),
                (Field::Notes, &joined(&registry.notes)),
            ],
        );
        facts.insert_table(1, &registry.classes, |key| Subject::Class(*key));
        facts.insert_table(2, &registry.subjects, |key| Subject::Subject(*key));
        facts.insert_table(3, &registry.statuses, |(status, _)| Subject::Status(*status));
        facts
    }

    /// Applies changes to the facts. Applying [`changes`]`(old, new)` to `old` returns `new`.
    #[must_use]
    pub fn with(mut self, changes: &[Change]) -> Facts {
        for Change { subject, fields } in changes {
            let now = self.0.entry(*subject).or_default();
            for field in fields {
                match &field.new {
                    Some(new) => now.insert(field.field, new.clone()),
                    None => now.remove(&field.field),
                };
            }
            if now.is_empty() {
                self.0.remove(subject);
            }
        }
        self
    }

    fn insert_table<K>(&mut self, number: u8, table: &Table<K>, subject: impl Fn(&K) -> Subject) {
        self.insert(
            Subject::Table(number),
            [
                (Field::Title, table.title.as_str()),
                (Field::Reference, &table.reference.text),
                (Field::RegistrationRule, &table.registration_rule.text),
                (Field::Expert, &table.expert),
                (Field::Notes, &joined(&table.notes)),
            ],
        );
        for row in &table.rows {
            self.insert(subject(&row.key), record(&row.record));
        }
    }

    fn insert<'a>(&mut self, subject: Subject, fields: impl IntoIterator<Item = (Field, &'a str)>) {
        let filled = fields.into_iter().filter(|(_, text)| !text.is_empty());
        self.0.insert(subject, filled.map(|(field, text)| (field, text.to_owned())).collect());
    }
}

/// A row, a table or the registry, with the fields that differ. For a row that is added or removed, these are all its
/// fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What the change is about.
    pub subject: Subject,
    /// The fields that differ.
    pub fields: Vec<FieldChange>,
}

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// The field.
    pub field: Field,
    /// The old text; `None` if the field was empty or its row did not exist.
    pub old: Option<String>,
    /// The new text; `None` if the field is empty or its row no longer exists.
    pub new: Option<String>,
}

/// Returns the changes from the old facts to the new ones, in the registry's order.
pub fn changes(old: &Facts, new: &Facts) -> Vec<Change> {
    let none = Fields::new();
    let subjects: BTreeSet<Subject> = old.0.keys().chain(new.0.keys()).copied().collect();
    let changes = subjects.into_iter().map(|subject| {
        let (old, new) = (old.0.get(&subject).unwrap_or(&none), new.0.get(&subject).unwrap_or(&none));
        let fields: BTreeSet<Field> = old.keys().chain(new.keys()).copied().collect();
        let differ = fields.into_iter().filter(|field| old.get(field) != new.get(field));
        let fields = differ.map(|field| FieldChange {
            field,
            old: old.get(&field).cloned(),
            new: new.get(&field).cloned(),
        });
        Change { subject, fields: fields.collect() }
    });
    changes.filter(|change| !change.fields.is_empty()).collect()
}

/// Returns the codes and wildcards in a cell of associated codes. A cell that cannot be parsed has none.
pub fn associated_codes(cell: &str) -> BTreeSet<String> {
    let Some(associated) = Associated::parse(cell) else { return BTreeSet::new() };
    match associated.form {
        Form::Any | Form::NotGiven => BTreeSet::from([cell.to_owned()]),
        Form::NoData => BTreeSet::new(),
        Form::List | Form::OpenList => {
            let codes = associated.codes.iter().map(ToString::to_string);
            codes.chain(associated.class_wildcards.iter().map(|class| format!("{class}XX"))).collect()
        }
    }
}

fn record(record: &Record) -> [(Field, &str); 8] {
    [
        (Field::Date, record.date.as_deref().unwrap_or_default()),
        (Field::Updated, record.updated.as_deref().unwrap_or_default()),
        (Field::SampleText, &record.sample.text),
        (Field::AssociatedCodes, &record.basic_code.text),
        (Field::Description, &record.description.text),
        (Field::Reference, &record.reference.text),
        (Field::Submitter, &record.submitter.text),
        (Field::ChangeController, &record.change_controller.text),
    ]
}

fn joined(notes: &[RichText]) -> String {
    notes.iter().map(|note| note.text.as_str()).collect::<Vec<_>>().join("\n")
}
