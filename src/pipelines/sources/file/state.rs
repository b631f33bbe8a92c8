//! All files of a source: which are read, from where, and which are let be.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use super::copies::{Likeness, likeness, line_start};
use super::let_be::LetBe;
use super::look::{Found, Places, is_compressed};
use super::tracked::{Bounds, Place, Step, Tracked};
use crate::files::FileId;
use crate::pipelines::options::Start;
use crate::pipelines::record::{Mark, Record};
use crate::pipelines::sources::lines::LineDecoder;
use crate::pipelines::sources::outlet::Outlet;

/// The files of a source.
#[derive(Debug)]
pub(super) struct State {
    places: Places,
    outlet: Outlet,
    start: Start,
    offsets: bool,
    pub bounds: Bounds,
    /// What is read, the oldest first.
    pub tracked: Vec<Tracked>,
    /// What is let be: rotated away long ago, read to its end, compressed.
    let_be: LetBe,
    /// What an earlier life left; taken when its file is found.
    checkpoints: Option<HashMap<FileId, Place>>,
    written: Option<SystemTime>,
    is_first_look: bool,
    /// A file was found of which it cannot be told yet what it is: it may be a copy that is being made.
    pub has_undecided: bool,
    buffer: Vec<u8>,
}

/// What becomes of a file that was found.
enum Begun {
    At(Box<Tracked>),
    LetBe,
    Undecided,
}

/// Where reading of it begins, if it does.
enum Offset {
    At(u64),
    LetBe,
    Undecided,
}

/// What a step came to.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub records: Vec<Record>,
    pub marks: Vec<Mark>,
    pub has_more: bool,
    pub failure: Option<io::Error>,
    pub bytes: u64,
}

impl State {
    pub fn new(
        places: Places,
        outlet: Outlet,
        start: Start,
        offsets: bool,
        bounds: Bounds,
    ) -> Self {
        let saved = outlet.places();
        let checkpoints = saved.map(|saved| {
            let places = saved.into_iter().filter_map(|(key, place)| {
                Some((FileId::from_key(&key)?, serde_json::from_value(place).ok()?))
            });
            places.collect()
        });
        Self {
            written: outlet.written(),
            places,
            outlet,
            start,
            offsets,
            bounds,
            tracked: Vec::new(),
            let_be: LetBe::default(),
            checkpoints,
            is_first_look: true,
            has_undecided: false,
            buffer: Vec::new(),
        }
    }

    /// Looks what is there; where reading begins of what is new.
    pub fn look(&mut self) -> io::Result<Vec<Mark>> {
        let found = self.places.look();
        if found
            .as_ref()
            .is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
        {
            // What is in a directory that comes later is new.
            self.is_first_look = false;
        }
        let found = found?;
        let mut marks = Vec::new();
        for tracked in &mut self.tracked {
            let own = found.iter().find(|one| one.id == tracked.id);
            tracked.set_current(own.is_some_and(|one| !one.is_rotated));
        }
        self.has_undecided = false;
        let listed = |id: &FileId| found.iter().any(|one| one.id == *id);
        self.let_be.retain(listed);
        for one in &found {
            let is_tracked = self.tracked.iter().any(|tracked| tracked.id == one.id);
            if is_tracked || self.let_be.holds(one) {
                continue;
            }
            match self.begin(one) {
                Ok(Begun::At(tracked)) => {
                    marks.push(self.mark(&tracked));
                    // What was rotated away is older than what is written now.
                    let at = self.tracked.iter().position(Tracked::is_current);
                    let at = at.filter(|_| one.is_rotated);
                    self.tracked
                        .insert(at.unwrap_or(self.tracked.len()), *tracked);
                }
                Ok(Begun::LetBe) => {}
                Ok(Begun::Undecided) => self.has_undecided = true,
                // It vanished, or may not be read: the others are read all the same.
                Err(error) => {
                    if error.kind() != io::ErrorKind::NotFound {
                        let path = one.path.display();
                        self.outlet
                            .trouble(&format!("{path} cannot be read"), &error);
                    }
                }
            }
        }
        if self.is_first_look {
            // Files that are gone need no longer be remembered.
            let gone = self
                .checkpoints
                .as_mut()
                .map(std::mem::take)
                .unwrap_or_default();
            let forgotten = gone.keys().filter(|id| !listed(id));
            marks.extend(forgotten.map(|id| self.outlet.mark(id.key(), None)));
        }
        self.is_first_look = false;
        Ok(marks)
    }

