// Keeps the chat fresh and at its end; everything else on the phone works without a script.
const chat = document.querySelector(".chat");
const toEnd = () => { chat.scrollTop = chat.scrollHeight; };
let shown = chat.innerHTML;
toEnd();
setInterval(async () => {
  if (document.hidden) return;
  const reply = await fetch(chat.dataset.source).catch(() => null);
  if (!reply || !reply.ok) return;
  const text = await reply.text();
  if (text === shown) return;
  shown = text;
  chat.innerHTML = text;
  toEnd();
}, 2000);
document.querySelectorAll(".menu details").forEach((one) => one.addEventListener("toggle", () => {
  if (one.open) document.querySelectorAll(".menu details[open]").forEach((other) => { if (other !== one) other.open = false; });
}));
