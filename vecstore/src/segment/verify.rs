//! Checking a whole segment: its checksums, and that its contents make sense together.

use std::collections::HashSet;

use roaring::RoaringBitmap;

use super::Segment;
use super::format::{NO_GROUP, Section};
use crate::codes::{SKETCHED, sketch_block, sketch_len};
use crate::hnsw::{Graph, MAX_LEVELS, NO_LINK};
use crate::part::Part;
use crate::{Error, Metric, Result, Verification};

impl Segment {
    /// Checks everything that a segment promises. Reads the whole file.
    pub(crate) fn verify(&self) -> Result<Verification> {
        self.verify_pages()?;
        self.verify_ids()?;
        self.verify_rows()?;
        self.verify_codes()?;
        self.verify_sketches()?;
        self.verify_strings()?;
        self.verify_tags()?;
        Ok(Verification {
            vectors: self.len(),
            links: self.verify_links()?,
            unreachable: self.len() - self.reachable(),
            tag_graphs: self.verify_tag_graphs()?,
        })
    }

    fn wrong(&self, what: String) -> Error {
        Error::corrupt(&self.path, what)
    }

    fn verify_ids(&self) -> Result<()> {
        let mut last = None;
        for place in 0..self.len() {
            let slot = self.read_one::<u32>(Section::ById, place);
            let id = slot.and_then(|slot| self.read_one::<u64>(Section::Ids, slot as usize));
            if id.is_none() || id <= last {
                return Err(self.wrong(format!("its list of ids is not in order at {place}")));
            }
            last = id;
        }
        Ok(())
    }

    fn verify_rows(&self) -> Result<()> {
        for slot in 0..self.len() as u32 {
            let row = self.row(slot).to_f32();
            let norm: f64 = row.iter().map(|&x| f64::from(x).powi(2)).sum();
            let fits = match self.config().metric {
                Metric::Cosine => (norm - 1.0).abs() < 1e-3,
                Metric::InnerProduct | Metric::SquaredEuclidean => norm.is_finite(),
            };
            if !fits {
                return Err(
                    self.wrong(format!("the vector in slot {slot} is not one that is kept"))
                );
            }
        }
        Ok(())
    }

    fn verify_codes(&self) -> Result<()> {
        let Some(quantiser) = self.header.quantiser else { return Ok(()) };
        let has_norms = self.header.extent(Section::Norms).len > 0;
        let len = self.header.code_len();
        let (space, mut code) = (self.space(), vec![0; len]);
        for slot in 0..self.len() as u32 {
            let norm = quantiser.encode(&self.row(slot).to_f32(), space, &mut code);
            let place = slot as usize;
            let fits = self.read::<u8>(Section::Codes, place * len, len) == code
                && (!has_norms || self.read_one(Section::Norms, place) == Some(norm));
            if !fits {
                return Err(
                    self.wrong(format!("the code in slot {slot} is not that of its vector"))
                );
            }
        }
        Ok(())
    }

    fn verify_sketches(&self) -> Result<()> {
        let extent = self.header.extent(Section::Sketches);
        if extent.len == 0 {
            return Ok(());
        }
        let code_len = self.header.code_len();
        let len = sketch_len(code_len);
        for (block, first) in (0..self.len()).step_by(SKETCHED).enumerate() {
            let count = SKETCHED.min(self.len() - first);
            let codes = self.read::<u8>(Section::Codes, first * code_len, count * code_len);
            let sketches = sketch_block(codes.chunks_exact(code_len), code_len);
            if self.read::<u8>(Section::Sketches, block * len, len) != sketches {
                return Err(
                    self.wrong(format!("sketches from slot {first} on are not of its codes"))
                );
            }
        }
        Ok(())
    }

    fn verify_strings(&self) -> Result<()> {
        let mut names = HashSet::new();
        let mut groups = HashSet::new();
        for slot in 0..self.len() as u32 {
            let payload = self.payload(slot)?;
            if !payload.is_empty()
                && serde_json::from_slice::<serde::de::IgnoredAny>(payload).is_err()
            {
                return Err(self.wrong(format!("the payload in slot {slot} is not JSON")));
            }
            if let Some(name) = self.group(slot)? {
                let group =
                    self.read_one::<u32>(Section::GroupOf, slot as usize).unwrap_or(NO_GROUP);
                if groups.insert(group) && !names.insert(name) {
                    return Err(self.wrong(format!("two groups are called {name:?}")));
                }
            }
        }
        Ok(())
    }

