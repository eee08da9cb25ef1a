//! Compares the C header with the library, in every dialect that users compile it in.
//!
//! The programs are in `tests/c/`. Compilers that this machine lacks are skipped (see `support::present`).

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use smtp_enhanced_status::suggest::{Situation, situations};
use smtp_enhanced_status::{
    AssociatedForm, Class, Classes, EnhancedStatusCode, Entry, Listing, REGISTRY_ORIGIN, REGISTRY_SHA256,
    REGISTRY_UPDATED, ReplyCode, ReplyWriter, Status, class_entries, entries, reply_codes, subject_entries,
};
use tempfile::TempDir;
use xtask::advice::{Advice, Subject};
use xtask::category::{ListAction, Retry};
use xtask::code;
use xtask::model::Model;
use xtask::render::{Kind, render};

use dialects::{Dialect, WARNINGS, dialect, dialects, gcc, header_folder, in_two_threads, succeed};

use crate::{dialects, grid, support};

#[test]
fn judges_as_the_library_in_every_dialect() {
    let dialects = dialects();
    let options: [&[&str]; 2] = [&["-O0"], &["-O3", "-DSMTP_ESC_DESCRIPTIONS", "-DSMTP_ESC_ADVICE"]];
    let jobs: Vec<_> =
        dialects.iter().flat_map(|dialect| options.map(|options| (dialect, options))).collect();
    in_two_threads(&jobs, |(dialect, options)| {
        let folder = TempDir::new().unwrap();
        let judge = dialect.build(folder.path(), "judge", options);
        assert_judges(&format!("{dialect:?} {options:?}"), &judge);
    });
    println!("{} dialects, {} programs", dialects.len(), jobs.len());
}

#[test]
fn compiles_constants_and_the_example_in_every_dialect() {
    in_two_threads(&dialects(), |dialect| {
        let folder = TempDir::new().unwrap();
        assert_eq!(run(&dialect.build(folder.path(), "constants", &[]), b""), b"", "{dialect:?}");
        dialect.compile(&[support::root().join("examples/reply.c")], &folder.path().join("reply"), &[]);
    });
}

#[test]
fn defines_its_functions_in_one_file_on_request() {
    if !support::has(["gcc", "nm"]) {
        return;
    }
    let gcc = dialect("gcc", "c89");
    assert_defines_once(&gcc, &gcc, "gcc");
    let folder = TempDir::new().unwrap();
    let source = folder.path().join("definition.c");
    fs::write(&source, DEFINITION).unwrap();
    let alone = gcc.command(&header_folder(), &["-fsyntax-only"]).arg(source).output().unwrap();
    assert!(String::from_utf8_lossy(&alone.stderr).contains("requires SMTP_ESC_NO_INLINE"));
}

#[test]
fn c_and_cpp_share_functions_defined_in_one_file() {
    if !support::has(["gcc", "g++", "nm"]) {
        return;
    }
    let [c89, c99] = ["c89", "c99"].map(|standard| dialect("gcc", standard));
    let [cpp98, cpp17, cpp20] = ["c++98", "c++17", "c++20"].map(|standard| dialect("g++", standard));
    for (definition, user) in [(&cpp98, &cpp98), (&c89, &cpp20), (&cpp17, &c99)] {
        assert_defines_once(definition, user, "g++");
    }
}

/// Compiles the definitions in one dialect and their callers in another, and links them.
fn assert_defines_once(definition: &Dialect, user: &Dialect, linker: &str) {
    let folder = TempDir::new().unwrap();
    let object = |dialect: &Dialect, name: &str, text: &str| {
        let [source, object] = ["c", "o"].map(|extension| folder.path().join(name).with_extension(extension));
        fs::write(&source, text).unwrap();
        dialect.compile(&[source], &object, &["-c", "-DSMTP_ESC_NO_INLINE", "-DSMTP_ESC_ADVICE"]);
        object
    };
    let objects = [
        object(definition, "definition", DEFINITION),
        object(user, "use", USE),
        object(user, "judge", include_str!("c/judge.c")),
    ];
    assert_eq!(
        defined_functions(&objects[1]),
        BTreeSet::from(["use".to_owned()]),
        "a file with declarations defines functions"
    );
    let functions = defined_functions(&objects[0]);
    assert!(functions.iter().all(|name| name.starts_with("smtp_esc_") && name.len() <= 31), "{functions:?}");
    let program = folder.path().join("linked");
    succeed(Command::new(linker).args(&objects).arg("-o").arg(&program));
    assert_judges("the linked program", &program);
}

#[test]
fn parses_and_formats_codes_as_the_library() {
    let folder = TempDir::new().unwrap();
    if !support::has([SANITIZED_GCC]) {
        return;
    }
    let parse = dialect("gcc", "c89").build(folder.path(), "parse", &SANITIZERS);
    let texts: Vec<Vec<u8>> = TEXTS.iter().map(|text| text.to_vec()).chain(random_texts(5000)).collect();
    let lines: Vec<String> = texts.iter().map(|text| hex(text) + "\n").collect();
    let answers = String::from_utf8(run(&parse, lines.concat().as_bytes())).unwrap();
    assert_eq!(answers.lines().count(), texts.len());
    for (text, answer) in texts.iter().zip(answers.lines()) {
        assert_eq!(answer, library_answer(text), "{:?}", String::from_utf8_lossy(text));
    }
}

