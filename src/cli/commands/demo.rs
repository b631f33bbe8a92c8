//! `tailwater demo`

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::explore::{Begin, explore};
use crate::base::Time;
use crate::cli::args::Demo;
use crate::cli::demo::Teller;
use crate::cli::open::Opened;
use crate::cli::{Error, Verdict};
use crate::config::Settings;
use crate::store::Store;

/// Entries told at once.
const BATCH: usize = 1_000;
/// Live entries are told so often at the most.
const TICK: Duration = Duration::from_millis(20);

pub(in crate::cli) async fn run(settings: &Settings, args: &Demo) -> Result<Verdict, Error> {
    let (opened, store) = Opened::temporary("demo".to_owned())?;
    let mut teller = Teller::new(args.seed, args.backlog, Time::now());
    let told = store.clone();
    let teller =
        tokio::task::spawn_blocking(move || tell_backlog(&told, &mut teller).map(|()| teller))
            .await;
    let teller = teller.map_err(|_| Error::Said("the demo could not be told".to_owned()))??;
    tokio::spawn(tell_live(store, teller, args.rate, opened.stopping()));
    explore(settings, opened, args.look.clone(), Begin::default()).await
}

fn tell_backlog(store: &Store, teller: &mut Teller) -> Result<(), Error> {
    let appender = store.appender();
    loop {
        let batch: Vec<_> = std::iter::from_fn(|| teller.backlog())
            .take(BATCH)
            .collect();
        let last = batch.len() < BATCH;
        let pending = appender.submit(batch);
        if last {
            // Batches are accepted in order: the last one answers for all.
            return Ok(pending.wait().map(drop)?);
        }
    }
}

async fn tell_live(store: Store, mut teller: Teller, rate: u32, stopping: CancellationToken) {
    if rate == 0 {
        return;
    }
    let mut ticks = tokio::time::interval(TICK.max(Duration::from_secs(1) / rate));
    let per_tick = (f64::from(rate) * ticks.period().as_secs_f64()).max(1.0);
    let mut owed = 0.0;
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            _ = ticks.tick() => {}
        }
        owed += per_tick;
        let mut batch = Vec::new();
        while owed >= 1.0 {
            batch.push(teller.live(Time::now()));
            owed -= 1.0;
        }
        if !batch.is_empty() && store.appender().append(batch).await.is_err() {
            return;
        }
    }
}
