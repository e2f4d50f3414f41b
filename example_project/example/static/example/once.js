/** A form whose button costs money is sent once, however often it is pressed. */

for (const form of document.querySelectorAll("[data-once]")) {
  const button = form.querySelector("[type=submit]");
  form.addEventListener("submit", () => (button.disabled = true));
  // Back, out of the browser's cache of pages.
  addEventListener("pageshow", () => (button.disabled = false));
}
