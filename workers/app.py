"""The Celery application, and why it is set as it is.

Celery only carries messages here: what is done and what is not is read from the store, so a
message may be lost, late or doubled. The settings keep that rare and quick to mend.
"""

from __future__ import annotations

from typing import Any

from celery import Celery
from kombu.entity import Exchange, Queue

from pipeline.broker import is_amqp, tls
from pipeline.manifest.message import STAGES, queue
from pipeline.settings import Settings
from workers import redis_transport

#: The supervisor's patience with a child that is loading models after a crash.
CHILD_STARTS_WITHIN_S = 180
#: Celery's own redelivery, which the reconciler is quicker than.
REDELIVERED_AFTER_S = 900
#: Redis may keep silent for so long.
BROKER_SILENT_S = 10
#: A process is killed after so many times the limit.
HARD_LIMIT = 1.25
#: AMQP: how often a message may come back before the broker drops it. The ledger gives up long
#: before; this ends what it cannot see.
DELIVERY_LIMIT = 20
#: AMQP: how long a message may be worked at; by itself RabbitMQ throws a consumer out after half an
#: hour. Heeded since 3.12: an older broker needs `consumer_timeout` in its own settings.
CONSUMER_TIMEOUT_MS = 24 * 3_600_000


def create(settings: Settings) -> Celery:
    """Return the application for a broker."""
    broker = (settings.broker_url or settings.redis_url).get_secret_value()
    app = Celery("voxmill", broker=broker, include=["workers.child", "workers.tasks"])
    app.conf.update(_common(settings))
    app.conf.update(_amqp() if is_amqp(broker) else _redis(settings))
    app.conf.broker_use_ssl = tls(broker)
    if not is_amqp(broker):
        redis_transport.use(app)
    return app


def _common(settings: Settings) -> dict[str, Any]:
    return {
        "task_serializer": "json",
        "accept_content": ["json"],  # a message can never be code
        "task_ignore_result": True,
        "result_backend": None,
        # Acknowledged after the work: a worker that dies leaves its message to others.
        "task_acks_late": True,
        "task_acks_on_failure": True,  # outcomes are in the store; retries are the reconciler's
        "task_acks_on_timeout": True,
        "task_reject_on_worker_lost": False,  # would be an endless loop on a poison chunk
        "task_create_missing_queues": False,
        "task_default_queue": "voxmill.unrouted",
        "task_send_sent_event": False,
        "worker_send_task_events": True,
        "task_annotations": {
            "voxmill.synth": _limits(settings.shard_time_limit_s),
            "voxmill.check": _limits(settings.shard_time_limit_s),
            "voxmill.finalize": _limits(settings.finalize_time_limit_s),
        },
        "worker_prefetch_multiplier": 1,
        "worker_concurrency": 1,
        "worker_pool": "prefork",
        "worker_pool_start_method": "spawn",  # CUDA cannot be forked
        "worker_proc_alive_timeout": CHILD_STARTS_WITHIN_S,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_deduplicate_successful_tasks": False,
        "worker_disable_rate_limits": True,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "broker_connection_retry": True,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_pool_acquire_timeout": 10,
        "task_publish_retry_policy": {
            "max_retries": 10,
            "interval_start": 0.2,
            "interval_step": 0.5,
            "interval_max": 5,
        },
    }


def _limits(limit_s: float) -> dict[str, float]:
    """First the work is interrupted; where it does not listen, its process is killed."""
    return {"soft_time_limit": limit_s, "time_limit": limit_s * HARD_LIMIT}


def _redis(settings: Settings) -> dict[str, Any]:
    return {
        "task_queues": [Queue(queue(stage), Exchange(""), queue(stage)) for stage in STAGES],
        "broker_transport_options": {
            "visibility_timeout": max(REDELIVERED_AFTER_S, 2 * settings.shard_time_limit_s),
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            # A connection that is half-open is noticed after one of these by who asks, and after
            # two of those by who waits for messages.
            "socket_timeout": BROKER_SILENT_S,
            "socket_connect_timeout": 5,
            "socket_keepalive": True,
            "health_check_interval": BROKER_SILENT_S,
            "retry_on_timeout": False,
            "queue_order_strategy": "sorted",
        },
    }


def _amqp() -> dict[str, Any]:
    arguments = {
        "x-queue-type": "quorum",
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-consumer-timeout": CONSUMER_TIMEOUT_MS,
    }
    return {
        "task_queues": [
            Queue(queue(stage), Exchange(""), queue(stage), queue_arguments=arguments)
            for stage in STAGES
        ],
        # A connection that the broker has closed takes a message without a word; a confirmation
        # tells. Children send no heartbeats, so theirs are closed whenever they think for long.
        "broker_transport_options": {"confirm_publish": True},
        "worker_consumer": "workers.consumer:Consumer",
        # RabbitMQ cuts off who works at a message for too long. Celery would end the worker with
        # its work; connected anew it goes on, and whoever gets the message finds the lease.
        "broker_channel_error_retry": True,
        "worker_detect_quorum_queues": True,  # which count what is taken by queue, not by worker
    }
