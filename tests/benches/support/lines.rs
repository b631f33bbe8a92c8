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
/// Requests that are on their way at once.
const OPEN: usize = 100;
/// A word that five lines hold, wherever the log ends.
pub const RARE_WORD: &str = "heliotrope";

/// The lines.
pub struct Lines {
    dice: fastrand::Rng,
    open: Vec<Request>,
    number: u64,
    count: u64,
    start: i64,
    step: i64,
}

/// A request on its way through a few namespaces.
struct Request {
    trace: u128,
    hops: Vec<(&'static str, u64)>,
    left: u8,
}

impl Request {
    fn new(dice: &mut fastrand::Rng) -> Self {
        Self {
            trace: dice.u128(..),
            hops: (0..dice.u8(2..7))
                .map(|_| (namespace(dice), dice.u64(..)))
                .collect(),
            left: dice.u8(4..40),
        }
    }
}

/// Squaring a fraction skews it: the first has about a fifth, the last about a fortieth.
fn namespace(dice: &mut fastrand::Rng) -> &'static str {
    let fraction = dice.f64();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "below 20"
    )]
    NAMESPACES[(fraction * fraction * NAMESPACES.len() as f64) as usize]
}

impl Lines {
    /// So many lines over three hours.
    pub fn new(count: u64) -> Self {
        let mut dice = fastrand::Rng::with_seed(7);
        let open = (0..OPEN).map(|_| Request::new(&mut dice)).collect();
        Self {
            dice,
            open,
            number: 0,
            count,
            start: 1_773_478_800_000_000_000,
            step: 3 * 3_600_000_000_000 / i64::try_from(count.max(1)).expect("a count"),
        }
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.dice.usize(..from.len())]
    }

    /// Mostly small, now and then long: what durations look like.
    fn duration(&mut self) -> u32 {
        let spread = self.dice.u32(1..30);
        self.dice.u32(1..=spread * spread)
    }

    fn text(&mut self, level: Level) -> String {
        let (n, ms, few) = (self.dice.u32(1..500), self.duration(), self.dice.u32(1..8));
        let (table, event, path, verb) = (
            self.pick(&TABLES),
            self.pick(&EVENTS),
            self.pick(&PATHS),
            self.pick(&VERBS),
        );
        let ns = self.pick(&NAMESPACES);
        let mut below = |most: u32| self.dice.u32(0..most);
        match (level, below(10)) {
            (Level::Trace, _) => format!("enter load_cart depth={n}"),
            (Level::Debug, 0 | 1) => format!(
                "cache lookup key={table}:{} hit={}",
                below(100_000),
                n % 3 != 0
            ),
            (Level::Debug, 2 | 3) => {
                format!("pool stats active={n} idle={} waiting={few}", below(500))
            }
            (Level::Debug, 4 | 5) => format!(
                "decoded payload of {} bytes in {}us",
                below(2_000_000),
                below(9_000)
            ),
            (Level::Debug, 6 | 7) => {
                format!("retry budget remaining={}% for upstream {ns}", below(100))
            }
            (Level::Debug, _) => format!(
                "acquired lock {table}:{} after {}us",
                below(100_000),
                below(9_000)
            ),
            (Level::Warn, 0..=2) => {
                format!("slow query table={table} took {}ms rows={n}", ms + 1_000)
            }
            (Level::Warn, 3 | 4) => format!(
                "queue depth {} above soft limit for {event}",
                below(2_000_000)
            ),
            (Level::Warn, 5 | 6) => format!("retrying call to {ns} attempt={few} after {ms}ms"),
            (Level::Warn, _) => format!("rate limit at {}% for tenant t{}", below(100), n % 300),
            (Level::Error, 0..=2) => format!(
                "request aborted method={verb} path={path} status=50{}",
                n % 4
            ),
            (Level::Error, 3..=5) => format!("call to {ns} failed after {}ms", ms + 1_000),
            (Level::Error, _) => format!("dead-lettered event {event} after {few} attempts"),
            (_, 0) => format!(
                "request completed method={verb} path={path}/{n} status=200 duration_ms={ms}"
            ),
            (_, 1) => format!(
                "request started method={verb} path={path} client=10.{}.{}.{}",
                below(256),
                below(256),
                below(256)
            ),
            (_, 2) => format!(
                "published event {event} to partition {few} offset {}",
                below(2_000_000)
            ),
            (_, 3) => format!("consumed event {event} lag_ms={ms}"),
            (_, 4) => format!(
                "user u{:06} signed in from 10.{}.{}.{}",
                below(200_000),
                below(256),
                below(256),
                below(256)
            ),
            (_, 5) => format!(
                "order o-{:07} moved to state {}",
                below(5_000_000),
                ["pending", "paid", "packed", "shipped"][n as usize % 4]
            ),
            (_, 6) => format!("scheduled job reindex finished in {ms}ms"),
            (_, 7) => format!(
                "connection established to {ns}:{}",
                [5432, 6379, 8080, 8443][n as usize % 4]
            ),
            (_, 8) => format!("health check passed in {ms}ms"),
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
        let level = match self.dice.u16(..1_000) {
            0..=4 => Level::Trace,
            5..=204 => Level::Debug,
            205..=904 => Level::Info,
            905..=974 => Level::Warn,
            _ => Level::Error,
        };
        let (mut namespace, mut trace, mut span) = (namespace(&mut self.dice), None, None);
        if number.is_multiple_of(20_011) {
            namespace = "canary";
        } else if self.dice.u8(0..100) < 82 {
            let at = self.dice.usize(..OPEN);
            let request = &mut self.open[at];
            let (hop, id) = request.hops[self.dice.usize(..request.hops.len())];
            (namespace, trace, span) = (
                hop,
                Some(format!("{:032x}", request.trace)),
                Some(format!("{id:016x}")),
            );
            request.left -= 1;
            if request.left == 0 {
                *request = Request::new(&mut self.dice);
            }
        }
        let mut text = self.text(level);
        if number % (self.count / 5).max(1) == self.count / 10 {
            text.push_str(" near ");
            text.push_str(RARE_WORD);
        }
        let jitter = self.dice.i64(0..self.step.max(1));
        Some(Entry {
            // Microseconds, as most senders have them.
            time: Time(
                (self.start + i64::try_from(number).expect("a count") * self.step + jitter) / 1_000
                    * 1_000,
            ),
            level,
            scope: Scope {
                namespace: namespace.to_owned(),
                trace,
                span,
                instance: Some(format!(
                    "{namespace}-{}",
                    self.dice
                        .u8(1..=u8::try_from(self.number % 12).unwrap_or(0) + 1)
                )),
                ..Scope::default()
            },
            text,
            error: (level == Level::Error).then(|| self.pick(&ERRORS).to_owned()),
            ..Entry::default()
        })
    }
}
