//! Arguments of `tailwater serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args as ClapArgs;

use crate::config::{Auth, LogFormat, ServeFile};

#[derive(Debug, Default, ClapArgs)]
pub(in crate::cli) struct Serve {
    /// Address and port to listen on; port 0 takes any free port
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// Nobody has to show a token, on this machine or beyond it
    #[arg(long, conflicts_with = "auth")]
    pub no_auth: bool,
    /// Everybody has to show a token, on this machine too
    #[arg(long)]
    pub auth: bool,
    /// Take OpenTelemetry's log records over gRPC at this address
    #[arg(long, value_name = "ADDR")]
    pub otlp_grpc: Option<SocketAddr>,
    /// Speak TLS with this certificate (PEM); SIGHUP reads it again
    #[arg(long, value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// The private key of the certificate (PEM)
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// Clients have to show a certificate that one of these roots vouches for (PEM)
    #[arg(long, value_name = "FILE")]
    pub tls_client_ca: Option<PathBuf>,
    /// The form of the service's own log
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
}

impl Serve {
    /// The section of the file, overridden by the flags.
    pub fn over(&self, file: &ServeFile) -> ServeFile {
        let auth = match (self.auth, self.no_auth) {
            (true, _) => Auth::Always,
            (_, true) => Auth::Never,
            _ => file.auth,
        };
        ServeFile {
            listen: self.listen.unwrap_or(file.listen),
            otlp_grpc: self.otlp_grpc.or(file.otlp_grpc),
            auth,
            tls_cert: self.tls_cert.clone().or_else(|| file.tls_cert.clone()),
            tls_key: self.tls_key.clone().or_else(|| file.tls_key.clone()),
            tls_client_ca: self
                .tls_client_ca
                .clone()
                .or_else(|| file.tls_client_ca.clone()),
            log_format: self.log_format.unwrap_or(file.log_format),
            ..file.clone()
        }
    }
}
