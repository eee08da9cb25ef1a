//! Opens the HTML report in a browser. It filters, opens cells, works without its script, and runs nothing that a
//! server sent.

use std::future::Future;

use crate::driver::{self, Window, ask, click, is_displayed};
use fantoccini::{Client, Locator};
use serde_json::json;
use smtp_conformance::dialogue::Dialogue;
use smtp_conformance::protocol::Protocol;
use smtp_conformance::readers::transcript;
use smtp_conformance::record::outcome::Outcome;
use smtp_conformance::record::{self, Record, Subject};
use smtp_conformance::report::{Format, Source};
use smtp_conformance::rules::finding::Accepted;
use smtp_conformance::{Knowledge, Strictness, judge};

/// Text that changes the page's title if any of it runs, and that tries to close the elements around it.
const HOSTILE: &str = "</script></pre></details><script>document.title='forged'</script>\
                       <img src=x onerror=\"document.title='forged'\">' onmouseover=\"document.title='forged'\" x=\"&lt;b&gt;";

/// Returns the records of a server that answers NOOP with a text. A rude server greets with a control character.
fn records(name: &str, rude: bool, text: &str) -> Vec<Record> {
    let greeting = if rude { r"220 mx.example.org \x07" } else { "220 mx.example.org" };
    let recorded = format!(
        "#: connected\nS: {greeting}\nC: EHLO client.example.org\nS: 250-mx.example.org\n\
         S: 250 ENHANCEDSTATUSCODES\nC: NOOP\nS: 250 {text}\nC: QUIT\nS: 221 2.0.0 Bye\n#: closed by server\n"
    );
    let dialogues: Vec<Dialogue> = transcript::read(name, Protocol::Smtp, &recorded).expect("a transcript");
    let judgement = judge(&dialogues, &Knowledge::default(), Strictness::default());
    record::records(&Subject::named(name), Outcome::of_recordings(dialogues, judgement).without_baseline())
}

/// Opens a page about three servers in a browser, and runs a test on it.
fn drive<F: Future<Output = ()>>(scripts: bool, test: impl FnOnce(Client) -> F) {
    let mut servers = [
        records("first", false, "Ok"),
        records("second", true, "2.0.0 Ok"),
        records(&format!("third {HOSTILE}"), true, HOSTILE),
    ];
    for record in &mut servers[1] {
        if let Record::Finding(found) = record {
            found.accepted = Some(Accepted {
                section: "RFC 5321 §4.2".into(),
                reason: HOSTILE.into(),
                link: Some(HOSTILE.into()),
            });
        }
    }
    let sources: Vec<Source<'_>> = servers.iter().map(|records| Source { name: HOSTILE, records }).collect();
    let page = Format::Html.render(&sources, None).expect("a page");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("report.html");
    std::fs::write(&file, page).expect("a file");
    driver::drive(&file, Window { scripts, ..Window::default() }, test);
}

/// Returns the rules whose rows are shown.
async fn shown(client: &Client) -> Vec<String> {
    let rows = "[...document.querySelectorAll('#matrix tbody tr:not([hidden]) th code')].map(code => code.textContent)";
    serde_json::from_value(ask(client, rows).await).expect("names")
}

/// Resets the form. The page filters again after the event.
async fn reset(client: &Client) {
    click(client, "button[type=reset]").await;
    ask(client, "new Promise(resolve => setTimeout(resolve))").await;
}

const CODE: &str = "enhanced-code-present";
const ASCII: &str = "text-printable-ascii";

#[test]
fn the_form_filters() {
    drive(true, async |client| {
        assert!(is_displayed(&client, "#filters").await);
        let broken = shown(&client).await;
        assert!(broken.contains(&CODE.to_owned()) && broken.contains(&ASCII.to_owned()), "{broken:?}");

        let text = client.find(Locator::Id("text")).await.expect("a field");
        text.send_keys("RFC 2034 PRESENT").await.expect("keys");
        assert_eq!(shown(&client).await, [CODE]);
        let said = ask(&client, "document.getElementById('shown').value").await;
        assert!(said.as_str().is_some_and(|said| said.starts_with("1 of ")), "{said}");
        reset(&client).await;
        assert_eq!(shown(&client).await, broken);

        click(&client, "input[name=server][value='0']").await;
        click(&client, "input[name=server][value='2']").await;
        assert!(!shown(&client).await.contains(&CODE.to_owned()), "only the second server is shown");
        let heads = "[...document.querySelectorAll('#matrix thead th:not([hidden])')].length";
        assert_eq!(ask(&client, heads).await, json!(2));
        click(&client, "input[name=server][value='0']").await;
        click(&client, "input[name=server][value='2']").await;

        click(&client, "input[value=error]").await;
        assert!(!shown(&client).await.contains(&CODE.to_owned()), "errors are not shown");
        click(&client, "input[value=error]").await;
        assert_eq!(shown(&client).await, broken);

        click(&client, "input[name=server][value='0']").await;
        click(&client, "input[name=server][value='2']").await;
        assert!(shown(&client).await.contains(&ASCII.to_owned()));
        click(&client, "input[name=fresh]").await;
        assert_eq!(shown(&client).await, [""; 0], "a baseline accepts all findings of the second server");
        reset(&client).await;
        assert_eq!(shown(&client).await, broken);

        click(&client, "input[name=broken]").await;
        let all = ask(&client, "document.querySelectorAll('#matrix tbody tr:not(.group)').length").await;
        assert_eq!(json!(shown(&client).await.len()), all);
        text.send_keys("no such rule").await.expect("keys");
        assert!(is_displayed(&client, "#nothing").await);
    });
}

