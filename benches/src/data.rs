//! Seeded artificial data.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Vectors of one dimension, one after another.
#[derive(Debug, Clone)]
pub struct Vectors {
    /// The number of components of each vector.
    pub dimension: usize,
    components: Vec<f32>,
}

impl Vectors {
    /// Vectors of `dimension` components from all their components in a row.
    pub fn new(dimension: usize, components: Vec<f32>) -> Self {
        Self { dimension, components }
    }

    /// The vectors.
    pub fn iter(&self) -> std::slice::ChunksExact<'_, f32> {
        self.components.chunks_exact(self.dimension)
    }

    /// The number of vectors.
    pub fn len(&self) -> usize {
        self.components.len() / self.dimension
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.components.is_empty()
    }

    /// Takes the vectors from `at` on out of this list.
    #[must_use]
    pub fn split_off(&mut self, at: usize) -> Self {
        Self::new(self.dimension, self.components.split_off(at * self.dimension))
    }
}

/// `count` vectors around `clusters` random centres: as embeddings are, in groups, and not filling
/// their space. The same seed gives the same vectors.
pub fn clustered(count: usize, dimension: usize, clusters: usize, seed: u64) -> Vectors {
    let mut random = StdRng::seed_from_u64(seed);
    let centres: Vec<f32> = (0..clusters * dimension).map(|_| normal(&mut random)).collect();
    let mut components = Vec::with_capacity(count * dimension);
    for _ in 0..count {
        let cluster = random.random_range(0..clusters);
        let centre = &centres[cluster * dimension..(cluster + 1) * dimension];
        components.extend(centre.iter().map(|x| x + 0.7 * normal(&mut random)));
    }
    Vectors::new(dimension, components)
}

/// A normally distributed number (Box and Muller 1958).
fn normal(random: &mut StdRng) -> f32 {
    let (u, v): (f32, f32) = (1.0 - random.random::<f32>(), random.random());
    (-2.0 * u.ln()).sqrt() * (std::f32::consts::TAU * v).cos()
}
