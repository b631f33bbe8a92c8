//! Real-shaped lines, the same each time.

/// The trace of twelve lines in the middle.
pub const MIDDLE_TRACE: &str = "0badcafe5eedbead0123456789abcdef";

const NAMESPACES: [&str; 8] = [
    "gateway",
    "auth",
    "orders",
    "payments",
    "inventory",
    "search",
    "billing",
    "notify",
];

/// JSON lines a millisecond apart from 2026-03-14 09:00:00: several namespaces, traces over them, one error in 40.
pub struct Lines {
    pub count: usize,
}

impl Lines {
    /// Line `n`, from 0.
    pub fn line(&self, n: usize) -> String {
        let middle = (self.count / 2..self.count / 2 + 12).contains(&n);
        let namespace = NAMESPACES[if middle { n % 8 } else { (n * n + n / 7) % 8 }];
        let trace = if middle {
            MIDDLE_TRACE.to_owned()
        } else {
            format!("{:032x}", (n / 9) as u128 + 1)
        };
        let (level, error) = match n % 40 {
            13 => ("error", ",\"error\":\"deadline exceeded\""),
            7 | 27 => ("warn", ""),
            3 | 11 | 19 | 33 => ("debug", ""),
            _ => ("info", ""),
        };
        let (minute, second, millisecond) = (n / 60_000, n / 1_000 % 60, n % 1_000);
        format!(
            "{{\"ts\":\"2026-03-14T09:{minute:02}:{second:02}.{millisecond:03}Z\",\"level\":\"{level}\",\"namespace\":\"{namespace}\",\
             \"instance\":\"{namespace}-{}\",\"trace\":\"{trace}\",\"span\":\"{:016x}\",\"msg\":\"request {n} completed in {}ms\"{error}}}\n",
            n % 3 + 1,
            n + 1,
            n % 97
        )
    }

    /// Lines of a range as one body.
    pub fn body(&self, range: std::ops::Range<usize>) -> String {
        range.map(|n| self.line(n)).collect()
    }
}
