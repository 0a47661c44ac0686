// A small memory that outlives the page: IndexedDB, else localStorage, else (both refused) only the page itself.
"use strict";

const DATABASE = "stemmos";
const TABLE = "kept";
const PATIENCE_MS = 2000; // some browsers' IndexedDB never answers; the listener is not to wait for it

// `get(key)` gives null for what was never set. Values are plain data. Nothing here throws.
export async function openStore() {
  const database = await indexed().catch(() => null);
  if (database) return new Indexed(database);
  return storageWorks() ? new Stored() : new Kept();
}

class Indexed {
  #database;

  constructor(database) {
    this.#database = database;
  }

  async get(key) {
    const table = this.#database.transaction(TABLE).objectStore(TABLE);
    return (await settled(table.get(key)).catch(() => null)) ?? null;
  }

  async set(key, value) {
    try {
      await settled(this.#database.transaction(TABLE, "readwrite").objectStore(TABLE).put(value, key));
    } catch {
      // a full disk: what is on the page is still sent
    }
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
