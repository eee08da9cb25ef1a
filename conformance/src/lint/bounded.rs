//! A map of bounded size whose content does not depend on the order in which it was filled.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::ops::AddAssign;

use foldhash::fast::RandomState;

/// Counts by key, for a limited number of keys. The others are counted together.
///
/// Which keys are kept is decided by a hash of the key alone: those with the least. So the counts of kept keys are exact,
/// and neither threads nor the order of merging change what is kept.
#[derive(Clone, Debug)]
pub(crate) struct Bounded<K, V> {
    limit: usize,
    index: HashMap<K, usize, RandomState>,
    values: Vec<V>,
    /// Keys with a greater hash are not kept.
    greatest: u64,
    others: V,
}

impl<K: Eq + Hash + Clone, V: Default + AddAssign> Bounded<K, V> {
    pub(crate) fn new(limit: usize) -> Bounded<K, V> {
        let index = HashMap::with_hasher(RandomState::default());
        Bounded { limit, index, values: Vec::new(), greatest: u64::MAX, others: V::default() }
    }

    /// Returns the value of a key, or that of all keys that are not kept.
    pub(crate) fn at<Q>(&mut self, key: &Q) -> &mut V
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        if let Some(&position) = self.index.get(key) {
            return &mut self.values[position];
        }
        if self.greatest < u64::MAX && stable_hash(key) > self.greatest {
            return &mut self.others;
        }
        if self.values.len() >= 2 * self.limit {
            self.shrink();
            return self.at(key);
        }
        self.index.insert(key.to_owned(), self.values.len());
        self.values.push(V::default());
        let last = self.values.len() - 1;
        &mut self.values[last]
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// Adds to the value of the keys that are not kept.
    pub(crate) fn add_to_others(&mut self, value: V) {
        self.others += value;
    }

    /// Adds what another map has counted.
    pub(crate) fn merge(&mut self, other: Bounded<K, V>) {
        // What one of the two did not keep, the other does not keep either.
        if other.greatest < self.greatest {
            self.greatest = other.greatest;
            self.drop_greater();
        }
        self.others += other.others;
        let mut values: Vec<Option<V>> = other.values.into_iter().map(Some).collect();
        for (key, position) in other.index {
            if let Some(value) = values.get_mut(position).and_then(Option::take) {
                *self.at(&key) += value;
            }
        }
    }

    /// Returns the keys that are kept, in no order, and the value of all others.
    pub(crate) fn finish(mut self) -> (Vec<(K, V)>, V) {
        if self.values.len() > self.limit {
            self.shrink();
        }
        let mut values: Vec<Option<V>> = self.values.into_iter().map(Some).collect();
        let pairs = self.index.into_iter();
        let kept = pairs.filter_map(|(key, position)| Some((key, values.get_mut(position)?.take()?)));
        (kept.collect(), self.others)
    }

    /// Keeps the `limit` keys with the least hash.
    fn shrink(&mut self) {
        let mut hashes: Vec<u64> = self.index.keys().map(stable_hash).collect();
        hashes.sort_unstable();
        if let Some(greatest) = hashes.get(self.limit.saturating_sub(1)) {
            self.greatest = self.greatest.min(*greatest);
        }
        self.drop_greater();
    }

    fn drop_greater(&mut self) {
        let mut values: Vec<Option<V>> = std::mem::take(&mut self.values).into_iter().map(Some).collect();
        for (key, position) in std::mem::take(&mut self.index) {
            let Some(value) = values.get_mut(position).and_then(Option::take) else { continue };
            if stable_hash(&key) > self.greatest {
                self.others += value;
            } else {
                self.index.insert(key, self.values.len());
                self.values.push(value);
            }
        }
    }
}

/// Hashes a key in the same way in every process.
fn stable_hash<Q: Hash + ?Sized>(key: &Q) -> u64 {
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    key.hash(&mut hasher);
    // FNV alone spreads short keys badly over its high bits.
    let mut hash = hasher.0;
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^ (hash >> 29)
}

/// FNV-1a.
struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, octets: &[u8]) {
        for octet in octets {
            self.0 = (self.0 ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Bounded;

    fn counted(keys: impl Iterator<Item = u32>, limit: usize) -> Bounded<String, u64> {
        let mut bounded = Bounded::new(limit);
        for key in keys {
            *bounded.at(key.to_string().as_str()) += 1;
        }
        bounded
    }

    fn finished(bounded: Bounded<String, u64>) -> (Vec<(String, u64)>, u64) {
        let (mut kept, others) = bounded.finish();
        kept.sort();
        (kept, others)
    }

    #[test]
    fn the_order_does_not_matter() {
        let keys = || (0..1000_u32).flat_map(|key| (0..=key % 3).map(move |_| key));
        let (kept, others) = finished(counted(keys(), 50));
        assert_eq!(kept.len(), 50);
        assert_eq!(kept.iter().map(|(_, count)| count).sum::<u64>() + others, keys().count() as u64);
        for (key, count) in &kept {
            assert_eq!(*count, key.parse::<u64>().unwrap() % 3 + 1, "{key}");
        }
        let mut backwards: Vec<u32> = keys().collect();
        backwards.reverse();
        assert_eq!(finished(counted(backwards.into_iter(), 50)), (kept.clone(), others));
        for parts in [2, 3, 7] {
            let part = |nth| {
                counted(
                    keys().enumerate().filter(move |(index, _)| index % parts == nth).map(|(_, key)| key),
                    50,
                )
            };
            let mut merged = part(parts - 1);
            (0..parts - 1).for_each(|nth| merged.merge(part(nth)));
            assert_eq!(finished(merged), (kept.clone(), others), "{parts} parts");
        }
    }
}
