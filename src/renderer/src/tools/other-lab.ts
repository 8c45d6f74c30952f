/** The page goes to another lab. */
import type { Lab } from "../lab.svelte.ts";
import type { Request } from "../../../main/lab/api.ts";

type What = Extract<Request, { op: "lab-open" }>["what"];

/** Starts the lab where it does not run and goes to its page. Throws with what the lab said. */
export async function goToLab(lab: Lab, what: What): Promise<void> {
  const { url, dir } = await lab.connection.call({ op: "lab-open", what });
  lab.connection.goTo(url, dir);
}
