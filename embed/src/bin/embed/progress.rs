//! A bar on a terminal, a line now and then elsewhere; both on standard error.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

pub(crate) struct Progress {
    unit: &'static str,
    bar: Option<ProgressBar>,
    tenths_told: usize,
}

impl Progress {
    pub(crate) fn new(unit: &'static str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::no_length();
            if let Ok(style) =
                ProgressStyle::with_template("{wide_bar} {pos}/{len} {msg}, {eta} left")
            {
                bar.set_style(style);
            }
            bar.with_message(unit)
        });
        Self { unit, bar, tenths_told: 0 }
    }

    pub(crate) fn show(&mut self, done: usize, all: usize) {
        if let Some(bar) = &self.bar {
            bar.set_length(all as u64);
            bar.set_position(done as u64);
            return;
        }
        let tenths = 10 * done / all.max(1);
        if tenths > self.tenths_told {
            self.tenths_told = tenths;
            eprintln!("{done} of {all} {}", self.unit);
        }
    }

    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
