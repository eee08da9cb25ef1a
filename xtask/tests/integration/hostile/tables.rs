//! Prints the texts in the library's tables.

use smtp_enhanced_status::{class_entries, entries, reply_codes, subject_entries};

fn main() {
    let line = |fields: &[&str]| println!("{fields:?}");
    for entry in entries() {
        line(&[&entry.status.to_string(), entry.sample_text, entry.description, entry.reference]);
        line(&[entry.submitter, entry.change_controller, entry.classes_basis, entry.source]);
        let raw = entry.raw;
        line(&[
            raw.code,
            raw.sample_text,
            raw.associated,
            raw.description,
            raw.reference,
            raw.submitter,
            raw.change_controller,
        ]);
        entry.conflicts.iter().for_each(|conflict| line(&[conflict.source, conflict.summary]));
    }
    for entry in reply_codes() {
        line(&[&entry.code.to_string(), entry.meaning, entry.client]);
    }
    for entry in class_entries() {
        line(&[entry.summary, entry.description]);
    }
    for entry in subject_entries() {
        line(&[entry.summary, entry.description]);
    }
}
