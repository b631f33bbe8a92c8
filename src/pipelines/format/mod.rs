//! How an entry is written: raw, json, logfmt or a template.

use minijinja::{Environment, UndefinedBehavior, Value as TemplateValue};
use serde_json::{Map, Value};

use super::options::{Delivery, FormatKind};
use super::record::Record;
use crate::base::Time;
use crate::entry::json::{self, Dialect};
use crate::entry::{Entry, bytes};
use crate::query::logfmt;

/// The template of the format text, unless another is given.
const TEMPLATE: &str = "[{{ time }}] {{ level }} {{ msg }}";

/// How entries are written.
#[derive(Debug)]
pub(super) enum Format {
    Raw,
    /// Our own JSON form, or members with other names.
    Json(Option<Names>),
    Logfmt,
    Text(Box<Template>),
}

/// Names of members, and how times are written.
#[derive(Debug)]
pub(super) struct Names {
    time: String,
    level: String,
    message: String,
    source: String,
    time_format: Option<String>,
}

#[derive(Debug)]
pub(super) struct Template {
    environment: Environment<'static>,
    time_format: Option<String>,
}

impl Format {
    /// The format of a sink, `usual` unless said.
    ///
    /// # Errors
    /// The template or the form of times is not understood.
    pub fn new(options: &Delivery, usual: FormatKind) -> Result<Self, String> {
        let time_format = options.timestamp_format.clone();
        if let Some(format) = &time_format {
            jiff::fmt::strtime::format(
                format,
                &Time(0).timestamp().to_zoned(jiff::tz::TimeZone::UTC),
            )
            .map_err(|error| format!("timestamp_format {format:?} is not understood: {error}"))?;
        }
        let format = match (options.format, &options.template) {
            (Some(FormatKind::Text), _) | (None, Some(_)) => FormatKind::Text,
            (Some(other), Some(_)) => {
                let found = format!("{other:?}").to_lowercase();
                return Err(format!(
                    "`template` goes with the format text, found {found}"
                ));
            }
            (format, None) => format.unwrap_or(usual),
        };
        Ok(match format {
            FormatKind::Raw => Self::Raw,
            FormatKind::Logfmt => Self::Logfmt,
            FormatKind::Json => Self::Json(Names::new(options)),
            FormatKind::Text => {
                let template = options.template.as_deref().unwrap_or(TEMPLATE);
                Self::Text(Box::new(Template::new(template, time_format)?))
            }
        })
    }

    /// Whether it writes lines as they came.
    pub fn wants_lines(options: &Delivery, usual: FormatKind) -> bool {
        let format = options.format.unwrap_or(if options.template.is_some() {
            FormatKind::Text
        } else {
            usual
        });
        format == FormatKind::Raw
    }

    /// Writes a record, without a newline after it.
    pub fn write(&self, record: &Record, into: &mut Vec<u8>) {
        let entry: &Entry = &record.entry;
        match self {
            Self::Raw => match &record.line {
                Some(line) => into.extend_from_slice(&bytes::restore(line)),
                None => into.extend_from_slice(&bytes::restore(&entry.text)),
            },
            Self::Json(None) => {
                let wire = json::Wire {
                    entry,
                    dialect: Dialect::Full,
                };
                // Writing into memory cannot fail.
                let _ = serde_json::to_writer(into, &wire);
            }
            Self::Json(Some(names)) => {
                let _ = serde_json::to_writer(into, &names.object(entry));
            }
            Self::Logfmt => into.extend_from_slice(logfmt(entry).as_bytes()),
            Self::Text(template) => into.extend_from_slice(template.render(entry).as_bytes()),
        }
    }

    /// The same, with a newline.
    pub fn write_line(&self, record: &Record, into: &mut Vec<u8>) {
        self.write(record, into);
        into.push(b'\n');
    }
}

fn time(entry: &Entry, format: Option<&str>) -> String {
    let zoned = || entry.time.timestamp().to_zoned(jiff::tz::TimeZone::UTC);
    format
        .and_then(|format| jiff::fmt::strtime::format(format, &zoned()).ok())
        .unwrap_or_else(|| entry.time.to_string())
}

impl Names {
    fn new(options: &Delivery) -> Option<Self> {
        let name = |said: &Option<String>, usual: &str| said.clone().unwrap_or(usual.to_owned());
        let names = Self {
            time: name(&options.timestamp_field, "time"),
            level: name(&options.level_field, "level"),
            message: name(&options.message_field, "msg"),
            source: name(&options.source_field, "source"),
            time_format: options.timestamp_format.clone(),
        };
        let is_usual = options.timestamp_format.is_none()
            && [
                &options.timestamp_field,
                &options.level_field,
                &options.message_field,
                &options.source_field,
            ]
            .iter()
            .all(|name| name.is_none());
        (!is_usual).then_some(names)
    }

