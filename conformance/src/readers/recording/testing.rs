//! What tests compare of a recording.

use super::find;
use crate::dialogue::{Act, Dialogue, End, Exchange};
use crate::protocol::Protocol;
use crate::protocol::reply::Reply;

/// Reads a recording in the form that recognizes it.
pub(super) fn read(text: &str) -> Vec<Dialogue> {
    let form = find(text).unwrap_or_else(|| panic!("no form recognizes this:\n{text}"));
    (form.read)("test", Protocol::Smtp, text).expect("the recording can be read")
}

/// Reads a recording, and shows each act with the first line of each reply, `?` after it if they may not belong together,
/// and how the exchange ended if it did. A dialogue begins with its port.
pub(super) fn shown(text: &str) -> String {
    let mut shown = Vec::new();
    for dialogue in read(text) {
        let port = dialogue.port.map_or("a connection".to_owned(), |port| format!("port {port}"));
        shown.push(if dialogue.implicit_tls { format!("{port} under TLS") } else { port });
        shown.extend(dialogue.exchanges.iter().map(exchange));
    }
    shown.join("\n")
}

fn exchange(exchange: &Exchange) -> String {
    let sent = exchange.act.parts().concat();
    let sent = String::from_utf8_lossy(&sent).trim_end().replace("\r\n", "|");
    let act = match &exchange.act {
        Act::Connect => "connect",
        Act::Handshake => "handshake",
        Act::Wait => "wait",
        _ => &sent,
    };
    let reply = |reply: Reply<'_>| {
        let line =
            reply.lines().next().map(|line| line.octets().escape_ascii().to_string()).unwrap_or_default();
        let more = reply.lines().count().saturating_sub(1);
        if more > 0 { format!(" => {line} +{more}") } else { format!(" => {line}") }
    };
    let mut shown = act.to_owned() + &exchange.replies().map(reply).collect::<String>();
    if !exchange.sure {
        shown.push('?');
    }
    match exchange.end {
        End::Answered => shown,
        end => format!("{shown} {end:?}"),
    }
}