    /// Begins to read a file that was not known, if it is to be read.
    fn begin(&mut self, found: &Found) -> io::Result<Begun> {
        let file = File::open(&found.path)?;
        let metadata = file.metadata()?;
        if FileId::of(&metadata) != found.id {
            // Another was put in its place meanwhile: the next look finds it.
            return Ok(Begun::Undecided);
        }
        if is_compressed(&file) {
            self.let_be.add(found, &file);
            return Ok(Begun::LetBe);
        }
        let offset = match self.offset(found, &file, metadata.len()) {
            Offset::At(offset) => offset,
            Offset::Undecided => return Ok(Begun::Undecided),
            Offset::LetBe => {
                self.let_be.add(found, &file);
                return Ok(Begun::LetBe);
            }
        };
        let lines = self.lines(&found.path);
        let mut tracked = Tracked::new(found.id, found.path.clone(), file, offset, lines);
        tracked.set_current(!found.is_rotated);
        Ok(Begun::At(Box::new(tracked)))
    }

    fn offset(&mut self, found: &Found, file: &File, length: u64) -> Offset {
        // An earlier life read it, or what it is a copy of.
        if let Some(checkpoints) = &mut self.checkpoints {
            let fits = |place: &Place| {
                place.offset <= length && (place.head.is_empty() || place.head.begins(file))
            };
            if let Some(place) = checkpoints.get(&found.id).filter(|place| fits(place)) {
                let offset = place.offset;
                checkpoints.remove(&found.id);
                return Offset::At(offset);
            }
            let is_original = |id: &FileId, place: &Place| {
                let original = std::fs::metadata(&place.path);
                *id != found.id
                    && !place.head.is_empty()
                    && fits(place)
                    && original.is_ok_and(|original| original.len() < place.offset)
            };
            let mut copied = checkpoints.iter();
            let copied = copied.find(|(id, place)| is_original(id, place));
            if let Some(id) = copied.map(|(id, _)| *id).filter(|_| self.is_first_look)
                && let Some(place) = checkpoints.remove(&id)
            {
                return Offset::At(place.offset);
            }
        } else if self.is_first_look {
            return match self.start {
                _ if found.is_rotated => Offset::LetBe,
                Start::Beginning => Offset::At(0),
                Start::End => Offset::At(line_start(file, length)),
            };
        }
        if self.is_first_look && found.is_rotated {
            let was_before = |written| found.modified <= written;
            if self.written.is_none_or(was_before) {
                return Offset::LetBe;
            }
        }
        if length == 0 && !self.is_first_look {
            // It may become anything.
            return Offset::Undecided;
        }
        let copies = self.tracked.iter();
        let copied = copies.map(|one| likeness(one, found, file, length, self.bounds.rotate));
        match copied.max().unwrap_or(Likeness::None) {
            Likeness::None => Offset::At(0),
            Likeness::Perhaps => Offset::Undecided,
            Likeness::Copy => Offset::LetBe,
        }
    }

    fn lines(&self, path: &Path) -> LineDecoder {
        LineDecoder::new(&self.outlet, path.display().to_string(), self.offsets)
    }

    fn mark(&self, tracked: &Tracked) -> Mark {
        let place = serde_json::to_value(tracked.place()).ok();
        self.outlet.mark(tracked.id.key(), place)
    }

