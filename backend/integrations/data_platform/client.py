"""大数据平台 over HTTP."""

from collections.abc import Sequence

from backend.integrations.data_platform.port import Features
from backend.integrations.http import Connection


class DataPlatformClient:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def features(
        self, *, id_number: str, names: Sequence[str], authorisation_id: str, case_id: str
    ) -> Features:
        body = {
            "id_number": id_number,
            "names": list(names),
            "authorisation_id": authorisation_id,
            "case_id": case_id,
        }
        return await self._connection.read("features", "/features", Features, body=body)
