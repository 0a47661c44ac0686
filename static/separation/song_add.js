// Choosing or dropping files, and sending them one after another with their progress. Without this script the form
// itself sends them all.
import { element, failed, heading, onDrop, ownButton, size } from "./choosing.js";

{
  const form = document.querySelector("#upload");
  const input = form.querySelector('input[type="file"]');
  const drop = document.querySelector("#drop");
  const chosen = document.querySelector("#chosen");
  const button = form.querySelector("button.primary");
  const words = form.dataset;

  ownButton(input);

  // One row for each file: name, size, bar, and what became of it.
  const row = (file) => {
    const bar = element("progress", { max: 1, value: 0, hidden: true });
    const state = element("p", { className: "small soft state" });
    const { line, remove } = heading(file.name, words.remove, () => keep(files().filter((other) => other !== file)));
    const item = element("li", {}, line, bar, state);
    state.textContent = size(file.size);
    return { file, item, bar, state, remove };
  };

  let rows = [];
  const files = () => rows.map((entry) => entry.file);

  const keep = (list) => {
    const transfer = new DataTransfer();
    for (const file of list) transfer.items.add(file);
    input.files = transfer.files;
    draw(list);
  };

  const draw = (list) => {
    rows = list.map(row);
    chosen.replaceChildren(...rows.map((entry) => entry.item));
    chosen.hidden = !rows.length;
  };

  input.addEventListener("change", () => draw([...input.files]));
  onDrop(drop, (dropped) => {
    if (!form.dataset.busy) keep([...files(), ...dropped.files]);
  });

  const added = (entry, result) => {
    entry.bar.hidden = true;
    entry.item.className = "notice good";
    entry.state.replaceChildren(element("a", { href: result.url, textContent: result.title }), ` · ${words.added}`);
  };

  const send = (entry) =>
    new Promise((resolve) => {
      if (entry.file.size > Number(words.limit)) {
        failed(entry, words.tooBig);
        return resolve(null);
      }
      const data = new FormData(form);
      data.delete(input.name);
      data.append(input.name, entry.file);
      const request = new XMLHttpRequest();
      request.open("POST", form.action);
      request.setRequestHeader("Accept", "application/json");
      request.responseType = "json";
      entry.bar.hidden = false;
      entry.state.textContent = words.sending;
      request.upload.addEventListener("progress", (event) => {
        if (event.lengthComputable) entry.bar.value = event.loaded / event.total;
      });
      request.upload.addEventListener("load", () => {
        entry.bar.removeAttribute("value"); // as long as it takes to decode
        entry.state.textContent = words.checking;
      });
      request.addEventListener("error", () => {
        failed(entry, words.lost);
        resolve(null);
      });
      request.addEventListener("load", () => {
        const result = request.response?.results?.[0];
        if (!result) failed(entry, words.lost);
        else if (result.error) failed(entry, result.error);
        else added(entry, result);
        resolve(result?.url ?? null);
      });
      request.send(data);
    });

  form.addEventListener("submit", async (event) => {
    if (!rows.length) return; // the server says what is missing
    event.preventDefault();
    form.dataset.busy = "1";
    document.querySelector("#results").replaceChildren();
    button.disabled = input.disabled = true;
    for (const entry of rows) {
      entry.remove.hidden = true;
      entry.state.textContent = words.waiting;
    }
    chosen.scrollIntoView({ block: "nearest" });
    const addresses = [];
    for (const entry of rows) addresses.push(await send(entry));
    if (addresses.every(Boolean)) {
      location.assign(addresses.length === 1 ? addresses[0] : words.songsUrl);
      return;
    }
    delete form.dataset.busy;
    button.disabled = input.disabled = false;
    input.value = "";
    chosen.scrollIntoView({ block: "nearest" });
    rows = []; // what was refused stays to be read; what is chosen next takes its place
  });
}
