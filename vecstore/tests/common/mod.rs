//! Running the built examples as the processes that they are.
#![allow(clippy::unwrap_used)]

use std::env;
use std::process::Command;

/// An example of this crate. `cargo test` builds them beside the tests, but not when it is told to
/// run one test file alone: `cargo build --examples` comes first then.
pub(crate) fn example(name: &str) -> Command {
    // target/<profile>/deps/<test>-<hash>
    let test = env::current_exe().unwrap();
    let profile = test.parent().and_then(|deps| deps.parent()).unwrap();
    let example = profile.join("examples").join(name).with_extension(env::consts::EXE_EXTENSION);
    assert!(
        example.is_file(),
        "{} is missing; `cargo build -p vecstore --examples` builds it",
        example.display()
    );
    Command::new(example)
}
