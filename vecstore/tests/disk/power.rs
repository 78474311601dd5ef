//! Power fails while a process writes; what it was told is durable must be there.
//!
//! `VECSTORE_POWER_LOSSES` sets how often (default 15), `VECSTORE_SEED` which ones.

use std::io::Write;
use std::time::Duration;
use std::{env, thread};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use vecstore::{Durability, Store};

use crate::fuse::{Change, Disk, Fault, Plan};
use crate::script::{self, LANES};
use crate::volatile::Losses;
use crate::{mount, process};

/// A store is used this often before another one is created.
const LOSSES_OF_A_STORE: u64 = 20;

/// What the process that writes is told.
struct Task {
    store: String,
    durability: Durability,
    acknowledged: [u64; LANES],
    checkpoints: bool,
    /// It only looks whether all is there.
    look: bool,
}

impl Task {
    fn new(disk: &Disk, store: u64, durability: Durability) -> Self {
        Self {
            store: disk.path().join(store.to_string()).to_str().unwrap().into(),
            durability,
            acknowledged: [0; LANES],
            checkpoints: true,
            look: false,
        }
    }

    fn encode(&self) -> String {
        let flush = self.durability == Durability::OnFlush;
        let [first, second] = self.acknowledged;
        format!("{flush} {first} {second} {} {} {}", self.checkpoints, self.look, self.store)
    }

    fn decode(text: &str) -> Self {
        let words: Vec<&str> = text.splitn(6, ' ').collect();
        Self {
            durability: match words[0] {
                "true" => Durability::OnFlush,
                _ => Durability::EachWrite,
            },
            acknowledged: [words[1].parse().unwrap(), words[2].parse().unwrap()],
            checkpoints: words[3] == "true",
            look: words[4] == "true",
            store: words[5].into(),
        }
    }
}

/// Not a test of its own: the process that writes. It prints what is durable.
#[test]
fn child() {
    let Some(task) = process::task() else { return };
    let task = Task::decode(&task);
    let store = Store::open_or_create(&task.store, script::config()).unwrap();
    let store = store.with_durability(task.durability);
    let reached = script::check(&store, task.acknowledged);
    if task.look {
        return;
    }
    thread::scope(|threads| {
        if task.checkpoints {
            threads.spawn(|| {
                let mut random = StdRng::seed_from_u64(reached[0]);
                loop {
                    thread::sleep(Duration::from_millis(random.random_range(0..20)));
                    store.checkpoint().unwrap();
                }
            });
        }
        for (lane, reached) in reached.into_iter().enumerate() {
            let (store, task) = (&store, &task);
            threads.spawn(move || {
                for number in reached + 1.. {
                    script::perform(store, lane, number).unwrap();
                    if task.durability == Durability::OnFlush {
                        if number % 61 != 0 {
                            continue;
                        }
                        store.flush().unwrap();
                    }
                    writeln!(std::io::stdout(), "durable {lane} {number}").unwrap();
                }
            });
        }
    });
}

/// Lets a process write until the fault, and takes down what it was told is durable.
fn write_until(disk: &Disk, task: &mut Task, fault: Fault, after: u64, at: Option<Change>) {
    let ended = process::run("power::child", &task.encode(), |child| {
        let hook = Box::new(move || child.lock().unwrap().kill().unwrap());
        disk.plan(Plan { after, at, fault, hook });
    });
    for line in ended.lines {
        let Some((_, durable)) = line.split_once("durable ") else { continue };
        // The last line may have been cut short.
        let Some((lane, number)) = durable.split_once(' ') else { continue };
        task.acknowledged[lane.parse::<usize>().unwrap()] = number.parse().unwrap();
    }
    assert!(disk.struck(), "{}: {}: {}", task.store, ended.status, ended.errors);
}

/// When a process meets its fault: while it opens the store, which takes some 100 changes, or at any
/// time later; where what is not synced is most, just before a sync, or anywhere.
fn moment(random: &mut StdRng) -> (u64, Option<Change>) {
    let after = match random.random() {
        true => random.random_range(0..150),
        false => 10f64.powf(random.random_range(1.0..3.5)) as u64,
    };
    let at = [None, Some(Change::SyncFile), Some(Change::SyncDirectory)];
    (after, at[random.random_range(0..at.len())])
}

/// Lets a process look whether all is there.
fn look(task: &mut Task) {
    task.look = true;
    let ended = process::run("power::child", &task.encode(), |_| ());
    assert!(ended.status.success(), "{}: {}: {}", task.store, ended.status, ended.errors);
}

fn campaign(durability: Durability) {
    let Some(mut disk) = mount::or_skip(Disk::new()) else { return };
    let power_losses = env::var("VECSTORE_POWER_LOSSES").map_or(15, |n| n.parse().unwrap());
    let seed = env::var("VECSTORE_SEED").map_or(1, |n| n.parse::<u64>().unwrap());
    let (mut lost, mut acknowledged, mut kills) = (Losses::default(), 0, 0);
    for store in 0..u64::div_ceil(power_losses, LOSSES_OF_A_STORE) {
        let mut task = Task::new(&disk, store, durability);
        let first = store * LOSSES_OF_A_STORE;
        for number in first..power_losses.min(first + LOSSES_OF_A_STORE) {
            println!("power loss {number} with seed {seed}: {:?} acknowledged", task.acknowledged);
            let random = &mut StdRng::seed_from_u64(seed << 32 | number);
            // What a killed process wrote is in the cache, and may still be lost later.
            while random.random_ratio(1, 3) {
                task.checkpoints = random.random_ratio(3, 4);
                let (after, at) = moment(random);
                write_until(&disk, &mut task, Fault::Kill, after, at);
                kills += 1;
            }
            task.checkpoints = random.random_ratio(3, 4);
            let (after, at) = moment(random);
            write_until(&disk, &mut task, Fault::PowerLoss, after, at);
            lost += disk.restart(random);
        }
        look(&mut task);
        acknowledged += task.acknowledged.iter().sum::<u64>();
    }
    println!(
        "{power_losses} power losses and {kills} kills, {acknowledged} writes acknowledged, none \
         lost, none half done; of what was not synced, {} sectors were lost and {} torn, \
         {} sizes, {} creations, {} renames and {} removals lost",
        lost.sectors, lost.torn, lost.sizes, lost.creations, lost.renames, lost.removals
    );
    assert!(acknowledged > 10 * power_losses, "only {acknowledged} writes in all");
}

#[test]
fn nothing_that_was_acknowledged_is_lost() {
    campaign(Durability::EachWrite);
}

#[test]
fn nothing_that_was_flushed_is_lost() {
    campaign(Durability::OnFlush);
}

/// A process that is killed as soon as it created the store's directory leaves that for the next one
/// to make durable.
#[test]
fn a_directory_whose_creation_was_cut_short() {
    let Some(mut disk) = mount::or_skip(Disk::new()) else { return };
    for store in 0..6 {
        let mut task = Task::new(&disk, store, Durability::EachWrite);
        write_until(&disk, &mut task, Fault::Kill, 0, Some(Change::SyncDirectory));
        write_until(&disk, &mut task, Fault::PowerLoss, 500, None);
        assert!(task.acknowledged[0] > 0);
        disk.restart(&mut StdRng::seed_from_u64(store));
        look(&mut task);
    }
}
