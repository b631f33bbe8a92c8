//! Where a source puts what it reads.

use std::sync::Arc;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::base::{Time, Zone};
use crate::entry::Entry;
use crate::entry::decode::{Decoder, Defaults};
use crate::pipelines::checkpoints::Places;
use crate::pipelines::figures::{Figures, Reason};
use crate::pipelines::lane::{Lane, told};
use crate::pipelines::record::{Batch, Mark, Record};
use crate::spool::SpoolError;

/// The lanes that a source feeds, and how what it reads becomes records.
#[derive(Clone, Debug)]
pub(in crate::pipelines) struct Outlet {
    /// Its name in statuses and checkpoints.
    pub id: Arc<str>,
    pub lanes: Vec<Arc<Lane>>,
    pub figures: Arc<Figures>,
    pub form: Form,
    /// The source shall end.
    pub stopping: CancellationToken,
}

/// How lines become records.
#[derive(Clone, Debug)]
pub(in crate::pipelines) struct Form {
    pub decoder: Decoder,
    /// Of times that name none.
    pub zone: Zone,
    pub multiline: bool,
    /// The line is kept as a field.
    pub keep_raw: bool,
    /// A sink wants lines as they came.
    pub keep_lines: bool,
    pub namespace: String,
}

impl Outlet {
    /// What entries get that come from a place.
    pub fn defaults(&self, source: impl Into<String>) -> Defaults {
        Defaults {
            namespace: self.form.namespace.clone(),
            source: Some(source.into()),
            zone: self.form.zone.clone(),
            ..Defaults::at(Time::now())
        }
    }

    /// Gives records to every lane, and how far the source was read with them.
    pub async fn give(&self, records: Vec<Record>, marks: Vec<Mark>) {
        self.figures.gave(records.len());
        let Some((last, others)) = self.lanes.split_last() else {
            return;
        };
        let batch = Batch { records, marks };
        for lane in others {
            lane.take(batch.clone()).await;
        }
        last.take(batch).await;
    }

    /// The same where there is one lane, whose filters the records went through.
    pub async fn give_filtered(&self, records: Vec<Record>, marks: Vec<Mark>) {
        if let [lane] = self.lanes.as_slice() {
            lane.put(Batch { records, marks }).await;
        }
    }

    /// Puts records through the filters, where there is one lane.
    pub fn filter(&self, records: &mut Vec<Record>) {
        self.figures.gave(records.len());
        if let [lane] = self.lanes.as_slice() {
            lane.filter(records);
        }
    }

    /// Returns when what was given would survive a power cut, as far as buffers can promise it.
    pub fn sync(&self) -> Result<(), SpoolError> {
        self.lanes.iter().try_for_each(|lane| lane.sync())
    }

    /// Where to go on after a restart; none where it was never read.
    pub fn places(&self) -> Option<Places> {
        self.lanes.first()?.checkpoints.of(&self.id)
    }

    /// Remembers where reading begins, before anything is read.
    pub fn begin(&self, marks: &[Mark]) {
        for lane in &self.lanes {
            if let Err(error) = lane.checkpoints.begin(&self.id, marks.to_vec()) {
                self.trouble("where reading begins cannot be remembered", &error);
            }
        }
    }

    /// When the places were written.
    pub fn written(&self) -> Option<std::time::SystemTime> {
        self.lanes.first()?.checkpoints.written()
    }

    /// How far it was read.
    pub fn mark(&self, key: impl Into<String>, at: Option<Value>) -> Mark {
        Mark {
            source: Arc::clone(&self.id),
            key: key.into(),
            at,
        }
    }

    /// Something failed and is tried again.
    pub fn trouble(&self, what: &str, error: &dyn std::error::Error) {
        self.figures.trouble(format!("{what}: {}", told(error)));
    }

    /// Something cannot be read and never will be.
    pub fn invalid(&self, count: u64) {
        self.figures.dropped(Reason::Invalid, count);
    }

    /// A record of an entry that was made of a line.
    pub fn record(&self, mut entry: Entry, line: &str) -> Record {
        if self.form.keep_raw {
            entry.fields.insert("raw".to_owned(), line.into());
        }
        Record {
            entry: Arc::new(entry),
            line: self.form.keep_lines.then(|| line.into()),
        }
    }
}
