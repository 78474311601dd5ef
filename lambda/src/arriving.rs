//! Bodies on their way: bounded in number, in size, and in how slowly they may come.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

/// How many bodies may be on their way at once: with the largest size of one it bounds the memory
/// that slow clients can hold.
const MAX_AT_ONCE: usize = 32;

/// How long a body may pause, and how long it may take if little comes of it: one who sends a byte now
/// and then takes a place for no longer than that.
const PATIENCE: Duration = Duration::from_secs(10);

/// The more comes, the longer it may take, at the rate of a bad mobile line.
const BYTES_PER_SECOND: u64 = 64 << 10;

/// No body may take longer.
const LONGEST: Duration = Duration::from_secs(60);

/// For so much of a body room is made before it is there.
const MOST_EXPECTED: u64 = 64 << 10;

/// How much of a refused body is read and thrown away, and for how long, so that a client which
/// is still sending gets the answer instead of a broken connection.
const MAX_DISCARDED: usize = 40_000_000;

/// Receives bodies.
#[derive(Clone)]
pub(crate) struct Arriving {
    max_bytes: u64,
    places: Arc<Semaphore>,
}

/// Why a body was not received.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotReceived {
    /// As many as may are on their way.
    TooMany,
    /// It has more bytes than it may have.
    TooLarge,
    /// It came too slowly.
    TooSlow,
    /// The connection broke off, or what came is not HTTP.
    Broken,
}

impl Arriving {
    /// Accepts bodies of at most `max_bytes`.
    pub(crate) fn new(max_bytes: u64) -> Self {
        Self { max_bytes, places: Arc::new(Semaphore::new(MAX_AT_ONCE)) }
    }

    /// The whole of a body.
    pub(crate) async fn receive(
        &self,
        headers: &HeaderMap,
        body: &mut Body,
    ) -> Result<Vec<u8>, NotReceived> {
        let _place = self.places.try_acquire().map_err(|_| NotReceived::TooMany)?;
        let declared = headers
            .get(header::CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if declared.is_some_and(|length| length > self.max_bytes) {
            return Err(NotReceived::TooLarge);
        }
        let begin = Instant::now();
        let expected = declared.unwrap_or_default().min(MOST_EXPECTED);
        let mut bytes = Vec::with_capacity(expected as usize);
        while let Some(frame) = timeout_at(due(begin, bytes.len() as u64), body.frame())
            .await
            .map_err(|_| NotReceived::TooSlow)?
        {
            let frame = frame.map_err(|_| NotReceived::Broken)?;
            let Some(data) = frame.data_ref() else {
                continue;
            };
            if (bytes.len() + data.len()) as u64 > self.max_bytes {
                return Err(NotReceived::TooLarge);
            }
            bytes.extend_from_slice(data);
        }
        Ok(bytes)
    }

    #[cfg(test)]
    pub(crate) fn free_places(&self) -> usize {
        self.places.available_permits()
    }
}

/// When more must have come of a body that began at `begin` and of which so much has come by now.
fn due(begin: Instant, bytes: u64) -> Instant {
    let pace = PATIENCE + Duration::from_millis(1000 * bytes / BYTES_PER_SECOND);
    (begin + pace.min(LONGEST)).min(Instant::now() + PATIENCE)
}

/// Throws away what a refused request still sends, within bounds.
///
/// A client that asked for leave to send (`Expect: 100-continue`) has not sent anything.
pub(crate) async fn discard(headers: &HeaderMap, body: &mut Body) {
    if headers.contains_key(header::EXPECT) {
        return;
    }
    let rest = async {
        let mut discarded = 0;
        while let Some(Ok(frame)) = body.frame().await {
            discarded += frame.data_ref().map_or(0, |data| data.len());
            if discarded > MAX_DISCARDED {
                return;
            }
        }
    };
    // When the time is over the connection is closed, which is all that is left to do.
    let _ = tokio::time::timeout(PATIENCE, rest).await;
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use http_body_util::channel::{Channel, Sender};

    use super::*;

    const MAX_BYTES: u64 = 1_000_000;

    /// A body that arrives only as far as it is sent.
    fn arriving() -> (Sender<Bytes>, Body) {
        let (sender, body) = Channel::<Bytes>::new(1);
        (sender, Body::new(body))
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stalls_or_trickles_is_given_up_in_time() {
        let bodies = Arriving::new(MAX_BYTES);
        let headers = HeaderMap::new();
        for (first, pause) in [(1, 3600), (1, 1), (900_000, 3600)] {
            let (mut sender, mut body) = arriving();
            let pause = Duration::from_secs(pause);
            let trickle = tokio::spawn(async move {
                sender.send_data(Bytes::from(vec![7; first])).await.unwrap();
                tokio::time::sleep(pause).await;
                while sender.send_data(Bytes::from_static(b"\xff")).await.is_ok() {
                    tokio::time::sleep(pause).await;
                }
            });
            let begin = Instant::now();
            assert_eq!(bodies.receive(&headers, &mut body).await, Err(NotReceived::TooSlow));
            assert!(begin.elapsed() < 2 * PATIENCE, "{:?}", begin.elapsed());
            discard(&headers, &mut body).await;
            assert_eq!(bodies.free_places(), MAX_AT_ONCE);
            trickle.abort();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_line_has_its_time() {
        let bodies = Arriving::new(MAX_BYTES);
        let (mut sender, mut body) = arriving();
        tokio::spawn(async move {
            for _ in 0..30 {
                // 80 % of the least rate.
                let second = Bytes::from(vec![7; 52_000]);
                if sender.send_data(second).await.is_err() {
                    return;
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            drop(sender);
        });
        let begin = Instant::now();
        let received = bodies.receive(&HeaderMap::new(), &mut body).await;
        assert_eq!(received.map(|bytes| bytes.len()), Err(NotReceived::TooLarge));
        assert!(begin.elapsed() > PATIENCE, "{:?}", begin.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn bodies_on_their_way_are_bounded() {
        let bodies = Arriving::new(MAX_BYTES);
        let (senders, arriving): (Vec<_>, Vec<_>) = (0..MAX_AT_ONCE).map(|_| arriving()).unzip();
        let uploads: Vec<_> = arriving
            .into_iter()
            .map(|mut body| {
                let bodies = bodies.clone();
                tokio::spawn(async move { bodies.receive(&HeaderMap::new(), &mut body).await })
            })
            .collect();
        while bodies.free_places() > 0 {
            tokio::task::yield_now().await;
        }
        let mut one_more = Body::from("photo");
        let headers = HeaderMap::new();
        assert_eq!(bodies.receive(&headers, &mut one_more).await, Err(NotReceived::TooMany));

        drop(senders);
        for upload in uploads {
            assert_eq!(upload.await.unwrap().unwrap(), b"");
        }
        assert_eq!(bodies.receive(&headers, &mut one_more).await.unwrap(), b"photo");
    }

    #[tokio::test]
    async fn the_largest_body_is_taken_and_no_larger_one() {
        let bodies = Arriving::new(MAX_BYTES);
        let (headers, size) = (HeaderMap::new(), MAX_BYTES as usize);
        let mut largest = Body::from(vec![7; size]);
        assert_eq!(bodies.receive(&headers, &mut largest).await.unwrap(), vec![7; size]);
        let mut larger = Body::from(vec![7; size + 1]);
        assert_eq!(bodies.receive(&headers, &mut larger).await, Err(NotReceived::TooLarge));
    }
}
