//! `sync` and `all` with servers that answer well, badly and not at all: what is taken, what is refused and why. A
//! refusal changes nothing, ends in time and uses little memory.

mod copy;
#[path = "download/run.rs"]
mod run;
mod server;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::fs::{self, File};
use std::io::Write as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use copy::Copy;
use flate2::Compression;
use flate2::write::GzEncoder;
use run::{Run, Running, run};
use server::{Answer, Authority, Server, Step, answer, head};
use xtask::date::in_days;
use xtask::render::escape::is_deceptive;
use xtask::snapshot::{Snapshot, sha256};

#[test]
fn files_that_are_not_registries_are_refused() {
    let desk = Desk::new();
    let text = desk.snapshot();
    let declared = |declarations: &str| {
        text.replacen("<registry", &format!("<!DOCTYPE registry [{declarations}]>\n<registry"), 1)
    };
    let laughs: String = ('b'..='k')
        .zip('a'..)
        .map(|(next, last)| format!("<!ENTITY {next} \"{}\">", format!("&{last};").repeat(10)))
        .collect();
    let latin_1 = text.replacen(SAMPLE, ">Mailbox f\u{fc}ll<", 1).chars().map(|c| c as u8).collect();
    let utf_16 = std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let last_row = &text[text.rfind("<record").unwrap()..];
    let last_row = &last_row[..last_row.find("</record>").unwrap() + "</record>".len()];
    // Without the day, because midnight may pass meanwhile.
    let future = format!("dated {}, which is in the future", in_days(4));
    let clock = format!("by this machine's clock, today is {}", &in_days(0)[.."2024-12-".len()]);
    let refused: &[(&str, Vec<u8>, &[&str])] = &[
        ("a captive portal", HTML.into(), &["HTML page", "open the address in a browser"]),
        (
            "HTML after white space",
            "\r\n <HTML><body>Please sign in</body></HTML>".into(),
            &["HTML page", "in a browser"],
        ),
        ("nothing", "".into(), &["no root element", "check where the file comes from"]),
        ("JSON", "{\"error\": \"no such page\"}".into(), &["line 1", "check where the file comes from"]),
        (
            "another registry",
            text.replacen("id=\"smtp-enhanced-status-codes\"", "id=\"mail-parameters\"", 1).into(),
            &["\"mail-parameters\"", "this is another registry", "check where the file comes from"],
        ),
        (
            "another registry within",
            text.replacen("id=\"smtp-enhanced-status-codes-3\"", "id=\"mail-parameters-3\"", 1).into(),
            &["\"mail-parameters-3\"", "check where the file comes from"],
        ),
        (
            "a row removed",
            text.replacen(last_row, "", 1).into(),
            &["rows of the snapshot are missing", "--accept-removal X."],
        ),
        (
            "a row twice",
            text.replacen(last_row, &last_row.repeat(2), 1).into(),
            &["occurs a second time", "check where the file comes from"],
        ),
        (
            "an older one",
            dated(&text, "2001-01-01").into(),
            &["of 2001-01-01 is older than", "add --allow-older"],
        ),
        (
            "one of the future",
            dated(&text, &in_days(4)).into(),
            &[&future, &clock, "if the clock is wrong, set it", "check where the file comes from"],
        ),
        (
            "one of another millennium",
            dated(&text, "2999-12-31").into(),
            &["dated 2999-12-31, which is in the future", &clock],
        ),
        (
            "a billion laughs",
            declared(&format!("<!ENTITY a \"ha\">{laughs}")).replacen(SAMPLE, ">&k;<", 1).into(),
            &["document type declaration", "check where the file comes from"],
        ),
        (
            "an external entity",
            declared("<!ENTITY e SYSTEM \"file:///etc/passwd\">").replacen(SAMPLE, ">&e;<", 1).into(),
            &["document type declaration", "check where the file comes from"],
        ),
        (
            "an undeclared entity",
            text.replacen(SAMPLE, ">&laugh;<", 1).into(),
            &["entity &laugh;", "check where the file comes from"],
        ),
        ("Latin-1", latin_1, &["octet 0xfc is not UTF-8", "check where the file comes from"]),
        (
            "a byte order mark",
            format!("\u{feff}{text}").into(),
            &["byte order mark", "check where the file comes from"],
        ),
        ("UTF-16", utf_16, &["UTF-16", "check where the file comes from"]),
        ("elements without end", deep(), &["deep", "check where the file comes from"]),
        (
            "control characters",
            text.replacen(SAMPLE, ">\u{1b}[2J\u{7}<", 1).into(),
            &["U+001B is not allowed in XML", "check where the file comes from"],
        ),
        (
            "a deceptive code",
            text.replacen("<code>X.", "<code>\u{202e}\u{9b}X.", 1).into(),
            &["line ", "check where the file comes from"],
        ),
    ];
    for (name, body, says) in refused {
        let server = Server::script(vec![answer("200 OK", &["Content-Type: text/xml"], body)]);
        desk.assert_refused(name, &desk.sync(&server, &[]), says);
        assert_eq!(server.requests().len(), 1, "{name}");
    }
}

#[test]
fn a_registry_cut_off_at_any_kib_is_refused() {
    let desk = Desk::new();
    let text = desk.newer();
    let kibs = text.len().div_ceil(1 << 10);
    let server =
        Server::http(move |request| answer("200 OK", &[], &text.as_bytes()[..request.number() << 10]));
    for kib in 0..kibs {
        let run = desk.xtask(&["sync", "--url", &server.url(&format!("/{kib}"))]);
        desk.assert_refused(&format!("{kib} KiB"), &run, &["check where the file comes from"]);
    }
    assert_eq!(server.requests().len(), kibs);
}

