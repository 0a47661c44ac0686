// Plays one clip at a time, whole, from its beginning: no seeking, no speed. What was heard is counted on the clock of
// the audio output, so nothing can be claimed faster than it sounds.
"use strict";

const RAMP_SECONDS = 0.01; // a sound that begins or ends on a slope does not click
const LEAD_SECONDS = 0.03; // between the tap and the first sample, so that the beginning is never late
const SLACK_SECONDS = 0.05; // what an output's clock may fall short of at the end
const START_MS = 4000; // an output that has not begun to run by then will not
const STUCK_MS = 2000; // after an interruption some devices' clocks stand still without a word
const WATCH_MS = 250;

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
  #buffers = new Map(); // address -> promise of the decoded clip
  #playing = null;

  constructor(sampleRate = 44100) {
    this.#rate = sampleRate;
    if (navigator.audioSession) navigator.audioSession.type = "playback"; // else an iPhone's mute switch silences it
  }

  // Fetched and decoded once, before it is asked for where possible; a failure is forgotten, so that it can be retried.
  load(url) {
    if (!this.#buffers.has(url)) {
      const loading = fetched(url).then((bytes) => decoded(bytes, this.#rate));
      loading.catch(() => this.#buffers.delete(url));
      this.#buffers.set(url, loading);
    }
    return this.#buffers.get(url);
  }

  // Forgets every clip but these.
  keep(urls) {
    for (const url of this.#buffers.keys()) if (!urls.includes(url)) this.#buffers.delete(url);
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

  // To be called inside a tap. Gives { outcome: "ended" | "stopped" | "interrupted", seconds } when the sound is over;
  // `onStart()` is called when it begins, `onProgress(share)` while it plays. Throws SoundError.
  async play(url, { onStart = () => {}, onProgress = () => {} } = {}) {
    this.stop();
    const playing = { cancelled: false, end: () => (playing.cancelled = true) };
    this.#playing = playing;
    try {
      const context = this.#wake(); // before anything is awaited: browsers only count the tap itself
      const buffer = await this.load(url);
      await this.#run(context);
      if (playing.cancelled) return { outcome: "stopped", seconds: 0 };
      return await this.#sound(playing, context, buffer, onStart, onProgress);
    } finally {
      if (this.#playing === playing) this.#playing = null;
    }
  }

  stop() {
    this.#playing?.end("stopped");
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

  #sound(playing, context, buffer, onStart, onProgress) {
    const source = new AudioBufferSourceNode(context, { buffer });
    const gain = new GainNode(context, { gain: 0 });
    source.connect(gain).connect(context.destination);
    const begin = context.currentTime + LEAD_SECONDS;
    gain.gain.setValueAtTime(0, begin);
    gain.gain.linearRampToValueAtTime(1, begin + RAMP_SECONDS);
    source.start(begin);
    onStart();
    const heard = () => Math.min(buffer.duration, Math.max(0, context.currentTime - begin));

    return new Promise((resolve) => {
      const watch = watchClock(context, () => finish("interrupted"));
      const frame = drawing(() => onProgress(heard() / buffer.duration));
      const finish = (outcome) => {
        const seconds = heard();
        watch.end();
        frame.end();
        context.removeEventListener("statechange", stateChanged);
        source.onended = null;
        playing.end = () => {};
        if (outcome === "stopped") fadeOut(context, gain, source);
        if (outcome === "interrupted") this.#discard();
        const whole = outcome === "ended" && seconds >= buffer.duration - SLACK_SECONDS;
        resolve({ outcome: outcome === "ended" && !whole ? "interrupted" : outcome, seconds: whole ? buffer.duration : seconds });
      };
      const stateChanged = () => context.state !== "running" && finish("interrupted");
      context.addEventListener("statechange", stateChanged);
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

async function fetched(url) {
  let answer;
  try {
    answer = await fetch(url, { credentials: "same-origin" });
    if (answer.ok) return await answer.arrayBuffer();
  } catch (cause) {
    throw new SoundError("network", cause);
  }
  throw new SoundError("network", answer.status);
}

async function decoded(bytes, sampleRate) {
  const Offline = window.OfflineAudioContext ?? window.webkitOfflineAudioContext; // needs no tap
  try {
    return await new Offline(2, 1, sampleRate).decodeAudioData(bytes);
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

function watchClock(context, onStuck) {
  let last = context.currentTime;
  let moved = performance.now();
  const timer = setInterval(() => {
    if (context.currentTime !== last) [last, moved] = [context.currentTime, performance.now()];
    else if (performance.now() - moved > STUCK_MS) onStuck();
  }, WATCH_MS);
  return { end: () => clearInterval(timer) };
}

function drawing(draw) {
  let request = requestAnimationFrame(function again() {
    draw();
    request = requestAnimationFrame(again);
  });
  return { end: () => cancelAnimationFrame(request) };
}
