//! `tailwater case FILE`

use std::io::Write;

use super::explore;
use crate::cli::args::{CaseArgs, CaseOutput, Kind, Look};
use crate::cli::open::Opened;
use crate::cli::{Error, Verdict};
use crate::config::Settings;
use crate::explorer::{Case, CaseForm};

pub(in crate::cli) async fn run(settings: &Settings, args: CaseArgs) -> Result<Verdict, Error> {
    let path = &args.file;
    let text = std::fs::read_to_string(path).map_err(|source| Error::File {
        path: path.clone(),
        source,
    })?;
    let place = path.display();
    let case = Case::read(&text).map_err(|error| Error::Said(format!("{place}: {error}")))?;
    if let Some(output) = args.output {
        let form = match output {
            CaseOutput::Markdown => CaseForm::Markdown,
            CaseOutput::Ndjson => CaseForm::Ndjson,
            CaseOutput::Csv => CaseForm::Csv,
        };
        let written = write!(std::io::stdout(), "{}", case.write(form));
        return written.map(|()| Verdict::Done).map_err(Error::io("write"));
    }
    let sources = if args.sources.is_empty() {
        case.sources.clone()
    } else {
        args.sources
    };
    let opened = Opened::from(settings, &sources, &Kind::default()).await?;
    let look = Look {
        query: Some(case.query.clone()),
        screen: args.screen,
    };
    let begin = explore::Begin {
        case,
        ..explore::Begin::default()
    };
    explore::explore(settings, opened, look, begin).await
}
