// The way in: a key from the address, the session or the panel; then the console.

import { Client, Problem } from "./client.ts";
import { Console } from "./console.ts";
import { dropKey, keepKey, takeKey } from "./session.ts";
import { showSignIn } from "./signin.ts";
import "./style.css";

const root = document.querySelector<HTMLElement>("#app");
if (!root) throw new Error("index.html has no #app");
const app = root;

/** Opens the console with a key. Resolves to null, or to the sentence that says why not. */
async function enter(key: string): Promise<string | null> {
  try {
    await new Console(new Client(key), app, leave).open();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return error.status === 401 ? "This key is not known here." : error.message;
  }
  keepKey(key);
  return null;
}

function leave(message: string): void {
  dropKey();
  askForKey(message);
}

function askForKey(message: string): void {
  for (const name of ["mapReady", "mapSettled", "vesselsOnMap", "aircraftOnMap"])
    delete document.documentElement.dataset[name];
  showSignIn(app, message, enter);
}

const known = takeKey();
if (known === null) askForKey("");
else {
  const refusal = await enter(known);
  if (refusal !== null) leave(refusal);
}
