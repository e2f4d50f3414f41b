/**
 * Start buttons over REST: POST, then the room. Without this file the form does the same.
 *
 * Each wish has an Idempotency-Key that stays until it is answered: pressing again after a lost
 * answer finds the conversation that was made, instead of paying for a second one.
 */

const NOWHERE = "00000000-0000-0000-0000-000000000000";

class Start {
  constructor(form) {
    this.form = form;
    this.button = form.querySelector("[type=submit]");
    this.error = form.querySelector("[data-error]");
    this.label = this.button.textContent;
    this.forget();
    form.addEventListener("change", () => this.forget());
    form.addEventListener("submit", (event) => this.submit(event));
    // Back from the room, out of the browser's cache of pages: this is a new wish.
    addEventListener("pageshow", (event) => event.persisted && this.reset());
  }

  forget() {
    this.key = crypto.randomUUID();
  }

  reset() {
    this.forget();
    this.wait(false);
  }

  wait(isWaiting) {
    this.button.disabled = isWaiting;
    this.button.textContent = isWaiting ? "Starting…" : this.label;
  }

  async submit(event) {
    event.preventDefault();
    this.error.textContent = "";
    this.wait(true);
    try {
      const conversation = await this.launch();
      location.assign(this.form.dataset.room.replace(NOWHERE, conversation.id));
    } catch (error) {
      this.error.textContent = error.message;
      this.wait(false);
    }
  }

  async launch() {
    const response = await this.post();
    const answer = await response.json().catch(() => ({}));
    if (response.ok && answer.id) return answer;
    // A refusal is an answer: what is tried next is another wish. An answer that was cut is none.
    if (response.status >= 400 && response.status < 500) this.forget();
    throw new Error(sentences(answer) || "This did not work. Please try again.");
  }

  async post() {
    try {
      return await fetch(this.form.dataset.start, {
        method: "POST",
        credentials: "same-origin",
        headers: {
          "Content-Type": "application/json",
          "Idempotency-Key": this.key,
          "X-CSRFToken": this.form.elements.csrfmiddlewaretoken.value,
        },
        body: JSON.stringify(this.wish()),
      });
    } catch {
      throw new Error("The site cannot be reached. Please try again.");
    }
  }

  wish() {
    const chosen = this.form.elements.replica?.selectedOptions[0]?.dataset.replicaId;
    const wish = { persona_id: this.form.dataset.personaId };
    return chosen ? { ...wish, replica_id: chosen } : wish;
  }
}

/** The texts of an error answer: `detail`, or lists of them by field. */
function sentences(answer) {
  if (typeof answer.detail === "string") return answer.detail;
  return Object.entries(answer)
    .filter(([name]) => name !== "code")
    .flatMap(([, texts]) => texts)
    .filter((text) => typeof text === "string")
    .join(" ");
}

// randomUUID is there on https and on this machine only; elsewhere the plain form does it.
if (crypto.randomUUID) {
  for (const form of document.querySelectorAll("[data-start]")) new Start(form);
}
