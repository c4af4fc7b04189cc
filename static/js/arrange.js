// The flow arranged on its drawing: drag a box, or move it with the arrow keys; Enter on one box and then on another
// draws or cuts the line between them; Delete takes a box out. Everything is written into the form below, which is
// what is saved and what works without this file.
(() => {
  const form = document.getElementById("arrange"), board = document.getElementById("board");
  const said = document.getElementById("board-said"), help = document.getElementById("board-help");
  if (!form || !board) return;
  const WIDE = 168, HIGH = 56, MARGIN = 40, STEP = 10, NS = "http://www.w3.org/2000/svg";
  const nodes = [...form.querySelectorAll("fieldset[data-node]")].map((box) => ({
    id: box.dataset.node, name: box.dataset.name, kind: box.dataset.kind,
    x: box.querySelector("[name^=x_]"), y: box.querySelector("[name^=y_]"), gone: box.querySelector("[name^=gone_]"),
  }));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const lines = [...form.querySelectorAll("input[data-to]")];
  let from = null, branch = "", dragged = null, offset = [0, 0], view = null;
  help.textContent = "拖动，或用方向键移动；先按回车选起点，再选终点画线或去线；删除键去掉";

  const at = (node) => [Number(node.x.value) || 0, Number(node.y.value) || 0];
  const left = (node) => !(node.gone && node.gone.checked);
  const tell = (text) => { said.textContent = text; };
  const make = (name, attributes, parent) => {
    const made = document.createElementNS(NS, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (parent) parent.append(made);
    return made;
  };

  function draw() {
    const focused = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.box : null;
    const shown = nodes.filter(left), spots = shown.map(at);
    if (!dragged) {
      const x = Math.min(...spots.map((s) => s[0])) - MARGIN, y = Math.min(...spots.map((s) => s[1])) - MARGIN;
      view = [x, y, Math.max(...spots.map((s) => s[0])) + WIDE + MARGIN - x,
        Math.max(...spots.map((s) => s[1])) + HIGH + MARGIN - y];
    }
    const svg = make("svg", { width: Math.round(view[2] * 2 / 3), viewBox: view.join(" "), role: "group", "aria-label": "流程图，可以排" });
    const tip = make("marker", { id: "tip", viewBox: "0 0 10 10", refX: 9, refY: 5, markerUnits: "userSpaceOnUse",
      markerWidth: 12, markerHeight: 12, orient: "auto" }, make("defs", {}, svg));
    make("path", { class: "tip", d: "M0 0L10 5L0 10z" }, tip);
    for (const line of lines) {
      const source = byId.get(line.dataset.from), target = byId.get(line.dataset.to);
      if (!line.checked || !left(source) || !left(target)) continue;
      const [x1, y1] = at(source), [x2, y2] = at(target), bend = Math.max(24, Math.abs(x2 - x1 - WIDE) / 2);
      make("path", { class: "line-of", "marker-end": "url(#tip)",
        d: `M${x1 + WIDE} ${y1 + HIGH / 2}C${x1 + WIDE + bend} ${y1 + HIGH / 2} ${x2 - bend} ${y2 + HIGH / 2} ${x2} ${y2 + HIGH / 2}` }, svg);
    }
    for (const node of shown) {
      const [x, y] = at(node);
      const box = make("g", { class: `box${node === from ? " lit" : ""}`, tabindex: 0, role: "button", "data-box": node.id,
        "aria-label": `${node.name}，${node.kind}`, "aria-pressed": node === from }, svg);
      make("rect", { x, y, width: WIDE, height: HIGH, rx: 10 }, box);
      make("text", { x: x + 14, y: y + 24 }, box).textContent = node.name.length > 11 ? node.name.slice(0, 10) + "…" : node.name;
      make("text", { class: "quiet", x: x + 14, y: y + 44 }, box).textContent = node.kind === node.name ? "" : node.kind;
    }
    const graph = document.createElement("div");
    graph.className = "graph arranging";
    graph.append(svg);
    board.replaceChildren(graph);
    if (focused) board.querySelector(`[data-box="${CSS.escape(focused)}"]`)?.focus();
  }

  function move(node, dx, dy) {
    node.x.value = Math.round(at(node)[0] + dx);
    node.y.value = Math.round(at(node)[1] + dy);
  }

  function choose(node) {
    if (from === null) {
      const branches = [...new Set(lines.filter((line) => line.dataset.from === node.id).map((line) => line.dataset.branch))];
      if (!branches.length) { tell(`${node.name}后面不接别的`); return; }
      [from, branch] = [node, branches[0]];
      tell(`从${node.name}${branches.length > 1 ? "的第 1 条分支" : ""}出发，再选接到哪一步；再按一次换分支或取消`);
    } else if (from === node) {
      const branches = [...new Set(lines.filter((line) => line.dataset.from === node.id).map((line) => line.dataset.branch))];
      const next = branches.indexOf(branch) + 1;
      if (next < branches.length) { branch = branches[next]; tell(`从${node.name}的第 ${next + 1} 条分支出发`); }
      else { from = null; tell("不画了"); }
    } else {
      const line = lines.find((each) => each.dataset.from === from.id && each.dataset.branch === branch && each.dataset.to === node.id);
      if (!line) tell(`${node.name}前面不能再接`);
      else { line.checked = !line.checked; tell(`${from.name} → ${node.name}：${line.checked ? "画上了" : "去掉了"}，还没有存`); }
      from = null;
    }
  }

  const nodeOf = (event) => byId.get(event.target.closest?.("[data-box]")?.dataset.box);
  const point = (event) => {
    const box = board.querySelector("svg"), inverse = box.getScreenCTM().inverse();
    const made = new DOMPoint(event.clientX, event.clientY).matrixTransform(inverse);
    return [made.x, made.y];
  };

  board.addEventListener("pointerdown", (event) => {
    const node = nodeOf(event);
    if (!node || event.button !== 0) return;
    const [x, y] = point(event);
    [dragged, offset] = [{ node, moved: false }, [x - at(node)[0], y - at(node)[1]]];
    event.preventDefault();
    board.querySelector(`[data-box="${CSS.escape(node.id)}"]`).focus();
  });
  window.addEventListener("pointermove", (event) => {
    if (!dragged) return;
    const [x, y] = point(event), [nowX, nowY] = at(dragged.node);
    const dx = Math.round((x - offset[0] - nowX) / STEP) * STEP, dy = Math.round((y - offset[1] - nowY) / STEP) * STEP;
    if (dx || dy) { dragged.moved = true; move(dragged.node, dx, dy); draw(); }
  });
  window.addEventListener("pointerup", () => {
    if (!dragged) return;
    const { node, moved } = dragged;
    dragged = null;
    if (moved) tell(`${node.name}挪到了新位置，还没有存`); else choose(node);
    draw();
  });
  board.addEventListener("keydown", (event) => {
    const node = nodeOf(event), step = event.shiftKey ? STEP * 4 : STEP;
    const ways = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    if (!node) return;
    if (ways[event.key]) { move(node, ...ways[event.key]); tell(`${node.name}：横 ${node.x.value}，竖 ${node.y.value}，还没有存`); }
    else if (event.key === "Enter" || event.key === " ") choose(node);
    else if (event.key === "Escape") { from = null; tell("不画了"); }
    else if (event.key === "Delete" && node.gone) { node.gone.checked = true; tell(`${node.name}去掉了，还没有存；要留下，在下面的“位置，去掉”里取消`); }
    else return;
    event.preventDefault();
    draw();
  });
  form.addEventListener("input", draw);
  draw();
})();
