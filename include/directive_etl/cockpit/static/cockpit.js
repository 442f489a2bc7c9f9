// The frame of the pages: day, language, light or dark, the day at a glance.
import { runAgainButton } from "./actions.js";
import { alertsPage } from "./alerts.js";
import { announce, el, failure, get } from "./elements.js";
import { progressPage } from "./progress.js";
import { qualityPage } from "./quality.js";
import { reportsPage } from "./reports.js";
import { formatDay, formatNumber, language, setLanguage, t } from "./texts.js";
import { todo } from "./todo.js";
import { validationPage } from "./validation.js";

const PAGES = { alerts: alertsPage, progress: progressPage, reports: reportsPage, quality: qualityPage };
const ALONE = { validation: validationPage }; // not about a day
const PAGE = location.pathname.split("/").pop();
const DAY = "directive-cockpit-day";
const head = document.getElementById("head");
const main = document.getElementById("main");
let day = new URLSearchParams(location.search).get("day") ?? sessionStorage.getItem(DAY);
let mayOperate = false;
let drawn = 0;

function followTheme() {
  let dark = matchMedia("(prefers-color-scheme: dark)").matches;
  try {
    const outer = window.parent === window ? null : window.parent.document.documentElement;
    if (outer) dark = outer.classList.contains("dark") || outer.dataset.theme === "dark";
    else if (["dark", "light"].includes(localStorage.getItem("theme"))) dark = localStorage.getItem("theme") === "dark";
  } catch { /* a frame of another origin: the system's choice stands */ }
  const theme = dark ? "dark" : "light";
  if (document.documentElement.dataset.theme === theme) return false;
  document.documentElement.dataset.theme = theme;
  return true;
}

function watchTheme() {
  followTheme();
  const redraw = () => followTheme() && draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  try {
    if (window.parent !== window) {
      new MutationObserver(redraw).observe(window.parent.document.documentElement, { attributes: true, attributeFilter: ["class", "data-theme"] });
    }
  } catch { /* as above */ }
}

const daysBetween = (first, last) => Math.round((Date.parse(last) - Date.parse(first)) / 86400000);
const addDays = (from, count) => new Date(Date.parse(`${from}T00:00:00Z`) + count * 86400000).toISOString().slice(0, 10);

function goTo(other) {
  day = other;
  sessionStorage.setItem(DAY, day);
  history.replaceState(null, "", `?day=${day}`);
  draw();
}

function daySlider(summary) {
  const count = daysBetween(summary.first_day, summary.last_day);
  const at = Math.min(Math.max(0, daysBetween(summary.first_day, summary.day)), count);
  const shown = el("output", { className: "shown-day" }, formatDay(summary.day));
  const slider = el("input", {
    type: "range", min: 0, max: count, step: 1, id: "day-slider", "aria-label": t("pick_day"), "aria-valuetext": formatDay(summary.day),
    oninput: () => { shown.textContent = formatDay(addDays(summary.first_day, Number(slider.value))); slider.setAttribute("aria-valuetext", shown.textContent); },
    onchange: () => goTo(addDays(summary.first_day, Number(slider.value))),
  });
  slider.value = at;
  const step = (by, text, name) =>
    el("button", { type: "button", "aria-label": name, disabled: at + by < 0 || at + by > count, onclick: () => goTo(addDays(summary.first_day, at + by)) }, text);
  return el("div", { className: "day" }, step(-1, "‹", t("previous_day")), slider, step(1, "›", t("next_day")), shown);
}

function languageSwitch() {
  const button = (code, text) => el("button", {
    type: "button", lang: code, "aria-pressed": String(language() === code),
    onclick: () => { setLanguage(code); draw(); },
  }, text);
  return el("div", { className: "switch", role: "group", "aria-label": t("language") }, button("vi", "Tiếng Việt"), button("en", "English"));
}

