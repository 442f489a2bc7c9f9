// What an operator may press: a dry run first, then a DAG run through Airflow's own API, with its rights and audit log.
import { AIRFLOW, badge, el, failure, get, table } from "./elements.js";
import { formatDay, formatMoment, formatNumber, t } from "./texts.js";

const drawer = document.getElementById("drill");
const POLL = 1500;
const SETTLED = 3000; // Airflow takes an answer only some seconds after a task began to wait for it
const UNFINISHED = ["queued", "running"];
const DAYS = [
  ["recount", "directive_progress"], ["sms_again", "sms_log"], ["portal_again", "service_portal"],
  ["close_again", "daily_close"], ["resend", "resend_feedback"],
];

export function runAgainButton(summary, done) {
  return el("button", { type: "button", className: "primary", id: "run-again", onclick: () => openDay(summary, done) }, `↻ ${t("actions")}`);
}

function open(title, ...parts) {
  drawer.replaceChildren(
    el("div", { className: "drill-head" }, el("h2", { id: "drill-title", tabIndex: -1 }, title),
      el("button", { type: "button", onclick: () => drawer.close(), "aria-label": t("close") }, "✕")),
    el("div", { className: "drill-body" }, ...parts));
  if (!drawer.open) drawer.showModal();
  drawer.querySelector("h2").focus();
}

function openDay(summary, done) {
  open(`${t("actions")}: ${formatDay(summary.day)}`, ...DAYS.map(([name, dag]) => {
    const holder = el("div", {});
    const ask = dag === "resend_feedback" ? { conf: { report_date: summary.day } } : { partition_key: summary.day };
    return el("section", {}, el("h3", {}, t(name)), el("p", { className: "help" }, t(`${name}_help`)),
      el("button", { type: "button", onclick: () => dryRun(holder, () => preview(dag, summary), () => run(holder, dag, ask, done)) }, t("dry_run")), holder);
  }));
}

async function dryRun(holder, show, start) {
  holder.replaceChildren(el("p", { className: "empty" }, t("loading")));
  try {
    holder.replaceChildren(...await show(), el("button", { type: "button", className: "primary", onclick: (event) => { event.target.disabled = true; start(); } }, t("run_now")));
  } catch (error) {
    holder.replaceChildren(failure(error));
  }
}

async function preview(dag, summary) {
  if (dag === "directive_progress") return differences(summary.day);
  if (dag === "resend_feedback") return answers(summary.day);
  if (dag === "daily_close") {
    return [el("p", {}, t(summary.is_closed ? "close_dry_again" : "close_dry", { s: formatNumber(summary.silent.length) }))];
  }
  const missing = summary.sources.find((row) => row.source_code === dag)?.missing_parts ?? [];
  return [el("p", {}, t("source_dry", { s: missing.join(", ") || t("none") }))];
}

async function differences(day) {
  const found = await get("api/actions/recount", { day });
  if (!found.changed_count) return [el("p", {}, t("nothing_would_change"))];
  return [
    el("p", {}, t("would_change", { s: formatNumber(found.changed_count) })),
    table(t("dry_run"), [
      [t("indicator"), (row) => row.indicator_code], [t("unit"), (row) => row.unit_code],
      [t("before"), (row) => el("span", {}, row.status_before ? badge(row.status_before) : "–", ` ${formatNumber(row.actual_before)}`)],
      [t("after"), (row) => el("span", {}, row.status_after ? badge(row.status_after) : "–", ` ${formatNumber(row.actual_after)}`)],
    ], found.examples),
  ];
}

async function answers(day) {
  const found = await get("api/actions/resend", { day });
  const said = el("p", {}, t("resend_dry", { s: formatNumber(found.answer_count), l: formatNumber(found.lost.length) }));
  if (!found.lost.length) return [said];
  return [said, table(t("dry_run"), [[t("unit"), (row) => row.unit_code], [t("state"), (row) => badge(row.status_code)]], found.lost)];
}

// --- with a reason: release or reject a held batch, reopen a unit-day ---

function reasonForm(start) {
  const reason = el("textarea", { rows: 3, maxLength: 500, id: "reason", required: true });
  const button = el("button", { type: "button", className: "primary", disabled: true, onclick: () => { button.disabled = true; start(reason.value.trim()); } }, t("run_now"));
  reason.addEventListener("input", () => { button.disabled = reason.value.trim().length < 5; });
  return el("div", { className: "form" }, el("label", { htmlFor: "reason" }, t("why")), reason, button);
}

export async function openRelease(batchId, done) {
  const holder = el("div", {});
  open(`${t("decide")} #${batchId}`, holder);
  try {
    const held = await get("api/actions/release", { batch_id: batchId });
    const waiting = await runOf(batchId);
    holder.replaceChildren(
      el("p", {}, `${t(held.source_code)} · ${held.part_code} · ${formatDay(held.report_date)}`),
      el("p", {}, t("release_dry", { s: formatNumber(held.row_count) })),
      table(t("checks"), [
        [t("check"), (row) => el("span", {}, el("code", {}, row.check_code), ` ${row.column_name}`)],
        [t("failed_rows"), (row) => formatNumber(row.failed_count), "number"], [t("reason"), (row) => row.notes, "long"],
      ], held.overruled));
    const steps = el("div", {});
    holder.append(steps);
    if (waiting) await follow(steps, "decide_batch", waiting, done);
    else holder.insertBefore(reasonForm((reason) => run(steps, "decide_batch", { conf: { batch_id: batchId, reason } }, done)), steps);
  } catch (error) {
    holder.replaceChildren(failure(error));
  }
}

