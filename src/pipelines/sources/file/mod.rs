//! Files: found, read, followed through rotation, and gone on with after a restart at the byte where they stopped.
//!
//! ```text
//! Places --look--> Found --State--> Tracked (one a file) --step: chunk, lines--> records and a Mark
//!   '-- Wake: the system tells of changes; where it does not, everything is looked at in intervals
//! ```
//!
//! A file is its device and number, not its name. One that was rotated away is read to its end before it is let go; one
//! that was cut (`copytruncate`) is read on in the copy that was made of it; one that came and went between two looks is
//! found under the name it was rotated to. What a copytruncate can lose is what is written between its copy and its cut.

mod copies;
mod let_be;
mod look;
mod state;
mod tracked;
mod wake;

use std::time::{Duration, Instant};

use super::outlet::Outlet;
use crate::pipelines::Error;
use crate::pipelines::options::FilesOptions;
use look::Places;
use state::{State, Taken};
use tracked::Bounds;
use wake::Wake;

/// Changes come in crowds: after the first, so long is waited for the others.
const CROWD: Duration = Duration::from_millis(5);
/// Intervals between two looks at the directory where the system tells of changes: looking is only a precaution then.
const TOLD: u32 = 5;
/// Chunks of one file before it is another's turn.
const TURN: usize = 16;

/// Files that were looked at once: what was there then is old, what comes later is new.
#[derive(Debug)]
pub(in crate::pipelines) struct FileSource {
    state: Box<State>,
    wake: Wake,
    interval: Duration,
}

impl FileSource {
    /// Looks at the files for the first time.
    ///
    /// # Errors
    /// What is said of them is not understood. A directory that is not there may come later.
    pub async fn open(options: &FilesOptions, outlet: &Outlet) -> Result<Self, Error> {
        let places = Places::new(options)?;
        let wake = Wake::new(places.root(), places.is_recursive());
        let bounds = Bounds {
            multiline: options.multiline_timeout.0,
            partial: options.partial_timeout.0,
            rotate: options.rotate_wait.0,
            max_line: usize::try_from(options.max_line.0)
                .unwrap_or(usize::MAX)
                .max(1),
        };
        let own = outlet.clone();
        let mut state = Box::new(State::new(
            places,
            own,
            options.start,
            options.offsets,
            bounds,
        ));
        let looking = tokio::task::spawn_blocking(move || (state.look(), state)).await;
        let (looked, state) = looking.map_err(|error| Error::Said(error.to_string()))?;
        let marks = looked.unwrap_or_else(|error| {
            outlet.trouble("the directory cannot be read", &error);
            Vec::new()
        });
        outlet.begin(&marks);
        Ok(Self {
            state,
            wake,
            interval: options.check_interval.0.max(Duration::from_millis(10)),
        })
    }
}

/// Reads until the outlet is told to stop.
pub(super) async fn run(source: FileSource, outlet: Outlet) {
    let FileSource {
        state,
        mut wake,
        interval,
    } = source;
    let mut reading = Reading {
        state: Some(state),
        outlet: outlet.clone(),
    };
    let mut looked = Some(Instant::now());
    let patience = |wake: &Wake| interval * if wake.is_told() { TOLD } else { 1 };
    while !outlet.stopping.is_cancelled() {
        let is_due = looked.is_none_or(|looked| looked.elapsed() >= patience(&wake));
        if wake.has_new_names() || is_due || reading.has_undecided() {
            reading.look().await;
            looked = Some(Instant::now());
        }
        if reading.pass().await {
            continue;
        }
        // Files that are open are asked for their length more often than the directory for its files: on network file
        // systems changes made elsewhere are not told.
        let next = Instant::now() + interval;
        let due = reading.due().map_or(next, |due| due.min(next));
        tokio::select! {
            () = tokio::time::sleep_until(due.into()) => {}
            () = wake.woken() => tokio::time::sleep(CROWD).await,
            () = outlet.stopping.cancelled() => {}
        }
    }
}

/// The files of a source, worked on where blocking is allowed.
struct Reading {
    state: Option<Box<State>>,
    outlet: Outlet,
}

impl Reading {
    async fn blocking<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut State) -> T + Send + 'static,
    ) -> Option<T> {
        let mut state = self.state.take()?;
        let done = tokio::task::spawn_blocking(move || (work(&mut state), state)).await;
        let (done, state) = done.ok()?;
        self.state = Some(state);
        Some(done)
    }

    async fn look(&mut self) {
        match self.blocking(State::look).await {
            Some(Ok(marks)) if marks.is_empty() => {}
            Some(Ok(marks)) => self.outlet.give_filtered(Vec::new(), marks).await,
            Some(Err(error)) => self.outlet.trouble("the directory cannot be read", &error),
            None => {}
        }
    }

    /// Reads what there is of every file in turn; whether there may be more.
    async fn pass(&mut self) -> bool {
        let (mut at, mut has_more) = (0, false);
        while let Some(state) = &self.state
            && let Some(tracked) = state.tracked.get(at)
        {
            // What was rotated away is older than what came after it.
            let turn = if tracked.is_current() {
                TURN
            } else {
                usize::MAX
            };
            let mut steps = 0;
            while steps < turn {
                let Some(taken) = self.blocking(move |state| state.step(at)).await else {
                    return false;
                };
                let is_read = taken.has_more;
                self.give(taken).await;
                if self.outlet.stopping.is_cancelled() {
                    return false;
                }
                if !is_read {
                    break;
                }
                steps += 1;
            }
            has_more |= steps == turn;
            at += 1;
        }
        let has_files = at > 0;
        if has_files && let Some(taken) = self.blocking(State::let_go).await {
            self.give(taken).await;
        }
        if let Some(state) = &self.state {
            self.outlet.figures.lag(state.lag());
        }
        has_more
    }

    async fn give(&self, taken: Taken) {
        match &taken.failure {
            Some(error) => self.outlet.trouble("a file cannot be read", error),
            None if taken.bytes > 0 => self.outlet.figures.well(),
            None => {}
        }
        self.outlet
            .figures
            .moved(usize::try_from(taken.bytes).unwrap_or(usize::MAX));
        if !taken.records.is_empty() || !taken.marks.is_empty() {
            self.outlet.give_filtered(taken.records, taken.marks).await;
        }
    }

    fn has_undecided(&self) -> bool {
        self.state.as_ref().is_some_and(|state| state.has_undecided)
    }

    fn due(&self) -> Option<Instant> {
        self.state.as_ref()?.due()
    }
}