#[test]
fn writes_replies_as_the_library() {
    let folder = TempDir::new().unwrap();
    if !support::has([SANITIZED_GCC]) {
        return;
    }
    let program = dialect("gcc", "c89").build(folder.path(), "replies", &SANITIZERS);
    let replies: Vec<(u16, u32, String)> = replies().collect();
    let line =
        |(number, code, text): &(u16, u32, String)| format!("{number} {code} {}\n", hex(text.as_bytes()));
    let answers = run(&program, replies.iter().map(line).collect::<String>().as_bytes());
    let answers = String::from_utf8(answers).unwrap();
    assert_eq!(answers.lines().count(), replies.len());
    for (reply, answer) in replies.iter().zip(answers.lines()) {
        assert_eq!(answer, hex(library_reply(reply).as_bytes()), "{reply:?}");
    }
}

#[test]
fn examples_of_the_documentation_run() {
    let Some(gcc) = gcc("c99") else { return };
    let folder = TempDir::new().unwrap();
    for document in ["README.md", "docs/c.md", "docs/suggest.md"] {
        let blocks = c_blocks(document);
        assert!(!blocks.is_empty(), "{document} has no block of C");
        for block in blocks {
            let program = build_block(&gcc, folder.path(), &block);
            let output = String::from_utf8(run(&program, b"")).unwrap();
            assert!(!output.is_empty(), "an example of {document} prints nothing:\n{block}");
        }
    }
    // A program that logs the text of a row that does not exist fails here.
    let careless =
        "log_reply(\"sample text\", smtp_esc_sample_text(smtp_esc_parse_prefix(text, length, NULL)));\n";
    let output = Command::new(build_block(&gcc, folder.path(), careless)).output().unwrap();
    assert!(!output.status.success(), "{}", output.status);
}

#[test]
fn has_no_zero_as_a_null_pointer() {
    if !support::has(["clang++"]) {
        return;
    }
    let folder = TempDir::new().unwrap();
    let source = folder.path().join("header.cpp");
    fs::write(&source, DEFINITION).unwrap();
    let warnings = ["-Werror", "-Wzero-as-null-pointer-constant"];
    for standard in ["c++11", "c++17", "c++20"] {
        let mut compile = dialect("clang++", standard).command(&header_folder(), &warnings);
        succeed(
            compile
                .args([
                    "-DSMTP_ESC_NO_INLINE",
                    "-DSMTP_ESC_DESCRIPTIONS",
                    "-DSMTP_ESC_ADVICE",
                    "-DSMTP_ESC_SUGGESTIONS",
                    "-fsyntax-only",
                ])
                .arg(&source),
        );
    }
}

#[test]
fn every_number_is_a_code_or_is_refused() {
    let folder = TempDir::new().unwrap();
    let plain: &[&str] = &["-O2", "-DSMTP_ESC_DESCRIPTIONS"];
    let jobs = [
        ("gcc", "gcc", plain),
        (SANITIZED_GCC, "gcc", &SANITIZERS),
        ("clang", "clang", plain),
        (SANITIZED_CLANG, "clang", &SANITIZERS),
    ];
    let present = support::present(&jobs.map(|(needed, ..)| needed));
    for (_, compiler, options) in jobs.iter().filter(|(needed, ..)| present.contains(needed)) {
        let numbers = dialect(compiler, "c99").build(folder.path(), "numbers", options);
        assert_eq!(String::from_utf8_lossy(&run(&numbers, b"")), "", "{compiler} {options:?}");
    }
}

#[test]
fn suggestions_are_those_of_the_library() {
    let expected = library_suggestions();
    in_two_threads(&dialects(), |dialect| {
        let folder = TempDir::new().unwrap();
        let found = String::from_utf8(run(&dialect.build(folder.path(), "suggest", &[]), b"")).unwrap();
        for (line, expected) in found.replace('\r', "").lines().zip(expected.lines()) {
            assert_eq!(line, expected, "{dialect:?}");
        }
        assert_eq!(found.lines().count(), expected.lines().count(), "{dialect:?}");
    });
}

/// Returns what `tests/c/suggest.c` has to print, without CR.
fn library_suggestions() -> String {
    let (mut text, mut table) = (String::new(), String::new());
    for situation in situations() {
        let _ = writeln!(text, "situation {} {} {}", situation.id, situation.command, situation.title);
        let _ = writeln!(text, "title {}", situation.title);
        for (rank, suggestion) in situation.suggestions().enumerate() {
            let level = 1 + suggestion.level as u8;
            let code = suggestion.code.map_or(0, |code| {
                let [class, subject, detail] =
                    [code.class().digit().into(), code.subject(), code.detail()].map(u32::from);
                class * 1_000_000 + subject * 1000 + detail
            });
            let pair = format!("{rank} {} {code} {level}", suggestion.reply_code);
            let _ = writeln!(text, "pair {pair} {suggestion} Words");
            let source = suggestion.source.replace('§', "section ");
            let _ = writeln!(table, "suggestion {} {pair} {source}", situation.id);
        }
        text.push_str("end 0 0\n");
    }
    let unknown_user = Situation::from_id("unknown-user").unwrap().best.level as u8 + 1;
    format!("{text}{table}0 0 0\n0 0 {unknown_user}\n1 1\n")
}

