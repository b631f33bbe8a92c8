//! One pipeline at work.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Error;
use super::checkpoints::Checkpoints;
use super::figures::Figures;
use super::filters::Chain;
use super::format::Format;
use super::lane::Lane;
use super::options::{PipelineOptions, SinkKind, SinkOptions, SourceKind};
use super::parts::{check, file_name, part, sink_id, source_id};
use super::sinks::{
    ConsoleSink, Ending, FileSink, HttpClientSink, Live, LiveSink, Sink, StoreSink, TcpClientSink,
    TcpSink,
};
use super::sources::{Form, Ingest, Outlet, Source};
use super::status::{PartStatus, PipelineStatus};
use crate::base::{Seats, Time};
use crate::spool::Spool;
use crate::store::Store;

/// How often filters are asked what they have to tell although nothing comes.
const PULSE: Duration = Duration::from_secs(1);

/// What pipelines share.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The embedded log.
    pub store: Store,
    /// Where checkpoints and buffers lie; each pipeline has a folder of its own.
    pub dir: PathBuf,
}

/// A pipeline at work.
#[derive(Debug)]
pub(super) struct Pipeline {
    pub options: PipelineOptions,
    since: Time,
    lanes: Vec<Arc<Lane>>,
    /// The figures of each source; of those that are read once for each sink, one for each.
    sources: Vec<Vec<Arc<Figures>>>,
    pub live: Option<Live>,
    pub ingest: Option<Ingest>,
    tasks: tokio::sync::Mutex<Tasks>,
    /// Sources shall end.
    stopping: CancellationToken,
    /// Streams shall end.
    ending: watch::Sender<Option<Ending>>,
    /// Sinks shall end, whatever waits.
    abandoned: CancellationToken,
}

#[derive(Debug, Default)]
struct Tasks {
    sources: JoinSet<()>,
    sinks: JoinSet<()>,
    others: JoinSet<()>,
}

impl Pipeline {
    /// Starts a pipeline.
    ///
    /// # Errors
    /// What is said of it is not understood, a port is taken, or its files cannot be opened: nothing of it runs.
    pub async fn start(options: PipelineOptions, around: &Surroundings) -> Result<Self, Error> {
        check(&options)?;
        let now = Time::now();
        let dir = around.dir.join(&options.name);
        let mut starting = Starting {
            pipeline: Self {
                since: now,
                lanes: Vec::new(),
                sources: vec![Vec::new(); options.sources.len()],
                live: None,
                ingest: None,
                tasks: tokio::sync::Mutex::default(),
                stopping: CancellationToken::new(),
                ending: watch::Sender::new(None),
                abandoned: CancellationToken::new(),
                options,
            },
            around,
            dir,
            tasks: Tasks::default(),
        };
        let mut sinks = Vec::new();
        for at in 0..starting.pipeline.options.sinks.len() {
            let opened = starting.sink(at).await;
            sinks.push(opened.map_err(part("sink", at))?);
        }
        let mut sources = Vec::new();
        for at in 0..starting.pipeline.options.sources.len() {
            let opened = starting.source(at).await;
            sources.extend(opened.map_err(part("source", at))?);
        }
        let Starting {
            mut pipeline,
            mut tasks,
            ..
        } = starting;
        for (lane, sink) in pipeline.lanes.iter().zip(sinks) {
            let (delivering, keeping) = (Arc::clone(lane), Arc::clone(lane));
            tasks
                .sinks
                .spawn(async move { delivering.deliver(sink).await });
            tasks.sinks.spawn(async move { keeping.keep().await });
            if lane.has_to_tell() {
                let (lane, stopping) = (Arc::clone(lane), pipeline.stopping.clone());
                tasks.others.spawn(pulse(lane, stopping));
            }
        }
        for (source, outlet) in sources {
            tasks.sources.spawn(source.run(outlet));
        }
        pipeline.tasks = tokio::sync::Mutex::new(tasks);
        Ok(pipeline)
    }

