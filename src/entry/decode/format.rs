//! The format of a file's lines: how one is taken apart, and which lines begin an entry.
//!
//! Unlike [`super::Lines`], which sees one line after the other, a format tells by a line alone (and the one before it)
//! whether it begins an entry: so a file can be read from any place, both ways.

use std::borrow::Cow;
use std::sync::Arc;

use super::glance::{Glance, glance};
use super::lines::looks_continued;
use super::pattern::Pattern;
use super::{Decoder, Defaults, Form, Pairs, container, export, from_object, plain};
use crate::base::Time;
use crate::entry::{Entry, bytes};

/// How lines are taken apart and put together.
#[derive(Clone, Debug)]
pub struct Format {
    name: Arc<str>,
    how: How,
}

#[derive(Clone, Debug)]
pub(super) enum How {
    /// A JSON object a line; other lines are text between them.
    Json,
    /// The same, with keys that mean something else than usual: ours, and theirs.
    Keys(Arc<Vec<(String, String)>>),
    /// JSON objects over several lines each.
    PrettyJson,
    /// Lines of one form.
    Lines(Decoder),
    /// Lines taken apart by a pattern.
    Pattern(Arc<Pattern>),
    /// Lines of the journal's export, several an entry.
    Export,
    /// Lines that say nothing of their time.
    Untimed,
}

impl Format {
    pub(super) fn of(name: &str, how: How) -> Self {
        Self {
            name: name.into(),
            how,
        }
    }

    /// Lines of a pattern.
    #[must_use]
    pub fn of_pattern(pattern: Pattern) -> Self {
        let name = pattern.name().to_owned();
        Self::of(&name, How::Pattern(Arc::new(pattern)))
    }

    /// Text that says nothing of its time.
    #[must_use]
    pub fn untimed() -> Self {
        Self::of("text", How::Untimed)
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the line before must be known to tell whether an entry begins with this one.
    #[must_use]
    pub fn looks_back(&self, line: &[u8]) -> bool {
        match self.how {
            How::Lines(Decoder::Container) => true,
            How::Json | How::Keys(_) => !is_object(line),
            _ => false,
        }
    }

    /// Whether words may be torn between the lines of an entry.
    #[must_use]
    pub fn tears_words(&self) -> bool {
        matches!(self.how, How::Lines(Decoder::Container))
    }

    /// Whether later lines may belong to an entry that begins with this one.
    #[must_use]
    pub fn joins(&self, line: &[u8]) -> bool {
        !matches!(self.how, How::Json | How::Keys(_)) || !is_object(line)
    }

    /// Whether characters of a text may be written as escapes of JSON.
    #[must_use]
    pub fn escapes(&self) -> bool {
        !matches!(
            self.how,
            How::Untimed | How::Lines(Decoder::Raw | Decoder::Access)
        )
    }

    /// Whether lines say when they happened.
    #[must_use]
    pub fn is_timed(&self) -> bool {
        !matches!(self.how, How::Untimed)
    }

    /// Whether a line (without its newline) begins an entry.
    #[must_use]
    pub fn begins<'l>(&self, line: &[u8], before: impl FnOnce() -> Option<&'l [u8]>) -> bool {
        let is_blank = || line.iter().all(u8::is_ascii_whitespace);
        match &self.how {
            // What stands between objects, over several lines, is one: a panic, a banner.
            How::Json | How::Keys(_) => {
                is_object(line)
                    || (!is_blank()
                        && !looks_continued(line)
                        && (before().is_none_or(is_object) || is_timed(line)))
            }
            How::Export => line.starts_with(export::BEGINS),
            How::PrettyJson => line.first() == Some(&b'{'),
            How::Lines(Decoder::Container) => {
                !is_blank() && before().is_none_or(|before| !is_part(before))
            }
            How::Lines(Decoder::Syslog) => line.first() == Some(&b'<') || is_timed(line),
            How::Lines(Decoder::Plain | Decoder::Klog | Decoder::Access) => is_timed(line),
            How::Pattern(pattern) => {
                let text = bytes::decode(line);
                pattern.matches(text.trim_end_matches('\r'))
            }
            How::Lines(_) | How::Untimed => !looks_continued(line) && !is_blank(),
        }
    }