#[test]
fn tables_are_those_of_the_library() {
    let folder = TempDir::new().unwrap();
    let Some(gcc) = gcc("c89") else { return };
    // A user's macros with the names of the identifiers must change nothing.
    let identifiers = entries().iter().map(|entry| entry.identifier);
    let taken: String = identifiers
        .chain(reply_codes().iter().map(|entry| entry.identifier))
        .chain(["X", "ERROR", "CLASS", "CODE", "STATUS", "SUCCESS"])
        .map(|name| format!("#define {name} ) 7 (\n"))
        .collect();
    let prelude = folder.path().join("prelude.h");
    fs::write(&prelude, taken).unwrap();
    for options in [vec!["-O2"], vec!["-O2", "-include", prelude.to_str().unwrap()]] {
        let tables = gcc.build(folder.path(), "tables", &options);
        let lines = String::from_utf8(run(&tables, b"")).unwrap();
        let expected = library_tables();
        for (line, expected) in lines.lines().zip(expected.lines()) {
            assert_eq!(line, expected, "{options:?}");
        }
        assert_eq!(lines.lines().count(), expected.lines().count(), "{options:?}");
    }
}

#[test]
fn advice_is_that_of_the_registry() {
    let folder = TempDir::new().unwrap();
    if !support::has(["gcc"]) {
        return;
    }
    let program = dialect("gcc", "c89").build(folder.path(), "advice", &["-O2"]);
    let printed = String::from_utf8(run(&program, b"")).unwrap();
    let expected = advice_lines(&Model::load(&support::root()).unwrap());
    for (line, expected) in printed.lines().zip(&expected) {
        assert_eq!(line, expected);
    }
    assert_eq!(printed.lines().count(), expected.len());
}

/// Who does not ask for advice gets no name, and no octet, of it.
#[test]
fn advice_costs_nothing_unless_it_is_asked_for() {
    if !support::has(["gcc", "nm"]) {
        return;
    }
    let folder = TempDir::new().unwrap();
    let gcc = dialect("gcc", "c89");
    let source = folder.path().join("definition.c");
    fs::write(&source, DEFINITION).unwrap();
    let object = folder.path().join("definition.o");
    gcc.compile(std::slice::from_ref(&source), &object, &["-c", "-DSMTP_ESC_NO_INLINE"]);
    assert!(!defined_functions(&object).contains("smtp_esc_explain"));
    let contains = |object: &Path, text: &str| {
        fs::read(object).unwrap().windows(text.len()).any(|window| window == text.as_bytes())
    };
    let happened = &Model::load(&support::root()).unwrap().explanation.advice[0].happened;
    assert!(!contains(&object, happened));
    gcc.compile(&[source], &object, &["-c", "-DSMTP_ESC_NO_INLINE", "-DSMTP_ESC_ADVICE"]);
    assert!(defined_functions(&object).contains("smtp_esc_explain") && contains(&object, happened));
}

#[test]
fn keeps_any_text_of_the_registry_unchanged() {
    let texts = ["\"; */ /* // \\", "??/ ??( 100%s %n", "caf\u{e9} \u{202e}\u{7}", "\\\n#error", ""];
    let long = "a \"b\" ??= % ".repeat(100) + &"\u{e9}".repeat(1000);
    let mut model = Model::load(&support::root()).unwrap();
    for (entry, text) in model.entries.iter_mut().zip(texts) {
        text.clone_into(&mut entry.record.sample.text);
        entry.record.description.text = format!("{text}{long}");
    }
    for (entry, text) in model.explanation.advice.iter_mut().zip(texts) {
        text.clone_into(&mut entry.happened);
        entry.sender = long[..400].to_owned();
    }
    let folder = TempDir::new().unwrap();
    for product in render(&model, &[Kind::C]).unwrap() {
        assert!(
            product.contents.is_ascii() && product.contents.ends_with('\n'),
            "{}",
            product.path.display()
        );
        fs::write(folder.path().join(product.path.file_name().unwrap()), product.contents).unwrap();
    }
    let Some(gcc) = gcc("c89") else { return };
    let advice = gcc.build_with(folder.path(), folder.path(), "advice", &["-O1"]);
    let printed = String::from_utf8(run(&advice, b"")).unwrap();
    assert!(printed.lines().eq(advice_lines(&model)), "{printed}");
    let tables = gcc.build_with(folder.path(), folder.path(), "tables", &["-O1"]);
    let lines = String::from_utf8(run(&tables, b"")).unwrap();
    assert!(!lines.contains("too long"), "a literal has more than 509 characters");
    for (entry, text) in model.entries.iter().zip(texts) {
        let identifier = &entry.annotation.identifier;
        let sample = hex(text.as_bytes());
        let found = |start: &str, end: &str| {
            lines.lines().any(|line| line.starts_with(start) && line.ends_with(&format!(" {end}")))
        };
        assert!(found(&format!("row {identifier} "), &sample), "{text:?}");
        assert!(found("whole", &hex(format!("{text}{long}").as_bytes())), "{text:?}");
    }
}

