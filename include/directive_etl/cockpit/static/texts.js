// Every word of the pages in Vietnamese and English, and how days and numbers are written.
const TEXTS = {
  progress: ["Tiến độ", "Progress"], reports: ["Nộp báo cáo", "Reports"], quality: ["Chất lượng", "Quality"],
  pages_of_cockpit: ["Các trang", "Pages of the cockpit"], language: ["Ngôn ngữ", "Language"],
  day: ["Ngày", "Day"], previous_day: ["Ngày trước", "Previous day"], next_day: ["Ngày sau", "Next day"],
  pick_day: ["Kéo để chọn ngày", "Slide to choose a day"],
  complete: ["Đã đủ số liệu", "Complete"], incomplete: ["Chưa đủ số liệu", "Incomplete"],
  day_is: ["Số liệu trong ngày", "The day's data"], closed: ["đã chốt lúc 08:00", "closed at 08:00"], still_open: ["chưa chốt", "not closed yet"],
  sources_in: ["Nguồn đã về", "Sources in"], missing_parts: ["Thiếu", "Missing"], all_in: ["đủ cả", "all parts"],
  silent_units: ["Chưa nộp báo cáo", "Did not report"], of_units: ["trong số %s đơn vị", "of %s units"],
  late_and_refused: ["%l muộn, %r bị trả lại", "%l late, %r refused"],
  refused_rows: ["Dòng bị từ chối", "Rows refused"], of_rows: ["trong %s dòng đã đọc", "of %s rows read"],
  checks_failed: ["%c lỗi nặng, %w cảnh báo", "%c critical, %w warnings"],
  red_indicators: ["Chỉ tiêu cần chú ý", "Indicators in the red"], of_due: ["trong %s chỉ tiêu đến hạn", "of %s that are due"],
  achieved: ["Đạt", "Achieved"], on_track: ["Đúng tiến độ", "On track"], behind: ["Chậm", "Behind"],
  overdue: ["Quá hạn", "Overdue"], not_reported: ["Chưa báo cáo", "Not reported"], not_due: ["Chưa đến hạn", "Not due"],
  on_time: ["Đúng hạn", "On time"], late: ["Muộn", "Late"], refused: ["Trả lại", "Refused"], missing: ["Không nộp", "Missing"],
  not_expected: ["Không phải nộp", "Not expected"], loaded: ["Đã nạp", "Loaded"], duplicate: ["Trùng", "Duplicate"],
  critical: ["Nghiêm trọng", "Critical"], warning: ["Cảnh báo", "Warning"], info: ["Ghi nhận", "Info"], success: ["Đạt", "Passed"],
  clauses_and_units: ["Điểm giao việc theo đơn vị", "Clauses by unit"],
  heat_help: ["Mỗi ô: số chỉ tiêu đạt hoặc đúng tiến độ trên số đến hạn; màu là tình trạng xấu nhất. Chọn ô để xem chi tiết.",
    "A cell counts indicators achieved or on track, of those due; its colour is the worst status. Choose a cell to look inside."],
  reports_by_day: ["Báo cáo của đơn vị theo ngày", "Reports by unit and day"],
  reports_help: ["Chọn ô để xem tệp đã nộp, lý do trả lại và tệp phản hồi.", "Choose a cell to see the files sent, why one was refused, and our answer."],
  faults: ["Lỗi thường gặp", "Commonest faults"], fault: ["Lỗi", "Fault"], times: ["Số lần", "Times"], units: ["Đơn vị", "Units"],
  rows_by_day: ["Số dòng theo nguồn và ngày", "Rows by source and day"], refused_by_day: ["Dòng bị từ chối theo ngày", "Rows refused by day"],
  freshness: ["Độ mới của số liệu", "Freshness"], source: ["Nguồn", "Source"], latest_complete: ["Ngày đủ gần nhất", "Latest complete day"],
  last_loaded: ["Nạp lần cuối", "Last loaded"], expected_by: ["Hạn ngày kế tiếp", "Next expected by"], state: ["Trạng thái", "State"],
  stale: ["Đã cũ", "Stale"], fresh: ["Còn mới", "Fresh"],
  failed_checks: ["Kiểm tra không đạt", "Failed checks"], check: ["Phép kiểm tra", "Check"], severity: ["Mức độ", "Severity"],
  batches: ["Các lô trong ngày", "Batches of the day"], batch: ["Lô", "Batch"], part: ["Phần", "Part"], only_faults: ["Chỉ lô có lỗi", "Only with faults"],
  all_batches: ["Mọi lô", "All batches"],
  read: ["Đã đọc", "Read"], unchanged: ["Không đổi", "Unchanged"], trend: ["Diễn biến", "Trend"], last_day: ["Ngày gần nhất", "Last day"],
  unit: ["Đơn vị", "Unit"], unit_type: ["Loại đơn vị", "Unit type"], district: ["Quận, huyện", "District"], status: ["Tình trạng", "Status"],
  order: ["Sắp xếp", "Order"], worst_first: ["Xấu nhất trước", "Worst first"], by_name: ["Theo tên", "By name"], all: ["Tất cả", "All"],
  so_ban_nganh: ["Sở, ban, ngành", "Departments"], ubnd_quan_huyen: ["UBND quận, huyện", "District committees"], xa_phuong: ["Xã, phường, thị trấn", "Wards and communes"],
  ban_quan_ly_kcx_kcn: ["Ban quản lý KCX và KCN", "Zones authority"], dai_hoc: ["Đại học", "Universities"], cao_dang: ["Cao đẳng", "Colleges"],
  mttq: ["Mặt trận Tổ quốc", "Fatherland Front"], doan_the: ["Đoàn thể", "Mass organisations"], hoi: ["Hội", "Associations"],
  bao_chi: ["Cơ quan báo chí", "Press"], doanh_nghiep_vien_thong: ["Doanh nghiệp viễn thông", "Telecom operators"],
  ban_chi_dao: ["Ban chỉ đạo", "Steering committee"], thanh_pho: ["Thành phố", "City"],
  clause: ["Điểm", "Clause"], indicator: ["Chỉ tiêu", "Indicator"], actual: ["Thực hiện", "Actual"], target: ["Mục tiêu", "Target"],
  assumed: ["giả định", "assumed"], due: ["Hạn", "Due"], days_overdue: ["%s ngày làm việc quá hạn", "%s working days overdue"],
  is_late: ["số liệu đến muộn", "figures came late"], revisions: ["Lần sửa", "Revisions"],
  figures: ["Số liệu tạo nên chỉ tiêu", "Figures behind it"], measure: ["Số đo", "Measure"], category: ["Phân loại", "Category"], value: ["Giá trị", "Value"],
  numerator: ["Tử số", "Numerator"], denominator: ["Mẫu số", "Denominator"], known_at: ["Nhận lúc", "Known at"],
  no_figures: ["Không có số liệu nào cho ngày này.", "There is no figure for this day."],
  sent_by_unit: ["Đơn vị đã gửi gì cho ngày này", "What the unit sent for the day"], nothing_sent: ["Đơn vị chưa gửi tệp nào.", "The unit sent nothing."],
  file: ["Tệp", "File"], files: ["Tệp gốc", "Files it read"], size: ["Kích thước", "Size"], reason: ["Lý do", "Reason"], answer: ["Phản hồi", "Our answer"],
  place: ["Vị trí", "Place"], content: ["Nội dung (đã che số)", "Content (numbers masked)"],
  refused_of_batch: ["Dòng bị từ chối của lô", "Refused rows of the batch"], needs_operator: ["Chỉ người vận hành xem được dòng bị từ chối.", "Refused rows need the operator role."],
  checks: ["Kiểm tra của lô", "Checks of the batch"], failed_rows: ["Dòng không đạt", "Rows failed"], observed: ["Giá trị quan sát", "Observed"],
  code_version: ["Phiên bản mã", "Code version"], recorded_at: ["Ghi lúc", "Recorded at"],
  back: ["Quay lại", "Back"], close: ["Đóng", "Close"], legend: ["Chú giải", "Legend"], pages: ["Trang của bảng", "Pages of the table"],
  previous_page: ["Trang trước", "Previous page"], next_page: ["Trang sau", "Next page"], nothing_here: ["Không có gì để hiển thị.", "Nothing to show."],
  loading: ["Đang tải…", "Loading…"], failed: ["Không thực hiện được.", "That did not work."], log_in_again: ["Phiên đăng nhập đã hết; hãy đăng nhập lại Airflow.", "You are logged out; log in to Airflow again."],
  no_right: ["Bạn không có quyền xem phần này.", "You do not have the right to see this."], warehouse_away: ["Kho dữ liệu không trả lời; kiểm tra PostgreSQL rồi thử lại.", "The warehouse does not answer; check PostgreSQL and try again."],
  no_data: ["Kho chưa có ngày nào. Hãy chạy các DAG nguồn trước.", "The warehouse has no day yet. Run the source DAGs first."],
  actions: ["Chạy lại ngày này", "Run this day again"], recount: ["Tính lại tiến độ", "Recompute progress"], sms_again: ["Đọc lại nhật ký SMS", "Read SMS logs again"],
  portal_again: ["Lấy lại hồ sơ từ các cổng", "Pull the portals again"], dry_run: ["Xem trước", "Dry run"], run_now: ["Chạy", "Run"], cancel: ["Thôi", "Cancel"],
  would_change: ["%s dòng tiến độ sẽ thay đổi.", "%s progress rows would change."], nothing_would_change: ["Không dòng nào thay đổi: tiến độ đã khớp với số liệu.", "Nothing would change: progress agrees with the figures."],
  source_dry: ["Sẽ đọc lại mọi phần của nguồn cho ngày này. Dữ liệu như cũ thì kho không đổi. Phần chưa có: %s", "Every part of the source is read again for the day. The same input changes nothing. Parts not in yet: %s"],
  none: ["không", "none"], started: ["Đã gửi lệnh chạy: ", "Started: "], run_is: ["Trạng thái: ", "State: "], before: ["Trước", "Before"], after: ["Sau", "After"],
  start_with: ["Bắt đầu từ đây", "What to do"],
  do_missing: ["Nguồn chưa về: %s. Chạy lại ngày sau khi nguồn có dữ liệu.", "Not in: %s. Run the day again once the source has it."],
  sms_log: ["Nhật ký SMS", "SMS logs"], service_portal: ["Cổng dịch vụ công", "Service portals"], unit_report: ["Báo cáo đơn vị", "Unit reports"], pipeline: ["Hệ thống", "Pipeline"],
};

