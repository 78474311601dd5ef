//! A list that grows without moving, so that it is read while it grows.

use std::sync::OnceLock;

/// The first chunk holds this many items (a power of two), each further one twice as many.
const FIRST: usize = 64;
const CHUNKS: usize = usize::BITS as usize - FIRST.trailing_zeros() as usize;

/// Items of `width` elements each. Reading never waits for growing.
pub(crate) struct Chunked<T> {
    width: usize,
    initial: fn() -> T,
    chunks: [OnceLock<Box<[T]>>; CHUNKS],
}

impl<T> Chunked<T> {
    pub(crate) fn new(width: usize, initial: fn() -> T) -> Self {
        Self { width, initial, chunks: [const { OnceLock::new() }; CHUNKS] }
    }

    /// The elements of an item, if it was ever [`ensure`](Self::ensure)d (or a near one was).
    #[inline]
    pub(crate) fn get(&self, item: usize) -> Option<&[T]> {
        let (chunk, offset) = locate(item);
        let start = offset * self.width;
        self.chunks[chunk].get()?.get(start..start + self.width)
    }

    /// The elements of an item, created with the initial value where they are missing.
    pub(crate) fn ensure(&self, item: usize) -> &[T] {
        let (chunk, offset) = locate(item);
        let elements = self.chunks[chunk]
            .get_or_init(|| (0..(FIRST << chunk) * self.width).map(|_| (self.initial)()).collect());
        &elements[offset * self.width..(offset + 1) * self.width]
    }
}

/// The chunk that holds an item, and the item's place in it.
#[inline]
fn locate(item: usize) -> (usize, usize) {
    let chunk = (item / FIRST + 1).ilog2() as usize;
    (chunk, item - ((FIRST << chunk) - FIRST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_lie_one_after_another() {
        let mut expected = (0, 0);
        for item in 0..100_000 {
            assert_eq!(locate(item), expected);
            expected.1 += 1;
            if expected.1 == FIRST << expected.0 {
                expected = (expected.0 + 1, 0);
            }
        }
    }

    #[test]
    fn only_ensured_chunks_exist() {
        let list = Chunked::<u8>::new(3, || 7);
        assert!(list.get(0).is_none());
        assert_eq!(list.ensure(1000), [7, 7, 7]);
        assert_eq!(list.get(1000), Some([7, 7, 7].as_slice()));
        assert!(list.get(0).is_none() && list.get(100_000).is_none());
    }
}