#[test]
fn refuses_a_row_or_reply_code_with_a_reserved_name() {
    let model = Model::load(&support::root()).unwrap();
    for name in ["LISTED", "CODE", "INLINE", "REPLY_OK", "ROW_MAP_V1"] {
        let mut model = model.clone();
        name.clone_into(&mut model.entries[0].annotation.identifier);
        let error = render(&model, &[Kind::C]).unwrap_err().to_string();
        assert!(error.ends_with("registry/annotations.toml"), "{error}");
    }
    let mut model = model;
    model.entries[0].annotation.identifier = "REPLY".to_owned();
    "OK".clone_into(&mut model.reply_codes[0].name);
    let error = render(&model, &[Kind::C]).unwrap_err().to_string();
    assert!(error.ends_with("registry/reply-codes.toml"), "{error}");
}

#[test]
fn every_name_has_the_prefix_and_at_most_31_characters() {
    let Some(gcc) = gcc("c89") else { return };
    let folder = TempDir::new().unwrap();
    let macros = |include: &str| -> BTreeSet<String> {
        let source = folder.path().join("names.c");
        fs::write(&source, include).unwrap();
        let list = succeed(
            gcc.command(&header_folder(), &["-dM", "-E", "-DSMTP_ESC_DESCRIPTIONS", "-DSMTP_ESC_ADVICE"])
                .arg(source),
        );
        list.lines().filter_map(|line| Some(line.strip_prefix("#define ")?.to_owned())).collect()
    };
    let before = macros("#include <stddef.h>\n");
    let after = macros("#include <smtp_enhanced_status.h>\n");
    let names: BTreeSet<&str> = after.difference(&before).map(|line| name_at_start(line)).collect();
    for name in &names {
        assert!(
            name.starts_with("SMTP_ESC_") || *name == "SMTP_ENHANCED_STATUS_H",
            "{name} lacks the prefix"
        );
        assert!(name.len() <= 31, "{name} has more than 31 characters");
    }
    for internal in ["SMTP_ESC_INLINE", "SMTP_ESC_CASE", "SMTP_ESC_KEY", "SMTP_ESC_NULL", "SMTP_ESC_PUT"] {
        assert!(!names.contains(internal), "{internal} is still defined at the end of the header");
    }
    for entry in entries() {
        assert!(names.contains(format!("SMTP_ESC_{}", entry.identifier).as_str()), "{}", entry.identifier);
    }
}

/// Users may pass the texts to printf as formats, or send them in replies.
#[test]
fn texts_of_the_current_tables_are_plain() {
    let model = Model::load(&support::root()).unwrap();
    let rows = entries().iter().flat_map(|entry| [entry.identifier, entry.sample_text, entry.description]);
    let replies = reply_codes().iter().flat_map(|entry| [entry.identifier, entry.meaning]);
    let categories =
        model.explanation.categories.iter().flat_map(|category| [&category.id, &category.meaning]);
    let advice = model.explanation.advice.iter();
    let advice = advice.flat_map(|entry| [&entry.happened, &entry.sender, &entry.administrator]);
    for text in rows.chain(replies).chain(categories.chain(advice).map(String::as_str)) {
        assert!(text.bytes().all(|octet| matches!(octet, b' '..=b'~') && octet != b'%'), "{text:?}");
    }
}

#[test]
fn installs_for_pkg_config() {
    if !support::has(["make", "pkg-config", "gcc"]) {
        return;
    }
    let gcc = dialect("gcc", "c89");
    let stage = TempDir::new().unwrap();
    let destination = format!("DESTDIR={}", stage.path().display());
    let arguments = ["--directory", header_folder().to_str().unwrap(), "PREFIX=/opt/mail", &destination]
        .map(str::to_owned);
    succeed(Command::new("make").args(&arguments).arg("install"));
    let ask = |question| {
        let mut pkg_config = Command::new("pkg-config");
        pkg_config.env("PKG_CONFIG_PATH", stage.path().join("opt/mail/share/pkgconfig"));
        pkg_config.env("PKG_CONFIG_SYSROOT_DIR", stage.path());
        succeed(pkg_config.args([question, "smtp-enhanced-status"]))
    };
    assert_eq!(ask("--modversion").trim(), env!("CARGO_PKG_VERSION"));
    let flags = ask("--cflags");
    let reply = stage.path().join("reply");
    let example = support::root().join("examples/reply.c");
    succeed(
        gcc.command(Path::new(""), &WARNINGS)
            .args(flags.split_whitespace())
            .arg(example)
            .arg("-o")
            .arg(&reply),
    );
    assert_replies(&reply);
    succeed(Command::new("make").args(&arguments).arg("uninstall"));
    fs::remove_file(reply).unwrap();
    assert_eq!(files(stage.path()), Vec::<PathBuf>::new(), "uninstall left files");
}

