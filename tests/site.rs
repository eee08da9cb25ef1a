//! Runs the script of generated/site/index.html, and compares its answers with the library's.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use smtp_enhanced_status::explain::{self, Category, CodePlace, Explanation, Question, Retry, Stage};
use smtp_enhanced_status::{EnhancedStatusCode, Pairing, ReplyCode, entries, reply_codes};
use xtask::model::Model;
use xtask::vendor::{Vendor, VendorReply};

use crate::support;

mod browser;

const PAGE: &str = "generated/site/index.html";
const VENDOR_REPLIES: &str = include_str!("explain/vendor-replies.tsv");

const STAGES: [Option<Stage>; 9] = [
    None,
    Some(Stage::Connect),
    Some(Stage::Hello),
    Some(Stage::StartTls),
    Some(Stage::Auth),
    Some(Stage::Mail),
    Some(Stage::Rcpt),
    Some(Stage::Data),
    Some(Stage::Message),
];

/// A reply, and what is known of it.
#[derive(Clone)]
struct Asked {
    reply: Vec<u8>,
    stage: Option<Stage>,
    host: Option<String>,
}

impl Asked {
    fn new(reply: impl Into<Vec<u8>>) -> Asked {
        Asked { reply: reply.into(), stage: None, host: None }
    }

    fn at(self, stage: Option<Stage>) -> Asked {
        Asked { stage, ..self }
    }

    fn sent_by(self, host: &str) -> Asked {
        Asked { host: Some(host.to_owned()), ..self }
    }

    /// Returns the question in the form that the script takes, with a character for each octet.
    fn to_json(&self) -> Value {
        let octets: String = self.reply.iter().copied().map(char::from).collect();
        let mut question = json!({ "reply": octets });
        if let Some(stage) = self.stage {
            question["stage"] = stage.as_str().into();
        }
        if let Some(host) = &self.host {
            question["host"] = host.as_str().into();
        }
        question
    }

    fn answer(&self) -> Value {
        let mut question = Question::new(&self.reply);
        if let Some(stage) = self.stage {
            question = question.at(stage);
        }
        if let Some(host) = &self.host {
            question = question.from_host(host);
        }
        record(&question.explain())
    }
}

fn record(answer: &Explanation) -> Value {
    let text = |code: Option<EnhancedStatusCode>| code.map(|code| code.to_string());
    let number = |code: Option<ReplyCode>| code.map(ReplyCode::as_u16);
    json!({
        "replyCode": number(answer.reply_code()),
        "enhanced": text(answer.enhanced()),
        "place": answer.place().map(CodePlace::as_str),
        "outer": answer.outer().map(|(code, enhanced)| json!([number(code), text(enhanced)])),
        "stage": answer.stage().map(Stage::as_str),
        "vendor": answer.vendor().map(explain::Vendor::id),
        "isVendorSure": answer.is_vendor_sure(),
        "category": answer.category().id(),
        "evidence": answer.evidence().as_str(),
        "certainty": answer.certainty().as_str(),
        "happened": answer.happened(),
        "sender": answer.sender(),
        "administrator": answer.administrator(),
        "retry": answer.retry().map(Retry::as_str),
        "list": answer.list().as_str(),
        "source": answer.source().map(|(source, _)| source),
        "seen": answer.source().map(|(_, seen)| seen),
        "entry": answer.entry().map(|entry| entry.identifier),
        "categoryOfRow": answer.category_of_row().map(Category::id),
        "isDisputed": answer.is_disputed(),
        "pairing": answer.pairing().map(Pairing::as_str),
        "withoutDots": text(answer.without_dots()),
    })
}

/// Runs the page's script in node. Returns `None` if there is no node.
fn ask_page(questions: &[Value]) -> Option<Vec<Value>> {
    if !support::has(["node"]) {
        return None;
    }
    let root = support::root();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("questions.json");
    fs::write(&file, serde_json::to_vec(questions).unwrap()).unwrap();
    let output = Command::new("node")
        .arg(root.join("tests/site/answers.js"))
        .arg(root.join(PAGE))
        .arg(file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answers: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answers.len(), questions.len());
    Some(answers)
}

/// Compares the answers of the page with those of the library.
fn assert_agree(asked: &[Asked]) {
    let questions: Vec<Value> = asked.iter().map(Asked::to_json).collect();
    let Some(answers) = ask_page(&questions) else { return };
    let mut different = Vec::new();
    for ((asked, question), answer) in asked.iter().zip(&questions).zip(&answers) {
        let expected = asked.answer();
        if *answer != expected {
            let members = expected.as_object().unwrap().iter().filter(|(key, value)| answer[key] != **value);
            let members: Vec<String> =
                members.map(|(key, value)| format!("{key}: library {value}, page {}", answer[key])).collect();
            different.push(format!("{question}\n    {}", members.join("\n    ")));
        }
    }
    let first = different[..different.len().min(10)].join("\n");
    assert!(different.is_empty(), "{} of {} answers differ:\n{first}", different.len(), asked.len());
}

