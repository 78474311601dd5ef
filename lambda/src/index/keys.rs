//! Who may read and who may write.

use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::Settings;
use crate::problem::{Kind, Problem};

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

/// The keys that clients show. They are kept and compared as hashes, in constant time, so that neither
/// the time of an answer nor a picture of the memory tells a key.
#[derive(Clone)]
pub(super) struct Keys {
    read: Option<[u8; 32]>,
    write: Option<[u8; 32]>,
}

impl Keys {
    pub(super) fn new(settings: &Settings) -> Self {
        let hash = |key: &Option<String>| key.as_ref().map(|key| digest(key.as_bytes()));
        Self { read: hash(&settings.read_key), write: hash(&settings.write_key) }
    }

    /// Admits a request, or says which key it lacks.
    pub(super) fn admit(&self, headers: &HeaderMap, access: Access) -> Result<(), Problem> {
        let (needed, other) = match access {
            Access::Read => (self.read, self.write),
            Access::Write => (self.write, self.read),
        };
        let Some(needed) = needed else { return Ok(()) };
        let shown = bearer(headers).map(digest).ok_or_else(|| {
            Problem::new(Kind::Unauthorized, "Show a key: Authorization: Bearer KEY.")
        })?;
        let is = |key: [u8; 32]| bool::from(key.ct_eq(&shown));
        let (is_needed, is_other) = (is(needed), other.is_some_and(is));
        match access {
            _ if is_needed => Ok(()),
            Access::Read if is_other => Ok(()),
            Access::Write if is_other => Err(Problem::new(
                Kind::Forbidden,
                "This key may read only; show the one for writing.",
            )),
            _ => Err(Problem::new(Kind::Unauthorized, "The key is not one of this service.")),
        }
    }
}

fn digest(key: &[u8]) -> [u8; 32] {
    Sha256::digest(key).into()
}

fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let (scheme, key) = headers.get(header::AUTHORIZATION)?.as_bytes().split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then_some(key)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use clap::Parser;

    use super::*;

    fn keys(read: Option<&str>, write: Option<&str>) -> Keys {
        let mut settings = Settings::parse_from(["index", "--data", "x"]);
        settings.read_key = read.map(Into::into);
        settings.write_key = write.map(Into::into);
        Keys::new(&settings)
    }

    fn admitted(keys: &Keys, shown: Option<&str>, access: Access) -> Result<(), Kind> {
        let mut headers = HeaderMap::new();
        if let Some(shown) = shown {
            headers.insert(header::AUTHORIZATION, HeaderValue::from_str(shown).unwrap());
        }
        keys.admit(&headers, access).map_err(|problem| problem.kind)
    }

    #[test]
    fn each_key_opens_what_it_is_for() {
        let both = keys(Some("r"), Some("w"));
        for (shown, read, write) in [
            (None, Err(Kind::Unauthorized), Err(Kind::Unauthorized)),
            (Some("Bearer r"), Ok(()), Err(Kind::Forbidden)),
            (Some("bearer w"), Ok(()), Ok(())),
            (Some("Bearer x"), Err(Kind::Unauthorized), Err(Kind::Unauthorized)),
            (Some("Bearer "), Err(Kind::Unauthorized), Err(Kind::Unauthorized)),
            (Some("Basic w"), Err(Kind::Unauthorized), Err(Kind::Unauthorized)),
            (Some("w"), Err(Kind::Unauthorized), Err(Kind::Unauthorized)),
        ] {
            assert_eq!(admitted(&both, shown, Access::Read), read, "{shown:?}");
            assert_eq!(admitted(&both, shown, Access::Write), write, "{shown:?}");
        }
        let write_only = keys(None, Some("w"));
        assert_eq!(admitted(&write_only, None, Access::Read), Ok(()));
        assert_eq!(admitted(&write_only, None, Access::Write), Err(Kind::Unauthorized));
        let none = keys(None, None);
        assert_eq!(admitted(&none, None, Access::Write), Ok(()));
    }
}
