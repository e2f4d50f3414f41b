/**
 * The room of {% tavus_room %} and the check of {% tavus_device_check %}.
 *
 * A room looks how its conversation stands, and says when its page goes. Every [data-tavus-room]
 * is looked after by itself. Each answer is offered to the page as a bubbling "tavus:status"
 * event; where something else is to be shown, the page is loaded anew, unless a listener has
 * called preventDefault().
 *
 * A check ([data-tavus-check]) shows and hears what camera and microphone give; it sends nothing.
 */

const RETRY_SECONDS = 3; // after a failed look; a page must show itself within 8 s of a reload

class Room {
  constructor(element) {
    this.element = element;
    this.etag = null;
    this.timer = null;
    this.seconds = Number(element.dataset.pollSeconds);
    this.reloading = false;
    this.failures = 0;
    this.noted = null;
  }

  start() {
    const { statusUrl } = this.element.dataset;
    addEventListener("pagehide", () => this.left());
    if (!statusUrl) return; // shown to everybody: there is nobody who may ask
    if (history.state?.tavusFocus === statusUrl) this.takeFocus();
    // Back from the browser's cache of pages, a page has to show itself before it is counted out.
    addEventListener("pageshow", (event) => event.persisted && this.look());
    if (this.seconds) this.look();
  }

  left() {
    clearTimeout(this.timer);
    this.pending?.abort();
    const url = this.element.dataset.leaveUrl;
    // A reload of our own making is no departure.
    if (url && !this.reloading) navigator.sendBeacon(url, "left");
  }

  async look() {
    clearTimeout(this.timer);
    const seconds = await this.ask();
    if (seconds) this.timer = setTimeout(() => this.look(), seconds * 1000);
  }

  /** Ask once; returns the seconds until the next time, or nothing for never. */
  async ask() {
    this.pending = new AbortController();
    const response = await this.answer(this.pending.signal).catch((error) => error);
    if (response.name === "AbortError") return undefined;
    if (response instanceof Error || response.status >= 500 || response.status === 429) {
      return this.failed();
    }
    if (!response.ok && response.status !== 304) return this.note("stopped"); // signed out, or gone
    this.failures = 0;
    this.note(null);
    return response.told ? this.show(response.told) : this.seconds;
  }

  /** What the site says: a page of a proxy, or half an answer, is none, and throws. */
  async answer(signal) {
    const response = await fetch(this.element.dataset.statusUrl, {
      headers: this.etag ? { "If-None-Match": this.etag } : {},
      cache: "no-store",
      credentials: "same-origin",
      redirect: "manual", // to a login page, which says nothing of the room
      signal,
    });
    const { ok, status } = response;
    const told = ok ? await response.json() : null;
    if (ok) this.etag = response.headers.get("ETag");
    return { ok, status, told };
  }

  /** One failed look worries nobody; the visitor is told of the second in a row. */
  failed() {
    this.failures += 1;
    if (this.failures > 1) this.note("offline");
    return RETRY_SECONDS;
  }

  /** Say in the page how the looking goes, or that all is well again; returns nothing. */
  note(name) {
    if (name === this.noted) return; // a screen reader would say it again
    this.noted = name;
    const sentence = this.element.querySelector(`[data-tavus-notice-of="${name}"]`);
    const shown = sentence ? [sentence.content.cloneNode(true)] : [];
    this.element.querySelector("[data-tavus-notice]")?.replaceChildren(...shown);
  }

  show(status) {
    const event = new CustomEvent("tavus:status", {
      bubbles: true,
      cancelable: true,
      detail: status,
    });
    const allowed = this.element.dispatchEvent(event);
    this.place(status.queue_position);
    if (this.differs(status) && allowed) return this.reload();
    this.seconds = status.poll_seconds;
    return this.seconds;
  }

  reload() {
    // Whoever was in the room with the keyboard must not be thrown to the top of the page.
    if (this.element.contains(document.activeElement)) this.remember(this.element.dataset.statusUrl);
    this.reloading = true;
    location.reload();
  }

  /** Keep for after the reload in which room the focus was; unlike storage it cannot be barred. */
  remember(tavusFocus) {
    history.replaceState({ ...history.state, tavusFocus }, "");
  }

