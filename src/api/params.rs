//! Parameters of requests, as they stand in a URL. All are words: the service says what it expected of each.

use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

/// Parameters of a list. Unknown ones are ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, rename_all = "camelCase")]
pub struct ListParams {
    /// The question, in the query language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Entries in the page, 1 to 1,000. Of `limit`, `first` and `last` the first that is given counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    /// So many of the oldest entries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// So many of the newest entries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// Only entries older than this time (`<time>` or `<time>;id=<position>`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Only entries newer than this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// A place given by an earlier answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// `older` (from the newest end, default) or `newer` (from the oldest end); `asc` (default) or `desc` orders the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<String>,
    /// `all` (default) or `namespace`: Direktiv's narrow track.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Only this instance and its descendants.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Only this gateway route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// Only this activity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity: Option<String>,
    /// Only this trace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// Only this span.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<String>,
    /// Only this branch of a parallel state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// Only this level and more severe ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// `true`: entries of one namespace are written as those of all are, and long ones are not cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full: Option<String>,
}

impl ListParams {
    /// Whether entries shall be written in full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.full.as_deref() == Some("true")
    }
}

/// Parameters of a subscription: those of a list that choose entries, and where to begin. With `after` and without an id
/// to resume from, entries newer than that time come first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SubscribeParams {
    /// The same choice as in a list.
    #[serde(flatten)]
    pub list: ListParams,
    /// The id after which to go on; the header `Last-Event-ID` goes before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_event_id: Option<String>,
}

/// Parameters of a histogram.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, rename_all = "camelCase")]
pub struct HistogramParams {
    /// The question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// From this time on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Up to, not including, this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// At most so many buckets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buckets: Option<String>,
}

/// Parameters of facets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, rename_all = "camelCase")]
pub struct FacetsParams {
    /// The question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The field; required.
    #[param(required)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// At most so many values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
}

/// Parameters of patterns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, rename_all = "camelCase")]
pub struct PatternsParams {
    /// The question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// At most so many of the newest entries are looked at, 1 to 1,000,000; 100,000 unless it is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<String>,
    /// At most so many templates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
}

/// Parameters of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, rename_all = "camelCase")]
pub struct CompareParams {
    /// The question; its times do not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Where the span begins; required.
    #[param(required)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Up to, not including, this time; required.
    #[param(required)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// At most so many of the newest entries of either side are looked at, 1 to 1,000,000; 100,000 unless it is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<String>,
    /// At most so many differences.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
}

/// Parameters of completions: of names without a field, else of its values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, rename_all = "camelCase")]
pub struct ValuesParams {
    /// The field whose values are wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What is typed already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
}

/// Parameters of a context.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, rename_all = "camelCase")]
pub struct ContextParams {
    /// Among which entries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// How many before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// How many after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}
