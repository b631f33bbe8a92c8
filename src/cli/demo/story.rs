//! The story as it stands in `assets/demo.toml`.

use serde::Deserialize;

const TEXT: &str = include_str!("../../../assets/demo.toml");

/// The whole story.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Story {
    /// Who writes.
    pub services: Vec<Service>,
    /// Calls of one request, service by service.
    pub requests: Vec<Request>,
    /// What goes wrong.
    pub phases: Vec<Phase>,
    /// Lines that come once, at a share of the time.
    pub once: Vec<Once>,
    /// Lines that come with a steady beat.
    pub beats: Vec<Beat>,
    /// Words that fill the slots of messages.
    pub words: std::collections::BTreeMap<String, Vec<String>>,
}

/// A service: a namespace.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Service {
    pub name: String,
    pub workflow: String,
    pub states: Vec<String>,
    pub instances: usize,
    pub route: Option<String>,
    /// Lines about nothing in particular.
    pub chatter: Vec<Line>,
}

/// One message with its slots in braces.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    pub level: String,
    pub text: String,
    #[serde(default)]
    pub error: Option<String>,
    /// Fields by name; values are templates too, numbers where they read as such.
    #[serde(default)]
    pub fields: std::collections::BTreeMap<String, String>,
}

/// What one request makes services say, in order.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    /// How often, against the others.
    pub weight: u32,
    pub steps: Vec<Step>,
    /// What comes instead from the step `fails_at` on, when the request fails.
    pub fails_at: usize,
    pub failure: Vec<Step>,
}

/// One line of a request.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    pub service: String,
    pub line: Line,
}

/// From a share of the time on, things get worse.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Phase {
    /// Share of the backlog, 0 to 1.
    pub from: f64,
    /// Share of requests that fail.
    pub failing: f64,
    /// Lines that come beside the others, and how many of 1,000.
    #[serde(default)]
    pub signs: Vec<Sign>,
}

/// A line that tells of what goes wrong.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sign {
    pub service: String,
    pub per_thousand: u32,
    pub line: Line,
}

/// A line that comes once.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Once {
    pub at: f64,
    pub service: String,
    pub line: Line,
}

/// A line that comes with a steady beat, as health checks do.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Beat {
    pub service: String,
    pub instance: String,
    pub every_seconds: u64,
    /// The share of the backlog after which it has stopped; it goes on without.
    #[serde(default)]
    pub until: Option<f64>,
    pub text: String,
}

impl Story {
    /// The story of the assets.
    pub fn load() -> Self {
        toml::from_str(TEXT).expect("the story is understood: a test reads it")
    }
}
