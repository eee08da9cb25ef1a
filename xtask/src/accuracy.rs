//! `docs/accuracy.md`: how often the category of a recorded reply is right, by vendor.
//!
//! The vendors' entries are made from one half of the recorded replies, and measured on the other half, both ways. The
//! answers are those of the page's script, which a test holds against the library.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use askama::Template as _;
use serde::{Deserialize, Serialize};

use crate::category::{Category, ListAction, Matter};
use crate::model::Model;
use crate::render::{Kind, render};
use crate::vendor::Vendor;
use page::Page;
use peer::Labels;
use recorded::Recorded;

mod page;
pub mod peer;
pub mod recorded;

/// The page, relative to the project's root.
pub const PATH: &str = "docs/accuracy.md";

const SCRIPT: &str = include_str!("accuracy/ask.js");

/// What was measured.
pub struct Accuracy {
    /// By vendor, in the order of `registry/vendors.toml`, then what no vendor was recognized for.
    pub vendors: Vec<Measured>,
    /// How many entries and marks the vendors have.
    entries: usize,
    /// How many entries and marks each half of the replies supports.
    supported: [usize; 2],
    version: String,
}

/// What was measured for the replies of a vendor.
#[derive(Clone, Default)]
pub struct Measured {
    name: String,
    /// The number of replies.
    pub replies: usize,
    /// The answers of each way to answer, in the order of [`Way::ALL`].
    pub tallies: [Tally; Way::ALL.len()],
}

/// A way to answer a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// With the entries that the other half supports, and the host.
    OtherHalf,
    /// With the entries that the other half supports, without the host.
    OtherHalfWithoutHost,
    /// With all entries, and the host.
    All,
    /// With all entries, without the host.
    AllWithoutHost,
    /// Without entries of vendors.
    NoEntries,
    /// With the rules of KumoMTA.
    Peer,
}

impl Way {
    /// All ways.
    pub const ALL: [Way; 6] =
        [Way::OtherHalf, Way::OtherHalfWithoutHost, Way::All, Way::AllWithoutHost, Way::NoEntries, Way::Peer];
}

/// How many answers are right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The category is the one that the reply was judged to have.
    pub right: usize,
    /// The category is `unknown`, or another one as a guess.
    pub open: usize,
    /// The category is another one.
    pub wrong: usize,
    /// How many addresses would be taken off a list for a reply that was judged to be no reason for that.
    pub removed: usize,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        self.right += other.right;
        self.open += other.open;
        self.wrong += other.wrong;
        self.removed += other.removed;
    }
}

/// Measures how often the category of the recorded replies is right. Needs node. Fails if a reply about the sender's
/// authentication, content, rate or reputation would take an address off a list.
pub fn measure(root: &Path) -> Result<Accuracy> {
    let model = Model::load(root)?;
    let replies = recorded::read(root, &model.explanation.categories)?;
    let labels = Labels::read(root, &replies)?;
    let sample = Sample::new(&model, replies)?;
    let halves = [0, 1].map(|half| sample.supported_by(half, &model.explanation.vendors));
    let supported = [count(&halves[0]), count(&halves[1])];
    let by_half = [sample.answers(&with(&model, &halves[0]))?, sample.answers(&with(&model, &halves[1]))?];
    let without = sample.answers(&with(&model, &[]))?;
    let all = sample.answers(&model)?;
    let mut vendors: BTreeMap<usize, Measured> = BTreeMap::new();
    for (index, reply) in sample.replies.iter().enumerate() {
        let Some(category) = model.explanation.categories.iter().find(|known| known.id == reply.category)
        else {
            continue;
        };
        let other = &by_half[1 - sample.halves[index]];
        let answered = [
            other.with_host[index].tally(category),
            other.without_host[index].tally(category),
            all.with_host[index].tally(category),
            all.without_host[index].tally(category),
            without.with_host[index].tally(category),
            peer_tally(labels.get(index), reply, category, &model.explanation.categories),
        ];
        let removes = |way: &Way| *way != Way::Peer && answered[*way as usize].removed > 0;
        if is_about_sender(category)
            && let Some(way) = Way::ALL.iter().find(|way| removes(way))
        {
            bail!(
                "{way:?}: the address would be removed after {:?}, which is {}",
                reply.reply,
                reply.category
            );
        }
        let number = sample.vendors[index].unwrap_or(usize::MAX);
        let measured = vendors.entry(number).or_default();
        let vendor = model.explanation.vendors.get(number);
        vendor.map_or("(nobody known)", |vendor| &vendor.name).clone_into(&mut measured.name);
        measured.replies += 1;
        for (tally, answer) in measured.tallies.iter_mut().zip(answered) {
            *tally += answer;
        }
    }
    Ok(Accuracy {
        vendors: vendors.into_values().collect(),
        entries: count(&model.explanation.vendors),
        supported,
        version: labels.version,
    })
}

