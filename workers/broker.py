"""What is said when the broker does not answer."""

from __future__ import annotations

from amqp.exceptions import AMQPError  # type: ignore[import-untyped]
from kombu.exceptions import OperationalError
from redis import RedisError

from pipeline.errors import TransientError

#: What a broker that cannot be reached raises, be it Redis or RabbitMQ.
ERRORS = (OperationalError, AMQPError, RedisError, OSError)

#: The same of one call: kombu may find its own channel closed in the middle of it, and then asks
#: None for an attribute.
CALL_ERRORS = (*ERRORS, AttributeError)


class BrokerUnavailableError(TransientError):
    """The broker does not answer, or not now; what was to be sent is noted in the ledger."""
