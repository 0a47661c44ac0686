// Opens a sound as the server sends it: covered by a keystream and filled up, so that neither its bytes nor its size
// tell anything before it is heard. See listening_test/sealing.py, which writes what is read here.
"use strict";

const KEY_BYTES = 8;
const LENGTH_BYTES = 4;

// `bytes`: an ArrayBuffer, which is opened in place. Gives the file inside; throws RangeError for anything else.
export function unsealed(bytes) {
  const [first, second] = new Uint32Array(bytes, 0, KEY_BYTES / 4);
  const words = new Uint32Array(bytes, KEY_BYTES);
  for (let at = 0; at < words.length; at++) words[at] ^= mixed(mixed(Math.imul(at, 0x9e3779b1) + first) ^ second);
  const begin = KEY_BYTES + LENGTH_BYTES;
  if (!(words[0] <= bytes.byteLength - begin)) throw new RangeError("not a sealed sound");
  return bytes.slice(begin, begin + words[0]);
}

function mixed(word) {
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return word ^ (word >>> 16);
}
