/** A worker thread that answers one what-if question and ends with the lab's interest in it. */
import { parentPort } from "node:worker_threads";
import { answerTask, type WhatIfTask } from "./whatif-task.ts";

parentPort?.once("message", (task: WhatIfTask) => parentPort?.postMessage(answerTask(task)));
