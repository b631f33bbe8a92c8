"""Sends log records as real programs do: send.py otlp-http|otlp-grpc|loki|elasticsearch ADDRESS.

Each sends the same three records through its project's own client library; over gRPC with the token TOKEN, if it is set.
"""

import logging
import os
import sys
import time

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
RECORDS = [
    (logging.INFO, "request 1 completed"),
    (logging.WARNING, "request 2 was slow"),
    (logging.ERROR, "request 3 failed: naïve “quote”"),
]


def otlp(exporter):
    from opentelemetry._logs import LogRecord, SeverityNumber
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.trace import TraceFlags

    resource = Resource.create({"service.name": "checkout", "service.instance.id": "pod-7"})
    provider = LoggerProvider(resource=resource)
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    logger = provider.get_logger("shop.cart", "1.2.3")
    severities = {
        logging.INFO: SeverityNumber.INFO,
        logging.WARNING: SeverityNumber.WARN,
        logging.ERROR: SeverityNumber.ERROR,
    }
    for at, (level, text) in enumerate(RECORDS):
        logger.emit(
            LogRecord(
                timestamp=1_773_478_800_000_000_001 + at,
                trace_id=int(TRACE, 16),
                span_id=int(SPAN, 16),
                trace_flags=TraceFlags(1),
                severity_number=severities[level],
                severity_text=logging.getLevelName(level),
                body=text,
                attributes={"attempt": at, "user.id": "u-1"},
            )
        )
    provider.shutdown()


def otlp_http(address):
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter

    otlp(OTLPLogExporter(endpoint=f"{address}/v1/logs", compression=Compression.Gzip))


def otlp_grpc(address):
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter

    token = os.environ.get("TOKEN")
    headers = (("authorization", f"Bearer {token}"),) if token else None
    otlp(OTLPLogExporter(endpoint=address, insecure=True, headers=headers))


def loki(address):
    import logging_loki

    handler = logging_loki.LokiHandler(
        url=f"{address}/loki/api/v1/push",
        tags={"namespace": "checkout", "instance": "pod-7"},
        version="1",
    )
    logger = logging.getLogger("shop.cart")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    for level, text in RECORDS:
        logger.log(level, text, extra={"tags": {"trace_id": TRACE}})
        time.sleep(0.001)


def elasticsearch(address):
    import warnings

    from elasticsearch import Elasticsearch, helpers

    warnings.simplefilter("ignore")
    client = Elasticsearch(address)
    documents = (
        {
            "_op_type": "create",
            "_index": "checkout",
            "@timestamp": f"2026-03-14T09:00:00.00000000{at + 1}Z",
            "level": logging.getLevelName(level),
            "message": text,
            "trace_id": TRACE,
            "instance": "pod-7",
        }
        for at, (level, text) in enumerate(RECORDS)
    )
    helpers.bulk(client, documents)


SENDERS = {
    "otlp-http": otlp_http,
    "otlp-grpc": otlp_grpc,
    "loki": loki,
    "elasticsearch": elasticsearch,
}
SENDERS[sys.argv[1]](sys.argv[2])