    /// Reads on in one file, up to a chunk.
    pub fn step(&mut self, at: usize) -> Taken {
        let mut taken = Taken::default();
        let Some(tracked) = self.tracked.get_mut(at) else {
            return taken;
        };
        let before = tracked.offset;
        let step = tracked.step(&mut self.buffer, &self.bounds, &mut taken.records);
        match step {
            Ok(Step::Read) => {
                taken.has_more = true;
                taken.bytes = tracked.offset - before;
            }
            Ok(Step::Idle) => {
                // What was rotated away is complete: what comes next is another's.
                let multiline = if tracked.is_current() {
                    self.bounds.multiline
                } else {
                    Duration::ZERO
                };
                tracked.settle(multiline, &mut taken.records);
            }
            Ok(Step::Truncated) => {
                self.truncated(at, &mut taken);
                taken.has_more = true;
            }
            Err(error) => taken.failure = Some(error),
        }
        if (taken.bytes > 0 || !taken.records.is_empty())
            && let Some(tracked) = self.tracked.get(at)
        {
            taken.marks.push(self.mark(tracked));
        }
        self.outlet.filter(&mut taken.records);
        taken
    }

    /// A file was cut: what was not read of it is in its copy, if whoever cut it made one.
    fn truncated(&mut self, at: usize, taken: &mut Taken) {
        let Some(cut) = self.tracked.get_mut(at) else {
            return;
        };
        // What waits for its continuation lies before the cut.
        let waited = cut.place().offset;
        cut.settle(Duration::ZERO, &mut taken.records);
        let (head, tail, offset, path) = (cut.head, cut.tail.clone(), cut.offset, cut.path.clone());
        cut.begin_anew();
        let mut before = Vec::new();
        for found in self.places.look().unwrap_or_default() {
            let is_known = self.tracked.iter().any(|one| one.id == found.id);
            if is_known || self.let_be.knows(found.id) {
                continue;
            }
            let Ok(file) = File::open(&found.path) else {
                continue;
            };
            if head.is_empty() || !head.begins(&file) {
                // A copy of what was written and cut again meanwhile, perhaps.
                if found.is_rotated
                    && let Ok(Begun::At(tracked)) = self.begin(&found)
                {
                    before.push(*tracked);
                }
                continue;
            }
            let length = file.metadata().map_or(0, |metadata| metadata.len());
            if length > offset && tail.stands_before(offset, &file) {
                let lines = self.lines(&path);
                let mut copy = Tracked::new(found.id, found.path.clone(), file, offset, lines);
                copy.set_current(false);
                before.insert(0, copy);
            } else {
                self.let_be.add(&found, &file);
            }
        }
        tracing::info!(file = %path.display(), offset, waited, copies = before.len(), "a file was cut and is read from its beginning");
        if let Some(mark) = self.tracked.get(at).map(|cut| self.mark(cut)) {
            taken.marks.push(mark);
        }
        // Before the one that was cut: what they hold is older.
        for copy in before.into_iter().rev() {
            taken.marks.push(self.mark(&copy));
            self.tracked.insert(at, copy);
        }
    }

    /// Lets go of files that were rotated away and read to their ends.
    pub fn let_go(&mut self) -> Taken {
        let mut taken = Taken::default();
        while let Some(at) = self
            .tracked
            .iter()
            .position(|one| one.is_done(&self.bounds))
        {
            let mut done = self.tracked.remove(at);
            self.let_copies_be(&done);
            let (buffer, bounds) = (&mut self.buffer, &self.bounds);
            done.finish(buffer, bounds, &mut taken.records);
            taken.marks.push(self.outlet.mark(done.id.key(), None));
            self.let_be.add_file(done.id, &done.file);
        }
        self.outlet.filter(&mut taken.records);
        taken
    }

    /// Copies of a file that is let go would be taken for files of their own.
    fn let_copies_be(&mut self, done: &Tracked) {
        for found in self.places.look().unwrap_or_default() {
            let is_known = self.tracked.iter().any(|one| one.id == found.id);
            if is_known || found.id == done.id || done.head.is_empty() {
                continue;
            }
            if let Ok(file) = File::open(&found.path)
                && done.head.begins(&file)
            {
                self.let_be.add(&found, &file);
            }
        }
    }

    /// When to look again although nothing happens.
    pub fn due(&self) -> Option<Instant> {
        let due = |tracked: &Tracked| tracked.due(&self.bounds);
        self.tracked.iter().filter_map(due).min()
    }

    /// Bytes that are there and were not taken.
    pub fn lag(&self) -> u64 {
        self.tracked.iter().map(|tracked| tracked.lag).sum()
    }
}
