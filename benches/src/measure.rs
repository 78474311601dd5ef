//! What a process has used so far (as Linux tells it), and what a list of figures comes to.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::Result;

/// The CPU time of all threads of this process. It does not count what else the machine does.
pub(crate) fn cpu_time() -> Duration {
    time_of(ClockId::ProcessCPUTime)
}

/// The CPU time of this thread, in nanoseconds. Where Linux runs in a virtual machine and is told what others
/// take (`CONFIG_PARAVIRT_TIME_ACCOUNTING`), that is not in it.
pub(crate) fn thread_cpu_time() -> u64 {
    time_of(ClockId::ThreadCPUTime).as_nanos() as u64
}

/// Nanoseconds on a clock that all processes share.
pub(crate) fn now() -> u64 {
    time_of(ClockId::Monotonic).as_nanos() as u64
}

fn time_of(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// What all CPUs of this machine did since it started, in ticks of the system's clock.
pub(crate) struct MachineTime {
    pub(crate) total: u64,
    /// What other virtual machines took.
    pub(crate) stolen: u64,
}

pub(crate) fn machine_time() -> Result<MachineTime> {
    let text = fs::read_to_string("/proc/stat")?;
    let fields = text.lines().next().unwrap_or_default().split_whitespace().skip(1);
    // User, nice, system, idle, iowait, irq, softirq, steal; what guests took is in the first two.
    let times: Vec<u64> = fields.take(8).map(str::parse).collect::<std::result::Result<_, _>>()?;
    let stolen = *times.get(7).ok_or("/proc/stat does not say what was stolen")?;
    Ok(MachineTime { total: times.iter().sum(), stolen })
}

/// Bytes that this process wrote to files.
pub(crate) fn bytes_written() -> Result<u64> {
    entry_of("/proc/self/io", "wchar:")
}

/// Bytes of memory of this process that no file is behind.
pub(crate) fn anonymous_memory() -> Result<u64> {
    Ok(1024 * entry_of("/proc/self/smaps_rollup", "Anonymous:")?)
}

/// How often this thread has slept: for a lock, for the disk.
pub(crate) fn times_slept() -> Result<u64> {
    entry_of("/proc/thread-self/status", "voluntary_ctxt_switches:")
}

fn entry_of(file: &str, name: &str) -> Result<u64> {
    let text = fs::read_to_string(file)?;
    let mut words = text.split_whitespace().skip_while(|&word| word != name);
    let number = words.nth(1).ok_or_else(|| format!("{file} has no entry {name}"))?;
    Ok(number.parse()?)
}

/// Bytes of the disk that a file or a directory with all that is in it takes.
pub(crate) fn disk_usage(path: &Path) -> Result<u64> {
    let metadata = fs::symlink_metadata(path)?;
    let mut total = metadata.blocks() * 512;
    if metadata.is_dir() {
        for entry in fs::read_dir(path)? {
            total += disk_usage(&entry?.path())?;
        }
    }
    Ok(total)
}

/// The figure that half of all are below.
pub(crate) fn median(figures: &[f64]) -> f64 {
    quantile(figures, 0.5)
}

/// The figure that a share of all, 0 to 1, are below, between two of them where it falls there; NaN if
/// there is none.
pub(crate) fn quantile(figures: &[f64], share: f64) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let place = share * sorted.len().saturating_sub(1) as f64;
    let at = |place: f64| sorted.get(place as usize).copied().unwrap_or(f64::NAN);
    at(place.floor()) + place.fract() * (at(place.ceil()) - at(place.floor()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_figures() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(quantile(&[1.0, 2.0], 0.99), 1.99);
        assert_eq!(quantile(&[1.0, 2.0], 1.0), 2.0);
        assert!(median(&[]).is_nan());
    }
}
