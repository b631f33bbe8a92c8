//! The sections `[[pipelines]]`: keys are flat beside `type`, so each part is read by its type.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::tree::{Mistake, Table, Tree, Value};
use crate::base::nearest;
use crate::pipelines::options::{
    Delivery, FilesOptions, FilterOptions, LineOptions, PipelineOptions, PortOptions, Reading,
    SinkKind, SinkOptions, SourceKind, SourceOptions, SyslogOptions, TcpSinkOptions,
    TcpSourceOptions, TransportOptions,
};

/// Keys of every source.
pub(super) const READING: [&str; 6] = [
    "name",
    "decode",
    "zone",
    "multiline",
    "keep_raw",
    "namespace",
];
/// Keys of every sink.
pub(super) const DELIVERY: [&str; 11] = [
    "name",
    "buffer",
    "buffer_size",
    "buffer_bytes",
    "format",
    "template",
    "timestamp_format",
    "timestamp_field",
    "level_field",
    "message_field",
    "source_field",
];
/// Keys of parts that listen.
pub(super) const PORT: [&str; 9] = [
    "host",
    "port",
    "tls_cert",
    "tls_key",
    "tls_client_ca",
    "allow",
    "deny",
    "connections",
    "connections_per_address",
];

const SOURCES: [&str; 10] = [
    "directory",
    "file",
    "console",
    "http",
    "tcp",
    "syslog",
    "journald",
    "command",
    "logdir",
    "sse",
];
const FILTERS: [&str; 10] = [
    "include",
    "exclude",
    "level",
    "sample",
    "rate",
    "redact",
    "set",
    "rename",
    "remove",
    "namespace",
];
const SINKS: [&str; 7] = [
    "store",
    "http",
    "tcp",
    "file",
    "console",
    "http_client",
    "tcp_client",
];

/// The pipelines of a configuration; the tree keeps them, for those who ask where something was said.
pub(super) fn read(tree: &Tree<'_>) -> Result<Vec<PipelineOptions>, Mistake> {
    let Some(value) = tree.root.get("pipelines") else {
        return Ok(Vec::new());
    };
    let reader = Reader { tree };
    let tables = reader.tables("pipelines", value.clone())?;
    let pipelines = tables.into_iter().map(|part| reader.pipeline(part));
    pipelines.collect()
}

/// A table of the tree: its key, its keys, and where it stands.
struct Part<'i> {
    key: String,
    table: Table<'i>,
    span: Range<usize>,
}

struct Reader<'t, 'i> {
    tree: &'t Tree<'i>,
}

