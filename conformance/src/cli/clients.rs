//! `smtp-conformance clients`: runs a client against servers that behave in many ways.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use clap::Args;
use globset::GlobMatcher;

use super::review::Review;
use super::run::progress;
use super::terminal::say;
use super::{input, misused};
use crate::clients::behaviour::{self, Behaviour};
use crate::clients::client::Client;
use crate::clients::exit::{self, Exits};
use crate::clients::template::Template;
use crate::clients::{self, Plan};
use crate::limits::FILE_OCTETS;
use crate::record::Subject;
use crate::record::outcome::Outcome;
use crate::rules::profile::Profile;

pub(super) const EXAMPLES: &str = "\
Examples:
  smtp-conformance clients client.toml
  smtp-conformance clients --send 'swaks --server {host}:{port} --from {from} --to {rcpts,} --data @{message}'
  smtp-conformance clients client.toml --only 'codes' --format html > clients.html
  smtp-conformance clients --list

In a template, {host} and {port} are the server, {from} the sender, {to} the first recipient, {rcpts,} all of them with \
commas, {rcpts} one argument for each, {rcpts:OPTION} an option before each, {message} a file with the message and CR LF, \
{message-lf} the same with LF, {ca} a file with the server's certificate, {user} and {password} what AUTH takes. The message \
is on standard input too, with LF. No shell runs the template.";

const CLIENT: &str = "Client";
const CHOICE: &str = "Behaviours";
const LIMITS: &str = "Limits and timing";

#[derive(Args)]
pub(super) struct Options {
    /// TOML file that says how the client is started: see docs/judging-a-client.md.
    #[arg(value_name = "FILE", help_heading = CLIENT)]
    client: Option<PathBuf>,
    /// Template of the command that sends a message.
    #[arg(long, value_name = "TEMPLATE", conflicts_with = "client", help_heading = CLIENT)]
    send: Option<String>,
    /// Template of the command that sends a message and demands STARTTLS.
    #[arg(long, value_name = "TEMPLATE", conflicts_with = "client", help_heading = CLIENT)]
    tls: Option<String>,
    /// Template of the command that logs in and sends a message.
    #[arg(long, value_name = "TEMPLATE", conflicts_with = "client", help_heading = CLIENT)]
    auth: Option<String>,
    /// Template of the command that demands STARTTLS, logs in and sends a message.
    #[arg(long, value_name = "TEMPLATE", conflicts_with = "client", help_heading = CLIENT)]
    auth_tls: Option<String>,
    /// Template of the command that sends a message by LMTP.
    #[arg(long, value_name = "TEMPLATE", conflicts_with = "client", help_heading = CLIENT)]
    lmtp: Option<String>,
    /// What exit statuses say, such as ok=0,temporary=75,permanent=65+69. The outcomes are ok, temporary, permanent,
    /// partial, partial-temporary, partial-permanent and failed; any other status is failed. Without this, only 0 is ok.
    #[arg(long, value_name = "MAP", conflicts_with = "client", help_heading = CLIENT)]
    exit: Option<String>,
    /// What the output says, such as 'partial=some recipients'. The regular expression comes before the exit status. May
    /// be given several times.
    #[arg(long, value_name = "OUTCOME=REGEX", conflicts_with = "client", help_heading = CLIENT)]
    output: Vec<String>,
    /// Command that comes before the client's own, such as 'docker exec lab'. What the templates name must exist there
    /// too: the files of {message} and {ca}, which are in the folder for temporary files.
    #[arg(long, value_name = "COMMAND", help_heading = CLIENT)]
    through: Option<String>,
    /// Name of the client in reports and baselines. By default it is that of the file, or the program.
    #[arg(long, value_name = "NAME", help_heading = CLIENT)]
    name: Option<String>,
    /// Version of the client, shown in reports.
    #[arg(long, value_name = "VERSION", help_heading = CLIENT)]
    client_version: Option<String>,
    /// Run only the behaviours of a matching group, and those that they depend on. May be given several times.
    #[arg(long, value_name = "GROUP", value_parser = super::glob, help_heading = CHOICE)]
    only: Vec<GlobMatcher>,
    /// Run only the behaviours whose id matches, and those that they depend on.
    #[arg(long, value_name = "GLOB", value_parser = super::glob, help_heading = CHOICE)]
    behaviour: Option<GlobMatcher>,
    /// Run only the behaviours that test a matching rule, and those that they depend on.
    #[arg(long, value_name = "GLOB", value_parser = super::glob, help_heading = CHOICE)]
    rule: Option<GlobMatcher>,
    /// Folder with TOML files of your own behaviours, which are added to the built-in ones.
    #[arg(long, value_name = "FOLDER", help_heading = CHOICE)]
    behaviours: Option<PathBuf>,
    /// Also run behaviours for which the client waits until its own time is up. Give a --timeout that is longer.
    #[arg(long, value_name = "KIND", help_heading = CHOICE)]
    allow: Vec<Allowed>,
    /// List the behaviours instead of running them.
    #[arg(long, help_heading = CHOICE)]
    list: bool,
    #[command(flatten)]
    review: Review,
    /// Time that one attempt may take. A client that takes longer is hung [default: 20, or what the file says].
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86400), help_heading = LIMITS)]
    timeout: Option<u64>,
    /// How many behaviours run at once [default: 8, or what the file says].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64), help_heading = LIMITS)]
    parallel: Option<u16>,
    /// Time that the run may take. Behaviours that are not begun by then are skipped.
    #[arg(long, value_name = "SECONDS", default_value_t = 600, help_heading = LIMITS)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=86400))]
    run_timeout: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Allowed {
    /// Wait until the client's own time is up.
    Slow,
}