  takeFocus() {
    this.remember(undefined);
    this.element.tabIndex = -1;
    this.element.focus();
  }

  differs({ phase, turns }) {
    const { phase: shown, turns: read } = this.element.dataset;
    return phase !== shown || String(turns ?? "") !== read;
  }

  place(position) {
    const place = this.element.querySelector("[data-tavus-position]");
    if (!place || !position) return;
    // Written only when it moves, or a screen reader would say it at every look.
    if (place.textContent !== String(position)) place.textContent = position;
    place.parentElement.hidden = false;
  }
}

const AUDIBLE = 0.05; // of the meter; the noise of a quiet room stays below
const SILENCE_SECONDS = 8;

class DeviceCheck {
  constructor(element) {
    this.element = element;
    this.button = element.querySelector("[data-tavus-check-button]");
    this.preview = element.querySelector("[data-tavus-preview]");
    this.level = element.querySelector("[data-tavus-level]");
    this.label = this.button.textContent;
    this.busy = false;
  }

  start() {
    this.element.hidden = false; // without scripts it could do nothing
    this.button.addEventListener("click", () => this.toggle());
    addEventListener("pagehide", () => this.stream && this.stop());
  }

  async toggle() {
    if (this.stream) return this.stop("off");
    if (this.busy) return undefined; // not "disabled", which would take the focus away
    this.busy = true;
    this.say("asking");
    try {
      this.show(await this.open());
    } catch (error) {
      this.say(error.name);
    }
    this.busy = false;
    return undefined;
  }

  async open() {
    const devices = navigator.mediaDevices;
    if (!devices) throw new DOMException("", "InsecureContext");
    const audio = { audio: true };
    if ("audioOnly" in this.element.dataset) return devices.getUserMedia(audio);
    try {
      return await devices.getUserMedia({ audio: true, video: true });
    } catch (error) {
      if (error.name !== "NotFoundError") throw error;
      return devices.getUserMedia(audio); // one can be heard without a camera
    }
  }

  show(stream) {
    this.stream = stream;
    const seen = stream.getVideoTracks().length > 0;
    this.preview.srcObject = seen ? stream : null;
    this.preview.hidden = !seen;
    this.level.hidden = false;
    this.button.textContent = this.sentence("stop");
    const noCamera = "audioOnly" in this.element.dataset ? "" : "no-camera";
    this.picture = seen ? "camera" : noCamera;
    this.say(this.picture, "speak");
    // Somebody has pulled the plug, or taken the permission back: that ends every track.
    for (const track of stream.getTracks()) {
      track.addEventListener("ended", () => this.stream === stream && this.stop("NotReadableError"));
    }
    this.listen(stream);
  }

  listen(stream) {
    this.audio = new AudioContext();
    const analyser = this.audio.createAnalyser();
    this.audio.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const meter = this.level.querySelector("meter");
    const began = performance.now();
    let said = "speak";
    const look = () => {
      if (this.stream !== stream) return;
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
      meter.value = Math.min(1, 4 * Math.sqrt(power));
      const silent = performance.now() - began > SILENCE_SECONDS * 1000 ? "silence" : "speak";
      const now = said === "heard" || meter.value > AUDIBLE ? "heard" : silent;
      // Written only when it changes: a screen reader says each writing.
      if (now !== said) this.say(this.picture, (said = now));
      requestAnimationFrame(look);
    };
    look();
  }

  stop(sentence) {
    for (const track of this.stream.getTracks()) track.stop();
    this.stream = null;
    this.audio.close();
    this.preview.srcObject = null;
    this.preview.hidden = true;
    this.level.hidden = true;
    this.button.textContent = this.label;
    this.say(sentence);
  }

  say(...names) {
    this.element.querySelectorAll("[data-tavus-note]").forEach((note, index) => {
      note.textContent = names[index] ? this.sentence(names[index]) : "";
    });
  }

  sentence(name) {
    const known = this.element.querySelector(`[data-tavus-say="${name}"]`);
    return (known ?? this.element.querySelector('[data-tavus-say="other"]')).content.textContent;
  }
}

for (const element of document.querySelectorAll("[data-tavus-room]")) new Room(element).start();
for (const element of document.querySelectorAll("[data-tavus-check]")) new DeviceCheck(element).start();
