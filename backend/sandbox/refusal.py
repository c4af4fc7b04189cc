"""How a pretended system says no."""


class Refusal(Exception):
    """`{"code", "message"}` with a 4xx or 5xx status."""

    def __init__(self, status: int, code: str, message: str = "") -> None:
        self.status, self.code, self.message = status, code, message or code
        super().__init__(code)
