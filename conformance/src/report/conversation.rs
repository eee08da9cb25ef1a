//! The conversations of a run, case by case, as text for people.

use super::escape::escaped;
use super::evidence::{Cut, Line, Speaker, lines};
use super::style::Style;
use crate::dialogue::{Exchange, Part};
use crate::record::{DialogueRecord, Record};

/// Returns the conversations of a run, each with its cases in order.
///
/// A line begins with `===` if it says what happened, with ` ->` if the client sent it, with `<- ` if the server sent
/// it, and with `<**` if it belongs to a refusal, which is a reply with a code 4yz or 5yz. It begins with `A> ` if it
/// belongs to a message that arrived. Octets that are not printable are escaped.
#[must_use]
pub fn render(records: &[Record], style: Style) -> String {
    let mut text = String::new();
    let mut parts: &[Part] = &[];
    for record in records {
        match record {
            Record::Dialogue(opening) => {
                parts = &opening.cases;
                text.push_str(&head(opening, style));
            }
            Record::Exchange(spoken) => {
                for part in parts.iter().filter(|part| part.first == spoken.number) {
                    text.push_str(&remark(&format!("case {}", escaped(&part.case)), style));
                }
                text.push_str(&said(&spoken.exchange, style));
            }
            Record::Header(_) | Record::Finding(_) | Record::Case(_) | Record::Summary(_) => {}
        }
    }
    text
}

fn head(opening: &DialogueRecord, style: Style) -> String {
    let number = opening.dialogue.saturating_add(1);
    let tls = if opening.implicit_tls { ", TLS from the start" } else { "" };
    style.bold(&format!("=== connection {number}: {}{tls}", escaped(&opening.name))) + "\n"
}

fn said(exchange: &Exchange, style: Style) -> String {
    let is_refusal = exchange.number().is_some_and(|number| (400..600).contains(&number));
    let line = |Line { speaker, text }: Line| match speaker {
        Speaker::Client => format!(" -> {text}\n"),
        Speaker::Server if is_refusal => style.bad(&format!("<** {text}")) + "\n",
        Speaker::Server => format!("<-  {text}\n"),
        Speaker::Message => format!("A>  {text}\n"),
        Speaker::Nobody => remark(&text, style),
    };
    lines(exchange, Cut::CONVERSATION).into_iter().map(line).collect()
}

fn remark(text: &str, style: Style) -> String {
    style.faint(&format!("=== {text}")) + "\n"
}
