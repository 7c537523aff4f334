// Keeps an open page true: one event stream a browser, shared by its tabs. The tab that holds the lock reads the stream
// and tells the others; when it closes, the next one takes over, from the last event that it heard of.
const channel = new BroadcastChannel("pricingd");
const { sequence, who = "" } = document.body.dataset;
// The last event that this page shows, of those for everybody and of its person's own; a page that shows none begins anywhere.
let last = sequence ? Number(sequence) : null;
let lastOwn = last;
let heard = [];

const show = (name, text) => {
  for (const element of document.querySelectorAll(name)) {
    if (element.textContent === text) continue;
    element.textContent = text;
    element.classList.remove("moved");
    void element.offsetWidth;
    element.classList.add("moved");
  }
};

const money = (amount) => amount.replace(/\B(?=(\d{3})+(?!\d)(?=[^.]*\.))/g, ",");

const move = (item) => {
  if (item.topic === "price") show(`[data-price="${item.key}"]`, money(item.after.price));
  if (item.topic === "stock") show(`[data-stock="${item.key}"]`, String(item.after.stock));
};

// What only the server can word is fetched anew, a moment after something moved: but for a part in which somebody types.
let due = null;
const moved = new Set();
const renew = (items) => {
  for (const { topic, key } of items) moved.add(topic).add(topic === "order" ? `order-${key}` : String(key));
  due ??= setTimeout(async () => {
    due = null;
    const keys = new Set(moved);
    moved.clear();
    for (const element of document.querySelectorAll("[data-part]")) {
      const { part, of } = element.dataset;
      if (of && !of.split(" ").some((key) => keys.has(key))) continue;
      const reply = await fetch(part).catch(() => null);
      if (!reply || !reply.ok || reply.redirected) continue;
      const text = await reply.text();
      if (!element.querySelector("input:focus, textarea:focus, select:focus")) element.innerHTML = text;
    }
    count();
  }, 300);
};

const frame = (data) => {
  if (last !== null && data.sequence <= last) return;
  const missed = last !== null && data.gap;
  last = data.sequence;
  if (missed) return location.reload();
  data.items.forEach(move);
  renew(data.items);
};

// What is this person's own; where some of it is missing, all of it is fetched.
const own = (data) => {
  if (!data.gap && lastOwn !== null && data.sequence <= lastOwn) return;
  lastOwn = data.sequence;
  renew(data.gap ? [{ topic: "order" }, { topic: "automation" }, ...data.items] : data.items);
};

const away = (since) => {
  const banner = document.getElementById("away");
  if (since) document.getElementById("away-since").textContent = `${since.slice(11, 16)} UTC`;
  banner.hidden = !since;
  if (!since && document.querySelector("[data-comes-back]")) location.reload();
};

const take = (message) => {
  if (message.moves) frame(message.moves);
  if (message.own) own(message.own);
  if ("away" in message) away(message.away);
};

let stream = null;
let reopen = () => {};

// A tab that opens asks what came between its page and now, and says who is signed in now.
channel.onmessage = ({ data }) => {
  if ("since" in data) {
    for (const message of heard) channel.postMessage(message);
    if (stream && data.who !== stream.who) reopen(data.who);
  } else {
    take(data);
  }
};

const tell = (message) => {
  take(message);
  if (message.moves || (message.own && !message.own.gap)) heard.push(message);
  while (heard.length > 200) heard.shift();
  channel.postMessage(message);
};

const read = () => new Promise(() => {
  let wait = 250;
  let silent;
  const open = (reader) => {
    clearTimeout(silent);
    const source = new EventSource(last === null ? "/api/events" : `/api/events?from=${last}.${lastOwn ?? last}`);
    stream = { source, who: reader };
    const lost = () => {
      clearTimeout(silent);
      source.close();
      tell({ away: new Date().toISOString() });
      silent = setTimeout(open, wait, reader);
      wait = Math.min(wait * 2, 1500);
    };
    const alive = () => { clearTimeout(silent); silent = setTimeout(lost, 40000); wait = 250; };
    const on = (name, message) => source.addEventListener(name, (event) => {
      alive();
      tell(message(JSON.parse(event.data)));
    });
    on("moves", (moves) => ({ moves }));
    on("own", (own) => ({ own }));
    on("link", ({ away }) => ({ away }));
    source.onerror = lost;
    silent = setTimeout(lost, 40000);
  };
  // Somebody else is signed in: what is theirs comes by a stream of their own.
  reopen = (reader) => {
    heard = heard.filter((message) => message.moves);
    stream.source.close();
    open(reader);
  };
  open(who);
});

channel.postMessage({ since: last, who });
navigator.locks.request("pricingd-stream", read);

// On a narrow screen the sections are a row that scrolls: the one that is shown is in sight.
document.querySelector(".side [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// Counts down to the moment until which something is held.
const counts = () => document.querySelectorAll("[data-until]");
function count() {
  for (const element of counts()) {
    const left = Math.max(0, Math.round((Date.parse(element.dataset.until) - Date.now()) / 1000));
    const time = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    element.textContent = `${element.dataset.until.slice(11, 16)} UTC, ${time} from now`;
  }
}
if (counts().length) {
  count();
  setInterval(count, 1000);
}

// What is held is held on while its form is being filled in.
for (const form of document.querySelectorAll("form[data-extend]")) {
  let typed = null;
  form.addEventListener("input", () => {
    typed ??= setTimeout(async () => {
      typed = null;
      const reply = await fetch(form.dataset.extend, { method: "POST" }).catch(() => null);
      if (!reply || !reply.ok) return;
      const { expiresAt } = await reply.json();
      for (const element of counts()) element.dataset.until = expiresAt;
      count();
    }, 1500);
  });
}
