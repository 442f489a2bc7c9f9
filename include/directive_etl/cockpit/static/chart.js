// Lines over days, drawn by uPlot; the same figures stand beside it as a table, for who cannot see a canvas.
import uPlot from "./vendor/uPlot.js";
import { formatDay, formatNumber, language } from "./texts.js";

const shade = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// series: [{label, color (a CSS variable), values, dashed}]; days: ISO dates, ascending.
export function lines(holder, days, series, label) {
  const moments = days.map((day) => Date.parse(`${day}T00:00:00Z`) / 1000);
  const axis = { stroke: shade("--quiet"), grid: { stroke: shade("--line"), width: 1 }, ticks: { stroke: shade("--line") } };
  const options = {
    width: Math.max(240, holder.clientWidth),
    height: 220,
    tzDate: (moment) => uPlot.tzDate(new Date(moment * 1000), "Etc/UTC"),
    legend: { live: true },
    cursor: { y: false },
    scales: { y: { range: (_, low, high) => [Math.min(0, low), high <= 0 ? 1 : high * 1.1] } },
    axes: [
      { ...axis, values: (_, ticks) => ticks.map((tick) => shortDay(tick)), space: 56, incrs: [1, 2, 7, 14, 30, 90, 365].map((n) => n * 86400) },
      { ...axis, size: 56, values: (_, ticks) => ticks.map((tick) => formatNumber(tick)) },
    ],
    series: [
      { label, value: (_, moment) => (moment === null ? "–" : formatDay(new Date(moment * 1000).toISOString().slice(0, 10))) },
      ...series.map((one) => ({
        label: one.label,
        stroke: shade(one.color),
        width: 2,
        dash: one.dashed ? [6, 4] : undefined,
        points: { show: !one.dashed && days.length < 70, size: 6 },
        value: (_, value) => formatNumber(value),
      })),
    ],
  };
  const plot = new uPlot(options, [moments, ...series.map((one) => one.values)], holder);
  const watch = new ResizeObserver(() => {
    if (!holder.isConnected) watch.disconnect();
    else if (holder.clientWidth > 0) plot.setSize({ width: holder.clientWidth, height: 220 });
  });
  watch.observe(holder);
  return plot;
}

function shortDay(moment) {
  return new Intl.DateTimeFormat(language() === "vi" ? "vi-VN" : "en-GB", { day: "2-digit", month: "2-digit", timeZone: "UTC" })
    .format(new Date(moment * 1000));
}