#[test]
fn responses_without_a_registry_are_refused_with_their_reasons() {
    let desk = Desk::new();
    let newer = desk.newer();
    let busy = |lines: &[&str]| vec![answer("429 Too Many Requests", lines, "")];
    let later = "Retry-After: Fri, 31 Dec 2999 23:59:59 GMT";
    let refused: &[(&str, Vec<Answer>, usize, &[&str])] = &[
        ("missing", vec![answer("404 Not Found", &[], HTML)], 1, &["404 Not Found", "check the address"]),
        ("forbidden", vec![answer("403 Forbidden", &[], HTML)], 1, &["403", "check the address"]),
        ("no content", vec![vec![head("204 No Content", &[])]], 1, &["204", "check the address"]),
        ("a part", vec![answer("206 Partial Content", &[], &newer)], 1, &["206", "check the address"]),
        ("a redirect to nowhere", vec![answer("302 Found", &[], "")], 1, &["302", "check the address"]),
        (
            "not modified, unasked",
            vec![vec![head("304 Not Modified", &["ETag: \"1\""])]],
            1,
            &["304", "check the address"],
        ),
        ("busy", busy(&["Retry-After: 7"]), 1, &["429", "try again after 7 s"]),
        ("busy until then", busy(&[later]), 1, &["429", "try again after Fri, 31 Dec 2999"]),
        ("busy, no date", busy(&[]), 1, &["429", "try again later"]),
        ("busy, empty date", busy(&["Retry-After:"]), 1, &["429", "try again later"]),
        (
            "always down",
            vec![answer("500 Internal Server Error", &[], HTML)],
            3,
            &["500", "tried 3 times", "try again later"],
        ),
        (
            "down, then missing",
            vec![answer("503 Service Unavailable", &[], ""), answer("404 Not Found", &[], "")],
            2,
            &["404", "check the address"],
        ),
    ];
    for (name, answers, requests, says) in refused {
        let server = Server::script(answers.clone());
        desk.assert_refused(name, &desk.sync(&server, &[]), says);
        assert_eq!(server.requests().len(), *requests, "{name}");
    }
}

#[test]
fn a_server_that_recovers_is_used() {
    let newer = Desk::new().newer();
    let whole = answer("200 OK", &[], &newer);
    let half = &newer.as_bytes()[..newer.len() / 2];
    let too_long = head("200 OK", &[&format!("Content-Length: {}", newer.len())]);
    let first_answers: &[(&str, Answer)] = &[
        ("an error", answer("500 Internal Server Error", &[], "")),
        ("half a body", vec![too_long.clone(), Step::Send(half.to_vec())]),
        ("a reset", vec![too_long, Step::Send(half.to_vec()), Step::Reset]),
        ("no answer", vec![]),
    ];
    for (name, first) in first_answers {
        let desk = Desk::new();
        let server = Server::script(vec![first.clone(), whole.clone()]);
        desk.assert_taken(name, &desk.sync(&server, &[]), &newer);
        assert_eq!(server.requests().len(), 2, "{name}");
    }
}

#[test]
fn an_incomplete_body_is_refused() {
    let desk = Desk::new();
    let newer = desk.newer();
    let half = Step::Send(newer.as_bytes()[..newer.len() / 2].to_vec());
    let length = |length: usize| head("200 OK", &[&format!("Content-Length: {length}")]);
    let chunked =
        |body: &[u8]| vec![head("200 OK", &["Transfer-Encoding: chunked"]), Step::Send(body.to_vec())];
    let broken = ["the body ended after", "tried 3 times", "try again later"];
    let no_answer = ["tried 3 times", "try again later"];
    let cases: &[(&str, Answer, usize, &[&str])] = &[
        ("too long a length", vec![length(newer.len() + 1), Step::Send(newer.clone().into())], 3, &broken),
        (
            "too short a length",
            vec![length(newer.len() - 20), Step::Send(newer.clone().into())],
            1,
            &["line ", "check where the file comes from"],
        ),
        (
            "no length",
            vec![head("200 OK", &[]), half.clone()],
            1,
            &["line ", "check where the file comes from"],
        ),
        ("an invalid length", vec![head("200 OK", &["Content-Length: -1"]), half.clone()], 3, &no_answer),
        ("a chunk that ends early", chunked(b"ffff\r\n<registry"), 3, &broken),
        ("no last chunk", chunked(b"4\r\n<reg\r\n"), 3, &broken),
        ("an invalid chunk size", chunked(b"four\r\n<reg\r\n"), 3, &broken),
        ("a reset in the middle", vec![length(newer.len()), half, Step::Reset], 3, &broken),
        ("a reset at once", vec![Step::Reset], 3, &no_answer),
        ("a close at once", vec![], 3, &no_answer),
        ("another protocol", vec![Step::Send(b"220 mx.example ESMTP\r\n".to_vec())], 3, &no_answer),
    ];
    for (name, answer, requests, says) in cases {
        let server = Server::script(vec![answer.clone()]);
        desk.assert_refused(name, &desk.sync(&server, &[]), says);
        assert_eq!(server.requests().len(), *requests, "{name}");
    }
}

