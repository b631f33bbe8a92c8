//! The columns of the log between the time and the text: which, in which order, how wide.

use crate::query::Field;

/// Cells of a column that shows a field, unless it was made wider or narrower.
const FIELD_WIDTH: u16 = 14;
/// How wide a column can be.
const WIDTHS: std::ops::RangeInclusive<u16> = 1..=80;
/// Cells by which a column grows.
const STEP: u16 = 2;

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::explorer) struct Column {
    pub field: Field,
    /// Cells; none where they follow from what there is to show.
    pub width: Option<u16>,
}

impl Column {
    pub const fn new(field: Field) -> Self {
        Self { field, width: None }
    }

    /// The cells of a field that has no width of its own.
    pub fn width_of_field(&self) -> u16 {
        self.width.unwrap_or(FIELD_WIDTH)
    }
}

/// All of them, from the left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::explorer) struct Shape(pub Vec<Column>);

impl Default for Shape {
    fn default() -> Self {
        Self(vec![
            Column::new(Field::Level),
            Column::new(Field::Namespace),
        ])
    }
}

impl Shape {
    pub fn has(&self, field: &Field) -> bool {
        self.0.iter().any(|column| column.field == *field)
    }

    /// Shows a field, or hides it.
    pub fn toggle(&mut self, field: Field) {
        if self.has(&field) {
            self.0.retain(|column| column.field != field);
        } else {
            self.0.push(Column::new(field));
        }
    }

    /// Moves a column; where it is then.
    pub fn shift(&mut self, at: usize, step: isize) -> usize {
        let last = self.0.len().saturating_sub(1);
        let to = at.saturating_add_signed(step).min(last);
        if at <= last && !self.0.is_empty() {
            self.0.swap(at, to);
        }
        to
    }

    /// Makes a column wider, or narrower; `now` is how wide it is.
    pub fn widen(&mut self, at: usize, now: u16, is_wider: bool) {
        let step = |now: u16| {
            if is_wider {
                now + STEP
            } else {
                now.saturating_sub(STEP)
            }
        };
        if let Some(column) = self.0.get_mut(at) {
            column.width = Some(step(now).clamp(*WIDTHS.start(), *WIDTHS.end()));
        }
    }

    /// As it is written: `level namespace:20 status`.
    pub fn print(&self) -> Vec<String> {
        let written = |column: &Column| match column.width {
            Some(width) => format!("{}:{width}", column.field.name()),
            None => column.field.name().to_owned(),
        };
        self.0.iter().map(written).collect()
    }

    /// Reads what was written.
    pub fn read<T: AsRef<str>>(columns: &[T]) -> Self {
        let read = |written: &T| {
            let written = written.as_ref();
            let (name, width) = match written.rsplit_once(':') {
                Some((name, width)) => (
                    name,
                    width.parse().ok().filter(|width| WIDTHS.contains(width)),
                ),
                None => (written, None),
            };
            Column {
                field: Field::named(name),
                width,
            }
        };
        Self(columns.iter().map(read).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_chosen_moved_and_kept() {
        let mut shape = Shape::default();
        shape.toggle(Field::named("http.status"));
        assert_eq!(shape.shift(2, -1), 1);
        shape.widen(1, 14, false);
        shape.widen(0, 1, false);
        let written = shape.print();
        assert_eq!(written, ["level:1", "http.status:12", "namespace"]);
        assert_eq!(Shape::read(&written), shape);
        shape.toggle(Field::Level);
        assert_eq!(
            (
                shape.has(&Field::Level),
                shape.shift(0, -1),
                shape.shift(1, 9)
            ),
            (false, 0, 1)
        );
    }
}
