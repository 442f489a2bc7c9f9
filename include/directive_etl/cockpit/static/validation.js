// One validation run on a page of its own: every check, what it saw, offending values masked; and the result as JSON.
import { badge, card, el, get, table } from "./elements.js";
import { formatDay, formatNumber, t } from "./texts.js";

const KNOWN = new Set(["column", "batch_id"]);

export async function validationPage(body) {
  const batch = Number(new URLSearchParams(location.search).get("batch"));
  if (!Number.isSafeInteger(batch) || batch < 1) {
    body.append(el("p", { className: "empty" }, t("choose_batch")));
    return;
  }
  const where = `api/batches/${batch}/validation`;
  const run = await get(where);
  const { statistics: counts, meta } = run;
  body.append(card(`${t("validation")} #${batch}`,
    el("p", {}, badge(run.success ? "success" : "critical", t(run.success ? "passed" : "not_passed")),
      ` ${t(meta.source_code)} · ${meta.part_code} · ${formatDay(meta.report_date)} · `, el("code", {}, run.suite_name)),
    el("p", { className: "help" }, t("validation_counts", {
      s: formatNumber(counts.evaluated_expectations), f: formatNumber(counts.unsuccessful_expectations),
    })),
    table(t("checks"), [
      [t("check"), (row) => el("span", {}, el("code", {}, row.expectation_config.type), el("br"), el("small", {}, asked(row.expectation_config.kwargs)))],
      [t("state"), (row) => badge(row.success ? "success" : row.expectation_config.severity)],
      [t("observed"), (row) => observed(row.result), "long"],
      [t("offending"), (row) => offending(row.result), "long"],
      [t("reason"), (row) => row.expectation_config.notes, "long"],
    ], run.results),
    el("div", { className: "under" }, el("span"), el("a", { className: "button", href: where, download: `validation-${batch}.json` }, "↓ JSON"))));
}

function asked(kwargs) {
  const rest = Object.entries(kwargs).filter(([name, value]) => !KNOWN.has(name) && value !== null);
  return [kwargs.column, ...rest.map(([name, value]) => `${name}=${plain(value)}`)].filter(Boolean).join(", ");
}

const plain = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));

function observed(result) {
  if (result.observed_value !== undefined && result.observed_value !== null && result.observed_value !== "") return plain(result.observed_value);
  if (result.element_count === undefined) return "–";
  return t("of_elements", { f: formatNumber(result.unexpected_count ?? 0), s: formatNumber(result.element_count) });
}

function offending(result) {
  const found = result.partial_unexpected_list ?? [];
  return found.length ? el("ul", { className: "plain" }, found.slice(0, 10).map((one) => el("li", {}, el("code", {}, plain(one))))) : "–";
}
