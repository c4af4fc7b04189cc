// One editor stands open on a page of rules: opening another closes it, after asking where something was written in it.
// Without this file each opens as a page of its own.
document.addEventListener("htmx:beforeSwap", (event) => {
  const target = event.detail.target;
  if (!target.classList.contains("edits")) return;
  const open = [...document.querySelectorAll(".edits > *")];
  const changed = (box) => box.type === "hidden" ? false
    : box.options ? [...box.options].some((each) => each.selected !== each.defaultSelected) && box.selectedIndex > 0
    : box.type === "checkbox" || box.type === "radio" ? box.checked !== box.defaultChecked : box.value !== box.defaultValue;
  const written = open.some((each) => [...each.querySelectorAll("input, textarea, select")].some(changed));
  if (written && !window.confirm("正在改的地方写了还没有存，不要了吗？")) { event.detail.shouldSwap = false; return; }
  for (const each of open) each.remove();
});
document.addEventListener("htmx:afterSettle", (event) => {
  if (!event.detail.target.classList.contains("edits")) return;
  const place = event.detail.target, row = place.closest("tr")?.previousElementSibling ?? place;
  if (place.getBoundingClientRect().bottom > window.innerHeight) row.scrollIntoView({ block: "start" });
  place.querySelector("input:not([type=hidden]), select, textarea")?.focus({ preventScroll: true });
});
