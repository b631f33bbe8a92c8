//! What narrows the log: chips, the lowest level, the typed query.

use crate::base::Time;
use crate::entry::Level;
use crate::query::{Bound, Expression, Field, Query, Term, When};

/// One condition that can be switched off, turned around and removed.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::explorer) struct Chip {
    pub expression: Expression,
    pub negated: bool,
    pub enabled: bool,
    /// How it is called, where its condition does not read well.
    pub name: Option<String>,
}

impl Chip {
    pub fn include(expression: Expression) -> Self {
        Self {
            expression,
            negated: false,
            enabled: true,
            name: None,
        }
    }

    pub fn exclude(expression: Expression) -> Self {
        Self {
            negated: true,
            ..Self::include(expression)
        }
    }

    /// The same under a name.
    pub fn called(self, name: String) -> Self {
        let name = Some(name);
        Self { name, ..self }
    }

    /// The condition as it holds.
    pub fn condition(&self) -> Expression {
        if self.negated {
            self.expression.clone().negated()
        } else {
            self.expression.clone()
        }
    }

    /// The field it speaks of, if it asks for values of one.
    pub fn field(&self) -> Option<Field> {
        match &self.expression {
            Expression::Term(Term::Field(field, _)) => Some(field.clone()),
            Expression::Term(Term::Levels(_)) => Some(Field::Level),
            _ => None,
        }
    }
}

/// All that narrows the log.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::explorer) struct Filters {
    pub chips: Vec<Chip>,
    /// The lowest level shown.
    pub level: Option<Level>,
    /// The typed query, and as it was typed.
    pub typed: Query,
    pub typed_text: String,
    /// What is being typed into the live text filter.
    pub preview: Option<String>,
    /// Only this time: from the first, up to the second.
    pub range: Option<(Time, Time)>,
    /// What is looked at in the place of all this; what it hides is shown, and told apart.
    pub lens: Option<Lens>,
}

/// What is looked at instead of what the filters let through.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::explorer) enum Lens {
    /// Everything in the same time.
    Off,
    /// What surrounds a row: how far that goes, in words and as a condition.
    Context(&'static str, Expression),
}

impl Filters {
    /// The question that is asked: what they make together, unless something is looked at in its place.
    pub fn query(&self) -> Query {
        match &self.lens {
            None => self.own(),
            Some(Lens::Off) => self.without(),
            Some(Lens::Context(_, around)) => Query(around.clone()),
        }
    }

    /// The same time without filters.
    pub fn without(&self) -> Query {
        let (bounds, at) = ([Bound::Since, Bound::Before], self.range);
        let times = at.into_iter().flat_map(|(from, to)| [from, to]);
        let bounds = bounds.into_iter().zip(times);
        Query(Expression::all(bounds.map(|(bound, time)| {
            Expression::Term(Term::Time(bound, When::At(time)))
        })))
    }

    /// The question they make together.
    ///
    /// Values of one field that are wanted are alternatives; everything else must hold together.
    pub fn own(&self) -> Query {
        let mut parts: Vec<Expression> = Vec::new();
        let enabled: Vec<&Chip> = self.chips.iter().filter(|chip| chip.enabled).collect();
        let mut joined: Vec<Field> = Vec::new();
        for chip in &enabled {
            match chip.field() {
                Some(field) if !chip.negated => {
                    if !joined.contains(&field) {
                        let same = enabled.iter().filter(|other| {
                            !other.negated && other.field().as_ref() == Some(&field)
                        });
                        parts.push(Expression::any(same.map(|other| other.condition())));
                        joined.push(field);
                    }
                }
                _ => parts.push(chip.condition()),
            }
        }
        parts.extend(self.level.map(Expression::at_least));
        parts.push(self.typed.0.clone());
        parts.extend(
            self.preview
                .as_ref()
                .filter(|text| !text.is_empty())
                .map(Expression::contains),
        );
        parts.push(self.without().0);
        Query(Expression::all(parts))
    }

    /// Adds a condition; one that is there already is switched on and has its sense.
    pub fn add(&mut self, chip: Chip) {
        self.lens = None;
        match self
            .chips
            .iter_mut()
            .find(|other| other.expression == chip.expression)
        {
            Some(other) => *other = chip,
            None => self.chips.push(chip),
        }
    }

    /// Whether anything narrows the log.
    pub fn is_empty(&self) -> bool {
        self.query().is_everything()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chips_make_a_question() {
        let mut filters = Filters::default();
        assert!(filters.is_empty());
        filters.add(Chip::include(Expression::equals(Field::Namespace, "pay")));
        filters.add(Chip::include(Expression::equals(Field::Namespace, "auth")));
        filters.add(Chip::exclude(Expression::contains("health")));
        filters.level = Some(Level::Warn);
        filters.typed = "boom".parse().expect("a query");
        assert_eq!(
            filters.query().to_string(),
            "(namespace:pay OR namespace:auth) -health level>=warn boom"
        );
        filters.chips[1].enabled = false;
        filters.add(Chip::include(Expression::contains("health")));
        assert_eq!(
            filters.query().to_string(),
            "namespace:pay health level>=warn boom"
        );
        assert_eq!(filters.chips.len(), 3);
    }
}
