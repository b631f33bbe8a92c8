//! The screen told in lines.

use super::super::plain::Plain;
use super::*;

#[test]
fn what_changes_is_told_once_and_without_boxes() {
    let mut harness = Harness::new(50, (100, 30));
    let mut plain = Plain::new();
    let told = plain.tell(&harness.state);
    assert!(told.iter().any(|line| line == "following"), "{told:?}");
    assert!(
        told.last()
            .is_some_and(|line| line.contains("INFO pay entry 50.")),
        "{told:?}"
    );
    assert!(plain.tell(&harness.state).is_empty());
    harness.arrive(2);
    let told = plain.tell(&harness.state);
    assert_eq!(told.len(), 2, "{told:?}");
    harness.press("k");
    let told = plain.tell(&harness.state);
    assert_eq!(told[0], "held: space follows again");
    assert!(told[1].contains("entry 51."), "{told:?}");
    harness.press("enter");
    let told = plain.tell(&harness.state).join("\n");
    assert!(
        told.contains("namespace auth") && told.contains("trace t12"),
        "{told}"
    );
    harness.press("esc S j");
    let told = plain.tell(&harness.state).join("\n");
    assert!(
        told.contains("in sources") && told.contains("pay 2 err 7"),
        "{told}"
    );
    harness.press("esc p");
    let told = plain.tell(&harness.state).join("\n");
    assert!(told.contains("patterns"), "{told}");
    harness.press("esc ?");
    let told = plain.tell(&harness.state).join("\n");
    assert!(told.contains("oldest entry of the whole query"), "{told}");
    harness.press("esc f");
    harness.type_text("(");
    let told = plain.tell(&harness.state).join("\n");
    assert!(told.contains("query › ("), "{told}");
    assert!(!told.contains('│') && !told.contains('─'), "{told}");
}
