//! Pipelines: sources, filters and sinks, without loss.
//!
//! ```text
//! source --records, Mark--> lane of each sink: filters -> buffer -> Sink --taken, synced--> Checkpoints
//!           |                                    '- memory (block, drop) or Spool (disk)
//!           '- can be read again (files, journal, binary logs, services): once for each sink, from its checkpoint
//!           '- cannot (http, tcp, syslog, console, command): once, to every buffer
//! ```
//!
//! Invariants: what is checkpointed is safe in the sink, or in the spool before it; a sink that is slow or dead holds up
//! nobody but itself; every buffer is bounded, and what happens when it is full is said; everything that is dropped is
//! counted by place and reason. Duplicates after a crash come from within the last checkpoint interval; the embedded log
//! does not take them twice, and for other sinks `offsets` tells entries of files apart.
//!
//! Knows nothing of HTTP's server side: the service mounts [`Live`] and [`Ingest`] under its own layers.

mod checkpoints;
mod error;
mod figures;
mod filters;
mod format;
mod lane;
pub mod options;
mod parts;
mod pipeline;
mod port;
mod queue;
mod record;
mod set;
mod sinks;
mod sources;
mod status;
mod waiting;

pub use error::Error;
pub use pipeline::Surroundings;
pub use set::{Change, Failed, OwnPort, Pipelines};
pub use sinks::{Ending, Follower, Live, LiveChunk};
pub use sources::{Ingest, IngestError};
pub use status::{PartStatus, PipelineStatus, Trouble};
pub use waiting::{Waiting, waiting};