/// Runs the client, prints the report and returns the exit status.
pub(super) fn run(options: &Options) -> Result<u8> {
    let all = options.all()?;
    let groups: BTreeSet<String> = all.iter().map(|one| one.group.clone()).collect();
    let behaviours = options.chosen(all);
    if options.list {
        behaviours.iter().for_each(print_line);
        return Ok(0);
    }
    let read = || {
        ensure!(
            !behaviours.is_empty(),
            "no behaviour matches --only, --behaviour and --rule; `smtp-conformance clients --list` lists all"
        );
        Ok((options.client(&groups)?, options.review.baseline()?, options.review.open()?))
    };
    let (client, baseline, outputs) = match read() {
        Ok(read) => read,
        Err(error) => return Ok(misused(&error)),
    };
    let profile = match Profile::find(&options.review.profile) {
        Ok(profile) => profile,
        Err(error) => return Ok(misused(&error)),
    };
    let plan = Plan {
        allows_slow: options.allow.contains(&Allowed::Slow),
        parallel: options.parallel.map_or(client.parallel, usize::from),
        limit: Duration::from_secs(options.run_timeout),
        profile,
        progress: progress(behaviours.len(), "behaviours"),
        ..Plan::default()
    };
    let outcome = match try_client(&client, &behaviours, &plan) {
        Ok(outcome) => outcome,
        Err(error) => return Ok(misused(&error)),
    };
    let subject = Subject {
        target: client.name.clone(),
        server_version: options.client_version.clone(),
        product: None,
    };
    let status =
        options.review.conclude(&subject, outcome, options.is_narrow(), baseline.as_ref(), outputs)?;
    Ok(plan.interruption.status().unwrap_or(status.code()))
}

fn try_client(client: &Client, behaviours: &[Behaviour], plan: &Plan) -> Result<Outcome> {
    plan.interruption.heed_signals().context("cannot handle signals")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.context("cannot start the async runtime")?;
    let outcome = runtime.block_on(clients::run(client, behaviours, plan));
    runtime.shutdown_background();
    plan.interruption.run_is_over();
    plan.progress.finish_and_clear();
    outcome
}

