"""A portal that answers as registry/systems/city_portal.yaml says, or misbehaves when told to."""

import base64
import json
import threading
from datetime import date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from directive_etl.periods import LOCAL_ZONE

USER, PASSWORD = "directive", "a password of tests"


class CityPortal:
    """Serves two dossiers of a day; `behaviour` is well, garbage or redirects."""

    def __init__(self, day: date, port: int = 0) -> None:
        self.behaviour = "well"
        self.day = day
        portal = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                portal.answer(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

            def date_time_string(self, timestamp: float | None = None) -> str:
                moment = datetime(day.year, day.month, day.day, 5, tzinfo=LOCAL_ZONE) + timedelta(days=1)
                return super().date_time_string(moment.timestamp())

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Answer)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def answer(self, asked: BaseHTTPRequestHandler) -> None:
        wanted = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        body, status, headers = self._list(), 200, {}
        if asked.headers.get("Authorization") != wanted:
            body, status, headers = b"", 401, {"WWW-Authenticate": "Basic"}
        elif self.behaviour == "garbage":
            body = b"<html>maintenance</html>"
        elif self.behaviour == "redirects":
            body, status, headers = b"", 302, {"Location": "http://elsewhere.example.org/api/ho-so"}
        asked.send_response(status)
        for name, value in {
            **headers,
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
        }.items():
            asked.send_header(name, value)
        asked.end_headers()
        asked.wfile.write(body)

    def _list(self) -> bytes:
        said = [self._dossier(number) for number in (1, 2)]
        return json.dumps({"ketQua": said, "tongSo": len(said)}).encode()

    def _dossier(self, number: int) -> dict[str, str]:
        day = f"{self.day:%d/%m/%Y}"
        return {
            "MaHoSo": f"000.00.19.H13-200820-{number:04d}",
            "MaTTHC": "1.001193",
            "DonViXuLy": "31117",
            "KenhThucHien": "1",
            "TrangThaiHoSo": "4",
            "NgayCapNhat": f"{day} 09:00:00",
            "NgayTiepNhan": f"{day} 08:00:00",
            "NgayHenTra": f"{self.day + timedelta(days=5):%d/%m/%Y} 08:00:00",
            "NgayKetThucXuLy": "",
            "NgayTra": "",
        }
