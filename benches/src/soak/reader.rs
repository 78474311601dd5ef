//! A reader of the soak: asks, keeps the time, and checks every answer.

use std::fmt;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::str::FromStr;
use std::thread;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use vecstore::{Filter, Query, Snapshot};

use super::world::{TAGS, World, tag};
use crate::Result;
use crate::measure::{now, thread_cpu_time, times_slept};

const K: usize = 10;

/// A reader rests this long after a round of questions, so that all readers together leave the
/// machine time to serve them at once: what is asked is how long a read takes, not how many there are.
const REST: Duration = Duration::from_millis(20);

/// What is asked: three kinds of searches, and the ten records that one found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Search,
    Tagged,
    Groups,
    Records,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Search, Self::Tagged, Self::Groups, Self::Records];
}

/// One read. Times are in nanoseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Read {
    pub(super) kind: Kind,
    /// On the clock that all processes share.
    pub(super) start: u64,
    pub(super) wall: u64,
    /// Without what the machine had something else to do.
    pub(super) own: u64,
}

/// What a reader did until its time was over.
#[derive(Debug, Default)]
pub(super) struct Reads {
    pub(super) reads: Vec<Read>,
    /// How many generations it came to see.
    pub(super) generations: u64,
}

/// Reads from one snapshot after another until `end`, on the clock that all processes share.
pub(super) fn read_until(
    end: u64,
    world: &World,
    seed: u64,
    mut snapshot: impl FnMut() -> Result<Snapshot>,
) -> Result<Reads> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut watch = Watch::new()?;
    let (mut last, mut generations) = (None, 0);
    while now() < end {
        let snapshot = snapshot()?;
        let generation = world.generation(&snapshot)?;
        if Some(generation) < last {
            return Err(format!("generation {generation} after {last:?}").into());
        }
        generations += u64::from(Some(generation) > last);
        last = Some(generation);

        let vector = world.query(&mut random);
        let tag_number = random.random_range(0..TAGS);
        let filter = Filter::tag(tag(tag_number));
        let query = Query::new(&vector, K);
        let nearest = watch.time(Kind::Search, || Ok(snapshot.search(&query)?))?;
        let tagged = watch.time(Kind::Tagged, || Ok(snapshot.search(&query.filter(&filter))?))?;
        let groups = watch.time(Kind::Groups, || Ok(snapshot.search(&query.distinct_groups())?))?;
        let records = watch.time(Kind::Records, || {
            let records = nearest.iter().map(|hit| Ok(snapshot.get(hit.id)?));
            records.collect::<Result<Vec<_>>>()
        })?;

        for hits in [&nearest, &tagged, &groups] {
            if hits.len() != K {
                return Err(format!("{} results instead of {K}", hits.len()).into());
            }
            world.check(generation, &vector, hits)?;
        }
        if tagged.iter().any(|hit| hit.id % TAGS != tag_number) {
            return Err(format!("a result has not the tag asked for: {tagged:?}").into());
        }
        let mut names: Vec<_> = groups.iter().map(|hit| &hit.group).collect();
        names.sort_unstable();
        names.dedup();
        if names.len() != K {
            return Err(format!("groups are not distinct: {groups:?}").into());
        }
        for (hit, record) in nearest.iter().zip(records) {
            world.check_record(generation, hit.id, &record.ok_or("a record is missing")?)?;
        }
        thread::sleep(REST);
    }
    Ok(Reads { reads: watch.reads, generations })
}

/// Times what its thread does.
struct Watch {
    /// Linux counts here how long this thread has waited for a CPU.
    schedule: File,
    reads: Vec<Read>,
}

impl Watch {
    fn new() -> Result<Self> {
        Ok(Self { schedule: File::open("/proc/thread-self/schedstat")?, reads: Vec::new() })
    }

    /// A read that did not sleep has used all of its own time; what else went by, other threads ran or, in
    /// a virtual machine, other machines. Of one that slept only what other threads ran is taken off.
    fn time<T>(&mut self, kind: Kind, read: impl FnOnce() -> Result<T>) -> Result<T> {
        let (slept, waited) = (times_slept()?, self.waited()?);
        let (cpu, start) = (thread_cpu_time(), now());
        let result = read()?;
        let (wall, cpu) = (now() - start, thread_cpu_time() - cpu);
        let (waited, slept) = (self.waited()? - waited, times_slept()? > slept);
        let own = if slept { wall.saturating_sub(waited) } else { cpu.min(wall) };
        self.reads.push(Read { kind, start, wall, own });
        Ok(result)
    }

    fn waited(&self) -> Result<u64> {
        let mut text = [0; 80];
        let len = self.schedule.read_at(&mut text, 0)?;
        let waited = std::str::from_utf8(&text[..len])?.split(' ').nth(1);
        Ok(waited.ok_or("schedstat has no second number")?.parse()?)
    }
}

/// As a process hands it to the one that started it.
impl fmt::Display for Reads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.generations)?;
        for Read { kind, start, wall, own } in &self.reads {
            writeln!(f, "{} {start} {wall} {own}", *kind as usize)?;
        }
        Ok(())
    }
}

impl FromStr for Reads {
    type Err = Box<dyn std::error::Error + Send + Sync>;

    fn from_str(text: &str) -> Result<Self> {
        let mut lines = text.lines();
        let generations = lines.next().ok_or("a reader wrote nothing")?.parse()?;
        let reads = lines.map(|line| {
            let numbers: Vec<u64> =
                line.split(' ').map(|word| Ok(word.parse()?)).collect::<Result<_>>()?;
            let &[kind, start, wall, own] = numbers.as_slice() else {
                return Err(format!("a reader wrote '{line}'").into());
            };
            let kind = *Kind::ALL.get(kind as usize).ok_or("a reader wrote an unknown kind")?;
            Ok(Read { kind, start, wall, own })
        });
        Ok(Self { reads: reads.collect::<Result<_>>()?, generations })
    }
}
