//! The compilers that the header supports, each with every language standard that it knows.

#![allow(dead_code, unreachable_pub, reason = "each test uses its part")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support;

/// The warnings that are errors, in every dialect.
pub const WARNINGS: [&str; 7] =
    ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Wshadow", "-Wconversion", "-Wundef"];

/// The compilers, and the standards that we support. Each standard has all the names that a compiler may know it by.
const COMPILERS: [(&str, &str, &[&[&str]]); 5] = [
    ("gcc", "c", &[&["c89"], &["c99"], &["c11"], &["c17"], &["c23", "c2x"]]),
    ("clang", "c", &[&["c89"], &["c99"], &["c11"], &["c17"], &["c23", "c2x"]]),
    ("g++", "c++", &[&["c++98"], &["c++11"], &["c++17"], &["c++20", "c++2a"]]),
    ("clang++", "c++", &[&["c++98"], &["c++11"], &["c++17"], &["c++20", "c++2a"]]),
    ("tcc", "c", &[&[]]),
];

/// A compiler and a language standard.
pub struct Dialect {
    pub compiler: &'static str,
    language: &'static str,
    standard: Option<&'static str>,
}

impl Dialect {
    /// Compiles a program of `tests/c`, and writes it to the folder.
    pub fn build(&self, folder: &Path, name: &str, options: &[&str]) -> PathBuf {
        self.build_with(&header_folder(), folder, name, options)
    }

    pub fn build_with(&self, header: &Path, folder: &Path, name: &str, options: &[&str]) -> PathBuf {
        let source = support::root().join("tests/c").join(name).with_extension("c");
        let program = folder.join(name);
        succeed(self.command(header, &[&WARNINGS, options].concat()).arg(source).arg("-o").arg(&program));
        program
    }

    pub fn compile(&self, sources: &[PathBuf], output: &Path, options: &[&str]) {
        let mut command = self.command(&header_folder(), &[&WARNINGS, options].concat());
        succeed(command.args(sources).arg("-o").arg(output));
    }

    pub fn command(&self, header: &Path, options: &[&str]) -> Command {
        let mut command = Command::new(self.compiler);
        command.args(self.standard.map(|standard| format!("-std={standard}")));
        if self.compiler != "tcc" {
            command.args(["-x", self.language]);
            command.args((self.language == "c").then_some("-Wc++-compat"));
        }
        command.args(options);
        if header != Path::new("") {
            command.arg("-I").arg(header);
        }
        command
    }
}

impl std::fmt::Debug for Dialect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.compiler, self.standard.unwrap_or("default standard"))
    }
}

/// Returns every compiler of this machine, with every standard that it knows.
pub fn dialects() -> Vec<Dialect> {
    let mut dialects = Vec::new();
    let present = support::present(&COMPILERS.map(|(compiler, ..)| compiler));
    for (compiler, language, standards) in COMPILERS {
        if !present.contains(&compiler) {
            continue;
        }
        for names in standards {
            let mut known = names.iter().filter(|standard| knows(compiler, language, standard));
            let standard = known.next().copied();
            if standard.is_some() || names.is_empty() {
                dialects.push(Dialect { compiler, language, standard });
            } else {
                support::skip(&format!("{compiler} -std={}", names[0]), "install a newer version of it");
            }
        }
    }
    dialects
}

fn knows(compiler: &str, language: &str, standard: &str) -> bool {
    let mut probe = Command::new(compiler);
    probe.args([&format!("-std={standard}"), "-x", language, "-fsyntax-only", "-"]);
    probe.stdin(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
}

/// Returns a compiler with a standard. The test must have checked that the compiler is there.
pub fn dialect(compiler: &'static str, standard: &'static str) -> Dialect {
    let language = if standard.starts_with("c++") { "c++" } else { "c" };
    Dialect { compiler, language, standard: Some(standard) }
}

/// Returns gcc with a standard of C, if this machine has it.
pub fn gcc(standard: &'static str) -> Option<Dialect> {
    support::has(["gcc"]).then(|| dialect("gcc", standard))
}

/// Returns the folder of the committed header.
pub fn header_folder() -> PathBuf {
    support::root().join("generated/c")
}

/// Runs a command and returns its output. It must succeed and write nothing to standard error.
pub fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && stderr.is_empty(), "{command:?}: {}\n{stdout}{stderr}", output.status);
    stdout.into_owned()
}

/// Runs the jobs in two threads, so that the many short compilations take half the time.
pub fn in_two_threads<T: Sync>(jobs: &[T], work: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    work(job);
                }
            });
        }
    });
}