/// Measures, and renders the page.
pub fn render_page(root: &Path) -> Result<String> {
    let mut page =
        Page::new(&measure(root)?).render().with_context(|| format!("{PATH} cannot be rendered"))?;
    page.push('\n');
    Ok(page)
}

impl Accuracy {
    /// Returns the sums of all vendors.
    pub fn total(&self) -> Measured {
        let mut total = Measured { name: "All".to_owned(), ..Measured::default() };
        for vendor in &self.vendors {
            total.replies += vendor.replies;
            for (sum, tally) in total.tallies.iter_mut().zip(vendor.tallies) {
                *sum += tally;
            }
        }
        total
    }
}

/// The recorded replies, with what all entries say of them.
struct Sample {
    replies: Vec<Recorded>,
    /// What the vendor's entries and marks have to do with each reply, if the host is known.
    known: Vec<Answer>,
    /// The number of the vendor of each reply.
    vendors: Vec<Option<usize>>,
    /// The half that each reply is in. The replies of a vendor are in the two halves by turns.
    halves: Vec<usize>,
}

/// The answers to all replies.
struct Answers {
    with_host: Vec<Answer>,
    without_host: Vec<Answer>,
}

impl Sample {
    fn new(model: &Model, replies: Vec<Recorded>) -> Result<Sample> {
        let known = ask(model, &replies, true)?;
        let vendors: Vec<Option<usize>> = known.iter().map(|answer| answer.vendor).collect();
        let mut seen: BTreeMap<Option<usize>, usize> = BTreeMap::new();
        let mut halves = Vec::new();
        for vendor in &vendors {
            let number = seen.entry(*vendor).or_default();
            halves.push(*number % 2);
            *number += 1;
        }
        Ok(Sample { replies, known, vendors, halves })
    }

    fn answers(&self, model: &Model) -> Result<Answers> {
        Ok(Answers {
            with_host: ask(model, &self.replies, true)?,
            without_host: ask(model, &self.replies, false)?,
        })
    }

    /// Returns the vendors with only those entries and marks that occur in replies of theirs in a half. A vendor without
    /// such a reply is not known at all.
    fn supported_by(&self, half: usize, vendors: &[Vendor]) -> Vec<Vendor> {
        let mut supported = Vec::new();
        for (number, vendor) in vendors.iter().enumerate() {
            let replies = (0..self.replies.len())
                .filter(|index| self.halves[*index] == half && self.vendors[*index] == Some(number));
            let replies: Vec<&Answer> = replies.map(|index| &self.known[index]).collect();
            if replies.is_empty() {
                continue;
            }
            let entries: BTreeSet<usize> =
                replies.iter().flat_map(|answer| &answer.entries).copied().collect();
            let marks: BTreeSet<&str> =
                replies.iter().flat_map(|answer| &answer.marks).map(String::as_str).collect();
            let mut vendor = vendor.clone();
            vendor.marks.retain(|mark| marks.contains(mark.text.to_ascii_lowercase().as_str()));
            let mut position = 0..;
            vendor.replies.retain(|_| position.next().is_some_and(|position| entries.contains(&position)));
            supported.push(vendor);
        }
        supported
    }
}

