//! Whole runs: how politely servers are treated, what certificates do, and which cases wait for others.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use smtp_conformance::case::{self, Case, Safety};
use smtp_conformance::client::{Certificates, Timeouts};
use smtp_conformance::dialogue::{Act, Dialogue, End, Exchange};
use smtp_conformance::protocol::Protocol;
use smtp_conformance::record::origin::Origin;
use smtp_conformance::record::outcome::{Outcome, Verdict};
use smtp_conformance::reference::{Fault, Options, Reference, Tls};
use smtp_conformance::run::{self, Plan, Politeness};
use smtp_conformance::{Address, Target};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::time::sleep;

use crate::support;

/// The politeness towards remote servers, but with a shorter pause.
const GENTLE: Politeness = Politeness { between: Duration::from_millis(100), ..Politeness::ELSEWHERE };

fn plan() -> Plan {
    let timeouts = Timeouts { reply: Duration::from_secs(2), ..Timeouts::default() };
    Plan { timeouts, politeness: Some(GENTLE), ..Plan::default() }
}

fn cases(wanted: impl Fn(&Case) -> bool) -> Vec<Case> {
    let mut cases = case::built_in().expect("the cases follow the form");
    cases.retain(|case| case.id == "canary" || wanted(case));
    cases.sort_by_key(|case| case.safety);
    cases
}

async fn outcome(target: &Target, cases: &[Case], plan: &Plan) -> Outcome {
    run::run(target, cases, plan).await.expect("TLS can be set up")
}

/// When each connection began and ended.
type Times = Arc<Mutex<Vec<(Instant, Option<Instant>)>>>;

/// Starts a proxy in front of a server that notes when connections begin and end.
async fn watched(server: &Reference) -> (Target, Times) {
    let target = server.target();
    let Address::Tcp(host, port) = target.address.clone() else { panic!("the reference server has a port") };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let watched = Address::Tcp("127.0.0.1".to_owned(), listener.local_addr().expect("an address").port());
    let times = Times::default();
    let noted = times.clone();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let (number, noted) = {
                let mut times = noted.lock().expect("no panic");
                times.push((Instant::now(), None));
                (times.len() - 1, noted.clone())
            };
            let mut server = TcpStream::connect((host.as_str(), port)).await.expect("the server is there");
            tokio::spawn(async move {
                let _ = copy_bidirectional(&mut client, &mut server).await;
                noted.lock().expect("no panic")[number].1 = Some(Instant::now());
            });
        }
    });
    (Target { address: watched, ..target }, times)
}

fn refusals(dialogue: &Dialogue) -> usize {
    let replies = dialogue.exchanges.iter().flat_map(Exchange::replies);
    replies.filter(|reply| reply.number().is_some_and(|number| number >= 400)).count()
}

