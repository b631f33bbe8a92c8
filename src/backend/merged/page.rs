//! Pages of several logs, merged.
//!
//! Each member is asked for a full page beyond the same place. Where its page stops, for being full or because its scan came
//! no further, nothing is known of it: so what lies beyond the nearest such edge is withheld, and read again by the next
//! page, which begins there. A page that such an edge keeps short is partial, as that of any log.

use futures_util::future::BoxFuture;

use super::member::Held;
use super::{Merged, Question, answer};
use crate::api::MAX_LIMIT;
use crate::backend::Error;
use crate::base::Time;
use crate::entry::{Entry, Key, Position};
use crate::query::{
    ContextRequest, Cursor, Direction, Page, PageRequest, Progress, Query, Start, Ties,
};

/// Entries of one time that [`Ties::Whole`] takes beyond the limit.
const MAX_TIES: usize = 5_000;

impl Merged {
    /// Reads one page; it may be partial, then its cursor goes on. Its head is a token for [`Merged::follow`].
    ///
    /// # Errors
    /// No member answers.
    pub fn page(&self, request: PageRequest) -> BoxFuture<'_, Result<Page, Error>> {
        Box::pin(async move {
            let (page, heads) = self.read(&request).await?;
            let head = self.0.heads.keep(heads);
            Ok(Page { head, ..page })
        })
    }

    /// One entry, if it is kept.
    ///
    /// # Errors
    /// The log that it is of does not answer.
    pub fn entry(&self, position: Position) -> BoxFuture<'_, Result<Option<Entry>, Error>> {
        Box::pin(async move {
            let Some((member, own)) = self.of(position) else {
                return Ok(None);
            };
            let backend = member.backend.clone();
            let question: Question<Option<Entry>> =
                Box::pin(async move { backend.entry(own).await });
            let found = answer(member, question).await?;
            Ok(found.map(|entry| member.entry(entry)))
        })
    }

    /// What surrounds an entry in all logs; `None` when it is not kept.
    ///
    /// # Errors
    /// The log that it is of does not answer.
    pub fn context(&self, request: ContextRequest) -> BoxFuture<'_, Result<Option<Page>, Error>> {
        Box::pin(async move {
            let Some(entry) = self.entry(request.position).await? else {
                return Ok(None);
            };
            let [older, newer] = request.sides(entry.key());
            let page = self.page(older).await?;
            let after = self.page(newer).await?;
            Ok(Some(page.around(entry, after)))
        })
    }

    /// Shows the newest entries that match, up to so many; whether there may be more.
    ///
    /// # Errors
    /// No member answers.
    pub(super) async fn sample(
        &self,
        query: &Query,
        now: Time,
        most: u64,
        see: &mut (dyn FnMut(&Entry) + Send),
    ) -> Result<bool, Error> {
        let (mut seen, mut start) = (0, Start::End);
        while seen < most {
            let request = PageRequest {
                query: query.clone(),
                now,
                start,
                direction: Direction::Older,
                limit: usize::try_from(most - seen).map_or(MAX_LIMIT, |rest| rest.min(MAX_LIMIT)),
                ties: Ties::Split,
            };
            let (page, _) = self.read(&request).await?;
            for entry in page.entries.iter().rev() {
                see(entry);
            }
            seen += page.entries.len() as u64;
            match page.older {
                Some(cursor) => start = Start::Beyond(cursor.key),
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// One page, and the head of each member that answered.
    async fn read(&self, request: &PageRequest) -> Result<(Page, Vec<Option<Position>>), Error> {
        let questions = self.questions::<Page>(|member| {
            let (backend, asked) = (member.backend.clone(), asked(member, request));
            Box::pin(async move { backend.page(asked).await })
        });
        let answers = self.answers(questions).await?;
        let mut heads = vec![None; self.0.members.len()];
        for (member, page) in &answers {
            if let Some(head) = heads.get_mut(member.index) {
                *head = Some(page.head);
            }
        }
        let mut merging = Merging::new(request);
        for (member, page) in answers {
            merging.take(member, page);
        }
        Ok((merging.done(), heads))
    }
}

/// The page that a member is asked for. A service gives no more than so many entries at once, and none is no page.
fn asked(member: &Held, request: &PageRequest) -> PageRequest {
    PageRequest {
        query: member.query(&request.query, request.now),
        now: request.now,
        start: match request.start {
            Start::End => Start::End,
            Start::Beyond(key) => Start::Beyond(member.start(key, request.direction)),
        },
        direction: request.direction,
        limit: request.limit.clamp(1, MAX_LIMIT),
        ties: request.ties,
    }
}

/// A page in the making.
struct Merging<'r> {
    request: &'r PageRequest,
    entries: Vec<Entry>,
    /// The nearest place at which a member's page stopped: beyond it, something may be missing.
    edge: Option<Key>,
    progress: Progress,
}

impl<'r> Merging<'r> {
    fn new(request: &'r PageRequest) -> Self {
        Self {
            request,
            entries: Vec::new(),
            edge: None,
            progress: Progress::default(),
        }
    }

    /// Whether a key lies beyond another.
    fn is_beyond(&self, far: Key, near: Key) -> bool {
        match self.request.direction {
            Direction::Older => far < near,
            Direction::Newer => far > near,
        }
    }

    /// Takes a member's page in.
    fn take(&mut self, member: &Held, page: Page) {
        let forward: Option<Cursor> = match self.request.direction {
            Direction::Older => page.older,
            Direction::Newer => page.newer,
        };
        if let Some(cursor) = forward {
            let edge = member.edge(cursor.key);
            let nearest = self.edge.filter(|known| !self.is_beyond(*known, edge));
            self.edge = Some(nearest.unwrap_or(edge));
        }
        self.progress.scanned += page.progress.scanned;
        self.progress.total += page.progress.total;
        let entries = page.entries.into_iter().map(|entry| member.entry(entry));
        self.entries.extend(entries);
    }

    /// The merged page: as far as all members are known, and as long as was asked for.
    fn done(mut self) -> Page {
        let mut entries = std::mem::take(&mut self.entries);
        // The nearest first. Each member's are in order already, which this sort makes use of.
        entries.sort_by_key(Entry::key);
        if self.request.direction == Direction::Older {
            entries.reverse();
        }
        if let Some(edge) = self.edge {
            let known = entries.partition_point(|entry| !self.is_beyond(entry.key(), edge));
            entries.truncate(known);
        }
        let wanted = self.wanted(&entries);
        let is_cut = wanted < entries.len();
        entries.truncate(wanted);
        let forward = if is_cut {
            Some(entries.last().map_or_else(|| self.start(), Entry::key))
        } else {
            self.edge
        };
        let is_short = entries.len() < self.request.limit || self.is_torn(&entries);
        let page = Page {
            partial: !is_cut && forward.is_some() && is_short,
            entries,
            progress: self.progress,
            ..Page::default()
        };
        page.placed(self.request, forward)
    }

    /// How many entries the page takes: its limit, and ties at its far edge if they are to be whole.
    fn wanted(&self, entries: &[Entry]) -> usize {
        let wanted = self.request.limit.min(entries.len());
        let (within, beyond) = entries.split_at(wanted);
        match (self.request.ties, within.last()) {
            (Ties::Whole, Some(last)) => {
                let is_tied = |entry: &&Entry| entry.time == last.time;
                wanted + beyond.iter().take(MAX_TIES).take_while(is_tied).count()
            }
            _ => wanted,
        }
    }

    /// Whether ties that are to be whole may go on beyond what is known: a plain time is no safe place to go on then.
    fn is_torn(&self, entries: &[Entry]) -> bool {
        let last = entries.last().map(|entry| entry.time);
        self.request.ties == Ties::Whole && last == self.edge.map(|edge| edge.time)
    }

    /// Where the page begins.
    fn start(&self) -> Key {
        match (self.request.start, self.request.direction) {
            (Start::Beyond(key), _) => key,
            (Start::End, Direction::Older) => Key::MAX,
            (Start::End, Direction::Newer) => Key::MIN,
        }
    }
}
