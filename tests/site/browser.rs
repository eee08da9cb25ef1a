//! Opens the page in a browser, on a desk and on phones.

use std::fs;

use fantoccini::{Client, Locator};
use serde_json::json;
use smtp_enhanced_status::explain::explain;

use super::PAGE;
use crate::driver::{Window, ask, click, drive, is_displayed};
use crate::support;

const DESK: Window = Window { scripts: true, phone: None };
const PHONES: [Window; 2] = [phone(400), phone(320)];

const fn phone(width: u32) -> Window {
    Window { scripts: true, phone: Some(width) }
}

/// Text that changes the page's title if any of it runs.
const HOSTILE: &str = "550 5.1.1 </script><script>document.title='forged'</script>\
                       <img src=x onerror=\"document.title='forged'\"><!-- <b>";

const BOUNCE: &str = "Final-Recipient: rfc822; <img src=x onerror=alert(1)>@example.net\nAction: failed\nStatus: 5.1.1\n\
                      Diagnostic-Code: smtp; 550 5.1.1 </script>\n\n\
                      Final-Recipient: rfc822; b@example.net\nStatus: 4.2.2\nDiagnostic-Code: smtp; 452 <b>full\n";

/// Opens the page, and runs a test on it. The browser must not report anything.
fn drive_page<F: Future<Output = ()>>(window: Window, test: impl FnOnce(Client) -> F) {
    let console = drive(&support::root().join(PAGE), window, test).unwrap_or_default();
    assert!(console.is_empty(), "{window:?}: {console:#?}");
}

/// Writes a text into the field, and submits the form.
async fn paste(client: &Client, text: &str) {
    let script = "document.getElementById('reply').value = arguments[0];
        document.getElementById('ask').requestSubmit();
        return new Promise(resolve => setTimeout(resolve, 50));";
    client.execute(script, vec![json!(text)]).await.expect("an answer");
}

async fn headings(client: &Client) -> Vec<String> {
    let headings = "[...document.querySelectorAll('#answers h2')].map(heading => heading.textContent)";
    serde_json::from_value(ask(client, headings).await).expect("headings")
}

async fn assert_fits(client: &Client, window: Window) {
    let widths =
        ask(client, "[document.documentElement.scrollWidth, document.documentElement.clientWidth]").await;
    assert_eq!(widths[0], widths[1], "the page scrolls sideways: {window:?}");
}

#[test]
fn answers_fit_and_nothing_is_reported() {
    for window in [DESK, PHONES[0], PHONES[1]] {
        drive_page(window, async |client| {
            if let Some(width) = window.phone {
                assert_eq!(ask(&client, "innerWidth").await, json!(width));
            }
            assert_fits(&client, window).await;
            let long = format!(
                "550 5.7.1 {} https://support.google.com/mail/?p={}",
                "x".repeat(300),
                "y".repeat(300)
            );
            for text in ["550 5.1.1 No such user", HOSTILE, BOUNCE, &long, "X.7.26", "441", "hello"] {
                paste(&client, text).await;
                assert!(!headings(&client).await.is_empty(), "{text}");
                assert_fits(&client, window).await;
            }
            ask(&client, "document.querySelectorAll('details').forEach(details => { details.open = true; })")
                .await;
            assert_fits(&client, window).await;
        });
    }
}

#[test]
fn hostile_input_stays_text() {
    drive_page(DESK, async |client| {
        let elements = "document.querySelectorAll('*').length";
        paste(&client, "550 5.1.1 x").await;
        let before = ask(&client, elements).await;
        paste(&client, HOSTILE).await;
        assert_eq!(ask(&client, elements).await, before, "the text made an element");
        let half =
            "(document.getElementById('reply').value = '550 5.1.1 ' + String.fromCharCode(0xd800)).length";
        ask(&client, half).await;
        click(&client, "button[type=submit]").await;
        assert_eq!(headings(&client).await.len(), 1, "half a character");
        paste(&client, &format!("550 5.1.1 {}", "x".repeat(5000))).await;
        assert_eq!((headings(&client).await.len(), ask(&client, "location.hash").await), (1, json!("")));
        paste(&client, BOUNCE).await;
        assert_eq!(headings(&client).await.len(), 2);
        let answers = ask(&client, "document.getElementById('answers').textContent").await;
        let answers = answers.as_str().expect("a text");
        assert!(
            answers.contains("<img src=x onerror=alert(1)>@example.net") && answers.contains("</script>"),
            "{answers}"
        );
        assert_eq!(
            ask(&client, "document.querySelectorAll('#answers :is(img, script, b)').length").await,
            json!(0)
        );
        assert_eq!(ask(&client, "document.title").await, "What an SMTP reply means");
    });
}

