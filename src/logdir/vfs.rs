//! Where the bytes of a log come from: section 12 of the format's description.

use std::num::NonZeroUsize;

use lru::LruCache;

use super::Error;

/// Sources are read in whole pages of so many bytes.
pub const PAGE_BYTES: usize = 4096;

/// Pages of a source take so much memory at the most, unless it says otherwise.
pub const DEFAULT_CACHE_BYTES: usize = 16 << 20;

/// A source of bytes that only grows at its end.
///
/// Bodies: [`super::LogDirectorySource`], files here or behind a web server. Anything else that can tell its size and give
/// a range of bytes can be one.
pub trait Vfs {
    /// Called once before anything else; what it has at hand it may put into the cache, as the others may.
    ///
    /// # Errors
    /// The source cannot be opened.
    fn setup(&mut self, cache: &mut PageCache) -> Result<(), Error> {
        let _ = cache;
        Ok(())
    }

    /// Called once when it is not needed any more.
    ///
    /// # Errors
    /// The source cannot be closed.
    fn teardown(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// How many bytes there are, now.
    ///
    /// # Errors
    /// The source refuses.
    fn size(&mut self, cache: &mut PageCache) -> Result<u64, Error>;

    /// The bytes from an offset on, both whole pages; fewer only if the data ends there. More are cut off.
    ///
    /// # Errors
    /// The source refuses.
    fn read(&mut self, offset: u64, length: usize, cache: &mut PageCache)
    -> Result<Vec<u8>, Error>;

    /// Bytes of memory for pages; 0 keeps none.
    fn cache_size(&self) -> usize {
        DEFAULT_CACHE_BYTES
    }

    /// The part that holds a byte: a block never reaches from one into the next.
    fn part(&self, offset: u64) -> Part<'_> {
        let _ = offset;
        Part::WHOLE
    }
}

/// A stretch of a source that blocks do not leave: a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'n> {
    /// Its name; empty where it has none.
    pub name: &'n str,
    /// Where it begins in the source.
    pub start: u64,
    /// Where it ends: `None` while it may grow.
    pub end: Option<u64>,
}

impl Part<'_> {
    /// All there is.
    pub const WHOLE: Part<'static> = Part {
        name: "",
        start: 0,
        end: None,
    };
}

/// Whole pages of a source, those not used for longest given up first.
#[derive(Debug)]
pub struct PageCache {
    pages: Option<LruCache<u64, Box<[u8]>>>,
    bytes: usize,
}

impl PageCache {
    /// Room for so many bytes.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let pages = NonZeroUsize::new(bytes / PAGE_BYTES);
        Self {
            pages: pages.map(LruCache::new),
            bytes,
        }
    }

    /// Keeps a copy of the whole pages among some bytes; of more than there is room for, nothing.
    pub fn save(&mut self, offset: u64, bytes: &[u8]) {
        let Some(pages) = &mut self.pages else { return };
        if bytes.len() > self.bytes {
            return;
        }
        let page_bytes = PAGE_BYTES as u64;
        let first = offset.div_ceil(page_bytes);
        let skipped = usize::try_from(first * page_bytes - offset).unwrap_or(usize::MAX);
        let whole = bytes.get(skipped..).unwrap_or_default();
        for (number, page) in (first..).zip(whole.chunks_exact(PAGE_BYTES)) {
            pages.put(number, page.into());
        }
    }

    fn get(&mut self, page: u64) -> Option<&[u8]> {
        Some(self.pages.as_mut()?.get(&page)?)
    }
}

/// A source, read through a cache of pages.
#[derive(Debug)]
pub struct Paged<V> {
    source: V,
    cache: PageCache,
    open: bool,
    /// The source was asked so often, and for so many pages.
    reads: Reads,
}

/// How much was asked of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// Calls.
    pub calls: u64,
    /// Pages.
    pub pages: u64,
}

impl<V: Vfs> Paged<V> {
    /// A source that is not open yet.
    pub fn new(source: V) -> Self {
        Self {
            cache: PageCache::new(source.cache_size()),
            source,
            open: false,
            reads: Reads::default(),
        }
    }

