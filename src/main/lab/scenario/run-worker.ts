/** A worker thread that plays one record or runs one scenario. */
import { parentPort } from "node:worker_threads";
import { runTask, type RunTask } from "./run-task.ts";

parentPort?.once("message", (task: RunTask) => void runTask(task).then((outcome) => parentPort?.postMessage(outcome)));
