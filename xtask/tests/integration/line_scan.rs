//! A scanner of IANA's file that knows no XML and only searches for tags. Its mistakes would differ from those of a
//! parser, so cells that both find are right.

use std::collections::BTreeMap;

/// Returns the cells and attributes of each record, by the names that the parser gives them.
pub(crate) fn records(file: &str) -> Vec<BTreeMap<&'static str, String>> {
    file.split("<record")
        .skip(1)
        .map(|rest| record(rest.split("</record>").next().unwrap_or_default()))
        .collect()
}

fn record(text: &str) -> BTreeMap<&'static str, String> {
    let (attributes, cells) = text.split_once('>').unwrap_or_default();
    let mut found = BTreeMap::new();
    for name in ["date", "updated"] {
        let value = attributes.split(&format!("{name}=\"")).nth(1).and_then(|rest| rest.split('"').next());
        found.extend(value.map(|value| (name, value.to_owned())));
    }
    for (tag, name) in [
        ("code", "code"),
        ("summary", "sample"),
        ("sample", "sample"),
        ("basic_code", "basic_code"),
        ("description", "description"),
        ("reference", "reference"),
        ("submitter", "submitter"),
        ("change_controller", "change_controller"),
    ] {
        let cell =
            cells.split(&format!("<{tag}>")).nth(1).and_then(|rest| rest.split(&format!("</{tag}>")).next());
        found.extend(cell.map(|cell| (name, plain(cell))));
    }
    found
}

/// Replaces references with what they print, and entities with their characters.
fn plain(cell: &str) -> String {
    let mut parts = cell.split("<xref ");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (xref, rest) = part.split_once('>').unwrap_or_default();
        let data = xref.split("data=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
        let (label, text) =
            if xref.ends_with('/') { ("", rest) } else { rest.split_once("</xref>").unwrap() };
        let name = if xref.contains("\"rfc\"") { data.to_uppercase() } else { data.to_owned() };
        let printed = if label.is_empty() { &name } else { label };
        plain.extend(["[", printed, "]", text]);
    }
    plain.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}