/// Forwards a connection to a server.
async fn forward<S: AsyncRead + AsyncWrite + Unpin>(mut client: S, server: SocketAddr) {
    let mut server = TcpStream::connect(server).await.expect("the server is there");
    let _ = copy_bidirectional(&mut client, &mut server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_reached_by_ipv6_and_by_a_unix_socket() {
    let options = Options { protocol: Protocol::Lmtp, ..Options::default() };
    let server = Reference::start(options).await.expect("the reference server starts");
    let address = server.address();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("lmtp");
    let listener = UnixListener::bind(&path).expect("a socket");
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(forward(client, address));
        }
    });
    let mut targets = vec![format!("unix:{}", path.display())];
    if support::has(["::1"]) {
        let listener = TcpListener::bind("[::1]:0").await.expect("a port");
        targets.push(format!("lmtp://{}", listener.local_addr().expect("an address")));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(forward(client, address));
            }
        });
    }
    for target in targets {
        let target = Target::read(&target).expect("a URL");
        let cases = cases(|case| ["lhlo", "noop"].contains(&case.id.as_str()));
        let outcome = outcome(&target, &cases, &plan()).await;
        assert!(
            outcome.cases.iter().all(|case| case.verdict == Verdict::Pass),
            "{}: {:?}",
            target.name,
            outcome.cases
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_starts_late_is_waited_for() {
    let server = Reference::start(Options::default()).await.expect("the reference server starts");
    let place =
        TcpListener::bind("127.0.0.1:0").await.and_then(|listener| listener.local_addr()).expect("a port");
    let target = Target { address: Address::Tcp("127.0.0.1".to_owned(), place.port()), ..server.target() };
    let plan = |wait| Plan { wait, ..plan() };
    let soon = outcome(&target, &cases(|_| false), &plan(Duration::from_millis(300))).await;
    assert!(soon.says_nothing(), "{:?}", soon.cases);
    let address = server.address();
    tokio::spawn(async move {
        sleep(Duration::from_millis(500)).await;
        let listener = TcpListener::bind(place).await.expect("the port is free");
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(forward(client, address));
        }
    });
    let late = outcome(&target, &cases(|_| false), &plan(Duration::from_secs(30))).await;
    assert!(late.cases.iter().all(|case| case.verdict == Verdict::Pass), "{:?}", late.cases);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_another_kind_breaks_no_rule() {
    let start = async |protocol, tls| {
        let options = Options { protocol, tls, ..Options::default() };
        Reference::start(options).await.expect("the reference server starts")
    };
    let smtp = start(Protocol::Smtp, Tls::None).await;
    let lmtp = start(Protocol::Lmtp, Tls::None).await;
    let smtps = start(Protocol::Submission, Tls::Implicit).await;
    let imap = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let other = Address::Tcp("127.0.0.1".to_owned(), imap.local_addr().expect("an address").port());
    tokio::spawn(async move {
        while let Ok((mut client, _)) = imap.accept().await {
            let _ = client.write_all(b"* OK IMAP4rev1\r\n* BAD\r\n* BAD\r\n").await;
        }
    });
    let news = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let nntp = Address::Tcp("127.0.0.1".to_owned(), news.local_addr().expect("an address").port());
    tokio::spawn(async move {
        while let Ok((mut client, _)) = news.accept().await {
            tokio::spawn(async move {
                let _ = client.write_all(b"200 news\r\n").await;
                while client.read_buf(&mut Vec::new()).await.is_ok_and(|length| length > 0) {
                    let _ = client.write_all(b"500 What?\r\n").await;
                }
            });
        }
    });
    let timeouts = Timeouts { reply: Duration::from_millis(500), ..Timeouts::default() };
    let plan = Plan { timeouts, ..Plan::default() };
    let (all, one) = (cases(|_| true), cases(|_| false));
    let alone = ["greeting", "ehlo", "helo", "lmtp-ehlo", "noop"].map(|id| {
        let mut cases = cases(|case| case.id == id);
        cases.retain(|case| case.id == id);
        cases
    });
    for (target, reason) in [
        (Target { protocol: Protocol::Lmtp, ..smtp.target() }, "use smtp:// or submission://"),
        (Target { protocol: Protocol::Submission, ..lmtp.target() }, "use lmtp://"),
        (Target { implicit_tls: true, ..smtp.target() }, "the server did not answer with TLS"),
        (Target { implicit_tls: false, ..smtps.target() }, "smtps://"),
        (Target { address: other, ..smtp.target() }, "an IMAP server answers"),
        (Target { address: nntp.clone(), ..smtp.target() }, "an NNTP server answers"),
        (Target { address: nntp, ..lmtp.target() }, "an NNTP server answers"),
    ] {
        for cases in alone.iter().chain([&all, &one]) {
            let outcome = outcome(&target, cases, &plan).await;
            assert!(outcome.says_nothing(), "{:?}", outcome.cases);
            assert_eq!(outcome.judgement.findings, [], "{reason}");
            let obstacle = outcome.obstacle().map(ToString::to_string).unwrap_or_default();
            assert!(obstacle.contains(reason), "{obstacle}");
        }
    }
}

/// The case expects that no reply comes. That counts only if there was enough time for a reply.
#[tokio::test(flavor = "multi_thread")]
async fn silence_counts_only_within_the_time_for_the_connection_and_the_run() {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let place = silent.local_addr().expect("an address");
    tokio::spawn(async move {
        let mut clients = Vec::new();
        while let Ok((mut client, _)) = silent.accept().await {
            client.write_all(b"220 mx.example.org\r\n").await.expect("it is there");
            client.read_buf(&mut Vec::new()).await.expect("it says EHLO");
            client.write_all(b"250 mx.example.org\r\n").await.expect("it is there");
            clients.push(client);
        }
    });
    let text = "\
[[case]]
id = \"silence\"
title = \"Silence\"
situations = []
safety = \"safe\"
rules = []
steps = [{ send = \"NOOP\", expect = [\"none\"] }]
";
    let target = Target::read(&format!("smtp://{place}")).expect("a URL");
    let cases = case::read("x.toml", text).expect("the cases follow the form");
    let (short, long) = (Duration::from_millis(300), Duration::from_secs(20));
    for (reply, connection, limit, verdict, reason) in [
        (short, long, long, Verdict::Observed, ""),
        (long, short, long, Verdict::Inconclusive, "the time for the connection is over"),
        (long, long, short, Verdict::Inconclusive, "the time for the run is over"),
    ] {
        let timeouts = Timeouts { reply, connection, ..Timeouts::default() };
        let outcome = outcome(&target, &cases, &Plan { timeouts, limit, ..Plan::default() }).await;
        let [case] = outcome.cases.as_slice() else { panic!("{:?}", outcome.cases) };
        assert!((case.verdict, case.reason_text().starts_with(reason)) == (verdict, true), "{case:?}");
    }
}

/// A closing belongs to the refusal before it, even if it comes a moment later, and not to the next command.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_closes_shortly_after_a_refusal_is_seen_to() {
    let hasty = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let place = hasty.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut client, _)) = hasty.accept().await {
            client.write_all(b"220 mx.example.org\r\n").await.expect("it is there");
            client.read_buf(&mut Vec::new()).await.expect("it says EHLO");
            client.write_all(b"250 mx.example.org\r\n").await.expect("it is there");
            client.read_buf(&mut Vec::new()).await.expect("it says FOOB");
            client.write_all(b"500 What?\r\n").await.expect("it is there");
            sleep(Duration::from_millis(5)).await;
        }
    });
    let text = "\
[[case]]
id = \"unknown\"
title = \"Unknown\"
situations = []
safety = \"safe\"
rules = []
steps = [{ send = \"FOOB\", expect = [\"500\"] }]
";
    let target = Target::read(&format!("smtp://{place}")).expect("a URL");
    let cases = case::read("x.toml", text).expect("the cases follow the form");
    let outcome = outcome(&target, &cases, &Plan::default()).await;
    let refused =
        |one: &&Exchange| matches!(&one.act, Act::Command(line) if line.starts_with(b"FOOB")) && one.sure;
    let refusals: Vec<&Exchange> =
        outcome.dialogues.iter().flat_map(|one| &one.exchanges).filter(refused).collect();
    assert!(!refusals.is_empty(), "{:?}", outcome.dialogues);
    assert!(refusals.iter().all(|one| one.end == End::Closed), "{refusals:?}");
}

/// A part of a command that is sent early stays alone until the reply has come, and for good if the case ends there.
#[tokio::test(flavor = "multi_thread")]
async fn the_rest_of_a_command_is_sent_after_the_reply() {
    let text = "\
[[case]]
id = \"parted\"
title = \"A part of RSET\"
situations = []
safety = \"safe\"
rules = []
steps = [{ send = \"NOOP\", expect = [\"250\"] }, { send = \"RSET\", early = 2 }]
";
    let cases = case::read("x.toml", text).expect("the cases follow the form");
    for (reply, sent) in [
        ("250 Ok\r\n", ["EHLO client.example.org\r\n", "NOOP\r\nRS", "ET\r\n", "QUIT\r\n"].as_slice()),
        ("554 Not so fast\r\n", &["EHLO client.example.org\r\n", "NOOP\r\nRS"]),
    ] {
        let server = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let place = server.local_addr().expect("an address");
        let connections: Arc<Mutex<Vec<Vec<String>>>> = Arc::default();
        let noted = connections.clone();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = server.accept().await {
                noted.lock().expect("no panic").push(Vec::new());
                client.write_all(b"220 mx.example.org\r\n").await.expect("it is there");
                let mut octets = Vec::new();
                while client.read_buf(&mut octets).await.is_ok_and(|length| length > 0) {
                    let read = String::from_utf8(std::mem::take(&mut octets)).expect("ASCII");
                    let reply = if read.starts_with("NOOP") { reply } else { "250 Ok\r\n" };
                    noted.lock().expect("no panic").last_mut().expect("a connection").push(read);
                    client.write_all(reply.as_bytes()).await.expect("it is there");
                }
            }
        });
        let target = Target::read(&format!("smtp://{place}")).expect("a URL");
        outcome(&target, &cases, &Plan::default()).await;
        let connections = connections.lock().expect("no panic");
        let parted = connections.iter().find(|reads| reads.iter().any(|read| read.starts_with("NOOP")));
        assert_eq!(parted.expect("a connection with NOOP"), sent);
    }
}

/// A server that stops reading has not closed, and one that did not answer in time does not lack an extension.
#[tokio::test(flavor = "multi_thread")]
async fn a_lack_of_time_is_not_blamed_on_the_server() {
    let deaf = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let place = deaf.local_addr().expect("an address");
    tokio::spawn(async move {
        let mut clients = Vec::new();
        while let Ok((mut client, _)) = deaf.accept().await {
            client.write_all(b"220 mx.example.org\r\n").await.expect("it is there");
            client.read_buf(&mut Vec::new()).await.expect("it says EHLO");
            if clients.len() < 2 {
                client.write_all(b"250 mx.example.org\r\n").await.expect("it is there");
            }
            clients.push(client);
        }
    });
    let text = format!(
        "\
[[case]]
id = \"flood\"
title = \"Flood\"
situations = []
safety = \"safe\"
rules = []
steps = [{{ raw = \"{}\", expect = [\"closed\"] }}]
",
        "{pad:1048576}".repeat(16)
    );
    let target = Target::read(&format!("smtp://{place}")).expect("a URL");
    let flood = case::read("x.toml", &text).expect("the cases follow the form");
    let (short, long) = (Duration::from_millis(500), Duration::from_secs(20));
    for (cases, reply, connection, limit, reason) in [
        (&flood, short, long, long, "the server did not read what was sent"),
        (&flood, long, short, long, "the time for the connection is over"),
        (&cases(|_| true), long, long, short, "the time for the run is over"),
    ] {
        let timeouts = Timeouts { reply, connection, ..Timeouts::default() };
        let outcome = outcome(&target, cases, &Plan { timeouts, limit, ..Plan::default() }).await;
        for case in &outcome.cases {
            let judged = (case.verdict, case.reason_text().starts_with(reason));
            assert_eq!(judged, (Verdict::Inconclusive, true), "{case:?}");
        }
        assert_eq!(outcome.judgement.findings, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remote_server_gets_one_connection_at_a_time() {
    let server = Reference::start(Options::default()).await.expect("the reference server starts");
    let (target, times) = watched(&server).await;
    let cases =
        cases(|case| ["rcpt-", "vrfy", "flood-errors"].iter().any(|start| case.id.starts_with(start)));
    let plan = Plan { allowed: vec![Safety::Floods], ..plan() };
    let outcome = outcome(&target, &cases, &plan).await;
    assert!(outcome.cases.iter().filter(|case| case.verdict == Verdict::Pass).count() > 10);
    for dialogue in &outcome.dialogues {
        assert!(refusals(dialogue) <= GENTLE.refusals, "{dialogue:?}");
    }
    let times = times.lock().expect("no panic");
    assert_eq!(times.len(), outcome.dialogues.len());
    for pair in times.windows(2) {
        let [(_, Some(gone)), (come, _)] = pair else { panic!("two connections at once: {pair:?}") };
        // The pause begins when the client closes, a little before the server notices.
        assert!(
            come.saturating_duration_since(*gone) + Duration::from_millis(20) >= GENTLE.between,
            "{pair:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_up_at_noop_still_works() {
    let fault = Fault::find("closes-after-noop").expect("there is such a fault");
    let server = Reference::start(Options::of(fault)).await.expect("the reference server starts");
    let cases = cases(|case| ["canary", "mail-empty", "vrfy-valid"].contains(&case.id.as_str()));
    let outcome = outcome(&server.target(), &cases, &plan()).await;
    let verdicts = outcome.cases.iter().filter(|case| case.id != "canary").map(|case| case.verdict);
    assert_eq!(verdicts.collect::<Vec<_>>(), [Verdict::Pass; 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remote_server_that_shuts_down_twice_is_left_alone() {
    let fault = Fault::find("shutdown-at-mail").expect("there is such a fault");
    let server = Reference::start(Options::of(fault)).await.expect("the reference server starts");
    let cases = cases(|case| case.safety == Safety::Safe && case.id != "canary");
    let plan = Plan { politeness: Some(Politeness { between: Duration::ZERO, ..GENTLE }), ..plan() };
    let outcome = outcome(&server.target(), &cases, &plan).await;
    let shut = |dialogue: &&Dialogue| dialogue.exchanges.iter().any(|one| one.number() == Some(421));
    // The canary has a connection of its own.
    assert!(outcome.dialogues.iter().filter(shut).count() <= 1 + GENTLE.shutdowns);
    let left =
        outcome.cases.iter().filter(|case| case.reason_text() == "the server answered 421 twice").count();
    assert!(left > 20, "{left}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_certificate_is_reported_or_ends_the_handshake() {
    let server = Options { tls: Tls::StartTls, ..Options::default() };
    let server = Reference::start(server).await.expect("the reference server starts");
    let cases = cases(|case| case.id == "starttls-no-hello");
    let here = Plan { politeness: None, ..plan() };
    let observed = outcome(&server.target(), &cases, &here).await;
    let demanding = Plan { certificates: Certificates::Demanded, ..here };
    let demanded = run::run(&server.target(), &cases, &demanding).await;
    let Ok(demanded) = demanded else {
        let error = demanded.map(|_| ()).expect_err("it failed");
        assert!(format!("{error:#}").contains("no root certificates"), "{error:#}");
        return;
    };
    let tls = |outcome: &Outcome| match &outcome.origin {
        Origin::Run(run) => run.tls.clone().expect("a handshake was begun"),
        Origin::Recordings(_) | Origin::Client(_) => panic!("it is a run"),
    };
    assert_eq!(tls(&observed).version.as_deref(), Some("TLS 1.3"));
    assert!(tls(&observed).cipher.is_some_and(|cipher| cipher.starts_with("TLS_")));
    assert!(tls(&observed).problem.is_some_and(|problem| problem.contains("certificate")));
    assert_eq!(tls(&demanded).version, None);
    assert!(tls(&demanded).problem.is_some_and(|problem| problem.contains("certificate")));
    let done = |outcome: &Outcome| {
        let exchanges = outcome.dialogues.iter().flat_map(|dialogue| &dialogue.exchanges);
        exchanges.filter(|one| one.act == Act::Handshake && one.end == End::Answered).count()
    };
    assert_eq!(done(&demanded), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_waits_for_those_it_comes_after() {
    let text = "\
[[case]]
id = \"second\"
title = \"Second\"
situations = []
safety = \"safe\"
after = [\"first\"]
rules = []
steps = [{ send = \"NOOP\" }]

[[case]]
id = \"first\"
title = \"First\"
situations = []
safety = \"safe\"
rules = []
steps = [{ send = \"NOOP first\" }]
";
    let server = Reference::start(Options::default()).await.expect("the reference server starts");
    let verdicts = |text: String| {
        let (target, plan) = (server.target(), Plan { politeness: None, ..plan() });
        async move {
            let cases = case::read("x.toml", &text).expect("the cases follow the form");
            outcome(&target, &cases, &plan).await
        }
    };
    let good = verdicts(text.to_owned()).await;
    let position = |line: &[u8]| {
        let sent =
            |dialogue: &Dialogue| dialogue.exchanges.iter().any(|one| one.act.parts().concat() == line);
        good.dialogues.iter().position(sent).expect("it was sent")
    };
    assert!(position(b"NOOP first\r\n") < position(b"NOOP\r\n"));
    let bad = text.replace(
        "\"NOOP first\" }]",
        "\"NOOP first\" }]\noutcomes = [{ reply = \"250\", is = \"unsupported\" }]",
    );
    let outcome = verdicts(bad).await;
    let second = outcome.cases.iter().find(|case| case.id == "second").expect("it has an outcome");
    assert_eq!(
        (second.verdict, second.reason_text().as_str()),
        (Verdict::Blocked, "depends on first, whose verdict is unsupported")
    );
}

/// The case that listens begins first and ends last.
#[tokio::test(flavor = "multi_thread")]
async fn results_are_in_the_order_of_the_cases() {
    let server = Reference::start(Options::default()).await.expect("the reference server starts");
    let ids = ["ehlo", "command-bare-lf", "mail", "quit", "noop"];
    let all = cases(|_| true);
    let cases = ids.map(|id| all.iter().find(|case| case.id == id).expect("it is built in").clone());
    let plan = Plan { politeness: None, ..plan() };
    let outcome = outcome(&server.target(), &cases, &plan).await;
    assert_eq!(outcome.cases.iter().map(|case| case.id.as_str()).collect::<Vec<_>>(), ids);
    let names: Vec<&str> = outcome.dialogues.iter().map(|dialogue| dialogue.name.as_str()).collect();
    assert_eq!(names, ["capabilities", "ehlo", "command-bare-lf", "session", "quit"]);
}

/// After three refusals, the other cases get a new connection.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_with_three_refusals_is_followed_by_another() {
    let refused = |n: usize| {
        format!(
            "[[case]]\nid = \"refused-{n}\"\ntitle = \"RCPT before MAIL\"\nsituations = []\nsafety = \"safe\"\n\
             rules = []\nsteps = [{{ send = \"RCPT TO:<{{sender}}>\", expect = [\"503\"] }}]\n"
        )
    };
    let text: String = (1..=5).map(refused).collect();
    let cases = case::read("x.toml", &text).expect("the cases follow the form");
    let server = Reference::start(Options::default()).await.expect("the reference server starts");
    let plan = Plan { politeness: None, ..plan() };
    let outcome = outcome(&server.target(), &cases, &plan).await;
    assert!(outcome.cases.iter().all(|case| case.verdict == Verdict::Observed), "{:?}", outcome.cases);
    let parts = |dialogue: &Dialogue| dialogue.cases.len();
    assert_eq!(outcome.dialogues.iter().map(parts).collect::<Vec<_>>(), [0, 3, 2]);
    assert_eq!(outcome.cases.iter().map(|case| case.dialogue).collect::<Vec<_>>(), [1, 1, 1, 2, 2].map(Some));
}

#[tokio::test(flavor = "multi_thread")]
async fn submission_is_tested_after_a_login() {
    let options = Options { protocol: Protocol::Submission, tls: Tls::StartTls, ..Options::default() };
    let server = Reference::start(options).await.expect("the reference server starts");
    let cases = cases(|case| case.id == "rcpt");
    let verdict = async |allowed: Vec<Safety>| {
        let plan = Plan { politeness: None, allowed, ..plan() };
        let outcome = outcome(&server.target(), &cases, &plan).await;
        outcome.cases.iter().find(|case| case.id == "rcpt").map(|case| case.verdict)
    };
    assert_eq!(verdict(vec![]).await, Some(Verdict::Blocked));
    assert_eq!(verdict(vec![Safety::Auth]).await, Some(Verdict::Pass));
}
