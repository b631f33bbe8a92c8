//! What pipelines did, as it was last asked, and how fast they move.

use super::Answered;
use crate::backend::{PartStatus, PipelineStatus};
use crate::base::Time;

/// The pipelines of what is explored.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::explorer) struct Moving {
    pub answered: Answered<Told>,
    /// As it was told before: rates are the difference.
    before: Option<Told>,
}

/// What was told, and when.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::explorer) struct Told {
    at: Time,
    pub pipelines: Vec<PipelineStatus>,
}

/// Which part of a pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::explorer) enum Kind {
    Source,
    Filter,
    Sink,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Source, Self::Filter, Self::Sink];

    pub const fn title(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Filter => "filter",
            Self::Sink => "sink",
        }
    }

    /// The parts of this kind.
    pub fn parts(self, pipeline: &PipelineStatus) -> &[PartStatus] {
        match self {
            Self::Source => &pipeline.sources,
            Self::Filter => &pipeline.filters,
            Self::Sink => &pipeline.sinks,
        }
    }
}

impl Moving {
    /// Takes in an answer.
    pub fn told(&mut self, at: Time, answer: Result<Option<Vec<PipelineStatus>>, String>) {
        let told = |pipelines| Told { at, pipelines };
        let before = self.answered.told(answer.map(|answer| answer.map(told)));
        self.before = before.or(self.before.take());
    }

    pub fn pipelines(&self) -> &[PipelineStatus] {
        self.answered
            .now
            .as_ref()
            .map_or(&[], |told| &told.pipelines)
    }

    /// Entries a second that a part passed on; none as long as there is nothing to compare.
    pub fn rate(&self, pipeline: &PipelineStatus, kind: Kind, part: &PartStatus) -> Option<f64> {
        self.change(pipeline, kind, part, |part| part.given)
    }

    /// Entries a second that a part dropped.
    pub fn drops(&self, pipeline: &PipelineStatus, kind: Kind, part: &PartStatus) -> Option<f64> {
        self.change(pipeline, kind, part, |part| part.dropped.values().sum())
    }

    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    fn change(
        &self,
        pipeline: &PipelineStatus,
        kind: Kind,
        part: &PartStatus,
        of: impl Fn(&PartStatus) -> u64,
    ) -> Option<f64> {
        let (now, before) = (self.answered.now.as_ref()?, self.before.as_ref()?);
        let is_same =
            |other: &&PipelineStatus| other.name == pipeline.name && other.since == pipeline.since;
        let earlier = before.pipelines.iter().find(is_same)?;
        let earlier = kind
            .parts(earlier)
            .iter()
            .find(|other| other.id == part.id)?;
        let seconds = now.at.since(before.at).as_secs_f64();
        let moved = of(part).saturating_sub(of(earlier));
        (seconds > 0.0).then(|| moved as f64 / seconds)
    }
}
