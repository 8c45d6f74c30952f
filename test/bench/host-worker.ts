/** The program of a worker in the bench: a node, with the program on it that the bench names in the environment. */
import { serve } from "../../src/engine/host/serve.ts";
import { makeNode } from "../../src/engine/node/index.ts";
import { sendingNodes, type Traffic } from "./sender.ts";

const told = process.env["QUORATE_BENCH_TRAFFIC"];
const traffic = told === undefined ? undefined : (JSON.parse(told) as Traffic);
serve(() => (traffic === undefined ? makeNode : sendingNodes(traffic)));
