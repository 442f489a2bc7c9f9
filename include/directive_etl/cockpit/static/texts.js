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
  alerts: ["Cảnh báo", "Alerts"], validation: ["Lần kiểm tra", "Validation run"],
  recount_help: ["Tính lại từ số liệu đã có trong kho.", "From the figures the warehouse holds."],
  sms_again_help: ["Đọc lại các tệp của mọi nhà mạng.", "Every operator's files once more."],
  portal_again_help: ["Hỏi lại mọi hệ thống về ngày này.", "Every system is asked for the day again."],
  close_again: ["Chốt ngày", "Close the day"], close_again_help: ["Ghi nhận ai chưa nộp, chốt số liệu, gửi tổng hợp.", "Who is silent, what is published, the morning's summary."],
  close_dry: ["Ngày sẽ được chốt; %s đơn vị chưa có báo cáo.", "The day would be closed; %s units have not reported."],
  close_dry_again: ["Ngày đã chốt; chốt lại không đổi gì nếu số liệu như cũ. %s đơn vị chưa có báo cáo.", "The day is closed; closing again changes nothing while the figures are the same. %s units have not reported."],
  resend: ["Gửi lại phản hồi", "Send feedback again"], resend_help: ["Ghi lại phản hồi cho mọi tệp của ngày.", "The answers to all files of the day."],
  resend_dry: ["%s phản hồi sẽ được ghi lại như cũ; %l đang thiếu trong hộp gửi.", "%s answers would be written again, as they were; %l are missing from the outbox."],
  why: ["Lý do (được lưu lại)", "Why (it is kept)"], decide: ["Quyết định", "Decide"], release: ["Cho nạp", "Release"], reject: ["Không nạp", "Reject"],
  held: ["Lô bị giữ", "Batch held"], held_batches: ["Lô chờ quyết định", "Batches that wait for a decision"],
  held_help: ["Một kiểm tra nghiêm trọng không đạt, nên lô bị giữ ngoài kho. Cho nạp phải có lý do và một người duyệt.",
    "A critical check failed, so the batch is kept out. A release needs a reason and somebody's approval."],
  release_dry: ["Nếu cho nạp, phần này được đọc lại (%s dòng) và các lỗi dưới đây thành cảnh báo kèm tên người duyệt.",
    "On release the part is read again (%s rows), and the findings below become warnings with the name of who approved."],
  approval: ["Phê duyệt", "Approval"], note: ["Ghi chú", "Note"], approved: ["Đã cho nạp.", "Released."], rejected: ["Đã từ chối.", "Rejected."],
  reopen: ["Mở lại để sửa", "Reopen for correction"], locked_since: ["Số liệu ngày này khóa từ %s.", "The day's figures are locked from %s."],
  is_open_again: ["Đã được mở lại trước đó.", "It was reopened before."],
  reopen_dry: ["%s tệp bị từ chối vì đã khóa sẽ được nhận.", "%s files that were refused as locked would be taken."],
  cure: ["Cách khắc phục", "Cure"], cure_dry: ["Sẽ chạy DAG %s; ngày: %d. Dữ liệu như cũ thì kho không đổi.", "Runs the DAG %s; days: %d. The same input changes nothing."],
  run_again: ["Chạy lại", "Run again"], migrate: ["Cập nhật cấu trúc kho", "Migrate the warehouse"], free_disk: ["Giải phóng đĩa", "Free the disk"],
  may_not_run: ["Bạn không có quyền chạy.", "You do not have the right to run this."], see_log: ["Xem nhật ký", "See the log"],
  run_queued: ["đang chờ", "queued"], run_running: ["đang chạy", "running"], run_success: ["xong", "done"], run_failed: ["thất bại", "failed"],
  to_press: ["Cần làm gì", "What to do"], nothing_to_press: ["Không có việc gì phải làm.", "Nothing has to be done."],
  refused_by_rule: ["Bị từ chối theo quy tắc", "Refused, by rule"], nothing_refused: ["Không có gì bị từ chối.", "Nothing was refused."],
  who_is_silent: ["Chưa nộp báo cáo", "Has not reported"], all_reported: ["Mọi đơn vị đã nộp.", "Every unit has reported."],
  not_closed_yet: ["Ngày chưa chốt; chưa ai bị coi là không nộp.", "The day is not closed; nobody counts as silent yet."],
  and_more: ["và %s đơn vị nữa", "and %s more units"], to_reports: ["Xem trang Nộp báo cáo", "See Reports"], to_quality: ["Xem trang Chất lượng", "See Quality"],
  to_validation: ["Xem cả lần kiểm tra", "See the whole validation run"], in_parts: ["%s nơi gửi", "%s senders"],
  not_in: ["Chưa về", "Not in"], ask_and_run: ["hỏi nơi gửi, rồi chạy lại ngày.", "ask the sender, then run the day again."],
  open_alerts: ["Cảnh báo đang mở", "Open alerts"], no_alert: ["Không có cảnh báo nào đang mở.", "No alert is open."],
  means: ["Nghĩa là", "Means"], who_acts: ["Ai xử lý", "Who acts"], do: ["Việc cần làm", "Do"], days: ["Ngày", "Days"], since: ["Từ", "Since"],
  runbook: ["Sổ tay trực", "Runbook"], failures: ["%s lần lỗi", "%s failures"], nobody_told: ["chưa gửi được cho ai", "nobody could be told"],
  engineer: ["Kỹ sư", "Engineer"], source_owner: ["Đơn vị chủ nguồn", "Source owner"], data_steward: ["Người phụ trách dữ liệu", "Data steward"], developer: ["Lập trình viên", "Developer"],
  doctor: ["Khám hệ thống", "Doctor"], doctor_help: ["Cài đặt, kết nối, cấu trúc kho, quyền, đĩa, đồng hồ; kèm cách chữa.", "Settings, connections, schema, rights, disk, clock; each with its cure."],
  doctor_needs_operator: ["Chỉ người vận hành xem được.", "This needs the operator role."], subject: ["Đối tượng", "Subject"], seen: ["Thấy gì", "Seen"],
  no_fault: ["Không thấy lỗi nào.", "No fault was found."], well_count: ["%s mục tốt", "%s that are well"],
  well: ["Tốt", "Well"], fault: ["Có lỗi", "Fault"],
  passed: ["Đạt", "Passed"], not_passed: ["Không đạt", "Not passed"], offending: ["Giá trị sai (đã che)", "Offending values (masked)"],
  validation_counts: ["%s kiểm tra, %f không đạt", "%s checks, %f failed"], of_elements: ["%f trong %s không đạt", "%f of %s failed"],
  choose_batch: ["Hãy chọn một lô ở trang Chất lượng.", "Choose a batch on the page Quality."],
  place_away: ["Nơi gửi tệp không trả lời", "Place out of reach"], connection_wrong: ["Kết nối thiếu hoặc sai", "Connection missing or wrong"],
  file_unfinished: ["Tệp chưa hoàn tất", "File stays unfinished"],
  log_missing: ["Thiếu nhật ký SMS", "SMS log missing"], portal_away: ["Cổng không trả lời", "Portal does not answer"],
  portal_login: ["Cổng từ chối đăng nhập", "Portal refuses the login"], portal_certificate: ["Chứng thư của cổng không tin cậy", "Portal certificate not trusted"],
  portal_redirect: ["Cổng chuyển hướng lạ", "Portal redirects elsewhere"], portal_unknown: ["Chưa khai báo địa chỉ cổng", "Portal address unknown"],
  source_changed: ["Nguồn đổi khuôn dạng", "Source changed its form"], batch_held: ["Lô bị giữ", "Batch held"],
  close_overdue: ["Chưa chốt ngày đúng giờ", "Close is overdue"], registry_wrong: ["Tệp khai báo sai", "Registry has mistakes"], setting_missing: ["Thiếu cài đặt", "Setting missing"],
  warehouse_away: ["Kho không trả lời", "Warehouse does not answer"], warehouse_password: ["Kho từ chối mật khẩu", "Warehouse refuses the password"],
  warehouse_not_found: ["Không có kho này", "No such database"], warehouse_full: ["Đĩa của kho đầy", "Disk of the warehouse full"], warehouse_busy: ["Kho quá tải kết nối", "Warehouse has no free connection"],
  warehouse_lock: ["Giao dịch chờ nhau", "Transactions waited for each other"], warehouse_rights: ["Thiếu quyền trên kho", "Right missing in the warehouse"],
  warehouse_read_only: ["Kho chỉ cho đọc", "Warehouse is read-only"], migration_missing: ["Cấu trúc kho cũ", "Migration missing"], registry_not_loaded: ["Danh mục chưa nạp vào kho", "Registry not loaded"],
  disk_full: ["Đĩa đầy", "Disk full"], folder_closed: ["Không có quyền trên thư mục", "Folder closed to us"], folder_read_only: ["Thư mục chỉ cho đọc", "Folder is read-only"],
  folder_missing: ["Thiếu thư mục", "Folder missing"], memory_short: ["Thiếu bộ nhớ", "Out of memory"], unexpected_error: ["Lỗi ngoài dự kiến", "Unexpected error"],
  daily_close: ["Chốt ngày", "Daily close"], directive_progress: ["Tiến độ", "Progress"],
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

// A key without words is shown as `otherwise`: codes of rules and parts are no words of ours.
export function t(key, values = {}, otherwise = key) {
  const found = TEXTS[key];
  if (!found) return otherwise;
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
