// The drawer: from a cell to an indicator's trend and figures, to the batch, to its files and refused rows.
import { lines } from "./chart.js";
import { openReopening } from "./actions.js";
import { address, badge, el, failure, get, pager, table } from "./elements.js";
import { formatDay, formatMoment, formatNumber, inLanguage, t } from "./texts.js";

const drawer = document.getElementById("drill");
let views = [];

drawer.addEventListener("click", (event) => { if (event.target === drawer) drawer.close(); });

function open(title, fill) {
  views = [];
  push(title, fill);
}

function push(title, fill) {
  views.push({ title, fill });
  show();
}

async function show() {
  const { title, fill } = views.at(-1);
  const body = el("div", { className: "drill-body" }, el("p", { className: "empty" }, t("loading")));
  const back = views.length > 1
    ? el("button", { type: "button", onclick: () => { views.pop(); show(); } }, `‹ ${t("back")}`) : null;
  const close = el("button", { type: "button", onclick: () => drawer.close(), "aria-label": t("close") }, "✕");
  const heading = el("h2", { id: "drill-title", tabIndex: -1 }, title);
  drawer.replaceChildren(el("div", { className: "drill-head" }, back, heading, close), body);
  if (!drawer.open) drawer.showModal();
  heading.focus();
  try {
    const parts = await fill();
    body.replaceChildren(...parts.map((part) => part.node ?? part));
    parts.forEach((part) => part.after?.());
  } catch (error) {
    body.replaceChildren(failure(error));
  }
}

const link = (text, onclick) => el("button", { type: "button", className: "link", onclick }, text);
const section = (title, ...children) => el("section", {}, el("h3", {}, title), ...children);

export function openCell({ day, directive, unit, clause }, context) {
  open(`${unit.unit_name} · ${t("clause")} ${clause.clause_code}`, async () => {
    const rows = await get("api/progress/indicators", { day, directive, unit: unit.unit_code, clause: clause.clause_code });
    return [
      el("p", { className: "help" }, inLanguage(clause, "text")),
      table(t("indicator"), [
        [t("indicator"), (row) => link(inLanguage(row, "indicator_name"), () => openIndicator({ day, directive, unit, row }, context))],
        [t("status"), (row) => badge(row.status_code)],
        [t("actual"), (row) => formatNumber(row.actual_value), "number"],
        [t("target"), (row) => (row.target_value === null ? "–" : `${formatNumber(row.target_value)}${row.is_target_assumed ? ` (${t("assumed")})` : ""}`), "number"],
        [t("due"), (row) => (row.due_date ? formatDay(row.due_date) : "–")],
      ], rows),
    ];
  });
}

function openIndicator({ day, directive, unit, row }, context) {
  push(inLanguage(row, "indicator_name"), async () => {
    const where = { day, directive, unit: unit.unit_code, indicator: row.indicator_code };
    const trend = await get("api/progress/trend", where);
    const chart = el("div", { className: "chart" });
    const notes = [row.days_overdue ? t("days_overdue", { s: row.days_overdue }) : "", row.is_late ? t("is_late") : ""].filter(Boolean).join("; ");
    const figures = el("div", {});
    await fillFigures(figures, where, row, context);
    const sent = row.source_code === "unit_report" ? [section(t("sent_by_unit"), await sentTable(unit.unit_code, day, context))] : [];
    return [
      el("p", {}, `${unit.unit_name}, ${formatDay(day)} `, badge(row.status_code), notes ? ` ${notes}` : ""),
      { node: chart, after: () => trend.length > 1 && lines(chart, trend.map((one) => one.report_date), [
        { label: t("actual"), color: "--one", values: trend.map((one) => one.actual_value) },
        { label: t("target"), color: "--bad", values: trend.map((one) => one.target_value), dashed: true },
      ], t("day")) },
      el("details", {}, el("summary", {}, t("trend")), table(t("trend"), [
        [t("day"), (one) => formatDay(one.report_date)], [t("status"), (one) => badge(one.status_code)],
        [t("actual"), (one) => formatNumber(one.actual_value), "number"], [t("target"), (one) => formatNumber(one.target_value), "number"],
      ], [...trend].reverse())),
      section(t("figures"), figures),
      ...sent,
    ];
  });
}

async function fillFigures(holder, where, row, context, page = 1) {
  const answer = await get("api/figures", { ...where, page, page_size: 20 });
  if (!answer.total) {
    holder.replaceChildren(el("p", { className: "empty" }, t("no_figures")));
    return;
  }
  holder.replaceChildren(table(t("figures"), [
    [t("unit"), (one) => one.unit_name ?? one.unit_code],
    [t("measure"), (one) => `${inLanguage(one, "measure_name") || one.measure_code} (${t(one.part).toLowerCase()})`],
    [t("category"), (one) => one.category_code],
    [t("value"), (one) => formatNumber(one.value), "number"],
    [t("known_at"), (one) => formatMoment(one.known_at)],
    [t("batch"), (one) => link(`#${one.batch_id}`, () => openBatchInside(one.batch_id, context))],
  ], answer.items), pager(answer, (other) => fillFigures(holder, where, row, context, other).catch((error) => holder.replaceChildren(failure(error)))));
}

