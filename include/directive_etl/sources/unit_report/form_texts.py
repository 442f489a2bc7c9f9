"""Every sentence that stands on the form itself, in the language of the clerks who fill it in."""

from collections.abc import Iterator

from directive_etl.registry.directive import Clause, Directive
from directive_etl.sources.unit_report.form import REPORT_SHEET, Form

UNIT_LABEL = "Đơn vị"
UNIT_CODE_LABEL = "Mã đơn vị"
DATE_LABEL = "Ngày báo cáo"
CATEGORY_LABEL = "Phân loại"
FILL_IN_NOTE = (
    "Chỉ nhập vào các ô màu vàng. Nhập số nguyên, không nhập chữ. "
    "Không có thì nhập 0; chưa có số liệu thì để trống."
)

REASON_LABEL = "Giải trình (nếu số liệu bất thường nhưng đúng)"

WHOLE_NUMBER_TITLE = "Số liệu không hợp lệ"
WHOLE_NUMBER_ERROR = "Chỉ nhập số nguyên từ 0 trở lên. Chưa có số liệu thì để trống."
DATE_TITLE = "Ngày không hợp lệ"

_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X")


def title(directive: Directive) -> str:
    """Return the title of the form."""
    return f"BÁO CÁO KẾT QUẢ THỰC HIỆN CÔNG VĂN SỐ {directive.number}"


def heading(directive: Directive, number: int, clause: Clause) -> str:
    """Return the heading of a block, numbered from 1."""
    roman = _ROMAN[number - 1] if number <= len(_ROMAN) else str(number)
    return f"{roman}. Thực hiện mục {clause.code} của Công văn số {directive.number}"


def date_error(directive: Directive) -> str:
    """Return what the spreadsheet program says about a day before the directive."""
    return f"Nhập ngày báo cáo dạng ngày/tháng/năm, từ {directive.active_from:%d/%m/%Y} trở đi."


def guide(form: Form) -> Iterator[str]:
    """Yield the paragraphs of the guide, the first one its title."""
    directive = form.directive
    yield "HƯỚNG DẪN ĐIỀN BÁO CÁO"
    yield (
        f"1. Mỗi báo cáo là số liệu của một đơn vị trong một ngày. Kiểm tra ô “{DATE_LABEL}” trước khi gửi; "
        "báo cáo ngày khác thì sửa ô này."
    )
    yield (
        f"2. Trên trang “{REPORT_SHEET}” chỉ nhập vào các ô màu vàng; "
        "không thêm, xóa dòng hoặc cột, không đổi tên trang."
    )
    yield (
        "3. Nhập số nguyên từ 0 trở lên. Không có thì nhập 0. "
        "Chưa có số liệu thì để trống: ô trống không được tính là 0."
    )
    yield "4. Số liệu có chữ “trong ngày” chỉ tính riêng ngày báo cáo; số liệu khác tính đến hết ngày đó."
    yield from _bounds(form)
    yield (
        "6. Gửi tệp .xlsx vào hộp thư báo cáo của đơn vị. "
        "Hệ thống trả lời bằng biên nhận, hoặc trả lại báo cáo có đánh dấu lỗi."
    )
    yield "7. Muốn sửa số liệu đã gửi, gửi lại báo cáo của ngày đó; số liệu gửi sau thay số liệu gửi trước."
    yield (
        f"8. Số liệu giảm, tăng đột biến hoặc giống ngày trước thì hệ thống lưu ý nhưng vẫn nhận. "
        f"Nếu số liệu đúng, ghi lý do vào cột “{REASON_LABEL}” ở cùng dòng; lý do được lưu lại."
    )
    for clause in dict.fromkeys(block.clause for block in form.blocks):
        yield f"Mục {clause.code} của Công văn số {directive.number}: {clause.text_vi}"


def _bounds(form: Form) -> Iterator[str]:
    owed = dict.fromkeys(figure.measure for figure in form.figures)
    pairs = [
        f"“{measure.name_vi}” không lớn hơn “{form.directive.measure(measure.at_most).name_vi}”"
        for measure in owed
        if measure.at_most is not None
    ]
    if pairs:
        yield f"5. {'; '.join(pairs)}."
    else:
        yield "5. Kiểm tra lại số liệu trước khi gửi."
