// Keeps an open page true: one event stream a browser, shared by its tabs. The tab that holds the lock reads the stream
// and tells the others; when it closes, the next one takes over, from the last event that it heard of.
const channel = new BroadcastChannel("pricingd");
// The last event that this page shows; a page that shows none begins anywhere.
let last = document.body.dataset.sequence ? Number(document.body.dataset.sequence) : null;
const heard = [];

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

// What only the server can word is fetched anew, a moment after something moved.
let due = null;
const moved = new Set();
const renew = (items) => {
  for (const item of items) moved.add(String(item.key));
  due ??= setTimeout(async () => {
    due = null;
    const keys = new Set(moved);
    moved.clear();
    for (const element of document.querySelectorAll("[data-part]")) {
      if (element.dataset.of && !keys.has(element.dataset.of)) continue;
      const reply = await fetch(element.dataset.part).catch(() => null);
      if (reply && reply.ok && !reply.redirected) element.innerHTML = await reply.text();
    }
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

const away = (since) => {
  const banner = document.getElementById("away");
  if (since) document.getElementById("away-since").textContent = `${since.slice(11, 16)} UTC`;
  banner.hidden = !since;
};

const take = (message) => {
  if (message.moves) frame(message.moves);
  if ("away" in message) away(message.away);
};

// A tab that opens asks what came between its page and now.
channel.onmessage = ({ data }) => {
  if ("since" in data) {
    if (heard.length) for (const message of heard) channel.postMessage(message);
  } else {
    take(data);
  }
};

const tell = (message) => {
  take(message);
  if (message.moves) heard.push(message);
  while (heard.length > 200) heard.shift();
  channel.postMessage(message);
};

const read = () => new Promise(() => {
  let wait = 250;
  const open = () => {
    const stream = new EventSource(last === null ? "/api/events" : `/api/events?from=${last}`);
    let silent = setTimeout(() => stream.onerror(), 40000);
    const alive = () => { clearTimeout(silent); silent = setTimeout(() => stream.onerror(), 40000); wait = 250; };
    stream.addEventListener("moves", (event) => { alive(); tell({ moves: JSON.parse(event.data) }); });
    stream.addEventListener("link", (event) => { alive(); tell({ away: JSON.parse(event.data).away }); });
    stream.onerror = () => {
      clearTimeout(silent);
      stream.close();
      tell({ away: new Date().toISOString() });
      setTimeout(open, wait);
      wait = Math.min(wait * 2, 1500);
    };
  };
  open();
});

channel.postMessage({ since: last });
navigator.locks.request("pricingd-stream", read);

// Counts down to the moment until which something is held.
const counts = document.querySelectorAll("[data-until]");
const count = () => {
  for (const element of counts) {
    const left = Math.max(0, Math.round((Date.parse(element.dataset.until) - Date.now()) / 1000));
    const time = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    element.textContent = `${element.dataset.until.slice(11, 16)} UTC, ${time} from now`;
  }
};
if (counts.length) {
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
      for (const element of counts) element.dataset.until = expiresAt;
      count();
    }, 1500);
  });
}
