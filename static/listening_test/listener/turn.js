// One tab at a time: two that play and send at once would confuse a listener, and the order of what is sent.
"use strict";

// Calls `onTurn()` once this tab has the turn, `onWaiting()` where another one has it, and `onLost()` when another one
// takes it away. Gives a function that takes it from whoever has it. Browsers without Web Locks (pages without HTTPS)
// cannot tell: there every tab has its turn, and the server sorts out what they send.
export function takeTurns(name, { onTurn, onWaiting, onLost }) {
  if (!navigator.locks) {
    onTurn();
    return () => {};
  }
  const waiting = new AbortController();
  const hold = () => {
    onTurn();
    return new Promise(() => {}); // until the page is gone
  };
  const queue = () => {
    onWaiting();
    const { signal } = waiting;
    navigator.locks.request(name, { signal }, hold).catch(() => signal.aborted || onLost());
  };
  navigator.locks.request(name, { ifAvailable: true }, (lock) => (lock ? hold() : queue())).catch(onLost);
  return () => {
    waiting.abort();
    navigator.locks.request(name, { steal: true }, hold).catch(onLost);
  };
}
