// Alerts: what is wrong now and who cures it, batches that wait for a decision, what the doctor finds.
import { openRelease } from "./actions.js";
import { openBatch } from "./drill.js";
import { badge, card, el, failure, get, pager, table } from "./elements.js";
import { formatDay, formatMoment, formatNumber, t } from "./texts.js";
import { cureButton } from "./todo.js";

export async function alertsPage(body, summary, context) {
  const holders = Object.fromEntries(["open", "held", "doctor"].map((name) => [name, el("div", { className: "holder" })]));
  body.append(card(t("open_alerts"), holders.open), card(t("held_batches"), el("p", { className: "help" }, t("held_help")), holders.held),
    card(t("doctor"), el("p", { className: "help" }, t("doctor_help")), holders.doctor));
  const safely = (name, work) => work().catch((error) => holders[name].replaceChildren(failure(error)));

  const alerts = async () => {
    const found = await get("api/alerts");
    if (!found.length) {
      holders.open.replaceChildren(el("p", { className: "calm" }, `✓ ${t("no_alert")}`));
      return;
    }
    holders.open.replaceChildren(...found.map((alert) => el("article", { className: "alert" },
      el("h3", {}, badge("critical", t(alert.cause)), ` ${[t(alert.source, {}, alert.source), alert.part].filter(Boolean).join(" · ")}`),
      el("p", {}, alert.said),
      el("dl", {}, ...[
        [t("means"), alert.means], [t("who_acts"), t(alert.owner.replace(" ", "_"))], [t("do"), alert.action],
        [t("days"), alert.days.map((day) => formatDay(day)).join(", ") || "–"],
        [t("since"), `${formatMoment(alert.first_at)}; ${t("failures", { s: formatNumber(alert.count) })}${alert.is_told ? "" : `; ${t("nobody_told")}`}`],
        [t("runbook"), el("code", {}, alert.runbook)],
      ].flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
      context.mayOperate ? cureButton(alert, context.redraw) : null)));
  };

  const held = async (page = 1) => {
    const answer = await get("api/held", { page });
    holders.held.replaceChildren(table(t("held_batches"), [
      [t("batch"), (row) => el("button", { type: "button", className: "link", onclick: () => openBatch(row.batch_id, context) }, `#${row.batch_id}`)],
      [t("source"), (row) => `${t(row.source_code)} · ${row.part_code}`], [t("day"), (row) => formatDay(row.report_date)],
      [t("reason"), (row) => row.reason, "long"], [t("read"), (row) => formatNumber(row.read_count), "number"],
      ...(context.mayOperate ? [[t("decide"), (row) => el("button", { type: "button", className: "small", onclick: () => openRelease(row.batch_id, context.redraw) }, t("decide"))]] : []),
    ], answer.items), ...(answer.total > answer.page_size ? [pager(answer, (other) => safely("held", () => held(other)))] : []));
  };

  const doctor = async () => {
    if (!context.mayOperate) {
      holders.doctor.replaceChildren(el("p", { className: "empty" }, t("doctor_needs_operator")));
      return;
    }
    holders.doctor.replaceChildren(el("p", { className: "empty" }, t("loading")));
    const found = await get("api/doctor");
    const [faults, well] = [found.filter((row) => !row.is_well), found.filter((row) => row.is_well)];
    holders.doctor.replaceChildren(
      faults.length ? findings(faults) : el("p", { className: "calm" }, `✓ ${t("no_fault")}`),
      el("details", {}, el("summary", {}, t("well_count", { s: formatNumber(well.length) })), findings(well)));
  };

  await Promise.all([safely("open", alerts), safely("held", held), safely("doctor", doctor)]);
}

function findings(rows) {
  return table(t("doctor"), [
    [t("subject"), (row) => row.subject], [t("state"), (row) => badge(row.is_well ? "success" : "critical", t(row.is_well ? "well" : "fault"))],
    [t("seen"), (row) => row.said, "long"], ...(rows.some((row) => row.cure) ? [[t("cure"), (row) => row.cure || "–", "long"]] : []),
  ], rows);
}
