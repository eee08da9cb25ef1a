//! A message as the rules compare it: its header fields and the lines of its body.

/// What ends the lines of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    /// CR LF alone, as on the wire.
    CrLf,
    /// LF or CR LF, as in a mailbox.
    Local,
}

/// A message. Lines have no line end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message<'m> {
    /// The header fields, or `None` if a line of the header section is neither a field nor part of one.
    pub(super) fields: Option<Vec<Field<'m>>>,
    /// The lines after the first empty one.
    pub(super) body: Vec<&'m [u8]>,
    /// Whether a CR or an LF is part of a line.
    pub(super) has_bare_ends: bool,
}

/// A header field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field<'m> {
    lines: Vec<&'m [u8]>,
}

impl<'m> Message<'m> {
    pub(super) fn read(octets: &'m [u8], ends: Ends) -> Message<'m> {
        let lines = lines(octets, ends);
        let has_bare_ends = lines.iter().any(|line| line.contains(&b'\r') || line.contains(&b'\n'));
        let end = lines.iter().position(|line| line.is_empty()).unwrap_or(lines.len());
        let fields = fields(lines.get(..end).unwrap_or_default());
        let body = lines.get(end + 1..).unwrap_or_default().to_vec();
        Message { fields, body, has_bare_ends }
    }

    /// Returns the fields with a name. There are none if the header section is malformed.
    pub(super) fn named(&self, name: &str) -> impl Iterator<Item = &Field<'m>> {
        self.fields.iter().flatten().filter(move |field| field.is(name))
    }
}

impl<'m> Field<'m> {
    /// The name as it is written.
    pub(super) fn name(&self) -> &'m [u8] {
        self.parts().0
    }

    pub(super) fn is(&self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name.as_bytes())
    }

    /// The text after the colon on the first line, without blanks around it.
    pub(super) fn value(&self) -> &'m [u8] {
        self.parts().1.trim_ascii()
    }

    /// The text after the colon, with its lines joined.
    pub(super) fn unfolded(&self) -> Vec<u8> {
        let rest = self.lines.iter().skip(1).copied();
        std::iter::once(self.parts().1).chain(rest).collect::<Vec<_>>().concat()
    }

    /// Everything but blanks, in which fields may differ that were folded differently.
    pub(super) fn solid(&self) -> Vec<u8> {
        let octets = self.lines.iter().copied().flatten();
        octets.filter(|octet| !matches!(octet, b' ' | b'\t')).copied().collect()
    }

    fn parts(&self) -> (&'m [u8], &'m [u8]) {
        let line = self.lines.first().copied().unwrap_or_default();
        let colon = line.iter().position(|octet| *octet == b':').unwrap_or(line.len());
        let (name, rest) = line.split_at(colon);
        (name.trim_ascii_end(), rest.get(1..).unwrap_or_default())
    }
}

/// Splits a text into lines. A line that does not end is one too.
fn lines(octets: &[u8], ends: Ends) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let mut rest = octets;
    while !rest.is_empty() {
        let end = match ends {
            Ends::CrLf => memchr::memmem::find(rest, b"\r\n").map(|end| (end, 2)),
            Ends::Local => memchr::memchr(b'\n', rest).map(|end| (end, 1)),
        };
        let (end, width) = end.unwrap_or((rest.len(), 0));
        let line = rest.get(..end).unwrap_or_default();
        lines.push(if ends == Ends::Local { line.strip_suffix(b"\r").unwrap_or(line) } else { line });
        rest = rest.get(end + width..).unwrap_or_default();
    }
    lines
}

fn fields<'m>(lines: &[&'m [u8]]) -> Option<Vec<Field<'m>>> {
    let mut fields: Vec<Field<'m>> = Vec::new();
    for line in lines {
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            fields.last_mut()?.lines.push(line);
        } else {
            line.iter().position(|octet| *octet == b':').filter(|colon| *colon > 0)?;
            fields.push(Field { lines: vec![line] });
        }
    }
    Some(fields)
}
