// Quality: rows by source and day, failed checks, freshness, the batches of a day.
import { lines } from "./chart.js";
import { openBatch } from "./drill.js";
import { badge, card, choice, el, exports, failure, get, pager, table } from "./elements.js";
import { formatDay, formatMoment, formatNumber, t } from "./texts.js";

const DAYS = 14;
const SOURCES = ["sms_log", "service_portal", "unit_report", "pipeline"];
const COLORS = { sms_log: "--one", service_portal: "--two", unit_report: "--three" };
const asked = { source: "", only_faults: "true", page: 1 };

export async function qualityPage(body, summary, context) {
  const day = summary.day;
  const holders = Object.fromEntries(["fresh", "chart", "rows", "checks", "batches"].map((name) => [name, el("div", { className: "holder" })]));
  const change = (values) => { Object.assign(asked, { page: 1 }, values); batches(); };
  body.append(
    card(t("freshness"), holders.fresh),
    card(t("refused_by_day"), holders.chart),
    card(t("batches"), el("div", { className: "filters" },
      choice(t("source"), asked.source, [["", t("all")], ...SOURCES.map((source) => [source, t(source)])], (source) => change({ source })),
      choice(t("status"), asked.only_faults, [["true", t("only_faults")], ["false", t("all_batches")]], (only_faults) => change({ only_faults }))), holders.batches),
    card(t("failed_checks"), holders.checks),
    card(t("rows_by_day"), holders.rows, el("div", { className: "under" }, el("span"), exports("api/quality/export", { day, days: DAYS }))));

  const safely = (name, work) => work().catch((error) => holders[name].replaceChildren(failure(error)));
  const number = (field) => (row) => formatNumber(row[field]);

  const fresh = async () => {
    const rows = await get("api/quality/freshness");
    holders.fresh.replaceChildren(table(t("freshness"), [
      [t("source"), (row) => t(row.source_code)],
      [t("state"), (row) => badge(row.is_stale ? "late" : "on_time", row.is_stale ? t("stale") : t("fresh"))],
      [t("latest_complete"), (row) => formatDay(row.latest_complete_date)],
      [t("last_loaded"), (row) => formatMoment(row.last_loaded_at)],
      [t("expected_by"), (row) => formatMoment(row.expected_by)],
    ], rows));
  };

  const chart = async () => {
    const found = await get("api/quality/trend", { day, days: DAYS });
    const days = [...new Set(found.map((row) => row.report_date))];
    holders.chart.replaceChildren();
    if (days.length < 2) {
      holders.chart.append(el("p", { className: "empty" }, t("nothing_here")));
      return;
    }
    lines(holders.chart, days, Object.entries(COLORS).map(([source, color]) => ({
      label: t(source), color,
      values: days.map((one) => found.find((row) => row.source_code === source && row.report_date === one)?.refused_count ?? null),
    })), t("day"));
  };

  const rows = async (page = 1) => {
    const answer = await get("api/quality", { day, days: DAYS, page });
    holders.rows.replaceChildren(table(t("rows_by_day"), [
      [t("day"), (row) => formatDay(row.report_date)],
      [t("source"), (row) => t(row.source_code)],
      [t("read"), number("read_count"), "number"], [t("loaded"), number("loaded_count"), "number"],
      [t("refused"), number("refused_count"), "number"], [t("duplicate"), number("duplicate_count"), "number"],
      [t("unchanged"), number("unchanged_count"), "number"],
      [t("critical"), number("critical_failed_count"), "number"], [t("warning"), number("warning_failed_count"), "number"],
    ], answer.items), ...(answer.total ? [pager(answer, (other) => safely("rows", () => rows(other)))] : []));
  };

  const checks = async (page = 1) => {
    const answer = await get("api/quality/checks", { day, days: DAYS, page });
    holders.checks.replaceChildren(table(t("failed_checks"), [
      [t("check"), (row) => el("span", {}, el("code", {}, row.check_code), ` ${row.column_name}`, el("br"), el("small", {}, row.notes))],
      [t("source"), (row) => t(row.source_code)],
      [t("severity"), (row) => badge(row.severity)],
      [t("batches"), number("batch_count"), "number"],
      [t("failed_rows"), number("failed_count"), "number"],
      [t("last_day"), (row) => formatDay(row.last_date)],
      [t("batch"), (row) => el("button", { type: "button", className: "link", onclick: () => openBatch(row.last_batch_id, context) }, `#${row.last_batch_id}`)],
    ], answer.items), ...(answer.total ? [pager(answer, (other) => safely("checks", () => checks(other)))] : []));
  };

  async function batches() {
    await safely("batches", async () => {
      const answer = await get("api/quality/batches", { day, ...asked });
      holders.batches.replaceChildren(table(t("batches"), [
        [t("batch"), (row) => el("button", { type: "button", className: "link", onclick: () => openBatch(row.batch_id, context) }, `#${row.batch_id}`)],
        [t("source"), (row) => t(row.source_code)], [t("part"), (row) => row.part_code],
        [t("state"), (row) => badge(row.status_code)],
        [t("read"), number("read_count"), "number"], [t("loaded"), number("loaded_count"), "number"],
        [t("refused"), number("refused_count"), "number"], [t("duplicate"), number("duplicate_count"), "number"],
        [t("reason"), (row) => row.reason, "long"],
      ], answer.items), ...(answer.total ? [pager(answer, (page) => { asked.page = page; batches(); })] : []));
    });
  }

  await Promise.all([safely("fresh", fresh), safely("chart", chart), safely("rows", () => rows()), safely("checks", () => checks()), batches()]);
}