#[test]
fn large_responses_are_refused_in_little_memory() {
    let desk = Desk::new();
    let newer = desk.newer();
    let spaces = vec![b' '; 1 << 20];
    let chunk = [b"100000\r\n".as_slice(), &spaces, b"\r\n"].concat();
    let packed = ["content encoding gzip", "a proxy may be in the way", "--from"];
    let too_large = ["more than", "the limit for a registry", "check the address"];
    let gzip = |body: Vec<Step>| [vec![head("200 OK", &["Content-Encoding: gzip"])], body].concat();
    let cases: &[(&str, Answer, &[&str])] = &[
        (
            "1 GiB of spaces in chunks",
            vec![head("200 OK", &["Transfer-Encoding: chunked"]), Step::Repeat(chunk, 1 << 10)],
            &too_large,
        ),
        (
            "1 GiB of spaces announced",
            vec![head("200 OK", &["Content-Length: 1073741824"]), Step::Repeat(spaces.clone(), 1 << 10)],
            &too_large,
        ),
        (
            "an endless body",
            vec![head("200 OK", &[]), Step::Repeat(b"<registry>".to_vec(), usize::MAX)],
            &too_large,
        ),
        (
            "spaces up to the limit",
            answer("200 OK", &[], [newer.as_bytes(), &spaces, &spaces, &spaces].concat()),
            &[],
        ),
        ("1 GiB of spaces packed", gzip(vec![Step::Repeat(packed_octets(&spaces), 1 << 10)]), &packed),
        ("the registry packed", gzip(vec![Step::Send(packed_octets(newer.as_bytes()))]), &packed),
        (
            "packed in silence",
            vec![head("200 OK", &[]), Step::Send(packed_octets(newer.as_bytes()))],
            &["not UTF-8", "check where the file comes from"],
        ),
        (
            "endless headers",
            vec![Step::Send(b"HTTP/1.1 200 OK\r\n".to_vec()), Step::Repeat(b"X: y\r\n".to_vec(), usize::MAX)],
            &["tried 3 times", "try again later"],
        ),
        (
            "one endless header",
            vec![
                Step::Send(b"HTTP/1.1 200 OK\r\nX: ".to_vec()),
                Step::Repeat(b"yyyyyyyy".to_vec(), usize::MAX),
            ],
            &["tried 3 times", "try again later"],
        ),
        (
            "half a million elements",
            answer(
                "200 OK",
                &[],
                newer.replacen("<record", &format!("{}<record", "<note/>".repeat(500_000)), 1),
            ),
            &["more than 50000 elements", "check where the file comes from"],
        ),
    ];
    for (name, answer, says) in cases {
        let server = Server::script(vec![answer.clone()]);
        let run = desk.sync(&server, &["--check"]);
        // The peak of a process that ends at once may be unknown, but these run longer.
        assert!(run.peak > 0 || !cfg!(target_os = "linux"), "{name}: the peak is unknown");
        assert_small(name, &run);
        match says {
            [] => assert_eq!(run.status, Some(3), "{name}: {run:?}"),
            says => desk.assert_refused(name, &run, says),
        }
    }
}

#[test]
fn a_slow_server_is_given_up_in_time() {
    let desk = Desk::new();
    let newer = desk.newer();
    let octets = newer.as_bytes();
    let whole = head("200 OK", &[&format!("Content-Length: {}", octets.len())]);
    let half = Step::Send(octets[..octets.len() / 2].to_vec());
    let second = Duration::from_secs(1);
    let cases: &[(&str, Answer)] = &[
        ("no answer", vec![Step::Stall]),
        ("a stall in the middle", vec![whole.clone(), half, Step::Stall]),
        ("an octet a second", vec![whole, Step::Drip(octets.to_vec(), second)]),
        ("an octet of the head a second", vec![Step::Drip(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), second)]),
    ];
    for (name, answer) in cases {
        let server = Server::script(vec![answer.clone()]);
        let run = desk.sync(&server, &["--timeout", "2"]);
        desk.assert_refused(
            name,
            &run,
            &["no complete response from", "within 2 s", "try again, raise --timeout"],
        );
        assert_in_time(name, &run, 2);
    }
}

#[test]
fn silence_in_the_tls_handshake_and_retries_end_in_time() {
    let desk = Desk::new();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/", silent.local_addr().unwrap());
    let run = desk.xtask(&["sync", "--url", &url, "--timeout", "1"]);
    desk.assert_refused(
        "silence",
        &run,
        &["no complete response from", "within 1 s", "try again, raise --timeout"],
    );
    assert_in_time("silence", &run, 1);
    let server = Server::script(vec![answer("500 Internal Server Error", &[], "")]);
    let run = desk.sync(&server, &["--timeout", "1"]);
    desk.assert_refused("500", &run, &["500", "no time is left for another attempt; raise --timeout"]);
    assert_in_time("500", &run, 1);
}

#[test]
fn five_redirects_are_followed_and_no_more() {
    let newer = Desk::new().newer();
    let too_many = ["more than 5 redirects", "check it"];
    for (name, redirects, says) in
        [("five", 5, [].as_slice()), ("six", 6, &too_many), ("endless", usize::MAX, &too_many)]
    {
        let desk = Desk::new();
        let body = newer.clone();
        let server = Server::http(move |request| match request.number() {
            number if number < redirects => redirect(&format!("/{}", number + 1)),
            _ => answer("200 OK", &[], &body),
        });
        let run = desk.sync(&server, &[]);
        match says {
            [] => desk.assert_taken(name, &run, &newer),
            says => desk.assert_refused(name, &run, says),
        }
        assert_eq!(server.requests().len(), 6, "{name}");
    }
}

#[test]
fn a_redirect_may_lead_only_to_addresses_that_are_allowed() {
    let desk = Desk::new();
    let proxy = Server::script(vec![answer("200 OK", &[], desk.newer())]);
    let elsewhere = Server::script(vec![answer("200 OK", &[], desk.newer())]);
    let not_encrypted = ["is not encrypted", "check it"];
    let cases: &[(&str, &str, &[&str])] = &[
        ("no loopback", "http://192.0.2.1/", &not_encrypted),
        ("no loopback, by name", "http://localhost.example/", &not_encrypted),
        ("a file", "file:///etc/passwd", &["check"]),
        ("FTP", "ftp://127.0.0.1/", &["check"]),
        ("no address", "http://[", &["check the address"]),
    ];
    for (name, target, says) in cases {
        let server = Server::script(vec![redirect(target)]);
        let mut command = desk.command(&["sync", "--url", &server.url("/")]);
        command.env("http_proxy", proxy.url("")).env("no_proxy", "127.0.0.1");
        desk.assert_refused(name, &run(command), says);
        assert_eq!(server.requests().len(), 1, "{name}");
    }
    let target = elsewhere.url("/");
    let server = Server::https(&desk.authority, move |_| redirect(&target));
    let run = desk.sync(&server, &[]);
    desk.assert_refused("https to http", &run, &["from https to http://127.0.0.1", "check it"]);
    assert!(proxy.requests().is_empty() && elsewhere.requests().is_empty());
}

