//! The client under test: how it is started, and what its end says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use serde::Deserialize;

use super::behaviour::TEMPLATES;
use super::exit::{self, Exits};
use super::template::Template;
use crate::data_file::{self, did_you_mean};
use crate::limits::FILE_OCTETS;

/// How long an attempt may take by default.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// How many behaviours run at once by default.
pub const PARALLEL: usize = 8;

/// A client that can be tried.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its name in reports and baselines.
    pub name: String,
    /// The command line for each kind of sending: `plain`, `tls`, `auth`, `auth-tls` and `lmtp`.
    pub templates: BTreeMap<String, Template>,
    /// What its exit status and its output say.
    pub exits: Exits,
    /// How long an attempt may take.
    pub timeout: Duration,
    /// How many behaviours may run at once.
    pub parallel: usize,
    /// Groups of behaviours that are left out, with the reasons.
    pub without: BTreeMap<String, String>,
    /// A command that comes before the client's own, such as `docker exec NAME`. Placeholders are filled in there too.
    pub through: Option<Template>,
    /// The folder that the client is started in, or `None` for that of this process.
    pub folder: Option<PathBuf>,
}

impl Client {
    /// Returns a client that is started by templates, each with its name.
    #[must_use]
    pub fn new(name: &str, templates: BTreeMap<String, Template>) -> Client {
        Client {
            name: name.to_owned(),
            templates,
            exits: Exits::default(),
            timeout: TIMEOUT,
            parallel: PARALLEL,
            without: BTreeMap::new(),
            through: None,
            folder: None,
        }
    }

    /// Reads a TOML file with a table `[client]`. The client is started in the folder of the file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or with the file, the line and what to write instead if it is invalid. `groups` are the
    /// groups of behaviours that it can leave out.
    pub fn read(path: &Path, groups: &[&str]) -> Result<Client> {
        let text = data_file::text(path, FILE_OCTETS)?;
        let name = path.display().to_string();
        let File { client } = data_file::parse(&name, &text)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).canonicalize().with_context(|| name.clone())?;
        client.check(folder, groups).with_context(|| name)
    }

    /// Returns the templates as they were written, each with its name.
    #[must_use]
    pub fn commands(&self) -> BTreeMap<String, String> {
        self.templates.iter().map(|(name, template)| (name.clone(), template.text().to_owned())).collect()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    client: Raw,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Raw {
    name: String,
    send: Option<String>,
    tls: Option<String>,
    auth: Option<String>,
    auth_tls: Option<String>,
    lmtp: Option<String>,
    exit: Option<BTreeMap<String, Vec<i32>>>,
    #[serde(default)]
    output: BTreeMap<String, String>,
    timeout: Option<u64>,
    parallel: Option<usize>,
    #[serde(default)]
    without: BTreeMap<String, String>,
}

impl Raw {
    fn check(self, folder: PathBuf, groups: &[&str]) -> Result<Client> {
        let written = [self.send, self.tls, self.auth, self.auth_tls, self.lmtp];
        let mut templates = BTreeMap::new();
        for (name, text) in TEMPLATES.into_iter().zip(written) {
            if let Some(text) = text {
                let template = Template::read(&text).with_context(|| key(name).to_owned())?;
                templates.insert(name.to_owned(), template);
            }
        }
        ensure!(
            !templates.is_empty(),
            "there is no command: write send = \"PROGRAM ... {{host}} {{port}} {{from}} {{rcpts}} {{message}}\""
        );
        let mut client = Client::new(&self.name, templates);
        if let Some(statuses) = self.exit {
            client.exits = exits(&statuses).context("exit")?;
        }
        for (name, pattern) in &self.output {
            client.exits.add_pattern(exit::outcome(name)?, pattern).context("output")?;
        }
        for (group, reason) in &self.without {
            let meant = did_you_mean(group, groups.iter().copied());
            ensure!(groups.contains(&group.as_str()), "without: there is no group {group:?}{meant}");
            ensure!(!reason.trim().is_empty(), "without: {group}: write why the group is left out");
        }
        client.without = self.without;
        client.folder = Some(folder);
        if let Some(seconds) = self.timeout {
            ensure!((1..=86400).contains(&seconds), "timeout = {seconds}: write seconds, from 1 to 86400");
            client.timeout = Duration::from_secs(seconds);
        }
        if let Some(parallel) = self.parallel {
            ensure!((1..=64).contains(&parallel), "parallel = {parallel}: write a number from 1 to 64");
            client.parallel = parallel;
        }
        Ok(client)
    }
}

/// Returns the key of a template in a file.
fn key(template: &str) -> &str {
    if template == "plain" { "send" } else { template }
}

fn exits(statuses: &BTreeMap<String, Vec<i32>>) -> Result<Exits> {
    let mut exits = Exits::none();
    for (name, statuses) in statuses {
        let outcome = exit::outcome(name)?;
        for status in statuses {
            exits.add(outcome, *status)?;
        }
    }
    if !statuses.contains_key("ok") {
        bail!("{}", anyhow!("no status is ok: write ok = [0]"));
    }
    Ok(exits)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(text: &str) -> Result<Client> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("client.toml");
        fs::write(&path, text).expect("the file is written");
        Client::read(&path, &["codes", "lmtp"])
    }

    #[test]
    fn a_file_says_how_a_client_is_started() {
        let client = read(
            "[client]\nname = \"x\"\nsend = \"x {host}\"\nlmtp = \"x -l {host}\"\ntimeout = 5\n\
             exit = { ok = [0], temporary = [75] }\noutput = { partial = \"some\" }\n\
             [client.without]\ncodes = \"none\"\n",
        )
        .expect("it is well-formed");
        assert_eq!(client.templates.keys().collect::<Vec<_>>(), ["lmtp", "plain"]);
        assert_eq!(client.timeout, Duration::from_secs(5));
        assert_eq!(client.without["codes"], "none");
    }

    #[test]
    fn errors_say_what_to_write() {
        for (text, expected) in [
            ("send = \"x {hosts}\"", "send: there is no placeholder {hosts}"),
            ("", "there is no command: write send = "),
            ("send = \"x\"\nexit = { temporary = [75] }", "exit: no status is ok: write ok = [0]"),
            (
                "send = \"x\"\n[client.without]\ncode = \"y\"",
                "without: there is no group \"code\" (did you mean codes?)",
            ),
            ("send = \"x\"\ntimeout = 0", "timeout = 0: write seconds, from 1 to 86400"),
        ] {
            let error = format!("{:#}", read(&format!("[client]\nname = \"x\"\n{text}")).expect_err(text));
            assert!(error.contains(&format!("client.toml: {expected}")), "{error}");
        }
    }
}
