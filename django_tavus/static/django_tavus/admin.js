/* Makes the admin's pages live. Without it everything works by reload. */
(() => {
  "use strict";

  // --- buttons ---------------------------------------------------------------------------------

  function rememberAnswer(form) {
    const input = document.createElement("input");
    input.type = "hidden";
    input.name = "confirm";
    input.value = "1";
    form.append(input);
  }

  // A second click on a form that is on its way does nothing; the server would see that too.
  function onSubmit(event) {
    const form = event.target;
    if (!form.matches("[data-tavus-confirm], .tavus-tool form, form:has([data-tavus-once])")) return;
    if (form.dataset.tavusSent) {
      event.preventDefault();
      return;
    }
    if (form.dataset.tavusConfirm) {
      if (!window.confirm(form.dataset.tavusConfirm)) {
        event.preventDefault();
        return;
      }
      rememberAnswer(form);
    }
    form.dataset.tavusSent = "1";
  }

  // A page that comes back from the browser's cache may send its forms again.
  function onPageShow(event) {
    if (!event.persisted) return;
    document.querySelectorAll("form[data-tavus-sent]").forEach((form) => {
      delete form.dataset.tavusSent;
    });
  }

  // --- the control room ------------------------------------------------------------------------

  const LONGEST_PAUSE = 30000; // milliseconds between two tries while the server is away

  const pad = (number) => String(number).padStart(2, "0");

  function clock(seconds) {
    const hours = Math.floor(seconds / 3600);
    const rest = `${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}`;
    return hours ? `${hours}:${rest}` : rest;
  }

  class ControlRoom {
    constructor(element) {
      this.element = element;
      this.version = element.dataset.version;
      this.interval = Number(element.dataset.interval) * 1000;
      this.isFinal = Boolean(element.dataset.final);
      this.failures = 0;
      this.timer = null;
      this.startClock();
      this.tell(this.isFinal ? "final" : "live");
      document.addEventListener("visibilitychange", () => this.onVisibility());
      window.setInterval(() => this.tick(), 1000);
      this.plan();
    }

    // Which words to show is the template's business: they stand in data attributes.
    tell(state) {
      const place = this.element.querySelector("[data-tavus-connection]");
      if (place.textContent !== place.dataset[state]) place.textContent = place.dataset[state];
    }

    plan() {
      window.clearTimeout(this.timer);
      if (this.isFinal || document.hidden) return;
      const pause = Math.min(this.interval * 2 ** this.failures, LONGEST_PAUSE);
      this.timer = window.setTimeout(() => this.poll(), pause);
    }

    onVisibility() {
      window.clearTimeout(this.timer);
      if (this.isFinal) return;
      if (document.hidden) this.tell("paused");
      else this.poll();
    }

    async poll() {
      try {
        await this.look();
        this.failures = 0;
        this.tell(this.isFinal ? "final" : "live");
      } catch {
        this.failures += 1;
        this.tell("offline");
      }
      this.plan();
    }

    async look() {
      const response = await fetch(this.element.dataset.liveUrl, {
        headers: { Accept: "application/json", "If-None-Match": `"${this.version}"` },
        cache: "no-store",
        redirect: "error", // a session that has ended leads to the login page
      });
      if (response.status === 304) return;
      if (!response.ok) throw new Error(response.statusText);
      const answer = await response.json();
      if (answer.version !== this.version) await this.renew();
      this.version = answer.version;
      this.interval = answer.interval * 1000;
      this.isFinal = answer.is_final;
    }

    // The server draws the panel; sections that differ are exchanged, the others keep their state.
    async renew() {
      const response = await fetch(this.element.dataset.panelUrl, { redirect: "error" });
      if (!response.ok) throw new Error(response.statusText);
      const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
      fresh.querySelectorAll("[data-tavus-live]").forEach((section) => this.exchange(section));
      this.startClock();
    }

    exchange(section) {
      const selector = `[data-tavus-live="${section.dataset.tavusLive}"]`;
      const old = document.querySelector(selector);
      if (!old || old.outerHTML === section.outerHTML) return;
      const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
      const log = old.querySelector("[role=log]");
      const top = log && log.scrollTop;
      const followed = log && log.scrollHeight - log.clientHeight - top < 40;
      const open = [...old.querySelectorAll("details")].map((details) => details.open);
      section.querySelectorAll("details").forEach((details, index) => {
        if (index in open) details.open = open[index];
      });
      old.replaceWith(document.adoptNode(section));
      const renewed = section.querySelector("[role=log]");
      if (renewed && log) renewed.scrollTop = followed ? renewed.scrollHeight : top;
      if (focused) document.getElementById(focused)?.focus();
    }

    // Counts from what the server said, by the browser's steady clock.
    startClock() {
      const head = this.element.querySelector("[data-elapsed]");
      this.elapsed = head.dataset.elapsed === "" ? null : Number(head.dataset.elapsed);
      this.limit = Number(head.dataset.limit);
      this.startedAt = performance.now();
    }

    tick() {
      const place = this.element.querySelector("[data-tavus-clock]");
      if (this.elapsed === null || !place || document.hidden) return;
      const seconds = this.elapsed + Math.floor((performance.now() - this.startedAt) / 1000);
      const words = this.element.querySelector("[data-tavus-connection]").dataset.of;
      place.textContent = words
        .replace("%(elapsed)s", clock(seconds))
        .replace("%(limit)s", clock(this.limit));
      const bar = this.element.querySelector("progress");
      if (bar) bar.value = Math.min(seconds, this.limit);
    }
  }

  document.addEventListener("submit", onSubmit);
  window.addEventListener("pageshow", onPageShow);
  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-tavus-room]").forEach((element) => new ControlRoom(element));
  });
})();