    /// Opens the source.
    ///
    /// # Errors
    /// It is open, or cannot be opened.
    pub fn setup(&mut self) -> Result<(), Error> {
        if self.open {
            return Err(Error::Open);
        }
        self.source.setup(&mut self.cache)?;
        self.open = true;
        Ok(())
    }

    /// Closes the source; the cache stays.
    ///
    /// # Errors
    /// It is not open, or cannot be closed; then it counts as closed all the same.
    pub fn teardown(&mut self) -> Result<(), Error> {
        if !self.open {
            return Err(Error::Closed);
        }
        self.open = false;
        self.source.teardown()
    }

    /// Whether it is not open.
    pub fn is_closed(&self) -> bool {
        !self.open
    }

    /// How many bytes there are.
    ///
    /// # Errors
    /// It is not open, or the source refuses.
    pub fn size(&mut self) -> Result<u64, Error> {
        if !self.open {
            return Err(Error::Closed);
        }
        self.source.size(&mut self.cache)
    }

    /// The bytes of a range; fewer if the data ends there.
    ///
    /// # Errors
    /// It is not open, or the source refuses.
    pub fn read(&mut self, offset: u64, length: usize) -> Result<Vec<u8>, Error> {
        if !self.open {
            return Err(Error::Closed);
        }
        let page_bytes = PAGE_BYTES as u64;
        let (first, last) = (
            offset / page_bytes,
            (offset + length as u64).div_ceil(page_bytes),
        );
        let skipped = usize::try_from(offset % page_bytes).unwrap_or_default();
        let mut bytes = Vec::with_capacity(skipped + length + PAGE_BYTES);
        // Cached pages are used where the range begins and where it ends; what lies between is read at once.
        let mut next = first;
        while next < last
            && let Some(page) = self.cache.get(next)
        {
            bytes.extend_from_slice(page);
            next += 1;
        }
        let mut end = last;
        let mut tail: Vec<Box<[u8]>> = Vec::new();
        while end > next
            && let Some(page) = self.cache.get(end - 1)
        {
            tail.push(page.into());
            end -= 1;
        }
        if next < end {
            let wanted = usize::try_from(end - next).unwrap_or(usize::MAX) * PAGE_BYTES;
            let at = next * page_bytes;
            let mut middle = self.source.read(at, wanted, &mut self.cache)?;
            middle.truncate(wanted);
            self.reads.calls += 1;
            self.reads.pages += end - next;
            self.cache.save(at, &middle);
            let is_whole = middle.len() == wanted;
            bytes.append(&mut middle);
            if !is_whole {
                tail.clear();
            }
        }
        for page in tail.iter().rev() {
            bytes.extend_from_slice(page);
        }
        bytes.drain(..skipped.min(bytes.len()));
        bytes.truncate(length);
        Ok(bytes)
    }

