"use strict";
(() => {
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);
  const theme = byId("theme");
  const dark = () =>
    root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const label = () => { theme.textContent = dark() ? "Light colours" : "Dark colours"; };
  theme.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; label(); });
  label();

  // What a caption is linked to lights up while the caption has the pointer or the focus.
  let lit = [];
  const light = (event) => {
    const card = event.target.closest ? event.target.closest(".a, .c") : null;
    lit.forEach((element) => element.classList.remove("lit"));
    const links = card ? card.querySelectorAll("a[data-to]") : [];
    lit = [...links].map((link) => byId(link.dataset.to)).filter(Boolean);
    lit.forEach((element) => element.classList.add("lit"));
  };
  document.addEventListener("pointerover", light);
  document.addEventListener("focusin", light);

  const form = byId("filters");
  if (!form) return;
  const fields = ["q", "system", "flag", "warning", "kind", "below"].filter((name) => form.elements[name]);
  const cards = [...document.querySelectorAll(".c")].map((element) => ({
    element,
    article: element.closest("article"),
    kinds: element.dataset.kinds.split("|"),
    answers: [...element.querySelectorAll(".a")].map((answer) => ({
      element: answer,
      system: answer.dataset.system,
      score: answer.dataset.score === undefined ? null : Number(answer.dataset.score),
      flags: answer.dataset.flags.split("|"),
      warnings: answer.dataset.warnings.split("|"),
    })),
  }));
  const articles = [...document.querySelectorAll("article")];
  const words = new Map();
  const text = (element) => {
    if (!words.has(element)) words.set(element, element.textContent.toLowerCase());
    return words.get(element);
  };
  const value = (name) => (form.elements[name] ? form.elements[name].value : "");
  const initial = Object.fromEntries(fields.map((name) => [name, value(name)]));

  const apply = () => {
    const query = value("q").trim().toLowerCase();
    const system = value("system"), flag = value("flag"), warning = value("warning"), kind = value("kind");
    const below = value("below") === "" ? 100 : Number(value("below"));
    const filtering = fields.some((name) => value(name) !== initial[name] && name !== "system");
    const shown = new Map();
    let total = 0;
    for (const card of cards) {
      const kept = card.answers.filter((answer) => {
        answer.element.hidden = system !== "" && answer.system !== system;
        return !answer.element.hidden
          && (flag === "" || answer.flags.includes(flag) || (flag === "any" && answer.flags[0] !== ""))
          && (warning === "" || answer.warnings.includes(warning))
          && (below >= 100 || (answer.score !== null && answer.score <= below));
      });
      const match = kept.length > 0 && (kind === "" || card.kinds.includes(kind))
        && (query === "" || text(card.element).includes(query));
      card.element.hidden = !match;
      if (match) { total += 1; shown.set(card.article, (shown.get(card.article) || 0) + 1); }
    }
    for (const article of articles) {
      article.hidden = filtering && !shown.has(article)
        && !(query !== "" && flag + warning + kind === "" && below >= 100 && text(article).includes(query));
    }
    const visible = articles.filter((article) => !article.hidden).length;
    byId("count").textContent = `${total} of ${cards.length} captions, ${visible} of ${articles.length} articles`;
    const output = byId("below-value");
    if (output) output.textContent = below >= 100 ? "any" : `≤ ${below}`;
    byId("count").removeAttribute("aria-busy");
    byId("reset").hidden = fields.every((name) => value(name) === initial[name]);
  };

  const remember = () => {
    const state = new URLSearchParams();
    for (const name of fields) if (value(name) !== initial[name]) state.set(name, value(name));
    history.replaceState(null, "", state.size ? `#?${state}` : "#articles");
  };
  // A permalink names a caption, a paragraph, or (after "#?") the filters.
  const follow = () => {
    const hash = decodeURIComponent(location.hash.slice(1));
    if (hash.startsWith("?")) {
      const state = new URLSearchParams(location.hash.slice(2));
      for (const name of fields) form.elements[name].value = state.get(name) ?? initial[name];
      apply();
      byId("articles").scrollIntoView();
      return;
    }
    const target = byId(hash);
    if (target && target.closest("[hidden]")) { form.reset(); apply(); }
    if (target) target.scrollIntoView({ block: target.matches(".c, .p, .s") ? "center" : "start" });
  };
  let waiting = 0;
  form.addEventListener("input", () => {
    byId("count").setAttribute("aria-busy", "true");
    clearTimeout(waiting);
    waiting = setTimeout(() => { apply(); remember(); }, 60);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  byId("reset").addEventListener("click", () => { form.reset(); apply(); remember(); form.elements.q.focus(); });
  addEventListener("hashchange", follow);
  apply();
  if (location.hash) follow();

  // Details are closed on screen and open on paper.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll(".paper:not([open])")];
    opened.forEach((element) => { element.open = true; });
  });
  addEventListener("afterprint", () => opened.forEach((element) => { element.open = false; }));
})();