function drawHead(summary) {
  document.documentElement.lang = language();
  document.title = t(PAGE);
  head.replaceChildren(
    el("div", { className: "bar" },
      el("h1", {}, t(PAGE)),
      el("nav", { "aria-label": t("pages_of_cockpit"), className: "tabs" }, Object.keys(PAGES).map((page) =>
        el("a", { href: `${page}${day ? `?day=${day}` : ""}`, "aria-current": page === PAGE ? "page" : null }, t(page)))),
      languageSwitch()),
    ...(summary?.day ? [el("div", { className: "bar" }, daySlider(summary), mayOperate ? runAgainButton(summary, () => draw()) : null)] : []));
}

function tile(heading, figure, note, look) {
  return el("div", { className: `tile ${look}` }, el("h2", {}, heading), el("p", { className: "figure" }, figure), el("p", { className: "note" }, note));
}

function glance(summary) {
  const sum = (field) => summary.quality.reduce((total, row) => total + row[field], 0);
  const reports = summary.reports;
  const expected = ["on_time", "late", "refused", "missing"].reduce((total, status) => total + (reports[status] ?? 0), 0);
  const silent = (reports.missing ?? 0) + (reports.refused ?? 0);
  const red = ["overdue", "behind", "not_reported"].reduce((total, status) => total + (summary.statuses[status] ?? 0), 0);
  const due = Object.entries(summary.statuses).reduce((total, [status, count]) => total + (status === "not_due" ? 0 : count), 0);
  const parts = summary.sources.reduce((total, row) => total + row.part_count, 0);
  const loaded = summary.sources.reduce((total, row) => total + row.loaded_part_count, 0);
  const absent = summary.sources.flatMap((row) => row.missing_parts);
  const critical = sum("critical_failed_count");
  return el("div", { className: "tiles" },
    tile(t("day_is"), summary.is_complete ? t("complete") : t("incomplete"), summary.is_closed ? t("closed") : t("still_open"), summary.is_complete ? "good" : "bad"),
    tile(t("sources_in"), `${loaded}/${parts}`, absent.length ? `${t("missing_parts")}: ${absent.join(", ")}` : t("all_in"), absent.length ? "bad" : "good"),
    tile(t("silent_units"), formatNumber(silent), `${t("of_units", { s: formatNumber(expected) })}; ${t("late_and_refused", { l: reports.late ?? 0, r: reports.refused ?? 0 })}`, silent ? "warn" : "good"),
    tile(t("refused_rows"), formatNumber(sum("refused_count")), `${t("of_rows", { s: formatNumber(sum("read_count")) })}; ${t("checks_failed", { c: critical, w: sum("warning_failed_count") })}`, critical ? "warn" : "good"),
    tile(t("red_indicators"), formatNumber(red), t("of_due", { s: formatNumber(due) }), red ? "warn" : "good"));
}

async function draw() {
  const turn = ++drawn;
  main.setAttribute("aria-busy", "true");
  announce(t("loading"));
  try {
    if (ALONE[PAGE]) {
      drawHead(null);
      main.replaceChildren();
      await ALONE[PAGE](main);
      announce(t(PAGE));
      return;
    }
    const [summary, alerts, held] = await Promise.all([get("api/day", { day }), get("api/alerts"), get("api/held", { page_size: 5 })]);
    if (turn !== drawn) return;
    if (!summary.last_day) {
      drawHead(null);
      main.replaceChildren(el("p", { className: "empty" }, t("no_data")));
      return;
    }
    day = summary.day;
    drawHead(summary);
    const body = el("div", { className: "body" });
    const context = { mayOperate, goTo, redraw: () => draw() };
    main.replaceChildren(glance(summary), ...(PAGE === "alerts" ? [] : [todo(summary, alerts, held, context)]), body);
    await PAGES[PAGE](body, summary, context);
    announce(`${t(PAGE)}, ${formatDay(day)}`);
  } catch (error) {
    if (turn !== drawn) return;
    if (!head.hasChildNodes()) drawHead(null);
    main.replaceChildren(failure(error));
  } finally {
    if (turn === drawn) main.setAttribute("aria-busy", "false");
  }
}

async function begin() {
  watchTheme();
  mayOperate = (await get("api/me").catch(() => ({ may_operate: false }))).may_operate;
  await draw();
}

begin();