#[test]
fn rows_and_reply_codes_have_the_same_answer() {
    let mut asked = Vec::new();
    for row in entries() {
        for class in [2, 4, 5] {
            let code = row.status.to_string().replace('X', &class.to_string());
            asked.push(Asked::new(code.clone()));
            for reply_code in [250, 354, 421, 450, 452, 550, 552, 553, 554, 571] {
                asked.push(Asked::new(format!("{reply_code} {code} refused")));
            }
            asked
                .push(Asked::new(format!("{class}50-{code} User unknown\r\n{class}50 {code} (#{code})\r\n")));
        }
    }
    for reply_code in 200..600 {
        for stage in STAGES {
            asked.push(Asked::new(format!("{reply_code} no")).at(stage));
        }
    }
    for row in reply_codes() {
        asked.push(Asked::new(format!("{} x.y.0", row.code)));
        asked.push(Asked::new(format!("{} 5.9.9 and 4.9.9", row.code)));
    }
    assert_agree(&asked);
}

#[test]
fn vendors_have_the_same_answer() {
    let mut asked = Vec::new();
    for line in VENDOR_REPLIES.lines().filter(|line| !line.starts_with('#')) {
        let mut cells = line.splitn(3, '\t');
        let (host, reply) = (cells.next().unwrap(), cells.nth(1).unwrap());
        asked.push(Asked::new(reply));
        asked.push(Asked::new(reply).sent_by(host));
        asked.push(Asked::new(reply).sent_by(&format!("{}.", host.to_ascii_uppercase())));
    }
    let model = Model::load(&support::root()).unwrap();
    for vendor in &model.explanation.vendors {
        for reply in &vendor.replies {
            asked.extend(about(vendor, reply));
        }
    }
    assert_agree(&asked);
}

/// Returns the reply of a vendor from its host, with its marks, and from nobody known.
fn about(vendor: &Vendor, reply: &VendorReply) -> Vec<Asked> {
    let code = reply.reply_code.map_or(String::new(), |code| format!("{code} "));
    let status = reply.status.as_deref().map_or("", |status| status.split('-').next().unwrap());
    let words = reply.text.as_deref().map(example).unwrap_or_default();
    let text = format!("{code}{status} {words}");
    let mut asked = vec![Asked::new(text.clone())];
    for host in vendor.hosts.iter().take(1) {
        asked.push(Asked::new(text.clone()).sent_by(&host.replace('*', "mx1")));
    }
    for mark in vendor.marks.iter().take(2) {
        asked.push(Asked::new(format!("{text} {}", example(&mark.text))));
        asked.push(Asked::new(format!("{code}{status} {} {words}", example(&mark.text))));
    }
    asked
}

/// Returns a text that a pattern matches.
fn example(pattern: &str) -> String {
    pattern.replace("#+", "407").replace('#', "7").replace('@', "q")
}

#[test]
fn phrases_and_quotations_have_the_same_answer() {
    let model = Model::load(&support::root()).unwrap();
    let phrases = &model.explanation.phrases;
    let texts: Vec<String> =
        phrases.meanings.iter().flat_map(|phrase| &phrase.texts).map(|text| example(text)).collect();
    let mut asked = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        for codes in ["", "450 ", "550 ", "550 5.7.1 ", "451 4.7.1 ", "550 5.0.0 ", "250 "] {
            asked.push(Asked::new(format!("{codes}x {text}")).at(STAGES[index % STAGES.len()]));
        }
    }
    let commands: Vec<&String> = phrases.commands.values().flatten().collect();
    for (index, quotation) in phrases.quotations.iter().map(|text| example(text)).enumerate() {
        let command = commands[index % commands.len()];
        let aside = &phrases.asides[index % phrases.asides.len()];
        for inner in ["550 5.1.1 No such user", "452-4.2.2 full\r\n452 4.2.2 full", "5.7.1 spam", "nothing"] {
            for outer in ["", "451 4.0.0 ", "554 ", "5.4.0 "] {
                asked.push(Asked::new(format!("{outer}host mx.l.google.com[192.0.2.1]{quotation}{inner}")));
                asked.push(Asked::new(format!("{outer}{quotation} {inner} ({command} command)")));
                asked.push(Asked::new(format!("{outer}{aside} {quotation} {inner}")));
                asked.push(Asked::new(format!("{outer}{quotation} RCPT TO:<a@example.org>: {inner}")));
            }
        }
    }
    assert_agree(&asked);
}

