//! Arguments of the commands around events.

use clap::{Args as ClapArgs, Subcommand};

use super::Listing;

/// What can be done with events.
#[derive(Debug, Subcommand)]
pub enum EventsAction {
    /// Send an event
    Send(EventArgs),
    /// Print the events that were taken, newest first; exit 1 if there are none
    History {
        /// Only those whose JSON holds this
        #[arg(long, value_name = "TEXT")]
        contains: Option<String>,
        /// Only those whose type holds this
        #[arg(long = "type", value_name = "TEXT")]
        kind: Option<String>,
        /// Form of the output
        #[arg(short, long, value_name = "FORM", default_value = "text")]
        output: Listing,
    },
    /// Offer an event to the listeners once more
    Replay {
        /// Its id
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Print what waits for events, newest first; exit 1 if there is nothing
    Listeners {
        /// Take this listener away instead
        #[arg(long, value_name = "ID")]
        delete: Option<String>,
        /// Form of the output
        #[arg(short, long, value_name = "FORM", default_value = "text")]
        output: Listing,
    },
    /// Print firings whose actions failed for good; exit 1 if there are none
    Dead {
        /// Try the action of this one again instead
        #[arg(long, value_name = "FIRING", conflicts_with = "delete")]
        retry: Option<String>,
        /// Forget this one instead
        #[arg(long, value_name = "FIRING")]
        delete: Option<String>,
        /// Form of the output
        #[arg(short, long, value_name = "FORM", default_value = "text")]
        output: Listing,
    },
    /// Make a listener that starts something whenever events come
    Listen(ListenArgs),
    /// Wait for events and print them; exit 1 at the time limit
    Wait {
        #[command(flatten)]
        on: On,
        /// No longer than this: 20s, 5m
        #[arg(long, value_name = "DURATION")]
        timeout: Option<String>,
    },
}

/// An event to be sent.
#[derive(Debug, ClapArgs)]
pub struct EventArgs {
    /// What kind of thing happened
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: String,
    /// Where it happened
    #[arg(long, value_name = "SOURCE", default_value = "tailwater")]
    pub source: String,
    /// Its id; made up if it is not given
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// An attribute or extension
    #[arg(long = "attribute", value_name = "NAME=VALUE")]
    pub attributes: Vec<String>,
    /// Offer it after so long: 90s, 5m
    #[arg(long, value_name = "DURATION")]
    pub delay: Option<String>,
    /// What it says: JSON, or text; - reads standard input
    #[arg(value_name = "DATA")]
    pub says: Option<String>,
}

/// Which events are waited for.
#[derive(Debug, ClapArgs)]
pub struct On {
    /// A type of events
    #[arg(long = "type", value_name = "TYPE", required = true)]
    pub types: Vec<String>,
    /// One event of each type
    #[arg(long, conflicts_with = "any")]
    pub all: bool,
    /// The first event of any type; so it is if nothing is said
    #[arg(long)]
    pub any: bool,
    /// Only events whose attribute matches; * stands for any text
    #[arg(long = "filter", value_name = "TYPE.ATTRIBUTE=PATTERN")]
    pub filters: Vec<String>,
}

/// A listener to be made.
#[derive(Debug, ClapArgs)]
pub struct ListenArgs {
    #[command(flatten)]
    pub on: On,
    /// How long an event counts until the others have come: 10m
    #[arg(long, value_name = "DURATION")]
    pub lifespan: Option<String>,
    /// Post the events to this address
    #[arg(long, value_name = "URL")]
    pub webhook: Option<String>,
    /// With what the body is signed
    #[arg(
        long,
        value_name = "SECRET",
        env = "TAILWATER_WEBHOOK_SECRET",
        hide_env_values = true,
        requires = "webhook"
    )]
    pub secret: Option<String>,
    /// Run what the configuration of the service calls so
    #[arg(long, value_name = "NAME", conflicts_with = "webhook")]
    pub command: Option<String>,
    /// Tell open explorers, and show them this query there
    #[arg(
        long,
        value_name = "QUERY",
        num_args = 0..=1,
        default_missing_value = "",
        conflicts_with_all = ["webhook", "command"]
    )]
    pub view: Option<String>,
    /// What explorers say then
    #[arg(long, value_name = "TEXT", requires = "view")]
    pub text: Option<String>,
    /// Write an entry with these words into the embedded log; what is done unless something else is said
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["webhook", "command", "view"])]
    pub log: Option<String>,
}
