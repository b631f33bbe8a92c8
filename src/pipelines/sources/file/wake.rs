//! The system tells of changes in a directory.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;

/// Woken by changes. Where the system does not tell of them (network file systems, too many watches) nobody is woken, and
/// looking in intervals does.
#[derive(Debug)]
pub(super) struct Wake {
    shared: Arc<Shared>,
    watcher: Option<RecommendedWatcher>,
}

#[derive(Debug, Default)]
struct Shared {
    changed: Notify,
    /// Files came, went or were renamed.
    has_new_names: AtomicBool,
}

impl Wake {
    pub fn new(root: &Path, recursive: bool) -> Self {
        let shared = Arc::new(Shared::default());
        let watcher = watch(root, recursive, Arc::clone(&shared));
        if let Err(error) = &watcher {
            tracing::info!(directory = %root.display(), %error, "the system does not tell of changes; looking in intervals");
        }
        Self {
            shared,
            watcher: watcher.ok(),
        }
    }

    /// Whether the system tells of changes.
    pub fn is_told(&self) -> bool {
        self.watcher.is_some()
    }

    /// Waits for a change.
    pub async fn woken(&self) {
        self.shared.changed.notified().await;
    }

    /// Whether files came, went or were renamed since this was asked.
    pub fn has_new_names(&mut self) -> bool {
        self.shared.has_new_names.swap(false, Ordering::AcqRel)
    }
}

fn watch(root: &Path, recursive: bool, shared: Arc<Shared>) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        let is_naming = match event.map(|event| event.kind) {
            // Our own reading is told of, too.
            Ok(
                EventKind::Access(_) | EventKind::Modify(notify::event::ModifyKind::Metadata(_)),
            ) => {
                return;
            }
            Ok(EventKind::Modify(notify::event::ModifyKind::Data(_))) => false,
            _ => true,
        };
        if is_naming {
            shared.has_new_names.store(true, Ordering::Release);
        }
        shared.changed.notify_one();
    })?;
    let mode = if recursive {
        RecursiveMode::Recursive
    } else {
        RecursiveMode::NonRecursive
    };
    watcher.watch(root, mode)?;
    Ok(watcher)
}
