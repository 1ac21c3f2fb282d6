"""Recipients by their addresses: found, or added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from alerts.models import Recipient
from core.statements import rows

# In the order of the addresses. The database compares, as its unique constraint does.
_FOUND: Final = """
SELECT recipient.id FROM unnest(%s::text[]) WITH ORDINALITY AS given(address, place)
JOIN alerts_recipient recipient ON recipient.organisation_id = %s AND recipient.channel = %s
    AND lower(recipient.address) = lower(given.address)
ORDER BY place
"""


def find_or_add_recipients(
    organisation_id: int, channel: str, addresses: Sequence[str]
) -> list[int]:
    """Return the ids of the recipients at `addresses`, each once; add missing recipients.

    Addresses that differ only in upper and lower case are the same; the first spelling is kept.
    """
    if not addresses:
        return []
    Recipient.objects.bulk_create(
        [
            Recipient(organisation_id=organisation_id, channel=channel, address=address)
            for address in addresses
        ],
        ignore_conflicts=True,
    )
    found = rows(_FOUND, [list(addresses), organisation_id, channel])
    return list(dict.fromkeys(pk for (pk,) in found))