    /// Stops reading, delivers what was read within a time, and remembers how far it came.
    pub async fn stop(&self, deadline: Duration, why: Ending) {
        self.stopping.cancel();
        let mut tasks = std::mem::take(&mut *self.tasks.lock().await);
        let draining = async {
            while tasks.sources.join_next().await.is_some() {}
            for lane in &self.lanes {
                let lane = Arc::clone(lane);
                let _ = tokio::task::spawn_blocking(move || lane.close()).await;
            }
            while tasks.sinks.join_next().await.is_some() {}
        };
        if tokio::time::timeout(deadline, draining).await.is_err() {
            tracing::warn!(pipeline = %self.options.name, "not everything was delivered in time");
            self.abandoned.cancel();
            for lane in &self.lanes {
                let lane = Arc::clone(lane);
                let _ = tokio::task::spawn_blocking(move || lane.close()).await;
            }
            tasks.sources.shutdown().await;
            while tasks.sinks.join_next().await.is_some() {}
        }
        tasks.others.shutdown().await;
        self.ending.send_replace(Some(why));
    }

    /// What it did.
    pub fn status(&self) -> PipelineStatus {
        let name = &self.options.name;
        let mut endpoints = vec![format!("/{name}/status")];
        let mut endpoint = |what: &str, port: Option<(std::net::IpAddr, u16)>| match port {
            None => endpoints.push(format!("/{name}/{what}")),
            Some((host, port)) => endpoints.push(format!("http://{host}:{port}/{name}/{what}")),
        };
        for sink in &self.options.sinks {
            if let SinkKind::Http(options) = &sink.kind {
                endpoint("stream", options.port.map(|port| (options.host, port)));
            }
        }
        for source in &self.options.sources {
            if let SourceKind::Http(options) = &source.kind {
                endpoint("ingest", options.port.map(|port| (options.host, port)));
            }
        }
        PipelineStatus {
            name: name.clone(),
            since: self.since.to_string(),
            sources: self.sources.iter().map(|of| farthest(of)).collect(),
            filters: farthest_filters(&self.lanes),
            sinks: self.lanes.iter().map(|lane| lane.status()).collect(),
            endpoints,
        }
    }
}

/// Of a source that is read once for each sink, the reading that came farthest: the others see the same later.
fn farthest(figures: &[Arc<Figures>]) -> PartStatus {
    let all = figures.iter().map(|figures| figures.status());
    let troubled = figures.iter().find_map(|figures| {
        let status = figures.status();
        status.trouble.filter(|trouble| !trouble.is_over)
    });
    let mut status = all.max_by_key(|status| status.given).unwrap_or_default();
    status.trouble = troubled.or(status.trouble);
    status
}

fn farthest_filters(lanes: &[Arc<Lane>]) -> Vec<PartStatus> {
    let taken = |filters: &Vec<PartStatus>| filters.first().map_or(0, |first| first.taken);
    let all = lanes.iter().map(|lane| lane.filters());
    all.max_by_key(taken).unwrap_or_default()
}

async fn pulse(lane: Arc<Lane>, stopping: CancellationToken) {
    let mut interval = tokio::time::interval(PULSE);
    loop {
        tokio::select! {
            _ = interval.tick() => lane.pulse().await,
            () = stopping.cancelled() => return,
        }
    }
}

/// A pipeline that is being put together.
struct Starting<'s> {
    pipeline: Pipeline,
    around: &'s Surroundings,
    dir: PathBuf,
    tasks: Tasks,
}

