// Reports: units x days, and the commonest faults.
import { openReport } from "./drill.js";
import { card, choice, el, exports, failure, get, legend, mark, pager, table } from "./elements.js";
import { formatDay, formatMoment, formatNumber, t } from "./texts.js";

const STATUSES = ["on_time", "late", "refused", "missing", "not_expected"];
const asked = { unit_type: "", district: "", status: "", order: "worst", days: "14", page: 1 };

export async function reportsPage(body, summary, context) {
  const holder = el("div", { className: "holder" });
  const saves = el("span");
  const change = (values) => { Object.assign(asked, { page: 1 }, values); show(); };
  const filters = el("div", { className: "filters" },
    choice(t("unit_type"), asked.unit_type, [["", t("all")], ...summary.unit_types.map((type) => [type, t(type)])], (unit_type) => change({ unit_type })),
    choice(t("district"), asked.district, [["", t("all")], ...summary.districts.map((one) => [one.unit_code, one.unit_name])], (district) => change({ district })),
    choice(`${t("status")} (${formatDay(summary.day)})`, asked.status, [["", t("all")], ...STATUSES.slice(0, 4).map((status) => [status, t(status)])], (status) => change({ status })),
    choice(t("order"), asked.order, [["worst", t("worst_first")], ["name", t("by_name")]], (order) => change({ order })));
  const faults = el("div", { className: "holder" });
  body.append(
    card(t("reports_by_day"), el("p", { className: "help" }, t("reports_help")), filters, holder,
      el("div", { className: "under" }, legend(STATUSES), saves)),
    card(t("faults"), faults));

  async function show() {
    holder.setAttribute("aria-busy", "true");
    try {
      const answer = await get("api/reports", { day: summary.day, ...asked });
      const days = [...new Set(answer.items.flatMap((unit) => Object.keys(unit.days)))].sort();
      holder.replaceChildren(
        table(t("reports_by_day"), [
          [t("unit"), (unit) => el("span", { className: "unit-name", title: unit.unit_code }, unit.unit_name), "sticky"],
          ...days.map((day) => [el("abbr", { title: formatDay(day) }, formatDay(day, { day: "2-digit", month: "2-digit" })), (unit) => cell(unit, day), "cell"]),
        ], answer.items, { className: "heat" }),
        pager(answer, (page) => { asked.page = page; show(); }));
    } catch (error) {
      holder.replaceChildren(failure(error));
    }
    const { page, order, status, ...filter } = asked;
    saves.replaceChildren(exports("api/reports/export", { day: summary.day, ...filter }));
    holder.setAttribute("aria-busy", "false");
  }

  function cell(unit, day) {
    const found = unit.days[day];
    if (!found) return el("span", { className: "blank" }, "");
    const words = `${t(found.status_code)}${found.received_at ? `, ${formatMoment(found.received_at)}` : ""}`;
    return el("button", {
      type: "button", className: `heat-cell is-${found.status_code}`, title: words,
      "aria-label": `${unit.unit_name}, ${formatDay(day)}: ${words}`,
      onclick: () => openReport({ unit, day, found }, context),
    }, mark(found.status_code));
  }

  async function showFaults(page) {
    try {
      const answer = await get("api/reports/faults", { day: summary.day, days: asked.days, page });
      faults.replaceChildren(table(t("faults"), [
        [t("fault"), (row) => el("code", {}, row.reason_code)],
        [t("times"), (row) => formatNumber(row.fault_count), "number"],
        [t("units"), (row) => formatNumber(row.unit_count), "number"],
      ], answer.items), pager(answer, showFaults));
    } catch (error) {
      faults.replaceChildren(failure(error));
    }
  }

  await Promise.all([show(), showFaults(1)]);
}