#[test]
fn addresses_that_are_refused_cause_no_traffic() {
    let desk = Desk::new();
    let proxy = Server::script(vec![answer("200 OK", &[], desk.newer())]);
    let not_encrypted = ["is not encrypted", "use https://"];
    let cases: &[(&str, &[&str])] = &[
        ("http://192.0.2.1/", &not_encrypted),
        ("http://www.iana.org/", &not_encrypted),
        ("http://127.0.0.1.example/", &not_encrypted),
        ("http://127.0.0.1@192.0.2.1/", &not_encrypted),
        ("http://[2001:db8::1]/", &not_encrypted),
        ("ftp://127.0.0.1/", &["the scheme ftp", "write an https:// address"]),
        ("file:///etc/passwd", &["the scheme file", "write an https:// address"]),
        ("registry.xml", &["is not an address", "begins with https://"]),
        ("", &["is not an address", "begins with https://"]),
    ];
    for (url, says) in cases {
        let mut command = desk.command(&["sync", "--url", url]);
        command.env("http_proxy", proxy.url("")).env("https_proxy", proxy.url(""));
        desk.assert_refused(url, &run(command), says);
    }
    assert!(proxy.requests().is_empty());
}

#[test]
fn an_unreachable_server_is_reported_after_three_attempts() {
    let desk = Desk::new();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{closed}/");
    desk.assert_refused(
        &url,
        &desk.xtask(&["sync", "--url", &url]),
        &["refused", "tried 3 times", "try again later"],
    );
    // RFC 6761 §6.4: this name never resolves. It may take long until an unreachable resolver is given up.
    let run = desk.xtask(&["sync", "--url", "https://registry.invalid/", "--timeout", "3"]);
    desk.assert_refused("a name that never resolves", &run, &["https://registry.invalid/", "try"]);
    assert_in_time("a name that never resolves", &run, 3);
}

#[test]
fn a_resolver_that_never_answers_is_given_up_in_time() {
    let desk = Desk::new();
    let Some(unanswered) = desk.unanswered(&["sync", "--url", "https://registry.example/", "--timeout", "2"])
    else {
        return;
    };
    let run = run(unanswered);
    desk.assert_refused(
        "sync",
        &run,
        &["no complete response from", "within 2 s", "try again, raise --timeout"],
    );
    assert_in_time("sync", &run, 2);
    let run = self::run(desk.unanswered(&["all", "--url", "https://registry.example/"]).unwrap());
    desk.assert_unchanged("all");
    assert_eq!(run.status, Some(0), "{run:?}");
    assert!(run.stdout.contains("not reached") && run.stdout.contains("within 5 s"), "{run:?}");
    assert_in_time("all", &run, 5);
}

#[test]
fn a_certificate_is_trusted_or_the_reason_is_given() {
    let desk = Desk::new();
    let newer = desk.newer();
    let body = newer.clone();
    let server = Server::https(&desk.authority, move |_| answer("200 OK", &[], &body));
    let stranger = Authority::new();
    let not_trusted = ["certificate is not trusted", "ca-certificates", "SSL_CERT_FILE"];
    let no_roots = ["cannot set up TLS", "install root certificates", "ca-certificates"];
    let other_name = server.url("/").replace("127.0.0.1", "localhost");
    let url = server.url("/");
    let cases: &[(&str, &str, &str, &[&str])] = &[
        ("an unknown authority", &url, stranger.path().to_str().unwrap(), &not_trusted),
        ("another name", &other_name, desk.authority.path().to_str().unwrap(), &not_trusted),
        ("no root certificate", &url, "/dev/null", &no_roots),
    ];
    let named = support::has(["localhost"]);
    for (name, url, file, says) in cases.iter().filter(|(name, ..)| named || *name != "another name") {
        let mut command = desk.command(&["sync", "--url", url]);
        command.env("SSL_CERT_FILE", file).env("SSL_CERT_DIR", "/nonexistent");
        desk.assert_refused(name, &run(command), says);
    }
    assert!(server.requests().is_empty());
    desk.assert_taken("trusted", &desk.sync(&server, &[]), &newer);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn validators_are_recorded_and_sent_with_the_next_request() {
    let desk = Desk::new();
    let newer = desk.newer();
    let body = newer.clone();
    let modified = "Fri, 31 Dec 2999 00:00:00 GMT";
    let server = Server::https(&desk.authority, move |request| match request.header("If-None-Match") {
        Some("\"1\\x\"") => vec![head("304 Not Modified", &["ETag: \"2\""])],
        _ => answer("200 OK", &["ETag: \"1\\x\"", &format!("Last-Modified: {modified}")], &body),
    });
    desk.assert_taken("first", &desk.sync(&server, &[]), &newer);
    let record = Snapshot::load(&desk.copy.path("registry/snapshot.toml")).unwrap();
    assert_eq!(record.url, server.url("/"));
    assert_eq!(record.etag.as_deref(), Some("\"1\\x\""));
    assert_eq!(record.last_modified.as_deref(), Some(modified));
    assert_eq!((record.sha256.as_str(), record.size), (sha256(newer.as_bytes()).as_str(), newer.len()));
    assert!(newer.contains(&format!("<updated>{}</updated>", record.updated)), "{record:?}");
    assert_record_has_no_clock(&desk);

    let taken = desk.files();
    for options in [[].as_slice(), &["--check"]] {
        let run = desk.sync(&server, options);
        assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""), "{run:?}");
        assert!(run.stdout.contains("up to date"), "{run:?}");
        assert!(desk.files() == taken);
    }
    let run = desk.xtask(&["sync", "--url", &server.url("/7")]);
    assert_eq!(run.status, Some(0), "{run:?}");
    assert!(desk.files() == taken, "the same file from another address was recorded");

    let conditions: Vec<[Option<String>; 2]> = server
        .requests()
        .iter()
        .map(|request| {
            ["If-None-Match", "If-Modified-Since"].map(|name| request.header(name).map(str::to_owned))
        })
        .collect();
    let conditional = [Some("\"1\\x\"".to_owned()), Some(modified.to_owned())];
    let unconditional = [None, None];
    assert_eq!(conditions, [unconditional.clone(), conditional.clone(), conditional, unconditional]);
}

