// What the page is about, as the file itself holds it.

import { byId } from "./dom.js";

export async function given() {
  return JSON.parse(byId("data").textContent);
}
