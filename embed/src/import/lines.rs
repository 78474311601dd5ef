//! The lines of a list, one at a time, none of them longer than it may be.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::{Entry, ImportError, Skipped, Source};

/// Standard input, in place of a path.
const STANDARD_INPUT: &str = "-";

/// A reader of lines; empty ones are left out.
pub(super) struct Lines {
    path: PathBuf,
    reader: Box<dyn BufRead + Send>,
    longest: u64,
    /// Bytes of the list, where it is a file.
    length: Option<u64>,
    read: u64,
    number: u64,
}

/// A line, without its end.
pub(super) struct Line {
    /// Counted from 1.
    pub(super) number: u64,
    /// The text, or nothing if it is longer than allowed.
    pub(super) text: Option<String>,
    /// How much of the list is read, 0 to 1, where that is known.
    share: Option<f64>,
}

impl Lines {
    /// Opens a list; `-` is standard input.
    pub(super) fn open(path: &Path, longest: u64) -> Result<Self, ImportError> {
        let failed = |source| ImportError::Io { action: "read", path: path.to_owned(), source };
        let (reader, length): (Box<dyn BufRead + Send>, _) = if path == STANDARD_INPUT {
            (Box::new(BufReader::new(io::stdin())), None)
        } else {
            let file = File::open(path).map_err(failed)?;
            let metadata = file.metadata().map_err(failed)?;
            (Box::new(BufReader::new(file)), metadata.is_file().then_some(metadata.len()))
        };
        Ok(Self { path: path.to_owned(), reader, longest, length, read: 0, number: 0 })
    }

    /// Each line as the entry that `parse` makes of it.
    pub(super) fn entries(
        self,
        parse: impl Fn(&str) -> Result<Source, String>,
    ) -> impl Iterator<Item = Result<Entry, ImportError>> {
        let too_long = format!("longer than the {} bytes allowed", self.longest);
        self.map(move |line| {
            let Line { number, text, share } = line?;
            let parsed = text.ok_or_else(|| too_long.clone()).and_then(|text| parse(&text));
            let photo = parsed.map_err(|reason| Skipped { file: format!("line {number}"), reason });
            Ok(Entry { photo, share })
        })
    }

    /// The next line, or nothing at the end.
    fn read_line(&mut self) -> io::Result<Option<Line>> {
        let mut bytes = Vec::new();
        self.read +=
            (&mut self.reader).take(self.longest + 1).read_until(b'\n', &mut bytes)? as u64;
        if bytes.is_empty() {
            return Ok(None);
        }
        let fits = bytes.last() == Some(&b'\n') || bytes.len() as u64 <= self.longest;
        if !fits {
            self.read += self.reader.skip_until(b'\n')? as u64;
        }
        self.number += 1;
        let text = fits.then(|| match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        });
        let text = text.map(|text| text.trim_matches(['\n', '\r', '\u{feff}']).to_owned());
        let share = self.length.map(|length| self.read as f64 / length.max(1) as f64);
        Ok(Some(Line { number: self.number, text, share }))
    }
}

impl Iterator for Lines {
    type Item = Result<Line, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.read_line().transpose()? {
                Ok(Line { text: Some(text), .. }) if text.trim().is_empty() => {}
                Ok(line) => return Some(Ok(line)),
                Err(source) => {
                    let path = self.path.clone();
                    return Some(Err(ImportError::Io { action: "read", path, source }));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8], longest: u64) -> Vec<Line> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Lines::open(file.path(), longest).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn empty_ones_are_left_out_and_counted() {
        let found = lines(b"\xef\xbb\xbfone\r\n\n  \ntwo \xff\nlast", 100);
        let found: Vec<_> =
            found.iter().map(|line| (line.number, line.text.as_deref().unwrap())).collect();
        assert_eq!(found, [(1, "one"), (4, "two \u{fffd}"), (5, "last")]);
    }

    #[test]
    fn long_ones_are_passed_over() {
        let found = lines(b"12345\n123456\n123\n123456", 5);
        let found: Vec<_> = found.iter().map(|line| (line.number, line.text.as_deref())).collect();
        assert_eq!(found, [(1, Some("12345")), (2, None), (3, Some("123")), (4, None)]);
    }

    #[test]
    fn the_share_grows_to_one() {
        let shares: Vec<_> = lines(b"1\n123456\n3\n", 3).iter().map(|line| line.share).collect();
        assert_eq!(shares, [Some(2.0 / 11.0), Some(9.0 / 11.0), Some(1.0)]);
    }
}
