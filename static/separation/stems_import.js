// Choosing or dropping an archive, a folder or files, and sending them song after song with their progress. Without
// this script the form itself sends what was chosen in it.
import { element, failed, heading, onDrop, ownButton, size } from "./choosing.js";

{
  const form = document.querySelector("#import");
  if (form) start(form);
}

function start(form) {
  const input = form.querySelector('input[name="stems"]');
  const folder = document.querySelector("#folder");
  const drop = document.querySelector("#drop");
  const chosen = document.querySelector("#chosen");
  const results = document.querySelector("#results");
  const button = form.querySelector(".actions button.primary");
  const words = form.dataset;

  ownButton(input);
  input.removeAttribute("name"); // what is sent is kept in `groups`
  document.querySelector("#choose-folder").addEventListener("click", () => folder.click());

  // A group is what is sent at once: an archive, or the files of one folder.
  let groups = [];

  const grouped = (entries) => {
    const made = new Map();
    for (const { file, path } of entries) {
      if (path.split("/").some((part) => part.startsWith("."))) continue; // left behind by the operating system
      const archive = /\.(zip|7z|rar|tar|tgz|gz)$/i.test(file.name);
      const key = archive ? path : path.split("/").slice(0, -1).join("/");
      if (!made.has(key)) made.set(key, { name: archive ? file.name : key.split("/").pop() || words.noFolder, entries: [] });
      made.get(key).entries.push({ file, path });
    }
    return [...made.values()];
  };

  const row = (group) => {
    const total = group.entries.reduce((sum, { file }) => sum + file.size, 0);
    const count = group.entries.length > 1 ? ` · ${words.files.replace("{count}", group.entries.length)}` : "";
    const bar = element("progress", { max: 1, value: 0, hidden: true });
    const state = element("p", { className: "small soft state", textContent: size(total) + count });
    const dropped = () => draw(groups.filter((other) => other !== group));
    const { line, remove } = heading(group.name, words.remove, dropped);
    const item = element("li", {}, line, bar, state);
    return Object.assign(group, { item, bar, state, remove, total });
  };

  const draw = (list) => {
    groups = list.map(row);
    chosen.replaceChildren(...groups.map((group) => group.item));
    chosen.hidden = !groups.length;
    results.replaceChildren(); // they were of other files
  };

  const of = (file) => ({ file, path: file.webkitRelativePath || file.name });
  input.addEventListener("change", () => draw(grouped([...input.files].map(of))));
  folder.addEventListener("change", () => draw(grouped([...folder.files].map(of))));

  // What is dropped may be a folder, whose files come in batches.
  const inside = async (entry) => {
    if (entry.isFile) {
      const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
      return [{ file, path: entry.fullPath.replace(/^\//, "") }];
    }
    const reader = entry.createReader();
    const found = [];
    for (;;) {
      const batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!batch.length) return found;
      for (const each of batch) found.push(...(await inside(each)));
    }
  };

  onDrop(drop, async (dropped) => {
    if (form.dataset.busy) return;
    const entries = [...dropped.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    const found = [];
    for (const entry of entries) found.push(...(await inside(entry)));
    draw(grouped([...groups.flatMap((group) => group.entries), ...found]));
  });

  // The answer is the page's own results, which the server has drawn.
  const send = (group, fields) =>
    new Promise((resolve) => {
      if (group.entries.some(({ file }) => file.size > Number(words.limit))) {
        failed(group, words.tooBig);
        return resolve("");
      }
      const data = new FormData();
      for (const [name, value] of fields) data.append(name, value);
      for (const { file, path } of group.entries) {
        data.append("stems", file);
        data.append("paths", path);
      }
      const request = new XMLHttpRequest();
      request.open("POST", form.action);
      request.setRequestHeader("X-Requested-With", "XMLHttpRequest");
      group.bar.hidden = false;
      group.bar.value = 0;
      group.item.className = "";
      group.state.className = "small soft state";
      group.state.textContent = words.sending;
      request.upload.addEventListener("progress", (event) => {
        if (event.lengthComputable) group.bar.value = event.loaded / event.total;
      });
      request.upload.addEventListener("load", () => {
        group.bar.removeAttribute("value"); // as long as it takes to decode and compare
        group.state.textContent = words.checking;
      });
      request.addEventListener("error", () => {
        failed(group, words.lost);
        resolve("");
      });
      request.addEventListener("load", () => {
        if (request.status !== 200) {
          failed(group, words.lost);
          return resolve("");
        }
        group.bar.hidden = true;
        group.state.textContent = words.done;
        resolve(request.responseText);
      });
      request.send(data);
    });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    delete form.dataset.sent;
    if (form.dataset.busy) return;
    form.dataset.busy = "1";
    button.disabled = input.disabled = true;
    const fields = [...new FormData(form)].filter(([, value]) => typeof value === "string");
    for (const group of groups) {
      group.remove.hidden = true;
      group.state.textContent = words.waiting;
    }
    const left = results.querySelector("tr[data-state]") ? unfinished() : groups;
    results.replaceChildren();
    const empty = { entries: [], ...row({ name: "", entries: [] }) }; // the server says what is missing
    for (const group of left.length || groups.length ? left : [empty]) {
      group.answer = await send(group, fields);
      const part = document.createElement("div");
      part.innerHTML = group.answer;
      part.dataset.group = groups.indexOf(group);
      numbered(part);
      results.append(part);
    }
    delete form.dataset.busy;
    button.disabled = input.disabled = false;
    results.scrollIntoView({ block: "nearest" });
    await refresh();
  });

  // The list of systems, with what has just come in.
  const refresh = async () => {
    const response = await fetch(form.action, { headers: { Accept: "text/html" } });
    if (!response.ok) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const list = page.querySelector("#systems-list");
    if (list) document.querySelector("#systems-list").replaceWith(list);
  };

  // Groups of which something was not imported: only these are sent again.
  const unfinished = () =>
    groups.filter((group, number) => {
      const part = results.querySelector(`[data-group="${number}"]`);
      return !part || !part.querySelector("tr[data-state]") || part.querySelector('[data-state="choice"], [data-state="refused"]');
    });

  // Several answers on one page: their labels must not be mistaken for one another.
  const numbered = (part) => {
    for (const select of part.querySelectorAll("select[id]")) {
      const id = `${select.id}-of-${part.dataset.group}`;
      part.querySelector(`label[for="${select.id}"]`)?.setAttribute("for", id);
      select.id = id;
    }
  };
}
