//! Writing log directories that the original reads: section 9 of the format's description.
//!
//! ```text
//! MasterLogger, WorkerLogger, RequestLogger --LogEntry--> Output: nonce, buffer, block --one write--> file
//! LogManager: which file is written, when the next is begun, which old ones are deleted
//! ```
//!
//! A logger without a file takes everything and writes nothing. A block that could not be written whole (a full disk) is
//! kept and written again, behind a slice marker that makes readers forget its first half (unless another process wrote a block
//! in between: then that one is lost with it).

mod failure;
mod logger;
mod manager;
mod master;
mod output;
mod request;
mod worker;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::Error;

pub use failure::Failure;
pub use logger::{Logger, LoggerOptions};
pub use manager::{LogManager, ManagerOptions};
pub use master::MasterLogger;
pub use request::RequestLogger;
pub use worker::WorkerLogger;

fn check_worker_id(id: u32) -> Result<(), Error> {
    if id == 0 {
        return Err(Error::Option {
            option: "a worker's id",
            expected: "from 1 on",
            found: "0".to_owned(),
        });
    }
    Ok(())
}

/// Where times of entries and names of files come from: milliseconds since 1970.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> u64 + Send + Sync>);

impl Clock {
    /// A clock of one's own.
    pub fn new(clock: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(clock))
    }

    fn now(&self) -> u64 {
        self.0()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new(|| {
            let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            let millis = since.unwrap_or(Duration::ZERO).as_millis();
            u64::try_from(millis).unwrap_or(super::MAX_TIMESTAMP)
        })
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
