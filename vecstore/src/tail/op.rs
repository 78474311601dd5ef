//! One change to the store, and its bytes in the log.

use crate::record::{MAX_GROUP_BYTES, MAX_PAYLOAD_BYTES, MAX_TAG_BYTES, MAX_TAGS, Payload, Record};
use crate::{Config, Result};

/// One change to the store.
#[derive(Debug, PartialEq)]
pub(crate) enum Op {
    /// Insert or replace; the row is prepared.
    Put {
        id: u64,
        row: Box<[f32]>,
        group: Option<Box<str>>,
        tags: Vec<Box<str>>,
        payload: Payload,
    },
    Delete {
        id: u64,
    },
    /// Nothing by itself: the number of a bulk load, whose records go into a segment directly.
    BulkLoad,
}

const PUT: u8 = 1;
const DELETE: u8 = 2;
const BULK_LOAD: u8 = 3;

impl Op {
    /// The insertion of a record, checked.
    pub(crate) fn put(record: &Record, config: &Config) -> Result<Self> {
        record.check()?;
        Ok(Self::Put {
            id: record.id,
            row: config.row(&record.vector)?,
            group: record.group.as_deref().map(Into::into),
            tags: record.tags.iter().map(|tag| tag.as_str().into()).collect(),
            payload: record.payload.clone(),
        })
    }

    /// The id of the record that it changes.
    pub(crate) fn id(&self) -> Option<u64> {
        match self {
            Self::Put { id, .. } | Self::Delete { id } => Some(*id),
            Self::BulkLoad => None,
        }
    }

    /// Kind (1 byte); for all but a bulk load the id (8); for a put also the row (4 per component), 0
    /// or 1 (1) and, if 1, the group; the number of tags (4) and each tag; and the payload to the end.
    /// A group and a tag are their length (4) and their text. All numbers little-endian.
    pub(crate) fn encode(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Put { id, row, group, tags, payload } => {
                bytes.push(PUT);
                bytes.extend(id.to_le_bytes());
                bytes.extend_from_slice(bytemuck::cast_slice(row));
                bytes.push(u8::from(group.is_some()));
                group.iter().for_each(|group| encode_text(bytes, group));
                bytes.extend((tags.len() as u32).to_le_bytes());
                tags.iter().for_each(|tag| encode_text(bytes, tag));
                bytes.extend_from_slice(&payload.0);
            }
            Self::Delete { id } => {
                bytes.push(DELETE);
                bytes.extend(id.to_le_bytes());
            }
            Self::BulkLoad => bytes.push(BULK_LOAD),
        }
    }

    /// The change that [`encode`](Self::encode) wrote, or `None` if the bytes are none.
    pub(crate) fn decode(bytes: &[u8], dimension: usize) -> Option<Self> {
        let (&kind, bytes) = bytes.split_first()?;
        if kind == BULK_LOAD {
            return bytes.is_empty().then_some(Self::BulkLoad);
        }
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
                let (&grouped, mut bytes) = bytes.split_first()?;
                let group = match grouped {
                    0 => None,
                    1 => Some(decode_text(&mut bytes, MAX_GROUP_BYTES)?),
                    _ => return None,
                };
                let (count, mut bytes) = bytes.split_first_chunk()?;
                let count = u32::from_le_bytes(*count) as usize;
                let tags =
                    (0..count.min(MAX_TAGS + 1)).map(|_| decode_text(&mut bytes, MAX_TAG_BYTES));
                let tags: Vec<_> = tags.collect::<Option<_>>()?;
                // What a record that was checked has. Who writes more has forged the checksum, too.
                let fits = row.iter().all(|x| x.is_finite())
                    && tags.len() <= MAX_TAGS
                    && tags.is_sorted_by(|a, b| a < b)
                    && bytes.len() <= MAX_PAYLOAD_BYTES;
                let payload = Payload(bytes.into());
                fits.then_some(Self::Put { id, row, group, tags, payload })
            }
            _ => None,
        }
    }
}

fn encode_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u32).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

/// Takes a text from the front of the bytes.
fn decode_text(bytes: &mut &[u8], limit: usize) -> Option<Box<str>> {
    let (len, rest) = bytes.split_first_chunk()?;
    let len = Some(u32::from_le_bytes(*len) as usize).filter(|&len| len <= limit)?;
    let (text, rest) = rest.split_at_checked(len)?;
    *bytes = rest;
    Some(std::str::from_utf8(text).ok()?.into())
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
            tags in proptest::collection::btree_set(".*", 0..4),
            payload in proptest::collection::vec(any::<u8>(), 0..100),
        ) {
            let (row, group) = (row.into(), group.map(Into::into));
            let tags = tags.into_iter().map(Into::into).collect();
            let put = Op::Put { id, row, group, tags, payload: Payload(payload.into()) };
            for op in [put, Op::Delete { id }, Op::BulkLoad] {
                let mut bytes = Vec::new();
                op.encode(&mut bytes);
                prop_assert_eq!(Op::decode(&bytes, 7), Some(op));
            }
        }

        #[test]
        fn any_bytes_are_decoded_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Some(op) = Op::decode(&bytes, 3) {
                let mut encoded = Vec::new();
                op.encode(&mut encoded);
                prop_assert_eq!(encoded, bytes);
            }
        }
    }
}