    fn verify_tags(&self) -> Result<()> {
        let names: Option<Vec<_>> = (0..self.tag_count()).map(|number| self.tag(number)).collect();
        if !names.is_some_and(|names| names.is_sorted_by(|a, b| a < b)) {
            return Err(self.wrong("its tags are not in order".into()));
        }
        // As many are listed as are in the sets, and each in a set is listed: so each listed is in one.
        let (mut listed, mut held) = (0, 0);
        for slot in 0..self.len() as u32 {
            let list = self.tag_numbers(slot)?;
            if !list.is_sorted_by(|a, b| a < b) {
                return Err(self.wrong(format!("the tags of slot {slot} are not in order")));
            }
            listed += list.len() as u64;
        }
        for number in 0..self.tag_count() {
            // Not as a `SlotSet`: to go through all slots for each of many tags takes minutes.
            let set = self
                .entry_of(Section::TagSetStarts, Section::TagSets, number)
                .and_then(|set| RoaringBitmap::deserialize_from(set).ok())
                .filter(|set| set.max().is_none_or(|last| (last as usize) < self.len()))
                .ok_or_else(|| {
                    self.wrong(format!("the set of tag {number} is not one of slots"))
                })?;
            for slot in &set {
                if self.tag_numbers(slot)?.binary_search(&(number as u32)).is_err() {
                    return Err(self.wrong(format!("slot {slot} does not list tag {number}")));
                }
            }
            held += set.len();
        }
        if held != listed {
            return Err(self.wrong("a slot is not in the set of one of its tags".into()));
        }
        Ok(())
    }

    /// Returns the number of links.
    fn verify_links(&self) -> Result<usize> {
        let mut count = 0;
        for level in 0..MAX_LEVELS {
            let slots = self.header.layers[level];
            for slot in 0..slots {
                let list = self.list(slot, level);
                count += checked_list(list, slot, slots).ok_or_else(|| {
                    self.wrong(format!("the links of slot {slot} on layer {level} are wrong"))
                })?;
            }
        }
        Ok(count)
    }

    /// Returns the number of graphs.
    fn verify_tag_graphs(&self) -> Result<usize> {
        let mut count = 0;
        for number in 0..self.tag_count() {
            let Some(graph) = self.tag_graph_of(number)? else { continue };
            let wrong = |what| self.wrong(format!("of the graph of tag {number} {what}"));
            let members = 0..graph.len() as u32;
            if !members.clone().map(|it| graph.slot(it)).eq(self.tag_set(number)?.iter()) {
                return Err(wrong("the slots are not those with the tag".into()));
            }
            if members
                .map(|it| (it, graph.slot(it)))
                .any(|(it, slot)| graph.members.level(it) != self.level(slot))
            {
                return Err(wrong("the layers are not those of the slots".into()));
            }
            for (level, members) in (0..).zip(graph.members.layers()) {
                for member in 0..members {
                    checked_list(graph.members.list(member, level), member, members).ok_or_else(
                        || wrong(format!("the links of {member} on layer {level} are wrong")),
                    )?;
                }
            }
            count += 1;
        }
        Ok(count)
    }

    /// The number of slots that a walk from the entry comes to.
    fn reachable(&self) -> usize {
        let mut met = vec![false; self.len()];
        let mut stack = Vec::new();
        let mut meet = |slot: u32, stack: &mut Vec<u32>| {
            if !std::mem::replace(&mut met[slot as usize], true) {
                stack.push(slot);
            }
        };
        // Upper layers lead to all their slots' neighbourhoods, so each of them counts as a start.
        (0..self.header.layers[1].max(1).min(self.header.layers[0]))
            .for_each(|slot| meet(slot, &mut stack));
        let mut count = 0;
        while let Some(slot) = stack.pop() {
            count += 1;
            self.for_each_link(slot, 0, |link| meet(link, &mut stack));
        }
        count
    }
}

/// How many links a list of a slot has, if all are to other slots of its layer, each once.
fn checked_list(list: &[u32], slot: u32, slots: u32) -> Option<usize> {
    let len = list.iter().position(|&link| link == NO_LINK).unwrap_or(list.len());
    let (links, rest) = list.split_at(len);
    let distinct: HashSet<_> = links.iter().collect();
    let fits = links.iter().all(|&link| link < slots && link != slot)
        && distinct.len() == links.len()
        && rest.iter().all(|&link| link == NO_LINK);
    fits.then_some(len)
}
