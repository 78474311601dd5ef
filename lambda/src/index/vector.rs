//! A vector as clients write it.

use std::fmt;
use std::ops::Deref;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::{
    ArrayBuilder, KnownFormat, ObjectBuilder, OneOfBuilder, RefOr, Schema, SchemaFormat, Type,
};
use utoipa::{PartialSchema, ToSchema};

/// The components: an array of numbers or, in half the bytes, a string of base64 (RFC 4648, section 4)
/// of 32-bit floats, the lowest byte first. Answers have numbers.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Vector(pub(crate) Vec<f32>);

impl Deref for Vector {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.0
    }
}

/// Writes components as base64.
pub(crate) fn as_base64<S: Serializer>(vector: &[f32], to: S) -> Result<S::Ok, S::Error> {
    let bytes: Vec<_> = vector.iter().flat_map(|component| component.to_le_bytes()).collect();
    to.serialize_str(&STANDARD.encode(bytes))
}

impl<'de> Deserialize<'de> for Vector {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(EitherForm).map(Self)
    }
}

struct EitherForm;

impl<'de> Visitor<'de> for EitherForm {
    type Value = Vec<f32>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of numbers, or base64 of 32-bit floats")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, numbers: A) -> Result<Vec<f32>, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(numbers))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Vec<f32>, E> {
        let bytes =
            STANDARD.decode(text).map_err(|error| E::custom(format!("its base64: {error}")))?;
        let (components, rest) = bytes.as_chunks();
        if !rest.is_empty() {
            return Err(E::custom(format!("{} bytes of base64 are no 32-bit floats", bytes.len())));
        }
        Ok(components.iter().map(|&component| f32::from_le_bytes(component)).collect())
    }
}

impl PartialSchema for Vector {
    fn schema() -> RefOr<Schema> {
        let number = ObjectBuilder::new()
            .schema_type(Type::Number)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Float)));
        let base64 = ObjectBuilder::new().schema_type(Type::String).content_encoding("base64");
        OneOfBuilder::new()
            .item(ArrayBuilder::new().items(number))
            .item(base64)
            .description(Some(
                "The components: an array of numbers or, in half the bytes, a string of base64 of \
                 32-bit floats, the lowest byte first. Answers have numbers.",
            ))
            .into()
    }
}

impl ToSchema for Vector {}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Vec<f32>, String> {
        serde_json::from_str(json)
            .map(|Vector(components)| components)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn numbers_and_base64_say_the_same() {
        assert_eq!(read("[1.5, -2, 0]").unwrap(), [1.5, -2.0, 0.0]);
        // 0x3fc00000 and 0xc0000000 are the bits of 1.5 and -2.
        assert_eq!(read("\"AADAPwAAAMA=\"").unwrap(), [1.5, -2.0]);
        assert!(read("\"\"").unwrap().is_empty());
        let mut written = Vec::new();
        as_base64(&[1.5, -2.0], &mut serde_json::Serializer::new(&mut written)).unwrap();
        assert_eq!(written, b"\"AADAPwAAAMA=\"");
    }

    #[test]
    fn what_is_neither_says_so() {
        for (json, why) in [
            ("\"AADAPwAAAMA\"", "base64"),
            ("\"AADAPwAA\"", "6 bytes of base64 are no 32-bit floats"),
            ("{}", "an array of numbers, or base64 of 32-bit floats"),
            ("7", "an array of numbers, or base64 of 32-bit floats"),
            ("[\"1\"]", "expected f32"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