#[test]
fn installs_for_cmake() {
    if !support::has(["cmake", "make", "gcc"]) {
        return;
    }
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    let set = |name: &str, value: &str| format!("{name}={}", path(value).display());
    let header = header_folder();
    let cmake = || {
        let mut cmake = Command::new("cmake");
        cmake.env("CC", "gcc");
        cmake
    };
    let make = || {
        let mut make = Command::new("make");
        make.arg("--directory").arg(&header).arg("install");
        make
    };
    succeed(make().arg(set("PREFIX", "usual")));
    succeed(make().arg(set("PREFIX", "odd")).arg(set("includedir", "odd/include/mail")));
    succeed(cmake().arg("-S").arg(&header).arg("-B").arg(path("self")));
    succeed(cmake().arg("--install").arg(path("self")).arg("--prefix").arg(path("by-cmake")));
    let version = concat!(env!("CARGO_PKG_VERSION_MAJOR"), ".", env!("CARGO_PKG_VERSION_MINOR"));
    let find = format!(
        "find_package(smtp-enhanced-status 99 QUIET)\n\
         if(smtp-enhanced-status_FOUND)\n  message(FATAL_ERROR \"another major version\")\nendif()\n\
         find_package(smtp-enhanced-status {version} REQUIRED)\n"
    );
    let within = format!("add_subdirectory({} header)\n", header.display());
    let jobs = [("usual", &find), ("odd", &find), ("by-cmake", &find), ("within", &within)];
    in_two_threads(&jobs, |(name, get)| {
        let (source, build) = (path(&format!("{name}-source")), path(&format!("{name}-build")));
        fs::create_dir(&source).unwrap();
        fs::write(source.join("CMakeLists.txt"), consumer(get)).unwrap();
        let prefix = format!("-DCMAKE_PREFIX_PATH={}", path(name).display());
        succeed(cmake().arg("-S").arg(&source).arg("-B").arg(&build).arg(prefix));
        succeed(cmake().arg("--build").arg(&build));
        assert_replies(&build.join("reply"));
    });
}

const DEFINITION: &str = "#define SMTP_ESC_IMPLEMENTATION\n#include <smtp_enhanced_status.h>\n";

const USE: &str = "#include <smtp_enhanced_status.h>\n\
    #ifdef __cplusplus\nextern \"C\"\n#endif\nlong use(void);\n\
    long use(void)\n{\n    return smtp_esc_parse(\"5.1.1\", 5);\n}\n";

const SANITIZED_GCC: &str = "gcc -fsanitize=address,undefined";

const SANITIZED_CLANG: &str = "clang -fsanitize=address,undefined";

