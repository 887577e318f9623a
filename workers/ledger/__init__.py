"""What is under way: leases, attempts, and whose shard is next. Kept by Redis, needed by nobody.

All of it can be lost at any moment and is then made anew from the store. It keeps work from being
done twice, and shares workers fairly; that nothing is lost or wrong never depends on it.
"""

from workers.ledger.connection import connect
from workers.ledger.items import Begun, Cared, Item, Picked
from workers.ledger.ledger import Ledger
from workers.ledger.trouble import LedgerUnavailableError

__all__ = ["Begun", "Cared", "Item", "Ledger", "LedgerUnavailableError", "Picked", "connect"]
