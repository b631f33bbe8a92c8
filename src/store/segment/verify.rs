//! Whether a segment is whole.

use super::{Error, Segment};

impl Segment {
    /// Reads every byte and decodes every row; what is wrong, one sentence each.
    pub fn verify(&self) -> Vec<String> {
        let mut wrong: Vec<String> = self.damage.iter().cloned().collect();
        match self.file.tails_agree(self.tail_start) {
            Ok(true) => {}
            Ok(false) => wrong.push(format!(
                "{}: one of the two copies of its index and footer is damaged",
                self.path.display()
            )),
            Err(error) => wrong.push(error.to_string()),
        }
        for (at, group) in self.groups.iter().enumerate() {
            let (from, to) = group.index.bytes;
            if let Err(error) = self.check_group(at, from, to) {
                wrong.push(format!(
                    "{error}; its row group holds {} entries",
                    group.rows
                ));
            }
        }
        wrong
    }

    fn check_group(&self, group: usize, from: u64, to: u64) -> Result<(), Error> {
        let step = 1 << 20;
        for start in (from..to).step_by(step) {
            self.file
                .read(start, step.min(usize::try_from(to - start).unwrap_or(step)))?;
        }
        let rows = self.groups.get(group).map_or(0, |group| group.rows);
        let mut last = None;
        for from in (0..rows).step_by(4_096) {
            let rows: Vec<u32> = (from..rows.min(from + 4_096))
                .filter_map(|row| u32::try_from(row).ok())
                .collect();
            for entry in self.entries(group, &rows)? {
                if last.is_some_and(|last| last >= entry.key()) {
                    return Err(self.damaged(group, "entries in order"));
                }
                last = Some(entry.key());
            }
        }
        Ok(())
    }
}