#[test]
fn malformed_validators_are_neither_recorded_nor_sent() {
    let long = format!("\"{}\"", "x".repeat(300_000));
    let dates = ["Fri, 31 Dec 2999 00:00:00 GMT".to_owned(), "x".repeat(300_000), "yesterday".to_owned()];
    let tags = [long.clone(), "no quotes".to_owned(), "\"\u{e9}\"".to_owned()];
    for (tag, date) in tags.iter().zip(&dates) {
        let desk = Desk::new();
        let newer = desk.newer();
        let lines = [format!("ETag: {tag}"), format!("Last-Modified: {date}")];
        let server = Server::script(vec![answer("200 OK", &lines.each_ref().map(String::as_str), &newer)]);
        desk.assert_taken("validators", &desk.sync(&server, &[]), &newer);
        let record = Snapshot::load(&desk.copy.path("registry/snapshot.toml")).unwrap();
        assert_eq!(record.etag, None);
        assert_eq!(record.last_modified.as_ref(), Some(date).filter(|date| date.ends_with("GMT")));
        assert_eq!(desk.sync(&server, &["--check"]).status, Some(0));
        let requests = server.requests();
        assert_eq!(requests[1].header("If-None-Match"), None);
        assert_eq!(requests[1].header("If-Modified-Since"), record.last_modified.as_deref());
    }
    // A record that was written by hand or by an older version.
    let desk = Desk::new();
    let server = Server::script(vec![answer("200 OK", &[], desk.snapshot())]);
    desk.record(&server.url("/"), &[&format!("etag = '{long}'"), "last-modified = 'yesterday'"]);
    assert_eq!(desk.sync(&server, &["--check"]).status, Some(0));
    for name in ["If-None-Match", "If-Modified-Since"] {
        assert_eq!(server.requests()[0].header(name), None, "{name}");
    }
}

#[test]
fn long_headers_are_quoted_in_part() {
    let desk = Desk::new();
    let long = "x".repeat(300_000);
    let answers = [
        answer("429 Too Many Requests", &[&format!("Retry-After: {long}")], ""),
        answer("429 Too Many Requests", &[&format!("Retry-After: {}", "9".repeat(300_000))], ""),
        answer("200 OK", &[&format!("Content-Encoding: {long}")], ""),
        redirect(&format!("http://192.0.2.1/{long}")),
        redirect(&format!("{long}://127.0.0.1/")),
    ];
    for answer in answers {
        let run = desk.sync(&Server::script(vec![answer]), &[]);
        desk.assert_refused("a long header", &run, &[]);
        assert!(run.stderr.len() < 1500, "{} octets: {}", run.stderr.len(), &run.stderr[..1500]);
    }
}

/// The validators do not belong to a snapshot that was changed by hand. xtask reports this before it sends a request.
#[test]
fn validators_of_another_file_are_not_sent() {
    let desk = Desk::new();
    let server = Server::script(vec![vec![head("304 Not Modified", &[])]]);
    desk.record(&server.url("/"), &["etag = '\"1\"'"]);
    desk.copy.edit(SNAPSHOT, SAMPLE, ">Mailbox fuller<");
    let run = desk.sync(&server, &[]);
    assert_eq!(run.status, Some(1), "{run:?}");
    assert!(run.stderr.contains("snapshot.toml does not match the snapshot"), "{run:?}");
    assert!(server.requests().is_empty());
}

#[test]
fn the_same_file_with_other_validators_changes_nothing() {
    let desk = Desk::new();
    let lines = ["ETag: \"new\"", "Last-Modified: Fri, 31 Dec 2999 00:00:00 GMT"];
    let server = Server::script(vec![answer("200 OK", &lines, desk.snapshot())]);
    desk.record(&server.url("/"), &["etag = '\"old\"'"]);
    let before = desk.files();
    for options in [[].as_slice(), &["--check"]] {
        let run = desk.sync(&server, options);
        assert_eq!(run.status, Some(0), "{run:?}");
        assert!(run.stdout.contains("up to date"), "{run:?}");
        assert!(desk.files() == before);
    }
    assert_eq!(server.requests()[0].header("If-None-Match"), Some("\"old\""));
}

#[test]
fn a_request_names_the_client_and_allows_no_compression() {
    let desk = Desk::new();
    let server = Server::script(vec![answer("200 OK", &[], desk.snapshot())]);
    assert_eq!(desk.sync(&server, &[]).status, Some(0));
    let request = &server.requests()[0];
    assert_eq!(request.line, "GET / HTTP/1.1");
    let agent = request.header("User-Agent").unwrap();
    assert!(agent.starts_with("smtp-enhanced-status-xtask/"), "{agent}");
    for name in ["Accept-Encoding", "If-None-Match", "If-Modified-Since", "Cookie", "Referer"] {
        assert_eq!(request.header(name), None, "{name}");
    }
}