#[test]
fn a_cell_opens_by_mouse_and_keyboard() {
    drive(true, async |client| {
        let cell = "#matrix td[data-levels*=error] details";
        let opened = format!("{cell}[open] .panel");
        let is_open = async || ask(&client, &format!("document.querySelector('{opened}') !== null")).await;
        click(&client, &format!("{cell} summary")).await;
        assert!(is_displayed(&client, &opened).await);
        let text = client.find(Locator::Css(&opened)).await.expect("a panel").text().await.expect("text");
        assert!(text.contains("C: ") || text.contains("S: "), "{text}");
        assert_eq!(
            ask(&client, &format!("getComputedStyle(document.querySelector('{opened}')).position")).await,
            "fixed"
        );
        click(&client, &format!("{opened} .close")).await;
        assert_eq!(is_open().await, json!(false));
        assert_eq!(ask(&client, "document.activeElement.localName").await, "summary");

        // Enter and Escape in WebDriver's notation.
        let summary = client.find(Locator::Css(&format!("{cell} summary"))).await.expect("a summary");
        summary.send_keys("\u{e007}").await.expect("keys");
        assert_eq!(is_open().await, json!(true));
        summary.send_keys("\u{e00c}").await.expect("keys");
        assert_eq!(is_open().await, json!(false));
        assert_eq!(ask(&client, "document.activeElement.localName").await, "summary");
    });
}

#[test]
fn a_link_names_a_finding() {
    for scripts in [true, false] {
        drive(scripts, async |client| {
            let link = "#matrix td[data-levels*=error] .panel a[href^='#']";
            let name = client.find(Locator::Css(link)).await.expect("a link");
            let name = name.attr("href").await.expect("an answer").expect("an address");
            let page = client.current_url().await.expect("the address of the page");
            client.goto(&format!("{page}{name}")).await.expect("the page");
            assert!(is_displayed(&client, &format!("{name}.panel")).await, "{name} with scripts: {scripts}");
        });
    }
}

#[test]
fn hostile_text_is_inert() {
    drive(true, async |client| {
        assert_eq!(ask(&client, "document.querySelectorAll('script').length").await, json!(1));
        assert_eq!(
            ask(&client, "document.querySelectorAll('img, [onmouseover], [onerror], b').length").await,
            json!(0)
        );
        let text = ask(&client, "document.querySelector('#matrix').textContent").await;
        let text = text.as_str().expect("a text");
        assert!(text.contains("Accepted: </script></pre></details><script>"), "{text}");
        // Exchanges show quotes with a backslash, so the text is compared only up to the first quote.
        assert!(text.contains("</script></pre></details><script>document.title="), "{text}");
        assert!(text.contains("S: 250 </script>"), "{text}");

        // Elements that are added to the page later do not run or load anything either.
        let intrusion = "(() => {
            const script = document.createElement('script');
            script.textContent = \"document.title = 'forged'\";
            document.body.append(script);
            const place = document.createElement('p');
            place.innerHTML = '<img src=\"data:,\" onerror=\"document.title = 1\"><b onclick=\"document.title = 2\">b</b>';
            document.body.append(place);
            place.lastChild.click();
            return new Promise(resolve => setTimeout(() => resolve(document.title), 300));
        })()";
        assert_eq!(ask(&client, intrusion).await, "smtp-conformance: 3 servers");
    });
}

#[test]
fn the_matrix_and_the_exchanges_need_no_script() {
    drive(false, async |client| {
        assert!(!is_displayed(&client, "#filters").await);
        let all = client.find_all(Locator::Css("#matrix tbody tr:not(.group)")).await.expect("rows").len();
        assert!(all > 100, "{all}");
        assert_eq!(shown(&client).await.len(), all);
        click(&client, "#matrix td[data-levels*=error] summary").await;
        let panel = "#matrix td[data-levels*=error] details[open] .panel";
        assert!(is_displayed(&client, panel).await);
        assert!(!is_displayed(&client, &format!("{panel} .close")).await);
    });
}
