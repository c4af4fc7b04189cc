/* Draws the charts of a console page from the figures beside them; without it the tables say the same.
   Colours come from the page, so that dark mode holds; nothing is evaluated. */
(function () {
  "use strict";
  if (!window.echarts) { return; }
  var drawn = [];
  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }
  function short(text, most) {
    return text.length > most ? text.slice(0, most - 1) + "…" : text;
  }
  function said(spec, value) {
    return spec.percent ? (value * 100).toFixed(1) + "%" : String(Math.round(value * 1000) / 1000);
  }
  function series(spec, hues) {
    var line = spec.kind === "line", flat = spec.kind === "bar";
    var found = spec.series.map(function (each, at) {
      return {
        type: line ? "line" : "bar", name: each.name, data: each.values, color: hues[at % hues.length],
        barMaxWidth: 18, symbolSize: 6, animation: false,
        label: { show: flat, position: "right", color: colour("--ink-2"), formatter: function (item) { return said(spec, item.value); } }
      };
    });
    if (line) {
      spec.limits.forEach(function (limit, at) {
        found.push({
          type: "line", name: "界线 " + limit, symbol: "none", animation: false,
          color: colour(at ? "--red" : "--wheat"), lineStyle: { type: "dashed", width: 1 },
          data: spec.labels.map(function () { return limit; })
        });
      });
    }
    return found;
  }
  function option(spec, narrow) {
    var ink = colour("--ink-2"), flat = spec.kind === "bar", edge = colour("--line");
    var names = {
      type: "category", data: spec.labels, inverse: flat,
      axisLabel: { color: ink, formatter: function (text) { return short(text, flat ? (narrow ? 8 : 16) : 12); } },
      axisLine: { lineStyle: { color: edge } }, axisTick: { show: false }
    };
    var values = {
      type: "value", axisLabel: { color: ink, formatter: function (value) { return said(spec, value); } }, splitLine: { lineStyle: { color: edge } }, scale: spec.kind === "line", max: spec.percent ? 1 : null
    };
    return {
      textStyle: { fontFamily: "inherit", color: ink },
      grid: { left: 8, right: flat ? 56 : 16, top: 16, bottom: 8, containLabel: true },
      xAxis: flat ? values : names, yAxis: flat ? names : values,
      series: series(spec, [colour("--edge"), colour("--brand-ink")].slice(spec.series.length > 1 ? 0 : 1))
    };
  }
  function draw(box) {
    var spec = JSON.parse(box.dataset.chart);
    var known = spec.series.some(function (each) { return each.values.some(function (value) { return value !== null; }); });
    if (!known) { return; }
    box.hidden = false;
    if (spec.kind === "bar") { box.style.height = Math.max(120, 40 + spec.labels.length * 30) + "px"; }
    var chart = window.echarts.init(box, null, { renderer: "canvas" });
    function paint() { chart.setOption(option(spec, box.clientWidth < 480), true); }
    paint();
    drawn.push({ chart: chart, paint: paint });
  }
  document.querySelectorAll("[data-chart]").forEach(draw);
  window.addEventListener("resize", function () {
    drawn.forEach(function (each) { each.chart.resize(); each.paint(); });
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", function () {
    drawn.forEach(function (each) { each.paint(); });
  });
})();