#[test]
fn a_proxy_in_the_environment_is_used() {
    let desk = Desk::new();
    let newer = desk.newer();
    let proxy = Server::script(vec![answer("502 Bad Gateway", &[], "")]);
    for variable in ["https_proxy", "HTTPS_PROXY", "ALL_PROXY"] {
        let mut command = desk.command(&["sync", "--url", "https://registry.invalid/"]);
        command.env(variable, proxy.url(""));
        desk.assert_refused(variable, &run(command), &["try again later"]);
    }
    let requests = proxy.requests();
    assert_eq!(requests.len(), 9);
    assert!(
        requests.iter().all(|request| request.line == "CONNECT registry.invalid:443 HTTP/1.1"),
        "{requests:?}"
    );

    let proxy = Server::script(vec![answer("200 OK", &[], &newer)]);
    let mut command = desk.command(&["sync", "--url", "http://localhost:9/registry.xml"]);
    command.env("http_proxy", proxy.url(""));
    desk.assert_taken("http_proxy", &run(command), &newer);
    assert_eq!(proxy.requests()[0].line, "GET http://localhost:9/registry.xml HTTP/1.1");
}

#[test]
fn check_and_dry_run_report_and_write_nothing() {
    let desk = Desk::new();
    let newer = desk.newer();
    let server = Server::script(vec![answer("200 OK", &[], &newer)]);
    let file = desk.file(&newer);
    for source in [["--url", &server.url("/")], ["--from", file.to_str().unwrap()]] {
        for (option, status) in [("--check", 3), ("--dry-run", 0)] {
            let run = desk.xtask(&[["sync", option].as_slice(), &source].concat());
            assert_eq!(run.status, Some(status), "{option}: {run:?}");
            assert!(run.stdout.contains("Mailbox overfull"), "{run:?}");
            assert!(run.stderr.contains("nothing was written"), "{run:?}");
            desk.assert_unchanged(option);
        }
    }
}

#[test]
fn a_file_or_standard_input_is_taken_like_a_download() {
    type Sync = Box<dyn Fn(&Desk, &[u8]) -> Run>;
    let newer = Desk::new().newer();
    let cases: &[(&str, Sync)] = &[
        ("a file", Box::new(|desk, text| desk.xtask(&["sync", "--from", desk.file(text).to_str().unwrap()]))),
        (
            "standard input",
            Box::new(|desk, text| {
                let mut command = desk.command(&["sync", "--from", "-"]);
                command.stdin(File::open(desk.file(text)).unwrap());
                Running::start(command).end()
            }),
        ),
    ];
    for (name, sync) in cases {
        let desk = Desk::new();
        desk.assert_refused(name, &sync(&desk, HTML.as_bytes()), &["HTML page", "in a browser"]);
        desk.assert_refused(
            name,
            &sync(&desk, &newer.as_bytes()[..newer.len() / 2]),
            &["line ", "check where the file comes from"],
        );
        let run = sync(&desk, desk.snapshot().as_bytes());
        assert_eq!(run.status, Some(0), "{name}: {run:?}");
        desk.assert_unchanged(name);
        desk.assert_taken(name, &sync(&desk, newer.as_bytes()), &newer);
        let record = Snapshot::load(&desk.copy.path("registry/snapshot.toml")).unwrap();
        assert_eq!((record.etag, record.last_modified), (None, None), "{name}");
        assert_record_has_no_clock(&desk);
    }
    let desk = Desk::new();
    desk.assert_refused(
        "no file",
        &desk.xtask(&["sync", "--from", "missing.xml"]),
        &["cannot read missing.xml"],
    );
    desk.assert_refused("nothing", &desk.xtask(&["sync", "--from", "-"]), &["standard input is empty"]);
}

#[test]
fn endless_standard_input_and_files_are_refused_in_little_memory() {
    let desk = Desk::new();
    for from in ["-", "/dev/zero"] {
        let mut command = desk.command(&["sync", "--from", from]);
        command.stdin(File::open("/dev/zero").unwrap());
        let run = Running::start(command).end();
        desk.assert_refused(from, &run, &["more than", "check where the file comes from"]);
    }
}

/// A registry must not be refused because of time zones or a clock that is slightly slow.
#[test]
fn a_registry_may_be_two_days_ahead() {
    for days in [1, 2] {
        let desk = Desk::new();
        let text = dated(&desk.newer(), &in_days(days));
        let run = desk.xtask(&["sync", "--from", desk.file(&text).to_str().unwrap()]);
        desk.assert_taken("ahead", &run, &text);
    }
}

#[test]
fn offline_sends_nothing_and_renders_missing_products() {
    let desk = Desk::new();
    let proxy = Server::script(vec![answer("502 Bad Gateway", &[], "")]);
    let offline = |options: &[&str]| {
        let mut command = desk.command(&[&["sync", "--offline"], options].concat());
        command.env("https_proxy", proxy.url("")).env("http_proxy", proxy.url(""));
        run(command)
    };
    assert_eq!(offline(&[]).status, Some(0));
    desk.assert_unchanged("nothing is missing");
    fs::remove_file(desk.copy.path("generated/tables/statuses.csv")).unwrap();
    assert_eq!(offline(&["--check"]).status, Some(3));
    assert_eq!(offline(&[]).status, Some(0));
    desk.assert_unchanged("rendered again");
    assert!(proxy.requests().is_empty());
}

#[test]
fn usage_errors_have_status_2() {
    let desk = Desk::new();
    for arguments in [
        ["--from", "a.xml", "--url", "https://registry.invalid/"].as_slice(),
        &["--offline", "--url", "https://registry.invalid/"],
        &["--offline", "--from", "a.xml"],
        &["--timeout", "0"],
        &["--timeout", "soon"],
        &["--format", "xml"],
        &["--accept-removal", "5.1.1"],
        &["--from"],
        &["a.xml"],
    ] {
        let run = desk.xtask(&[&["sync"], arguments].concat());
        assert_eq!(run.status, Some(2), "{arguments:?}: {run:?}");
        desk.assert_unchanged("usage");
    }
}