fn count(vendors: &[Vendor]) -> usize {
    vendors.iter().map(|vendor| vendor.replies.len() + vendor.marks.len()).sum()
}

/// Returns a model with other vendors.
fn with(model: &Model, vendors: &[Vendor]) -> Model {
    let mut model = model.clone();
    model.explanation.vendors = vendors.to_vec();
    model
}

/// What the page's script says of a reply.
#[derive(Deserialize)]
struct Answer {
    category: String,
    certainty: String,
    list: String,
    /// The number of the vendor.
    vendor: Option<usize>,
    /// The positions of the vendor's entries that the reply has the codes and the text of.
    entries: Vec<usize>,
    /// The vendor's marks that the reply has, in lower case.
    marks: Vec<String>,
}

impl Answer {
    fn tally(&self, judged: &Category) -> Tally {
        let is_right = self.category == judged.id;
        let is_open = !is_right && (self.category == "unknown" || self.certainty == "guess");
        Tally {
            right: is_right.into(),
            open: is_open.into(),
            wrong: (!is_right && !is_open).into(),
            removed: (self.list == "remove" && !is_to_be_removed(judged)).into(),
        }
    }
}

fn peer_tally(label: Option<&str>, reply: &Recorded, judged: &Category, categories: &[Category]) -> Tally {
    let is_right = label.is_some_and(|label| peer::says_the_same(label, judged));
    let is_permanent = reply.reply.starts_with('5');
    let is_removed = is_permanent && label.is_some_and(|label| peer::removes(label, categories));
    Tally {
        right: is_right.into(),
        open: label.is_none().into(),
        wrong: (label.is_some() && !is_right).into(),
        removed: (is_removed && !is_to_be_removed(judged)).into(),
    }
}

/// Returns whether a reply is about the authentication, content, rate or reputation of the sender.
fn is_about_sender(category: &Category) -> bool {
    use Matter::{SenderAuthentication, SenderContent, SenderReputation};
    matches!(category.matter, SenderAuthentication | SenderContent | SenderReputation)
}

/// Returns whether a reply of this category may be a reason to take the address off a list.
fn is_to_be_removed(category: &Category) -> bool {
    category.permanent.is_some_and(|action| action.list == ListAction::Remove)
}

/// Asks the script of the page that is rendered from a model.
fn ask(model: &Model, replies: &[Recorded], with_host: bool) -> Result<Vec<Answer>> {
    #[derive(Serialize)]
    struct Question<'a> {
        reply: &'a str,
        host: Option<&'a str>,
    }
    let questions: Vec<Question<'_>> = replies
        .iter()
        .map(|recorded| Question {
            reply: &recorded.reply,
            host: recorded.host.as_deref().filter(|_| with_host),
        })
        .collect();
    let page = render(model, &[Kind::Site])?.pop().context("there is no page")?;
    let folder = tempfile::tempdir()?;
    let [script, html, json] = ["ask.js", "page.html", "replies.json"].map(|name| folder.path().join(name));
    std::fs::write(&script, SCRIPT)?;
    std::fs::write(&html, page.contents)?;
    std::fs::write(&json, serde_json::to_vec(&questions)?)?;
    let output = Command::new("node").args([&script, &html, &json]).output().context("cannot run node")?;
    ensure!(output.status.success(), "node failed: {}", String::from_utf8_lossy(&output.stderr));
    let answers: Vec<Answer> = serde_json::from_slice(&output.stdout)?;
    ensure!(
        answers.len() == replies.len(),
        "node gave {} answers to {} replies",
        answers.len(),
        replies.len()
    );
    Ok(answers)
}
