//! Everything that can be asked of a segment, and what must hold of the answers.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use vecstore::{Error, Filter, Hit, Query, Reader, Record, RecordRef, Snapshot};

/// How far a file got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// It could not be opened.
    Refused,
    /// It could be opened, but an answer was refused.
    Damaged,
    /// All answers came, but the contents contradict each other, as `verify` says.
    Unsound,
    /// It is a valid segment.
    Sound,
}

/// Asks everything of a segment file.
///
/// # Panics
///
/// If an error is not one about a damaged file, or a segment that passes `verify` gives answers that
/// contradict each other.
pub(crate) fn ask_file(path: &Path) -> Outcome {
    match Reader::open_segment(path) {
        Ok(reader) => ask(&reader.snapshot()),
        Err(Error::Corrupt { .. } | Error::NewerVersion { .. }) => Outcome::Refused,
        Err(error) => panic!("{error}"),
    }
}

/// Asks everything of a snapshot. Panics as [`ask_file`].
pub(crate) fn ask(snapshot: &Snapshot) -> Outcome {
    match (answers(snapshot), typed(snapshot.verify())) {
        (Some(answers), Some(_)) => {
            answers.check(snapshot);
            Outcome::Sound
        }
        (Some(_), None) => Outcome::Unsound,
        (None, None) => Outcome::Damaged,
        (None, Some(_)) => {
            panic!("an answer was refused as damaged that `verify` finds nothing in")
        }
    }
}

/// What came back, or nothing if it was refused as damaged.
fn typed<T>(result: Result<T, Error>) -> Option<T> {
    match result {
        Ok(answer) => Some(answer),
        Err(Error::Corrupt { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

struct Answers {
    records: Vec<Record>,
    /// A search for all records.
    all: Vec<Hit>,
    /// A search for all groups.
    groups: Vec<Hit>,
    /// The records with each tag that a record has.
    tagged: BTreeMap<String, Vec<Hit>>,
}

fn answers(snapshot: &Snapshot) -> Option<Answers> {
    let vector = vec![0.5; snapshot.config().dimension()];
    let search = |query: Query<'_>| {
        let hits = typed(snapshot.search(&query))?;
        for hit in &hits {
            // The payload may be of any type, or no JSON at all.
            let _ = hit.payload::<serde::de::IgnoredAny>();
        }
        Some(hits)
    };
    let few = Query::new(&vector, 3);
    let odd = |record: &RecordRef<'_>| {
        let _ = record.payload::<String>();
        record.group().is_ok_and(|group| group.is_some()) || record.id() % 2 == 1
    };
    let odd = Filter::by(&odd);
    let tagged = Filter::tag("most");
    let most = Filter::tag("most").and(Filter::tag("some").not());
    let any = Filter::any(["some", "all"]).and(odd.clone());
    let mut answered = vec![
        search(few),
        search(few.ef(1)),
        // So few that a segment of this size is sifted by its sketches.
        search(few.ef(20)),
        search(few.ef(usize::MAX)),
        search(few.distinct_groups()),
        search(few.filter(&odd)),
        search(few.filter(&tagged)),
        search(few.filter(&most)),
        search(few.filter(&any).distinct_groups()),
        search(Query::within(&vector, 0.3)),
        search(Query::within(&vector, 0.3).filter(&any)),
    ];
    let all = Query::new(&vector, usize::MAX);
    let mut tagged = BTreeMap::new();
    let mut records = Some(Vec::new());
    for record in snapshot.iter() {
        let Some(record) = typed(record) else {
            records = None;
            continue;
        };
        let _ = record.payload::<serde::de::IgnoredAny>();
        for tag in record.tags() {
            if !tagged.contains_key(tag) {
                let filter = Filter::tag(tag);
                let found = search(all.filter(&filter));
                answered.push(found.clone());
                tagged.insert(tag.clone(), found.unwrap_or_default());
            }
        }
        if let Some(records) = &mut records {
            records.push(record);
        }
    }
    let mut found = true;
    for id in [0, 3, 6, u64::MAX] {
        found &= typed(snapshot.get(id)).is_some() && typed(snapshot.contains(id)).is_some();
    }
    assert!(snapshot.segment().is_some());
    let complete = found && answered.iter().all(Option::is_some);
    let (all, groups) = (search(all), search(all.distinct_groups()));
    let (records, all, groups) = (records?, all?, groups?);
    complete.then_some(Answers { records, all, groups, tagged })
}

impl Answers {
    /// Checks that the answers of a valid segment agree with each other.
    fn check(&self, snapshot: &Snapshot) {
        let ids = |hits: &[Hit]| -> Vec<u64> {
            let mut ids: Vec<_> = hits.iter().map(|hit| hit.id).collect();
            ids.sort_unstable();
            ids
        };
        let ids_where = |accepts: &dyn Fn(&Record) -> bool| -> Vec<u64> {
            let accepted = self.records.iter().filter(|record| accepts(record));
            let mut ids: Vec<_> = accepted.map(Record::id).collect();
            ids.sort_unstable();
            ids
        };
        assert_eq!(self.records.len(), snapshot.len());
        assert!(ids(&self.all) == ids_where(&|_| true), "a search for all finds others");
        for (tag, hits) in &self.tagged {
            let tagged = ids_where(&|record| record.tags().contains(tag));
            assert!(ids(hits) == tagged, "not all with the tag {tag:?}, or others");
        }
        let (named, nameless): (Vec<_>, Vec<_>) =
            self.records.iter().map(Record::group).partition(Option::is_some);
        assert_eq!(self.groups.len(), named.iter().collect::<HashSet<_>>().len() + nameless.len());
        for record in &self.records {
            assert!(record.tags().is_sorted_by(|a, b| a < b), "{:?}", record.tags());
            assert_eq!(snapshot.get(record.id()).unwrap().as_ref(), Some(record));
        }
    }
}
