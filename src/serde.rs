//! Serializes codes as strings, and deserializes them with the strict parsers.

use core::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::{EnhancedStatusCode, ParseError, ReplyCode, Status};

macro_rules! as_string {
    ($type:ty, $expecting:literal) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Strict { read: <$type>::from_bytes, expecting: $expecting })
            }
        }
    };
}

as_string!(EnhancedStatusCode, "an enhanced status code such as \"5.1.1\"");
as_string!(Status, "a status such as \"X.1.1\"");
as_string!(ReplyCode, "a reply code such as \"550\"");

/// Deserializes a string with a strict parser.
struct Strict<T> {
    read: fn(&[u8]) -> Result<T, ParseError>,
    expecting: &'static str,
}

impl<T> Visitor<'_> for Strict<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.read)(text.as_bytes()).map_err(E::custom)
    }
}
