// Plays one clip at a time, whole, from its beginning: no seeking, no speed. What was heard is counted on the clock of
// the audio output, so nothing can be claimed faster than it sounds. Whatever breaks into it (a call, a hidden page,
// headphones pulled out, a clock that stands still) ends it as "interrupted", and the next tap gets a new output.
"use strict";

import { unsealed } from "./unsealed.js";

const RAMP_SECONDS = 0.01; // a sound that begins or ends on a slope does not click
const LEAD_SECONDS = 0.03; // between the tap and the first sample, so that the beginning is never late
const SLACK_SECONDS = 0.05; // what an output's clock may fall short of at the end
const START_MS = 4000; // an output that has not begun to run by then will not
const STUCK_MS = 2000; // after an interruption some devices' clocks stand still without a word
const WATCH_MS = 250;
const GAP_SECONDS = 0.1; // an output that falls so far behind real time has been silent in between
const PATIENCE_MS = 60000; // for a whole clip: a phone that changes its network may leave a request without an end

// `kind`: network (nothing came), decode (this is no sound for this browser), sound (the device does not play).
export class SoundError extends Error {
  constructor(kind, cause) {
    super(kind, { cause });
    this.kind = kind;
  }
}

export class Player {
  #rate;
  #context = null;
  #loads = new Map(); // address -> { clip, pending, drop() }: the promise of the decoded clip, see `loading`
  #playing = null;

  constructor(sampleRate = 44100) {
    this.#rate = sampleRate;
    if (navigator.audioSession) navigator.audioSession.type = "playback"; // else an iPhone's mute switch silences it
  }

