//! Reads records, which a run or `judge` wrote, as recordings to judge again.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

use crate::dialogue::{Dialogue, Exchange};
use crate::limits::TRANSCRIPT_EXCHANGES;
use crate::record::{self, Record};

/// Returns whether a text is records. The header comes first.
pub(super) fn is_log(text: &str) -> bool {
    text.trim_start().starts_with(r#"{"record":"header","#)
}

/// Reads the dialogues. The findings and the outcomes of cases are not read: the dialogues are judged anew.
///
/// # Errors
///
/// If a line is not a record, or if there are too many exchanges.
pub(super) fn read(name: &str, text: &str) -> Result<Vec<Dialogue>> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let mut dialogues: BTreeMap<usize, Dialogue> = BTreeMap::new();
    let mut count = 0;
    for ((index, _), record) in lines.zip(record::read(name, text)?) {
        match record {
            Record::Dialogue(opening) => {
                let dialogue = Dialogue {
                    name: name.to_owned(),
                    protocol: opening.protocol,
                    port: opening.port,
                    implicit_tls: opening.implicit_tls,
                    ..Dialogue::default()
                };
                dialogues.insert(opening.dialogue, dialogue);
            }
            Record::Exchange(spoken) => {
                count += 1;
                ensure!(count <= TRANSCRIPT_EXCHANGES, "{name}: more than {TRANSCRIPT_EXCHANGES} exchanges");
                if let Some(dialogue) = dialogues.get_mut(&spoken.dialogue) {
                    dialogue.exchanges.push(Exchange { line: Some(index + 1), ..spoken.exchange });
                }
            }
            Record::Header(_) | Record::Finding(_) | Record::Case(_) | Record::Summary(_) => {}
        }
    }
    Ok(dialogues.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::{is_log, read};
    use crate::protocol::Protocol;
    use crate::readers::transcript;
    use crate::record::outcome::Outcome;
    use crate::record::{Subject, records, write};
    use crate::{Knowledge, Strictness, judge};

    #[test]
    fn records_give_the_dialogues_back() {
        let text = "#: connected to port 24\n#: tls\nS: 220 mx.example.org\nC: LHLO me\nS: 250 mx.example.org\n#: connected\nS: 554 No\n";
        let dialogues = transcript::read("log", Protocol::Lmtp, text).expect("it is a transcript");
        let judgement = judge(&dialogues, &Knowledge::default(), Strictness::default());
        let outcome = Outcome::of_recordings(dialogues.clone(), judgement);
        let mut written = Vec::new();
        write(&records(&Subject::named("log"), outcome.without_baseline()), &mut written)
            .expect("it is written");
        let written = String::from_utf8(written).expect("it is ASCII");
        assert!(is_log(&written) && !is_log(text) && !is_log("{\"MESSAGE\":\"220 mx\"}"));
        let mut again = read("log", &written).expect("they are records");
        let lines: Vec<_> =
            again.iter().flat_map(|dialogue| &dialogue.exchanges).map(|exchange| exchange.line).collect();
        assert_eq!(lines, [Some(3), Some(4), Some(6)]);
        for (dialogue, before) in again.iter_mut().zip(&dialogues) {
            for (exchange, before) in dialogue.exchanges.iter_mut().zip(&before.exchanges) {
                exchange.line = before.line;
            }
        }
        assert_eq!(again, dialogues);
        assert!(read("log", &written[..written.len() - 9]).is_err());
    }
}
