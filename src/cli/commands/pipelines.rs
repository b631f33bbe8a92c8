//! `tailwater pipelines`: what the pipelines of a running service do.

use std::io::Write;

use crate::backend::{PartStatus, PipelineStatus};
use crate::base::units::{grouped, print_size};
use crate::cli::args::{Listing, PipelinesArgs};
use crate::cli::{Error, Verdict, remote};
use crate::config::Settings;
use crate::entry::visible;

pub(in crate::cli) async fn run(
    settings: &Settings,
    args: &PipelinesArgs,
) -> Result<Verdict, Error> {
    let client = remote::service(settings).await?;
    let mut pipelines: Vec<PipelineStatus> = client.pipelines().await?;
    if let Some(name) = &args.name {
        pipelines.retain(|pipeline| pipeline.name == *name);
    }
    let text = match args.output {
        Listing::Json => {
            let json = serde_json::to_string_pretty(&pipelines);
            json.map_err(|error| Error::Said(error.to_string()))? + "\n"
        }
        Listing::Text => pipelines.iter().map(shown).collect(),
    };
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes())
        .map_err(Error::io("write the list"))?;
    Ok(if pipelines.is_empty() {
        Verdict::NothingFound
    } else {
        Verdict::Done
    })
}

fn shown(pipeline: &PipelineStatus) -> String {
    let since = &pipeline.since;
    let mut text = format!("{}  since {since}\n", pipeline.name);
    let lists = [
        ("source", &pipeline.sources),
        ("filter", &pipeline.filters),
        ("sink", &pipeline.sinks),
    ];
    for (kind, parts) in lists {
        for part in parts {
            text.push_str(&format!("  {kind:<6}  {}\n", of_part(part)));
        }
    }
    text
}

fn of_part(part: &PartStatus) -> String {
    // Filters are known by their places.
    let is_place = part.id.bytes().all(|byte| byte.is_ascii_digit());
    let id = if is_place {
        part.kind.clone()
    } else if part.id.starts_with(&part.kind) {
        part.id.clone()
    } else {
        format!("{} {}", part.kind, part.id)
    };
    let mut told = vec![visible(&id).text.into_owned(), grouped(part.given)];
    if part.lag_bytes > 0 {
        told.push(format!("lag {}", print_size(part.lag_bytes)));
    }
    if part.waiting_bytes > 0 {
        told.push(format!("{} wait", print_size(part.waiting_bytes)));
    }
    if part.clients > 0 {
        told.push(format!("{} connected", part.clients));
    }
    for (reason, count) in &part.dropped {
        told.push(format!("dropped {} ({reason})", grouped(*count)));
    }
    if let Some(trouble) = part.trouble.as_ref().filter(|trouble| !trouble.is_over) {
        told.push(visible(&trouble.text).text.into_owned());
    }
    told.join(" · ")
}
