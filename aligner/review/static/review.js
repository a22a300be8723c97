// The review page. Everything that comes from a run is put into text nodes; there is no innerHTML anywhere.

const token = document.querySelector("meta[name=aligner-token]").content;
const $ = (id) => document.getElementById(id);
const DECIDED = ["accepted", "edited", "rejected"];
const STATES = { open: "To do", accepted: "Accepted", edited: "Edited", rejected: "Not a caption" };
const SIGNS = { open: "○", accepted: "✓", edited: "✎", rejected: "✕" };
const LANGUAGES = new Intl.DisplayNames(["en"], { type: "language" });
// Captions of the list that are drawn around the current one.
const NEAR = 80;

const all = []; // every caption in brief, in order
const byKey = new Map();
const drafts = new Map(); // key -> {text, link}: what was typed and not yet decided
const mine = []; // keys decided in this tab, for undo
const undone = new Map(); // key -> a text of one's own that was taken back
let names = []; // of documents, in full
let short = []; // and without the folders that they share
let number = 0; // last row of the store that this tab has seen
let current = null; // the caption shown, with all that is known of it
let shownDocument = -1;
let busy = false;

// --- talking to the server ---

async function call(path, asked) {
  let response;
  try {
    response = await fetch(path, asked && {
      method: "POST",
      headers: { "content-type": "application/json", "x-aligner-token": token },
      body: JSON.stringify(asked),
    });
  } catch {
    throw new Error(`${asked ? "Not saved: the" : "The"} review server does not answer. Is aligner review still running?`);
  }
  if (response.status === 409) return { conflict: (await response.json()).current };
  if (!response.ok) {
    const text = await response.text();
    let problem = text;
    try { problem = JSON.parse(text).problem ?? text; } catch { /* plain text */ }
    throw new Error(problem);
  }
  $("trouble").textContent = "";
  return response.json();
}

// --- small helpers ---

function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children.filter((child) => child !== null).map((child) => typeof child === "string" ? legible(child) : child));
  return made;
}

