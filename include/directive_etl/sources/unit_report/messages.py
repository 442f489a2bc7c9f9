"""Every sentence about a fault in a report, declared once: in Vietnamese for the unit, in English for us.

A sentence never carries a cell's content unmasked: a clerk may have typed a phone number.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Rule:
    """What a fault is called, how grave it is, and what is said about it; an error refuses the whole file.

    A new rule starts as a warning; `blocks_from` is the day of receipt from which it is an error.
    """

    code: str
    severity: Severity
    vi: str
    en: str
    blocks_from: date | None = None

    def as_of(self, received: date) -> "Rule":
        """Return the rule as it holds for a report received on a day."""
        if self.blocks_from is None:
            return self
        if received >= self.blocks_from:
            return replace(self, severity="error")
        day = f"{self.blocks_from:%d/%m/%Y}"
        vi, en = BLOCKS_LATER_VI.format(day=day), BLOCKS_LATER_EN.format(day=day)
        return replace(self, vi=f"{self.vi} {vi}", en=f"{self.en} {en}")


BLOCKS_LATER_VI = "Từ ngày {day}, báo cáo có lỗi này sẽ bị trả lại."
BLOCKS_LATER_EN = "From {day} this refuses the report."


# The file as a whole: it could not be read.
UNREADABLE = Rule(
    "unreadable",
    "error",
    "Không mở được tệp: tệp bị hỏng hoặc không phải là bảng tính. "
    "Hãy mở lại báo cáo trên máy, lưu dạng .xlsx và gửi lại.",
    "The file is damaged or is no workbook; the unit saves it as .xlsx and sends it again.",
)
PASSWORD = Rule(
    "password",
    "error",
    "Tệp được đặt mật khẩu nên không đọc được. Hãy bỏ mật khẩu và gửi lại.",
    "The workbook is protected by a password; the unit removes it and sends it again.",
)
TOO_LARGE = Rule(
    "too_large",
    "error",
    "Tệp quá lớn so với mẫu báo cáo. Hãy tải lại mẫu, nhập số liệu và gửi lại.",
    "The file is far larger than the form; the unit fills in a new form.",
)
CRASHED = Rule(
    "crashed",
    "error",
    "Bảng tính có ô nằm quá xa hoặc bị hỏng nên không đọc được. Hãy tải lại mẫu, nhập số liệu và gửi lại.",
    "Reading the workbook needs more memory than allowed (a cell far outside the form, or damage); "
    "the unit fills in a new form.",
)
TOO_SLOW = Rule(
    "too_slow",
    "error",
    "Đọc tệp mất quá nhiều thời gian. Hãy tải lại mẫu, nhập số liệu và gửi lại.",
    "Reading the workbook takes longer than allowed; the unit fills in a new form.",
)
UNSAFE = Rule(
    "unsafe",
    "error",
    "Tệp có nội dung không an toàn nên không được mở. Hãy tải lại mẫu, nhập số liệu và gửi lại.",
    "The archive holds a path that leads out of it, a part twice, or a document type with entities; "
    "it was not opened.",
)
OLD_ENCODING = Rule(
    "old_encoding",
    "error",
    "Tệp dùng bảng mã cũ {found}, không đọc được tiếng Việt. "
    "Hãy chuyển sang Unicode (ví dụ bằng Unikey: Ctrl+Shift+F6), lưu dạng .xlsx hoặc CSV UTF-8 và gửi lại.",
    "The text is in the old Vietnamese encoding {found}; the unit converts it to Unicode and sends it again.",
)
TWO_REPORTS = Rule(
    "two_reports",
    "error",
    "Tệp có nhiều trang báo cáo: {found}. Mỗi tệp chỉ gồm một báo cáo: hãy xóa trang thừa và gửi lại.",
    "The workbook has more than one sheet with a report: {found}; the unit keeps one.",
)
MIXED_TABLE = Rule(
    "mixed_table",
    "error",
    "Bảng CSV phải gồm đúng một đơn vị và một ngày báo cáo. Hãy tách thành từng tệp và gửi lại.",
    "The tidy table holds no row, or more than one unit or day; the unit sends one file for each.",
)
UNKNOWN_MEASURE = Rule(
    "unknown_measure",
    "error",
    "Bảng CSV có mã số liệu không có trong hệ thống: {found}. Hãy dùng đúng mã của mẫu báo cáo.",
    "The tidy table names measures or categories that are not declared: {found}.",
)
NOT_OUR_FORM = Rule(
    "not_our_form",
    "error",
    "Tệp không theo mẫu báo cáo: thiếu {part}. Hãy dùng mẫu được cấp, không xóa trang, dòng hoặc cột.",
    "The workbook is not made from the form: {part} is missing; the unit uses the form it was given.",
)
FIGURE_TWICE = Rule(
    "figure_twice",
    "error",
    "Số liệu “{figure}” có ở hai ô {address} và {other}. "
    "Hãy dùng mẫu được cấp, không chép thêm dòng hoặc cột.",
    "The figure {figure} stands in two cells, {address} and {other}; the unit uses the form it was given.",
)
NO_REPORT_DATE = Rule(
    "no_report_date",
    "error",
    "Ô “Ngày báo cáo” trống hoặc không phải là ngày. Hãy nhập ngày/tháng/năm, ví dụ 18/08/2020.",
    "The cell of the report date is blank or holds no date; the unit types day/month/year.",
)

# The file as a whole: it was read, and is not what was asked for.
UNKNOWN_DIRECTIVE = Rule(
    "unknown_directive",
    "error",
    "Mẫu báo cáo của công văn “{found}” không có trong hệ thống. Hãy dùng mẫu được cấp.",
    "The form is of a directive that is not declared ({found}); the unit uses the form it was given.",
)
OLD_TEMPLATE = Rule(
    "old_template",
    "error",
    "Mẫu báo cáo phiên bản {found} không còn dùng. "
    "Hãy chép số liệu sang mẫu phiên bản {expected} và gửi lại.",
    "The form has version {found}, wanted is {expected}; the unit copies its figures to the new form.",
)
WRONG_UNIT = Rule(
    "wrong_unit",
    "error",
    "Báo cáo này của đơn vị có mã {found}, nhưng gửi từ hộp thư của đơn vị {sender}. "
    "Mỗi đơn vị chỉ gửi báo cáo của mình.",
    "The workbook is of unit {found} and came in the inbox of {sender}; a unit reports only for itself.",
)
NOTHING_OWED = Rule(
    "nothing_owed",
    "error",
    "Đơn vị {found} không phải báo cáo theo công văn này vào ngày {day}.",
    "Unit {found} owes no report under this directive on {day}.",
)
FUTURE_DATE = Rule(
    "future_date",
    "error",
    "Ngày báo cáo {found} sau ngày nhận {received}. Hãy sửa ô “Ngày báo cáo”.",
    "The report date {found} is after the day of receipt, {received}; the unit corrects the date.",
)
OUTSIDE_DIRECTIVE = Rule(
    "outside_directive",
    "error",
    "Ngày báo cáo {found} nằm ngoài thời gian thực hiện công văn ({first} đến {last}). "
    "Hãy sửa ô “Ngày báo cáo”.",
    "The report date {found} is outside the directive's time, {first} to {last}; the unit corrects the date.",
)
LOCKED = Rule(
    "locked",
    "error",
    "Số liệu ngày {found} đã khóa từ {since} nên không sửa được nữa. "
    "Nếu cần sửa, hãy đề nghị bộ phận tiếp nhận mở lại, nêu rõ lý do.",
    "The figures of {found} are locked since {since}; an engineer may reopen the unit-day with a reason.",
)
EMPTY_FORM = Rule(
    "empty_form",
    "error",
    "Báo cáo chưa có số liệu nào. Hãy nhập số liệu vào các ô màu vàng và gửi lại.",
    "No figure is filled in; the unit fills in the form.",
)
FORM_CHANGED = Rule(
    "form_changed",
    "error",
    "Mẫu bị thay đổi: không tìm thấy ô “{figure}”. Hãy dùng mẫu được cấp, không xóa dòng hoặc cột.",
    "The form was changed: no cell for {figure}; the unit uses the form it was given.",
)
NOT_ON_FORM = Rule(
    "not_on_form",
    "error",
    "“{figure}” không thuộc báo cáo của đơn vị. Hãy xóa số liệu này.",
    "{figure} is no part of the unit's report; the unit takes it out.",
)

NOT_STORED = Rule(
    "not_stored",
    "error",
    "Hệ thống không ghi được báo cáo này ({found}). Đây không phải lỗi của đơn vị; "
    "bộ phận tiếp nhận đã được báo và sẽ liên hệ.",
    "The warehouse does not take the figures ({found}); an engineer looks into it and runs the day again.",
)

# One cell.
BROKEN_FORMULA = Rule(
    "broken_formula",
    "error",
    "“{figure}”: ô có công thức chưa tính hoặc bị lỗi. Hãy nhập thẳng số liệu vào ô này.",
    "{figure}: the cell holds a formula without a result, or an error.",
)
NOT_A_NUMBER = Rule(
    "not_a_number",
    "error",
    "“{figure}”: “{found}” không phải là số. Chỉ nhập số nguyên, ví dụ 120.",
    "{figure}: {found!r} is no number.",
)
NOT_WHOLE = Rule(
    "not_whole",
    "error",
    "“{figure}”: {found} không phải là số nguyên. Hãy nhập số nguyên, không nhập tỷ lệ hoặc số lẻ.",
    "{figure}: {found} is no whole number.",
)
NEGATIVE = Rule(
    "negative",
    "error",
    "“{figure}”: {found} là số âm. Hãy nhập số từ 0 trở lên.",
    "{figure}: {found} is negative.",
)
TOO_BIG = Rule(
    "too_big",
    "error",
    "“{figure}”: số quá lớn (trên {limit}). Hãy kiểm tra lại, có thể đã nhập nhầm số điện thoại.",
    "{figure}: the number is above {limit}; perhaps a phone number was typed.",
)
EXCEEDS = Rule(
    "exceeds",
    "error",
    "“{figure}” là {found}, lớn hơn “{bound}” là {limit} (ô {bound_address}). Hãy kiểm tra lại cả hai ô.",
    "{figure} is {found}, above {bound}, which is {limit} (cell {bound_address}).",
)
BLANK = Rule(
    "blank",
    "warning",
    "“{figure}”: thiếu số liệu. Ô trống không được tính là 0.",
    "{figure}: not reported; a blank is not zero.",
)
STOCK_FALLS = Rule(
    "stock_falls",
    "warning",
    "“{figure}” giảm từ {previous} (báo cáo trước) xuống {found}. "
    "Hãy kiểm tra lại; nếu đúng thì không phải gửi lại.",
    "{figure} fell from {previous} in the report before to {found}.",
)
STOCK_JUMPS = Rule(
    "stock_jumps",
    "warning",
    "“{figure}” tăng từ {previous} (báo cáo trước) lên {found}, gấp hơn {factor} lần. "
    "Hãy kiểm tra lại, có thể đã nhập thừa chữ số; nếu đúng thì ghi lý do vào cột giải trình.",
    "{figure} rose from {previous} in the report before to {found}, more than {factor} times; "
    "perhaps a digit too many was typed.",
)
ABOVE_PARENT = Rule(
    "above_parent",
    "warning",
    "“{figure}” là {found}, lớn hơn {limit} mà đơn vị cấp trên báo cáo cùng ngày cho toàn địa bàn. "
    "Hãy kiểm tra lại; nếu đúng thì ghi lý do vào cột giải trình.",
    "{figure} is {found}, above {limit}, which the parent unit reported for all its children on that day.",
)
UNLIKE_CHILDREN = Rule(
    "unlike_children",
    "warning",
    "“{figure}” là {found}, không khớp với tổng {total} của {count}/{owing} đơn vị trực thuộc đã báo cáo cùng ngày. "
    "Hãy kiểm tra lại; nếu đúng thì ghi lý do vào cột giải trình.",
    "{figure} is {found}, which does not fit {total}, the sum of {count} of {owing} child units that have reported.",
)
SAME_AS_BEFORE = Rule(
    "same_as_before",
    "warning",
    "Cả {count} số liệu giống hệt báo cáo trước. Hãy kiểm tra xem đã cập nhật số liệu của ngày này chưa.",
    "All {count} figures are those of the report before; perhaps the sheet was copied.",
)
SAME_AS_NEIGHBOUR = Rule(
    "same_as_neighbour",
    "warning",
    "Cả {count} số liệu giống hệt báo cáo cùng ngày của một đơn vị khác. "
    "Hãy kiểm tra lại, có thể đã chép nhầm báo cáo.",
    "All {count} figures are those of another unit's report for the same day; perhaps the sheet was copied.",
    # Assumed: a month and a half to get used to it.
    blocks_from=date(2020, 10, 1),
)

# What the reader process says about a file it cannot open.
UNREADABLE_RULES = {
    rule.code: rule for rule in (UNREADABLE, PASSWORD, TOO_LARGE, CRASHED, TOO_SLOW, UNSAFE, OLD_ENCODING)
}
