//! Numbers as a few signs.

use crate::base::units::short_count;

/// A rate: `0.4/s`, `12k/s`.
pub(in crate::explorer) fn per_second(rate: f64) -> String {
    if rate > 0.0 && rate < 10.0 {
        return format!("{rate:.1}/s");
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate is shown"
    )]
    let whole = rate.max(0.0) as u64;
    format!("{}/s", short_count(whole))
}
