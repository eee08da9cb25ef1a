//! Reports, each made from the records of a run.

pub mod console;
pub mod junit;
