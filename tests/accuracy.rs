//! docs/accuracy.md, which says how often the category of a recorded reply is right.

use std::fs;

use xtask::accuracy::{PATH, render_page};

use crate::support;

#[test]
fn the_page_says_what_is_measured() {
    if !support::has(["node"]) {
        return;
    }
    let root = support::root();
    let measured = render_page(&root).unwrap();
    let page = fs::read_to_string(root.join(PATH)).unwrap();
    assert!(page == measured, "{PATH} is out of date: run `cargo xtask accuracy`, and read what changed");
}
