// Progress: a heat map of clauses x units for a day.
import { openCell } from "./drill.js";
import { announce, card, choice, el, exports, failure, get, legend, mark, pager, table } from "./elements.js";
import { formatDay, inLanguage, t } from "./texts.js";

const WORST_FIRST = ["overdue", "behind", "not_reported", "on_track", "achieved", "not_due"];
const asked = { unit_type: "", district: "", status: "", order: "worst", page: 1 };

export async function progressPage(body, summary, context) {
  const directives = summary.directives;
  if (!directives.some((one) => one.directive_code === asked.directive)) asked.directive = directives[0]?.directive_code ?? "";
  const holder = el("div", { className: "holder" });
  const change = (values) => { Object.assign(asked, { page: 1 }, values); show(); };
  const filters = el("div", { className: "filters" },
    directives.length > 1
      ? choice(t("progress"), asked.directive, directives.map((one) => [one.directive_code, one.directive_number]), (directive) => change({ directive }))
      : null,
    choice(t("unit_type"), asked.unit_type, [["", t("all")], ...summary.unit_types.map((type) => [type, t(type)])], (unit_type) => change({ unit_type })),
    choice(t("district"), asked.district, [["", t("all")], ...summary.districts.map((one) => [one.unit_code, one.unit_name])], (district) => change({ district })),
    choice(t("status"), asked.status, [["", t("all")], ...WORST_FIRST.map((status) => [status, t(status)])], (status) => change({ status })),
    choice(t("order"), asked.order, [["worst", t("worst_first")], ["name", t("by_name")]], (order) => change({ order })));
  const saves = el("span");
  body.append(card(t("clauses_and_units"), el("p", { className: "help" }, t("heat_help")), filters, holder,
    el("div", { className: "under" }, legend(WORST_FIRST), saves)));

  async function show() {
    holder.setAttribute("aria-busy", "true");
    try {
      const answer = await get("api/progress", { day: summary.day, ...asked });
      holder.replaceChildren(
        table(`${t("clauses_and_units")}, ${formatDay(summary.day)}`, [
          [t("unit"), (unit) => el("span", { className: "unit-name", title: unit.unit_code }, unit.unit_name), "sticky"],
          ...answer.clauses.map((clause) => [
            el("abbr", { title: inLanguage(clause, "text") }, clause.clause_code),
            (unit) => cell(unit, clause), "cell"]),
        ], answer.items, { className: "heat" }),
        pager(answer, (page) => { asked.page = page; show().then(() => announce(`${page}`)); }));
    } catch (error) {
      holder.replaceChildren(failure(error));
    }
    const { page, order, ...filter } = asked;
    saves.replaceChildren(exports("api/progress/export", { day: summary.day, ...filter }));
    holder.setAttribute("aria-busy", "false");
  }

  function cell(unit, clause) {
    const counts = unit.cells[clause.clause_code];
    if (!counts) return el("span", { className: "blank" }, "");
    const worst = WORST_FIRST.find((status) => counts[status]);
    const due = Object.entries(counts).reduce((total, [status, count]) => total + (status === "not_due" ? 0 : count), 0);
    const good = (counts.achieved ?? 0) + (counts.on_track ?? 0);
    const words = WORST_FIRST.filter((status) => counts[status]).map((status) => `${t(status)} ${counts[status]}`).join(", ");
    return el("button", {
      type: "button", className: `heat-cell is-${worst}`, title: words,
      "aria-label": `${unit.unit_name}, ${t("clause")} ${clause.clause_code}: ${due ? `${good}/${due}, ` : ""}${words}`,
      onclick: () => openCell({ day: summary.day, directive: asked.directive, unit, clause }, context),
    }, mark(worst), due ? ` ${good}/${due}` : "");
  }

  await show();
}
