// What matters of a day, on top of every page: what to press, which rules refused what, who has not reported.
import { openCure, openRelease } from "./actions.js";
import { badge, el } from "./elements.js";
import { formatDay, formatNumber, t } from "./texts.js";

const SHOWN = 6;
const column = (title, items, empty, more) =>
  el("section", {}, el("h2", {}, title), items.length ? el("ul", { className: "plain" }, items) : el("p", { className: "calm" }, empty), more);

export function todo(summary, alerts, held, { mayOperate, redraw }) {
  return el("div", { className: "card todo" },
    column(t("to_press"), [...alertItems(alerts, mayOperate, redraw), ...heldItems(held, mayOperate, redraw), ...absentItems(summary, alerts)], `✓ ${t("nothing_to_press")}`),
    column(t("refused_by_rule"), summary.rules.map((rule) => el("li", {},
      el("strong", {}, formatNumber(rule.row_count)), " ", t(`rule_${rule.rule_code}`, {}, rule.rule_code),
      el("small", {}, ` ${t(rule.source_code)}, ${t("in_parts", { s: formatNumber(rule.part_count) })}`))), `✓ ${t("nothing_refused")}`,
    el("a", { href: `quality?day=${summary.day}` }, t("to_quality"))),
    column(t("who_is_silent"), summary.silent.slice(0, SHOWN).map((unit) => el("li", {}, unit.unit_name, " ", badge(unit.status_code))),
      `✓ ${t(summary.is_closed ? "all_reported" : "not_closed_yet")}`,
      el("a", { href: `reports?day=${summary.day}` }, summary.silent.length > SHOWN ? t("and_more", { s: formatNumber(summary.silent.length - SHOWN) }) : t("to_reports"))));
}

function alertItems(alerts, mayOperate, redraw) {
  // A held batch has an entry of its own, with the button that decides.
  return alerts.filter((alert) => alert.cause !== "batch_held").map((alert) => el("li", {},
    el("strong", { className: "bad-ink" }, t(alert.cause)), ` ${[t(alert.source, {}, alert.source), alert.part].filter(Boolean).join(" ")} `,
    el("small", {}, alert.days.slice(0, 3).map((day) => formatDay(day)).join(", "), alert.days.length > 3 ? "…" : ""), " ",
    mayOperate ? cureButton(alert, redraw) : null));
}

export function cureButton(alert, redraw) {
  if (alert.cause === "batch_held") return null;
  return el("button", { type: "button", className: "small", onclick: () => openCure(alert, redraw) }, `↻ ${t({ migrate_warehouse: "migrate", warehouse_care: "free_disk" }[alert.dag_id] ?? "run_again")}`);
}

function heldItems(held, mayOperate, redraw) {
  return held.items.map((batch) => el("li", {},
    el("strong", { className: "bad-ink" }, t("held")), ` ${t(batch.source_code)} ${batch.part_code} `, el("small", {}, formatDay(batch.report_date)), " ",
    mayOperate ? el("button", { type: "button", className: "small", onclick: () => openRelease(batch.batch_id, redraw) }, t("decide")) : null));
}

function absentItems(summary, alerts) {
  const told = new Set(alerts.filter((alert) => alert.days.includes(summary.day)).map((alert) => `${alert.source} ${alert.part}`));
  return summary.sources.flatMap((row) => row.missing_parts
    .filter((part) => !told.has(`${row.source_code} ${part}`))
    .map((part) => el("li", {}, el("strong", {}, t("not_in")), ` ${t(row.source_code)} ${part}: ${t("ask_and_run")}`)));
}
