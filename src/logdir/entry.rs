//! One entry of a log directory, with what the original's entries can be asked.

use std::net::{IpAddr, Ipv6Addr};

use uuid::Uuid;

use super::{HttpMethod, Lifecycle, LogLevel, LogType};

/// One log record.
#[derive(Clone, Debug, PartialEq)]
pub struct LogEntry {
    /// When it was written, milliseconds since 1970.
    pub timestamp: u64,
    /// The running number its process gave it; after 65535 comes 0. With time and worker it names the entry.
    pub nonce: u16,
    /// How severe it is.
    pub level: LogLevel,
    /// The worker that wrote it or that it is about; `None` for the master.
    pub worker_id: Option<u32>,
    /// The rest, by its type.
    pub body: Body,
}

/// What an entry says beyond its head.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// [`LogType::Request`]
    Request(Box<Request>),
    /// [`LogType::RequestMeta`]
    RequestMeta {
        /// Of which request.
        request_id: Uuid,
        /// JSON.
        data: String,
    },
    /// [`LogType::Response`]
    Response {
        /// To which request.
        request_id: Uuid,
        /// What failed: JSON as [`LogEntry::error`] reads it.
        error: Option<String>,
        /// The status of HTTP.
        status_code: u32,
    },
    /// [`LogType::ResponseFinished`]
    ResponseFinished {
        /// To which request.
        request_id: Uuid,
        /// What failed.
        error: Option<String>,
    },
    /// [`LogType::Log`]
    Log {
        /// In which request; `None` outside any.
        request_id: Option<Uuid>,
        /// JSON.
        data: String,
    },
    /// [`LogType::Lifecycle`] of any but the next two events.
    Lifecycle(Lifecycle),
    /// [`Lifecycle::WorkerExited`]
    WorkerExited {
        /// Its exit code, if it ended by itself.
        exit_code: Option<u32>,
        /// The signal that ended it.
        signal: Option<String>,
    },
    /// [`Lifecycle::MasterPing`]
    MasterPing {
        /// The workers that are alive, in the order they were spawned.
        worker_ids: Vec<u32>,
    },
    /// [`LogType::UncaughtException`]
    UncaughtException {
        /// What failed.
        error: String,
    },
}

/// A request of HTTP.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Its id.
    pub request_id: Uuid,
    /// Major and minor version of HTTP, 0 to 7 each.
    pub http_version: (u8, u8),
    /// Who sent it.
    pub ip_address: IpAddr,
    /// What it wants done.
    pub method: Method,
    /// To what: the raw target.
    pub url: String,
}

/// The method of a request as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Method {
    /// One of the usual.
    Known(HttpMethod),
    /// A number that no method has.
    Number(u8),
    /// Any other word.
    Text(String),
}

impl From<&str> for Method {
    /// Names are compared exactly: `get` is a word of its own.
    fn from(name: &str) -> Self {
        let known = HttpMethod::ALL.iter().find(|method| method.name() == name);
        known.map_or_else(|| Self::Text(name.to_owned()), |known| Self::Known(*known))
    }
}

impl LogEntry {
    /// What it is about.
    #[must_use]
    pub fn log_type(&self) -> LogType {
        match &self.body {
            Body::Request(_) => LogType::Request,
            Body::RequestMeta { .. } => LogType::RequestMeta,
            Body::Response { .. } => LogType::Response,
            Body::ResponseFinished { .. } => LogType::ResponseFinished,
            Body::Log { .. } => LogType::Log,
            Body::Lifecycle(_) | Body::WorkerExited { .. } | Body::MasterPing { .. } => {
                LogType::Lifecycle
            }
            Body::UncaughtException { .. } => LogType::UncaughtException,
        }
    }

    /// What happened to a process, of [`LogType::Lifecycle`].
    #[must_use]
    pub fn event(&self) -> Option<Lifecycle> {
        match &self.body {
            Body::Lifecycle(event) => Some(*event),
            Body::WorkerExited { .. } => Some(Lifecycle::WorkerExited),
            Body::MasterPing { .. } => Some(Lifecycle::MasterPing),
            _ => None,
        }
    }