  // Fetched and decoded once, before it is asked for where possible; a failure is forgotten, so that it can be retried.
  load(url) {
    if (!this.#loads.has(url)) {
      const load = loading(url, this.#rate);
      load.clip.catch(() => this.#loads.get(url) === load && this.#loads.delete(url));
      this.#loads.set(url, load);
    }
    return this.#loads.get(url).clip;
  }

  // Forgets every clip but these.
  keep(urls) {
    for (const url of [...this.#loads.keys()]) if (!urls.includes(url)) this.#forget(url);
  }

  // Gives up what is still on its way, but for what is waited for: it may hang on a connection that is gone.
  dropPending() {
    for (const [url, load] of [...this.#loads]) if (load.pending && url !== this.#playing?.url) this.#forget(url);
  }

  #forget(url) {
    this.#loads.get(url)?.drop();
    this.#loads.delete(url);
  }

  get isPlaying() {
    return this.#playing !== null;
  }

  // What the output says of itself, once it runs.
  get facts() {
    if (!this.#context) return null;
    const latency = this.#context.outputLatency;
    return { sample_rate: Math.round(this.#context.sampleRate), output_latency: latency > 0 ? latency : null };
  }

  // To be called inside a tap. Gives { outcome: "ended" | "stopped" | "interrupted", seconds, loops, glitches } when
  // the sound is over; `onStart()` is called when it begins, `onProgress(share, seconds)` while it plays. `part`, a
  // pair of seconds, is repeated until it is stopped. Throws SoundError.
  async play(url, { part = null, onStart = () => {}, onProgress = () => {} } = {}) {
    this.stop();
    const playing = this.#begin(url);
    try {
      const context = this.#wake(); // before anything is awaited: browsers only count the tap itself
      const whole = await Promise.race([this.load(url), playing.cancelled]);
      if (whole) await Promise.race([this.#run(context), playing.cancelled]);
      if (playing.isCancelled) return { outcome: "stopped", seconds: 0, loops: 0, glitches: 0 };
      const buffer = part ? partOf(whole, ...part) : whole;
      return await this.#sound(playing, context, buffer, { loop: part !== null, onStart, onProgress });
    } finally {
      if (this.#playing === playing) this.#playing = null;
    }
  }

  // Until it sounds, a stop is an end at once, and gives up a clip that does not come: the next tap asks for it anew.
  #begin(url) {
    const playing = { url, isCancelled: false };
    playing.cancelled = new Promise((resolve) => {
      playing.end = () => {
        playing.isCancelled = true;
        if (this.#loads.get(url)?.pending) this.#forget(url);
        resolve(null);
        return null;
      };
    });
    this.#playing = playing;
    return playing;
  }

  // Gives what `play` will give, where something sounded.
  stop() {
    return this.#playing?.end("stopped") ?? null;
  }

  #wake() {
    if (this.#context && !["running", "suspended"].includes(this.#context.state)) this.#discard();
    try {
      this.#context ??= newContext(this.#rate);
    } catch (cause) {
      throw new SoundError("sound", cause);
    }
    this.#context.resume().catch(() => {}); // #run looks at what came of it
    return this.#context;
  }

  async #run(context) {
    const asked = performance.now();
    while (context.state !== "running") {
      if (performance.now() - asked > START_MS) {
        this.#discard();
        throw new SoundError("sound");
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  // A context that was interrupted may never run again: the next tap gets a new one.
  #discard() {
    this.#context?.close().catch(() => {});
    this.#context = null;
  }

  #sound(playing, context, buffer, { loop, onStart, onProgress }) {
    const source = new AudioBufferSourceNode(context, { buffer, loop });
    const gain = new GainNode(context, { gain: 0 });
    source.connect(gain).connect(context.destination);
    const begin = context.currentTime + LEAD_SECONDS;
    gain.gain.setValueAtTime(0, begin);
    gain.gain.linearRampToValueAtTime(1, begin + RAMP_SECONDS);
    source.start(begin);
    onStart();
    const gone = () => Math.max(0, context.currentTime - begin);
    const heard = () => (loop ? gone() : Math.min(buffer.duration, gone()));

    return new Promise((resolve) => {
      const glitches = countGlitches(context);
      const frame = drawing(() => onProgress((gone() / buffer.duration) % (loop ? 1 : Infinity), heard()));
      const watch = watchFor(context, () => finish("interrupted"));
      const finish = (outcome) => {
        const whole = outcome === "ended" && heard() >= buffer.duration - SLACK_SECONDS;
        const result = {
          outcome: outcome === "ended" && !whole ? "interrupted" : outcome,
          seconds: whole ? buffer.duration : heard(),
          loops: loop ? Math.floor(heard() / buffer.duration) : 0,
          glitches: glitches.end(),
        };
        watch.end();
        frame.end();
        source.onended = null;
        playing.end = () => null;
        if (result.outcome === "stopped") fadeOut(context, gain, source);
        if (result.outcome === "interrupted") this.#discard();
        resolve(result);
        return result;
      };
      source.onended = () => finish("ended");
      playing.end = finish;
    });
  }
}

function newContext(sampleRate) {
  const Context = window.AudioContext ?? window.webkitAudioContext;
  try {
    return new Context({ sampleRate }); // the clip's own rate: nothing is resampled on the way
  } catch {
    return new Context(); // a device that cannot: the browser resamples, and `facts` tells the rate
  }
}

function loading(url, rate) {
  const given = new AbortController();
  const timer = setTimeout(() => given.abort(), PATIENCE_MS);
  const load = { pending: true, drop: () => given.abort() };
  const bytes = fetched(url, given.signal).finally(() => {
    load.pending = false;
    clearTimeout(timer);
  });
  load.clip = bytes.then((whole) => decoded(whole, rate));
  return load;
}

async function fetched(url, signal) {
  let answer;
  try {
    answer = await fetch(url, { credentials: "same-origin", signal });
    if (answer.ok) return await answer.arrayBuffer();
  } catch (cause) {
    throw new SoundError("network", cause);
  }
  throw new SoundError("network", answer.status);
}

async function decoded(bytes, sampleRate) {
  const Offline = window.OfflineAudioContext ?? window.webkitOfflineAudioContext; // needs no tap
  try {
    return await new Offline(2, 1, sampleRate).decodeAudioData(unsealed(bytes));
  } catch (cause) {
    throw new SoundError("decode", cause);
  }
}

function fadeOut(context, gain, source) {
  const now = context.currentTime;
  gain.gain.cancelScheduledValues(now);
  gain.gain.setValueAtTime(gain.gain.value, now);
  gain.gain.linearRampToValueAtTime(0, now + RAMP_SECONDS);
  source.stop(now + 2 * RAMP_SECONDS);
}

// A part of a clip that can be repeated without a click: its ends are ramps.
function partOf(whole, from, to) {
  const { sampleRate, numberOfChannels } = whole;
  const first = Math.round(from * sampleRate);
  const length = Math.max(1, Math.min(whole.length, Math.round(to * sampleRate)) - first);
  const part = new AudioBuffer({ length, sampleRate, numberOfChannels });
  const ramp = Math.min(Math.round(RAMP_SECONDS * sampleRate), length >> 1);
  for (let channel = 0; channel < numberOfChannels; channel += 1) {
    const samples = whole.getChannelData(channel).slice(first, first + length);
    for (let at = 0; at < ramp; at += 1) {
      samples[at] *= at / ramp;
      samples[length - 1 - at] *= at / ramp;
    }
    part.copyToChannel(samples, channel);
  }
  return part;
}

// Everything that may break into a sound.
function watchFor(context, onBroken) {
  const ends = [];
  const on = (target, event, isBroken = () => true) => {
    const react = () => isBroken() && onBroken();
    target?.addEventListener?.(event, react);
    ends.push(() => target?.removeEventListener?.(event, react));
  };
  on(context, "statechange", () => context.state !== "running");
  on(context, "error"); // the output failed
  on(navigator.mediaDevices, "devicechange"); // headphones came or went
  on(navigator.audioSession, "statechange", () => navigator.audioSession.state === "interrupted"); // a call, on iOS
  on(document, "visibilitychange", () => document.hidden);
  on(window, "pagehide");
  const clock = watchClock(context, onBroken);
  return {
    end: () => {
      clock.end();
      for (const end of ends) end();
    },
  };
}

function watchClock(context, onStuck) {
  let last = context.currentTime;
  let moved = performance.now();
  const timer = setInterval(() => {
    if (context.currentTime !== last) [last, moved] = [context.currentTime, performance.now()];
    else if (performance.now() - moved > STUCK_MS) onStuck();
  }, WATCH_MS);
  return { end: () => clearInterval(timer) };
}

// Gaps in the output: from the browser where it tells, else by its clock, which falls behind real time.
function countGlitches(context) {
  const stats = context.playbackStats ?? context.playoutStats;
  const told = () => stats?.underrunEvents ?? stats?.fallbackFramesEvents;
  const before = told();
  if (before !== undefined) return { end: () => Math.max(0, told() - before) };
  let gaps = 0;
  let least = Infinity;
  const look = () => {
    const behind = performance.now() / 1000 - context.currentTime;
    if (behind > least + GAP_SECONDS) [gaps, least] = [gaps + 1, behind];
    else least = Math.min(least, behind);
  };
  const timer = setInterval(look, WATCH_MS);
  return {
    end: () => {
      clearInterval(timer);
      return gaps;
    },
  };
}

function drawing(draw) {
  let request = requestAnimationFrame(function again() {
    draw();
    request = requestAnimationFrame(again);
  });
  return { end: () => cancelAnimationFrame(request) };
}
