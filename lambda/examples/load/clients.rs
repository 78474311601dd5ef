//! Clients that send as soon as they can, or at a rate.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Barrier, Mutex, mpsc};
use tokio::task::yield_now;

use super::Failure;
use super::connection::Connection;
use super::faces::QUERIES;

/// How many connections requests at a rate go over.
const CONNECTIONS: usize = 64;

/// How long a refused client waits; the service asks for two seconds.
const REFUSED: Duration = Duration::from_millis(100);

/// An answer that takes longer counts as hanging.
pub(super) const HANGS: Duration = Duration::from_secs(10);

/// What became of the requests.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) answered: u64,
    pub(super) refused: u64,
    pub(super) closed: u64,
    pub(super) hanging: u64,
    pub(super) slowest: Duration,
}

/// Clients that send the next request as soon as the last one is answered.
pub(super) async fn closed(
    port: u16,
    requests: &Arc<Vec<Vec<u8>>>,
    clients: usize,
    duration: Duration,
) -> Result<Outcome, Failure> {
    let end = Instant::now() + duration;
    let clients: Vec<_> = (0..clients)
        .map(|client| {
            let requests = Arc::clone(requests);
            tokio::spawn(async move {
                let (mut outcome, mut connection) = (Outcome::default(), Connection::to(port));
                for number in (client * 37..).take_while(|_| Instant::now() < end) {
                    let sent = Instant::now();
                    let call = connection.call(&requests[number % QUERIES]);
                    match tokio::time::timeout(HANGS, call).await {
                        Ok(Ok(200)) if Instant::now() < end => outcome.answered += 1,
                        Ok(Ok(200)) => {}
                        Ok(Ok(_)) => {
                            outcome.refused += 1;
                            tokio::time::sleep(REFUSED).await;
                        }
                        Ok(Err(_)) => {
                            outcome.closed += 1;
                            tokio::time::sleep(REFUSED).await;
                        }
                        Err(_) => outcome.hanging += 1,
                    }
                    outcome.slowest = outcome.slowest.max(sent.elapsed());
                }
                outcome
            })
        })
        .collect();
    let mut all = Outcome::default();
    for client in clients {
        let one = client.await?;
        all.answered += one.answered;
        all.refused += one.refused;
        all.closed += one.closed;
        all.hanging += one.hanging;
        all.slowest = all.slowest.max(one.slowest);
    }
    Ok(all)
}

/// How long answers took.
pub(super) struct Times {
    pub(super) p50: Duration,
    pub(super) p99: Duration,
    pub(super) refused: usize,
}

impl Times {
    pub(super) fn ratio(&self) -> f64 {
        self.p99.div_duration_f64(self.p50)
    }
}

/// Requests at a rate, whether others are answered or not; a time begins when the request was due.
pub(super) async fn open(
    port: u16,
    requests: &Arc<Vec<Vec<u8>>>,
    rate: f64,
    duration: Duration,
) -> Result<Times, Failure> {
    let count = (rate * duration.as_secs_f64()) as u32;
    let (send, due) = mpsc::unbounded_channel::<(u32, Instant)>();
    let due = Arc::new(Mutex::new(due));
    let ready = Arc::new(Barrier::new(CONNECTIONS + 1));
    let connections: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (requests, next) = (Arc::clone(requests), Arc::clone(&due));
            let ready = Arc::clone(&ready);
            tokio::spawn(async move {
                let (mut times, mut connection) = (Vec::new(), Connection::to(port));
                // What fails here fails again.
                let _ = connection.call(&requests[0]).await;
                ready.wait().await;
                loop {
                    let Some((number, due)) = next.lock().await.recv().await else { return times };
                    let request = &requests[number as usize % QUERIES];
                    if connection.call(request).await.is_ok_and(|status| status == 200) {
                        times.push(due.elapsed());
                    }
                }
            })
        })
        .collect();
    ready.wait().await;
    // The runtime's timer is not finer than a millisecond, and a thread of its own would now and then wait
    // for this one: so this one never sleeps.
    let begin = Instant::now();
    for number in 0..count {
        let due = begin + Duration::from_secs_f64(f64::from(number) / rate);
        while Instant::now() < due {
            yield_now().await;
        }
        send.send((number, due))?;
    }
    drop(send);
    let mut times = Vec::new();
    for connection in connections {
        times.extend(connection.await?);
    }
    if times.is_empty() {
        return Err("every request was refused".into());
    }
    times.sort_unstable();
    Ok(Times {
        p50: times[times.len() / 2],
        p99: times[times.len() * 99 / 100],
        refused: count as usize - times.len(),
    })
}
