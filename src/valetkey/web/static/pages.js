// Small comforts. Every page does its work without them.

function button(words, type) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = words;
  if (type) made.className = type;
  return made;
}

for (const box of document.querySelectorAll(".secret")) {
  const input = box.querySelector("input");
  const reveal = button("Show");
  const label = document.querySelector(`label[for="${input.id}"]`).textContent.trim();
  const name = () => reveal.setAttribute("aria-label", `${reveal.textContent}: ${label}`);
  const set = (shown) => {
    input.type = shown ? "text" : "password";
    reveal.textContent = shown ? "Hide" : "Show";
    name();
  };
  name();
  reveal.addEventListener("click", () => set(input.type === "password"));
  input.form.addEventListener("submit", () => set(false));
  box.append(reveal);

  const caps = document.createElement("span");
  caps.className = "hint";
  caps.setAttribute("role", "status");
  box.after(caps);
  input.addEventListener("keyup", (event) => {
    caps.textContent = event.getModifierState?.("CapsLock") ? "Caps Lock is on." : "";
  });
}

if (navigator.clipboard) {
  for (const block of document.querySelectorAll("[data-copy]")) {
    const copy = button("Copy");
    copy.setAttribute("aria-live", "polite");
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(block.querySelector("pre").textContent);
      copy.textContent = "Copied";
      block.classList.add("copied");
      setTimeout(() => { copy.textContent = "Copy"; block.classList.remove("copied"); }, 2500);
    });
    block.append(copy);
  }
}

for (const time of document.querySelectorAll("time[data-minute]")) {
  const local = new Intl.DateTimeFormat(undefined, { dateStyle: "long", timeStyle: "short" });
  time.textContent = local.format(new Date(time.dateTime));
}

// While the answer is on its way a second click would send the form again, and a question may be answered only once.
const busy = (form, on) => (on ? form.setAttribute("aria-busy", "true") : form.removeAttribute("aria-busy"));
addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.ariaBusy === "true") return event.preventDefault();
  busy(form, true);
  setTimeout(busy, 8000, form, false);
});
addEventListener("pageshow", () => { for (const form of document.forms) busy(form, false); });

document.getElementById("problems")?.focus();
