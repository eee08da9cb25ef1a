//! Which targets and clients to test, and which servers have to run for that.

use std::error::Error;
use std::fmt;

use anyhow::{Result, bail, ensure};

use super::client::Client;
use super::server::{Server, Target};

/// The servers to run, and the targets and clients to test.
#[derive(Debug)]
pub struct Choice<'a> {
    /// The servers to run, each after those that it needs.
    pub servers: Vec<&'a Server>,
    /// The targets to test, each with its server.
    pub targets: Vec<(&'a Server, &'a Target)>,
    /// The clients to try.
    pub clients: Vec<&'a Client>,
}

/// A name that is not a server, a target or a client.
#[derive(Debug)]
pub struct Unknown(String);

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no server, target or client {:?}; `cargo xtask live --list` lists them", self.0)
    }
}

impl Error for Unknown {}

/// The name that chooses all clients.
const CLIENTS: &str = "clients";

impl<'a> Choice<'a> {
    /// Chooses the servers, targets and clients with these names, or all of them if there are no names. The name `clients`
    /// chooses all clients.
    pub fn new(all: &'a [Server], clients: &'a [Client], names: &[String]) -> Result<Choice<'a>> {
        for name in names {
            let is_server = all.iter().any(|server| {
                server.name == *name || server.targets.iter().any(|target| target.name == *name)
            });
            let is_client = name == CLIENTS || clients.iter().any(|client| client.name == *name);
            ensure!(is_server || is_client, Unknown(name.clone()));
        }
        let is_chosen = |server: &Server, target: &Target| {
            names.is_empty() || names.contains(&server.name) || names.contains(&target.name)
        };
        let is_client_chosen = |client: &&Client| {
            names.is_empty() || names.iter().any(|name| *name == client.name || name == CLIENTS)
        };
        let clients = clients.iter().filter(is_client_chosen).collect();
        let mut choice = Choice { servers: Vec::new(), targets: Vec::new(), clients };
        for server in all {
            let targets: Vec<_> = server.targets.iter().filter(|target| is_chosen(server, target)).collect();
            if !targets.is_empty() || names.contains(&server.name) {
                choice.add(all, server, &mut Vec::new())?;
            }
            choice.targets.extend(targets.into_iter().map(|target| (server, target)));
        }
        Ok(choice)
    }

    fn add(&mut self, all: &'a [Server], server: &'a Server, above: &mut Vec<&'a str>) -> Result<()> {
        if self.servers.iter().any(|other| other.name == server.name) {
            return Ok(());
        }
        if above.contains(&server.name.as_str()) {
            bail!(
                "{} needs itself, through {}; fix `needs` in its server.toml",
                server.name,
                above.join(", ")
            );
        }
        above.push(&server.name);
        for need in &server.recipe.needs {
            if let Some(needed) = all.iter().find(|other| other.name == *need.get_ref()) {
                self.add(all, needed, above)?;
            }
        }
        above.pop();
        self.servers.push(server);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Choice, Server, Target};

    fn server(name: &str, needs: &str) -> Server {
        let recipe = format!("suite = \"bookworm\"\npackages = []\nversion = \"\"\nneeds = {needs}\n");
        let target = Target {
            name: format!("{name}/mx"),
            file: "mx.toml".into(),
            address: ([127, 0, 0, 1], 2525).into(),
            greets: true,
        };
        let recipe = toml::from_str(&recipe).unwrap();
        Server { name: name.to_owned(), folder: name.into(), recipe, targets: vec![target] }
    }

    fn chosen(all: &[Server], names: &[&str]) -> Result<(Vec<String>, Vec<String>), String> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let choice = Choice::new(all, &[], &names).map_err(|error| error.to_string())?;
        let servers = choice.servers.iter().map(|server| server.name.clone()).collect();
        Ok((servers, choice.targets.iter().map(|(_, target)| target.name.clone()).collect()))
    }

    #[test]
    fn needed_servers_run_first_and_are_not_tested() {
        let all = [server("a", "[\"c\"]"), server("b", "[]"), server("c", "[]")];
        let text = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(chosen(&all, &["a"]), Ok((text(&["c", "a"]), text(&["a/mx"]))));
        assert_eq!(chosen(&all, &["b/mx"]), Ok((text(&["b"]), text(&["b/mx"]))));
        assert_eq!(chosen(&all, &[]), Ok((text(&["c", "a", "b"]), text(&["a/mx", "b/mx", "c/mx"]))));
        assert!(chosen(&all, &["d"]).unwrap_err().contains("--list"));
        let round = [server("a", "[\"b\"]"), server("b", "[\"a\"]")];
        assert!(chosen(&round, &["a"]).unwrap_err().contains("a needs itself"));
    }
}
