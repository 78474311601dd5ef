//! What a store holds at each moment of the soak, so that every answer can be checked.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use vecstore::{Config, Hit, Metric, Record, Snapshot, Store};

use crate::Result;

/// A store whose contents follow from one number, the generation, which is written with them.
///
/// Generation g replaces, in one batch: each record whose id is g modulo the period; the clock, whose
/// payload is g; and a guest, which is deleted before the next generation. The payload of each record
/// is the generation that wrote it, and its vector follows from that and its id.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct World {
    /// Records in the store
    #[arg(long, default_value_t = 20_000)]
    pub records: u64,
    /// Components of each vector
    #[arg(long, default_value_t = 64)]
    pub dimension: usize,
    /// After so many generations every record was replaced
    #[arg(long, default_value_t = 100)]
    pub period: u64,
}

pub(super) const TAGS: u64 = 4;
/// The centres of the vectors.
const CENTRES: u64 = 50;
/// A prime, so that every group has members around every centre: where a search for groups finds too
/// few it looks again farther out, and then two reads of a kind would not be the same work.
const GROUPS: u64 = 97;

impl World {
    pub(super) fn config(&self) -> Config {
        Config::new(self.dimension, Metric::SquaredEuclidean)
    }

    fn clock(&self) -> u64 {
        self.records
    }

    fn guest(&self, generation: u64) -> u64 {
        self.records + 1 + generation
    }

    /// The generation that wrote what a record is in `generation`.
    fn written(&self, id: u64, generation: u64) -> u64 {
        if id >= self.records {
            return generation;
        }
        let age = (generation + self.period - id % self.period) % self.period;
        generation.saturating_sub(age)
    }

    fn vector(&self, id: u64, written: u64) -> Vec<f32> {
        let mut random = StdRng::seed_from_u64(id << 32 | written);
        // Near those of the same remainder, as embeddings lie in clusters.
        let centre = (id % CENTRES) as usize % self.dimension;
        let mut vector: Vec<f32> =
            (0..self.dimension).map(|_| random.random_range(-1.0..1.0)).collect();
        vector[centre] += 3.0;
        vector
    }

    fn record(&self, id: u64, written: u64) -> Result<Record> {
        let record = Record::new(id, self.vector(id, written));
        let record = record.with_group(group(id)).with_tags([tag(id)]);
        Ok(record.with_payload(&written)?)
    }

    /// Writes generation 0, which holds every record.
    pub(super) fn begin(&self, store: &Store) -> Result<()> {
        let ids = (0..self.records).chain([self.clock(), self.guest(0)]);
        let records: Vec<_> = ids.map(|id| self.record(id, 0)).collect::<Result<_>>()?;
        store.insert_batch(&records)?;
        Ok(store.checkpoint()?)
    }

    /// Writes the generation after the one before.
    pub(super) fn write(&self, store: &Store, generation: u64) -> Result<()> {
        if !store.delete(self.guest(generation - 1))? {
            return Err(format!("the guest of generation {} was gone", generation - 1).into());
        }
        let ids = (generation % self.period..self.records).step_by(self.period as usize);
        let ids = ids.chain([self.clock(), self.guest(generation)]);
        let records: Vec<_> = ids.map(|id| self.record(id, generation)).collect::<Result<_>>()?;
        Ok(store.insert_batch(&records)?)
    }

    /// The generation that a snapshot is of, if what can be seen without a search fits it.
    pub(super) fn generation(&self, snapshot: &Snapshot) -> Result<u64> {
        let clock = snapshot.get(self.clock())?.ok_or("there is no clock")?;
        let generation = clock.payload()?.ok_or("the clock has no payload")?;
        let guest = snapshot.contains(self.guest(generation))?;
        let gone = generation == 0 || !snapshot.contains(self.guest(generation - 1))?;
        let len = self.records + 1 + u64::from(guest);
        if !gone || snapshot.len() as u64 != len {
            let len = snapshot.len();
            return Err(format!("generation {generation}: {len} records, gone: {gone}").into());
        }
        Ok(generation)
    }

    /// Checks that an answer is one of a generation: each record as it was then, each for itself a
    /// right answer, nearest first.
    pub(super) fn check(&self, generation: u64, query: &[f32], hits: &[Hit]) -> Result<()> {
        if !hits.is_sorted_by(|a, b| a.score <= b.score) {
            return Err("the hits are not in order".into());
        }
        for hit in hits {
            let written = self.written(hit.id, generation);
            let known = hit.id <= self.clock() || hit.id == self.guest(generation);
            let vector = self.vector(hit.id, written);
            let score: f32 = query.iter().zip(&vector).map(|(a, b)| (a - b).powi(2)).sum();
            let right = known
                && hit.payload()? == Some(written)
                && hit.group.as_deref() == Some(&group(hit.id))
                && (hit.score - score).abs() <= 1e-3 * score.max(1.0);
            if !right {
                return Err(format!("generation {generation}: {hit:?} is not of it").into());
            }
        }
        Ok(())
    }

    /// Checks that a record is the one of a generation.
    pub(super) fn check_record(&self, generation: u64, id: u64, got: &Record) -> Result<()> {
        let expected = self.record(id, self.written(id, generation))?;
        if *got != expected {
            return Err(format!("generation {generation}: {got:?} is not of it").into());
        }
        Ok(())
    }

    /// A vector near records that are there in some generation.
    pub(super) fn query(&self, random: &mut StdRng) -> Vec<f32> {
        self.vector(random.random_range(0..self.records), random.random())
    }
}

pub(super) fn tag(id: u64) -> String {
    format!("tag {}", id % TAGS)
}

fn group(id: u64) -> String {
    format!("group {}", id % GROUPS)
}
