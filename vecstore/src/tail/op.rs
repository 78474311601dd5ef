//! One change to the store, and its bytes in the log.

use crate::record::{Payload, Record};
use crate::{Config, Result};

/// One change to the store.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Op {
    /// Insert or replace; the row is prepared.
    Put {
        id: u64,
        row: Box<[f32]>,
        group: Option<Box<str>>,
        payload: Payload,
    },
    Delete {
        id: u64,
    },
}

const PUT: u8 = 1;
const DELETE: u8 = 2;

impl Op {
    /// The insertion of a record, checked.
    pub(crate) fn put(record: &Record, config: &Config) -> Result<Self> {
        record.check()?;
        Ok(Self::Put {
            id: record.id,
            row: config.metric.prepare(&record.vector, config.dimension)?,
            group: record.group.as_deref().map(Into::into),
            payload: record.payload.clone(),
        })
    }

    pub(crate) fn id(&self) -> u64 {
        match self {
            Self::Put { id, .. } | Self::Delete { id } => *id,
        }
    }

    /// Kind (1 byte), id (8); for a put also the row (4 per component), 0 or 1 (1) and, if 1, the
    /// group's length (4) and name, and the payload to the end. All numbers little-endian.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self {
            Self::Put { id, row, group, payload } => {
                bytes.push(PUT);
                bytes.extend(id.to_le_bytes());
                bytes.extend_from_slice(bytemuck::cast_slice(row));
                bytes.push(u8::from(group.is_some()));
                if let Some(group) = group {
                    bytes.extend((group.len() as u32).to_le_bytes());
                    bytes.extend_from_slice(group.as_bytes());
                }
                bytes.extend_from_slice(&payload.0);
            }
            Self::Delete { id } => {
                bytes.push(DELETE);
                bytes.extend(id.to_le_bytes());
            }
        }
        bytes
    }

    /// The change that [`encode`](Self::encode) wrote, or `None` if the bytes are none.
    pub(crate) fn decode(bytes: &[u8], dimension: usize) -> Option<Self> {
        let (&kind, bytes) = bytes.split_first()?;
        let (id, bytes) = bytes.split_first_chunk()?;
        let id = u64::from_le_bytes(*id);
        match kind {
            DELETE if bytes.is_empty() => Some(Self::Delete { id }),
            PUT => {
                let (row, bytes) = bytes.split_at_checked(4 * dimension)?;
                let row = row
                    .chunks_exact(4)
                    .filter_map(|x| Some(f32::from_le_bytes(x.try_into().ok()?)));
                let row: Box<[f32]> = row.collect();
                let (&grouped, bytes) = bytes.split_first()?;
                let (group, payload) = match grouped {
                    0 => (None, bytes),
                    1 => {
                        let (len, bytes) = bytes.split_first_chunk()?;
                        let (group, bytes) =
                            bytes.split_at_checked(u32::from_le_bytes(*len) as usize)?;
                        (Some(std::str::from_utf8(group).ok()?.into()), bytes)
                    }
                    _ => return None,
                };
                let finite = row.iter().all(|x| x.is_finite());
                finite.then(|| Self::Put { id, row, group, payload: Payload(payload.into()) })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(
            id: u64,
            row in proptest::collection::vec(-1e30f32..1e30, 7),
            group in proptest::option::of(".*"),
            payload in proptest::collection::vec(any::<u8>(), 0..100),
        ) {
            let (row, group) = (row.into(), group.map(Into::into));
            let put = Op::Put { id, row, group, payload: Payload(payload.into()) };
            for op in [put, Op::Delete { id }] {
                prop_assert_eq!(Op::decode(&op.encode(), 7), Some(op));
            }
        }

        #[test]
        fn any_bytes_are_decoded_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Some(op) = Op::decode(&bytes, 3) {
                prop_assert_eq!(op.encode(), bytes);
            }
        }
    }
}
