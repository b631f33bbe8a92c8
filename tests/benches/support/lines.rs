//! Deterministic lines shaped like those of a busy fleet: skewed namespaces, interleaved traces, a few dozen templates
//! with variable parts. The same count always gives the same lines.

use tailwater::base::Time;
use tailwater::entry::{Entry, Level, Scope};

const NAMESPACES: [&str; 20] = [
    "gateway",
    "auth",
    "orders",
    "payments",
    "inventory",
    "search",
    "billing",
    "notify",
    "scheduler",
    "ingest",
    "profile",
    "media",
    "audit",
    "shipping",
    "pricing",
    "recommend",
    "session",
    "webhooks",
    "reports",
    "admin",
];
const TABLES: [&str; 6] = [
    "orders",
    "users",
    "line_items",
    "events",
    "sessions",
    "ledger",
];
const EVENTS: [&str; 6] = [
    "order.created",
    "order.paid",
    "item.reserved",
    "mail.queued",
    "user.updated",
    "invoice.issued",
];
const PATHS: [&str; 5] = [
    "/v1/orders",
    "/v1/search",
    "/v2/cart",
    "/healthz",
    "/v1/pay",
];
const VERBS: [&str; 4] = ["GET", "POST", "PUT", "DELETE"];
const ERRORS: [&str; 4] = [
    "connection reset by peer",
    "tls handshake: unexpected eof",
    "context cancelled by caller",
    "no healthy upstream in pool",
];
/// Traces that are open at once.
const OPEN: usize = 64;
/// A word that five lines hold, wherever the log ends.
pub const RARE_WORD: &str = "heliotrope";

/// The lines.
pub struct Lines {
    dice: fastrand::Rng,
    open: Vec<(u128, u8)>,
    number: u64,
    count: u64,
    start: i64,
    step: i64,
}

impl Lines {
    /// So many lines over 24 hours.
    pub fn new(count: u64) -> Self {
        let mut dice = fastrand::Rng::with_seed(7);
        let open = (0..OPEN).map(|_| (dice.u128(..), dice.u8(1..20))).collect();
        Self {
            dice,
            open,
            number: 0,
            count,
            start: 1_773_478_800_000_000_000,
            step: 86_400_000_000_000 / i64::try_from(count.max(1)).expect("a count"),
        }
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.dice.usize(..from.len())]
    }

    fn text(&mut self, level: Level) -> String {
        let (n, ms) = (self.dice.u32(..5_000), self.dice.u32(1..900));
        let (table, event, path, verb) = (
            self.pick(&TABLES),
            self.pick(&EVENTS),
            self.pick(&PATHS),
            self.pick(&VERBS),
        );
        let order = self.dice.u32(..);
        let ip = format!(
            "10.{}.{}.{}",
            self.dice.u8(..),
            self.dice.u8(..),
            self.dice.u8(..)
        );
        match (level, self.dice.u8(..6)) {
            (Level::Debug, 0) => format!("cache lookup key={table}:{n} hit={}", n % 3 != 0),
            (Level::Debug, 1) => format!(
                "pool stats active={} idle={} waiting={}",
                n % 40,
                n % 17,
                n % 5
            ),
            (Level::Debug, 2) => format!("decoded payload of {order} bytes in {ms}us"),
            (Level::Debug, _) => format!("acquired lock {table}/{n} after {ms}us"),
            (Level::Warn, 0 | 1) => {
                format!("slow query table={table} took {}ms rows={n}", ms + 1_000)
            }
            (Level::Warn, 2) => format!("queue depth {n} above soft limit for {event}"),
            (Level::Warn, _) => format!("rate limit at {}% for tenant t{}", n % 100, n % 300),
            (Level::Error, 0..=2) => format!(
                "request aborted method={verb} path={path} status=50{}",
                n % 4
            ),
            (Level::Error, _) => format!("dead-lettered event {event} after {} attempts", n % 9),
            (_, 0) => format!(
                "request completed method={verb} path={path}/{n} status=200 duration_ms={ms}"
            ),
            (_, 1) => format!("request started method={verb} path={path} client={ip}"),
            (_, 2) => format!(
                "published event {event} to partition {} offset {order}",
                n % 12
            ),
            (_, 3) => format!("user u{:06} signed in from {ip}", order % 1_000_000),
            (_, 4) => format!(
                "order {order:08x} moved to state {}",
                ["pending", "paid", "packed", "shipped"][n as usize % 4]
            ),
            _ => format!("rows fetched table={table} count={n} took {ms}ms"),
        }
    }
}

impl Iterator for Lines {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        if self.number >= self.count {
            return None;
        }
        let number = self.number;
        self.number += 1;
        // Squaring a fraction skews it: the first namespace has about a fifth, the last about a fortieth.
        let fraction = self.dice.f64();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "below 20"
        )]
        let place = (fraction * fraction * NAMESPACES.len() as f64) as usize;
        // One that is rare indeed.
        let namespace = if number % 20_011 == 0 {
            "canary"
        } else {
            NAMESPACES[place]
        };
        let level = match self.dice.u16(..1_000) {
            0..=4 => Level::Trace,
            5..=204 => Level::Debug,
            205..=904 => Level::Info,
            905..=974 => Level::Warn,
            _ => Level::Error,
        };
        let at = self.dice.usize(..OPEN);
        let trace = self.open[at].0;
        self.open[at].1 -= 1;
        if self.open[at].1 == 0 {
            self.open[at] = (self.dice.u128(..), self.dice.u8(1..20));
        }
        let mut text = self.text(level);
        if number % (self.count / 5).max(1) == self.count / 10 {
            text.push_str(" near ");
            text.push_str(RARE_WORD);
        }
        let jitter = self.dice.i64(0..self.step.max(1));
        Some(Entry {
            time: Time(self.start + i64::try_from(number).expect("a count") * self.step + jitter),
            level,
            scope: Scope {
                namespace: namespace.to_owned(),
                trace: Some(format!("{trace:032x}")),
                span: Some(format!("{:016x}", self.dice.u64(..))),
                instance: Some(format!("{namespace}-{}", self.dice.u8(..14))),
                ..Scope::default()
            },
            text,
            error: (level == Level::Error).then(|| self.pick(&ERRORS).to_owned()),
            ..Entry::default()
        })
    }
}
