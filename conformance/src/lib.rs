//! Provoke, read, judge, report: a conformance suite for the replies of SMTP, submission and LMTP servers.

pub mod reply;
