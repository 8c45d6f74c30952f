/** The record of a lab as a file of the person's computer. */
import type { LabSnapshot } from "../../../main/lab/api.ts";
import type { Lab } from "../lab.svelte.ts";

const keptForMs = 10_000;

export async function saveRecord(lab: Lab, snapshot: LabSnapshot): Promise<void> {
  try {
    const { text } = await lab.connection.call({ op: "record" });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
    link.download = `${snapshot.lab.name}-${snapshot.lab.seed}.record`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), keptForMs);
  } catch (error) {
    lab.say("refused", error instanceof Error ? error.message : String(error));
  }
}