/// The policy refuses what the page does not have itself. The browser reports that, so the console is not looked at.
#[test]
fn the_policy_refuses_other_scripts() {
    drive(&support::root().join(PAGE), DESK, async |client| {
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
        assert_eq!(ask(&client, intrusion).await, "What an SMTP reply means");
    });
}

#[test]
fn the_keyboard_asks_and_the_address_links() {
    drive_page(DESK, async |client| {
        let field = client.find(Locator::Id("reply")).await.expect("a field");
        // Enter in WebDriver's notation.
        field.send_keys("452 4.2.2 full & more\u{e007}").await.expect("keys");
        let happened = explain(b"452 4.2.2 full & more").happened();
        assert_eq!(headings(&client).await, [happened]);
        let said = ask(&client, "document.getElementById('status').textContent").await;
        assert_eq!(said, json!(format!("Answer: {happened}")));
        let address = client.current_url().await.expect("an address").to_string();
        assert!(address.ends_with("#q=452%204.2.2%20full%20%26%20more"), "{address}");

        click(&client, "button[type=reset]").await;
        assert!(headings(&client).await.is_empty());
        client.goto("about:blank").await.expect("a page");
        client.goto(&address).await.expect("the page");
        assert_eq!(headings(&client).await, [happened]);
        assert_eq!(ask(&client, "document.getElementById('reply').value").await, "452 4.2.2 full & more");

        click(&client, "#answers a[href='#x-2-2']").await;
        assert!(is_displayed(&client, "#x-2-2 details[open] dl").await);
    });
}

#[test]
fn the_tables_are_searched() {
    drive_page(PHONES[0], async |client| {
        let shown = "[...document.querySelectorAll('#tables-of-codes tr[id]')].filter(row => row.offsetParent).map(row => row.id)";
        let all = ask(&client, shown).await;
        let words = client.find(Locator::Id("words")).await.expect("a field");
        for (text, expected) in [
            ("5.1.1", json!(["x-1-1"])),
            ("x.1.10", json!(["x-1-10"])),
            ("552 mailbox FULL", json!(["x-2-2", "r-552"])),
            ("no such row", json!([])),
        ] {
            words.clear().await.expect("an empty field");
            words.send_keys(text).await.expect("keys");
            assert_eq!(ask(&client, shown).await, expected, "{text}");
        }
        let found = ask(&client, "document.getElementById('found').value").await;
        assert_eq!(found, json!(format!("0 of {} rows", all.as_array().expect("rows").len())));
    });
}

#[test]
fn the_tables_need_no_script() {
    drive_page(Window { scripts: false, phone: None }, async |client| {
        assert!(!is_displayed(&client, "#ask").await && !is_displayed(&client, "#search").await);
        assert!(is_displayed(&client, "noscript p").await);
        click(&client, "#x-1-1 summary").await;
        assert!(is_displayed(&client, "#x-1-1 details[open] dl").await);
    });
}

/// A browser shows controls of a form to screen readers by their labels, and needs nothing from elsewhere.
#[test]
fn the_page_stands_alone() {
    let page = fs::read_to_string(support::root().join(PAGE)).unwrap();
    assert!(page.len() < 1_000_000, "the page has {} octets", page.len());
    for reference in ["src=", "<link", "@import", "url(", "fetch(", "XMLHttpRequest", "innerHTML", "eval("] {
        assert!(!page.contains(reference), "the page has {reference}");
    }
    for field in ["reply", "words"] {
        assert!(page.contains(&format!("<label for=\"{field}\">")), "{field} has no label");
    }
}
