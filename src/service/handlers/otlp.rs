//! `POST /v1/logs`: OTLP/HTTP, protobuf and JSON; and the same over gRPC, on a port of its own.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::LogsService;
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsPartialSuccess, ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use prost::Message;
use tonic::Code;

use crate::api::ErrorAnswer;
use crate::service::Service;
use crate::service::access::Caller;
use crate::service::error::Failure;
use crate::service::intake::{MAX_EXPORT_BYTES, Outcome, otlp, whole_within};

const PROTOBUF: &str = "application/x-protobuf";

/// Log records of OpenTelemetry, answered as they were asked.
#[utoipa::path(
    post,
    path = crate::api::path::OTLP,
    tag = "ingest",
    request_body(description = "ExportLogsServiceRequest", content((Vec<u8> = "application/x-protobuf"), (serde_json::Value = "application/json"))),
    responses((status = 200, description = "ExportLogsServiceResponse, in the form of the request"), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn otlp(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_json = match kind.split(';').next().unwrap_or_default().trim() {
        "application/json" => true,
        PROTOBUF => false,
        _ => {
            return Err(Failure::unknown_kind(
                "application/x-protobuf or application/json",
            ));
        }
    };
    let answer = async {
        let (body, share) = whole_within(&service, body, MAX_EXPORT_BYTES).await?;
        let request = decode(&body, is_json)?;
        let outcome = otlp::take(&service, caller.tenant(), request).await?;
        drop(share);
        Ok(answer(&outcome))
    };
    match answer.await {
        Ok(answer) if is_json => Ok(Json(answer).into_response()),
        Ok(answer) => Ok(protobuf(StatusCode::OK, answer.encode_to_vec())),
        Err(failure) if is_json => Err(failure),
        Err(failure) => Ok(refusal(failure)),
    }
}

fn decode(body: &[u8], is_json: bool) -> Result<ExportLogsServiceRequest, Failure> {
    if is_json {
        return serde_json::from_slice(body).map_err(|error| {
            Failure::not_json(format!("expected an ExportLogsServiceRequest: {error}"))
        });
    }
    ExportLogsServiceRequest::decode(body).map_err(|error| {
        Failure::invalid(format!(
            "expected a protobuf ExportLogsServiceRequest: {error}"
        ))
    })
}

fn answer(outcome: &Outcome) -> ExportLogsServiceResponse {
    let reasons = outcome.answer.rejected.first();
    let partial = reasons.map(|first| ExportLogsPartialSuccess {
        rejected_log_records: i64::try_from(outcome.rejected).unwrap_or(i64::MAX),
        error_message: format!("record {}: {}", first.line, first.reason),
    });
    ExportLogsServiceResponse {
        partial_success: partial,
    }
}

fn protobuf(status: StatusCode, body: Vec<u8>) -> Response {
    let kind = HeaderValue::from_static(PROTOBUF);
    (status, [(header::CONTENT_TYPE, kind)], body).into_response()
}

/// What gRPC and OTLP/HTTP say of a failure: `google.rpc.Status`.
#[derive(Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

fn refusal(failure: Failure) -> Response {
    let status = RpcStatus {
        code: code(&failure) as i32,
        message: failure.message().to_owned(),
    };
    let mut response = protobuf(failure.status(), status.encode_to_vec());
    // The wait, and what else a failure says in headers.
    let mut headers = failure.into_response().headers().clone();
    headers.remove(header::CONTENT_TYPE);
    headers.remove(header::CONTENT_LENGTH);
    response.headers_mut().extend(headers);
    response
}

fn code(failure: &Failure) -> Code {
    match failure.status() {
        StatusCode::UNAUTHORIZED => Code::Unauthenticated,
        StatusCode::FORBIDDEN => Code::PermissionDenied,
        // Senders wait and try again on these two only.
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Code::Unavailable,
        StatusCode::PAYLOAD_TOO_LARGE => Code::OutOfRange,
        status if status.is_client_error() => Code::InvalidArgument,
        _ => Code::Internal,
    }
}

#[tonic::async_trait]
impl LogsService for Service {
    async fn export(
        &self,
        request: tonic::Request<ExportLogsServiceRequest>,
    ) -> Result<tonic::Response<ExportLogsServiceResponse>, tonic::Status> {
        let (_, extensions, request) = request.into_parts();
        // Whoever comes here was admitted before.
        let Some(caller) = extensions.get::<Caller>() else {
            return Err(tonic::Status::unauthenticated("expected a token"));
        };
        match otlp::take(self, caller.tenant(), request).await {
            Ok(outcome) => Ok(tonic::Response::new(answer(&outcome))),
            Err(failure) => {
                let status = tonic::Status::new(code(&failure), failure.message());
                Err(status)
            }
        }
    }
}