#[test]
fn a_report_in_json_is_valid_by_its_schema() {
    let schema = fs::read_to_string(support::root().join("xtask/schemas/diff.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let desk = Desk::new();
    let server =
        Server::script(vec![answer("200 OK", &[], desk.snapshot()), answer("200 OK", &[], desk.newer())]);
    for summary in ["no semantic change", "1 other fact"] {
        let run = desk.sync(&server, &["--format", "json"]);
        assert_eq!(run.status, Some(0), "{run:?}");
        let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let errors: Vec<String> = schema.iter_errors(&report).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        assert!(report["summary"].as_str().unwrap().contains(summary), "{report}");
    }
}

#[test]
fn two_syncs_at_once_do_not_interfere() {
    let desk = Desk::new();
    let newer = desk.newer();
    let held = [vec![Step::Hold], answer("200 OK", &[], &newer)].concat();
    let server = Server::script(vec![held, answer("200 OK", &[], desk.snapshot())]);
    let first = Running::start(desk.sync_command(&server, &[]));
    server.await_request();
    let second = desk.sync(&server, &[]);
    desk.assert_refused(
        "the second",
        &second,
        &["another `cargo xtask` command", "wait until it has finished"],
    );
    assert_eq!(server.requests().len(), 1);
    // A command that writes nothing needs no lock.
    assert_eq!(desk.sync(&server, &["--check"]).status, Some(0));
    server.release();
    desk.assert_taken("the first", &first.end(), &newer);
}

#[test]
fn all_ends_in_time_whatever_the_server_does() {
    type Address = (String, Option<Server>);
    let desk = Desk::new();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let newer = desk.newer();
    let serve = |answer: Answer| {
        let server = Server::script(vec![answer]);
        (server.url("/"), Some(server))
    };
    let html = answer("200 OK", &["Content-Type: text/html"], HTML);
    let date = xtask::model::Model::load(desk.copy.root()).unwrap().snapshot.updated;
    let not_reached = format!("not reached, so the snapshot of {date} is used");
    let cases: &[(&str, Address, &[&str])] = &[
        (
            "a new registry",
            serve(answer("200 OK", &[], &newer)),
            &["new registry: ", "run `cargo xtask sync` to take it"],
        ),
        (
            "a new row",
            serve(answer("200 OK", &[], with_a_row(&newer))),
            &["new registry: +1 row", "run `cargo xtask sync --propose` to take it"],
        ),
        ("nothing new", serve(answer("200 OK", &[], desk.snapshot())), &["nothing new"]),
        ("nobody there", (format!("http://{closed}/"), None), &[&not_reached, "refused"]),
        ("a name that never resolves", ("https://registry.invalid/".to_owned(), None), &[&not_reached]),
        ("a stall", serve(vec![Step::Stall]), &[&not_reached, "within 5 s"]),
        ("always down", serve(answer("500 Internal Server Error", &[], "")), &[&not_reached, "500"]),
        ("missing", serve(answer("404 Not Found", &[], "")), &[&not_reached, "404"]),
        ("a captive portal", serve(html), &["refuses", "HTML page"]),
        (
            "half a registry",
            serve(answer("200 OK", &[], &newer.as_bytes()[..newer.len() / 2])),
            &["refuses", "check where the file comes from"],
        ),
        ("an invalid address", ("ftp://127.0.0.1/".to_owned(), None), &[&not_reached, "the scheme ftp"]),
    ];
    for (name, (url, _server), says) in cases {
        let run = desk.xtask(&["all", "--url", url]);
        desk.assert_unchanged(name);
        assert_eq!(run.status, Some(0), "{name}: {run:?}");
        assert_plain(name, &run.stdout);
        let line = run.stdout.lines().find(|line| line.starts_with("IANA")).unwrap();
        says.iter().for_each(|says| assert!(line.contains(says), "{name}: {says:?} is not in {line:?}"));
        assert!(run.stdout.contains("generated/c/smtp_enhanced_status.h"), "{name}: {run:?}");
        assert_in_time(name, &run, 5);
        assert_small(name, &run);
    }
}

const SNAPSHOT: &str = "registry/smtp-enhanced-status-codes.xml";

/// A sample text that every version of the registry has.
const SAMPLE: &str = ">Mailbox full<";

/// The page of a captive portal.
const HTML: &str = "<!DOCTYPE html>\n<html><body>Please sign in</body></html>\n";

/// The time for starting, verifying and rendering, in addition to the time limit, on a busy machine.
const OVERHEAD: Duration = Duration::from_secs(4);

/// The default of `--timeout`, in seconds.
const DEFAULT_TIMEOUT: u64 = 30;

const MAX_MEMORY: u64 = 64 << 20;

/// A copy of the project to sync, and a certificate authority that its xtask trusts.
struct Desk {
    copy: Copy,
    authority: Authority,
    before: Vec<(PathBuf, Vec<u8>)>,
}

impl Desk {
    fn new() -> Desk {
        let mut desk = Desk { copy: Copy::to_render(), authority: Authority::new(), before: Vec::new() };
        desk.before = desk.files();
        desk
    }

    fn snapshot(&self) -> String {
        fs::read_to_string(self.copy.path(SNAPSHOT)).unwrap()
    }

    /// Returns the snapshot with another sample text and the current date.
    fn newer(&self) -> String {
        dated(&self.snapshot(), &in_days(0)).replacen(SAMPLE, ">Mailbox overfull<", 1)
    }

    /// Writes a candidate file next to the copied data.
    fn file(&self, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.copy.path("candidate.xml");
        fs::write(&path, text).unwrap();
        path
    }

    /// Changes the record, so that the snapshot came from this address.
    fn record(&self, url: &str, lines: &[&str]) {
        let path = self.copy.path("registry/snapshot.toml");
        let record = fs::read_to_string(&path).unwrap();
        let kept = record.lines().filter(|line| !line.starts_with("url = "));
        let url = format!("url = \"{url}\"");
        let lines: Vec<&str> = kept.chain([url.as_str()]).chain(lines.iter().copied()).collect();
        fs::write(path, lines.join("\n")).unwrap();
    }

    /// Returns the command that runs xtask on the copy, without the proxies and certificates of the environment.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.copy.command(arguments);
        for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
            command.env_remove(name).env_remove(name.to_uppercase());
        }
        command.env("SSL_CERT_FILE", self.authority.path()).env_remove("SSL_CERT_DIR");
        command
    }

    fn xtask(&self, arguments: &[&str]) -> Run {
        run(self.command(arguments))
    }

    fn sync_command(&self, server: &Server, options: &[&str]) -> Command {
        self.command(&[&["sync", "--url", &server.url("/")], options].concat())
    }

    fn sync(&self, server: &Server, options: &[&str]) -> Run {
        run(self.sync_command(server, options))
    }

    /// Returns the command that runs xtask in a network of its own, where DNS queries are never answered.
    fn unanswered(&self, arguments: &[&str]) -> Option<Command> {
        let resolver = self.copy.path("resolv.conf");
        fs::write(&resolver, "nameserver 192.0.2.1\n").unwrap();
        let script = "ip link set lo up && ip route add 192.0.2.0/24 dev lo \
                      && mount --bind \"$0\" /etc/resolv.conf && exec \"$@\"";
        let needed = "unshare --mount --net";
        if !support::has([needed, "ip"]) {
            return None;
        }
        let mut command = support::unshare(needed)?;
        let inner = self.command(arguments);
        command.args(["sh", "-c", script]).arg(&resolver);
        command.arg(inner.get_program()).args(inner.get_args());
        for (name, value) in inner.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        Some(command)
    }

    /// Returns the files in `registry/` and `generated/`, except the lock.
    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = [self.copy.files("registry"), self.copy.files("generated")].concat();
        files.retain(|(path, _)| !path.ends_with("registry/.lock"));
        files
    }

    #[track_caller]
    fn assert_unchanged(&self, name: &str) {
        let now = self.files();
        let paths =
            |files: &[(PathBuf, Vec<u8>)]| files.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>();
        assert_eq!(paths(&now), paths(&self.before), "{name}");
        for ((path, now), (_, before)) in now.iter().zip(&self.before) {
            assert!(now == before, "{name}: {} changed", path.display());
        }
    }

    /// Fails unless the run was refused: with status 1, one line that has all of these parts, little time and memory,
    /// and no change.
    #[track_caller]
    fn assert_refused(&self, name: &str, run: &Run, says: &[&str]) {
        assert_eq!(run.status, Some(1), "{name}: {run:?}");
        assert_eq!(run.stdout, "", "{name}");
        assert_plain(name, &run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{name}: {run:?}");
        assert!(run.stderr.starts_with("error: "), "{name}: {run:?}");
        for says in says {
            assert!(run.stderr.contains(says), "{name}: {says:?} is not in {:?}", run.stderr);
        }
        assert_in_time(name, run, DEFAULT_TIMEOUT);
        assert_small(name, run);
        self.assert_unchanged(name);
    }

    /// Fails unless the run was successful, and the snapshot, record and products are those of the new registry.
    #[track_caller]
    fn assert_taken(&self, name: &str, run: &Run, text: &str) {
        assert_eq!(run.status, Some(0), "{name}: {run:?}");
        assert!(run.stdout.contains("Mailbox overfull"), "{name}: {run:?}");
        assert!(self.snapshot() == text, "{name}: the snapshot is not what the server sent");
        let check = self.xtask(&["render", "--check"]);
        assert_eq!(check.status, Some(0), "{name}: {check:?}");
    }
}

