//! One worker per processor over a stream of items, results in the order they are ready.

use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};

/// Results of a worker that may wait to be collected: enough to work on while a batch of
/// them is brought to the disk.
const WAITING: usize = 16;

/// Gives each item to `work` on some thread and each result to `collect` on this one.
///
/// At most a few results per worker are held at once, whatever the number of items.
/// When `collect` fails, no further item is begun and its error is returned.
pub(crate) fn for_each<T, R, E>(
    items: impl Iterator<Item = T> + Send,
    work: impl Fn(T) -> R + Sync,
    mut collect: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E>
where
    T: Send,
    R: Send,
{
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let items = Mutex::new(items);
    let (results, ready) = sync_channel(WAITING * workers);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            let (items, work, results) = (&items, &work, results.clone());
            scope.spawn(move || {
                loop {
                    let item = items.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some(item) = item else { return };
                    if results.send(work(item)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(results);
        // Dropping `ready` on an error makes the workers' next `send` fail, which ends them.
        ready.into_iter().try_for_each(&mut collect)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn every_item_is_worked_on_once() {
        let mut squares = Vec::new();
        for_each(
            0..1000u64,
            |n| n * n,
            |square| -> Result<(), ()> {
                squares.push(square);
                Ok(())
            },
        )
        .unwrap();
        squares.sort_unstable();
        assert_eq!(squares, (0..1000).map(|n| n * n).collect::<Vec<_>>());
    }

    #[test]
    fn an_error_stops_the_stream() {
        let begun = AtomicUsize::new(0);
        let result = for_each(
            0..,
            |n: u64| {
                begun.fetch_add(1, Ordering::Relaxed);
                n
            },
            |n| if n < 10 { Ok(()) } else { Err("enough") },
        );
        assert_eq!(result, Err("enough"));
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        assert!(begun.into_inner() <= 12 + (WAITING + 2) * workers);
    }
}