    /// The request it belongs to; printed in lower case, 8-4-4-4-12. Ids that are no UUIDs of a known version are printed
    /// all the same.
    #[must_use]
    pub fn request_id(&self) -> Option<Uuid> {
        match &self.body {
            Body::Request(request) => Some(request.request_id),
            Body::RequestMeta { request_id, .. }
            | Body::Response { request_id, .. }
            | Body::ResponseFinished { request_id, .. } => Some(*request_id),
            Body::Log { request_id, .. } => *request_id,
            _ => None,
        }
    }

    /// Who sent the request, as text: IPv6 in its short form, IPv4 in IPv6 in groups too (`::ffff:c633:6407`).
    #[must_use]
    pub fn ip_address(&self) -> Option<String> {
        let Body::Request(request) = &self.body else {
            return None;
        };
        Some(match request.ip_address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => ipv6_in_groups(address),
        })
    }

    /// The version of HTTP, `major.minor`.
    #[must_use]
    pub fn http_version(&self) -> Option<String> {
        let Body::Request(request) = &self.body else {
            return None;
        };
        let (major, minor) = request.http_version;
        Some(format!("{major}.{minor}"))
    }

    /// The method of the request.
    #[must_use]
    pub fn http_method(&self) -> Option<&Method> {
        match &self.body {
            Body::Request(request) => Some(&request.method),
            _ => None,
        }
    }

    /// The JSON text that was logged: of [`LogType::Log`] and [`LogType::RequestMeta`].
    #[must_use]
    pub fn data(&self) -> Option<&str> {
        match &self.body {
            Body::RequestMeta { data, .. } | Body::Log { data, .. } => Some(data),
            _ => None,
        }
    }

    /// The error as it is stored; [`LogEntry::error`] reads it.
    #[must_use]
    pub fn error_text(&self) -> Option<&str> {
        match &self.body {
            Body::Response { error, .. } | Body::ResponseFinished { error, .. } => error.as_deref(),
            Body::UncaughtException { error } => Some(error),
            _ => None,
        }
    }

    /// Whether a worker wrote it, and which: entries of the master may be about a worker.
    #[must_use]
    pub(super) fn author(&self) -> Author {
        match (self.worker_id, self.event()) {
            (Some(worker), None) => Author::Worker(worker),
            (Some(worker), Some(event)) if !event.is_of_master() => Author::Worker(worker),
            _ => Author::Master,
        }
    }
}

/// A process that writes entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Author {
    Master,
    Worker(u32),
}

/// The standard library prints an IPv4 address in IPv6 with dots; the original does not.
fn ipv6_in_groups(address: Ipv6Addr) -> String {
    if address.to_ipv4_mapped().is_some() {
        let [.., high, low] = address.segments();
        return format!("::ffff:{high:x}:{low:x}");
    }
    address.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_printed_as_the_original_does() {
        let request = |ip_address| LogEntry {
            timestamp: 0,
            nonce: 0,
            level: LogLevel::Info,
            worker_id: Some(1),
            body: Body::Request(Box::new(Request {
                request_id: Uuid::nil(),
                http_version: (2, 1),
                ip_address,
                method: Method::from("GET"),
                url: "/".to_owned(),
            })),
        };
        let bytes = [
            0x0A, 0x14, 0x1E, 0x28, 0x32, 0, 0, 0, 0, 0, 0, 0x78, 0x82, 0x8C, 0x96, 0xA0,
        ];
        let cases = [
            (IpAddr::from(0x1234_5678_u32.to_be_bytes()), "18.52.86.120"),
            (IpAddr::from(bytes), "a14:1e28:3200::78:828c:96a0"),
        ];
        for (address, text) in cases {
            assert_eq!(request(address).ip_address().as_deref(), Some(text));
        }
        for text in [
            "::ffff:c633:6407",
            "fe80::1",
            "::",
            "::1",
            "1::2:0:0:3:4",
            "0:0:1::1:1",
            "1:2:3:4:5:6:0:8",
            "::c633:6407",
        ] {
            let address: Ipv6Addr = text.parse().expect("an address");
            // `::c633:6407` may be printed with dots by others; the original knows no such form.
            assert_eq!(request(address.into()).ip_address().as_deref(), Some(text));
        }
        assert_eq!(
            request([0; 4].into()).http_version().as_deref(),
            Some("2.1")
        );
        assert_eq!(Method::from("get"), Method::Text("get".to_owned()));
    }
}
