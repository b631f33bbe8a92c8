//! Binary log directories: how fast they are read, and how much of them for how little.
//!
//! `cargo bench --bench logdir [-- ENTRIES]` writes a directory as a busy server does and reads it;
//! `cargo bench --bench logdir -- DIR [PROGRAM ARGUMENT…]` reads a directory that is there, and runs a program that reads it
//! too (the directory is its last argument), to be compared in one run; `cargo bench --bench logdir -- write DIR ENTRIES`
//! only writes one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tailwater::logdir::{
    Clock, Lifecycle, LogDirectorySource, LogLevel, LogManager, LogReader, LoggerOptions,
    ManagerOptions, MasterLogger, Reads, WorkerLogger,
};

/// The one of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const START: u64 = 1_735_689_600_000;
const FOREVER: i64 = (1 << 48) - 1;
const WORKERS: u32 = 4;
/// Entries of one request, as they are written below.
const ENTRIES_OF_REQUEST: u64 = 5;
const RUNS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|it| it != "--bench")
        .collect();
    if let [word, dir, entries] = arguments.as_slice()
        && word == "write"
    {
        return write(Path::new(dir), entries.parse().expect("a number"));
    }
    let home = tempfile::tempdir().expect("a directory");
    let (dir, peer) = match arguments.split_first() {
        Some((dir, peer)) if Path::new(dir).is_dir() => (PathBuf::from(dir), peer),
        number => {
            let entries = number.map_or(500_000, |(number, _)| number.parse().expect("a number"));
            write(home.path(), entries);
            (home.path().to_owned(), &[][..])
        }
    };
    let ours = whole(&dir);
    if !peer.is_empty() {
        let theirs = median(|| {
            let begun = Instant::now();
            let status = Command::new(&peer[0])
                .args(&peer[1..])
                .arg(&dir)
                .stdout(Stdio::null())
                .status();
            assert!(status.expect("the program runs").success());
            begun.elapsed()
        });
        let ratio = theirs.as_secs_f64() / ours.as_secs_f64();
        println!("the other program       {theirs:>10.1?}, {ratio:.1} times our range");
    }
    windows(&dir);
}

/// Reads everything in the ways there are; how long the first took.
fn whole(dir: &Path) -> Duration {
    let mut times = Vec::new();
    let count = reader(dir).range(0, FOREVER).expect("opened").count();
    let mut tell = |what: &str, read: &dyn Fn() -> usize| {
        let time = median(|| {
            let begun = Instant::now();
            assert_eq!(read(), count);
            begun.elapsed()
        });
        let rate = f64::from(u32::try_from(count).expect("a count")) / time.as_secs_f64();
        println!("{what:<24}{time:>10.1?} {rate:>12.0} entries/s");
        times.push(time);
    };
    println!("{count} entries");
    tell("range", &|| {
        reader(dir).range(0, FOREVER).expect("opened").count()
    });
    tell("range_reversed", &|| {
        reader(dir)
            .range_reversed(0, FOREVER)
            .expect("opened")
            .count()
    });
    tell("range, as JSON text", &|| {
        let mut reader = reader(dir);
        let entries = reader.range(0, FOREVER).expect("opened");
        let texts = entries.map(|entry| entry.expect("read").to_json());
        texts.filter(|text| !text.is_empty()).count()
    });
    times[0]
}

/// Reads a second here and there: how long until the first entry, and how many pages.
fn windows(dir: &Path) {
    let mut all = reader(dir);
    let first = all.range(0, FOREVER).expect("opened").next();
    let first = first.expect("an entry").expect("read").timestamp;
    let last = all.range_reversed(0, FOREVER).expect("opened").next();
    let last = last.expect("an entry").expect("read").timestamp;
    let size: u64 = std::fs::read_dir(dir)
        .expect("listed")
        .flatten()
        .map(|file| file.metadata().expect("there").len())
        .sum();
    println!("{} pages in all", size.div_ceil(4096));
    for part in [0, 25, 50, 75, 99] {
        let min = i64::try_from(first + (last - first) * part / 100).expect("48 bits");
        let mut reads = Reads::default();
        let mut found = false;
        let time = median(|| {
            let mut reader = reader(dir);
            let begun = Instant::now();
            found = reader
                .range(min, min + 999)
                .expect("opened")
                .next()
                .is_some();
            let time = begun.elapsed();
            reads = reader.reads();
            time
        });
        let Reads { calls, pages } = reads;
        println!(
            "a second at {part:>2} %        {time:>10.1?} to the first entry ({found}), {pages} pages in {calls} reads"
        );
    }
}

fn reader(dir: &Path) -> LogReader<LogDirectorySource> {
    LogReader::new(LogDirectorySource::new(dir))
}

fn median(mut run: impl FnMut() -> Duration) -> Duration {
    let mut times: Vec<Duration> = (0..RUNS).map(|_| run()).collect();
    times.sort();
    times[RUNS / 2]
}

/// Writes what four workers log about a hundred requests a second, with pings and rotations.
fn write(dir: &Path, entries: u64) {
    let now = Arc::new(AtomicU64::new(START));
    let clock = {
        let now = Arc::clone(&now);
        Clock::new(move || now.load(Ordering::Relaxed))
    };
    let options = LoggerOptions {
        output_delay: Duration::from_hours(1),
        ping_delay: Duration::from_hours(1),
        clock: clock.clone(),
        ..LoggerOptions::default()
    };
    let mut manager = LogManager::new(
        Some(dir),
        ManagerOptions {
            log_size_limit: 128 << 20,
            granularity: 64,
            clock,
            ..ManagerOptions::default()
        },
    )
    .expect("a directory");
    let mut file = manager.file().expect("a file");
    let master = MasterLogger::new(Some(&file), options.clone()).expect("opened");
    master.starting_up().expect("written");
    let workers: Vec<WorkerLogger> = (1..=WORKERS)
        .map(|id| {
            master.worker_spawned(id).expect("written");
            let worker = WorkerLogger::new(Some(&file), id, options.clone()).expect("opened");
            worker.event(Lifecycle::WorkerOnline).expect("written");
            worker
        })
        .collect();
    for number in 0..entries / ENTRIES_OF_REQUEST {
        now.fetch_add(10, Ordering::Relaxed);
        let worker = &workers[usize::try_from(number % u64::from(WORKERS)).expect("few")];
        let mut request = worker.new_request();
        let address = [10, 0, u8::try_from(number % 251).expect("a byte"), 7].into();
        let url = format!("/orders/{}?page={}", number * 7919 % 100_000, number % 9);
        request
            .request(address, (1, 1), "GET", &url)
            .expect("taken");
        let meta = json!({"userId": number * 31 % 5000, "route": "/orders/:id"});
        request.meta(&meta).expect("taken");
        let log = json!(["query took", number % 97, "ms"]);
        request.log(LogLevel::Info, &log).expect("taken");
        request.response(200, None, false).expect("taken");
        request.response_finished(None).expect("taken");
        // Blocks are written as often as the delay of 200 ms would.
        if number % 20 == 0 {
            for worker in &workers {
                worker.flush().expect("written");
            }
        }
        // Processes ping every five seconds; a rotation is one too.
        if number % 500 == 0 {
            file = manager.poll().expect("looked").unwrap_or(file);
            master.rotate(&file).expect("rotated");
            for worker in &workers {
                worker.rotate(&file).expect("rotated");
            }
        }
    }
    drop(workers);
    master.shutting_down_completed().expect("written");
}
