//! What a reply means to whoever gets it: categories, advice, vendors and phrases.

use anyhow::Result;

use crate::advice::{self, Advice};
use crate::category::{self, Category};
use crate::phrase::{self, Phrases};
use crate::tree::{ADVICE, CATEGORIES, PHRASES, Tree, VENDORS};
use crate::vendor::{self, Vendor};

/// The contents of the four files.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// What a refusal can be about.
    pub categories: Vec<Category>,
    /// What happened and what to do, for rows, pairs and reply codes.
    pub advice: Vec<Advice>,
    /// Who uses codes otherwise.
    pub vendors: Vec<Vendor>,
    /// Words that tell what a reply means, whoever sends it.
    pub phrases: Phrases,
}

impl Explanation {
    /// Reads the files in `registry/`.
    pub fn read(tree: &Tree) -> Result<Explanation> {
        let categories = category::read(&tree.data_file(CATEGORIES)?)?;
        Ok(Explanation {
            advice: advice::read(&tree.data_file(ADVICE)?, &categories)?,
            vendors: vendor::read(&tree.data_file(VENDORS)?, &categories)?,
            phrases: phrase::read(&tree.data_file(PHRASES)?, &categories)?,
            categories,
        })
    }
}
