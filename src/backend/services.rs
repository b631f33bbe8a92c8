//! What a service does beside its log: pipelines now; in process or over HTTP.

use super::Error;
use crate::client::Client;
use crate::pipelines::{PipelineStatus, Pipelines};

/// Where what a service does beside its log is asked.
#[derive(Clone, Debug, Default)]
pub enum Services {
    /// Nothing of the kind runs for what is explored.
    #[default]
    None,
    /// In this process.
    Here(Pipelines),
    /// At a service, over HTTP.
    There(Client),
}

impl Services {
    /// What pipelines did; none where there can be none.
    ///
    /// # Errors
    /// The service cannot be reached, or refuses.
    pub async fn pipelines(&self) -> Result<Option<Vec<PipelineStatus>>, Error> {
        match self {
            Self::None => Ok(None),
            Self::Here(pipelines) => Ok(Some(pipelines.status())),
            Self::There(client) => Ok(Some(client.pipelines().await?)),
        }
    }
}
