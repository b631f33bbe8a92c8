//! What logs of plain files answer, beside the units.

mod follow;
mod formats;
mod later;
mod pages;

use std::path::{Path, PathBuf};

use super::{LogFiles, Options};
use crate::base::{Time, Zone};
use crate::entry::Entry;
use crate::query::{Direction, Page, PageRequest, Query, Start, Ties};

fn open(paths: &[&Path]) -> LogFiles {
    open_with(paths, utc())
}

/// Times are of UTC, wherever the tests run.
fn utc() -> Options {
    Options {
        zone: Some(Zone::default()),
        ..Options::default()
    }
}

fn open_with(paths: &[&Path], options: Options) -> LogFiles {
    let paths: Vec<PathBuf> = paths.iter().map(|path| path.to_path_buf()).collect();
    LogFiles::open(&paths, options).expect("opened")
}

fn request(query: &str, start: Start, direction: Direction, limit: usize) -> PageRequest {
    PageRequest {
        query: query.parse::<Query>().expect(query),
        now: Time(0),
        start,
        direction,
        limit,
        ties: Ties::Split,
    }
}

fn page(files: &LogFiles, request: &PageRequest) -> Page {
    files.page(request, &|| false).expect("a page")
}

/// Everything that is asked for, page by page, oldest first; with no page's work bounded by more than a few blocks.
fn all(files: &LogFiles, query: &str, direction: Direction, limit: usize) -> Vec<Entry> {
    let (mut start, mut pages) = (Start::End, Vec::new());
    loop {
        let page = files
            .page_within(&request(query, start, direction, limit), 4 << 20, &|| false)
            .expect("a page");
        let beyond = match direction {
            Direction::Older => page.older,
            Direction::Newer => page.newer,
        };
        pages.push(page.entries);
        match beyond {
            Some(cursor) => start = Start::Beyond(cursor.key),
            None => break,
        }
        assert!(pages.len() < 100_000, "paging goes on for ever");
    }
    if direction == Direction::Older {
        pages.reverse();
    }
    pages.concat()
}

/// Waits until the index knows everything.
fn index(files: &LogFiles) {
    let gauge = files.gauge();
    wait("the index", || gauge.reading().is_none());
}

/// Waits for a condition, but not for ever.
fn wait(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !is_so() {
        assert!(
            std::time::Instant::now() < until,
            "{what} does not come about"
        );
        std::thread::yield_now();
    }
}
