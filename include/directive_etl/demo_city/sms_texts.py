"""The texts that the demo city sends by SMS, with what a gateway writes about them."""

import math
from dataclasses import dataclass
from functools import cached_property

_NOTICE_VI = (
    "Bộ Y tế khuyến cáo: để bảo vệ bản thân, gia đình và cộng đồng trước dịch COVID-19, mỗi người dân hãy "
    "cài đặt ứng dụng Bluezone và NCOVI trên điện thoại thông minh, đồng thời luôn mở Bluetooth. Ứng dụng "
    "cảnh báo sớm nếu bạn từng tiếp xúc gần với người nhiễm bệnh. Tải miễn phí tại kho ứng dụng. Hãy nhắc "
    "người thân, bạn bè cùng cài đặt ngay hôm nay! BYT."
)
_REMINDER_VI = (
    "UBND thành phố Cần Thơ nhắc lại: hãy cài đặt Bluezone, NCOVI và luôn mở Bluetooth để phòng, "
    "chống dịch. Cảm ơn quý vị!"
)
_IMITATION_VI = "Nhắc lại: cài Bluezone] [to:84] [flags:-1:0:-1:-1:1] [msg:3:abc] [udh:0:] nhé, xin cảm ơn"
_NOTICE_ASCII = (
    "UBND TP Can Tho: hay cai dat ung dung Bluezone va NCOVI, luon mo Bluetooth de phong chong dich COVID-19."
)
_LONG_ASCII = (
    'So TT&TT Can Tho, "Thanh Doan": de bao ve ban than, gia dinh va cong dong, hay cai dat "Bluezone" '
    'va "NCOVI", mo Bluetooth; nhac nguoi than, ban be cung cai dat. Ung dung canh bao neu ban tung tiep '
    "xuc gan voi nguoi nhiem benh."
)
_IMITATION_ASCII = (
    "Bluezone] [to:84] [flags:-1:0:-1:-1:2] [msg:3:abc] [udh:0:] da cai chua? Neu chua, hay cai ngay"
)


@dataclass(frozen=True)
class Text:
    """One text of an SMS; `is_unicode` texts are sent as UCS-2 and logged as hex."""

    body: str
    is_unicode: bool = False

    @cached_property
    def segment_count(self) -> int:
        """Parts the text is sent in: 70 UCS-2 or 160 GSM characters alone, 67 or 153 in each of several."""
        alone, in_part = (70, 67) if self.is_unicode else (160, 153)
        return 1 if len(self.body) <= alone else math.ceil(len(self.body) / in_part)

    @cached_property
    def logged_body(self) -> str:
        """The body as Kannel's access log writes it."""
        return self.body.encode("utf-16-be").hex().upper() if self.is_unicode else self.body

    @cached_property
    def octet_count(self) -> int:
        """Length of the body in octets, as Kannel's %L counts it."""
        return len(self.body) * 2 if self.is_unicode else len(self.body)


TEXTS = (
    Text(_NOTICE_VI, is_unicode=True),
    Text(_REMINDER_VI, is_unicode=True),
    Text(_IMITATION_VI, is_unicode=True),
    Text(_NOTICE_ASCII),
    Text(_LONG_ASCII),
    Text(_IMITATION_ASCII),
    Text("Quy khach da nap tien thanh cong. Cam on quy khach."),
    Text("Ma xac thuc cua quy khach la 4821. Khong chia se ma nay."),
)
NOTICE_VI, REMINDER_VI, IMITATION_VI, NOTICE_ASCII, LONG_ASCII, IMITATION_ASCII, TOP_UP, PASS_CODE = range(
    len(TEXTS)
)

# Share of each campaign text by operator; MobiFone's gateway takes plain ASCII only.
CAMPAIGN_TEXT_SHARES = {
    "viettel": {
        NOTICE_VI: 0.24,
        REMINDER_VI: 0.24,
        IMITATION_VI: 0.01,
        NOTICE_ASCII: 0.40,
        LONG_ASCII: 0.10,
        IMITATION_ASCII: 0.01,
    },
    "vinaphone": {NOTICE_VI: 0.30, REMINDER_VI: 0.30, NOTICE_ASCII: 0.40},
    "mobifone": {NOTICE_ASCII: 0.60, LONG_ASCII: 0.38, IMITATION_ASCII: 0.02},
    "vietnamobile": {REMINDER_VI: 0.40, NOTICE_ASCII: 0.40, LONG_ASCII: 0.20},
}
