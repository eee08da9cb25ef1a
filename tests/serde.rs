//! The feature `serde`: codes are strings, and are parsed strictly.

use smtp_enhanced_status::{EnhancedStatusCode, ReplyCode, Status};

#[test]
fn codes_are_strings() {
    let code = Status::ADDR_DEST_MAILBOX.permanent();
    let json = serde_json::to_string(&(ReplyCode::OK, code, code.status())).unwrap();
    assert_eq!(json, r#"["250","5.1.1","X.1.1"]"#);
    let read: (ReplyCode, EnhancedStatusCode, Status) = serde_json::from_str(&json).unwrap();
    assert_eq!(read, (ReplyCode::OK, code, code.status()));
}

#[test]
fn damaged_codes_and_numbers_are_refused() {
    for json in
        [r#""5.07.1""#, r#"" 5.7.1""#, r#""5.7.1 ""#, r#""3.0.0""#, r#""""#, "5.71", "null", "[5,7,1]"]
    {
        assert!(serde_json::from_str::<EnhancedStatusCode>(json).is_err(), "{json}");
    }
    let error = serde_json::from_str::<EnhancedStatusCode>(r#""5.07.1""#).unwrap_err().to_string();
    assert!(error.contains("leading zero, at octet 2"), "{error}");
    assert!(serde_json::from_str::<ReplyCode>("250").is_err());
    assert!(serde_json::from_str::<Status>(r#""5.1.1""#).is_err());
}
