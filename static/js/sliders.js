// A slider beside each number of a trial. Without this file the numbers are typed and sent with the button.
for (const box of document.querySelectorAll("input[data-high]")) {
  const now = Number(box.value);
  if (!Number.isFinite(now) || box.value === "") continue;
  const slider = document.createElement("input");
  slider.type = "range";
  slider.min = box.dataset.low;
  slider.max = box.dataset.high;
  slider.step = box.dataset.step;
  slider.value = box.value;
  slider.setAttribute("aria-label", box.labels[0].textContent);
  slider.addEventListener("input", () => { box.value = slider.value; });
  box.addEventListener("input", () => { slider.value = box.value; });
  box.after(slider);
}
