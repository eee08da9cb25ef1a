//! Reports, each made from the records of a run.

pub mod comparison;
pub mod console;
mod evidence;
pub mod junit;
