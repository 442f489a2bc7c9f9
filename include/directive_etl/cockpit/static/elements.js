// Elements of the pages. Text reaches the page as text nodes only, so a value can never become markup.
import { t, formatNumber } from "./texts.js";

export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && name !== "list") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

// The pages lie at <Airflow>/directive/<page>: every path below is relative to it.
export const AIRFLOW = location.pathname.replace(/\/directive\/[^/]*$/, "");

export function address(path, values = {}) {
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== null && value !== "") asked.set(name, value);
  }
  const query = asked.toString();
  return query ? `${path}?${query}` : path;
}

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export async function get(path, values) {
  const answer = await fetch(address(path, values), { headers: { Accept: "application/json" } });
  if (answer.ok) return answer.json();
  const body = await answer.json().catch(() => ({}));
  const detail = typeof body.detail === "string" ? body.detail : "";
  const said = { 401: t("log_in_again"), 403: t("no_right"), 503: t("warehouse_away") }[answer.status];
  throw new Refused(answer.status, [said ?? t("failed"), detail].filter(Boolean).join(" "));
}

export function failure(error) {
  return el("p", { className: "failure", role: "alert" }, error.message);
}

const MARKS = {
  achieved: "✓", on_track: "↗", behind: "!", overdue: "✕", not_reported: "?", not_due: "–",
  on_time: "✓", late: "◔", refused: "✕", missing: "?", not_expected: "·",
  loaded: "✓", duplicate: "=", critical: "✕", warning: "!", info: "i", success: "✓",
};

export function mark(status) {
  return el("span", { "aria-hidden": "true", className: "mark" }, MARKS[status] ?? "•");
}

export function badge(status, text = t(status)) {
  return el("span", { className: `badge is-${status}` }, mark(status), ` ${text}`);
}

export function legend(statuses) {
  return el("ul", { className: "legend", "aria-label": t("legend") }, statuses.map((one) => el("li", {}, badge(one))));
}

// columns: [heading, cell(row), class]. The first column is the row's heading.
export function table(caption, columns, rows, properties = {}) {
  if (!rows.length) return el("p", { className: "empty" }, t("nothing_here"));
  const head = el("tr", {}, columns.map(([heading, , look]) => el("th", { scope: "col", className: look ?? "" }, heading)));
  const body = rows.map((row) => el("tr", {}, columns.map(([, cell, look], place) =>
    place === 0 ? el("th", { scope: "row", className: look ?? "" }, cell(row)) : el("td", { className: look ?? "" }, cell(row)))));
  return el("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": caption },
    el("table", properties, el("caption", { className: "only-heard" }, caption), el("thead", {}, head), el("tbody", {}, body)));
}

export function pager(answer, turnTo) {
  const last = Math.max(1, Math.ceil(answer.total / answer.page_size));
  const button = (page, text, name) =>
    el("button", { type: "button", disabled: page < 1 || page > last, onclick: () => turnTo(page), "aria-label": name }, text);
  const first = answer.total ? (answer.page - 1) * answer.page_size + 1 : 0;
  const until = Math.min(answer.total, answer.page * answer.page_size);
  return el("div", { className: "pager", role: "group", "aria-label": t("pages") },
    button(answer.page - 1, "‹", t("previous_page")),
    el("span", {}, `${formatNumber(first)}–${formatNumber(until)} / ${formatNumber(answer.total)}`),
    button(answer.page + 1, "›", t("next_page")));
}

export function choice(label, value, options, onchange) {
  const select = el("select", { onchange: () => onchange(select.value) },
    options.map(([code, text]) => el("option", { value: code }, text)));
  select.value = value ?? "";
  return el("label", { className: "choice" }, el("span", {}, label), select);
}

export function exports(path, values) {
  return el("span", { className: "exports" }, ["csv", "xlsx"].map((format) =>
    el("a", { className: "button", href: address(path, { ...values, format }), download: "" }, `↓ ${format.toUpperCase()}`)));
}

export function card(title, ...children) {
  return el("section", { className: "card" }, el("h2", {}, title), children);
}

export function announce(text) {
  document.getElementById("said").textContent = text;
}
