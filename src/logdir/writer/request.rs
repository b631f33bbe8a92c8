//! The logger of one request.

use std::net::IpAddr;

use serde::Serialize;
use uuid::Uuid;

use super::Failure;
use super::failure::Debug;
use super::logger::{Shared, json};
use crate::logdir::entry::{Body, Method, Request};
use crate::logdir::{Error, LogLevel};

/// Logs for a request; it shares the buffer and the file of its worker.
#[derive(Debug)]
pub struct RequestLogger {
    shared: Shared,
    request_id: Uuid,
    /// All of them: a request is short.
    debug: Vec<Debug>,
}

impl RequestLogger {
    pub(super) fn new(shared: Shared) -> Self {
        Self {
            shared,
            request_id: Uuid::new_v4(),
            debug: Vec::new(),
        }
    }

    /// The id of the request.
    #[must_use]
    pub fn request_id(&self) -> Uuid {
        self.request_id
    }

    /// The request arrived: from whom, in which version of HTTP, with what method, to what target.
    pub fn request(
        &self,
        ip_address: IpAddr,
        http_version: (u8, u8),
        method: &str,
        url: &str,
    ) -> Result<(), Error> {
        self.put(
            LogLevel::Info,
            Body::Request(Box::new(Request {
                request_id: self.request_id,
                http_version,
                ip_address,
                method: Method::from(method),
                url: url.to_owned(),
            })),
        )
    }

    /// Something became known about it.
    pub fn meta(&self, data: &impl Serialize) -> Result<(), Error> {
        let request_id = self.request_id;
        let data = json(data)?;
        self.put(LogLevel::Info, Body::RequestMeta { request_id, data })
    }

    /// The response begins; with an error that was expected, it is none to readers. What was kept with [`Self::debug`]
    /// goes along with an error.
    pub fn response(
        &mut self,
        status_code: u32,
        failure: Option<&Failure>,
        expected: bool,
    ) -> Result<(), Error> {
        let error = self.failed(failure);
        let level = match &error {
            Some(_) if !expected => LogLevel::Error,
            _ => LogLevel::Info,
        };
        let request_id = self.request_id;
        self.put(
            level,
            Body::Response {
                request_id,
                error,
                status_code,
            },
        )
    }

    /// The response was sent, or given up.
    pub fn response_finished(&mut self, failure: Option<&Failure>) -> Result<(), Error> {
        let error = self.failed(failure);
        let request_id = self.request_id;
        self.put(LogLevel::Info, Body::ResponseFinished { request_id, error })
    }

    /// Logs at a level.
    pub fn log(&self, level: LogLevel, data: &impl Serialize) -> Result<(), Error> {
        let request_id = Some(self.request_id);
        let data = json(data)?;
        self.put(level, Body::Log { request_id, data })
    }

    /// Keeps something for the case that the response fails.
    pub fn debug(&mut self, data: &impl Serialize) -> Result<(), Error> {
        if !self.shared.with(|state, _| state.is_closed()) {
            let debug = self.shared.with(|state, _| state.debug_entry(data))?;
            self.debug.push(debug);
        }
        Ok(())
    }

    fn failed(&mut self, failure: Option<&Failure>) -> Option<String> {
        let debug = failure.map(|failure| (failure, std::mem::take(&mut self.debug)));
        debug.map(|(failure, debug)| failure.to_json(&debug))
    }

    fn put(&self, level: LogLevel, body: Body) -> Result<(), Error> {
        self.shared.with(|state, now| state.log(level, body, now))
    }
}
