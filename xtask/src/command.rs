//! The command line of `cargo xtask`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};
use similar::TextDiff;

use crate::model::Model;
use crate::render::{self, Kind, Product};

/// Keeps registry/ and generated/ of smtp-enhanced-status.
///
/// Exit status: 0 done, 1 refused or failed, 2 usage.
#[derive(Parser)]
#[command(name = "cargo xtask", version)]
struct Arguments {
    /// The project's root.
    #[arg(long, global = true, value_name = "DIR", default_value_os_t = default_root())]
    root: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Checks everything and says where the products lie.
    All,
    /// Renders generated/ from registry/.
    Render {
        /// Writes nothing; fails if a file would change.
        #[arg(long)]
        check: bool,
        /// Renders one kind of product alone.
        #[arg(long, value_enum)]
        only: Option<Kind>,
    },
}

/// Runs the command line and reports its error.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.command {
        Command::All => all(&arguments.root),
        Command::Render { check, only } => {
            let kinds = only.map_or_else(|| Kind::value_variants().to_vec(), |kind| vec![kind]);
            if check { check_render(&arguments.root, &kinds) } else { render(&arguments.root, &kinds) }
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn render(root: &Path, kinds: &[Kind]) -> Result<()> {
    let model = Model::load(root)?;
    let products = render::render(&model, kinds)?;
    let mut written = 0;
    for product in &products {
        if product.write(root)? {
            println!("wrote {}", product.path.display());
            written += 1;
        }
    }
    println!("{written} of {} products changed", products.len());
    Ok(())
}

fn check_render(root: &Path, kinds: &[Kind]) -> Result<()> {
    let model = Model::load(root)?;
    model.check_quirks(root)?;
    let products = render::render(&model, kinds)?;
    let stale = products.iter().map(|product| difference(root, product)).collect::<Result<Vec<_>>>()?;
    let stale: Vec<String> = stale.into_iter().flatten().collect();
    if stale.is_empty() {
        println!("{} products are as registry/ makes them", products.len());
        return Ok(());
    }
    for difference in &stale {
        print!("{difference}");
    }
    anyhow::bail!(
        "{} of {} products are stale; run `cargo xtask render` and commit the result",
        stale.len(),
        products.len()
    )
}

/// The unified diff from the file to the product, if they differ.
fn difference(root: &Path, product: &Product) -> Result<Option<String>> {
    let current = product.current(root)?;
    if current == product.contents {
        return Ok(None);
    }
    let path = product.path.display();
    let diff = TextDiff::from_lines(&current, &product.contents);
    let diff =
        diff.unified_diff().header(&format!("{path} (now)"), &format!("{path} (rendered)")).to_string();
    Ok(Some(diff))
}

fn all(root: &Path) -> Result<()> {
    let model = Model::load(root)?;
    let registry = &model.registry;
    println!(
        "registry/   {}: {} classes, {} subjects, {} statuses; {} reply codes",
        model.snapshot.provenance(),
        registry.classes.rows.len(),
        registry.subjects.rows.len(),
        model.entries.len(),
        model.reply_codes.len()
    );
    print!("generated/  ");
    check_render(root, Kind::value_variants())?;
    println!();
    for (path, what) in PRODUCTS {
        println!("  {path:<41} {what}");
    }
    Ok(())
}

/// What a user looks for first.
const PRODUCTS: [(&str, &str); 5] = [
    ("src/, generated/rust/", "the Rust library smtp-enhanced-status"),
    ("generated/c/smtp_enhanced_status.h", "the C header, with Makefile, pkg-config and CMake files"),
    ("generated/tables/registry.md", "tables to read"),
    ("generated/tables/smtp-enhanced-status.json", "the same for every other language, with its schema"),
    ("generated/tables/*.csv", "the same for spreadsheets and databases"),
];

/// The folder above xtask's own, where cargo ran it.
fn default_root() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let manifest = manifest.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    manifest.parent().map_or_else(|| PathBuf::from("."), Path::to_owned)
}