const SANITIZERS: [&str; 4] =
    ["-O1", "-DSMTP_ESC_DESCRIPTIONS", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

/// The limits of the grammar, and texts that other parsers get wrong.
const TEXTS: [&[u8]; 64] = [
    b"",
    b"5",
    b"5.",
    b"5.1",
    b"5.1.",
    b"5.1.1",
    b"2.0.0",
    b"4.999.999",
    b"5.999.999 x",
    b"550 5.1.1",
    b"5.7.606 x",
    b"5.7.509",
    b"5.1.351",
    b"5.1.999",
    b"no code here",
    b"5.7.1000 x",
    b"5.7.1000",
    b"5.1000.1",
    b"1.2.3 x",
    b"9.1.1",
    b"3.0.0",
    b"0.0.0",
    b"5.07.1",
    b"05.7.1",
    b"5.+7.+1",
    b"5.-1.0",
    b"5..1",
    b"5.7.",
    b"5.7.1\tx",
    b"5.7.1: x",
    b"#5.1.1",
    b"(#5.1.1)",
    b"5.7.1.4 x",
    b"10.0.0.1 hi",
    b"version 1.2",
    b"5.7.1\r\n",
    b"5.7.1\n",
    b"5.7.1\0",
    b"5.7.1\0x",
    b"5\0.7.1",
    b"5.7.1 ",
    b" 5.7.1",
    b"5.7.10",
    b"5.7.010",
    b"5.7.00",
    b"5.00.0",
    b"5.0.0",
    b"5.7.1x",
    b"5.7.1\xff",
    b"\xb5.7.1",
    b"5.\xb7.1",
    b"5.1.10 x",
    b"5.1.1-x",
    b"5,1,1",
    b"5. 1.1",
    b"5 .1.1",
    b"5.1.1 \0",
    b"X.1.1",
    b"x.1.1",
    b"55.1.1",
    b"5.1e1.1",
    b"5.0x1.1",
    b"4.294967296.1",
    b"5.18446744073709551617.1",
];

fn assert_judges(who: &str, program: &Path) {
    static EXPECTED: OnceLock<Vec<u8>> = OnceLock::new();
    let statuses: String =
        grid::statuses().map(|(subject, detail)| format!("{subject} {detail}\n")).collect();
    let verdicts = run(program, statuses.as_bytes());
    if *EXPECTED.get_or_init(grid::library_verdicts) != verdicts {
        grid::assert_agree(who, &verdicts);
    }
}

/// Returns the line that parse.c should print for a text, according to the library.
fn library_answer(text: &[u8]) -> String {
    let whole = EnhancedStatusCode::from_bytes(text).map_or(0, code_number);
    match EnhancedStatusCode::parse_prefix(text) {
        None => format!("{whole} 0 0 "),
        Some((code, rest)) => format!("{whole} {} {} {code}", code_number(code), text.len() - rest.len()),
    }
}

/// Returns the lines that tables.c should print, according to the library.
fn library_tables() -> String {
    let mut lines = String::new();
    let _ = writeln!(lines, "version {} {}", env!("CARGO_PKG_VERSION"), version_number());
    let date = REGISTRY_UPDATED.replace('-', "");
    let _ = writeln!(lines, "registry {REGISTRY_UPDATED} {date} {REGISTRY_SHA256} {REGISTRY_ORIGIN}");
    for entry in entries() {
        let number = status_number(entry.status);
        let _ = writeln!(
            lines,
            "row {} {} {number} {} {} {} {number} {} {}",
            entry.identifier,
            sub_codes(entry),
            bits(entry.classes),
            form(entry.associated.form),
            successor(entry),
            hex(entry.reference.as_bytes()),
            hex(entry.sample_text.as_bytes())
        );
    }
    for entry in entries() {
        let associated = entry.associated;
        let exact = associated.codes.iter().map(|code| (1, code.as_u16()));
        let class = associated.class_wildcards.iter().map(|class| (2, u16::from(class.digit())));
        let any = (associated.form == AssociatedForm::Any).then_some((3, 0));
        for (kind, reply) in exact.chain(class).chain(any) {
            let _ = writeln!(lines, "pair {} {} {kind} {reply}", entry.identifier, sub_codes(entry));
        }
    }
    for entry in class_entries() {
        let _ = writeln!(lines, "class {} {}", entry.class, hex(entry.summary.as_bytes()));
    }
    for entry in subject_entries() {
        let _ = writeln!(lines, "subject {} {}", entry.subject, hex(entry.summary.as_bytes()));
    }
    for entry in reply_codes() {
        let _ = writeln!(
            lines,
            "reply {0} {1} {0} {2}",
            entry.code,
            entry.identifier,
            hex(entry.meaning.as_bytes())
        );
    }
    for entry in entries() {
        let text = hex(entry.description.as_bytes());
        let _ = write!(lines, "\ndescription {} {} {text}", entry.identifier, sub_codes(entry));
    }
    lines.push('\n');
    let mut rows: Vec<&Entry> = entries().iter().collect();
    rows.sort_by_key(|entry| entry.status);
    // Codes have smaller numbers than statuses.
    for class in Class::ALL.map(Some).into_iter().chain([None]) {
        for entry in &rows {
            let _ = writeln!(lines, "{}", library_row(entry, class));
            let _ = writeln!(lines, "whole {}", hex(entry.description.as_bytes()));
        }
    }
    for entry in reply_codes() {
        let _ =
            writeln!(lines, "meaning {} {} {}", entry.code, entry.identifier, hex(entry.meaning.as_bytes()));
    }
    lines
}

/// Returns the lines that advice.c should print, according to the data files.
fn advice_lines(model: &Model) -> Vec<String> {
    let explanation = &model.explanation;
    let find = |subject: Subject| explanation.advice.iter().find(|entry| entry.subject().unwrap() == subject);
    let categories = explanation.categories.iter().filter(|category| category.transient.is_some());
    let mut lines: Vec<String> = categories
        .map(|category| {
            let texts = format!("{} {}", hex(category.id.as_bytes()), hex(category.meaning.as_bytes()));
            format!("category SMTP_ESC_CAT_{} 1 {texts} {texts}", category.identifier())
        })
        .collect();
    let mut subjects: Vec<Subject> =
        explanation.advice.iter().map(|entry| entry.subject().unwrap()).collect();
    subjects.sort_unstable();
    for subject in &subjects {
        let (reply, status) = match *subject {
            Subject::Row(status, class) => (u16::from(class.digit()), status),
            Subject::Pair(code, status, _) => (code.number(), status),
            _ => continue,
        };
        let text = advice_text(find(*subject).unwrap(), subject.class().unwrap(), model);
        lines.push(format!("map {reply} {} {} {text}", status.subject, status.detail));
    }
    // The program goes through the codes in ascending order, and through the reply codes with each.
    for class in [4, 5].map(|digit| code::Class::new(digit).unwrap()) {
        let mut rows: Vec<code::Status> = model.entries.iter().map(|entry| entry.status).collect();
        rows.sort_unstable();
        for status in rows {
            let code = format!("{class}.{}.{}", status.subject, status.detail);
            let own = find(Subject::Row(status, class)).unwrap();
            lines.push(format!("0 {code} {}", advice_text(own, class, model)));
            for reply in (200..=599).filter_map(code::ReplyCode::new) {
                if let Some(entry) = find(Subject::Pair(reply, status, class)) {
                    lines.push(format!("{reply} {code} {}", advice_text(entry, class, model)));
                }
            }
        }
    }
    lines
}

/// Returns what advice.c prints of an entry: its category, what to do by numbers, and its texts.
fn advice_text(entry: &Advice, class: code::Class, model: &Model) -> String {
    let category =
        model.explanation.categories.iter().find(|category| category.id == entry.category).unwrap();
    let action = if class.digit() == 4 { category.transient } else { category.permanent }.unwrap();
    let retry = match entry.retry.unwrap_or(action.retry) {
        Retry::Never => 1,
        Retry::AfterFix => 2,
        Retry::LaterAndFix => 3,
        Retry::Later => 4,
    };
    let list = match entry.list.unwrap_or(action.list) {
        ListAction::Remove => 1,
        ListAction::Pause => 2,
        ListAction::Keep => 3,
    };
    let texts = [&entry.happened, &entry.sender, &entry.administrator].map(|text| hex(text.as_bytes()));
    format!("{} {retry} {list} {}", category.id, texts.join(" "))
}

/// Returns the line that tables.c should print for the status of a row, or for its code of a class.
fn library_row(entry: &Entry, class: Option<Class>) -> String {
    let number = class
        .map_or_else(|| status_number(entry.status), |class| code_number(entry.status.with_class(class)));
    let listings: String = (199..=600).map(|reply| listing(entry, reply)).collect();
    let class = class_entries().iter().find(|row| Some(row.class) == class);
    let subject = subject_entries().iter().find(|row| row.subject == entry.status.subject()).unwrap();
    format!(
        "number {number} {} {} {} {} {} {} {} {} {listings} {}",
        entry.identifier,
        bits(entry.classes),
        form(entry.associated.form),
        successor(entry),
        u8::from(entry.deprecated.is_some()),
        hex(entry.reference.as_bytes()),
        class.map_or("-", |row| row.summary),
        hex(subject.summary.as_bytes()),
        hex(entry.sample_text.as_bytes())
    )
}

fn successor(entry: &Entry) -> u32 {
    entry.deprecated.map_or(0, |deprecation| status_number(deprecation.successor))
}

fn sub_codes(entry: &Entry) -> String {
    format!("{} {}", entry.status.subject(), entry.status.detail())
}

/// Returns the number of a status in the header: an X counts as 10.
fn status_number(status: Status) -> u32 {
    10_000_000 + u32::from(status.subject()) * 1000 + u32::from(status.detail())
}

fn code_number(code: EnhancedStatusCode) -> u32 {
    status_number(code.status()) - 10_000_000 + u32::from(code.class().digit()) * 1_000_000
}

fn version_number() -> u32 {
    let numbers =
        env!("CARGO_PKG_VERSION").split(['.', '-', '+']).take(3).map(|number| number.parse::<u32>().unwrap());
    numbers.fold(0, |version, number| version << 8 | number)
}

fn bits(classes: Classes) -> u8 {
    let bit = |class: Class| match class {
        Class::Success => 1,
        Class::Transient => 2,
        Class::Permanent => 4,
    };
    classes.iter().map(bit).sum()
}

fn form(form: AssociatedForm) -> u8 {
    match form {
        AssociatedForm::Any => 1,
        AssociatedForm::NotGiven => 2,
        AssociatedForm::NoData => 3,
        AssociatedForm::List => 4,
        AssociatedForm::OpenList => 5,
        _ => panic!("{form:?} has no number in the header yet"),
    }
}

/// Returns reply codes, codes or 0, and texts: those that are folded, those that are unprintable, and those of
/// [`random_texts`].
fn replies() -> impl Iterator<Item = (u16, u32, String)> {
    let codes = [0, 5_001_001, 5_999_999, 2_000_000, 4_002_002, 10_001_001, 1];
    let room = 512 - "550 5.1.1 \r\n".len();
    let long = (room - 2..=room + 6).flat_map(|length| {
        ["", "\n", "\r\n", " ", "\r", "y", " y", "\ny"].map(|end| {
            [
                "x".repeat(length) + end,
                format!("one two {}{end}", "x".repeat(length - 8)),
                " ".repeat(length) + end,
            ]
        })
    });
    let short = ["", "\n", "\r\n", "\r", "a\n\nb", "a\r\r\nb", "a\tb\u{1b}\u{7f}c", "ok\r\n250 2.0.0 ok\n"];
    let random = random_texts(2000).map(|text| {
        let text = text.into_iter().filter(|octet| octet.is_ascii() && *octet != 0);
        text.map(char::from).collect::<String>().repeat(60).replace(':', "\r\n")
    });
    let texts = long.flatten().chain(short.map(str::to_owned)).chain(random);
    texts.enumerate().flat_map(move |(index, text)| {
        let number = [550, 250, 354, 452, 199, 600][index % 6];
        [(550, 5_001_001, text.clone()), (number, codes[index % codes.len()], text)]
    })
}

/// Returns what replies.c should write, according to the library: nothing if the reply is refused.
fn library_reply((number, code, text): &(u16, u32, String)) -> String {
    let Some(reply_code) = ReplyCode::new(*number) else { return String::new() };
    let reply = ReplyWriter::new(reply_code, text);
    if *code == 0 {
        return reply.to_string();
    }
    let class = u8::try_from(code / 1_000_000).ok().and_then(Class::from_digit);
    let [subject, detail] = [code / 1000 % 1000, code % 1000].map(|number| u16::try_from(number).unwrap());
    let code = class.and_then(|class| EnhancedStatusCode::new(class, subject, detail));
    let reply = code.and_then(|code| reply.with_enhanced(code).ok());
    reply.map(|reply| reply.to_string()).unwrap_or_default()
}

/// Returns the blocks of C in a document.
fn c_blocks(document: &str) -> Vec<String> {
    let text = fs::read_to_string(support::root().join(document)).unwrap();
    let blocks = text.split("\n```c\n").skip(1).map(|rest| rest.split("\n```").next().unwrap().to_owned());
    blocks.collect()
}

/// Compiles an example as the body of a function, which is called with the texts of replies with 550: with codes that
/// have no row, without a code, and with a registered code.
fn build_block(gcc: &Dialect, folder: &Path, block: &str) -> PathBuf {
    let (includes, body): (Vec<&str>, Vec<&str>) =
        block.lines().partition(|line| line.starts_with("#include"));
    let [source, program] = ["block.c", "block"].map(|name| folder.join(name));
    let text = include_str!("c/block.c").replace("/* INCLUDES */", &includes.join("\n"));
    fs::write(&source, text.replace("/* BODY */", &body.join("\n"))).unwrap();
    let options =
        ["-O2", "-Wall", "-Wextra", "-Werror", "-Wno-unused", "-DSMTP_ESC_ADVICE", "-DSMTP_ESC_SUGGESTIONS"];
    succeed(gcc.command(&header_folder(), &options).arg(source).arg("-o").arg(&program));
    program
}

fn listing(entry: &Entry, reply: u16) -> char {
    match ReplyCode::new(reply).and_then(|code| entry.associated.listing(code)) {
        None => '0',
        Some(Listing::Exact) => '1',
        Some(Listing::ClassWildcard) => '2',
        Some(Listing::Any) => '3',
    }
}

/// Returns texts made of characters that are common in codes and around them; the same texts in every run.
fn random_texts(count: usize) -> impl Iterator<Item = Vec<u8>> {
    const ALPHABET: &[u8] = b"0123456789.X -+#():\t\0a2455......11  ";
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut next = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % below
    };
    (0..count).map(move |index| {
        let length = next(12);
        let mut text: Vec<u8> = (0..length).map(|_| ALPHABET[next(ALPHABET.len())]).collect();
        // Half of the texts begin like a code, so that many are codes.
        if index % 2 == 0 {
            text.splice(..0, format!("{}.{}.", next(7), next(1200)).into_bytes());
        }
        text
    })
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut hex, octet| {
        let _ = write!(hex, "{octet:02x}");
        hex
    })
}

