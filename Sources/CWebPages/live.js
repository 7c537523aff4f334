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
  document.dispatchEvent(new CustomEvent("move", { detail: item }));
  const list = document.getElementById("moves");
  if (item.topic !== "price" || !list) return;
  const line = document.createElement("li");
  const link = document.createElement("a");
  link.href = `/products/${item.key}`;
  link.textContent = item.after.title || `product ${item.key}`;
  const figures = document.createElement("span");
  figures.className = `n ${Number(item.after.price) > Number(item.before.price) ? "up" : "down"}`;
  figures.textContent = `${money(item.before.price)} → ${money(item.after.price)}`;
  const why = document.createElement("span");
  why.className = "why";
  why.textContent = item.after.reason || "";
  line.append(link, figures, why);
  list.prepend(line);
  while (list.children.length > 30) list.lastElementChild.remove();
};

const frame = (data) => {
  if (last !== null && data.sequence <= last) return;
  const missed = last !== null && data.gap;
  last = data.sequence;
  if (missed) return location.reload();
  data.items.forEach(move);
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