    /// An entry from all its bytes, without its last newline. Its time is the arrival's where its lines tell none.
    #[must_use]
    pub fn decode(&self, raw: &[u8], defaults: &Defaults) -> Entry {
        let (head, more) = match memchr::memchr(b'\n', raw) {
            Some(at) => (&raw[..at], Some(&raw[at + 1..])),
            None => (raw, None),
        };
        match (&self.how, more) {
            (How::PrettyJson, Some(_)) => {
                let text = bytes::decode(raw);
                if let Ok(object) = serde_json::from_str::<Pairs>(&text) {
                    return from_object(object, defaults);
                }
            }
            (How::Lines(Decoder::Container), Some(_)) => {
                if let Some(entry) = container::joined(&bytes::decode(raw), defaults) {
                    return entry;
                }
            }
            (How::Export, _) => return export::parse(raw, defaults),
            _ => {}
        }
        let mut entry = self.line(head, defaults);
        if let Some(more) = more {
            for line in more.split(|byte| *byte == b'\n') {
                entry.text.push('\n');
                entry
                    .text
                    .push_str(bytes::decode(line).trim_end_matches('\r'));
            }
        }
        entry
    }

    fn line(&self, line: &[u8], defaults: &Defaults) -> Entry {
        let decoder = match &self.how {
            How::Keys(keys) => {
                let text = bytes::decode(line);
                if let Ok(mut object) = serde_json::from_str::<Pairs>(&text) {
                    object.rename(keys);
                    return from_object(object, defaults);
                }
                Decoder::Plain
            }
            How::Pattern(pattern) => {
                let text = bytes::decode(line);
                if let Some((entry, _)) = pattern.parse(text.trim_end_matches('\r'), defaults) {
                    return entry;
                }
                Decoder::Plain
            }
            How::Json | How::PrettyJson => Decoder::Json,
            How::Lines(decoder) => *decoder,
            How::Export | How::Untimed => Decoder::Plain,
        };
        decoder.line(line, defaults).0
    }

    /// What counts need of an entry, cheaper than all of it; always what all of it would say.
    #[must_use]
    pub fn glance<'l>(&self, raw: &'l [u8], defaults: &Defaults) -> Glance<'l> {
        if matches!(self.how, How::Json) {
            let head = memchr::memchr(b'\n', raw).map_or(raw, |at| &raw[..at]);
            // What is not UTF-8 is held otherwise.
            let found = std::str::from_utf8(head)
                .ok()
                .filter(|line| !is_docker(line))
                .and_then(|line| glance(line.trim_end_matches('\r'), defaults.unsaid()));
            if let Some(found) = found {
                return found;
            }
        }
        let entry = self.decode(raw, defaults);
        let is_timed = entry.time != defaults.arrival;
        let is_named = entry.scope.namespace != defaults.namespace;
        Glance {
            time: is_timed.then_some(entry.time),
            level: entry.level,
            namespace: is_named.then_some(Cow::Owned(entry.scope.namespace)),
        }
    }
}

fn is_object(line: &[u8]) -> bool {
    line.trim_ascii_start().starts_with(b"{")
}

/// A cheap look that is sometimes wrong, and then costs a whole decoding.
fn is_docker(line: &str) -> bool {
    line.starts_with("{\"log\"")
}

fn is_timed(line: &[u8]) -> bool {
    let head = &line[..line.len().min(400)];
    plain::is_headed(&bytes::decode(head), Time(0))
}

/// Whether a line of a container goes on in the next.
fn is_part(line: &[u8]) -> bool {
    let arrival = Defaults::at(Time(0));
    matches!(Decoder::Container.line(line, &arrival).1, Form::Part)
}