const KEY = "directive-cockpit-language";

export function language() {
  const chosen = localStorage.getItem(KEY) ?? localStorage.getItem("i18nextLng") ?? navigator.language;
  return chosen.toLowerCase().startsWith("vi") ? "vi" : "en";
}

export function setLanguage(code) {
  localStorage.setItem(KEY, code);
}

export function t(key, values = {}) {
  const found = TEXTS[key];
  if (!found) return key;
  return Object.entries(values).reduce((text, [name, value]) => text.replace(`%${name}`, value), found[language() === "vi" ? 0 : 1]);
}

const locale = () => (language() === "vi" ? "vi-VN" : "en-GB");

export function inLanguage(row, field) {
  return row[`${field}_${language()}`] ?? row[`${field}_vi`] ?? "";
}

export function formatDay(day, options = { day: "2-digit", month: language() === "vi" ? "2-digit" : "short", year: "numeric" }) {
  return day ? new Intl.DateTimeFormat(locale(), { ...options, timeZone: "UTC" }).format(new Date(`${day}T00:00:00Z`)) : "–";
}

export function formatMoment(moment) {
  return moment
    ? new Intl.DateTimeFormat(locale(), { dateStyle: "short", timeStyle: "short", timeZone: "Asia/Ho_Chi_Minh" }).format(new Date(moment))
    : "–";
}

export function formatNumber(value, digits = 2) {
  return value === null || value === undefined ? "–" : new Intl.NumberFormat(locale(), { maximumFractionDigits: digits }).format(value);
}
