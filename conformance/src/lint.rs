//! Lint: judges and counts the replies that logs, bounces and other texts mention.

pub mod finder;
