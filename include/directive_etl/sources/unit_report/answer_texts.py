"""Every sentence of an answer to a unit, in the language of the clerks."""

from datetime import datetime

from directive_etl.periods import LOCAL_ZONE

RECEIPT_TITLE = "BIÊN NHẬN BÁO CÁO"
DUPLICATE_TITLE = "BÁO CÁO ĐÃ NHẬN TRƯỚC ĐÓ"
RETURN_TITLE = "BÁO CÁO BỊ TRẢ LẠI"

UNIT = "Đơn vị"
DIRECTIVE = "Công văn số"
REPORT_DATE = "Ngày báo cáo"
RECEIVED = "Nhận lúc"
DUE = "Hạn nộp"
ON_TIME = "nộp đúng hạn"
LATE = "nộp muộn"
FILE = "Tệp"
LEDGER_NUMBER = "Số tiếp nhận"
REASON = "Giải trình của đơn vị đã được lưu"
SHA256 = "SHA-256"

ACCEPTED = "Kết quả: ĐÃ TIẾP NHẬN, {filled} trên {owed} số liệu."
DUPLICATE = (
    "Kết quả: tệp này giống hệt tệp đã gửi trước đó, không có gì thay đổi. "
    "Muốn sửa số liệu, hãy gửi báo cáo đã sửa."
)
RETURNED = "Kết quả: KHÔNG TIẾP NHẬN. Số liệu trong tệp chưa được ghi nhận. Hãy sửa và gửi lại."
WARNINGS = "Lưu ý ({count}):"
ERRORS = "Lỗi ({count}):"
NO_FINDING = "Báo cáo không qua được kiểm tra chung; bộ phận tiếp nhận sẽ liên hệ với đơn vị."

FAULT_SHEET = "Lỗi"
FAULT_TITLE = "DANH SÁCH LỖI VÀ LƯU Ý"
FAULT_NOTE = (
    "Báo cáo chưa được tiếp nhận. Trang “{sheet}” giữ nguyên số liệu đơn vị đã nhập; "
    "ô màu đỏ là lỗi phải sửa, ô màu cam là lưu ý. Sửa xong, lưu và gửi lại chính tệp này."
)
FAULT_COLUMNS = ("STT", "Mức độ", "Ô", "Nội dung", "Đã nhập")
SEVERITIES = {"error": "Lỗi", "warning": "Lưu ý"}

SUMMARY_TITLE = "TỔNG HỢP TÌNH HÌNH BÁO CÁO"
SUMMARY_COLUMNS = ("Ngày", "Tình trạng", "Nhận lúc", "Hạn nộp", "Số lần sửa", "Lỗi", "Lưu ý")
STATUSES = {
    "on_time": "Đúng hạn",
    "late": "Nộp muộn",
    "refused": "Bị trả lại",
    "missing": "Chưa nộp",
    "not_expected": "Không phải nộp",
}


def moment(at: datetime) -> str:
    """Return a moment as a clerk reads it, in local time."""
    return f"{at.astimezone(LOCAL_ZONE):%H:%M:%S ngày %d/%m/%Y}"
