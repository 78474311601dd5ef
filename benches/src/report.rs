//! Figures, and which of them missed what was asked.

use std::fmt::Display;
use std::process::ExitCode;

/// Prints figures as they come, and remembers which of them missed what was asked.
#[derive(Debug, Default)]
pub struct Report {
    missed: Vec<String>,
}

impl Report {
    /// A figure of which nothing is asked.
    pub fn figure(&mut self, name: &str, value: impl Display) {
        println!("{name:<60} {value}");
    }

    /// A figure that is asked to be at least `bar`; one that is no number is missed too.
    pub fn at_least(&mut self, name: &str, value: f64, bar: f64) {
        self.judge(name, value, value >= bar, format!("at least {bar}"));
    }

    /// A figure that is asked to be at most `bar`; one that is no number is missed too.
    pub fn at_most(&mut self, name: &str, value: f64, bar: f64) {
        self.judge(name, value, value <= bar, format!("at most {bar}"));
    }

    fn judge(&mut self, name: &str, value: f64, met: bool, asked: String) {
        self.figure(name, format!("{value:.4} ({asked})"));
        if !met {
            self.missed.push(format!("{name} is {value:.4}, asked was {asked}"));
        }
    }

    /// Prints the last line: `ok`, or all that was missed.
    #[must_use]
    pub fn finish(self) -> ExitCode {
        if self.missed.is_empty() {
            println!("ok");
            return ExitCode::SUCCESS;
        }
        println!("missed: {}", self.missed.join("; "));
        ExitCode::FAILURE
    }
}