#[track_caller]
fn assert_small(name: &str, run: &Run) {
    assert!(run.peak < MAX_MEMORY, "{name}: {} KiB", run.peak >> 10);
}

#[track_caller]
fn assert_in_time(name: &str, run: &Run, seconds: u64) {
    assert!(run.took < Duration::from_secs(seconds) + OVERHEAD, "{name}: {run:?}");
}

#[track_caller]
fn assert_plain(name: &str, text: &str) {
    assert!(!text.chars().any(|c| c != '\n' && is_deceptive(c)), "{name}: {text:?}");
}

/// Fails if the record has other dates than the server's.
#[track_caller]
fn assert_record_has_no_clock(desk: &Desk) {
    let record: toml::Table =
        fs::read_to_string(desk.copy.path("registry/snapshot.toml")).unwrap().parse().unwrap();
    let known = ["origin", "url", "etag", "last-modified", "sha256", "size", "updated"];
    assert!(record.keys().all(|key| known.contains(&key.as_str())), "{record:?}");
}

fn redirect(target: &str) -> Answer {
    answer("302 Found", &[&format!("Location: {target}")], "")
}

/// Returns a registry with another date.
fn dated(text: &str, date: &str) -> String {
    let start = text.find("<updated>").unwrap() + "<updated>".len();
    let end = text[start..].find('<').unwrap() + start;
    format!("{}{date}{}", &text[..start], &text[end..])
}

/// Returns a registry with a new row after its last one.
fn with_a_row(text: &str) -> String {
    let last = &text[text.rfind("<record").unwrap()..];
    let last = &last[..last.find("</record>").unwrap() + "</record>".len()];
    let code = last.split("<code>").nth(1).unwrap().split('<').next().unwrap();
    text.replacen(last, &format!("{last}{}", last.replacen(code, "X.7.999", 1)), 1)
}

fn deep() -> Vec<u8> {
    let open = "<registry xmlns=\"http://www.iana.org/assignments\" id=\"smtp-enhanced-status-codes\">";
    open.repeat(10_000).into()
}

fn packed_octets(octets: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(octets).unwrap();
    encoder.finish().unwrap()
}