    fn object(&self, entry: &Entry) -> Value {
        let Value::Object(members) = json::to_value(entry, Dialect::Full) else {
            return Value::Null;
        };
        let renamed = members
            .into_iter()
            .map(|(name, value)| match name.as_str() {
                "time" => (
                    self.time.clone(),
                    time(entry, self.time_format.as_deref()).into(),
                ),
                "level" => (self.level.clone(), value),
                "msg" => (self.message.clone(), value),
                "source" => (self.source.clone(), value),
                _ => (name, value),
            });
        Value::Object(renamed.collect::<Map<_, _>>())
    }
}

impl Template {
    fn new(template: &str, time_format: Option<String>) -> Result<Self, String> {
        let mut environment = Environment::new();
        // What an entry does not have is nothing, and so is what would be within it.
        environment.set_undefined_behavior(UndefinedBehavior::Chainable);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment
            .add_template_owned("line", template.to_owned())
            .map_err(|error| format!("the template is not understood: {error}"))?;
        let template = Self {
            environment,
            time_format,
        };
        template
            .try_render(&Entry::default())
            .map_err(|error| format!("the template is not understood: {error}"))?;
        Ok(template)
    }

    fn render(&self, entry: &Entry) -> String {
        // It was tried when it was made; what still fails is one entry's, and its words are kept.
        self.try_render(entry)
            .unwrap_or_else(|_| entry.text.clone())
    }

    fn try_render(&self, entry: &Entry) -> Result<String, minijinja::Error> {
        let Value::Object(mut members) = json::to_value(entry, Dialect::Full) else {
            return Ok(entry.text.clone());
        };
        if self.time_format.is_some() {
            let time = time(entry, self.time_format.as_deref());
            members.insert("time".to_owned(), time.into());
        }
        let template = self.environment.get_template("line")?;
        template.render(TemplateValue::from_serialize(&members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::decode::{Defaults, line};

    fn record() -> Record {
        let text = r#"{"time":"2026-03-14T09:00:00.5Z","level":"warn","msg":"a \"b\"","n":1,"source":"s"}"#;
        let (entry, _) = line(text.as_bytes(), &Defaults::at(Time(0)));
        Record {
            entry: std::sync::Arc::new(entry),
            line: Some("as it came".into()),
        }
    }

    fn written(options: &Delivery) -> Result<String, String> {
        let mut into = Vec::new();
        Format::new(options, FormatKind::Json)?.write_line(&record(), &mut into);
        Ok(String::from_utf8(into).expect("text"))
    }

    #[test]
    fn every_format_writes() {
        let of = |format| Delivery {
            format: Some(format),
            ..Delivery::default()
        };
        let time = "2026-03-14T09:00:00.5Z";
        let cases = [
            (of(FormatKind::Raw), "as it came\n".to_owned()),
            (
                of(FormatKind::Json),
                format!("{{\"time\":\"{time}\",\"level\":\"WARN\",\"namespace\":\"default\",\"msg\":\"a \\\"b\\\"\",\"source\":\"s\",\"fields\":{{\"n\":1}}}}\n"),
            ),
            (
                of(FormatKind::Logfmt),
                format!("time={time} level=warn namespace=default msg=\"a \\\"b\\\"\" source=s n=1\n"),
            ),
            (of(FormatKind::Text), format!("[{time}] WARN a \"b\"\n")),
            (
                Delivery {
                    template: Some("{{ level|lower }} {{ fields.n }} {{ trace }}<".to_owned()),
                    ..Delivery::default()
                },
                "warn 1 <\n".to_owned(),
            ),
            (
                Delivery {
                    timestamp_format: Some("%H:%M".to_owned()),
                    message_field: Some("message".to_owned()),
                    ..Delivery::default()
                },
                "{\"time\":\"09:00\",\"level\":\"WARN\",\"namespace\":\"default\",\"message\":\"a \\\"b\\\"\",\"source\":\"s\",\"fields\":{\"n\":1}}\n".to_owned(),
            ),
        ];
        for (options, expected) in cases {
            assert_eq!(written(&options), Ok(expected), "{options:?}");
        }
    }

    #[test]
    fn mistakes_are_told() {
        let template = |text: &str| Delivery {
            template: Some(text.to_owned()),
            ..Delivery::default()
        };
        for bad in ["{{ msg", "{{ msg|shout }}", "{% for %}"] {
            let error = written(&template(bad)).expect_err(bad);
            assert!(error.contains("template"), "{error}");
        }
        let both = Delivery {
            format: Some(FormatKind::Raw),
            ..template("x")
        };
        assert!(written(&both).expect_err("both").contains("template"));
        let times = Delivery {
            timestamp_format: Some("%Q%".to_owned()),
            ..Delivery::default()
        };
        assert!(written(&times).expect_err("times").contains("%Q%"));
    }
}