// A text as it is read: characters that would turn the order of what follows are replaced, so that none of it is disguised.
function legible(text) {
  return text.replace(/[\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}

// Scrolls a pane, and nothing around it, so that an element in it is in the middle; on a small screen panes do not
// scroll by themselves, and the page stays where it is.
function reveal(pane, item) {
  const outer = pane.getBoundingClientRect(), inner = item.getBoundingClientRect();
  if (inner.top < outer.top || inner.bottom > outer.bottom) {
    pane.scrollTop += inner.top - outer.top - (outer.height - inner.height) / 2;
  }
}

let saidTimer = 0;
function say(text) {
  $("said").textContent = "";
  clearTimeout(saidTimer);
  // A new text node, so that the same words are announced again.
  requestAnimationFrame(() => { $("said").textContent = text; });
  saidTimer = setTimeout(() => { $("said").textContent = ""; }, 6000);
}

// Paths without the folders that they all share.
function shorten(paths) {
  const folders = paths.map((path) => path.split("/").slice(0, -1));
  let shared = 0;
  while (folders.length && folders[0].length > shared && folders.every((f) => f[shared] === folders[0][shared])) shared++;
  return paths.map((path) => path.split("/").slice(shared).join("/"));
}

const tidy = (text) => text.replace(/\s*[\n\r\v\f\u0085\u2028\u2029]\s*/g, " ").trim();

function language(code) {
  try { return LANGUAGES.of(code) ?? code; } catch { return code; }
}

// --- which captions are shown ---

function fits(caption) {
  const filter = $("filter").value;
  if (filter === "all") return true;
  if (filter === "warned") return caption.warned;
  return caption.state === filter;
}

function step(by, wanted = fits) {
  const at = current ? all.indexOf(byKey.get(current.key)) : -1;
  for (let i = at + by; i >= 0 && i < all.length; i += by) if (wanted(all[i])) return all[i];
  return null;
}

function nextToDo() {
  const open = (caption) => caption.state === "open" && ($("filter").value !== "warned" || caption.warned);
  return step(1, open) ?? all.find((caption) => open(caption) && caption.key !== current?.key) ?? null;
}

// --- drawing ---

function drawProgress() {
  const done = all.filter((caption) => DECIDED.includes(caption.state)).length;
  $("progress").max = all.length || 1;
  $("progress").value = done;
  $("progress-text").textContent = `${done} of ${all.length} decided`;
  document.title = `${done}/${all.length} · Caption review`;
}

function drawList() {
  const shown = all.filter((caption) => fits(caption) || caption.key === current?.key);
  const at = Math.max(0, shown.findIndex((caption) => caption.key === current?.key));
  const from = Math.max(0, at - NEAR);
  const to = Math.min(shown.length, at + NEAR + 1);
  const items = [];
  if (from > 0) items.push(element("li", "more", `${from} more above`));
  let before = -1;
  for (const caption of shown.slice(from, to)) {
    if (caption.document !== before) {
      before = caption.document;
      const head = element("li", "document", element("bdi", "", short[before]));
      head.title = names[before];
      items.push(head);
    }
    const sign = element("span", "sign", caption.state === "open" && caption.warned ? "!" : SIGNS[caption.state]);
    sign.setAttribute("role", "img");
    sign.setAttribute("aria-label", STATES[caption.state] + (caption.state === "open" && caption.warned ? ", with warnings" : ""));
    const link = element("a", "", sign, element("span", "brief", caption.brief));
    link.href = `#${caption.key}`;
    if (caption.key === current?.key) link.setAttribute("aria-current", "true");
    items.push(element("li", `${caption.state}${caption.warned ? " warned" : ""}`, link));
  }
  if (to < shown.length) items.push(element("li", "more", `${shown.length - to} more below`));
  const inside = $("list").contains(document.activeElement);
  $("list").replaceChildren(...items);
  const here = $("list").querySelector("[aria-current]");
  if (here) reveal(document.querySelector("nav"), here);
  if (inside) here?.focus();
}

function drawCard() {
  const { decision } = current;
  const at = all.indexOf(byKey.get(current.key));
  $("card-title").textContent = `Caption ${at + 1} of ${all.length}`;
  $("where").textContent = `${short[current.document]}, line ${current.line}`;
  $("where").title = current.name;
  $("state").textContent = STATES[decision.state];
  $("state").className = `state ${decision.state}`;
  $("source-title").textContent = `Caption (${language(current.sourceLanguage)})`;
  $("source").textContent = legible(current.source);
  $("source").lang = current.sourceLanguage;
  $("credit").hidden = !current.credit;
  $("credit").textContent = `Credit: ${legible(current.credit ?? "")}`;
  $("translation").lang = current.targetLanguage;
  $("translation").value = draftText();
  $("warnings").hidden = current.warnings.length === 0;
  $("warnings").querySelector("ul").replaceChildren(...current.warnings.map((warning) => {
    const [code, ...reason] = warning.split(": ");
    return element("li", "", element("b", "", code.replaceAll("-", " ")), `: ${reason.join(": ")}`);
  }));
  $("alert").hidden = true;
  drawSuggestions();
  drawDetails();
  $("undo").disabled = !decision.undoable && mine.length === 0;
  $("previous").disabled = !step(-1);
  $("next").disabled = !step(1);
  $("card").hidden = false;
  drawDraft();
}

function draftText() {
  return drafts.get(current.key)?.text ?? current.decision.text ?? current.machine;
}

function draftLink() {
  const draft = drafts.get(current.key);
  if (draft && draft.link !== undefined) return draft.link;
  return current.decision.link;
}

function changed() {
  const draft = drafts.get(current.key);
  return draft !== undefined && (
    (draft.text !== undefined && tidy(draft.text) !== (current.decision.text ?? current.machine)) ||
    (draft.link !== undefined && draft.link !== current.decision.link));
}

function drawDraft() {
  const text = tidy($("translation").value);
  const edited = text !== current.machine;
  const label = $("accept").querySelector("span");
  label.textContent = edited ? "Accept my edit" : "Accept";
  $("accept").disabled = !text;
  // Alone, the machine's own text is no choice until something else stands in the box.
  $("suggestions").hidden = $("suggestions").querySelectorAll("li").length < (edited ? 1 : 2);
  const runs = edited && text ? difference(current.machine, text) : null;
  $("changed").hidden = !runs;
  if (runs) $("changed").replaceChildren("Against the machine: ", ...runs);
  grow();
}

function grow() {
  const box = $("translation");
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight + 2}px`;
}

// Words taken out and put in, by the longest common subsequence of words; null if too little is common to help.
function difference(old, text) {
  const a = old.split(/\s+/), b = text.split(/\s+/);
  const best = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      best[i][j] = a[i] === b[j] ? best[i + 1][j + 1] + 1 : Math.max(best[i + 1][j], best[i][j + 1]);
    }
  }
  if (best[0][0] < Math.max(a.length, b.length) / 3) return null;
  const runs = [];
  let out = [], into = [], i = 0, j = 0;
  const flush = () => {
    if (out.length) runs.push(element("del", "", out.join(" ")), " ");
    if (into.length) runs.push(element("ins", "", into.join(" ")), " ");
    out = [];
    into = [];
  };
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) { flush(); runs.push(`${a[i]} `); i++; j++; }
    else if (j >= b.length || (i < a.length && best[i + 1][j] >= best[i][j + 1])) out.push(a[i++]);
    else into.push(b[j++]);
  }
  flush();
  return runs;
}

function drawSuggestions() {
  const options = [];
  const add = (text, from) => { if (text && !options.some((option) => option.text === text)) options.push({ text, from }); };
  add(current.machine, "machine translation");
  add(undone.get(current.key), "yours, taken back");
  for (const text of current.alternatives) add(text, "machine, another hypothesis");
  for (const hit of current.memory) {
    add(hit.text, hit.similarity === 100 ? "memory: this very caption" : `memory, ${hit.similarity} % alike: ${hit.source}`);
  }
  const shown = options.slice(0, 9);
  $("suggestions").querySelector("ol").replaceChildren(...shown.map((option, i) => {
    const text = element("span", "", option.text);
    text.lang = current.targetLanguage;
    const button = element("button", "", element("kbd", "", String(i + 1)), text, element("span", "from", option.from));
    button.type = "button";
    button.addEventListener("click", () => put(option.text));
    return element("li", "", button);
  }));
}

function drawDetails() {
  const rows = [];
  const row = (name, value) => { if (value) rows.push(element("dt", "", name), element("dd", "", value)); };
  row("caption", `${Math.round(current.confidence * 100)} % sure` + (current.reasons.length ? `: ${current.reasons.join("; ")}` : ""));
  row("translation", [current.model, current.quality !== null && `${current.quality} % per token`].filter(Boolean).join(", "));
  row("names", current.names.map(([source, article]) => `${source} → ${article}`).join("; "));
  if (current.context) row("paragraph", `${Math.round(current.context.score * 100)} % sure` + (current.context.evidence.length ? `: ${current.context.evidence.join("; ")}` : ""));
  row("decided", current.decision.at && new Date(current.decision.at).toLocaleString());
  $("details").querySelector("dl").replaceChildren(...rows);
}

async function drawArticle() {
  const key = current.key;
  if (shownDocument !== current.document) {
    const article = await call(`/api/article/${current.document}`);
    if (current.key !== key) return;
    shownDocument = current.document;
    drawBlocks(article);
  }
  drawLink();
}

let blocks = [];
function drawBlocks(article) {
  $("article-problem").hidden = !article.problem;
  $("article-problem").textContent = article.problem ?? "";
  const none = radio("null", element("p", "", "No paragraph"));
  none.classList.add("none");
  const drawn = [none];
  blocks = article.problem ? [] : article.blocks;
  for (const block of blocks) {
    const text = element("p", "", ...block.pieces.map(([piece, kind]) => {
      if (kind === null) return piece;
      const mark = element("mark", kind === "caption" ? "caption" : "", piece);
      if (kind === "caption") mark.dataset.captions = block.captions.join(" ");
      else if (!["credit", "slug"].includes(kind)) mark.lang = kind;
      return mark;
    }));
    if (block.paragraph) {
      drawn.push(radio(String(block.start), text));
    } else {
      const plain = element("div", "block", element("span"), text);
      plain.dataset.start = block.start;
      drawn.push(plain);
    }
  }
  if (article.problem) drawn.push(radio("run", element("p")));
  $("blocks").replaceChildren(...drawn);
}

function radio(value, text) {
  const input = element("input");
  input.type = "radio";
  input.name = "paragraph";
  input.value = value;
  input.addEventListener("change", () => {
    draft({ link: value === "null" ? null : value === "run" ? "run" : Number(value) });
    drawLink(false);
  });
  return element("label", "block", input, text);
}

// The value of the radio button that stands for a link: the block that its sentence is in.
function valueOf(link) {
  if (link === null) return "null";
  const at = link === "run" ? current.context?.start : link;
  if (at === undefined) return "null";
  const block = blocks.find((b) => b.start <= at && at < b.end);
  return block ? String(block.start) : "run";
}

function drawLink(scroll = true) {
  const machine = current.context ? valueOf("run") : "null";
  const chosen = valueOf(draftLink());
  for (const input of $("blocks").querySelectorAll("input")) {
    input.checked = input.value === chosen;
    input.parentElement.querySelector(".machine")?.remove();
    if (input.value === machine) {
      input.parentElement.querySelector("p").prepend(element("span", "machine", "the machine’s choice"));
    }
    if (input.value === "run" && current.context) {
      input.parentElement.querySelector("p").textContent = legible(current.context.text);
    }
    if (input.value === "run") input.parentElement.hidden = !current.context;
  }
  const id = current.key.slice(current.key.lastIndexOf("-") + 1);
  let mark = null;
  for (const caption of $("blocks").querySelectorAll("mark.caption")) {
    const own = caption.dataset.captions.split(" ").includes(id) && caption.textContent.trim() !== "" &&
      (caption.dataset.captions === id || caption.textContent === legible(current.source));
    caption.classList.toggle("this", own);
    if (own) mark = caption;
  }
  const checked = $("blocks").querySelector(":checked");
  const linked = checked && checked.value !== "null" ? checked.parentElement : null;
  if (scroll) reveal(document.querySelector("aside"), linked ?? mark ?? $("blocks").firstElementChild);
}

// --- drafts ---

function draft(part) {
  drafts.set(current.key, { ...drafts.get(current.key), ...part });
  if (!changed()) drafts.delete(current.key);
  drawDraft();
}

function put(text) {
  $("translation").value = text;
  draft({ text });
  $("translation").focus();
}

// --- going about ---

let wanted = null; // what was asked for last: an answer that comes later than the next question is dropped
async function show(key) {
  wanted = key;
  const seen = await call(`/api/caption/${encodeURIComponent(key)}`);
  if (wanted !== key) return;
  current = seen;
  learn(key, seen.decision);
  if (location.hash !== `#${key}`) history.pushState(null, "", `#${key}`);
  drawCard();
  drawList();
  document.querySelector("main").scrollTop = 0;
  drawArticle().catch(trouble);
}

// Out of the box and off the buttons, so that single keys are keys again.
function settle() {
  $("card-title").focus({ preventScroll: true });
}

function learn(key, decision) {
  const caption = byKey.get(key);
  caption.state = decision.state;
  caption.version = decision.version;
  drawProgress();
}

async function go(caption, else_) {
  if (caption) await show(caption.key);
  else if (else_) say(else_);
}

// --- deciding ---

async function decide(state) {
  if (!current || busy) return;
  const text = tidy($("translation").value);
  if (state === "accepted" && !text) return say("There is no translation to accept; write one.");
  const key = current.key;
  await during(async () => {
    const answer = await call("/api/decide", { key, version: current.decision.version, state, text, link: draftLink() });
    if (answer.conflict) return dispute(answer.conflict);
    settled(key, answer);
    mine.push(key);
    const then = nextToDo();
    if (then) {
      await show(then.key);
      settle();
      say(`${STATES[answer.state]}. Caption ${all.indexOf(then) + 1} of ${all.length}.`);
    } else {
      current.decision = answer;
      drawCard();
      drawList();
      drawLink(false);
      settle();
      const left = all.some((caption) => caption.state === "open");
      say(`${STATES[answer.state]}. ${left ? "Nothing left to do here." : "All captions are decided."}`);
    }
  });
}

function settled(key, decision) {
  drafts.delete(key);
  learn(key, decision);
}

async function undo() {
  if (busy) return;
  // This caption's own decision first; elsewhere, the last one made in this tab.
  const key = current?.decision.undoable ? current.key : mine.at(-1);
  if (!key) return say("Nothing to undo.");
  await during(async () => {
    if (current?.key !== key) await show(key);
    const before = current.decision;
    const answer = await call("/api/undo", { key, version: current.decision.version });
    if (answer.conflict) return dispute(answer.conflict);
    const at = mine.lastIndexOf(key);
    if (at >= 0) mine.splice(at, 1);
    if (before.state === "edited") undone.set(key, before.text);
    settled(key, answer);
    await show(key);
    settle();
    say(`Undone: ${STATES[answer.state].toLowerCase()} again.`);
  });
}

// Somebody else has decided: nothing is overwritten before the editor has seen it.
let theirs = null;
function dispute(decision) {
  theirs = decision;
  $("alert-text").textContent = `Decided in another tab meanwhile: ${STATES[decision.state].toLowerCase()}. Yours was not saved.`;
  $("alert-theirs").textContent = decision.text ?? "";
  $("alert").hidden = false;
  $("take-theirs").focus();
}

$("keep-mine").addEventListener("click", () => {
  const text = $("translation").value, link = draftLink();
  current.decision = { ...current.decision, version: theirs.version };
  drafts.set(current.key, { text, link });
  $("alert").hidden = true;
  learn(current.key, theirs);
  say("Yours is still in the box: decide again to save it.");
  $("accept").focus();
});

$("take-theirs").addEventListener("click", () => {
  settled(current.key, theirs);
  during(async () => { await show(current.key); settle(); });
});

// One change at a time. What is pressed meanwhile is dropped, not kept for a caption that nobody has seen yet.
async function during(work) {
  busy = true;
  try { await work(); } catch (error) { trouble(error); } finally { busy = false; }
}

// Stays until something succeeds again.
function trouble(error) {
  $("trouble").textContent = error.message;
}

// --- other tabs ---

async function catchUp() {
  if (document.hidden || busy) return;
  let news;
  try { news = await call(`/api/changes/${number}`); } catch { return; }
  number = news.number;
  let drawn = false;
  for (const { key, state, version } of news.changes) {
    const caption = byKey.get(key);
    if (!caption || caption.version >= version) continue;
    caption.state = state;
    caption.version = version;
    drawn = true;
    if (current?.key === key && current.decision.version < version && $("alert").hidden && !busy) {
      const seen = await call(`/api/caption/${encodeURIComponent(key)}`);
      if (changed()) dispute(seen.decision);
      else {
        current = seen;
        drawCard();
        if (shownDocument === current.document) drawLink(false);
        say(`Decided in another tab: ${STATES[state].toLowerCase()}.`);
      }
    }
  }
  if (drawn) {
    drawProgress();
    drawList();
  }
}

// --- keys ---

const KEYS = {
  a: () => decide("accepted"),
  x: () => decide("rejected"),
  u: undo,
  e: () => { $("translation").focus(); },
  j: () => during(() => go(step(1), "This is the last one.")),
  k: () => during(() => go(step(-1), "This is the first one.")),
  p: () => { ($("blocks").querySelector(":checked") ?? $("blocks").querySelector("input"))?.focus(); },
  "?": () => { $("keys").showModal(); },
};

document.addEventListener("keydown", (event) => {
  if ($("keys").open || event.isComposing) return;
  const typing = event.target.matches("textarea, select, input[type=text]");
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    decide("accepted");
    return;
  }
  if (event.key === "Escape") {
    settle();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || typing || !$("single").checked) return;
  if (event.key === "Enter" && [document.body, $("card-title")].includes(event.target)) {
    event.preventDefault();
    $("translation").focus();
  } else if (/^[1-9]$/.test(event.key)) {
    const button = $("suggestions").querySelectorAll("button")[Number(event.key) - 1];
    if (button && !$("suggestions").hidden) { event.preventDefault(); button.click(); }
  } else if (Object.hasOwn(KEYS, event.key.toLowerCase())) {
    event.preventDefault();
    KEYS[event.key.toLowerCase()]();
  }
});