impl Options {
    fn all(&self) -> Result<Vec<Behaviour>> {
        let mut behaviours = behaviour::built_in()?;
        if let Some(folder) = &self.behaviours {
            ensure!(folder.is_dir(), "{}: no such folder", folder.display());
            let files = input::files(folder)?.into_iter();
            let files: Vec<PathBuf> =
                files.filter(|file| file.extension() == Some("toml".as_ref())).collect();
            ensure!(!files.is_empty(), "{}: the folder has no .toml file with behaviours", folder.display());
            for file in files {
                let text = input::text(&file, FILE_OCTETS)?;
                behaviours.extend(behaviour::read(&file.display().to_string(), &text)?);
            }
            behaviour::check(&mut behaviours)?;
        }
        Ok(behaviours)
    }

    /// Returns the chosen behaviours, and those that they depend on.
    fn chosen(&self, mut behaviours: Vec<Behaviour>) -> Vec<Behaviour> {
        let mut wanted: BTreeSet<String> =
            behaviours.iter().filter(|one| self.fits(one)).map(|one| one.id.clone()).collect();
        loop {
            let bases = behaviours.iter().filter(|one| wanted.contains(&one.id));
            let bases: BTreeSet<String> = bases.filter_map(|one| one.base.clone()).collect();
            if bases.is_subset(&wanted) {
                break;
            }
            wanted.extend(bases);
        }
        behaviours.retain(|one| wanted.contains(&one.id));
        behaviours
    }

    fn fits(&self, behaviour: &Behaviour) -> bool {
        let is_tested =
            |glob: &GlobMatcher| behaviour.expected.tests().iter().any(|rule| glob.is_match(rule.rule().id));
        (self.only.is_empty() || self.only.iter().any(|glob| glob.is_match(&behaviour.group)))
            && self.behaviour.as_ref().is_none_or(|glob| glob.is_match(&behaviour.id))
            && self.rule.as_ref().is_none_or(is_tested)
    }

    fn is_narrow(&self) -> bool {
        !self.only.is_empty() || self.behaviour.is_some() || self.rule.is_some()
    }

    fn client(&self, groups: &BTreeSet<String>) -> Result<Client> {
        let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
        let mut client = match &self.client {
            Some(file) => Client::read(file, &groups)?,
            None => self.client_of_options()?,
        };
        if let Some(command) = &self.through {
            client.through = Some(Template::read(command).context("--through")?);
        }
        if let Some(name) = &self.name {
            client.name.clone_from(name);
        }
        if let Some(seconds) = self.timeout {
            client.timeout = Duration::from_secs(seconds);
        }
        Ok(client)
    }

    fn client_of_options(&self) -> Result<Client> {
        let written = [
            ("plain", "--send", &self.send),
            ("tls", "--tls", &self.tls),
            ("auth", "--auth", &self.auth),
            ("auth-tls", "--auth-tls", &self.auth_tls),
            ("lmtp", "--lmtp", &self.lmtp),
        ];
        let mut templates = BTreeMap::new();
        for (name, option, text) in written {
            if let Some(text) = text {
                templates.insert(name.to_owned(), Template::read(text).context(option)?);
            }
        }
        let first = templates.values().next().map(Template::program);
        let Some(program) = first else {
            bail!("no client is given: name a FILE, or give --send; the help shows both");
        };
        let mut client = Client::new(&program, templates);
        if let Some(map) = &self.exit {
            client.exits = Exits::read(map).context("--exit")?;
        }
        for pattern in &self.output {
            let (name, pattern) = pattern
                .split_once('=')
                .ok_or_else(|| anyhow!("--output: expected OUTCOME=REGEX, not {pattern:?}"))?;
            client.exits.add_pattern(exit::outcome(name)?, pattern).context("--output")?;
        }
        Ok(client)
    }
}

/// Prints a behaviour on one line.
fn print_line(behaviour: &Behaviour) {
    let slow = if behaviour.is_slow { " (slow)" } else { "" };
    say!("{:<12} {:<9} {:<32} {}{slow}", behaviour.group, behaviour.template, behaviour.id, behaviour.title);
}