#[test]
fn hostile_octets_have_the_same_answer() {
    let model = Model::load(&support::root()).unwrap();
    let explanation = &model.explanation;
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    let phrases = explanation.phrases.meanings.iter().flat_map(|phrase| &phrase.texts);
    let marks = explanation.vendors.iter().flat_map(|vendor| &vendor.marks).map(|mark| &mark.text);
    let replies = explanation.vendors.iter().flat_map(|vendor| &vendor.replies);
    let others = explanation.phrases.quotations.iter().chain(&explanation.phrases.asides);
    let texts = phrases.chain(marks).chain(replies.filter_map(|reply| reply.text.as_ref())).chain(others);
    pieces.extend(texts.map(|text| example(text).into_bytes()));
    let syntax = b"550 |550-|\r\n|\r|\n|\t| |  |5.1.1|4.7.1 |2.0.0|(#5.1.1)|[5.7.1]|5.7.1.|5. 1.1 |5.01.1 |\x00|\x7f|\x0b|\x0c|\
        \xff\xfe|\xc3\xa9|\xe2\x80\xa8|smtp;|SMTP; |(|#|#+|@|*| said: | host mx.example.net|</script>|<!--|__proto__|451 |999";
    for _ in 0..20 {
        pieces.extend(syntax.split(|octet| *octet == b'|').map(<[u8]>::to_vec));
    }
    let mut random = Random(1);
    let mut asked = vec![
        Asked::new(""),
        Asked::new(vec![0; 2000]),
        Asked::new(vec![b'x'; 100_000]),
        Asked::new(b"5.1.1 ".repeat(300)),
        Asked::new(b"user unknown ".repeat(200)),
        Asked::new(b"550 ".repeat(500)),
        Asked::new((0..=255).collect::<Vec<u8>>()),
    ];
    for number in 0..6000 {
        let length = if number % 20 == 0 { 200 } else { 1 + random.below(12) };
        let mut reply = Vec::new();
        for _ in 0..length {
            reply.extend_from_slice(&pieces[random.below(pieces.len())]);
            if random.below(3) == 0 {
                reply.push(u8::try_from(random.below(256)).unwrap());
            }
        }
        asked.push(Asked::new(reply).at(STAGES[random.below(STAGES.len())]));
    }
    assert_agree(&asked);
}

#[test]
fn the_ends_of_long_replies_have_the_same_answer() {
    let mut asked = Vec::new();
    for shift in 0..40 {
        let (before, after) = ("x".repeat(1000 + shift), "y".repeat(480 + shift));
        asked.push(Asked::new(format!("550 {before} user unknown {} z", "z".repeat(600))));
        asked.push(Asked::new(format!("550 {} user unknown {after}", "z".repeat(1600))));
        asked.push(Asked::new(format!("550 {before} said: 5.1.1 {after} 5.2.2")));
    }
    assert_agree(&asked);
}

/// Returns what the page makes of a text: the replies, and the recipients or the note.
fn read(texts: &[&str]) -> Option<Vec<Vec<[String; 2]>>> {
    let questions: Vec<Value> = texts.iter().map(|text| json!({ "text": text })).collect();
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let answers = ask_page(&questions)?.into_iter().map(|answers| {
        let answers = answers.as_array().unwrap().iter();
        let second = |one: &Value| {
            if one["recipient"].is_null() { word(&one["note"]) } else { word(&one["recipient"]) }
        };
        answers.map(|one| [word(&one["reply"]), second(one)]).collect()
    });
    Some(answers.collect())
}

#[test]
fn near_misses_are_read() {
    let permanent = "X.1.1, as a permanent refusal";
    let temporary = "X.1.1, as a temporary refusal";
    let cases: [(&str, &[[&str; 2]]); 19] = [
        ("550 5.1.1 x", &[["550 5.1.1 x", ""]]),
        ("5.1.1", &[["5.1.1", ""]]),
        ("550", &[["550", ""]]),
        ("441", &[["441", ""]]),
        ("5.1.l", &[["5.1.1", "Read as 5.1.1"]]),
        ("5,1,1", &[["5.1.1", "Read as 5.1.1"]]),
        ("550 5.1.I", &[["550 5.1.1", "Read as 550 5.1.1"]]),
        ("5.71", &[["5.7.1", "Read as 5.7.1"]]),
        ("57.1", &[["5.7.1", "Read as 5.7.1"]]),
        ("5726", &[["5.7.26", "Read as 5.7.26"]]),
        ("550 511", &[["550 5.1.1", "Read as 550 5.1.1"]]),
        ("550 550", &[["550 550", ""]]),
        ("451 511", &[["451 511", ""]]),
        ("SMTP Error 221", &[["221", "Read as 221"]]),
        ("error: 571 Denied", &[["571 Denied", "Read as 571 Denied"]]),
        ("X.1.1", &[["5.1.1", permanent], ["4.1.1", temporary]]),
        ("X.1.01", &[["5.1.1", &format!("Read as {permanent}")], ["4.1.1", &format!("Read as {temporary}")]]),
        ("X.99.1", &[["X.99.1", ""]]),
        (
            "5.1.l is no code here, but a part of a longer text",
            &[["5.1.l is no code here, but a part of a longer text", ""]],
        ),
    ];
    let Some(answers) = read(&cases.map(|(text, _)| text)) else { return };
    for ((text, expected), answer) in cases.iter().zip(answers) {
        assert_eq!(answer, *expected, "{text}");
    }
}

