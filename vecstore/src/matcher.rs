//! A filter, brought to the slots of one part.

use crate::Result;
use crate::filter::{Node, RecordRef};
use crate::part::Part;
use crate::slot_set::SlotSet;

/// A filter on the slots of one part. What is known of them as sets is joined to one set.
pub(crate) enum Matcher<'f> {
    Set(SlotSet),
    All(Vec<Matcher<'f>>),
    Any(Vec<Matcher<'f>>),
    Not(Box<Matcher<'f>>),
    By(&'f dyn Fn(&RecordRef<'_>) -> bool),
}

impl<'f> Matcher<'f> {
    pub(crate) fn new<P: Part>(node: &'f Node<'f>, part: &P) -> Result<Self> {
        let each = |nodes: &'f [Node<'f>]| -> Result<Vec<_>> {
            nodes.iter().map(|node| Self::new(node, part)).collect()
        };
        Ok(match node {
            Node::Tag(tag) => Self::Set(part.tagged(tag)?),
            Node::By(accepts) => Self::By(*accepts),
            Node::All(nodes) if nodes.is_empty() => Self::Set(SlotSet::full(part.len())),
            Node::All(nodes) => {
                let (sets, mut rest) = split(each(nodes)?);
                let set = sets.into_iter().reduce(|a, b| a.intersect(&b));
                rest.splice(0..0, set.map(Self::Set));
                only_or(rest, Self::All)
            }
            Node::Any(nodes) => {
                let (sets, mut rest) = split(each(nodes)?);
                let set = sets.into_iter().reduce(|a, b| a.unite(&b));
                let set = set.unwrap_or_else(|| SlotSet::empty(part.len()));
                rest.insert(0, Self::Set(set));
                only_or(rest, Self::Any)
            }
            Node::Not(node) => match Self::new(node, part)? {
                Self::Set(set) => Self::Set(set.complement()),
                Self::Not(inner) => *inner,
                other => Self::Not(Box::new(other)),
            },
        })
    }

    pub(crate) fn accepts<P: Part>(&self, part: &P, slot: u32) -> bool {
        match self {
            Self::Set(set) => set.contains(slot),
            Self::All(matchers) => matchers.iter().all(|matcher| matcher.accepts(part, slot)),
            Self::Any(matchers) => matchers.iter().any(|matcher| matcher.accepts(part, slot)),
            Self::Not(matcher) => !matcher.accepts(part, slot),
            Self::By(accepts) => accepts(&RecordRef { part, slot }),
        }
    }

    /// A set that holds every slot it accepts, if one is known.
    pub(crate) fn within(&self) -> Option<&SlotSet> {
        match self {
            Self::Set(set) => Some(set),
            Self::All(matchers) => matchers.iter().find_map(Self::within),
            Self::Any(_) | Self::Not(_) | Self::By(_) => None,
        }
    }
}

fn split(matchers: Vec<Matcher<'_>>) -> (Vec<SlotSet>, Vec<Matcher<'_>>) {
    let (mut sets, mut rest) = (Vec::new(), Vec::new());
    for matcher in matchers {
        match matcher {
            Matcher::Set(set) => sets.push(set),
            other => rest.push(other),
        }
    }
    (sets, rest)
}

/// The one matcher there is, or all of them joined.
fn only_or<'f>(
    mut matchers: Vec<Matcher<'f>>,
    join: impl FnOnce(Vec<Matcher<'f>>) -> Matcher<'f>,
) -> Matcher<'f> {
    match matchers.pop() {
        Some(only) if matchers.is_empty() => only,
        last => {
            matchers.extend(last);
            join(matchers)
        }
    }
}