    /// The part that holds a byte.
    pub fn part(&self, offset: u64) -> Part<'_> {
        self.source.part(offset)
    }

    /// What was asked of the source so far.
    pub fn reads(&self) -> Reads {
        self.reads
    }

    /// The source.
    pub fn into_inner(self) -> V {
        self.source
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes in memory that note what they are asked for.
    struct Memory {
        bytes: Vec<u8>,
        asked: Vec<(u64, usize)>,
        cache_size: usize,
        saves: Vec<(u64, Vec<u8>)>,
        more: bool,
    }

    impl Memory {
        fn of(pages: u8, cache_size: usize) -> Paged<Self> {
            let bytes = (0..pages).flat_map(|page| [page; PAGE_BYTES]).collect();
            Paged::new(Self {
                bytes,
                asked: Vec::new(),
                cache_size,
                saves: Vec::new(),
                more: false,
            })
        }
    }

    impl Vfs for Memory {
        fn size(&mut self, cache: &mut PageCache) -> Result<u64, Error> {
            for (offset, bytes) in &self.saves {
                cache.save(*offset, bytes);
            }
            Ok(self.bytes.len() as u64)
        }

        fn read(
            &mut self,
            offset: u64,
            length: usize,
            _: &mut PageCache,
        ) -> Result<Vec<u8>, Error> {
            self.asked.push((offset, length));
            let start = usize::try_from(offset).expect("small");
            let extra = if self.more { 100 } else { 0 };
            let end = self.bytes.len().min(start + length + extra);
            Ok(self.bytes[start.min(end)..end].to_vec())
        }

        fn cache_size(&self) -> usize {
            self.cache_size
        }
    }

    #[test]
    fn states_are_kept() {
        let mut paged = Memory::of(1, 0);
        assert!(paged.is_closed());
        assert!(matches!(paged.size(), Err(Error::Closed)));
        assert!(matches!(paged.read(0, 1), Err(Error::Closed)));
        assert!(matches!(paged.teardown(), Err(Error::Closed)));
        paged.setup().expect("opened");
        assert!(!paged.is_closed());
        assert!(matches!(paged.setup(), Err(Error::Open)));
        paged.teardown().expect("closed");
        assert!(paged.is_closed());
        paged.setup().expect("opened again");
        assert_eq!(paged.size().expect("a size"), 4096);
    }

    #[test]
    fn whole_pages_are_asked_for() {
        let mut paged = Memory::of(3, 0);
        paged.setup().expect("opened");
        assert_eq!(paged.read(5000, 89).expect("read"), [1; 89]);
        assert_eq!(paged.source.asked, [(4096, 4096)]);
        paged.source.more = true;
        assert_eq!(paged.read(4000, 200).expect("read").len(), 200);
        assert_eq!(paged.source.asked[1], (0, 8192));
        // The data ends: fewer.
        assert_eq!(paged.read(12_000, 5000).expect("read"), [2; 288]);
        assert_eq!(paged.read(20_000, 10).expect("read"), [0; 0]);
        assert_eq!(
            paged.reads(),
            Reads {
                calls: 4,
                pages: 1 + 2 + 3 + 1
            }
        );
    }

    #[test]
    fn pages_are_kept_within_the_bound() {
        let mut paged = Memory::of(8, 3 * PAGE_BYTES);
        paged.setup().expect("opened");
        let mut read = |pages: std::ops::Range<u64>| {
            let before = paged.reads().pages;
            let (at, length) = (
                pages.start * 4096,
                usize::try_from(pages.end - pages.start).expect("small") * 4096,
            );
            let bytes = paged.read(at, length).expect("read");
            let expected = pages
                .clone()
                .flat_map(|page| [u8::try_from(page).expect("small"); 4096]);
            assert!(bytes.into_iter().eq(expected), "{pages:?}");
            paged.reads().pages - before
        };
        assert_eq!(read(0..3), 3);
        assert_eq!(read(0..3), 0);
        // A hit counts as use: page 1 goes.
        assert_eq!((read(1..2), read(0..1), read(2..3)), (0, 0, 0));
        assert_eq!(read(3..4), 1);
        assert_eq!((read(0..1), read(2..3), read(1..2)), (0, 0, 1));
        // More than there is room for is not kept at all, and what was kept stays.
        assert_eq!(read(4..8), 4);
        assert_eq!((read(1..2), read(7..8)), (0, 1));
        // At both ends what is kept is used; the middle is read in one go.
        assert_eq!((read(3..4), read(5..6)), (1, 1));
        assert_eq!(read(3..6), 1);
    }

    #[test]
    fn a_source_may_save_what_it_has_at_hand() {
        let mut paged = Memory::of(8, 5 * PAGE_BYTES);
        // All but the first and the last byte of five pages: three whole pages.
        paged.source.saves = vec![(1, vec![9; 5 * PAGE_BYTES - 2])];
        paged.setup().expect("opened");
        paged.size().expect("a size");
        assert_eq!(paged.read(4096, 3 * 4096).expect("read"), [9; 3 * 4096]);
        assert_eq!(paged.source.asked, []);
        assert_eq!(paged.read(0, 1).expect("read"), [0]);
        assert_eq!(paged.read(5 * 4096 - 1, 1).expect("read"), [4]);
        assert_eq!(paged.source.asked.len(), 2);
        // One byte more than there is room for is not kept.
        let mut paged = Memory::of(8, PAGE_BYTES);
        paged.source.saves = vec![(0, vec![9; PAGE_BYTES + 1])];
        paged.setup().expect("opened");
        paged.size().expect("a size");
        assert_eq!(paged.read(0, 1).expect("read"), [0]);
    }
}
