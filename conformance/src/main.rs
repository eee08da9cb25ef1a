//! `smtp-conformance`: see `smtp-conformance --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    smtp_conformance::main()
}
