//! A bounded set of blocking workers, so that neural networks never run on the async threads.

use std::num::NonZeroUsize;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::{Kind, Problem};

/// How many jobs may wait for each worker. At a fraction of a second per job, the last one in
/// the queue is still answered before a person gives up.
const WAITING_PER_WORKER: usize = 4;

/// Runs jobs on at most `count` threads and lets a bounded number of others wait.
#[derive(Clone)]
pub(crate) struct Workers {
    /// One permit per job that runs or waits.
    places: Arc<Semaphore>,
    /// One permit per job that runs.
    running: Arc<Semaphore>,
}

/// The right of one request to be worked on; given back when it is dropped.
pub(crate) struct Place {
    held: Arc<OwnedSemaphorePermit>,
    running: Arc<Semaphore>,
}

impl Workers {
    pub(crate) fn new(count: NonZeroUsize) -> Self {
        let count = count.get().min(Semaphore::MAX_PERMITS / (1 + WAITING_PER_WORKER));
        Self {
            places: Arc::new(Semaphore::new(count * (1 + WAITING_PER_WORKER))),
            running: Arc::new(Semaphore::new(count)),
        }
    }

    /// A place among those that are worked on or wait.
    ///
    /// # Errors
    ///
    /// [`Kind::TooBusy`] when all workers are busy and the queue is full.
    pub(crate) fn place(&self) -> Result<Place, Problem> {
        let held = Arc::clone(&self.places).try_acquire_owned().map_err(|_| {
            Problem::new(Kind::TooBusy, "All workers are busy; try again in a moment.")
        })?;
        Ok(Place { held: Arc::new(held), running: Arc::clone(&self.running) })
    }
}

impl Place {
    /// Runs `job` when a worker is free.
    ///
    /// A caller that goes away while it waits gives its place back at once; a job that already
    /// runs ends first, and only then frees its worker and its place.
    ///
    /// # Errors
    ///
    /// [`Kind::Internal`] when the job panics.
    pub(crate) async fn run<T, J>(&self, job: J) -> Result<T, Problem>
    where
        T: Send + 'static,
        J: FnOnce() -> T + Send + 'static,
    {
        let worker = Arc::clone(&self.running).acquire_owned().await.map_err(Problem::internal)?;
        let held = (Arc::clone(&self.held), worker);
        tokio::task::spawn_blocking(move || {
            let answer = job();
            drop(held);
            answer
        })
        .await
        .map_err(Problem::internal)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn one() -> Workers {
        Workers::new(NonZeroUsize::MIN)
    }

    async fn run<T: Send + 'static>(
        workers: &Workers,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        workers.place()?.run(job).await
    }

    /// Starts a job that runs until the returned sender is dropped.
    fn occupy(
        workers: &Workers,
    ) -> (mpsc::Sender<()>, tokio::task::JoinHandle<Result<(), Problem>>) {
        let (release, released) = mpsc::channel::<()>();
        let workers = workers.clone();
        let job = tokio::spawn(async move {
            run(&workers, move || {
                let _ = released.recv();
            })
            .await
        });
        (release, job)
    }

    async fn until_no_place_is_free(workers: &Workers) {
        while workers.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn refuses_beyond_the_queue_and_recovers() {
        let workers = one();
        let jobs: Vec<_> = (0..=WAITING_PER_WORKER).map(|_| occupy(&workers)).collect();
        until_no_place_is_free(&workers).await;

        assert_eq!(run(&workers, || ()).await.unwrap_err().kind, Kind::TooBusy);

        for (release, job) in jobs {
            drop(release);
            job.await.unwrap().unwrap();
        }
        assert_eq!(run(&workers, || 7).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn a_caller_that_leaves_the_queue_frees_its_place() {
        let workers = one();
        let jobs: Vec<_> = (0..=WAITING_PER_WORKER).map(|_| occupy(&workers)).collect();
        until_no_place_is_free(&workers).await;

        for (_, waiting) in &jobs[1..] {
            waiting.abort();
        }
        while workers.places.available_permits() < WAITING_PER_WORKER {
            tokio::task::yield_now().await;
        }
        drop(jobs);
        assert_eq!(run(&workers, || 7).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn a_panic_costs_no_worker() {
        let workers = one();
        for _ in 0..3 {
            let failed = run::<()>(&workers, || panic!("a job fails")).await;
            assert_eq!(failed.unwrap_err().kind, Kind::Internal);
        }
        assert_eq!(run(&workers, || 7).await.unwrap(), 7);
    }
}
