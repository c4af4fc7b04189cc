/* Draws the charts of a console page from the figures beside them; without it the tables say the same.
   Colours come from the page, so that dark mode holds; nothing is evaluated. */
(function () {
  "use strict";
  if (!window.echarts) { return; }
  var drawn = [], STYLES = ["solid", "dashed", "dotted"];
  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }
  function hues(spec) {
    if (spec.kind === "curve") { return ["--brand-ink", "--red", "--wheat"]; }
    return ["--edge", "--brand-ink"].slice(spec.series.length > 1 ? 0 : 1);
  }
  /* Which line is which: in words beside its colour, since the small build draws no legend. */
  function legend(box, spec) {
    if (spec.series.length < 2) { return; }
    var told = document.createElement("p");
    told.className = "note legend";
    spec.series.forEach(function (each, at) {
      var mark = document.createElement("i"), names = hues(spec);
      mark.style.borderTop = spec.kind !== "curve" ? "6px solid var(" + names[at % names.length] + ")"
        : each.dashed ? "2px dotted var(--ink-2)" : "3px " + STYLES[at % STYLES.length] + " var(" + names[at % names.length] + ")";
      told.append(mark, each.name);
    });
    box.before(told);
  }
  function short(text, most) {
    return text.length > most ? text.slice(0, most - 1) + "…" : text;
  }
  function said(spec, value) {
    return spec.percent ? (value * 100).toFixed(1) + "%" : (Math.round(value * 1000) / 1000).toLocaleString("zh-CN");
  }
  /* Whole numbers of people or cases: no marks between two of them. */
  function counts(spec) {
    return !spec.percent && spec.series.every(function (each) { return each.values.every(function (value) { return value === null || Number.isInteger(value); }); });
  }
  function curves(spec, colours) {
    return spec.series.map(function (each, at) {
      return {
        type: "line", name: each.name, data: each.values, symbol: "none", animation: false,
        color: each.dashed ? colour("--ink-2") : colours[at % colours.length],
        lineStyle: { width: each.dashed ? 1 : 2, type: each.dashed ? "dotted" : STYLES[at % STYLES.length] }
      };
    });
  }
  /* What the axes count: under the one, above the other. */
  function named(spec, x, y) {
    var style = { color: colour("--ink-2"), fontSize: 12 };
    if (spec.across) { Object.assign(x, { name: spec.across, nameLocation: "middle", nameGap: 26, nameTextStyle: style }); }
    if (spec.up) { Object.assign(y, { name: spec.up, nameLocation: "end", nameGap: 10, nameTextStyle: Object.assign({ align: "left" }, style) }); }
  }
  function axis(percent) {
    var edge = colour("--line");
    return {
      type: "value", scale: !percent, splitLine: { lineStyle: { color: edge } }, axisLine: { lineStyle: { color: edge } },
      axisLabel: { color: colour("--ink-2"), hideOverlap: true, formatter: function (value) { return percent ? Math.round(value * 1000) / 10 + "%" : String(Math.round(value * 1000) / 1000); } }
    };
  }
  function series(spec, colours) {
    var line = spec.kind === "line", flat = spec.kind === "bar";
    var found = spec.series.map(function (each, at) {
      return {
        type: line ? "line" : "bar", name: each.name, data: each.values, color: colours[at % colours.length],
        barMaxWidth: 18, symbolSize: 6, animation: false,
        label: { show: flat, position: "right", color: colour("--ink-2"), formatter: function (item) { return said(spec, item.value); } }
      };
    });
    if (line) {
      spec.limits.forEach(function (limit, at) {
        found.push({
          type: "line", name: "界线", animation: false, /* of a single day there is no line: a dash stands for it */
          symbol: spec.labels.length < 2 ? "rect" : "none", symbolSize: [48, 2],
          color: colour(at ? "--red" : "--wheat"), lineStyle: { type: "dashed", width: 1 },
          data: limit
        });
      });
    }
    if (flat) {
      spec.limits.forEach(function (limit) { /* a mark as high as a row of bars: together they are one line */
        found.push({
          type: "line", name: "界线", animation: false, symbol: "rect", symbolSize: [2, 30], color: colour("--red"),
          lineStyle: { width: 0 }, data: spec.labels.map(function (_, row) { return [limit, row]; })
        });
      });
    }
    return found;
  }
  function option(spec, width) {
    if (spec.kind === "curve") {
      var x = axis(spec.x_percent), y = axis(spec.y_percent);
      named(spec, x, y);
      return {
        textStyle: { fontFamily: "inherit", color: colour("--ink-2") },
        grid: { left: 8, right: 24, top: spec.up ? 32 : 16, bottom: spec.across ? 28 : 8, containLabel: true },
        xAxis: x, yAxis: y,
        series: curves(spec, hues(spec).map(colour))
      };
    }
    var ink = colour("--ink-2"), flat = spec.kind === "bar", edge = colour("--line");
    var names = {
      type: "category", data: spec.labels, inverse: flat,
      axisLabel: { color: ink, formatter: function (text) { return short(text, flat ? Math.max(11, Math.floor(width / 28)) : 12); } },
      axisLine: { lineStyle: { color: edge } }, axisTick: { show: false }
    };
    var values = {
      type: "value", axisLabel: { color: ink, hideOverlap: true, formatter: function (value) { return said(spec, value); } }, splitLine: { lineStyle: { color: edge } }, scale: spec.kind === "line", minInterval: counts(spec) ? 1 : null, max: spec.percent && !spec.fit ? 1 : null
    };
    if (!flat) { named(spec, names, values); }
    return {
      textStyle: { fontFamily: "inherit", color: ink },
      grid: { left: 8, right: flat ? 56 : 16, top: !flat && spec.up ? 32 : 16, bottom: !flat && spec.across ? 28 : 8, containLabel: true },
      xAxis: flat ? values : names, yAxis: flat ? names : values,
      series: series(spec, hues(spec).map(colour))
    };
  }
  function draw(box) {
    var spec = JSON.parse(box.dataset.chart);
    if (!spec.series) { return; }
    var known = spec.series.some(function (each) { return each.values.some(function (value) { return value !== null; }); });
    if (!known) { return; }
    box.hidden = false;
    legend(box, spec);
    if (spec.kind === "bar") { box.style.height = Math.max(120, 40 + spec.labels.length * 30) + "px"; }
    var chart = window.echarts.init(box, null, { renderer: "canvas" });
    function paint() { chart.setOption(option(spec, box.clientWidth), true); }
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
