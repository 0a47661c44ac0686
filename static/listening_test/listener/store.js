// A small memory that outlives the page: IndexedDB, else localStorage, else (both refused) only the page itself.
"use strict";

const DATABASE = "stemmos";
const TABLE = "kept";
const PATIENCE_MS = 2000; // some browsers' IndexedDB never answers; the listener is not to wait for it

// `get(key)` gives null for what was never set. Values are plain data. Nothing here throws.
export async function openStore() {
  const database = await indexed().catch(() => null);
  return database ? new Indexed(database) : beside();
}

function beside() {
  return storageWorks() ? new Stored() : new Kept();
}

// A browser may drop the connection behind a page in the background (WebKit does). It is opened once more; where that
// is in vain, what is set is kept beside. What is found there is newer than what the database has.
class Indexed {
  #opening; // promise of the database
  #mayReopen = true;
  #beside = beside();
  #newest = new Map(); // key -> what names the last `set` of it

  constructor(database) {
    this.#opening = Promise.resolve(this.#watched(database));
  }

  async get(key) {
    const newer = await this.#beside.get(key);
    return newer ?? (await this.#ask("readonly", (table) => table.get(key)).catch(() => null)) ?? null;
  }

  async set(key, value) {
    const mine = {};
    this.#newest.set(key, mine);
    const isOld = () => this.#newest.get(key) !== mine; // what is tried again may have been overtaken
    try {
      await this.#ask("readwrite", (table) => (isOld() ? null : table.put(value, key)));
      if (!isOld()) await this.#beside.remove(key);
    } catch {
      if (!isOld()) await this.#beside.set(key, value);
    }
  }

  async #ask(mode, act) {
    const opening = this.#opening;
    try {
      const request = act((await opening).transaction(TABLE, mode).objectStore(TABLE));
      const answer = request && (await settled(request));
      this.#mayReopen = true;
      return answer;
    } catch (cause) {
      if (!this.#reopen(opening)) throw cause;
      return this.#ask(mode, act);
    }
  }

  // Whether there is another connection to try than the one that failed.
  #reopen(failed) {
    if (this.#opening === failed && this.#mayReopen) {
      this.#mayReopen = false;
      this.#opening = indexed().then((database) => this.#watched(database));
      this.#opening.catch(() => {}); // who asks next is told
      failed.then((database) => database.close()).catch(() => {});
    }
    return this.#opening !== failed;
  }

  #watched(database) {
    database.onclose = () => this.#reopen(this.#opening);
    return database;
  }
}

class Stored {
  async get(key) {
    try {
      return JSON.parse(localStorage.getItem(`${DATABASE}:${key}`));
    } catch {
      return null;
    }
  }

  async set(key, value) {
    try {
      localStorage.setItem(`${DATABASE}:${key}`, JSON.stringify(value));
    } catch {
      // a full disk: what is on the page is still sent
    }
  }

  async remove(key) {
    try {
      localStorage.removeItem(`${DATABASE}:${key}`);
    } catch {
      // as above
    }
  }
}

class Kept {
  #values = new Map();

  async get(key) {
    return this.#values.get(key) ?? null;
  }

  async set(key, value) {
    this.#values.set(key, value);
  }

  async remove(key) {
    this.#values.delete(key);
  }
}

function indexed() {
  return new Promise((resolve, reject) => {
    setTimeout(reject, PATIENCE_MS);
    const opening = indexedDB.open(DATABASE, 1); // throws, and so rejects, where it is refused
    opening.onupgradeneeded = () => opening.result.createObjectStore(TABLE);
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = opening.onblocked = reject;
  });
}

function settled(request) {
  return new Promise((resolve, reject) => {
    setTimeout(reject, PATIENCE_MS); // a connection that is lost does not always say so
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function storageWorks() {
  try {
    localStorage.setItem(DATABASE, "1");
    localStorage.removeItem(DATABASE);
    return true;
  } catch {
    return false;
  }
}