impl Starting<'_> {
    async fn sink(&mut self, at: usize) -> Result<Sink, Error> {
        let pipeline = &mut self.pipeline;
        let options = &pipeline.options;
        let sink = &options.sinks[at];
        let usual = sink.kind.usual_format();
        let format = Format::new(&sink.delivery, usual).map_err(Error::Said)?;
        let id = sink_id(options, at);
        let figures = Arc::new(Figures::new(id.clone(), sink.kind.word()));
        let can_read_again = options
            .sources
            .iter()
            .all(|source| source.kind.can_be_read_again());
        let buffer = sink.delivery.buffer;
        let buffer = buffer.unwrap_or(sink.kind.usual_buffer(can_read_again));
        let folder = self.dir.join(file_name(&id));
        let made = std::fs::create_dir_all(&folder);
        let path = folder.join("checkpoints.json");
        let checkpoints = made.and_then(|()| Checkpoints::open(path.clone()));
        let checkpoints = checkpoints.map_err(|source| Error::Checkpoints { path, source })?;
        let made = make_sink(
            sink,
            format,
            self.around,
            &folder,
            &figures,
            pipeline.ending.subscribe(),
        )
        .await?;
        if let Sink::Live(live) = &made {
            pipeline.live = Some(live.live());
        }
        let lane = Lane::new(
            Chain::new(&options.filters, pipeline.since)?,
            checkpoints,
            buffer,
            (sink.delivery.buffer_size, sink.delivery.buffer_bytes.0),
            &folder.join("buffer"),
            figures,
            pipeline.abandoned.clone(),
        )?;
        pipeline.lanes.push(Arc::new(lane));
        Ok(made)
    }

    async fn source(&mut self, at: usize) -> Result<Vec<(Source, Outlet)>, Error> {
        let pipeline = &mut self.pipeline;
        let options = &pipeline.options;
        let source = &options.sources[at];
        let keep_lines = options
            .sinks
            .iter()
            .any(|sink| Format::wants_lines(&sink.delivery, sink.kind.usual_format()));
        let form: Form = source.form(keep_lines)?;
        let id: Arc<str> = source_id(options, at).into();
        let lanes: Vec<Vec<Arc<Lane>>> = if source.kind.can_be_read_again() {
            pipeline
                .lanes
                .iter()
                .map(|lane| vec![Arc::clone(lane)])
                .collect()
        } else {
            vec![pipeline.lanes.clone()]
        };
        let mut readings = Vec::new();
        for lanes in lanes {
            let figures = Arc::new(Figures::new(&*id, source.kind.word()));
            pipeline.sources[at].push(Arc::clone(&figures));
            let outlet = Outlet {
                id: Arc::clone(&id),
                lanes,
                figures,
                form: form.clone(),
                stopping: pipeline.stopping.clone(),
            };
            if let SourceKind::Http(_) = &source.kind {
                pipeline.ingest = Some(Ingest::new(outlet.clone()));
            }
            readings.push((Source::open(&source.kind, &outlet).await?, outlet));
        }
        Ok(readings)
    }
}

async fn make_sink(
    sink: &SinkOptions,
    format: Format,
    around: &Surroundings,
    folder: &Path,
    figures: &Arc<Figures>,
    ended: watch::Receiver<Option<Ending>>,
) -> Result<Sink, Error> {
    let needed = |what: &str| Error::Said(format!("expected `{what}`, found nothing"));
    Ok(match &sink.kind {
        SinkKind::Store(_) => Sink::Store(StoreSink::new(around.store.clone())),
        SinkKind::Http(options) => {
            let most = (options.connections, options.connections_per_address);
            let seats = Seats::new(most.0, most.1);
            figures.seats(&seats);
            let spool = Spool::open(&folder.join("stream"), options.retention.0)?;
            let sink = LiveSink::new(spool, format, seats, options, ended);
            Sink::Live(sink)
        }
        SinkKind::Tcp(options) => {
            let figures = Arc::clone(figures);
            Sink::Tcp(TcpSink::listen(format, &options.listen, figures).await?)
        }
        SinkKind::File(options) => {
            if options.directory.as_os_str().is_empty() {
                return Err(needed("directory"));
            }
            Sink::File(Box::new(FileSink::new(format, options.clone())))
        }
        SinkKind::Console(options) => Sink::Console(ConsoleSink::new(format, options.target)),
        SinkKind::HttpClient(options) => {
            if options.url.is_empty() {
                return Err(needed("url"));
            }
            let sink = HttpClientSink::new(format, options.clone())?;
            Sink::HttpClient(Box::new(sink))
        }
        SinkKind::TcpClient(options) => {
            let sink = TcpClientSink::new(format, options.clone())?;
            Sink::TcpClient(Box::new(sink))
        }
    })
}
