import Daily from "@daily-co/daily-js";
import { createRoot } from "react-dom/client";
import { useState } from "react";
import { Practice } from "./src/Practice";
import { PrivateRoom } from "./src/PrivateRoom";
import * as tavus from "./src/tavus";

const query = new URLSearchParams(location.search);
const personaId = query.get("persona_id");

function Private() {
  const [call, setCall] = useState();
  const start = () => tavus.launch({ persona_id: personaId }).then(setCall);
  const leave = () => tavus.end(call.id);
  return call ? <PrivateRoom call={call} onLeave={leave} /> : <button onClick={start}>Start</button>;
}

// What the components have asked Daily to join.
window.joining = () => Daily.getCallInstance()?.properties ?? {};
createRoot(document.body).render(
  query.has("private") ? <Private /> : <Practice personaId={personaId} />,
);