impl<'i> Reader<'_, 'i> {
    /// The tables of a list.
    fn tables(&self, key: &str, value: Value<'i>) -> Result<Vec<Part<'i>>, Mistake> {
        let span = value.span();
        let expected = |span: Range<usize>, found: &str| {
            let reason = format!("expected a list of tables ([[{key}]]), found {found}");
            self.tree.mistake(key, Some(span), &reason)
        };
        let found = value.get_ref().type_str();
        let DeValue::Array(list) = value.into_inner() else {
            return Err(expected(span, found));
        };
        let parts = list.into_iter().enumerate().map(|(number, item)| {
            let (span, found) = (item.span(), item.get_ref().type_str());
            match item.into_inner() {
                DeValue::Table(table) => Ok(Part {
                    key: format!("{key}.{number}"),
                    table,
                    span,
                }),
                _ => Err(expected(span, found)),
            }
        });
        parts.collect()
    }

    fn pipeline(&self, mut part: Part<'i>) -> Result<PipelineOptions, Mistake> {
        let name = self.needed(&mut part, "name")?;
        let mut list = |key: &str| -> Result<Vec<Part<'i>>, Mistake> {
            let value = part.table.remove(key);
            let path = format!("{}.{key}", part.key);
            value.map_or(Ok(Vec::new()), |value| self.tables(&path, value))
        };
        let (sources, filters, sinks) = (list("sources")?, list("filters")?, list("sinks")?);
        self.nothing_else(&part, &["name", "sources", "filters", "sinks"])?;
        let sources = sources.into_iter().map(|part| self.source(part));
        let filters = filters.into_iter().map(|part| self.filter(part));
        let sinks = sinks.into_iter().map(|part| self.sink(part));
        Ok(PipelineOptions {
            name,
            sources: sources.collect::<Result<_, _>>()?,
            filters: filters.collect::<Result<_, _>>()?,
            sinks: sinks.collect::<Result<_, _>>()?,
        })
    }

    fn source(&self, mut part: Part<'i>) -> Result<SourceOptions, Mistake> {
        let kind = self.needed(&mut part, "type")?;
        let reading: Reading = self.split(&mut part, &READING)?;
        let kind = match kind.as_str() {
            "directory" => SourceKind::Files(self.rest(part)?),
            "file" => {
                // A file is a directory and its name.
                self.absent(
                    &part,
                    "pattern",
                    "a file has no pattern; use the type directory",
                )?;
                let mut options: FilesOptions = self.rest(part)?;
                options.pattern.clear();
                SourceKind::Files(options)
            }
            "console" => SourceKind::Console(self.rest(part)?),
            "http" => SourceKind::Http(self.rest(part)?),
            "tcp" => {
                let listen: PortOptions = self.port(&mut part)?;
                let lines: LineOptions = self.rest(part)?;
                SourceKind::Tcp(TcpSourceOptions { listen, lines })
            }
            "syslog" => {
                let listen: PortOptions = self.port(&mut part)?;
                let syslog: TransportOptions = self.rest(part)?;
                SourceKind::Syslog(SyslogOptions { listen, syslog })
            }
            "journald" => SourceKind::Journald(self.rest(part)?),
            "command" => SourceKind::Command(self.rest(part)?),
            "logdir" => SourceKind::Logdir(self.rest(part)?),
            "sse" => SourceKind::Sse(self.rest(part)?),
            other => return Err(self.unknown_type(&part, other, &SOURCES)),
        };
        Ok(SourceOptions { kind, reading })
    }

    fn filter(&self, mut part: Part<'i>) -> Result<FilterOptions, Mistake> {
        let kind = self.needed(&mut part, "type")?;
        Ok(match kind.as_str() {
            "include" => FilterOptions::Include(self.rest(part)?),
            "exclude" => FilterOptions::Exclude(self.rest(part)?),
            "level" => FilterOptions::Level(self.rest(part)?),
            "sample" => FilterOptions::Sample(self.rest(part)?),
            "rate" => FilterOptions::Rate(self.rest(part)?),
            "redact" => FilterOptions::Redact(self.rest(part)?),
            "set" => FilterOptions::Set(self.rest(part)?),
            "rename" => FilterOptions::Rename(self.rest(part)?),
            "remove" => FilterOptions::Remove(self.rest(part)?),
            "namespace" => FilterOptions::Namespace(self.rest(part)?),
            other => return Err(self.unknown_type(&part, other, &FILTERS)),
        })
    }

    fn sink(&self, mut part: Part<'i>) -> Result<SinkOptions, Mistake> {
        let kind = self.needed(&mut part, "type")?;
        let delivery: Delivery = self.split(&mut part, &DELIVERY)?;
        let kind = match kind.as_str() {
            "store" => SinkKind::Store(self.rest(part)?),
            "http" => SinkKind::Http(self.rest(part)?),
            "tcp" => {
                let listen = self.port(&mut part)?;
                self.nothing_else(&part, &PORT)?;
                SinkKind::Tcp(TcpSinkOptions { listen })
            }
            "file" => SinkKind::File(self.rest(part)?),
            "console" => SinkKind::Console(self.rest(part)?),
            "http_client" => SinkKind::HttpClient(self.rest(part)?),
            "tcp_client" => SinkKind::TcpClient(self.rest(part)?),
            other => return Err(self.unknown_type(&part, other, &SINKS)),
        };
        Ok(SinkOptions { kind, delivery })
    }

    fn port(&self, part: &mut Part<'i>) -> Result<PortOptions, Mistake> {
        if !part.table.contains_key("port") {
            let reason = "expected `port`, found nothing";
            return Err(self.mistake(part, reason));
        }
        self.split(part, &PORT)
    }

    /// A text that has to be there.
    fn needed(&self, part: &mut Part<'i>, key: &str) -> Result<String, Mistake> {
        match part.table.remove(key) {
            Some(value) => self.tree.read(&format!("{}.{key}", part.key), value),
            None => Err(self.mistake(part, &format!("expected `{key}`, found nothing"))),
        }
    }

    /// Reads these keys of a part, and takes them away.
    fn split<T: DeserializeOwned>(&self, part: &mut Part<'i>, keys: &[&str]) -> Result<T, Mistake> {
        let mut own = DeTable::default();
        for (key, value) in std::mem::take(&mut part.table) {
            if keys.contains(&key.get_ref().as_ref()) {
                own.insert(key, value);
            } else {
                part.table.insert(key, value);
            }
        }
        self.tree.read_table(&part.key, own, part.span.clone())
    }

    /// Reads what is left of a part.
    fn rest<T: DeserializeOwned>(&self, part: Part<'i>) -> Result<T, Mistake> {
        self.tree.read_table(&part.key, part.table, part.span)
    }

    fn absent(&self, part: &Part<'i>, key: &str, reason: &str) -> Result<(), Mistake> {
        match part.table.get_key_value(key) {
            Some((found, _)) => Err(self.tree.mistake(key, Some(found.span()), reason)),
            None => Ok(()),
        }
    }

    /// Every other key is a mistake.
    fn nothing_else(&self, part: &Part<'i>, known: &[&str]) -> Result<(), Mistake> {
        let Some((key, _)) = part.table.iter().next() else {
            return Ok(());
        };
        let names: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
        let reason = format!(
            "unknown field `{}`, expected one of {}",
            key.get_ref(),
            names.join(", ")
        );
        Err(self.tree.mistake(&part.key, Some(key.span()), &reason))
    }

    fn unknown_type(&self, part: &Part<'i>, found: &str, known: &[&str]) -> Mistake {
        let mut reason = format!(
            "type: expected one of {}, found {found:?}",
            known.join(", ")
        );
        if let Some(name) = nearest(found, known.iter().copied()) {
            reason.push_str(&format!("; did you mean `{name}`?"));
        }
        self.mistake(part, &reason)
    }

    fn mistake(&self, part: &Part<'i>, reason: &str) -> Mistake {
        let span = Spanned::new(part.span.clone(), ()).span();
        self.tree.mistake(&part.key, Some(span), reason)
    }
}
