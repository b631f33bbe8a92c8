//! What senders push, whatever they speak, to entries in the log.
//!
//! ```text
//! NDJSON, JSON, text: read as it comes, line by line --+
//! OTLP, Loki, _bulk: read whole ---> decoded ----------+--> Intake: batches --> Appender --> answer when durable
//! ```
//!
//! Invariants: what is answered as accepted is durable; what is not accepted is told with its place and reason; memory
//! is bounded over all senders together ([`Budget`]), and a sender that finds it used up is asked to come again.

mod batch;
mod budget;
pub(super) mod bulk;
pub(super) mod loki;
pub(super) mod otlp;
mod reading;
mod tenant;

pub(super) use batch::{Intake, Outcome};
pub(super) use budget::Budget;
pub(super) use reading::{read_lines, read_text, whole};
pub(super) use tenant::Tenant;
