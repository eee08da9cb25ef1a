//! Readers: what was recorded elsewhere becomes dialogues.

pub mod transcript;
