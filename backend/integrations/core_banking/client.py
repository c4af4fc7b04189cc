"""核心系统 over HTTP."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from backend.integrations.core_banking.port import (
    CoreCustomer,
    CoreLoan,
    DayEnd,
    Line,
    MonthFlow,
    Posting,
)
from backend.integrations.data_platform.port import Features
from backend.integrations.http import Connection, OutsideRefused, segment


class CoreBankingClient:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def facts(self, *, id_number: str, names: Sequence[str], case_id: str) -> Features:
        body = {"id_number": id_number, "names": list(names), "case_id": case_id}
        return await self._connection.read("facts", "/facts", Features, body=body)

    async def find_customer(self, *, id_number: str) -> CoreCustomer | None:
        try:
            return await self._connection.read(
                "customers/find", "/customers/find", CoreCustomer, body={"id_number": id_number}
            )
        except OutsideRefused as refusal:
            if refusal.remote_code == "customer_not_found":
                return None
            raise

    async def open_customer(
        self, *, name: str, id_number: str, phone: str, institution_id: str, case_id: str, key: str
    ) -> CoreCustomer:
        body = {
            "name": name,
            "id_number": id_number,
            "phone": phone,
            "institution_id": institution_id,
            "case_id": case_id,
        }
        return await self._connection.effect("customers", "/customers", CoreCustomer, key=key, body=body)

    async def flows(self, *, customer_no: str, months: int) -> tuple[MonthFlow, ...]:
        path = f"/customers/{segment(customer_no)}/flows?months={months:d}"
        return await self._connection.read("flows", path, tuple[MonthFlow, ...])

    async def open_line(
        self,
        *,
        customer_no: str,
        contract_no: str,
        institution_id: str,
        limit_fen: int,
        annual_rate: Decimal,
        starts_on: date,
        ends_on: date,
        case_id: str,
        key: str,
    ) -> Line:
        body = {
            "customer_no": customer_no,
            "contract_no": contract_no,
            "institution_id": institution_id,
            "limit_fen": limit_fen,
            "annual_rate": annual_rate,
            "starts_on": starts_on,
            "ends_on": ends_on,
            "case_id": case_id,
        }
        return await self._connection.effect("lines", "/lines", Line, key=key, body=body)

    async def line(self, line_no: str) -> Line:
        return await self._connection.read("lines", f"/lines/{segment(line_no)}", Line)

    async def post_drawdown(
        self,
        *,
        line_no: str,
        account_no: str,
        amount_fen: int,
        term_months: int,
        repayment_method: str,
        case_id: str,
        key: str,
    ) -> CoreLoan:
        body = {
            "line_no": line_no,
            "account_no": account_no,
            "amount_fen": amount_fen,
            "term_months": term_months,
            "repayment_method": repayment_method,
            "case_id": case_id,
        }
        return await self._connection.effect("drawdowns", "/drawdowns", CoreLoan, key=key, body=body)

    async def loan(self, loan_no: str) -> CoreLoan:
        return await self._connection.read("loans", f"/loans/{segment(loan_no)}", CoreLoan)

    async def post_repayment(self, *, loan_no: str, amount_fen: int, case_id: str, key: str) -> Posting:
        body = {"loan_no": loan_no, "amount_fen": amount_fen, "case_id": case_id}
        return await self._connection.effect("repayments", "/repayments", Posting, key=key, body=body)

    async def day_end(self, institution_id: str, on: date) -> DayEnd:
        path = f"/day-end/{segment(institution_id)}/{on.isoformat()}"
        return await self._connection.read("day-end", path, DayEnd)
