//! The mail servers that the rules have advice for, and how they name themselves.

use serde::{Deserialize, Serialize};

/// A mail server that the rules have advice for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Product {
    /// Postfix.
    Postfix,
    /// Exim.
    Exim,
    /// OpenSMTPD.
    OpenSmtpd,
    /// Sendmail.
    Sendmail,
}

impl Product {
    const ALL: [Product; 4] = [Product::Postfix, Product::Exim, Product::OpenSmtpd, Product::Sendmail];

    /// Returns its name, as the rules' advice spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Product::Postfix => "Postfix",
            Product::Exim => "Exim",
            Product::OpenSmtpd => "OpenSMTPD",
            Product::Sendmail => "Sendmail",
        }
    }

    /// Returns the product that a text names, in any letter case, or `None` if it names none or several.
    ///
    /// A name within a host name or another word does not count.
    ///
    /// ```
    /// use smtp_conformance::Product;
    ///
    /// assert_eq!(Product::named_in("mx ESMTP Exim 4.96 Tue, 24 Nov 2026"), Some(Product::Exim));
    /// assert_eq!(Product::named_in("postfix.example.org ESMTP"), None);
    /// ```
    #[must_use]
    pub fn named_in(text: &str) -> Option<Product> {
        let is_within = |character: char| character.is_alphanumeric() || "._-@".contains(character);
        let words = || text.split(|character| !is_within(character)).map(|word| word.trim_end_matches('.'));
        let is_named = |product: &Product| words().any(|word| word.eq_ignore_ascii_case(product.name()));
        let mut named = Product::ALL.into_iter().filter(is_named);
        let first = named.next();
        if named.next().is_some() { None } else { first }
    }
}

#[cfg(test)]
mod tests {
    use super::Product;
    use crate::rules::catalogue::rules;

    #[test]
    fn a_product_is_recognized_only_by_its_name_as_a_word() {
        for (text, product) in [
            ("ESMTP Postfix (Debian/GNU)", Some(Product::Postfix)),
            ("ESMTP OpenSMTPD", Some(Product::OpenSmtpd)),
            ("OpenSMTPD/7.4.0p1", Some(Product::OpenSmtpd)),
            ("ESMTP Sendmail 8.17.1/8.17.1; Tue", Some(Product::Sendmail)),
            ("This is exim.", Some(Product::Exim)),
            ("not-postfix ESMTP", None),
            ("exim4.example.org", None),
            ("root@postfix", None),
            ("Postfix, not Exim", None),
            ("", None),
        ] {
            assert_eq!(Product::named_in(text), product, "{text}");
        }
    }

    #[test]
    fn every_product_with_advice_is_known() {
        for (server, _) in rules().iter().flat_map(|rule| rule.fixes) {
            assert!(Product::ALL.iter().any(|product| product.name() == *server), "{server}");
        }
    }
}
