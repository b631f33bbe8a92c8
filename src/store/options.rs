//! How a store behaves.

/// When an append is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// After fsync: survives power loss. Batches that wait together share one.
    #[default]
    Sync,
    /// After the write: survives the end of the process, not of the machine. For stores that are thrown away.
    None,
}

/// The knobs of a store; the defaults suit a laptop and a server alike.
#[derive(Clone, Debug)]
pub struct Options {
    /// When an append is answered.
    pub durability: Durability,
    /// Estimated bytes a memtable may hold before it is sealed. Three of them can be in memory at once: one filling,
    /// one being sealed, one waiting.
    pub memtable_bytes: usize,
    /// Entries a page looks at before it answers with what it has, so that a slow question stays progressive.
    pub scan_budget: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            durability: Durability::Sync,
            memtable_bytes: 24 << 20,
            scan_budget: 65_536,
        }
    }
}