$("accept").addEventListener("click", () => decide("accepted"));
$("reject").addEventListener("click", () => decide("rejected"));
$("undo").addEventListener("click", undo);
$("next").addEventListener("click", KEYS.j);
$("previous").addEventListener("click", KEYS.k);
$("show-keys").addEventListener("click", KEYS["?"]);
$("translation").addEventListener("input", () => draft({ text: $("translation").value }));
$("filter").addEventListener("change", () => {
  drawList();
  if (!current || !fits(byKey.get(current.key))) {
    const first = step(1) ?? all.find(fits);
    if (first) during(() => show(first.key));
    else say("No caption of this kind.");
  } else drawCard();
});
try {
  $("single").checked = localStorage.getItem("aligner-single-keys") !== "off";
  $("single").addEventListener("change", () => {
    localStorage.setItem("aligner-single-keys", $("single").checked ? "on" : "off");
  });
} catch { /* without storage the choice lasts as long as the tab */ }

addEventListener("popstate", () => {
  const key = location.hash.slice(1);
  if (byKey.has(key) && key !== current?.key) during(() => show(key));
});
addEventListener("beforeunload", (event) => { if (drafts.size) event.preventDefault(); });
addEventListener("resize", grow);
document.addEventListener("visibilitychange", catchUp);
setInterval(catchUp, 3000);

// --- start ---

await during(async () => {
  const overview = await call("/api/overview");
  $("run").textContent = overview.run;
  names = overview.documents;
  short = shorten(names);
  number = overview.number;
  for (const caption of overview.captions) {
    all.push(caption);
    byKey.set(caption.key, caption);
  }
  drawProgress();
  const first = byKey.get(location.hash.slice(1)) ?? nextToDo() ?? all[0];
  await show(first.key);
});
