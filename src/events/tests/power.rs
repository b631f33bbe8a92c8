//! Power that goes after every n-th operation on the file: nothing accepted is lost, nothing fires twice under one name.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use redb::{Database, StorageBackend};

use super::{Book, Stage, at, event, listener};
use crate::events::{Error, Firing, Listener};

/// A file in memory that tells what was synced from what was only written.
#[derive(Clone, Debug, Default)]
struct Disk(Arc<Mutex<Platter>>);

#[derive(Debug, Default)]
struct Platter {
    /// What survives for certain.
    synced: Vec<u8>,
    /// What is read.
    now: Vec<u8>,
    /// What was done since, and may survive or not.
    pending: Vec<Change>,
    /// Operations until the power goes.
    left: Option<usize>,
}

#[derive(Clone, Debug)]
enum Change {
    Length(usize),
    Write(usize, Vec<u8>),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Length(length) => bytes.resize(*length, 0),
            Self::Write(offset, data) => {
                let end = offset + data.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[*offset..end].copy_from_slice(data);
            }
        }
    }
}

impl Disk {
    /// With a database that nobody has used: a file gets its name when it is one.
    fn made() -> Self {
        let disk = Self::default();
        drop(open(&disk).expect("a database"));
        disk
    }

    fn with<T>(&self, work: impl FnOnce(&mut Platter) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// An operation that the power may go before.
    fn operate(&self, work: impl FnOnce(&mut Platter)) -> io::Result<()> {
        self.with(|platter| {
            if let Some(left) = &mut platter.left {
                if *left == 0 {
                    return Err(io::Error::other("the power is gone"));
                }
                *left -= 1;
            }
            work(platter);
            Ok(())
        })
    }

    fn change(&self, change: Change) -> io::Result<()> {
        self.operate(|platter| {
            change.apply(&mut platter.now);
            platter.pending.push(change);
        })
    }

    /// What is found when the power is back: what was synced, and of the rest whatever the dice say.
    fn after_the_cut(&self, seed: u64) -> Self {
        let mut dice = fastrand::Rng::with_seed(seed);
        self.with(|platter| {
            let mut bytes = platter.synced.clone();
            for change in &platter.pending {
                if dice.bool() {
                    change.apply(&mut bytes);
                }
            }
            let found = Platter {
                synced: bytes.clone(),
                now: bytes,
                ..Platter::default()
            };
            Self(Arc::new(Mutex::new(found)))
        })
    }

    fn has_power(&self) -> bool {
        self.with(|platter| platter.left != Some(0))
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.with(|platter| platter.now.len() as u64))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        self.with(|platter| {
            let found = platter.now.get(offset..offset + out.len());
            let found = found.ok_or(io::ErrorKind::UnexpectedEof)?;
            out.copy_from_slice(found);
            Ok(())
        })
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.change(Change::Length(
            usize::try_from(length).map_err(io::Error::other)?,
        ))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.operate(|platter| {
            platter.synced.clone_from(&platter.now);
            platter.pending.clear();
        })
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        self.change(Change::Write(offset, data.to_vec()))
    }
}

/// The engine on a disk, if there is power enough to begin.
fn open(disk: &Disk) -> Result<Stage, Error> {
    let disk = disk.clone();
    let open = move || Ok(Database::builder().create_with_backend(disk.clone())?);
    Stage::on(Book::with(Box::new(open))?)
}

/// What is sent, a group a call: several senders, each with a batch.
fn calls() -> Vec<Vec<Vec<&'static str>>> {
    vec![
        vec![vec!["a 1"], vec!["b 2", "a 3"]],
        vec![vec!["c 4"]],
        vec![vec!["b 5"], vec!["c 6", "c 7"], vec!["a 8"]],
        vec![vec!["a 9", "b 10", "c 11"]],
    ]
}

fn listeners() -> Vec<Listener> {
    vec![
        listener("StartSimple[a]", 0),
        listener("StartAnd[a,b]", 0),
        listener("WaitAnd[a,c]", 0),
    ]
}

/// Whatever was told or is kept, by its name: under one name there is one firing.
fn remember(known: &mut BTreeMap<String, Firing>, firings: Vec<Firing>, n: usize) {
    for firing in firings {
        let before = known.insert(firing.id.clone(), firing.clone());
        assert!(
            before.is_none_or(|before| before.events == firing.events),
            "cut {n}: {} fired with other events",
            firing.id
        );
    }
}

