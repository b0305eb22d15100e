//! The guide shows lines of a program that is built and run, and no others.

use std::path::Path;

fn read(path: &str) -> String {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&place).unwrap_or_else(|error| panic!("{}: {error}", place.display()))
}

/// Lines without what indents them.
fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

#[test]
fn what_the_guide_shows_are_lines_of_the_example() {
    let (guide, example) = (read("../docs/guide.md"), read("examples/service.rs"));
    let program = lines(&example);
    let blocks: Vec<_> = guide.split("```rust,ignore\n").skip(1).collect();
    assert_eq!(blocks.len(), 3);
    for block in blocks {
        let block = block.split("```").next().expect("what a fence closes");
        // What is left out is said in a comment that begins with an ellipsis.
        for piece in lines(block).split(|line| line.starts_with("// …")).filter(|piece| !piece.is_empty()) {
            assert!(program.windows(piece.len()).any(|held| held == piece), "not in the example: {piece:#?}");
        }
    }
}
