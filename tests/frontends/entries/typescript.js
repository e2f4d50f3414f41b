import { enter } from "./src/enter";
import * as tavus from "./src/tavus";

window.tavus = { ...tavus, enter };
