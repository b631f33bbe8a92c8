//! Writing everything that a question finds into a file: lines of JSON, or a table.

use std::io::{ErrorKind, Write};
use std::path::Path;

use super::Performer;
use crate::backend::{Backend, Error};
use crate::base::units::{grouped, print_size};
use crate::base::{NewFile, Time};
use crate::entry::json::to_line;
use crate::entry::{Entry, bytes};
use crate::explorer::case::{CSV_HEAD, Case, CaseForm, csv_row};
use crate::explorer::message::Message;
use crate::explorer::sharing::Disguise;
use crate::query::{Direction, PageRequest, Query, Start, Ties};

/// Entries read at once.
const PAGE: usize = 1_000;
/// Entries between two words of how far it has come.
const TELL_EVERY: u64 = 20_000;

/// Why a file cannot be written, and what to do.
fn told(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::AlreadyExists => "there is such a file already: take another name".to_owned(),
        ErrorKind::NotFound => "there is no such folder".to_owned(),
        _ => error.to_string(),
    }
}

impl Performer {
    /// Writes a case into a file that is not there yet.
    pub(super) fn write_case(&self, path: String, case: &Case, form: CaseForm, disguised: bool) {
        let text = if disguised {
            case.disguised(&mut self.disguise.names()).write(form)
        } else {
            case.write(form)
        };
        let messages = self.messages.clone();
        tokio::task::spawn_blocking(move || {
            let bytes = bytes::restore(&text);
            let written = NewFile::create(Path::new(&path)).and_then(|mut file| {
                file.write_all(&bytes)?;
                file.finish()
            });
            let told = match written {
                Ok(()) => Ok(format!(
                    "saved as {path}, {}",
                    print_size(bytes.len() as u64)
                )),
                Err(error) => Err(format!("cannot write {path}: {}", told(&error))),
            };
            let _ = messages.send(Message::Done(told));
        });
    }

    /// Exports what a question finds, oldest first; the file has its name when it is whole.
    pub(super) fn export(&mut self, query: Query, now: Time, path: String, disguised: bool) {
        let disguise = disguised.then(|| self.disguise.clone());
        let (backend, messages) = self.handles();
        let running = tokio::spawn(async move {
            let tell = |count: u64| {
                let text = format!("exporting: {} entries so far …", grouped(count));
                let _ = messages.send(Message::Done(Ok(text)));
            };
            let exported = export(
                &backend,
                (query, now),
                disguise.as_ref(),
                Path::new(&path),
                tell,
            )
            .await;
            let told = match exported {
                Ok(count) => Ok(format!("exported {} entries to {path}", grouped(count))),
                Err(reason) => Err(format!("cannot export to {path}: {reason}")),
            };
            let _ = messages.send(Message::Done(told));
        });
        self.exporting.replace(super::Number::default(), running);
    }
}

async fn export(
    backend: &Backend,
    (query, now): (Query, Time),
    disguise: Option<&Disguise>,
    path: &Path,
    tell: impl Fn(u64),
) -> Result<u64, String> {
    let failed = |error: std::io::Error| told(&error);
    let mut out = NewFile::create(path).map_err(failed)?;
    let is_table = path.extension().is_some_and(|extension| extension == "csv");
    let mut table = is_table.then(|| csv::Writer::from_writer(Vec::new()));
    if let Some(table) = &mut table {
        table
            .write_record(CSV_HEAD)
            .map_err(|error| error.to_string())?;
    }
    let (mut count, mut told, mut start) = (0, 0, Start::End);
    loop {
        let request = PageRequest {
            query: query.clone(),
            now,
            start,
            direction: Direction::Newer,
            limit: PAGE,
            ties: Ties::Split,
        };
        let page = backend.page(request).await;
        let page = page.map_err(|error: Error| error.explained())?;
        count += page.entries.len() as u64;
        for entry in &page.entries {
            match disguise {
                Some(disguise) => {
                    let told = disguise.names().entry(entry);
                    write(&mut out, table.as_mut(), &told)?;
                }
                None => write(&mut out, table.as_mut(), entry)?,
            }
        }
        if count >= told + TELL_EVERY {
            told = count;
            tell(count);
        }
        match page.newer {
            Some(cursor) => start = Start::Beyond(cursor.key),
            None => break,
        }
    }
    if let Some(table) = table {
        let rows = table.into_inner().map_err(|error| error.to_string())?;
        out.write_all(&rows).map_err(failed)?;
    }
    out.finish().map_err(failed)?;
    Ok(count)
}

fn write(
    out: &mut impl Write,
    table: Option<&mut csv::Writer<Vec<u8>>>,
    entry: &Entry,
) -> Result<(), String> {
    let failed = |error: std::io::Error| error.to_string();
    if let Some(table) = table {
        let row = csv_row(entry, "");
        table.write_record(row).map_err(|error| error.to_string())?;
        let rows = std::mem::replace(table, csv::Writer::from_writer(Vec::new()));
        let rows = rows.into_inner().map_err(|error| error.to_string())?;
        return out.write_all(&rows).map_err(failed);
    }
    let line = to_line(entry) + "\n";
    out.write_all(&bytes::restore(&line)).map_err(failed)
}
