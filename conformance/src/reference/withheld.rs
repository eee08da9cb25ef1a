//! Extensions that the server does not offer, and therefore refuses.

use anyhow::{Result, bail};

use crate::protocol::command::Verb;

/// An extension: its keyword, the keywords it cannot do without, its commands, and its parameters of MAIL and RCPT.
struct Extension {
    keyword: &'static str,
    needs: &'static [&'static str],
    commands: &'static [Verb],
    parameters: &'static [&'static str],
}

const fn extension(
    keyword: &'static str,
    commands: &'static [Verb],
    parameters: &'static [&'static str],
) -> Extension {
    Extension { keyword, needs: &[], commands, parameters }
}

const EXTENSIONS: [Extension; 27] = [
    extension("PIPELINING", &[], &[]),
    extension("SIZE", &[], &["SIZE"]),
    extension("ENHANCEDSTATUSCODES", &[], &[]),
    extension("8BITMIME", &[], &["BODY"]),
    // RFC 6531 §3.1 and RFC 3030 §3.
    Extension { needs: &["8BITMIME"], ..extension("SMTPUTF8", &[], &["SMTPUTF8"]) },
    extension("DSN", &[], &["RET", "ENVID", "NOTIFY", "ORCPT"]),
    extension("CHUNKING", &[Verb::Bdat], &[]),
    Extension { needs: &["8BITMIME", "CHUNKING"], ..extension("BINARYMIME", &[], &[]) },
    extension("DELIVERBY", &[], &["BY"]),
    extension("MT-PRIORITY", &[], &["MT-PRIORITY"]),
    extension("RRVS", &[], &["RRVS"]),
    extension("NO-SOLICITING", &[], &["SOLICIT"]),
    extension("LIMITS", &[], &[]),
    extension("REQUIRETLS", &[], &["REQUIRETLS"]),
    extension("CONPERM", &[], &["CONPERM"]),
    extension("STARTTLS", &[Verb::Starttls], &[]),
    extension("AUTH", &[Verb::Auth], &["AUTH"]),
    extension("FUTURERELEASE", &[], &["HOLDFOR", "HOLDUNTIL"]),
    Extension { needs: &["CHUNKING"], ..extension("BURL", &[Verb::Burl], &[]) },
    extension("ETRN", &[Verb::Etrn], &[]),
    extension("ATRN", &[Verb::Atrn], &[]),
    extension("CHECKPOINT", &[], &["TRANSID"]),
    extension("CONNEG", &[], &["CONNEG"]),
    extension("SUBMITTER", &[], &["SUBMITTER"]),
    extension("VRFY", &[Verb::Vrfy], &[]),
    extension("EXPN", &[Verb::Expn], &[]),
    extension("HELP", &[Verb::Help], &[]),
];

/// The extensions that a server does not offer though it could.
///
/// ```
/// use smtp_conformance::reference::Withheld;
///
/// assert_eq!(Withheld::read(["8bitmime"])?, Withheld::read(["8BITMIME"])?);
/// assert!(Withheld::read(["8BITMIM"]).is_err());
/// # Ok::<(), anyhow::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Withheld {
    keywords: Vec<&'static str>,
}

impl Withheld {
    /// Reads keywords, in any letter case. An extension that needs another one is withheld together with that.
    ///
    /// # Errors
    ///
    /// If the server never offers one of them, with those that it offers.
    pub fn read<'a>(keywords: impl IntoIterator<Item = &'a str>) -> Result<Withheld> {
        let mut withheld = Withheld::default();
        for keyword in keywords {
            let known = EXTENSIONS.iter().find(|known| known.keyword.eq_ignore_ascii_case(keyword));
            let Some(known) = known else {
                let all: Vec<&str> = EXTENSIONS.iter().map(|known| known.keyword).collect();
                bail!("the server does not know the keyword {keyword:?}: use one of {}", all.join(", "));
            };
            withheld.keywords.push(known.keyword);
        }
        Ok(withheld)
    }

    /// Returns whether an extension is withheld.
    pub(super) fn has(&self, keyword: &str) -> bool {
        self.extensions().any(|extension| extension.keyword == keyword)
    }

    /// Returns whether a command belongs to an extension that is withheld.
    pub(super) fn has_command(&self, verb: Verb) -> bool {
        self.extensions().any(|extension| extension.commands.contains(&verb))
    }

    /// Returns whether a parameter belongs to an extension that is withheld.
    pub(super) fn has_parameter(&self, keyword: &[u8]) -> bool {
        let is = |parameter: &&str| parameter.as_bytes().eq_ignore_ascii_case(keyword);
        self.extensions().any(|extension| extension.parameters.iter().any(&is))
    }

    fn extensions(&self) -> impl Iterator<Item = &'static Extension> {
        EXTENSIONS.iter().filter(|extension| {
            let is_named = |keyword: &&str| self.keywords.contains(keyword);
            is_named(&extension.keyword) || extension.needs.iter().any(is_named)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Verb, Withheld};

    #[test]
    fn what_needs_an_extension_goes_with_it() {
        let withheld = Withheld::read(["chunking"]).expect("the server knows it");
        assert!(withheld.has("CHUNKING") && withheld.has("BINARYMIME") && withheld.has("BURL"));
        assert!(withheld.has_command(Verb::Bdat) && withheld.has_command(Verb::Burl));
        assert!(!withheld.has("8BITMIME") && !withheld.has_parameter(b"BODY"));
        let withheld = Withheld::read(["8BITMIME", "DSN"]).expect("the server knows them");
        assert!(withheld.has_parameter(b"body") && withheld.has_parameter(b"Notify"));
        assert!(!withheld.has_parameter(b"SIZE") && !withheld.has_command(Verb::Bdat));
        assert!(!Withheld::default().has_parameter(b"BODY"));
    }

    #[test]
    fn an_unknown_keyword_lists_the_known_ones() {
        let error = Withheld::read(["8BITMIM"]).expect_err("there is no such keyword");
        let start = "the server does not know the keyword \"8BITMIM\": use one of PIPELINING, SIZE, ";
        assert!(error.to_string().starts_with(start), "{error}");
    }
}