/// Returns the global functions that an object file defines.
fn defined_functions(object: &Path) -> BTreeSet<String> {
    let list = succeed(Command::new("nm").args(["-g", "--defined-only", "-P"]).arg(object));
    list.lines().map(|line| name_at_start(line).to_owned()).collect()
}

fn name_at_start(line: &str) -> &str {
    line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default()
}

/// Returns a CMake project that builds the example.
fn consumer(get_the_target: &str) -> String {
    format!(
        "cmake_minimum_required(VERSION 3.14)\nproject(consumer C)\n{get_the_target}\
         add_executable(reply {})\n\
         target_link_libraries(reply PRIVATE smtp-enhanced-status::smtp-enhanced-status)\n",
        support::root().join("examples/reply.c").display()
    )
}

fn assert_replies(program: &Path) {
    let expected = "220 mx.example ESMTP\r\n\
        250-mx.example\r\n\
        250 ENHANCEDSTATUSCODES\r\n\
        250 2.1.0 Sender accepted\r\n\
        250 2.1.5 Recipient accepted\r\n\
        550-5.1.1 No such user here: <nobody@example.com>\r\n\
        550 5.1.1 250 2.1.5 Recipient accepted\r\n\
        452 4.2.2 Mailbox full\r\n\
        452 4.5.3 Too many recipients; send the rest in another transaction\r\n\
        550-5.7.1 Message refused by local policy\r\n\
        550 5.7.1 See https://example.com/policy\r\n\
        354 End with a dot on a line of its own\r\n\
        250 2.0.0 Message queued\r\n\
        refused: 550 4.2.2\r\n";
    assert_eq!(String::from_utf8(run(program, b"")).unwrap(), expected);
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Runs a program with an input, and returns its output. The program must succeed.
fn run(program: &Path, input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut output = Vec::new();
    std::thread::scope(|scope| {
        // A program that reads nothing closes the pipe early.
        scope.spawn(move || drop(stdin.write_all(input)));
        child.stdout.take().unwrap().read_to_end(&mut output).unwrap();
    });
    let status = child.wait().unwrap();
    assert!(status.success(), "{}: {status}\n{}", program.display(), String::from_utf8_lossy(&output));
    output
}