async function runOf(batchId) {
  const { dag_runs: runs } = await airflow("/dags/decide_batch/dagRuns?state=running&state=queued&limit=100");
  return runs.find((one) => one.conf?.batch_id === batchId)?.dag_run_id;
}

export async function openReopening(unit, day, done) {
  const holder = el("div", {});
  open(`${t("reopen")}: ${unit.unit_name} · ${formatDay(day)}`, holder);
  try {
    const found = await get("api/actions/reopen", { unit: unit.unit_code, day });
    const steps = el("div", {});
    holder.replaceChildren(
      el("p", {}, t("locked_since", { s: formatMoment(found.locked_at) }), found.is_open_again ? ` ${t("is_open_again")}` : ""),
      el("p", {}, t("reopen_dry", { s: formatNumber(found.files.length) })),
      table(t("files"), [[t("file"), (row) => row.origin, "long"], [t("known_at"), (row) => formatMoment(row.known_at)]], found.files),
      reasonForm((reason) => run(steps, "reopen_report", { conf: { unit_code: unit.unit_code, report_date: day, reason } }, done)), steps);
  } catch (error) {
    holder.replaceChildren(failure(error));
  }
}

// Run what an alert offers: the DAG of its cure, for each of its days.
export function openCure(alert, done) {
  const holder = el("div", {});
  const days = alert.dag_id === "migrate_warehouse" || alert.dag_id === "warehouse_care" || !alert.days.length ? [""] : alert.days;
  open(`${t("cure")}: ${t(alert.cause)}`,
    el("p", {}, alert.action), el("p", {}, t("cure_dry", { s: alert.dag_id, d: days.filter(Boolean).map((day) => formatDay(day)).join(", ") || "–" })),
    el("button", {
      type: "button", className: "primary",
      onclick: (event) => { event.target.disabled = true; days.forEach((day) => run(holder, alert.dag_id, day ? { partition_key: day } : {}, done)); },
    }, t("run_now")), holder);
}

// --- Airflow ---

async function airflow(path, method = "GET", body = undefined) {
  const answer = await fetch(`${AIRFLOW}/api/v2${path}`, {
    method, headers: { "Content-Type": "application/json", Accept: "application/json" }, body: body && JSON.stringify(body),
  });
  if (answer.ok) return answer.json();
  throw new Error(`${t({ 401: "log_in_again", 403: "may_not_run" }[answer.status] ?? "failed")} (${answer.status})`);
}

async function run(holder, dag, asked, done) {
  try {
    const { dag_run_id: id } = await airflow(`/dags/${dag}/dagRuns`, "POST", { logical_date: null, ...asked });
    await follow(holder, dag, id, done);
  } catch (error) {
    holder.append(failure(error));
  }
}

async function follow(holder, dag, id, done) {
  const where = `/dags/${dag}/dagRuns/${encodeURIComponent(id)}`;
  const state = el("p", { role: "status" });
  const question = el("div", {});
  holder.append(state, question);
  for (;;) {
    const { state: reached } = await airflow(where);
    state.textContent = `${t("started")}${id}. ${t("run_is")}${t(`run_${reached}`)}`;
    if (!UNFINISHED.includes(reached)) {
      if (reached === "failed") state.append(" ", el("a", { href: `${AIRFLOW}/dags/${dag}/runs/${encodeURIComponent(id)}`, target: "_top" }, t("see_log")));
      done?.();
      return;
    }
    if (!drawer.open) return;
    if (dag === "decide_batch" && !question.hasChildNodes()) await askForApproval(where, question);
    await new Promise((wake) => setTimeout(wake, POLL));
  }
}

async function askForApproval(where, question) {
  const { task_instances: tasks } = await airflow(`${where}/taskInstances`);
  const waits = tasks.find((one) => one.task_id === "approve" && one.state === "awaiting_input");
  if (!waits) return;
  const note = el("textarea", { rows: 2, maxLength: 500, id: "note" });
  const answer = (option, look) => el("button", {
    type: "button", className: look, disabled: true,
    onclick: async () => {
      question.querySelectorAll("button").forEach((one) => { one.disabled = true; });
      try {
        await airflow(`${where}/taskInstances/approve/-1/hitlDetails`, "PATCH", { chosen_options: [option], params_input: { note: note.value.trim() } });
        question.replaceChildren(el("p", {}, t(option === "Approve" ? "approved" : "rejected")));
      } catch (error) {
        question.append(failure(error));
      }
    },
  }, t(option === "Approve" ? "release" : "reject"));
  const buttons = [answer("Approve", "primary"), answer("Reject", "")];
  question.append(el("div", { className: "form" }, el("h3", {}, t("approval")), el("label", { htmlFor: "note" }, t("note")), note, el("div", { className: "pair" }, buttons)));
  setTimeout(() => buttons.forEach((one) => { one.disabled = false; }), SETTLED);
}
