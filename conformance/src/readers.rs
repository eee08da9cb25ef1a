//! Readers that turn recordings of other tools into dialogues.

pub mod transcript;
