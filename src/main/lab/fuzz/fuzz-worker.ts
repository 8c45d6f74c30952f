/** A worker thread of `quorate fuzz`: plays one seed's schedule after the other and reports each. */
import { parentPort } from "node:worker_threads";
import { fuzz, type FuzzTask } from "./fuzz.ts";

parentPort?.on("message", (task: FuzzTask) => {
  // What fails here is a defect of the program: it ends the thread, and with it the runs.
  void fuzz(task).then((report) => parentPort?.postMessage(report));
});
