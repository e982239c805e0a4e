"use strict";
// Everything works without this file; it only presses what stands on the page already.
(() => {
  const store = { get: () => { try { return localStorage.getItem("keys"); } catch { return null; } },
                  set: (v) => { try { localStorage.setItem("keys", v); } catch { /* private mode */ } } };
  const toggle = document.getElementById("keys-toggle");
  let on = store.get() !== "off";
  const show = () => {
    toggle.hidden = false;
    toggle.setAttribute("aria-pressed", String(on));
    toggle.textContent = on ? "Single keys: on" : "Single keys: off";
    document.documentElement.toggleAttribute("data-keys", on);
  };
  if (toggle) {
    toggle.addEventListener("click", () => { on = !on; store.set(on ? "on" : "off"); show(); });
    show();
  }
  const rows = () => [...document.querySelectorAll("[data-row]")];
  const step = (by) => {
    const all = rows();
    const now = all.indexOf(document.activeElement);
    const next = now < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(now + by, 0), all.length - 1);
    if (all[next]) { all[next].focus(); }
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) { return; }
    const place = event.target;
    if (place.matches && place.matches("input:not([type=hidden]), textarea, select")) {
      if (event.key === "Escape") { place.blur(); }
      return;
    }
    if (!on || event.repeat) { return; }
    const found = [...document.querySelectorAll("[data-key]")].find((e) => e.dataset.key === event.key);
    if (found) {
      event.preventDefault();
      if (found.matches("textarea")) { found.focus(); } else { found.click(); }
    } else if (rows().length && (event.key === "j" || event.key === "k")) {
      event.preventDefault();
      step(event.key === "j" ? 1 : -1);
    }
  });
})();
