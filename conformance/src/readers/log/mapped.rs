//! A text that was put together from parts of a line, and where the parts were.

use std::borrow::Cow;

use super::Sink;
use crate::readers::mention::Mention;

/// Octets, each with its place in the text that they came from.
#[derive(Default)]
pub(super) struct Mapped {
    octets: Vec<u8>,
    /// Where a run of octets begins here, and there.
    runs: Vec<(usize, usize)>,
}

impl Mapped {
    /// Adds octets that are at this offset in the text.
    pub(super) fn push(&mut self, octets: &[u8], offset: usize) {
        self.runs.push((self.octets.len(), offset));
        self.octets.extend_from_slice(octets);
    }

    pub(super) fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// Returns where an octet is in the text.
    fn offset(&self, position: usize) -> usize {
        let next = self.runs.partition_point(|(start, _)| *start <= position);
        match next.checked_sub(1).and_then(|run| self.runs.get(run)) {
            Some((start, offset)) => offset + (position - start),
            None => position,
        }
    }

    /// Reads the octets as a text of its own, and gives its mentions the offsets that they have in the text.
    pub(super) fn read<'a>(
        &self,
        text: &'a [u8],
        sink: &mut Sink<'a, '_>,
        reader: impl for<'b> FnOnce(&'b [u8], &mut Sink<'b, '_>),
    ) {
        let mentions = &mut |mention: Mention<'_>| {
            let host = mention.host.and_then(|host| self.original(host, text));
            let offset = self.offset(mention.offset).min(text.len());
            let reply = Cow::Owned(mention.reply.into_owned());
            sink.push(Mention { reply, host, offset, ..mention });
        };
        reader(&self.octets, &mut Sink { base: 0, mentions });
    }

    /// Returns the part of the text from which a part of the octets came, if it came as it is.
    fn original<'a>(&self, part: &[u8], text: &'a [u8]) -> Option<&'a [u8]> {
        let position = part.as_ptr().addr().checked_sub(self.octets.as_ptr().addr())?;
        let start = self.offset(position);
        let original = text.get(start..start.checked_add(part.len())?)?;
        (original == part).then_some(original)
    }
}
