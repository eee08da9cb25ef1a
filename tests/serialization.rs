//! The feature `serde`: codes are strings or numbers and are read strictly, and rows are those of the JSON tables.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs;

use serde_json::{Value, json};
use smtp_enhanced_status::{
    Class, Classes, EnhancedStatusCode, Listing, Pairing, ReplyCode, Status, class_entries, entries,
    reply_codes, subject_entries,
};

use crate::support;

#[test]
fn every_form_is_read_again() {
    let code = Status::ADDR_DEST_MAILBOX.permanent();
    assert_round_trip(&code, &json!("5.1.1"));
    assert_round_trip(&code.status(), &json!("X.1.1"));
    assert_round_trip(&ReplyCode::OK, &json!(250));
    assert_round_trip(&Class::Permanent, &json!(5));
    assert_round_trip(&(Class::Transient | Class::Permanent), &json!([4, 5]));
    assert_round_trip(&Classes::NONE, &json!([]));
    assert_round_trip(
        &Pairing::ALL,
        &json!(["class-mismatch", "unregistered", "listed", "unlisted", "no-list"]),
    );
    assert_eq!(serde_json::to_value(Listing::Exact).unwrap(), "exact");
}

#[test]
fn codes_are_keys_of_maps() {
    let counts = BTreeMap::from([(ReplyCode::OK, BTreeMap::from([(Status::OTHER.success(), 7)]))]);
    let json = serde_json::to_string(&counts).unwrap();
    assert_eq!(json, r#"{"250":{"2.0.0":7}}"#);
    let read: BTreeMap<ReplyCode, BTreeMap<EnhancedStatusCode, u8>> = serde_json::from_str(&json).unwrap();
    assert_eq!(read, counts);
}

#[test]
fn anything_else_is_refused() {
    for json in
        [r#""5.07.1""#, r#"" 5.7.1""#, r#""5.7.1 ""#, r#""3.0.0""#, r#""""#, "5.71", "null", "[5,7,1]"]
    {
        assert!(serde_json::from_str::<EnhancedStatusCode>(json).is_err(), "{json}");
    }
    for json in ["199", "600", "-250", "65786", "250.5", r#""250""#, "18446744073709551615"] {
        assert!(serde_json::from_str::<ReplyCode>(json).is_err(), "{json}");
    }
    for json in ["3", "0", "261", r#""5""#] {
        assert!(serde_json::from_str::<Class>(json).is_err(), "{json}");
    }
    assert!(serde_json::from_str::<Status>(r#""5.1.1""#).is_err());
    assert!(serde_json::from_str::<Classes>("[4, 3]").is_err());
    assert!(serde_json::from_str::<Pairing>(r#""Listed""#).is_err());
}

#[test]
fn errors_say_what_is_wrong() {
    let error = serde_json::from_str::<EnhancedStatusCode>(r#""5.07.1""#).unwrap_err().to_string();
    assert!(error.contains("leading zero, at octet 2"), "{error}");
    let error = serde_json::from_str::<ReplyCode>("600").unwrap_err().to_string();
    assert!(error.contains("invalid value: integer `600`, expected a reply code, 200 to 599"), "{error}");
    let error = serde_json::from_str::<Pairing>(r#""good""#).unwrap_err().to_string();
    assert!(error.contains("expected a pairing such as \"class-mismatch\""), "{error}");
}

#[test]
fn rows_are_those_of_the_tables() {
    let path = support::root().join("generated/tables/smtp-enhanced-status.json");
    let tables: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(serde_json::to_value(entries()).unwrap(), tables["statuses"]);
    assert_eq!(serde_json::to_value(reply_codes()).unwrap(), tables["reply_codes"]);
    let parts = [
        (serde_json::to_value(class_entries()).unwrap(), &tables["classes"]),
        (serde_json::to_value(subject_entries()).unwrap(), &tables["subjects"]),
    ];
    for (rows, table) in parts {
        let rows = rows.as_array().unwrap();
        assert_eq!(rows.len(), table.as_array().unwrap().len());
        for (row, whole) in rows.iter().zip(table.as_array().unwrap()) {
            assert!(row.as_object().unwrap().iter().all(|(member, value)| whole[member] == *value), "{row}");
        }
    }
}

#[track_caller]
fn assert_round_trip<T>(value: &T, expected: &Value)
where
    T: serde::Serialize + for<'de> serde::Deserialize<'de> + PartialEq + Debug,
{
    let json = serde_json::to_value(value).unwrap();
    assert_eq!(json, *expected);
    assert_eq!(serde_json::from_value::<T>(json).unwrap(), *value);
}
