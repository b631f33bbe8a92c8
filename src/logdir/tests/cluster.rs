//! A cluster that does what it is told, on a clock that is moved by hand.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use proptest::prelude::*;

use crate::logdir::{Clock, LogLevel, LoggerOptions, MasterLogger, WorkerLogger, log_name};

/// A clock that is moved by hand.
#[derive(Clone)]
pub struct Hand(pub Arc<AtomicU64>);

impl Hand {
    pub fn at(millis: u64) -> Self {
        Self(Arc::new(AtomicU64::new(millis)))
    }

    pub fn add(&self, millis: u64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }

    pub fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    pub fn clock(&self) -> Clock {
        let hand = self.clone();
        Clock::new(move || hand.now())
    }
}

pub const START: u64 = 1_714_521_600_000;

/// Loggers that write when they are told to.
pub fn by_hand(hand: &Hand) -> LoggerOptions {
    LoggerOptions {
        output_delay: Duration::from_secs(1_000_000),
        ping_delay: Duration::from_secs(1_000_000),
        clock: hand.clock(),
        ..LoggerOptions::default()
    }
}

#[derive(Clone, Debug)]
pub enum Step {
    Wait(u64),
    Log(usize, usize),
    Flush(usize),
    Spawn(u32),
    Exit(u32),
    Ping,
    Rotate,
    Restart,
}

pub fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        10 => (0_u64..500).prop_map(Step::Wait),
        20 => (0_usize..4, 1_usize..600).prop_map(|(who, much)| Step::Log(who, much)),
        6 => (0_usize..4).prop_map(Step::Flush),
        2 => (1_u32..4).prop_map(Step::Spawn),
        1 => (1_u32..4).prop_map(Step::Exit),
        3 => Just(Step::Ping),
        2 => Just(Step::Rotate),
        1 => Just(Step::Restart),
    ]
}

/// A cluster that does what the steps say; every process's clock is the same and never steps back.
pub struct Cluster<'d> {
    dir: &'d Path,
    hand: Hand,
    file: PathBuf,
    pub master: MasterLogger,
    workers: Vec<(u32, WorkerLogger)>,
}

impl<'d> Cluster<'d> {
    pub fn start(dir: &'d Path, hand: Hand) -> Self {
        let file = dir.join(log_name(hand.now()));
        let master = MasterLogger::new(Some(&file), by_hand(&hand)).expect("opened");
        master.starting_up().expect("written");
        Self {
            dir,
            hand,
            file,
            master,
            workers: Vec::new(),
        }
    }

    pub fn log(&self, text: &str) {
        self.master.log(LogLevel::Info, &text).expect("taken");
    }

    pub fn flush(&self) {
        self.master.flush().expect("written");
    }

    pub fn take(&mut self, step: &Step) {
        match step {
            Step::Wait(millis) => self.hand.add(*millis),
            Step::Log(0, much) => {
                let text = "m".repeat(*much);
                self.master.log(LogLevel::Info, &text).expect("taken");
            }
            Step::Log(who, much) => {
                if let Some((_, worker)) = self.workers.get(who - 1) {
                    worker
                        .log(LogLevel::Warn, &"w".repeat(*much))
                        .expect("taken");
                }
            }
            Step::Flush(0) => self.master.flush().expect("written"),
            Step::Flush(who) => {
                if let Some((_, worker)) = self.workers.get(who - 1) {
                    worker.flush().expect("written");
                }
            }
            Step::Spawn(id) => {
                if self.workers.iter().all(|(worker, _)| worker != id) {
                    self.master.worker_spawned(*id).expect("written");
                    let options = by_hand(&self.hand);
                    let worker = WorkerLogger::new(Some(&self.file), *id, options);
                    self.workers.push((*id, worker.expect("opened")));
                }
            }
            Step::Exit(id) => {
                let before = self.workers.len();
                self.workers.retain(|(worker, _)| worker != id);
                if self.workers.len() < before {
                    self.master
                        .worker_exited(*id, Some(0), None)
                        .expect("written");
                }
            }
            // A rotation to the same file is a ping and nothing else.
            Step::Ping => self.master.rotate(&self.file).expect("written"),
            Step::Rotate => {
                self.hand.add(1);
                self.file = self.dir.join(log_name(self.hand.now()));
                self.master.rotate(&self.file).expect("rotated");
                for (_, worker) in &self.workers {
                    worker.rotate(&self.file).expect("rotated");
                }
            }
            Step::Restart => {
                self.workers.clear();
                let options = by_hand(&self.hand);
                self.master = MasterLogger::new(Some(&self.file), options).expect("opened");
                self.master.starting_up().expect("written");
            }
        }
    }
}
