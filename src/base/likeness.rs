//! Names that are like one that nobody knows: what was meant by it.

/// From here on names are alike, of 1 for the same.
const ALIKE: f64 = 0.75;

/// The name that is most like another, by Jaro and Winkler's measure, if one is.
#[must_use]
pub fn nearest<'n>(found: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let like = |name: &str| strsim::jaro_winkler(found, name);
    let rated = names.map(|name| (like(name), name));
    let best = rated.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (best.0 > ALIKE).then_some(best.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_alike_is_found_and_nothing_else() {
        let names = || ["level", "namespace", "trace"].into_iter();
        for (found, wanted) in [
            ("levle", Some("level")),
            ("name_space", Some("namespace")),
            ("traces", Some("trace")),
            ("user", None),
            ("", None),
        ] {
            assert_eq!(nearest(found, names()), wanted, "{found:?}");
        }
    }
}
