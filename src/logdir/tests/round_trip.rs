//! Whatever a cluster writes is found again, by ranges and in bulk.

use proptest::prelude::*;

use super::*;

fn filtered(all: &[LogEntry], min: i64, max: i64) -> Vec<LogEntry> {
    let inside =
        |entry: &&LogEntry| (min..=max).contains(&i64::try_from(entry.timestamp).expect("48 bits"));
    all.iter().filter(inside).cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn ranges_are_filtered_scans_and_bulk_is_cut_anywhere(
        steps in prop::collection::vec(step(), 1..300),
        bounds in prop::collection::vec((0_i64..110, 0_i64..30), 6),
        cuts in prop::collection::vec(1_usize..5000, 1..40),
    ) {
        let home = tempfile::tempdir().expect("a directory");
        let hand = Hand::at(START);
        let mut cluster = Cluster::start(home.path(), hand.clone());
        for step in &steps {
            cluster.take(step);
        }
        drop(cluster);

        let mut reader = reader(home.path());
        let all = reader.range(0, FOREVER).expect("opened");
        let all: Vec<LogEntry> = all.collect::<Result<_, _>>().expect("read");
        prop_assert_eq!(reader.damage_count(), 0);
        let span = i64::try_from(hand.now() - START).expect("48 bits");
        for (from, length) in bounds {
            let min = i64::try_from(START).expect("48 bits") + from * span / 100;
            let max = min + length * span / 100;
            let expected = filtered(&all, min, max);
            prop_assert_eq!(range(home.path(), min, max), expected.clone());
            let mut mirror = reversed(home.path(), min, max);
            mirror.reverse();
            prop_assert_eq!(&mirror, &expected);
            for older in [false, true] {
                let pieces = if older {
                    reader.bulk_range_reversed(min, max)
                } else {
                    reader.bulk_range(min, max)
                };
                let pieces = pieces.expect("opened").collect::<Result<Vec<_>, _>>();
                let bytes = pieces.expect("read").concat();
                let mut cuts = cuts.iter().cycle();
                let mut rest = bytes.as_slice();
                let pieces = std::iter::from_fn(|| {
                    let cut = rest.len().min(*cuts.next()?);
                    let (piece, more) = rest.split_at(cut);
                    rest = more;
                    (!piece.is_empty()).then_some(Ok::<_, Error>(piece))
                });
                let mut found = Vec::new();
                if older {
                    for block in BulkParser::read_reversed(pieces) {
                        found.extend(BulkParser::parse(&block.expect("read")).expect("whole").rev());
                    }
                    found.reverse();
                } else {
                    for block in BulkParser::read(pieces) {
                        found.extend(BulkParser::parse(&block.expect("read")).expect("whole"));
                    }
                }
                prop_assert_eq!(&filtered(&found, min, max), &expected);
            }
        }
    }
}
