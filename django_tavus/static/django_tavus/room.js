/**
 * The room of {% tavus_room %}: looks how the conversation stands, and says when its page goes.
 *
 * Every [data-tavus-room] is looked after by itself. Each answer is offered to the page as a
 * bubbling "tavus:status" event; where something else is to be shown, the page is loaded anew,
 * unless a listener has called preventDefault().
 */

const RETRY_SECONDS = 3; // after a failed look; a page must show itself within 8 s of a reload

class Room {
  constructor(element) {
    this.element = element;
    this.etag = null;
    this.timer = null;
    this.seconds = Number(element.dataset.pollSeconds);
    this.reloading = false;
  }

  start() {
    addEventListener("pagehide", () => this.left());
    // Back from the browser's cache of pages, a page has to show itself before it is counted out.
    addEventListener("pageshow", (event) => event.persisted && this.look());
    if (this.element.dataset.statusUrl && this.seconds) this.look();
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
    const headers = this.etag ? { "If-None-Match": this.etag } : {};
    let response;
    try {
      response = await fetch(this.element.dataset.statusUrl, {
        headers,
        cache: "no-store",
        credentials: "same-origin",
        signal: this.pending.signal,
      });
    } catch (error) {
      return error.name === "AbortError" ? undefined : RETRY_SECONDS;
    }
    if (response.status === 304) return this.seconds;
    if (response.status >= 500 || response.status === 429) return RETRY_SECONDS;
    if (!response.ok) return undefined; // signed out, or no longer there
    this.etag = response.headers.get("ETag");
    return this.show(await response.json());
  }

  show(status) {
    const event = new CustomEvent("tavus:status", {
      bubbles: true,
      cancelable: true,
      detail: status,
    });
    const allowed = this.element.dispatchEvent(event);
    this.place(status.queue_position);
    if (this.differs(status) && allowed) {
      this.reloading = true;
      location.reload();
      return undefined;
    }
    this.seconds = status.poll_seconds;
    return this.seconds;
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

for (const element of document.querySelectorAll("[data-tavus-room]")) new Room(element).start();
