// The room of the sandbox: join, type, listen, leave. No dependencies, no inline code.
"use strict";

(() => {
  const POLL = 1000; // milliseconds between two looks at the room
  const base = location.pathname.replace(/\/$/, "");
  const token = new URLSearchParams(location.search).get("t") || "";
  const element = (id) => document.getElementById(id);
  const tile = element("replica-tile");
  let participant = null;
  let shown = 0; // turns in the log
  let phase = "lobby";
  let quietTimer = null;
  let camera = null;

  async function ask(path, body) {
    const options = body
      ? { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }
      : {};
    const response = await fetch(base + path, options);
    const answer = response.status === 204 ? {} : await response.json();
    if (!response.ok) throw new Error(answer.error || response.statusText);
    return answer;
  }

  function become(next) {
    phase = next;
    document.body.dataset.phase = next;
    element("lobby").hidden = next !== "lobby";
    element("call").hidden = next !== "call";
    element("over").hidden = next !== "over";
  }

  function complain(error) {
    element("problem").textContent = error.message;
    element("problem").hidden = false;
  }

  function addTurn(turn) {
    const line = document.createElement("p");
    const speaker = document.createElement("b");
    const mine = turn.role === "user";
    line.className = mine ? "mine" : "theirs";
    speaker.textContent = mine ? "You" : document.querySelector(".replica strong").textContent;
    line.append(speaker, turn.content);
    element("log").append(line);
    element("log").scrollTop = element("log").scrollHeight;
    if (!mine) speak(turn.content);
  }

  function speak(words) {
    tile.classList.add("speaking");
    clearTimeout(quietTimer);
    quietTimer = setTimeout(() => tile.classList.remove("speaking"), Math.min(6000, 60 * words.length));
  }

  function show(state) {
    if (phase === "over") return;
    if (state.status === "ended") return finish(state.shutdown_reason);
    if (phase !== "call") return;
    element("replica-state").textContent = state.replica_joined ? "in the call" : "joining…";
    for (const turn of state.turns.slice(shown)) addTurn(turn);
    shown = Math.max(shown, state.turns.length);
    if (participant && !state.inside) finish("You have left.");
  }

  function finish(reason) {
    become("over");
    participant = null;
    clearTimeout(quietTimer);
    tile.classList.remove("speaking");
    element("replica-state").textContent = "";
    element("over-reason").textContent = reason || "";
    element("over").focus();
    if (camera) for (const track of camera.getTracks()) track.stop();
    element("self-tile").hidden = true;
  }

  async function look() {
    const query = new URLSearchParams({ t: token, participant_id: participant || "" });
    try {
      show(await ask(`/state?${query}`));
    } catch (error) {
      // A hiccup of the network passes; the next look will tell.
    }
    if (phase !== "over") setTimeout(look, POLL);
  }

  async function openCamera() {
    if (document.body.dataset.mode === "audio" || !navigator.mediaDevices) return false;
    try {
      camera = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
    } catch (error) {
      return false; // refused, or there is none: the call goes on without
    }
    element("self-view").srcObject = camera;
    element("self-tile").hidden = false;
    return true;
  }

  element("lobby").addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = event.submitter || element("lobby").querySelector("button");
    button.disabled = true;
    element("problem").hidden = true;
    try {
      // A permission prompt that nobody answers must not keep anybody out.
      const patience = new Promise((resolve) => setTimeout(resolve, 4000, false));
      const on = await Promise.race([openCamera(), patience]);
      const state = await ask("/join", { name: element("name").value, token, camera: on });
      participant = state.participant_id;
      become("call");
      show(state);
      element("words").focus();
    } catch (error) {
      complain(error);
    }
    button.disabled = false;
  });

  element("composer").addEventListener("submit", async (event) => {
    event.preventDefault();
    const content = element("words").value.trim();
    if (!content) return;
    element("words").value = "";
    try {
      show(await ask("/say", { participant_id: participant, content }));
    } catch (error) {
      element("words").value = content;
      complain(error);
    }
  });

  element("leave").addEventListener("click", async () => {
    try {
      const state = await ask("/leave", { participant_id: participant });
      participant = null;
      finish(state.status === "ended" ? state.shutdown_reason : "You have left.");
    } catch (error) {
      complain(error);
    }
  });

  // Closing and reloading look alike from here; both are leaving, as in a real room.
  window.addEventListener("pagehide", () => {
    if (!participant) return;
    navigator.sendBeacon(`${base}/leave`, JSON.stringify({ participant_id: participant }));
    participant = null;
  });

  // A page from the back-forward cache has left the room: start anew.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });

  look();
})();