async function sentTable(unit, day, context) {
  const rows = await get("api/reports/sent", { unit, day });
  if (!rows.length) return el("p", { className: "empty" }, t("nothing_sent"));
  return table(t("sent_by_unit"), [
    [t("file"), (row) => row.origin ?? "–", "long"],
    [t("state"), (row) => badge(row.status_code)],
    [t("known_at"), (row) => formatMoment(row.known_at)],
    [t("reason"), (row) => row.reason, "long"],
    [t("answer"), (row) => (context.mayOperate
      ? row.answers.map((name) => el("a", { href: address("api/returned", { unit, name }), download: "" }, `↓ ${name.slice(20)}`))
      : row.answers.map((name) => name.slice(20)).join(", "))],
    [t("batch"), (row) => link(`#${row.batch_id}`, () => openBatchInside(row.batch_id, context))],
  ], rows);
}

export function openReport({ unit, day, found }, context) {
  open(`${unit.unit_name} · ${formatDay(day)}`, async () => [
    el("p", {}, badge(found.status_code), found.due_at ? ` ${t("due")}: ${formatMoment(found.due_at)}. ` : " ",
      found.received_at ? `${t("known_at")}: ${formatMoment(found.received_at)}. ` : "", `${t("revisions")}: ${found.revision_count}`),
    section(t("sent_by_unit"), await sentTable(unit.unit_code, day, context)),
    ...(context.mayOperate && found.status_code !== "not_expected"
      ? [el("p", {}, el("button", { type: "button", onclick: () => openReopening(unit, day, context.redraw) }, `↺ ${t("reopen")}`))] : []),
  ]);
}

export function openBatch(batchId, context) {
  views = [];
  openBatchInside(batchId, context);
}

function openBatchInside(batchId, context) {
  push(`${t("batch")} #${batchId}`, async () => {
    const { batch, files, checks, reasons } = await get(`api/batches/${batchId}`);
    const refused = el("div", {});
    if (!batch.refused_count && !reasons.length) refused.append(el("p", { className: "empty" }, t("nothing_here")));
    else if (context.mayOperate) await fillRefused(refused, batchId);
    else {
      refused.append(el("p", { className: "help" }, t("needs_operator")), table(t("refused_of_batch"), [
        [t("fault"), (row) => el("code", {}, row.reason_code)], [t("times"), (row) => formatNumber(row.refused_count), "number"],
      ], reasons));
    }
    const count = (name) => el("li", {}, `${t(name)}: `, el("strong", {}, formatNumber(batch[`${name}_count`])));
    return [
      el("p", {}, badge(batch.status_code), ` ${t(batch.source_code)} · ${batch.part_code} · ${formatDay(batch.report_date)}`),
      batch.reason ? el("p", { className: "failure" }, batch.reason) : el("span"),
      el("ul", { className: "counts" }, ["read", "loaded", "refused", "duplicate", "unchanged"].map(count)),
      section(t("files"), table(t("files"), [
        [t("file"), (row) => row.origin, "long"],
        [t("known_at"), (row) => formatMoment(row.known_at)],
        [t("size"), (row) => `${formatNumber(row.size_bytes)} B`, "number"],
        ["SHA-256", (row) => el("code", { className: "hash", title: row.sha256 }, row.sha256)],
      ], files)),
      section(t("refused_of_batch"), refused),
      section(t("checks"), table(t("checks"), [
        [t("check"), (row) => el("span", {}, el("code", {}, row.check_code), ` ${row.column_name}`)],
        [t("state"), (row) => badge(row.is_success ? "success" : row.severity)],
        [t("failed_rows"), (row) => formatNumber(row.failed_count), "number"],
        [t("reason"), (row) => row.notes, "long"],
      ], checks), checks.length ? el("a", { href: `validation?batch=${batchId}` }, t("to_validation")) : null),
      el("p", { className: "help" }, `${t("known_at")} ${formatMoment(batch.known_at)}; ${t("recorded_at")} ${formatMoment(batch.recorded_at)}; ${t("code_version")} ${batch.code_version}`),
    ];
  });
}

async function fillRefused(holder, batchId, page = 1) {
  const answer = await get(`api/batches/${batchId}/refused`, { page });
  holder.replaceChildren(table(t("refused_of_batch"), [
    [t("place"), (row) => row.place],
    [t("reason"), (row) => row.reason, "long"],
    [t("content"), (row) => el("code", { className: "content" }, row.content), "long"],
  ], answer.items), pager(answer, (other) => fillRefused(holder, batchId, other).catch((error) => holder.replaceChildren(failure(error)))));
}
