// Run a day again: a dry run first, then a DAG run through Airflow's own API, with its rights and its audit log.
import { AIRFLOW, badge, el, failure, get, table } from "./elements.js";
import { formatDay, formatNumber, t } from "./texts.js";

const drawer = document.getElementById("drill");
const ACTIONS = [["recount", "directive_progress"], ["sms_again", "sms_log"], ["portal_again", "service_portal"]];
const POLL = 1500;

export function recountButton(summary, done) {
  return el("button", { type: "button", className: "primary", id: "run-again", onclick: () => open(summary, done) }, `↻ ${t("actions")}`);
}

function open(summary, done) {
  const body = el("div", { className: "drill-body" });
  drawer.replaceChildren(
    el("div", { className: "drill-head" }, el("h2", { id: "drill-title", tabIndex: -1 }, `${t("actions")}: ${formatDay(summary.day)}`),
      el("button", { type: "button", onclick: () => drawer.close(), "aria-label": t("close") }, "✕")),
    body);
  body.replaceChildren(...ACTIONS.map(([name, dag]) => {
    const holder = el("div", {});
    const preview = el("button", { type: "button", onclick: () => dryRun(holder, dag, summary, done) }, t("dry_run"));
    return el("section", {}, el("h3", {}, t(name)), preview, holder);
  }));
  if (!drawer.open) drawer.showModal();
}

async function dryRun(holder, dag, summary, done) {
  holder.replaceChildren(el("p", { className: "empty" }, t("loading")));
  try {
    holder.replaceChildren(...(dag === "directive_progress" ? await differences(summary.day) : parts(dag, summary)),
      el("button", { type: "button", className: "primary", onclick: (event) => run(event.target, holder, dag, summary.day, done) }, t("run_now")));
  } catch (error) {
    holder.replaceChildren(failure(error));
  }
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

function parts(dag, summary) {
  const missing = summary.sources.find((row) => row.source_code === dag)?.missing_parts ?? [];
  return [el("p", {}, t("source_dry", { s: missing.join(", ") || t("none") }))];
}

async function run(button, holder, dag, day, done) {
  button.disabled = true;
  const state = el("p", { role: "status" });
  holder.append(state);
  try {
    const started = await fetch(`${AIRFLOW}/api/v2/dags/${dag}/dagRuns`, {
      method: "POST", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ logical_date: null, partition_key: day }),
    });
    if (!started.ok) throw new Error(`${t(started.status === 403 ? "no_right" : "failed")} (${started.status})`);
    const { dag_run_id: id } = await started.json();
    await follow(`${AIRFLOW}/api/v2/dags/${dag}/dagRuns/${encodeURIComponent(id)}`, state, id);
    done();
  } catch (error) {
    state.replaceChildren(failure(error));
  }
}

async function follow(where, shown, id) {
  for (;;) {
    const answer = await fetch(where);
    if (!answer.ok) throw new Error(`${t("failed")} (${answer.status})`);
    const { state } = await answer.json();
    shown.textContent = `${t("started")}${id}. ${t("run_is")}${state}`;
    if (!["queued", "running"].includes(state) || !drawer.open) return;
    await new Promise((wake) => setTimeout(wake, POLL));
  }
}
