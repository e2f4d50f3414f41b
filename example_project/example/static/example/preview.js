/** Previews of faces: they move while somebody looks at the card, unless motion is unwelcome. */

const still = matchMedia("(prefers-reduced-motion: reduce)");

for (const video of document.querySelectorAll("[data-preview]")) {
  const card = video.closest(".card") ?? video;
  const play = () => still.matches || video.play().catch(() => {});
  for (const name of ["pointerenter", "focusin"]) card.addEventListener(name, play);
  for (const name of ["pointerleave", "focusout"]) card.addEventListener(name, () => video.pause());
}
