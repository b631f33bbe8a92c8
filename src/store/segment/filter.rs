//! What a row group's words are, so that most groups need not be read for a word.
//!
//! Words of three characters and more leave their triples in a bitmap, which is exact; whole words leave their hash in a
//! split block Bloom filter as the Parquet format defines it (xxHash64 with seed 0, eight bits in one block of 32 bytes).

use foldhash::HashSet;
use parquet::bloom_filter::Sbbf;
use serde_json::Value;
use twox_hash::XxHash64;

use crate::query::words::{Gram, TRIPLES, each_word, triple};

/// Bits of the filter for each different word: about one in forty absent words is thought possible.
const BITS_A_WORD: usize = 8;
const BLOCK_BYTES: usize = 32;
/// The constants of the Parquet format.
const SALT: [u32; 8] = [
    0x47b6_137b,
    0x4497_4d91,
    0x8824_ad5b,
    0xa2b7_289d,
    0x7054_95c7,
    0x2df1_424b,
    0x9efc_4947,
    0x5c6b_fb31,
];
/// Hashes remembered so that the same words are not added again and again.
const RECENT: usize = 8_192;

/// Words of a row group, being gathered.
#[derive(Debug)]
pub(super) struct Gathering {
    triples: Vec<u64>,
    words: HashSet<u64>,
    recent: Vec<u64>,
}

impl Default for Gathering {
    fn default() -> Self {
        Self {
            triples: vec![0; TRIPLES.div_ceil(64)],
            words: HashSet::default(),
            recent: vec![0; RECENT],
        }
    }
}

impl Gathering {
    pub fn add(&mut self, text: &str) {
        each_word(text, |word, _, _| {
            let hash = XxHash64::oneshot(0, word);
            let slot = &mut self.recent[usize::try_from(hash % RECENT as u64).unwrap_or(0)];
            // Equal hashes are equal bits in the filter, but not equal triples: words of another hash only.
            if *slot == hash {
                return;
            }
            *slot = hash;
            if !self.words.insert(hash) {
                return;
            }
            for window in word.windows(3) {
                let triple = triple([window[0], window[1], window[2]]);
                self.triples[triple / 64] |= 1 << (triple % 64);
            }
        });
    }

    /// The words of a value of the fields as they may be asked for: of its print, of its members.
    pub fn add_value(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.add(text),
            Value::Number(number) => self.add(&number.to_string()),
            Value::Bool(truth) => self.add(if *truth { "true" } else { "false" }),
            Value::Null => self.add("null"),
            Value::Array(items) => items.iter().for_each(|item| self.add_value(item)),
            Value::Object(map) => map.iter().for_each(|(name, value)| {
                self.add(name);
                self.add_value(value);
            }),
        }
    }

    /// The bytes of the triples and of the filter of words, and starts anew.
    pub fn finish(&mut self) -> (Vec<u8>, Vec<u8>) {
        let gathered = std::mem::take(self);
        let triples = gathered
            .triples
            .iter()
            .flat_map(|bits| bits.to_le_bytes())
            .collect();
        let blocks = (gathered.words.len() * BITS_A_WORD)
            .div_ceil(BLOCK_BYTES * 8)
            .max(1);
        let mut words = vec![0; blocks * BLOCK_BYTES];
        for hash in gathered.words {
            let block = usize::try_from(((hash >> 32) * blocks as u64) >> 32).unwrap_or(0);
            let low = u32::try_from(hash & u64::from(u32::MAX)).unwrap_or(0);
            for (at, salt) in SALT.iter().enumerate() {
                let bit = low.wrapping_mul(*salt) >> 27;
                words[block * BLOCK_BYTES + at * 4 + bit as usize / 8] |= 1 << (bit % 8);
            }
        }
        (triples, words)
    }
}

/// Whether a row group's triples may hold this; words are not known here.
pub(super) fn in_triples(triples: &[u8], gram: &Gram) -> bool {
    match gram {
        Gram::Triple(triple) => triples
            .get(triple / 8)
            .is_none_or(|byte| byte & (1 << (triple % 8)) != 0),
        Gram::Word(_) => true,
    }
}

/// Whether a row group's filter of words may hold this; triples are not known here.
pub(super) fn in_words(words: &Sbbf, gram: &Gram) -> bool {
    match gram {
        Gram::Word(word) => words.check(word.as_str()),
        Gram::Triple(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_gathered_is_found_and_little_else() {
        let mut gathering = Gathering::default();
        for n in 0..5_000 {
            gathering.add(&format!("order {n:08x} shipped"));
        }
        gathering.add_value(&serde_json::json!({"user": {"id": ["U7", 250]}}));
        let (triples, words) = gathering.finish();
        let words = Sbbf::new(&words);
        let word = |text: &str| Gram::Word(text.to_owned());
        for n in 0..5_000 {
            assert!(in_words(&words, &word(&format!("{n:08x}"))));
        }
        for text in ["user", "id", "u7", "250", "shipped"] {
            assert!(in_words(&words, &word(text)), "{text}");
        }
        let wrong = (0..5_000)
            .filter(|n| in_words(&words, &word(&format!("absent{n}"))))
            .count();
        assert!(
            wrong < 250,
            "{wrong} of 5,000 absent words are thought possible"
        );
        assert!(in_triples(&triples, &Gram::Triple(triple(*b"ipp"))));
        assert!(!in_triples(&triples, &Gram::Triple(triple(*b"xyz"))));
    }
}
