//! Weights too small to matter, and too slow to keep.
//!
//! Training drives unused weights towards zero, down to where floats lose their
//! leading digit (subnormal numbers) or their products do. A processor takes a
//! hundred times longer over such a number: the default embedding network runs
//! seven times slower with them, and gives the same output without. ONNX Runtime
//! can switch them off, but only for the threads it starts itself.

/// Far below what can change a result: activations and sums are around one.
const NEGLIGIBLE: f32 = 1e-12;

/// Sets negligible weights of an ONNX model to zero, in place.
///
/// Follows the protobuf fields `ModelProto.graph`, `GraphProto.initializer`,
/// `TensorProto.data_type` and `raw_data` of `onnx.proto`. Bytes that are no model
/// are left as they are: to say what is wrong with them is the runtime's part.
pub(crate) fn zero_negligible(model: &mut [u8]) {
    const GRAPH: u64 = 7;
    const INITIALIZER: u64 = 5;
    each_field(model, GRAPH, &mut |graph| each_field(graph, INITIALIZER, &mut zero_in_tensor));
}

fn zero_in_tensor(tensor: &mut [u8]) {
    const DATA_TYPE: u64 = 2;
    const FLOAT: u64 = 1;
    const RAW_DATA: u64 = 9;
    if number_field(tensor, DATA_TYPE) != Some(FLOAT) {
        return;
    }
    each_field(tensor, RAW_DATA, &mut |data| {
        for bytes in data.as_chunks_mut::<4>().0 {
            if f32::from_le_bytes(*bytes).abs() < NEGLIGIBLE {
                *bytes = [0; 4];
            }
        }
    });
}

/// What a protobuf field holds.
enum Value {
    Number(u64),
    /// Length of the bytes that follow.
    Bytes(usize),
}

/// Visits the content of each length-delimited field with this number.
fn each_field(mut message: &mut [u8], wanted: u64, visit: &mut dyn FnMut(&mut [u8])) {
    while let Some((number, value, at)) = next_field(message) {
        let length = if let Value::Bytes(length) = value { length } else { 0 };
        let Some((content, rest)) = message.split_at_mut(at).1.split_at_mut_checked(length) else {
            return;
        };
        if number == wanted && length > 0 {
            visit(content);
        }
        message = rest;
    }
}

fn number_field(mut message: &[u8], wanted: u64) -> Option<u64> {
    loop {
        let (number, value, at) = next_field(message)?;
        let skip = match value {
            Value::Number(value) if number == wanted => return Some(value),
            Value::Number(_) => 0,
            Value::Bytes(length) => length,
        };
        message = message.get(at.checked_add(skip)?..)?;
    }
}

/// Number and value of the first field, and where its content or the next field begins.
fn next_field(message: &[u8]) -> Option<(u64, Value, usize)> {
    let (key, mut at) = varint(message)?;
    let value = match key & 7 {
        0 => {
            let (value, length) = varint(message.get(at..)?)?;
            at += length;
            Value::Number(value)
        }
        1 => Value::Bytes(8),
        2 => {
            let (length, of_length) = varint(message.get(at..)?)?;
            at += of_length;
            Value::Bytes(usize::try_from(length).ok()?)
        }
        5 => Value::Bytes(4),
        _ => return None,
    };
    Some((key >> 3, value, at))
}

/// A number in base 128, lowest digits first, and how many bytes it takes.
fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let length = bytes.iter().take(10).position(|byte| byte & 0x80 == 0)? + 1;
    let digits = bytes.iter().take(length).rev();
    Some((digits.fold(0, |number, &byte| number << 7 | u64::from(byte & 0x7F)), length))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        let length = [0x80 | (content.len() & 0x7F) as u8, (content.len() >> 7) as u8];
        [&[number << 3 | 2][..], &length, content].concat()
    }

    fn model(data_type: u8, weights: &[f32]) -> Vec<u8> {
        let raw: Vec<u8> = weights.iter().flat_map(|weight| weight.to_le_bytes()).collect();
        let dims = [1 << 3, weights.len() as u8];
        let tensor =
            [&dims[..], &[2 << 3, data_type], &field(8, b"name"), &field(9, &raw)].concat();
        let graph = [field(2, b"graph"), field(5, &tensor), field(5, &tensor)].concat();
        [&[1 << 3, 8][..], &field(2, b"producer"), &field(7, &graph)].concat()
    }

    #[test]
    fn only_negligible_floats_become_zero() {
        let mut bytes = model(1, &[0.5, 1e-13, -1e-40, 2e-12, f32::NAN, -3.0]);
        zero_negligible(&mut bytes);
        assert_eq!(bytes, model(1, &[0.5, 0.0, 0.0, 2e-12, f32::NAN, -3.0]));
    }

    #[test]
    fn other_types_stay() {
        const INT32: u8 = 6;
        let mut bytes = model(INT32, &[0.5, 1e-40]);
        zero_negligible(&mut bytes);
        assert_eq!(bytes, model(INT32, &[0.5, 1e-40]));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(mut bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            zero_negligible(&mut bytes);
        }

        #[test]
        fn a_cut_or_damaged_model_is_survived(
            cut in any::<prop::sample::Index>(),
            at in any::<prop::sample::Index>(),
            value in any::<u8>(),
        ) {
            let mut bytes = model(1, &[0.5, 1e-40]);
            let at = at.index(bytes.len());
            bytes[at] = value;
            bytes.truncate(cut.index(bytes.len()));
            zero_negligible(&mut bytes);
        }
    }
}
