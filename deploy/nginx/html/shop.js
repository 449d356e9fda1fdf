// What the landing page knows only from the running shop: who is ready, what is on the shelves,
// and whether demo mode is on. Without it the page is complete, only not live.

const EVERY_MS = 10_000;
const PATIENCE_MS = 4_000;

async function ask(path) {
  const answer = await fetch(path, {
    headers: { Accept: "application/json" },
    cache: "no-store",
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  if (answer.headers.get("X-Store-Demo") === "1") showDemo();
  return answer;
}

function showDemo() {
  for (const id of ["demo", "walk-demo"]) document.getElementById(id).hidden = false;
  for (const id of ["real", "walk-real"]) document.getElementById(id).hidden = true;
}

async function look(place) {
  try {
    const answer = await ask(place.dataset.ready);
    if (answer.ok) return ["ready", "ready"];
    const { code, detail } = await answer.json();
    // 502 to 504 with these codes are the gateway's words, not the service's.
    if (answer.status !== 503 || code === "bad_gateway") return ["away", "away"];
    return ["unready", detail || "not ready"];
  } catch {
    return ["away", "away"];
  }
}

async function showDuty() {
  const places = [...document.querySelectorAll("#duty [data-ready]")];
  await Promise.all(places.map(async (place) => {
    const [state, words] = await look(place);
    place.dataset.state = state;
    place.querySelector(".state a").textContent = words;
  }));
}

async function showShelves() {
  try {
    const answer = await ask("/api/products/categories/list");
    if (!answer.ok) return;
    const tags = (await answer.json()).map(({ name, product_count: count }) => {
      const tag = document.createElement("li");
      const number = document.createElement("b");
      number.textContent = count.toLocaleString("ru");
      tag.append(name, number);
      return tag;
    });
    document.getElementById("shelves").replaceChildren(...tags);
    document.getElementById("bare").hidden = tags.length > 0;
  } catch {
    // The catalog is away; the strip above says so, and what was shown last may stay.
  }
}

function showOrigin() {
  for (const place of document.querySelectorAll("[data-origin]")) {
    place.textContent = location.origin;
  }
}

function addCopyButtons() {
  if (!navigator.clipboard) return;
  for (const block of document.querySelectorAll("pre:not(.ports)")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.addEventListener("click", () => copy(block, button));
    const frame = document.createElement("div");
    frame.className = "copied";
    block.replaceWith(frame);
    frame.append(block, button);
  }
}

async function copy(block, button) {
  try {
    await navigator.clipboard.writeText(block.textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(block);
    button.textContent = "Selected";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 1_500);
}

function refresh() {
  if (document.visibilityState === "visible") {
    showDuty();
    showShelves();
  }
}

showOrigin();
addCopyButtons();
refresh();
setInterval(refresh, EVERY_MS);
document.addEventListener("visibilitychange", refresh);
