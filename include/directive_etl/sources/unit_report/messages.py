"""Every sentence about a fault in a report, declared once: in Vietnamese for the unit, in English for us.

A sentence never carries a cell's content unmasked: a clerk may have typed a phone number.
"""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Rule:
    """What a fault is called, how grave it is, and what is said about it; an error refuses the whole file."""

    code: str
    severity: Severity
    vi: str
    en: str


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
NOT_OUR_FORM = Rule(
    "not_our_form",
    "error",
    "Tệp không theo mẫu báo cáo: thiếu {part}. "
    "Hãy dùng mẫu được cấp, không đổi tên trang, không xóa dòng hoặc cột.",
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

# One cell.
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

# What the reader process says about a file it cannot open.
UNREADABLE_RULES = {rule.code: rule for rule in (UNREADABLE, PASSWORD, TOO_LARGE, CRASHED, TOO_SLOW)}
