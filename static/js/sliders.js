// A slider beside each number of a trial. Without this file the numbers are typed and sent with the button.
for (const box of document.querySelectorAll("input[data-high]")) {
  const now = Number(box.value);
  if (!Number.isFinite(now) || box.value === "") continue;
  const slider = document.createElement("input");
  slider.type = "range";
  slider.min = box.dataset.low;
  // The catalogue's ends are wide (100 billion yuan); a slider is of use around the value.
  slider.max = String(Math.min(Number(box.dataset.high), Math.max(now * 3, 24)));
  slider.step = now >= 10000 ? "1000" : "1";
  slider.value = box.value;
  slider.setAttribute("aria-label", box.labels[0].textContent);
  slider.addEventListener("input", () => { box.value = slider.value; });
  box.addEventListener("input", () => { slider.value = box.value; });
  box.after(slider);
}
