//! Explains replies for people and programs: codes, replies, and the reports of failed deliveries.

pub mod answer;
mod bounce;
pub mod classify;
pub mod encoding;
pub mod input;
pub mod inquiry;
mod near_miss;
pub mod page;