#[test]
fn a_bounce_has_an_answer_for_each_recipient() {
    let report = "Reporting-MTA: dns; mx.example.org\r\n\r\n\
        Final-Recipient: rfc822; a@example.net\r\nAction: failed\r\nStatus: 5.1.1\r\n\
        Remote-MTA: dns; mx.example.net (192.0.2.1)\r\n\
        Diagnostic-Code: smtp; 550 5.1.1 <a@example.net>:\r\n    User unknown\r\n\r\n\
        Final-Recipient: rfc822; b@example.net\r\nStatus: 5.2.2\r\nDiagnostic-Code: X-Postfix; over quota\r\n\r\n\
        Final-Recipient: rfc822;c@example.net\r\nAction: failed\r\nStatus: 5.4.4 (no route)\r\n\r\n\
        From: a@example.org\r\nStatus: RO\r\n";
    let quoted = report.lines().map(|line| format!("> {line}\n")).collect::<String>();
    let postfix = "This is the mail system at host mx.example.org.\n\n\
        <a@example.net>: host mx.example.net[192.0.2.1] said: 550 5.1.1\n    No such user (in reply to RCPT TO)\n\n\
        <b@example.net>: host mx.example.net[192.0.2.1] said: 452 full\n";
    let exim = "A message that you sent could not be delivered:\n\n  a@example.net\n\
        \x20   host mx.example.net [192.0.2.1]\n    SMTP error from remote mail server after RCPT TO:<a@example.net>:\n\
        \x20   550 5.1.1 No such user\n";
    let words =
        "Your message could not be delivered.\n\n550 5.1.1 No such user\nsee https://example.net\n\nBye.\n";
    let of_report = [
        ["550 5.1.1 <a@example.net>: User unknown", "a@example.net"],
        ["5.2.2 over quota", "b@example.net"],
        ["5.4.4 (no route)", "c@example.net"],
    ];
    // The returned message is not read, whatever its lines look like.
    let returned = format!(
        "--b1\nContent-Type: message/delivery-status\n\n{report}\n--b1\nContent-Type: message/rfc822\n\nFrom x\n\n\
         Final-Recipient: rfc822; victim@example.org\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 No\n\n--b1--\n"
    );
    let Some(answers) = read(&[report, &quoted, postfix, exim, words, &returned]) else { return };
    assert_eq!(answers[5], of_report);
    assert_eq!(answers[0], of_report);
    assert_eq!(answers[1], of_report);
    let recipients =
        |answers: &[[String; 2]]| answers.iter().map(|[_, name]| name.clone()).collect::<Vec<_>>();
    assert_eq!(recipients(&answers[2]), ["a@example.net", "b@example.net"]);
    assert_eq!(recipients(&answers[3]), ["a@example.net"]);
    assert_eq!(answers[4].len(), 1);
    assert_eq!(answers[4][0][0], "550 5.1.1 No such user\nsee https://example.net");
}

#[test]
fn long_texts_are_read_in_time() {
    let pieces = [
        " ",
        ">",
        "@",
        "<",
        "<@",
        "a@",
        "0",
        "550 ",
        "5.1.1 ",
        "5.1x\n",
        "\n>",
        "\n ",
        "error ",
        ";",
        "smtp;",
        " said: 5",
        "status: ",
        "\nstatus: 5.1.1\naction: x",
        "\ndiagnostic-code: 5\n ",
        "<a@b>:5.1.1\n\n",
        "a@b\n550\n\n",
        "\u{20ac}",
    ];
    let texts: Vec<String> = pieces
        .iter()
        .flat_map(|piece| ["", "<a@b>:"].map(|start| format!("{start}{}", piece.repeat(60_000))))
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let start = Instant::now();
    if read(&texts).is_some() {
        // A program whose time is quadratic in the length takes minutes.
        assert!(start.elapsed() < Duration::from_secs(120), "it took {:?}", start.elapsed());
    }
}

/// Numbers that look random, and are the same in each run (Knuth's MMIX).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}
