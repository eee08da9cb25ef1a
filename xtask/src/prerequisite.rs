//! What some tests need besides Rust and a linker, how to detect it, and how to get it.
//!
//! `cargo xtask doctor` lists what is missing. Tests of every package include this file by its path, through
//! `tests/support`, so it may use only the standard library and tempfile.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::{env, fs};

use Remedy::{Advice, Packages};

/// Something that a test needs.
#[derive(Clone, Copy, Debug)]
pub struct Prerequisite {
    /// The name by which a test asks for it: a program, a command that must work, a variable, an address.
    pub name: &'static str,
    probe: fn(&str) -> bool,
    /// How to get it.
    pub remedy: Remedy,
}

/// How to get something.
#[derive(Clone, Copy, Debug)]
pub enum Remedy {
    /// Names of Debian packages, separated by spaces.
    Packages(&'static str),
    /// What to do if no package helps.
    Advice(&'static str),
}

const NAMESPACES: Remedy = Advice(
    "run as root or allow user namespaces; a container must be privileged, and a chroot must be a mount point",
);

/// All prerequisites.
pub const ALL: &[Prerequisite] = &[
    prerequisite("gcc", compiles, Packages("gcc libc6-dev")),
    prerequisite("gcc -fsanitize=address,undefined", compiles, Packages("gcc libc6-dev")),
    prerequisite("g++", compiles, Packages("g++")),
    prerequisite("clang", compiles, Packages("clang")),
    prerequisite("clang -fsanitize=address,undefined", compiles, Packages("clang libclang-rt-dev")),
    prerequisite("clang++", compiles, Packages("clang")),
    prerequisite("tcc", compiles, Packages("tcc")),
    prerequisite("nm", is_program, Packages("binutils")),
    prerequisite("make", is_program, Packages("make")),
    prerequisite("cmake", is_program, Packages("cmake")),
    prerequisite("pkg-config", is_program, Packages("pkg-config")),
    prerequisite("python3", is_program, Packages("python3")),
    prerequisite("node", is_program, Packages("nodejs")),
    prerequisite("git", is_program, Packages("git")),
    prerequisite("xmllint", is_program, Packages("libxml2-utils")),
    prerequisite("chromium", is_program, Packages("chromium")),
    prerequisite("chromedriver", is_program, Packages("chromium-driver")),
    prerequisite("script", is_program, Packages("bsdutils")),
    prerequisite("ip", is_program, Packages("iproute2")),
    prerequisite("unshare --mount", unshares, NAMESPACES),
    prerequisite("unshare --mount --net", unshares, NAMESPACES),
    prerequisite("localhost", binds, Advice("add `127.0.0.1 localhost` to /etc/hosts")),
    prerequisite("::1", binds, Advice("enable IPv6 on the loopback interface")),
    prerequisite("::ffff:127.0.0.1", binds, Advice("run a kernel with IPv6")),
    prerequisite(
        "IANA_HISTORY",
        is_set,
        Advice("set it to a folder of IANA's registry files: 2015-02-04.xml and so on"),
    ),
    prerequisite("SMTP_TRANSCRIPTS", is_set, Advice("set it to a folder of more recordings")),
    prerequisite(
        "SMTP_JUNIT_XSD",
        is_set,
        Advice("set it to the path of junit-10.xsd, from pytest's source package"),
    ),
    prerequisite(
        "SMTP_SARIF_SCHEMA",
        is_set,
        Advice("set it to the path of sarif-2.1.0-*.json, from sarif-om's source package"),
    ),
];

const fn prerequisite(name: &'static str, probe: fn(&str) -> bool, remedy: Remedy) -> Prerequisite {
    Prerequisite { name, probe, remedy }
}

impl Prerequisite {
    /// Returns the prerequisite with this name.
    pub fn find(name: &str) -> Option<Prerequisite> {
        ALL.iter().copied().find(|prerequisite| prerequisite.name == name)
    }

    /// Returns whether this machine has it.
    pub fn is_met(&self) -> bool {
        (self.probe)(self.name)
    }
}

/// Returns the packages that contain what is missing, sorted.
pub fn packages(missing: &[Prerequisite]) -> BTreeSet<&'static str> {
    let packages = missing.iter().filter_map(|prerequisite| match prerequisite.remedy {
        Packages(packages) => Some(packages.split(' ')),
        Advice(_) => None,
    });
    packages.flatten().collect()
}

/// Returns what to do to get everything that is missing.
pub fn remedy(missing: &[Prerequisite]) -> String {
    let packages: Vec<&str> = packages(missing).into_iter().collect();
    let install = (!packages.is_empty()).then(|| format!("apt-get install {}", packages.join(" ")));
    let advice = missing.iter().filter_map(|prerequisite| match prerequisite.remedy {
        Packages(_) => None,
        Advice(advice) => Some(advice.to_owned()),
    });
    install.into_iter().chain(advice).collect::<Vec<_>>().join("; ")
}

/// Returns a command that runs the arguments appended to it, as root, in the namespaces that the options of `unshare`
/// name. Returns `None` if this machine does not permit it.
pub fn unshare(command: &str) -> Option<Command> {
    // Root needs no user namespace, and may not be allowed to make one. Other users are root only inside one.
    [None, Some("--map-root-user")].into_iter().find_map(|option| {
        let unshare = || {
            let mut words = command.split(' ');
            let mut unshare = Command::new(words.next().unwrap_or_default());
            unshare.args(option).args(words);
            unshare
        };
        let mut mount = unshare();
        mount.args(["sh", "-c", "mount -t tmpfs tmpfs /tmp && mount -o remount,ro /tmp"]);
        succeeds(&mut mount).then(unshare)
    })
}

fn unshares(command: &str) -> bool {
    unshare(command).is_some()
}

fn is_program(name: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

/// An empty variable counts as unset.
fn is_set(variable: &str) -> bool {
    env::var_os(variable).is_some_and(|value| !value.is_empty())
}

fn binds(host: &str) -> bool {
    TcpListener::bind((host, 0)).is_ok()
}

/// Compiles and runs a program, because a compiler's headers and libraries may be in packages of their own.
fn compiles(command: &str) -> bool {
    let mut words = command.split(' ');
    let compiler = words.next().unwrap_or_default();
    let Ok(folder) = tempfile::tempdir() else { return false };
    let source = folder.path().join(if compiler.ends_with("++") { "probe.cc" } else { "probe.c" });
    let program = folder.path().join("probe");
    let mut compile = Command::new(compiler);
    compile.args(words).arg(&source).arg("-o").arg(&program);
    fs::write(&source, "#include <stdio.h>\nint main(void)\n{\n    return puts(\"\") < 0;\n}\n").is_ok()
        && succeeds(&mut compile)
        && succeeds(&mut Command::new(&program))
}

fn succeeds(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
