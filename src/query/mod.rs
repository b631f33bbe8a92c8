//! Questions to a log, and the forms of their answers.
//!
//! ```text
//! text --parse--> Query --Matcher::compile(now)--> Matcher --matches(entry)--> yes / no, spans to highlight
//!                   \--print--> text                  \--verdict(summary)--> none / some / all of a block
//! PageRequest, HistogramRequest, … -> whatever holds a log -> Page, Histogram, …
//! ```
//!
//! Invariants: `parse(print(q)) == q`; a matcher asks no clock (relative times are resolved when it is compiled);
//! a summary's verdict never contradicts its entries. Knows no storage, network or terminal.

mod answer;
mod compare;
mod complete;
mod counts;
mod cursor;
mod expression;
mod field;
mod fields;
mod logfmt;
mod matcher;
mod nearest;
mod needle;
mod parse;
mod print;
mod prune;
mod quiet;
mod request;
mod search;
mod templates;
pub mod words;

pub use answer::{Facet, Facets, Histogram, NamespaceCount, Page, Progress, Values};
pub use compare::{Comparing, Difference, Differences};
pub use complete::{Completing, completing};
pub use counts::{TimeCounts, ValueCounts, complete_levels, complete_names};
pub use cursor::{Cursor, Direction, InvalidCursor};
pub use expression::{Bound, Comparison, Expression, Pattern, Query, Term, When};
pub use field::{Field, KNOWN_FIELDS, printed};
pub use fields::{FieldUse, fields_of};
pub use logfmt::logfmt;
pub use matcher::{Matcher, Node, Test, Value};
pub use nearest::Nearest;
pub use needle::Needle;
pub use parse::ParseQueryError;
pub use prune::{Filter, Summary, Verdict};
pub use quiet::Quiet;
pub use request::{
    CompareRequest, ContextRequest, FacetsRequest, FollowRequest, HistogramRequest, PageRequest,
    PatternsRequest, Start, Ties, ValuesRequest,
};
pub use search::{Search, Texts};
pub use templates::{Template, TemplateCounts, Templates, VARIABLE};
