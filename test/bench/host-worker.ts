/** The program of a worker in the benchmarks: a node, with the program on it that they name in the environment. */
import { serve } from "../../src/engine/host/serve.ts";
import { makeNode } from "../../src/engine/node/index.ts";
import { sendingNodes, type Traffic } from "./sender.ts";

const told = process.env["QUORATE_BENCH_TRAFFIC"];
const traffic = told === undefined ? undefined : (JSON.parse(told) as Traffic);
serve(() => (traffic === undefined ? makeNode : sendingNodes(traffic)));
