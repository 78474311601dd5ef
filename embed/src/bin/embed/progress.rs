//! A bar on a terminal, a line now and then elsewhere; both on standard error.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

/// Between two lines.
const PAUSE: Duration = Duration::from_secs(10);

pub(crate) struct Progress {
    unit: &'static str,
    bar: Option<ProgressBar>,
    told: (u64, Instant),
}

impl Progress {
    pub(crate) fn new(unit: &'static str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::no_length();
            let template = "{wide_bar} {pos} of {len} {msg}, {per_sec}, {eta} left";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.with_message(unit)
        });
        Self { unit, bar, told: (0, Instant::now()) }
    }

    /// `share` is how much of all has been done, 0 to 1, where that is known.
    pub(crate) fn show(&mut self, done: u64, share: Option<f64>) {
        let all = share.filter(|&share| share > 0.0).map(|share| (done as f64 / share) as u64);
        if let Some(bar) = &self.bar {
            if let Some(all) = all {
                bar.set_length(all);
            }
            bar.set_position(done);
        } else if self.told.1.elapsed() >= PAUSE {
            self.tell(done, all);
        }
    }

    /// Where it is known how many there are.
    pub(crate) fn show_of(&mut self, done: usize, all: usize) {
        self.show(done as u64, Some(done as f64 / all as f64));
    }

    /// One line: how many of how many, the rate since the last line, and the time left at it.
    fn tell(&mut self, done: u64, all: Option<u64>) {
        let (before, then) = self.told;
        let rate = (done - before) as f64 / then.elapsed().as_secs_f64();
        let of_all = all.map_or_else(String::new, |all| format!(" of about {all}"));
        let left = all.filter(|_| rate > 0.0).map_or_else(String::new, |all| {
            let seconds = all.saturating_sub(done) as f64 / rate;
            format!(", {} left", HumanDuration(Duration::from_secs_f64(seconds)))
        });
        eprintln!("{done}{of_all} {}, {rate:.1}/s{left}", self.unit);
        self.told = (done, Instant::now());
    }

    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