/// Sends what is missing; the ids of what was accepted, now or before.
fn send(stage: &mut Stage, made: &[Listener], accepted: &mut Vec<String>) {
    for listener in made {
        if stage
            .engine
            .book
            .listeners()
            .is_ok_and(|known| !known.iter().any(|one| one.id == listener.id))
            && accepted.is_empty()
        {
            stage.put(listener);
        }
    }
    for (number, call) in (0..).zip(calls()) {
        let ids = |batch: &[&str]| -> Vec<String> {
            batch.iter().map(|text| (*text).to_owned()).collect()
        };
        let missing: Vec<Vec<&str>> = call
            .into_iter()
            .filter(|batch| !ids(batch).iter().all(|id| accepted.contains(id)))
            .collect();
        let batches = missing
            .iter()
            .map(|batch| batch.iter().map(|text| event(text)).collect());
        let answers = stage.send(batches.collect(), at(number));
        for (batch, answer) in missing.iter().zip(answers) {
            // Known: it was accepted when nobody could be told.
            if matches!(answer, Ok(_) | Err(Error::Duplicate { .. })) {
                accepted.extend(ids(batch));
            }
        }
    }
}

#[test]
fn the_power_may_go_at_any_time() {
    let made = listeners();
    let mut whole = BTreeMap::new();
    let mut cuts = 0;
    for n in 0.. {
        let disk = Disk::made();
        disk.with(|platter| platter.left = Some(n));
        let (mut accepted, mut known) = (Vec::new(), BTreeMap::new());
        if let Ok(mut stage) = open(&disk) {
            send(&mut stage, &made, &mut accepted);
            remember(&mut known, stage.fired(), n);
        }
        if disk.has_power() {
            // It went through: this is what has to come out of every other run.
            whole = known;
            break;
        }
        cuts += 1;
    }
    assert!(cuts > 50, "{cuts} operations");
    assert_eq!(whole.len(), 8, "{:?}", whole.keys());
    for n in 0..cuts {
        for seed in 0..3 {
            let disk = Disk::made();
            disk.with(|platter| platter.left = Some(n));
            let (mut accepted, mut known) = (Vec::new(), BTreeMap::new());
            if let Ok(mut stage) = open(&disk) {
                send(&mut stage, &made, &mut accepted);
                remember(&mut known, stage.fired(), n);
            }
            let told: Vec<String> = known.keys().cloned().collect();
            let disk = disk.after_the_cut(seed);
            let mut stage = open(&disk).unwrap_or_else(|error| panic!("cut {n}: {error}"));
            let book = &stage.engine.book;
            for text in &accepted {
                let id = text.split(' ').nth(1).expect("an id");
                let found = book.event("ns", id).expect("read");
                assert!(found.is_some(), "cut {n}: {text} was accepted, and is lost");
            }
            let outbox = book.outbox().expect("read");
            for id in &told {
                let is_kept = outbox.iter().any(|firing| firing.id == *id);
                assert!(is_kept, "cut {n}: {id} was told, and is lost");
            }
            remember(&mut known, outbox, n);
            send(&mut stage, &made, &mut accepted);
            remember(&mut known, stage.fired(), n);
            let events = |firings: &BTreeMap<String, Firing>| -> Vec<(String, usize)> {
                let of = firings.iter();
                of.map(|(id, firing)| (id.clone(), firing.events.len()))
                    .collect()
            };
            assert_eq!(events(&known), events(&whole), "cut {n}");
        }
    }
}

#[test]
fn a_disk_that_was_full_is_written_to_again() {
    let disk = Disk::made();
    let mut stage = open(&disk).expect("a database");
    stage.put(&listener("StartAnd[a,b]", 0));
    let first = stage.send(vec![vec![event("a 1")]], at(1));
    assert!(matches!(first[..], [Ok(0)]), "{first:?}");
    for full_after in 0..6 {
        disk.with(|platter| platter.left = Some(full_after));
        let refused = stage.send(vec![vec![event("b 2")]], at(2));
        assert!(matches!(refused[..], [Err(_)]), "{refused:?}");
        let refused = stage.send(vec![vec![event("b 2")]], at(2));
        assert!(matches!(refused[..], [Err(_)]), "{refused:?}");
        assert_eq!(stage.fired(), [], "nothing is told of what was not taken");
    }
    disk.with(|platter| platter.left = None);
    // The one that finds it out is refused; it finds the database open for the next.
    let _ = stage.send(vec![vec![event("x 0")]], at(3));
    let taken = stage.send(vec![vec![event("b 2")]], at(4));
    assert!(matches!(taken[..], [Ok(1)]), "{taken:?}");
    let fired = stage.fired();
    assert_eq!(fired.len(), 1);
    let ids: Vec<&str> = fired[0].events.iter().map(|event| event.id()).collect();
    assert_eq!(ids, ["1", "2"], "what was held is held still");
}
