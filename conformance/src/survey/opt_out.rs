//! The servers that a survey does not contact.

use std::collections::HashSet;
use std::net::IpAddr;
use std::path::Path;

use anyhow::{Result, bail};
use ipnet::IpNet;

use super::list::entries;
use crate::target::{Address, Target};

/// The servers that a survey does not contact: hosts, domains, IP addresses and networks.
///
/// ```text
/// # A comment has a line of its own.
/// example.org
/// 192.0.2.1
/// 2001:db8::/32
/// ```
///
/// A name covers itself and all its subdomains. Addresses and networks are compared with the addresses that a target's
/// host name resolves to.
#[derive(Clone, Debug, Default)]
pub struct OptOut {
    names: HashSet<String>,
    networks: Vec<IpNet>,
}

impl OptOut {
    /// Reads a list with one entry per line. Blank lines and lines that begin with `#` are ignored.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read, or with the file and the line if a line is not a valid entry.
    pub fn read(list: &Path) -> Result<OptOut> {
        let mut out = OptOut::default();
        entries(list, |_, text| {
            if let Ok(address) = text.parse::<IpAddr>() {
                out.networks.push(address.to_canonical().into());
            } else if let Ok(network) = text.parse::<IpNet>() {
                out.networks.push(network);
            } else if is_name(text) {
                out.names.insert(plain(text));
            } else {
                bail!("{text:?}: write a host, a domain, an IP address or a network such as 192.0.2.0/24");
            }
            Ok(())
        })?;
        Ok(out)
    }

    /// Returns whether the list has the host of a target, by name or, if the host is an address, by address.
    pub(super) fn has_host_of(&self, target: &Target) -> bool {
        let Address::Tcp(host, _) = &target.address else { return false };
        let host = plain(host);
        let above = host.match_indices('.').map(|(at, _)| &host[at + 1..]);
        std::iter::once(host.as_str()).chain(above).any(|name| self.names.contains(name))
            || host.parse().is_ok_and(|address| self.has(address))
    }

    /// Returns whether the list has one of the addresses that a target's host name resolved to.
    pub(super) fn has_address_of(&self, target: &Target) -> bool {
        target.addresses.iter().flatten().any(|address| self.has(*address))
    }

    fn has(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address.to_canonical()))
    }
}

fn is_name(text: &str) -> bool {
    let letter = |octet: u8| octet.is_ascii_alphanumeric() || b"-_".contains(&octet);
    // A name that ends in a number is a mistyped address (RFC 1123 §2.1).
    let is_number = |label: &str| label.bytes().all(|octet| octet.is_ascii_digit());
    let labels: Vec<&str> = text.strip_suffix('.').unwrap_or(text).split('.').collect();
    labels.iter().all(|label| !label.is_empty() && label.bytes().all(letter))
        && !labels.last().is_some_and(|last| is_number(last))
}

/// Returns a name in the form in which names are compared.
fn plain(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::OptOut;
    use crate::target::Target;

    fn read(text: &str) -> Result<OptOut, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let list = folder.path().join("list");
        fs::write(&list, text).expect("a file");
        OptOut::read(&list).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn names_cover_subdomains_and_networks_cover_addresses() {
        let out =
            read("# asked us\nExample.ORG.\n192.0.2.1\n2001:db8::/32\n198.51.100.0/24\n").expect("a list");
        let is_out = |url: &str| out.has_host_of(&Target::read(url).expect("a URL"));
        for url in [
            "smtp://example.org",
            "smtp://MX.example.org.:25",
            "smtp://192.0.2.1",
            "smtp://[2001:db8::1]",
            "smtp://[::ffff:192.0.2.1]",
        ] {
            assert!(is_out(url), "{url}");
        }
        for url in
            ["smtp://notexample.org", "smtp://org", "smtp://192.0.2.2", "smtp://[2001:db9::1]", "unix:/a"]
        {
            assert!(!is_out(url), "{url}");
        }
        let mut target = Target::read("smtp://mx.example.com").expect("a URL");
        assert!(!out.has_address_of(&target));
        target.addresses =
            Some(["203.0.113.1", "198.51.100.7"].map(|text| text.parse().expect("an address")).into());
        assert!(out.has_address_of(&target));
    }

    #[test]
    fn invalid_lines_are_refused() {
        for bad in ["192.0.2.0/33", "192.0.2", "*.example.org", "example.org # a", "smtp://example.org", "."]
        {
            let error = read(&format!("example.org\n{bad}\n")).expect_err(bad);
            assert!(error.contains("list:2: "), "{error}");
        }
    }
}
