"""Builds every client from the settings over one connection pool; called by `app.py` and the worker."""

import httpx

from backend.integrations.core_banking.client import CoreBankingClient
from backend.integrations.core_banking.port import CoreBankingUnavailable
from backend.integrations.credit_bureau.client import CreditBureauClient
from backend.integrations.credit_bureau.port import CreditBureauUnavailable
from backend.integrations.data_platform.client import DataPlatformClient
from backend.integrations.data_platform.port import DataPlatformUnavailable
from backend.integrations.http import Applied, Connection, OutsideUnavailable, open_client
from backend.integrations.identity_check.client import IdentityCheckClient
from backend.integrations.identity_check.port import IdentityCheckUnavailable
from backend.integrations.image_archive.client import ImageArchiveClient
from backend.integrations.image_archive.port import ImageArchiveUnavailable
from backend.integrations.liveness.client import LivenessClient
from backend.integrations.liveness.port import LivenessUnavailable
from backend.integrations.mobile_bank.client import MobileBankClient
from backend.integrations.mobile_bank.port import MobileBankUnavailable
from backend.integrations.sign_on.client import SignOnClient
from backend.integrations.sign_on.port import SignOnUnavailable
from backend.integrations.sms.client import SmsClient
from backend.integrations.sms.port import SmsUnavailable
from backend.integrations.wechat.client import WeChat
from backend.integrations.wechat.port import MemoryTokenStore, TokenStore, WeChatUnavailable
from backend.settings import Settings


class Clients:
    """One attribute per outside system. Close it with the process that built it."""

    def __init__(self, settings: Settings, http: httpx.AsyncClient, tokens: TokenStore) -> None:
        self._settings, self.http = settings, http
        self._connections: dict[str, Connection] = {}
        self.identity_check = IdentityCheckClient(
            self._connection(settings.identity_check_api_base, IdentityCheckUnavailable)
        )
        self.sms = SmsClient(self._connection(settings.sms_api_base, SmsUnavailable))
        self.liveness = LivenessClient(self._connection(settings.liveness_api_base, LivenessUnavailable))
        self.credit_bureau = CreditBureauClient(
            self._connection(settings.credit_bureau_api_base, CreditBureauUnavailable)
        )
        self.data_platform = DataPlatformClient(
            self._connection(settings.data_platform_api_base, DataPlatformUnavailable)
        )
        self.core_banking = CoreBankingClient(
            self._connection(settings.core_banking_api_base, CoreBankingUnavailable)
        )
        self.image_archive = ImageArchiveClient(
            self._connection(settings.image_archive_api_base, ImageArchiveUnavailable)
        )

        self.mobile_bank = MobileBankClient(
            self._connection(settings.mobile_bank_api_base, MobileBankUnavailable),
            secret=settings.outside_api_secret,
            app_base=settings.mobile_bank_app_base,
        )
        self.sign_on = SignOnClient(
            self._connection(settings.sign_on_issuer, SignOnUnavailable, secret=""),
            issuer=settings.sign_on_issuer,
            client_id=settings.sign_on_client_id,
            client_secret=settings.sign_on_client_secret,
        )
        self.wechat = WeChat(
            self._connection(settings.wechat_api_base, WeChatUnavailable, secret=""),
            app_id=settings.wechat_app_id,
            secret=settings.wechat_app_secret,
            open_base=settings.wechat_open_base,
            tokens=tokens,
        )

    async def applied(self, system: str, key: str) -> Applied | None:
        """Did the effect of this key happen at a system of the bank? Ask when its outcome is unknown."""
        return await self._connections[system].applied(key)

    async def close(self) -> None:
        await self.http.aclose()

    def _connection(
        self, base: str, failure: type[OutsideUnavailable], *, secret: str | None = None
    ) -> Connection:
        made = Connection(
            self.http,
            base=base,
            secret=self._settings.outside_api_secret if secret is None else secret,
            deadline=self._settings.outside_deadline,
            failure=failure,
        )
        self._connections[failure.system] = made
        return made


def build(
    settings: Settings,
    *,
    tokens: TokenStore | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Clients:
    """All clients. `tokens` is what replicas share; `transport` mounts the sandbox in process for tests."""
    http = open_client(deadline=settings.outside_deadline, transport=transport)
    return Clients(settings, http, tokens or MemoryTokenStore())
