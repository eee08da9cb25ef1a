//! Serializes codes, verdicts and rows, and deserializes what has a strict form: see "Features" in the crate's
//! documentation.

use core::fmt;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Unexpected, Visitor};
use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::{
    AssociatedCodes, AssociatedForm, Class, ClassEntry, Classes, Conflict, ConflictKind, Deprecation,
    EnhancedStatusCode, Entry, Listing, Pairing, ParseError, Piece, RawColumns, Reference, ReplyCode,
    ReplyCodeEntry, Status, SubjectEntry,
};

macro_rules! as_string {
    ($type:ty, $read:expr, $expecting:literal) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Text { read: $read, expecting: $expecting })
            }
        }
    };
}

as_string!(EnhancedStatusCode, EnhancedStatusCode::from_bytes, "an enhanced status code such as \"5.1.1\"");
as_string!(Status, Status::from_bytes, "a status such as \"X.1.1\"");

/// Deserializes a string with a strict parser.
struct Text<T> {
    read: fn(&[u8]) -> Result<T, ParseError>,
    expecting: &'static str,
}

impl<T> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.read)(text.as_bytes()).map_err(E::custom)
    }
}

macro_rules! as_number {
    ($type:ty, $number:ty, $deserialize:ident, $expecting:literal) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                <$number>::from(*self).serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let convert = |number| <$number>::try_from(number).ok()?.try_into().ok();
                deserializer.$deserialize(Number { convert, expecting: $expecting })
            }
        }
    };
}

as_number!(ReplyCode, u16, deserialize_u16, "a reply code, 200 to 599");
as_number!(Class, u8, deserialize_u8, "a class: 2, 4 or 5");

/// Deserializes a number in a range.
struct Number<T> {
    convert: fn(u64) -> Option<T>,
    expecting: &'static str,
}

impl<T> Visitor<'_> for Number<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        (self.convert)(number).ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        let converted = u64::try_from(number).ok().and_then(self.convert);
        converted.ok_or_else(|| E::invalid_value(Unexpected::Signed(number), &self))
    }
}

impl Serialize for Classes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(*self)
    }
}

impl<'de> Deserialize<'de> for Classes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ClassesVisitor)
    }
}

struct ClassesVisitor;

impl<'de> Visitor<'de> for ClassesVisitor {
    type Value = Classes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of classes such as [4, 5]")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Classes, A::Error> {
        let mut classes = Classes::NONE;
        while let Some(class) = list.next_element::<Class>()? {
            classes |= class;
        }
        Ok(classes)
    }
}

impl Serialize for Pairing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Pairing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(PairingVisitor)
    }
}

struct PairingVisitor;

impl Visitor<'_> for PairingVisitor {
    type Value = Pairing;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a pairing such as \"class-mismatch\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Pairing, E> {
        let pairing = Pairing::ALL.into_iter().find(|pairing| pairing.as_str() == text);
        pairing.ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

macro_rules! as_word {
    ($type:ident { $($variant:ident => $word:literal),* $(,)? }) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(match self {
                    $($type::$variant => $word,)*
                })
            }
        }
    };
}

as_word!(AssociatedForm {
    Any => "any",
    NotGiven => "not-given",
    NoData => "no-data",
    List => "list",
    OpenList => "open-list",
});
as_word!(Listing { Exact => "exact", ClassWildcard => "class", Any => "any" });
as_word!(ConflictKind {
    ListExceedsText => "list-exceeds-text",
    TextExceedsList => "text-exceeds-list",
    RfcAgainstRow => "rfc-against-row",
});

/// Serializes a type as an object with these members.
macro_rules! as_object {
    ($type:ident, $row:ident { $($member:literal: $value:expr),* $(,)? }) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let $row = self;
                let members = [$($member),*].len();
                let mut object = serializer.serialize_struct(stringify!($type), members)?;
                $(object.serialize_field($member, &$value)?;)*
                object.end()
            }
        }
    };
}

as_object!(Entry, row {
    "code": row.status,
    "subject": row.status.subject(),
    "detail": row.status.detail(),
    "identifier": row.identifier,
    "sample_text": row.sample_text,
    "associated": row.associated,
    "description": row.description,
    "description_pieces": row.rich_description,
    "reference": row.reference,
    "references": row.references,
    "submitter": row.submitter,
    "change_controller": row.change_controller,
    "date": row.date,
    "updated": row.updated,
    "classes": row.classes,
    "classes_basis": row.classes_basis,
    "source": row.source,
    "deprecated": row.deprecated,
    "conflicts": row.conflicts,
    "raw": row.raw,
});
as_object!(AssociatedCodes, cell {
    "form": cell.form,
    "codes": cell.codes,
    "class_wildcards": cell.class_wildcards,
});
as_object!(Reference, reference {
    "type": reference.kind,
    "name": reference.name,
    "remark": reference.remark,
    "link": reference.link,
});
as_object!(Deprecation, deprecation {
    "successor": deprecation.successor,
    "source": deprecation.source,
});
as_object!(Conflict, conflict {
    "kind": conflict.kind,
    "pairs": Pairs(conflict.pairs),
    "classes": conflict.classes,
    "source": conflict.source,
    "summary": conflict.summary,
});
as_object!(Pair, pair { "reply_code": pair.0, "code": pair.1 });
as_object!(RawColumns, raw {
    "code": raw.code,
    "sample_text": raw.sample_text,
    "associated": raw.associated,
    "description": raw.description,
    "reference": raw.reference,
    "submitter": raw.submitter,
    "change_controller": raw.change_controller,
});
as_object!(ClassEntry, row {
    "class": row.class,
    "summary": row.summary,
    "description": row.description,
    "reference": row.reference,
});
as_object!(SubjectEntry, row {
    "subject": row.subject,
    "summary": row.summary,
    "description": row.description,
    "reference": row.reference,
});
as_object!(ReplyCodeEntry, row {
    "code": row.code,
    "identifier": row.identifier,
    "meaning": row.meaning,
    "client": row.client,
    "sources": row.sources,
});

struct Pairs(&'static [(ReplyCode, EnhancedStatusCode)]);

struct Pair(ReplyCode, EnhancedStatusCode);

impl Serialize for Pairs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|&(reply_code, code)| Pair(reply_code, code)))
    }
}

impl Serialize for Piece {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Piece", 1)?;
        match self {
            Piece::Text(text) => object.serialize_field("text", text)?,
            Piece::Reference(reference) => object.serialize_field("reference", reference)?,
        }
        object.end()
    }
}
