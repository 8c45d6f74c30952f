/** One node: the public face. */
export { Node, makeMachine, makeNode } from "./node.ts";
export type { BroughtProgram } from "./programs.ts";
